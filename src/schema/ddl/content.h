#pragma once
// What ALTER TABLE does to the values of rows that are there: the binlog has no ROWS events of it.
#include <string>
#include <vector>

#include "sluice/model/table_schema.h"
#include "sluice/schema/definitions.h"

#include "schema/ddl/alteration.h"
#include "schema/ddl/cursor.h"

namespace sluice::schema::ddl {

// Columns whose text is other than before, or may be, in the order of the table before, then new
// ones that are not NULL.  In strict mode a statement that would change a value ends in an error
// where the server says so, so those that were done have not.
std::vector<ContentChange> content_changes(const Cursor& in, const AlterTable& change,
                                           const TableSchema& before, const TableSchema& after);

// True when rows are identified by other columns than before, or by other text of them.
bool identifies_otherwise(const TableSchema& before, const TableSchema& after,
                          const std::vector<ContentChange>& content);

}  // namespace sluice::schema::ddl
