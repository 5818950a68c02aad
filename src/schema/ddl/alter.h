#pragma once
// What ALTER TABLE makes of a table.
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"

#include "schema/ddl/alteration.h"
#include "schema/ddl/cursor.h"

namespace sluice::schema::ddl {

// The table behind the statement, with the name it had before.  `default_charset`: what CHARACTER
// SET DEFAULT means; "" when it is not known.  Errors: fatal/schema_statement where the table there
// is does not fit the statement, or is not told well enough.
Result<TableSchema> alter(const Cursor& in, const AlterTable& change, const TableSchema& before,
                          std::string_view default_charset);

// What MySQL makes of a column that is declared text or blob, without a length, and converted in
// one statement: one with room for what it held before.  `before`: what it was.
Result<ColumnSchema> fit_text(const Cursor& in, const ColumnSchema& before, ColumnSchema column);

// A column of a table that is converted to this character set: TEXT grows where its characters
// might not fit any more.
Result<ColumnSchema> convert_column(const Cursor& in, const ColumnSchema& column,
                                    std::string_view charset);

}  // namespace sluice::schema::ddl
