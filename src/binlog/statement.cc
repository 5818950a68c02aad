#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/sql_lexer.h"

namespace sluice::binlog {
namespace {

using Names = std::vector<std::pair<std::string, std::string>>;

// Reads one statement by recursive descent, with one token of look-ahead.  Whatever it does not
// understand of the names ends in tables_known = false, never in a guess.
class Reader {
 public:
  Reader(std::string_view text, std::uint64_t sql_mode)
      : lexer_(text, sql_mode), now_(lexer_.next()) {}
  Statement read();

 private:
  const SqlToken& now() const { return now_; }
  void step() { now_ = lexer_.next(); }
  bool eat(std::string_view word) {
    if (!now_.is(word)) return false;
    step();
    return true;
  }
  bool eat(char c) {
    if (!now_.symbol(c)) return false;
    step();
    return true;
  }
  // IF [NOT] EXISTS
  void eat_if_exists() {
    if (!eat("IF")) return;
    eat("NOT");
    eat("EXISTS");
  }

  Statement create();
  Statement alter();
  Statement drop();
  Statement rename();
  Statement truncate();
  Statement rollback();
  bool skip_set_statement();
  Statement create_table();
  Statement alter_table();
  Statement index(std::string_view before_table);

  std::optional<std::pair<std::string, std::string>> table_name();
  std::optional<std::string> word_name();
  static Statement of(StatementKind kind) { return {kind, {}, {}, false}; }
  static Statement about(StatementKind kind, Names tables) {
    return {kind, {}, std::move(tables), true};
  }

  SqlLexer lexer_;
  SqlToken now_;
};

std::optional<std::string> Reader::word_name() {
  if (!now_.names()) return std::nullopt;
  std::string out = now_.name();
  step();
  return out;
}

// [database .] table
std::optional<std::pair<std::string, std::string>> Reader::table_name() {
  auto first = word_name();
  if (!first) return std::nullopt;
  if (!eat('.')) return std::pair(std::string(), std::move(*first));
  auto second = word_name();
  if (!second) return std::nullopt;
  return std::pair(std::move(*first), std::move(*second));
}

Statement Reader::create_table() {
  eat_if_exists();
  const auto name = table_name();
  // CREATE TABLE ... SELECT of MySQL 8.0.21+ is logged as CREATE TABLE ... START TRANSACTION,
  // always at its end.
  std::array<SqlToken, 2> last;
  for (; now_.kind != SqlToken::Kind::end; step()) {
    last[0] = last[1];
    last[1] = now_;
  }
  const bool rows_follow = last[0].is("START") && last[1].is("TRANSACTION");
  const auto kind = rows_follow ? StatementKind::create_select : StatementKind::ddl_table;
  return name ? about(kind, {*name}) : of(kind);
}

// Behind CREATE ... INDEX or DROP INDEX: the table comes after ON.
Statement Reader::index(std::string_view before_table) {
  while (now_.kind != SqlToken::Kind::end && !now_.symbol('(') && !now_.is(before_table)) step();
  if (!eat(before_table)) return of(StatementKind::ddl_table);
  const auto name = table_name();
  return name ? about(StatementKind::ddl_table, {*name}) : of(StatementKind::ddl_table);
}

Statement Reader::create() {
  if (eat("OR")) eat("REPLACE");
  if (eat("TABLE")) return create_table();
  static constexpr std::array<std::string_view, 5> kIndexKinds = {"UNIQUE", "FULLTEXT", "SPATIAL",
                                                                  "VECTOR", "ONLINE"};
  const auto is_index_kind = [this] {
    return std::any_of(kIndexKinds.begin(), kIndexKinds.end(),
                       [this](std::string_view w) { return now_.is(w); });
  };
  while (is_index_kind() || now_.is("OFFLINE")) step();
  if (eat("INDEX")) return index("ON");
  return of(StatementKind::other);
}

Statement Reader::alter_table() {
  eat_if_exists();
  const auto name = table_name();
  if (!name) return of(StatementKind::ddl_table);
  Names names{*name};
  // The other tables an ALTER can name: RENAME [TO|AS|=] t, EXCHANGE PARTITION p WITH TABLE t.
  std::size_t depth = 0;
  while (now_.kind != SqlToken::Kind::end) {
    if (now_.symbol('(')) ++depth;
    if (now_.symbol(')') && depth != 0) --depth;
    const bool renames = depth == 0 && now_.is("RENAME");
    const bool exchanges = depth == 0 && now_.is("WITH");
    step();
    if (exchanges && !eat("TABLE")) continue;
    if (renames) {
      if (now_.is("COLUMN") || now_.is("INDEX") || now_.is("KEY")) continue;
      if (!eat("TO") && !eat("AS")) eat('=');
    }
    if (!renames && !exchanges) continue;
    const auto other = table_name();
    if (!other) return of(StatementKind::ddl_table);
    names.push_back(*other);
  }
  return about(StatementKind::ddl_table, std::move(names));
}

Statement Reader::alter() {
  while (now_.is("ONLINE") || now_.is("OFFLINE") || now_.is("IGNORE")) step();
  if (eat("TABLE")) return alter_table();
  if (!eat("DATABASE") && !eat("SCHEMA")) return of(StatementKind::other);
  // ALTER DATABASE CHARACTER SET ... speaks of the session's database.
  static constexpr std::array<std::string_view, 7> kOptions = {
      "DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "ENCRYPTION", "READ", "COMMENT"};
  if (std::any_of(kOptions.begin(), kOptions.end(), [this](auto w) { return now_.is(w); }))
    return of(StatementKind::ddl_table);
  auto name = word_name();
  return name ? about(StatementKind::ddl_table, {{std::move(*name), ""}})
              : of(StatementKind::ddl_table);
}

Statement Reader::drop() {
  if (eat("TABLE") || eat("TABLES")) {
    eat_if_exists();
    Names names;
    do {
      auto name = table_name();
      if (!name) return of(StatementKind::drop);
      names.push_back(std::move(*name));
    } while (eat(','));
    const bool understood = now_.kind == SqlToken::Kind::end || now_.symbol(';') ||
                            now_.kind == SqlToken::Kind::word;  // RESTRICT, CASCADE, WAIT n, NOWAIT
    return understood ? about(StatementKind::drop, std::move(names)) : of(StatementKind::drop);
  }
  if (eat("DATABASE") || eat("SCHEMA")) {
    eat_if_exists();
    auto name = word_name();
    return name ? about(StatementKind::drop, {{std::move(*name), ""}}) : of(StatementKind::drop);
  }
  while (now_.is("ONLINE") || now_.is("OFFLINE")) step();
  if (eat("INDEX")) return index("ON");
  return of(StatementKind::other);
}

// RENAME TABLE a [WAIT n] TO b, c TO d
Statement Reader::rename() {
  if (!eat("TABLE") && !eat("TABLES")) return of(StatementKind::other);
  eat_if_exists();
  Names names;
  do {
    auto from = table_name();
    if (eat("WAIT"))
      step();
    else
      eat("NOWAIT");
    const bool to = eat("TO");
    auto name = table_name();
    if (!from || !to || !name) return of(StatementKind::ddl_table);
    names.push_back(std::move(*from));
    names.push_back(std::move(*name));
  } while (eat(','));
  return about(StatementKind::ddl_table, std::move(names));
}

Statement Reader::truncate() {
  eat("TABLE");
  auto name = table_name();
  return name ? about(StatementKind::truncate, {std::move(*name)}) : of(StatementKind::truncate);
}

Statement Reader::rollback() {
  eat("WORK");
  if (!eat("TO")) return of(StatementKind::rollback);
  eat("SAVEPOINT");
  Statement out = of(StatementKind::rollback_to);
  if (now_.names()) out.name = now_.name();
  return out;
}

// MariaDB's SET STATEMENT a=b, c=d FOR statement is the statement.  False for any other SET.
bool Reader::skip_set_statement() {
  step();
  if (!eat("STATEMENT")) return false;
  std::size_t depth = 0;
  for (; now_.kind != SqlToken::Kind::end; step()) {
    if (now_.symbol('(')) ++depth;
    if (now_.symbol(')') && depth != 0) --depth;
    if (depth == 0 && eat("FOR")) return true;
  }
  return false;
}

Statement Reader::read() {
  while (now_.is("SET"))
    if (!skip_set_statement()) return of(StatementKind::other);
  const SqlToken verb = now_;
  step();
  if (verb.is("BEGIN")) return of(StatementKind::begin);
  if (verb.is("COMMIT")) return of(StatementKind::commit);
  if (verb.is("CREATE")) return create();
  if (verb.is("ALTER")) return alter();
  if (verb.is("DROP")) return drop();
  if (verb.is("TRUNCATE")) return truncate();
  if (verb.is("RENAME")) return rename();
  if (verb.is("ROLLBACK")) return rollback();
  if (verb.is("XA")) return of(StatementKind::xa);
  if (verb.is("START"))
    return of(now_.is("TRANSACTION") ? StatementKind::begin : StatementKind::other);
  if (verb.is("SAVEPOINT")) {
    Statement out = of(StatementKind::savepoint);
    if (now_.names()) out.name = now_.name();
    return out;
  }
  // SELECT and DO are logged when they call a function that writes.
  static constexpr std::array<std::string_view, 9> kWriting = {
      "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "CALL", "WITH", "SELECT", "DO"};
  if (std::any_of(kWriting.begin(), kWriting.end(), [&](auto w) { return verb.is(w); }))
    return of(StatementKind::dml);
  return of(StatementKind::other);
}

}  // namespace

Statement classify_statement(std::string_view text, std::uint64_t sql_mode) {
  // Nearly all there are.
  if (text == "BEGIN") return {StatementKind::begin, {}, {}, false};
  if (text == "COMMIT") return {StatementKind::commit, {}, {}, false};
  return Reader(text, sql_mode).read();
}

}  // namespace sluice::binlog
