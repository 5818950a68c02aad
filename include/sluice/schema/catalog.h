#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/binlog/table_map.h"
#include "sluice/model/table_schema.h"

namespace sluice::schema {

// Reads a table as it is now on the source.  Belongs to one thread.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  // Errors: fatal/schema_missing when there is no such table (any more), retry/mysql_lost,
  // fatal/mysql_query.
  virtual Result<TableSchema> read_table(std::string_view database, std::string_view table) = 0;
};

// Fits a table's schema to a TABLE_MAP.  The result has exactly the map's columns, in its order.
// With FULL metadata names, signs, character sets and labels are the map's; the declared type is
// that of the schema's column of this name where the binlog agrees with it, else it is worked out
// from the map, where that is safe.  Without it columns are taken by place, and each must agree.
// Keys are the schema's, but MySQL's FULL metadata has the primary key of that moment. Errors:
// fatal/schema_mismatch with table, column, both sides and the remedy.
Result<TableSchema> fit(const binlog::TableMap& map, const TableSchema& schema, Flavor flavor);

// Schemas by table, dropped at any DDL.  Belongs to one thread.
class Catalog {
 public:
  explicit Catalog(SchemaSource& source) : source_(&source) {}
  // The schema that fits this map, read from the source when it is not known or does not fit any
  // more.  Warns once for a table without FULL metadata.  Errors: those of read_table and fit;
  // fatal/schema_key_changed when a DDL changed the columns that identify a row of this table since
  // it was first seen.
  Result<TableSchema> resolve(const binlog::TableMap& map, Flavor flavor);
  // After a DDL: everything is read anew when it is next needed.
  void forget();

 private:
  // Logs what the operator should know of this table, each thing once.
  void say(const std::string& id, const binlog::TableMap& map,
           const std::vector<std::string>& notes);

  SchemaSource* source_;
  std::unordered_map<std::string, TableSchema> tables_;  // by database NUL table
  std::unordered_map<std::string, std::vector<std::string>>
      row_keys_;                            // names of the row key first seen
  std::unordered_set<std::string> warned_;  // no FULL metadata: said once per table
  std::unordered_map<std::string, std::string>
      differing_;  // columns last said to differ from the schema
};

// Reads column type text as information_schema and SHOW CREATE TABLE write it ("bigint(20)
// unsigned") into `column` (type, is_unsigned, length, precision, scale, labels, compressed;
// mysql_type is the text without comments and character set, which goes to charset).  Errors:
// fatal/schema_mismatch for a type we do not know.
Status parse_column_type(std::string_view text, ColumnSchema& column);

}  // namespace sluice::schema
