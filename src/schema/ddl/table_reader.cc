// CREATE TABLE from end to end (mysql-server: sql/sql_yacc.yy create_table_stmt; MariaDB: the same
// file, create_body).
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "schema/ddl/reader.h"

namespace sluice::schema::ddl {
namespace {

using binlog::SqlToken;

constexpr std::size_t kMaxColumns = 4096;  // of both servers
constexpr std::size_t kMaxKeys = 256;      // twice as many as MariaDB has
constexpr std::size_t kPrintedIndent = 4;  // "(", a new line and two blanks

Status selects(const Cursor& in, TableDefinition& table) {
  table.select_at = in.offset();
  return {};
}

bool at_select(const Cursor& in) {
  return in.is_any({"SELECT", "AS", "IGNORE", "REPLACE", "VALUES"}) || in.is('(');
}

Status read_like(Cursor& in, TableDefinition& table) {
  table.like_at = in.offset();
  SLUICE_TRY_ASSIGN(table.like, read_table_name(in));
  return {};
}

Status read_item(Cursor& in, TableDefinition& table) {
  SLUICE_TRY_ASSIGN(const bool item, read_table_item(in, table));
  if (item) return {};
  if (table.columns.size() == kMaxColumns) return in.error("more than 4096 columns");
  ColumnDefinition column;
  column.at = in.offset();
  SLUICE_TRY_ASSIGN(column.name, in.want_name("a column"));
  return read_column(in, std::move(column), table);
}

// PARTITION BY and all that follows: it ends the statement but for a SELECT.
Status skip_partitions(Cursor& in, TableDefinition& table) {
  while (!in.at_end()) {
    if (in.is('(')) {
      SLUICE_TRY(in.skip_parentheses());
      continue;
    }
    if (in.is_any({"SELECT", "IGNORE", "REPLACE"})) return selects(in, table);
    if (in.is(';') || in.is(')')) return in.error("the statement's end is expected");
    in.step();
  }
  return {};
}

// Options whose value may follow without "=".
bool at_plain_option(const Cursor& in) {
  return in.is_any({"ENGINE",
                    "TYPE",
                    "STORAGE",
                    "SECONDARY_ENGINE",
                    "AUTO_INCREMENT",
                    "AVG_ROW_LENGTH",
                    "CHECKSUM",
                    "TABLE_CHECKSUM",
                    "COMMENT",
                    "COMPRESSION",
                    "CONNECTION",
                    "DELAY_KEY_WRITE",
                    "ENCRYPTION",
                    "ENGINE_ATTRIBUTE",
                    "SECONDARY_ENGINE_ATTRIBUTE",
                    "INSERT_METHOD",
                    "KEY_BLOCK_SIZE",
                    "MAX_ROWS",
                    "MIN_ROWS",
                    "PACK_KEYS",
                    "PASSWORD",
                    "ROW_FORMAT",
                    "STATS_AUTO_RECALC",
                    "STATS_PERSISTENT",
                    "STATS_SAMPLE_PAGES",
                    "TABLESPACE",
                    "AUTOEXTEND_SIZE",
                    "PAGE_CHECKSUM",
                    "TRANSACTIONAL",
                    "SEQUENCE",
                    "IETF_QUOTES"});
}

// LIKE, or the list of columns; neither before a SELECT and before options that one follows.
Status read_body(Cursor& in, TableDefinition& table) {
  if (in.eat("LIKE")) return read_like(in, table);
  if (!in.is('(')) return at_select(in) ? selects(in, table) : in.error("\"(\" expected");
  if (in.ahead().is("SELECT")) return selects(in, table);
  const std::size_t open = in.offset();
  in.step();
  table.printed = in.offset() == open + kPrintedIndent;
  if (in.eat("LIKE")) {
    SLUICE_TRY(read_like(in, table));
  } else {
    do {
      SLUICE_TRY(read_item(in, table));
      if (table.keys.size() > kMaxKeys) return in.error("more than 256 keys");
    } while (in.eat(','));
  }
  return in.want(')');
}

}  // namespace

bool eat_if_exists(Cursor& in) {
  if (!in.is("IF")) return false;
  in.step();
  in.eat("NOT");
  return in.eat("EXISTS");
}

void skip_wait(Cursor& in) {
  if (in.eat("WAIT"))
    in.step();
  else
    in.eat("NOWAIT");
}

Status read_table_option(Cursor& in, TableDefinition& table) {
  if (in.eat("WITH")) {
    SLUICE_TRY(in.want("SYSTEM"));
    table.system_versioned = true;
    return in.want("VERSIONING");
  }
  if (in.eat("START")) return in.want("TRANSACTION");  // MySQL's binlog: rows follow
  if (in.eat("PARTITION", "BY")) return skip_partitions(in, table);
  in.eat("DEFAULT");
  SLUICE_TRY_ASSIGN(const bool charset, read_charset(in, table.charset, table.collation));
  if (charset) return {};
  if (in.eat("UNION")) {
    in.eat('=');
    return in.skip_parentheses();
  }
  if (in.is_any({"DATA", "INDEX"}) && in.ahead().is("DIRECTORY"))
    in.step();
  else if (!at_plain_option(in) && !(in.is_name() && in.ahead().symbol('=')))
    return in.error("no option of a table is known that begins so");
  in.step();
  in.eat('=');
  if (!in.is_name() && !in.is_string()) return in.error("a value is expected");
  if (!in.now().closed) return in.error("the string has no end");
  in.step();
  return {};
}

Result<std::pair<std::string, std::string>> read_table_name(Cursor& in) {
  SLUICE_TRY_ASSIGN(std::string first, in.want_name("a table"));
  if (!in.eat('.')) return std::pair(std::string(), std::move(first));
  SLUICE_TRY_ASSIGN(std::string second, in.want_name("a table"));
  return std::pair(std::move(first), std::move(second));
}

Result<TableDefinition> read_table(Cursor& in, std::pair<std::string, std::string>* subject) {
  TableDefinition table;
  SLUICE_TRY(in.want("CREATE"));
  if (in.eat("OR")) {
    SLUICE_TRY(in.want("REPLACE"));
    table.or_replace = true;
  }
  table.temporary = in.eat("TEMPORARY");
  SLUICE_TRY(in.want("TABLE"));
  table.if_not_exists = eat_if_exists(in);
  SLUICE_TRY_ASSIGN(auto name, read_table_name(in));
  if (subject != nullptr) *subject = name;
  std::tie(table.database, table.name) = std::move(name);
  SLUICE_TRY(read_body(in, table));
  while (!in.at_end() && !table.select_at) {
    if (in.eat(',')) continue;
    if (at_select(in)) {
      SLUICE_TRY(selects(in, table));
    } else if (in.is(';') || in.is("CREATE")) {
      return in.error("another statement begins before a \";\" has ended this one");
    } else {
      SLUICE_TRY(read_table_option(in, table));
    }
  }
  return table;
}

}  // namespace sluice::schema::ddl
