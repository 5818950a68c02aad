#pragma once
// The grammar of CREATE TABLE.
#include <string>
#include <utility>

#include "sluice/base/result.h"

#include "schema/ddl/cursor.h"
#include "schema/ddl/definition.h"

namespace sluice::schema::ddl {

// [database .] table
Result<std::pair<std::string, std::string>> read_table_name(Cursor& in);

// A column's type, without what may follow it.
Status read_type(Cursor& in, TypeDefinition& type);

// The rest of a column: type and attributes; keys said beside it go to `table`.  `in` is behind its
// name.
Status read_column(Cursor& in, ColumnDefinition column, TableDefinition& table);

// PRIMARY KEY ..., UNIQUE ..., KEY ..., FOREIGN KEY ..., CHECK ..., PERIOD FOR ... in the list of
// columns.  False when none of them begins here.
Result<bool> read_table_item(Cursor& in, TableDefinition& table);
// (a, b(10) DESC, (expression))
Status read_key_parts(Cursor& in, KeyDefinition& key);
// REFERENCES t (a) ON DELETE CASCADE
Status read_references(Cursor& in);

// CHARACTER SET x, CHARSET x and COLLATE x, with "=" or without.  False when none of them begins
// here.  DEFAULT gives "".
Result<bool> read_charset(Cursor& in, std::string& charset, std::string& collation);

// The whole statement from CREATE to its end.  `subject`, where it is given: the table's database
// ("": not said) and name, as soon as they are read.
Result<TableDefinition> read_table(Cursor& in,
                                   std::pair<std::string, std::string>* subject = nullptr);

// What follows the name in CREATE and ALTER DATABASE.
Status read_database_options(Cursor& in, std::string& charset, std::string& collation);

}  // namespace sluice::schema::ddl
