#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "sluice/base/result.h"
#include "sluice/binlog/table_map.h"
#include "sluice/model/table_schema.h"

namespace sluice::schema {

// Reads a table as it is now on the source.  Belongs to one thread.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  // Errors: fatal/schema_missing when there is no such table (any more), retry/mysql_lost, fatal/mysql_query.
  virtual Result<TableSchema> read_table(std::string_view database, std::string_view table) = 0;
};

// Fits a table's schema to a TABLE_MAP: checks column count and types; names, signs, character sets and labels come from FULL
// metadata where the map has them, keys and exact types always from the schema.  The result has exactly the map's columns.
// Errors: fatal/schema_mismatch with table, column, both sides and the remedy.
Result<TableSchema> fit(const binlog::TableMap& map, const TableSchema& schema, Flavor flavor);

// Schemas by table, dropped at any DDL.  Belongs to one thread.
class Catalog {
 public:
  explicit Catalog(SchemaSource& source) : source_(&source) {}
  // The schema that fits this map, read from the source when it is not known.  Errors: those of read_table and fit;
  // fatal/schema_key_changed when a DDL changed the columns that identify a row of this table since it was first seen.
  Result<TableSchema> resolve(const binlog::TableMap& map, Flavor flavor);
  // After a DDL: everything is read anew when it is next needed.
  void forget();

 private:
  SchemaSource* source_;
  std::unordered_map<std::string, TableSchema> tables_;                   // by database NUL table
  std::unordered_map<std::string, std::vector<std::string>> row_keys_;  // names of the row key first seen
  std::unordered_set<std::string> warned_;                                // no FULL metadata: said once per table
};

// Reads column type text as information_schema and SHOW CREATE TABLE write it ("bigint(20) unsigned") into `column`
// (type, is_unsigned, length, precision, scale, labels).  Errors: fatal/schema_mismatch for a type we do not know.
Status parse_column_type(std::string_view text, ColumnSchema& column);

}  // namespace sluice::schema
