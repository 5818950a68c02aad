#pragma once
// The grammar of CREATE TABLE.
#include <string>
#include <utility>

#include "sluice/base/result.h"

#include "schema/ddl/cursor.h"
#include "schema/ddl/definition.h"

namespace sluice::schema::ddl {

// IF [NOT] EXISTS; true when it is there.
bool eat_if_exists(Cursor& in);
// MariaDB's WAIT n and NOWAIT.
void skip_wait(Cursor& in);
// [database .] table
Result<std::pair<std::string, std::string>> read_table_name(Cursor& in);

// A column's type, without what may follow it.
Status read_type(Cursor& in, TypeDefinition& type);

// The rest of a column: type and attributes; keys said beside it go to `table`.  `in` is behind its
// name.
Status read_column(Cursor& in, ColumnDefinition column, TableDefinition& table);

// What may stand behind DEFAULT without parentheses: a literal, a function call, a name, CASE, with
// signs before it (MariaDB: sql/sql_yacc.yy column_default_non_parenthesized_expr).
Status skip_default(Cursor& in);
// Where a column or key ends: "," or ")", the statement's end, or what ALTER TABLE may have behind
// one without a comma.
bool at_clause_end(const Cursor& in);

// PRIMARY KEY ..., UNIQUE ..., KEY ..., FOREIGN KEY ..., CHECK ..., PERIOD FOR ... in the list of
// columns.  False when none of them begins here.
Result<bool> read_table_item(Cursor& in, TableDefinition& table);
// (a, b(10) DESC, (expression))
Status read_key_parts(Cursor& in, KeyDefinition& key);
// USING BTREE, where it stands.
Status skip_index_type(Cursor& in);
// What follows the columns of a key.
Status skip_key_options(Cursor& in);
// REFERENCES t (a) ON DELETE CASCADE
Status read_references(Cursor& in);

// CHARACTER SET x, CHARSET x and COLLATE x, with "=" or without.  False when none of them begins
// here.  DEFAULT gives kDefaultCharset, as a collation "".
Result<bool> read_charset(Cursor& in, std::string& charset, std::string& collation);

// The whole statement from CREATE to its end.  `subject`, where it is given: the table's database
// ("": not said) and name, as soon as they are read.
Result<TableDefinition> read_table(Cursor& in,
                                   std::pair<std::string, std::string>* subject = nullptr);

// One option of a table, ENGINE=InnoDB; PARTITION BY takes all that is left.
Status read_table_option(Cursor& in, TableDefinition& table);

// What follows the name in CREATE and ALTER DATABASE.
Status read_database_options(Cursor& in, std::string& charset, std::string& collation);

}  // namespace sluice::schema::ddl
