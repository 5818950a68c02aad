#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/result.h"
#include "sluice/schema/catalog.h"
#include "sluice/schema/create_table.h"

namespace sluice::schema {

// Tables read from SQL text: a schema file, what mysqldump --no-data and mariadb-dump --no-data
// write, or statements of SHOW CREATE TABLE with ';' between them.  It does what such a script does
// to the tables, as Definitions does: CREATE TABLE (with LIKE a table before it), ALTER TABLE,
// CREATE and DROP INDEX, DROP TABLE, RENAME TABLE, CREATE and DROP SEQUENCE, CREATE, ALTER and DROP
// DATABASE; and USE, and SET of sql_mode, of the client's character set and of
// explicit_defaults_for_timestamp; DELIMITER is followed.  Temporary tables and whatever does not
// touch the columns and keys of tables are passed over, and so are changes of tables that the text
// does not create.  What cannot be read, or does not fit the table there is, is an error.
// A value, but for what SchemaSource asks.  Belongs to one thread.
class SchemaFile final : public SchemaSource {
 public:
  // `context`: how a session begins that runs the text: with which database, sql_mode and so on.
  // Errors: fatal/schema_statement with "line:column" of the text and what stands there.
  static Result<SchemaFile> parse(std::string_view text, const DdlContext& context);
  // The whole file is held in memory while it is read.  Errors: fatal/io, and those of parse(),
  // both with the path.
  static Result<SchemaFile> open(const std::filesystem::path& path, const DdlContext& context);

  // A table that was created without a database is found in every database that has none of this
  // name.  Errors: fatal/schema_missing.
  Result<TableSchema> read_table(std::string_view database, std::string_view table) override;
  std::size_t size() const noexcept { return tables_.size(); }

 private:
  using Tables = std::map<std::pair<std::string, std::string>, TableSchema>;
  explicit SchemaFile(Tables tables) : tables_(std::move(tables)) {}
  Tables tables_;  // by database and table
};

}  // namespace sluice::schema
