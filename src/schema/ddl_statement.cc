#include "sluice/schema/ddl_statement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sluice/base/charset.h"
#include "sluice/base/text_buffer.h"

#include "schema/ddl/cursor.h"

namespace sluice::schema {
namespace {

std::string to_utf8(std::string_view text, std::uint16_t collation) {
  const Charset* charset = collation == 0 ? nullptr : Charset::by_collation(collation);
  // A client without one of its own sends names as they are.
  if (charset == nullptr || charset->kind() == CharsetKind::binary) charset = &Charset::utf8mb4();
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0x80U) == 0;
  });
  if (ascii || !charset->prepare().ok()) return std::string(text);
  TextBuffer out;
  // What is no text gets U+FFFD: no table is called so, and none is meant by it.
  static_cast<void>(charset->to_utf8(text, out));
  return std::string(out.view());
}

std::string charset_name(std::uint16_t collation) {
  const Charset* charset = collation == 0 ? nullptr : Charset::by_collation(collation);
  return charset == nullptr ? std::string() : std::string(charset->name());
}

}  // namespace

std::optional<DdlStatement> ddl_statement(const binlog::QueryEvent& query,
                                          const binlog::FormatDescription& format, Place place) {
  using Phase = binlog::QueryEvent::AlterPhase;
  if (query.alter_phase == Phase::start || query.alter_phase == Phase::rollback)
    return std::nullopt;
  DdlStatement out;
  out.place = std::move(place);
  // What the server wrote itself is UTF-8, whatever the client's character set.
  out.text = is_written_by_server(query.statement) ? std::string(query.statement)
                                                   : to_utf8(query.statement, query.charset_client);
  out.context.flavor = format.flavor;
  out.context.version = format.version_number();
  out.context.sql_mode = query.sql_mode;
  out.context.database = query.database;
  out.context.charset.clear();
  out.context.failed = query.error_code != 0;
  out.context.server_charset = charset_name(query.charset_server);
  out.context.explicit_defaults_for_timestamp = query.explicit_defaults_for_timestamp;
  return out;
}

TouchedTables::TouchedTables(std::uint8_t lower_case_table_names)
    : folds_(lower_case_table_names != 0), scratch_(lower_case_table_names) {
  scratch_.lose("", "", "");
}

TouchedTables::Name TouchedTables::key_of(std::string_view database, std::string_view table) const {
  if (folds_) return {ddl::lowered(database), ddl::lowered(table)};
  return {std::string(database), std::string(table)};
}

void TouchedTables::note(const std::string& database, const std::string& table,
                         const Touch& touch) {
  const auto [known, is_first] = tables_.try_emplace(key_of(database, table), touch);
  if (!is_first) known->second.last = touch.last;
}

void TouchedTables::add(const DdlStatement& statement) {
  using Kind = TableEffect::Kind;
  const auto charsets = scratch_.databases();
  for (const TableEffect& effect : scratch_.apply(statement.text, statement.context)) {
    if (effect.kind == Kind::emptied) continue;
    note(effect.database, effect.table,
         {statement.place, effect.kind != Kind::created && effect.kind != Kind::dropped});
    if (!effect.new_table.empty())
      note(effect.new_database, effect.new_table, {statement.place, false});
  }
  for (const auto& [database, charset] : scratch_.databases()) {
    const auto before = charsets.find(database);
    if (before == charsets.end() || before->second != charset)
      databases_.insert_or_assign(key_of(database, "").first, statement.place);
  }
}

std::optional<Place> TouchedTables::last(std::string_view database, std::string_view table) const {
  std::optional<Place> latest;
  const std::array<Name, 3> names{key_of(database, table), key_of(database, ""), Name()};
  for (const Name& name : names) {
    const auto found = tables_.find(name);
    if (found != tables_.end() && (!latest || *latest < found->second.last))
      latest = found->second.last;
  }
  return latest;
}

std::optional<Place> TouchedTables::last(std::string_view database) const {
  const auto found = databases_.find(key_of(database, "").first);
  return found == databases_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace sluice::schema
