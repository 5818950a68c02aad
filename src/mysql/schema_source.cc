// Tables as information_schema describes them now.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/mysql/preflight.h"

#include "mysql/client.h"
#include "mysql/show_create.h"
#include "mysql/table_definitions.h"

namespace sluice::mysql {
namespace {

std::string text_of(const std::optional<std::string>& cell) {
  return cell.value_or("");
}
bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

class TableReader {
 public:
  TableReader(Connection& connection, std::string_view database, std::string_view table)
      : connection_(connection) {
    out_.database = database;
    out_.name = table;
  }

  Result<TableSchema> read() {
    // First: it tells a table that is gone from one we may not see.
    SLUICE_TRY_ASSIGN(const std::string create, show_create());
    SLUICE_TRY(read_columns());
    if (out_.columns.empty()) return missing();
    SLUICE_TRY(read_keys(unique_keys_in_order(create)));
    SLUICE_TRY(add_hidden_versioning());
    return std::move(out_);
  }

 private:
  std::string where() {
    return " WHERE TABLE_SCHEMA = " + connection_.quote(out_.database) +
           " AND TABLE_NAME = " + connection_.quote(out_.name);
  }
  std::string full_name() const { return out_.database + "." + out_.name; }
  Error missing() const {
    return fatal(Errc::schema_missing, connection_.impl().peer.endpoint + ": table " + full_name() +
                                           " is not there (any more)");
  }

  Result<std::string> show_create() {
    auto rows = connection_.query("SHOW CREATE TABLE " + quote_name(out_.database) + "." +
                                  quote_name(out_.name));
    if (!rows) {
      if (rows.error().code == Errc::schema_missing) return missing();
      return std::move(rows).error().at("SHOW CREATE TABLE " + full_name());
    }
    if (rows->empty() || rows->front().size() < 2) return missing();
    return text_of(rows->front()[1]);
  }

  // Names compare by the server's collation there, which may find tables that differ in case: the
  // exact one is ours.
  Result<ResultRows> rows_of_table(std::string_view what, std::string_view from,
                                   std::string_view behind) {
    SLUICE_TRY_ASSIGN(ResultRows rows,
                      connection_.query("SELECT TABLE_SCHEMA, TABLE_NAME, " + std::string(what) +
                                        " FROM information_schema." + std::string(from) + where() +
                                        std::string(behind)));
    const auto other = [this](const ResultRow& row) {
      return row[0] != out_.database || row[1] != out_.name;
    };
    if (!std::all_of(rows.begin(), rows.end(), other)) std::erase_if(rows, other);
    return rows;
  }

  Status read_columns() {
    SLUICE_TRY_ASSIGN(
        const ResultRows rows,
        rows_of_table("COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, EXTRA", "COLUMNS",
                      " ORDER BY ORDINAL_POSITION"));
    for (const ResultRow& row : rows) {
      ColumnSchema column;
      column.name = text_of(row[2]);
      if (auto type = schema::parse_column_type(text_of(row[3]), column); !type)
        return std::move(type).error().at(full_name() + " column `" + column.name + "`");
      column.nullable = row[4] == "YES";
      column.charset = text_of(row[5]);
      const std::string extra = text_of(row[6]);
      // Not DEFAULT_GENERATED, which is an expression as a default value.
      column.generated = contains(extra, "VIRTUAL GENERATED") ||
                         contains(extra, "STORED GENERATED") || contains(extra, "PERSISTENT");
      column.is_virtual = contains(extra, "VIRTUAL GENERATED");
      column.invisible = contains(extra, "INVISIBLE");
      out_.columns.push_back(std::move(column));
    }
    return {};
  }

  Status read_keys(const std::vector<std::string>& order) {
    SLUICE_TRY_ASSIGN(const ResultRows rows,
                      rows_of_table("INDEX_NAME, COLUMN_NAME, SUB_PART", "STATISTICS",
                                    " AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX"));
    std::map<std::string, UniqueKey> keys;
    std::map<std::string, bool> functional;
    for (const ResultRow& row : rows) {
      const std::string name = text_of(row[2]);
      UniqueKey& key = keys.try_emplace(name, UniqueKey{name, {}, false, false}).first->second;
      const int at = row[3] ? out_.find(*row[3]) : -1;
      if (at < 0) {  // an expression: its value is in no column
        functional[name] = true;
        continue;
      }
      const ColumnSchema& column = out_.columns[static_cast<std::size_t>(at)];
      key.columns.push_back(static_cast<std::uint16_t>(at));
      key.nullable = key.nullable || column.nullable;
      key.prefix = key.prefix || row[4].has_value();
    }
    for (const auto& [name, is] : functional) keys.erase(name);
    // A name may be PRIMARY for the primary key only.
    if (auto primary = keys.extract("PRIMARY"))
      out_.primary_key = std::move(primary.mapped().columns);
    for (const std::string& name : order)
      if (auto key = keys.extract(name)) out_.unique_keys.push_back(std::move(key.mapped()));
    for (auto& [name, key] : keys) out_.unique_keys.push_back(std::move(key));
    return {};
  }

  // MariaDB's WITH SYSTEM VERSIONING without columns for it has two that nothing but the binlog
  // shows.  The second is part of every unique key: rows of the past are in the table, too.
  Status add_hidden_versioning() {
    if (connection_.server().flavor != Flavor::mariadb) return {};
    SLUICE_TRY_ASSIGN(const ResultRows rows, rows_of_table("TABLE_TYPE", "TABLES", ""));
    if (rows.empty() || rows.front()[2] != "SYSTEM VERSIONED") return {};
    SLUICE_TRY_ASSIGN(const ResultRows named,
                      rows_of_table("COLUMN_NAME", "COLUMNS",
                                    " AND EXTRA LIKE '%STORED GENERATED%' AND "
                                    "GENERATION_EXPRESSION IN ('ROW START', 'ROW END')"));
    if (!named.empty()) return {};
    for (const char* name : {"row_start", "row_end"}) {
      ColumnSchema column;
      SLUICE_TRY(schema::parse_column_type("timestamp(6)", column));
      column.name = name;
      column.nullable = false;
      column.generated = column.invisible = true;
      out_.columns.push_back(std::move(column));
    }
    const auto row_end = static_cast<std::uint16_t>(out_.columns.size() - 1);
    if (!out_.primary_key.empty()) out_.primary_key.push_back(row_end);
    for (UniqueKey& key : out_.unique_keys) key.columns.push_back(row_end);
    return {};
  }

  Connection& connection_;
  TableSchema out_;
};

}  // namespace

Result<TableSchema> read_from_information_schema(Connection& connection, std::string_view database,
                                                 std::string_view table) {
  return TableReader(connection, database, table).read();
}

Result<TableSchema> MysqlSchemaSource::read_table(std::string_view database,
                                                  std::string_view table) {
  if (connection_ && connection_->endpoint() != hosts_->current()) connection_.reset();
  const bool was_open = connection_.has_value();
  for (bool again = was_open;; again = false) {
    if (!connection_) {
      SLUICE_TRY_ASSIGN(connection_, Connection::open(hosts_->options(), hosts_->current()));
    }
    auto read = read_from_information_schema(*connection_, database, table);
    if (read.ok() || read.error().code != Errc::mysql_lost) return read;
    connection_.reset();  // it may have timed out since the last table
    if (!again) return read;
  }
}

}  // namespace sluice::mysql
