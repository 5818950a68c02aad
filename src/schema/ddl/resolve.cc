#include "schema/ddl/resolve.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "sluice/base/charset.h"
#include "sluice/schema/catalog.h"

#include "schema/ddl/reader.h"

namespace sluice::schema::ddl {
namespace {

bool timestamps_default_to_null(const DdlContext& context) {
  if (context.explicit_defaults_for_timestamp) return *context.explicit_defaults_for_timestamp;
  // On by default since then.
  constexpr std::uint32_t kMysql = 80002, kMariadb = 101000;
  const auto server = server_of(context);
  return server.version >= (server.flavor == Flavor::mysql ? kMysql : kMariadb);
}

bool nullable(const Cursor& in, const ColumnDefinition& column) {
  if (column.row_start || column.row_end || column.auto_increment) return false;
  if (column.nullable) return *column.nullable;
  if (column.type.name != "timestamp") return true;
  // MariaDB's generated ones take no NOT NULL.
  if (column.generated && in.context().flavor == Flavor::mariadb) return true;
  return timestamps_default_to_null(in.context());
}

Status add_columns(const Cursor& in, const TableDefinition& definition, std::string_view charset,
                   TableSchema& table) {
  std::unordered_set<std::string> seen;
  table.columns.reserve(definition.columns.size());
  for (const ColumnDefinition& c : definition.columns) {
    if (!seen.insert(lowered(c.name)).second)
      return in.error_at(c.at, "column `" + c.name + "` is there twice");
    ColumnSchema column;
    SLUICE_TRY(resolve_type(in, c.type, charset, column));
    column.name = c.name;
    column.nullable = nullable(in, c);
    column.generated = c.generated;
    column.invisible = c.invisible;
    table.columns.push_back(std::move(column));
  }
  return {};
}

// MariaDB's WITH SYSTEM VERSIONING has the columns that are named for it, or two that nothing but
// the binlog shows.  The second is part of every unique key: rows of the past are in the table,
// too.
Status add_versioning(const TableDefinition& definition, TableSchema& table) {
  const auto ends = [](const ColumnDefinition& c) { return c.row_end; };
  const auto named = std::find_if(definition.columns.begin(), definition.columns.end(), ends);
  auto row_end = static_cast<std::uint16_t>(named - definition.columns.begin());
  if (named == definition.columns.end()) {
    for (const char* name : {"row_start", "row_end"}) {
      ColumnSchema column;
      SLUICE_TRY(parse_column_type("timestamp(6)", column));
      column.name = name;
      column.nullable = false;
      column.generated = column.invisible = true;
      table.columns.push_back(std::move(column));
    }
    row_end = static_cast<std::uint16_t>(table.columns.size() - 1);
  }
  const auto add = [row_end](std::vector<std::uint16_t>& key) {
    if (std::find(key.begin(), key.end(), row_end) == key.end()) key.push_back(row_end);
  };
  if (!table.primary_key.empty()) add(table.primary_key);
  for (UniqueKey& key : table.unique_keys) add(key.columns);
  return {};
}

}  // namespace

Error only_the_server_knows(const Cursor& in, std::size_t select_at) {
  return in.error_at(select_at,
                     "CREATE TABLE ... SELECT: only the server knows the columns; write the table "
                     "as SHOW CREATE TABLE prints it");
}

Result<TableSchema> resolve(const Cursor& in, const TableDefinition& definition,
                            std::string_view database_charset) {
  const DdlContext& context = in.context();
  TableSchema table;
  table.database = definition.database.empty() ? context.database : definition.database;
  table.name = definition.name;
  SLUICE_TRY_ASSIGN(
      const std::string charset,
      resolve_charset(in, definition.charset, definition.collation, database_charset, in.offset()));
  SLUICE_TRY(add_columns(in, definition, charset, table));
  SLUICE_TRY(resolve_keys(in, definition, table));
  if (definition.system_versioned) SLUICE_TRY(add_versioning(definition, table));
  return table;
}

}  // namespace sluice::schema::ddl

namespace sluice::schema {

Result<TableSchema> read_create_table(std::string_view statement, const DdlContext& context) {
  ddl::Cursor in(statement, context);
  if (!is_utf8(statement)) return in.error("the statement is not UTF-8");
  SLUICE_TRY_ASSIGN(const ddl::TableDefinition definition, ddl::read_table(in));
  if (definition.like)
    return in.error_at(definition.like_at, "only the server knows the table it is to be like");
  if (definition.select_at) return ddl::only_the_server_knows(in, *definition.select_at);
  return ddl::resolve(in, definition, context.charset);
}

}  // namespace sluice::schema
