#pragma once
#include "sluice/binlog/table_map.h"
#include "sluice/model/flavor.h"
#include "sluice/model/table_schema.h"

namespace sluice::schema {

// What a TABLE_MAP alone tells of its table, for reading a binlog without its server.  Columns
// without a name are "@1", "@2" ...  A column whose type the map does not tell enough of to read a
// value right (integers without their sign, text or bytes without a character set, BINARY(4) and
// BINARY(16) of MariaDB, which may be INET4, INET6 or UUID, times of MariaDB without their digits,
// ENUM and SET without labels) has DeclaredType::unknown, and mysql_type is the binlog's own name
// of the type in small letters: "long", "string".  The primary key is the one the map has; both
// servers log a unique key there in a table that has no primary key.  There are no unique keys.
TableSchema schema_from_map(const binlog::TableMap& map, Flavor flavor);

}  // namespace sluice::schema
