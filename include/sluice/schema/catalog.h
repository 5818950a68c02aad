#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/binlog/table_map.h"
#include "sluice/model/table_schema.h"
#include "sluice/schema/ddl_statement.h"
#include "sluice/schema/definitions.h"
#include "sluice/schema/history.h"
#include "sluice/schema/place.h"

namespace sluice::schema {

// Reads tables from the source.  Belongs to one thread.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  // As it is now.  Errors: fatal/schema_missing when there is no such table (any more),
  // retry/mysql_lost, fatal/mysql_query.
  virtual Result<TableSchema> read_table(std::string_view database, std::string_view table) = 0;
  // As it was at a place of the binlog, which is as it is now when no statement has changed it
  // since.  Errors: those above; fatal/schema_unknown when one has, with its place.
  virtual Result<TableSchema> read_table_at(std::string_view database, std::string_view table,
                                            const Place& /*place*/) {
    return read_table(database, table);
  }
};

// Fits a table's schema to a TABLE_MAP.  The result has exactly the map's columns, in its order.
// With FULL metadata names, signs, character sets and labels are the map's; the declared type is
// that of the schema's column of this name where the binlog agrees with it, else it is worked out
// from the map, where that is safe.  Without it columns are taken by place, and each must agree.
// Keys are the schema's, but MySQL's FULL metadata has the primary key of that moment. Errors:
// fatal/schema_mismatch with table, column, both sides and the remedy.
Result<TableSchema> fit(const binlog::TableMap& map, const TableSchema& schema, Flavor flavor);

// What the tables are like at the place the stream has reached: what was known where it began, and
// what statements have made of it since.  A table that is not known, or is other than the binlog
// says, is read from the source when nothing has changed it since; else FULL metadata may be enough
// by itself.  Never guesses, unless it is told to.  Belongs to one thread, which follows the
// stream.
class Catalog {
 public:
  struct Settings {
    // Take a table as it is now when nothing tells what it was.
    bool assume_current = false;
    // Tables of other databases are followed only once they were renamed from one of these; empty:
    // all databases.
    std::function<bool(std::string_view database)> wanted;
  };
  explicit Catalog(SchemaSource& source) : source_(&source) {}
  Catalog(SchemaSource& source, Settings settings)
      : settings_(std::move(settings)), source_(&source) {}

  // Begins at a place the history covers; what comes to be known from there on is added to it.
  // Without this, nothing is known at the beginning and nothing is kept.  `history` must outlive
  // this.  Errors: the history's; fatal/internal when it does not cover the place.
  Status follow(History& history, const Place& place);

  // Another server goes on where the stream is, at this place of its binlog: the same tables are
  // there, which is in the history when this returns.  Errors: the history's.
  Status enter(const Place& place);

  // The schema that fits this map at this place.  Errors: fatal/schema_unknown and schema_mismatch
  // with the remedy; fatal/schema_key_changed when other columns identify a row of this table than
  // when it was first seen, and no statement has said so (TableEffect::other_key);
  // retry/mysql_lost; the history's.
  Result<TableSchema> resolve(const binlog::TableMap& map, Flavor flavor, const Place& place);

  // A statement that the stream has reached; one that was seen already does nothing.  What it did
  // is in the history when this returns.  Errors: the history's.
  Result<std::vector<TableEffect>> apply(DdlStatement statement);

  const Definitions& tables() const noexcept { return tables_; }

 private:
  using Fitted = std::optional<TableSchema>;
  Result<Fitted> from_source(const binlog::TableMap& map, Flavor flavor, const Place& place,
                             std::vector<std::string>& why);
  Fitted from_map(const binlog::TableMap& map, Flavor flavor);
  Result<Fitted> assumed(const binlog::TableMap& map, Flavor flavor, std::vector<std::string>& why);
  Result<TableSchema> checked(const binlog::TableMap& map, TableSchema fitted);
  Fitted fitting(const binlog::TableMap& map, const TableSchema& table, Flavor flavor,
                 std::vector<std::string>& why);
  bool concerns_us(const DdlStatement& statement) const;
  void take_over(const Place& place, bool inclusive);
  void forget_keys(const std::vector<TableEffect>& effects);
  // Says of a table once what the operator should know.
  bool first_time(const binlog::TableMap& map, std::string_view what);
  void say_notes(const binlog::TableMap& map, const std::vector<std::string>& notes);

  Settings settings_;
  SchemaSource* source_;
  History* history_ = nullptr;
  Definitions tables_;
  Place seen_{0, {}};                  // statements up to here were applied
  std::vector<History::Later> later_;  // what is known of places to come, the next one last
  std::unordered_map<std::string, TableSchema> assumed_;  // as they are now, since the last DDL
  // By database NUL table:
  std::unordered_map<std::string, std::vector<std::string>> row_keys_;  // names first seen
  std::unordered_map<std::string, std::string> differing_;  // columns last said to differ
  std::unordered_set<std::string> said_;
};

// Reads column type text as information_schema and SHOW CREATE TABLE write it ("bigint(20)
// unsigned") into `column` (type, is_unsigned, length, precision, scale, labels, compressed;
// mysql_type is the text without comments and character set, which goes to charset).  Errors:
// fatal/schema_mismatch for a type we do not know.
Status parse_column_type(std::string_view text, ColumnSchema& column);

}  // namespace sluice::schema
