#include "schema/ddl/script.h"

#include <algorithm>
#include <utility>

#include "sluice/base/charset.h"
#include "sluice/base/text_buffer.h"

#include "schema/ddl/applier.h"
#include "schema/ddl/statement.h"

namespace sluice::schema::ddl {
namespace {

bool is_ascii(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; });
}

}  // namespace

Status Script::run(std::string_view text) {
  const auto unreadable = [](std::string_view what) {
    return fatal(Errc::schema_statement, "1:1: the text is " + std::string(what) + ", not UTF-8");
  };
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return unreadable("UTF-16");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  StatementSplitter splitter(text, session_.context().flavor);
  while (true) {
    SLUICE_TRY_ASSIGN(const auto next,
                      splitter.next(session_.context().sql_mode, session_.client()));
    if (!next) return {};
    SLUICE_TRY(statement(*next));
  }
}

Status Script::statement(const ScriptStatement& statement) {
  // How it is read is decided before it changes anything.
  const DdlContext context = session_.context();
  Cursor raw(statement.text, context, statement.place);
  if (begins_harmless(raw)) return {};
  if (is_ascii(statement.text)) return dispatch(raw);
  TextBuffer utf8;
  if (!session_.client().to_utf8(statement.text, utf8))
    return raw.error("the statement has bytes that are none of character set " +
                     std::string(session_.client().name()) + " (SET NAMES says another)");
  Cursor in(utf8.view(), context, statement.place);
  return dispatch(in);
}

Status Script::dispatch(Cursor& in) {
  if (in.is("SET")) return session_.set(in);
  if (in.eat("USE")) {
    SLUICE_TRY_ASSIGN(std::string database, in.want_name("a database"));
    use(std::move(database));
    return {};
  }
  if (!in.is_any({"CREATE", "DROP", "ALTER", "RENAME", "TRUNCATE"}))
    return in.error("no statement of SQL begins so");
  for (const TableEffect& effect : Applier(tables_, in, Applier::Rules::script).run())
    if (effect.kind == TableEffect::Kind::not_known)
      return fatal(Errc::schema_statement, effect.why);
  use(session_.context().database);  // its character set may be another one
  return {};
}

void Script::use(std::string database) {
  DdlContext nowhere;
  nowhere.charset.clear();
  std::string charset(tables_.charset_in(database, nowhere));
  session_.use(std::move(database), std::move(charset));
}

}  // namespace sluice::schema::ddl
