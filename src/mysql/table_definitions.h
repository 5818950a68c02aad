#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"
#include "sluice/mysql/connection.h"

namespace sluice::mysql {

// A table by information_schema, for what SHOW CREATE TABLE says in a way we cannot read.  Errors:
// fatal/schema_missing, the connection's.
Result<TableSchema> read_from_information_schema(Connection& connection, std::string_view database,
                                                 std::string_view table);

using TableName = std::pair<std::string, std::string>;  // database, table

// All tables that this account sees and `wanted` wants.  Views are none.
Result<std::vector<TableName>> list_tables(Connection& connection,
                                           const std::vector<std::string>& databases);
// Databases and their character sets; without those of the system.
Result<std::map<std::string, std::string>> list_databases(Connection& connection);

// Tables as they are now, each with what SHOW CREATE TABLE says, which waits for a statement that
// is changing it; in few round trips.  Each has an answer of its own: fatal/schema_missing,
// fatal/mysql_denied.  Errors of the whole: retry/mysql_lost.
Result<std::vector<Result<TableSchema>>> read_definitions(Connection& connection,
                                                          const std::vector<TableName>& tables);

}  // namespace sluice::mysql
