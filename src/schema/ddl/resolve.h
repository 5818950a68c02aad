#pragma once
// From a table's definition to what the server makes of it.
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"

#include "schema/ddl/cursor.h"
#include "schema/ddl/definition.h"

namespace sluice::schema::ddl {

// Errors of all: fatal/schema_statement; `in` tells their place.

// The table as the server makes it in a database of this character set.  Not for LIKE.
Result<TableSchema> resolve(const Cursor& in, const TableDefinition& definition,
                            std::string_view database_charset);

// Of CREATE TABLE ... SELECT.
Error only_the_server_knows(const Cursor& in, std::size_t select_at);

// The character set that is meant: by its own name or by a collation's; `inherited` when neither is
// said.  `at`: where to point in an error.
Result<std::string> resolve_charset(const Cursor& in, std::string_view charset,
                                    std::string_view collation, std::string_view inherited,
                                    std::size_t at);

// Type, mysql_type, sizes, sign, character set and labels of a column; `inherited`: the table's
// character set.
Status resolve_type(const Cursor& in, const TypeDefinition& type, std::string_view inherited,
                    ColumnSchema& column);

// Primary and unique keys with the names and in the order the server gives them.  The columns are
// there; those of the primary key and of periods are made NOT NULL.
Status resolve_keys(const Cursor& in, const TableDefinition& definition, TableSchema& table);

}  // namespace sluice::schema::ddl
