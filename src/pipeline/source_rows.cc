#include "pipeline/source_rows.h"

#include "sluice/mysql/preflight.h"

#include "pipeline/schema_start.h"
#include "pipeline/start.h"

namespace sluice::pipeline {
namespace {

// Beyond those of the tables that lines show.
constexpr std::uint64_t kFirstShownId = std::uint64_t{1} << 63U;

// "+02:30"
std::string zone_of(const Options& options) {
  return options.rendering.time_zone().to_string();
}

}  // namespace

SourceRows::SourceRows(const Options& options, mysql::Connection connection, NameCase names)
    : connection_(std::move(connection)), filter_(options, names), hosts_(options.source) {
  hosts_.follow(connection_.endpoint());
  schemas_.emplace(schema_settings(hosts_, replica_identity(options), filter_, std::stop_token()));
}

Result<std::unique_ptr<SourceRows>> SourceRows::open(const Options& options,
                                                     const position::State& saved) {
  std::optional<Error> why;
  for (const mysql::Endpoint& endpoint : mysql::endpoints_of(options.source)) {
    auto connection = mysql::Connection::open(options.source, endpoint);
    if (!connection) {
      why = std::move(connection).error();
      continue;
    }
    SLUICE_TRY_ASSIGN(const auto identity, mysql::read_source_identity(*connection));
    if (Status s = same_source(saved.source, source_state(identity)); !s.ok()) {
      why = std::move(s).error();
      continue;
    }
    SLUICE_TRY_ASSIGN(const std::uint8_t lower_case,
                      mysql::read_lower_case_table_names(*connection));
    SLUICE_TRY(connection->query("SET SESSION time_zone = " + connection->quote(zone_of(options)) +
                                 ", innodb_lock_wait_timeout = 5"));
    return std::unique_ptr<SourceRows>(
        new SourceRows(options, std::move(connection).value(),
                       lower_case == 0 ? NameCase::differs : NameCase::is_the_same));
  }
  return std::move(*why);
}

Status SourceRows::find_tables() {
  SLUICE_TRY_ASSIGN(const auto rows,
                    connection_.query("SELECT table_schema, table_name FROM "
                                      "information_schema.tables WHERE table_type <> 'VIEW'"));
  tables_.emplace();
  for (const mysql::ResultRow& row : rows) {
    const std::string database = row[0].value_or(""), table = row[1].value_or("");
    if (!filter_.takes(database, table)) continue;
    const event::TableRules rules = filter_.rules(database, table);
    tables_->emplace(TableName(rules.database.empty() ? database : rules.database,
                               rules.table.empty() ? table : rules.table),
                     TableName(database, table));
  }
  return {};
}

Result<const SourceRows::Query*> SourceRows::query_of(const TableName& table, const RowName& row) {
  const auto known = queries_.find(table);
  if (known != queries_.end()) return &known->second;
  SLUICE_TRY_ASSIGN(TableSchema schema, schemas_->read_table(table.first, table.second));
  if (schema.row_key_names() != row.key_names)
    return fatal(Errc::usage, full_name(table.first, table.second) +
                                  ": its key has other columns now than when the letter was "
                                  "written: write the row again at the source, or load the table");
  SLUICE_TRY_ASSIGN(
      RowQuery query,
      RowQuery::make(std::move(schema), filter_.rules(table.first, table.second), row.columns));
  ChangeView::Shown shown = query.shown();
  shown.id = kFirstShownId + queries_.size();
  return &queries_.emplace(table, Query{std::move(query), std::move(shown)}).first->second;
}

Result<std::optional<ShownRow>> SourceRows::read(const RowName& row, bool settled) {
  if (!tables_) SLUICE_TRY(find_tables());
  const auto [first, last] = tables_->equal_range({row.database, row.table});
  if (first == last)
    return fatal(Errc::usage, full_name(row.database, row.table) +
                                  ": the source has no table (any more) whose rows go by this "
                                  "name; `sluice dead drop` removes its letters");
  std::optional<ShownRow> found;
  for (auto it = first; it != last; ++it) {
    SLUICE_TRY_ASSIGN(const Query* query, query_of(it->second, row));
    SLUICE_TRY_ASSIGN(std::string sql, query->rows.select(row.key, [this](std::string_view text) {
      return connection_.quote(text);
    }));
    if (settled) sql += " LOCK IN SHARE MODE";
    SLUICE_TRY_ASSIGN(const auto rows, connection_.query(sql));
    SLUICE_TRY_ASSIGN(auto shown, query->rows.read(row.key, rows));
    if (!shown) continue;
    if (found)
      return fatal(Errc::usage, full_name(row.database, row.table) +
                                    ": more than one of the source's tables that go by this name "
                                    "have the row");
    found = std::move(shown);
    shown_ = &query->shown;
  }
  return found;
}

Result<BinlogPosition> SourceRows::binlog_end() {
  return mysql::binlog_end(connection_);
}

}  // namespace sluice::pipeline
