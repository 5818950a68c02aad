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

bool is_system_time(const PeriodSchema& period) {
  return same_name(period.name, "SYSTEM_TIME");
}

bool timestamps_default_to_null(const DdlContext& context) {
  if (context.explicit_defaults_for_timestamp) return *context.explicit_defaults_for_timestamp;
  // On by default since then.
  constexpr std::uint32_t kMysql = 80002, kMariadb = 101000;
  const auto server = server_of(context);
  return server.version >= (server.flavor == Flavor::mysql ? kMysql : kMariadb);
}

bool nullable(const Cursor& in, const ColumnDefinition& column) {
  if (column.row_start || column.row_end) return false;
  if (column.nullable) return *column.nullable;
  if (column.type.name != "timestamp") return true;
  // MariaDB's generated ones take no NOT NULL.
  if (column.generated && in.context().flavor == Flavor::mariadb) return true;
  return timestamps_default_to_null(in.context());
}

int find_column(const TableSchema& table, std::string_view name) {
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (same_name(table.columns[i].name, name)) return static_cast<int>(i);
  return -1;
}

Status check_names(const Cursor& in, const TableDefinition& definition) {
  std::unordered_set<std::string> seen;
  for (const ColumnDefinition& c : definition.columns)
    if (!seen.insert(lowered(c.name)).second)
      return in.error_at(c.at, "column `" + c.name + "` is there twice");
  return {};
}

Status set_periods(const Cursor& in, const Draft& draft, TableSchema& table) {
  for (const PeriodDefinition& p : draft.periods) {
    PeriodSchema period;
    period.name = p.name;
    for (const auto& [name, end] : {std::pair(&p.start, &period.start), {&p.end, &period.end}}) {
      const int c = find_column(table, *name);
      if (c < 0) return in.error_at(p.at, "there is no column `" + *name + "`");
      *end = static_cast<std::uint16_t>(c);
      table.columns[*end].nullable = false;
    }
    table.detail->periods.push_back(std::move(period));
  }
  return {};
}

// MariaDB's WITH SYSTEM VERSIONING has the columns that are named for it, or two that nothing but
// the binlog shows.  The second is part of every unique key: rows of the past are in the table,
// too.
Status add_versioning(TableSchema& table) {
  const auto& periods = table.detail->periods;
  const auto named = std::find_if(periods.begin(), periods.end(), is_system_time);
  std::uint16_t row_start = 0, row_end = 0;
  if (named == periods.end()) {
    for (const char* name : {"row_start", "row_end"}) {
      ColumnSchema column;
      SLUICE_TRY(parse_column_type("timestamp(6)", column));
      column.name = name;
      column.nullable = false;
      column.generated = column.invisible = true;
      table.columns.push_back(std::move(column));
    }
    row_end = static_cast<std::uint16_t>(table.columns.size() - 1);
    row_start = static_cast<std::uint16_t>(row_end - 1);
  } else {
    row_start = named->start;
    row_end = named->end;
  }
  const auto add = [row_start, row_end](std::vector<std::uint16_t>& key) {
    if (std::none_of(key.begin(), key.end(),
                     [=](std::uint16_t c) { return c == row_start || c == row_end; }))
      key.push_back(row_end);
  };
  if (!table.primary_key.empty()) add(table.primary_key);
  for (UniqueKey& key : table.unique_keys) add(key.columns);
  return {};
}

}  // namespace

bool hides_columns(const TableDetail& detail) {
  return detail.system_versioned &&
         std::none_of(detail.periods.begin(), detail.periods.end(), is_system_time);
}

KeyKind kind_of(const IndexSchema& index) noexcept {
  if (index.implied) return KeyKind::foreign;
  switch (index.kind) {
    case IndexSchema::Kind::primary: return KeyKind::primary;
    case IndexSchema::Kind::unique: return KeyKind::unique;
    case IndexSchema::Kind::other: break;
  }
  return KeyKind::index;
}

Error only_the_server_knows(const Cursor& in, std::size_t select_at) {
  return in.error_at(select_at,
                     "CREATE TABLE ... SELECT: only the server knows the columns; write the table "
                     "as SHOW CREATE TABLE prints it");
}

Result<ColumnSchema> resolve_column(const Cursor& in, const ColumnDefinition& definition,
                                    std::string_view table_charset) {
  ColumnSchema column;
  SLUICE_TRY(resolve_type(in, definition.type, table_charset, column));
  column.name = definition.name;
  column.nullable = nullable(in, definition);
  column.generated = definition.generated;
  column.is_virtual = definition.generated && !definition.stored;
  column.invisible = definition.invisible;
  return column;
}

Draft draft_of(const Cursor& in, const TableSchema& table, std::size_t at) {
  Draft draft;
  draft.columns = table.columns;
  if (!table.detail) return draft;
  draft.charset = table.detail->charset;
  draft.system_versioned = table.detail->system_versioned;
  if (hides_columns(*table.detail) && draft.columns.size() >= kHidden)
    draft.columns.resize(draft.columns.size() - kHidden);
  for (const PeriodSchema& p : table.detail->periods)
    draft.periods.push_back(
        {p.name, table.columns[p.start].name, table.columns[p.end].name, false, at});
  for (const IndexSchema& index : table.detail->indexes) {
    KeyDefinition key;
    key.kind = kind_of(index);
    key.name = index.name;
    key.without_overlaps = index.period;
    key.at = at;
    for (const IndexPart& part : index.parts)
      key.parts.push_back(
          {part.column == IndexPart::kExpression ? std::string() : table.columns[part.column].name,
           part.column == IndexPart::kExpression
               ? 0
               : told_length(in, index, part, table.columns[part.column]),
           part.descending, at});
    draft.keys.push_back(std::move(key));
  }
  return draft;
}

Result<TableSchema> finish(const Cursor& in, Draft draft) {
  TableSchema table;
  TableDetail& detail = table.detail.emplace();
  detail.charset = std::move(draft.charset);
  detail.system_versioned = draft.system_versioned;
  table.columns = std::move(draft.columns);
  SLUICE_TRY(set_periods(in, draft, table));
  SLUICE_TRY(resolve_keys(in, draft, table));
  if (draft.system_versioned) SLUICE_TRY(add_versioning(table));
  return table;
}

Result<TableSchema> resolve(const Cursor& in, const TableDefinition& definition,
                            std::string_view database_charset) {
  Draft draft;
  SLUICE_TRY_ASSIGN(draft.charset, resolve_charset(in, definition.charset, definition.collation,
                                                   database_charset, in.offset()));
  SLUICE_TRY(check_names(in, definition));
  draft.columns.reserve(definition.columns.size());
  for (const ColumnDefinition& c : definition.columns) {
    SLUICE_TRY_ASSIGN(ColumnSchema column, resolve_column(in, c, draft.charset));
    draft.columns.push_back(std::move(column));
  }
  draft.keys = definition.keys;
  draft.periods = definition.periods;
  draft.system_versioned = definition.system_versioned;
  draft.sorts_keys = !in.context().describes;
  SLUICE_TRY_ASSIGN(TableSchema table, finish(in, std::move(draft)));
  table.database = definition.database.empty() ? in.context().database : definition.database;
  table.name = definition.name;
  return table;
}

}  // namespace sluice::schema::ddl

namespace sluice::schema {

bool is_written_by_server(std::string_view statement) {
  // What MariaDB's DROP DATABASE has done when it failed.  A user's has a comment at its end.
  if (statement.starts_with("DROP TABLE IF EXISTS `"))
    return statement.ends_with('`') && is_utf8(statement);
  const bool creates =
      statement.starts_with("CREATE TABLE ") || statement.starts_with("CREATE OR REPLACE TABLE ");
  // Laid out as SHOW CREATE TABLE does; a user's own text in such a layout is not UTF-8 by chance.
  return creates && statement.substr(0, statement.find('(')).find('\n') == std::string_view::npos &&
         statement.substr(std::min(statement.find('('), statement.size())).starts_with("(\n  ") &&
         is_utf8(statement);
}

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
