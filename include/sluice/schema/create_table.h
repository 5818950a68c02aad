#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/model/flavor.h"
#include "sluice/model/table_schema.h"

namespace sluice::schema {

// What the meaning of a DDL statement hangs on beside its text.
struct DdlContext {
  Flavor flavor = Flavor::mysql;
  // Of the server that runs it: 80034, 101106.  0: the latest there is.  It decides which versioned
  // comments count and how types are printed.
  std::uint32_t version = 0;
  std::uint64_t sql_mode = 0;       // bits of binlog::sql_mode; others are of no effect
  std::string database;             // of names without one
  std::string charset = "utf8mb4";  // of that database; "": not known
  std::string server_charset;       // of databases created without one; "": not known
  // The server reports an error: it did not succeed, or only in part (QUERY's error code is not 0).
  bool failed = false;
  // Decides whether TIMESTAMP is nullable.  Nullopt: the default of the version.
  std::optional<bool> explicit_defaults_for_timestamp;
  // The statement is what SHOW CREATE TABLE says of a table that is there: its keys are in the
  // order they stand in.
  bool describes = false;
};

// True for what the servers write into the binlog themselves instead of a statement (for CREATE
// TABLE ... SELECT and LIKE a temporary table, with MySQL's generated primary key, and for what
// MariaDB's DROP DATABASE did before it failed): it is UTF-8, whatever character set the QUERY
// event says the client had.
bool is_written_by_server(std::string_view statement);

// Reads CREATE TABLE with a column list, as MySQL 5.5 to 9.x and MariaDB 10.0 to 11.x take it or
// SHOW CREATE TABLE prints it.  `statement` is UTF-8; a ';' may end it.  mysql_type is what SHOW
// CREATE TABLE prints on a server of this version, unnamed keys have the names the server gives
// them, and unique keys are in its order (one exception: the server sorts a unique key whose column
// only a later PRIMARY KEY clause makes NOT NULL among the nullable ones, and its own text does not
// show that any more).  The columns that MariaDB's WITH SYSTEM VERSIONING adds are there, as the
// binlog has them.
// What can only be told by a server (LIKE, SELECT, a generated invisible primary key) is an error
// or, for the last, not there.  Errors: fatal/schema_statement with "line:column" of the statement
// and what stands there.
Result<TableSchema> read_create_table(std::string_view statement, const DdlContext& context);

}  // namespace sluice::schema
