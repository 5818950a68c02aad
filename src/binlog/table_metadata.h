#pragma once
#include "sluice/binlog/table_map.h"

namespace sluice::binlog {

// Reads TABLE_MAP's optional metadata (the rest of `in`) into `map`, whose columns have their
// types.  Fields of a kind we do not know are passed over.  Errors: fatal/binlog_truncated,
// binlog_malformed.
Status read_optional_metadata(ByteReader& in, Flavor flavor, TableMap& map);

}  // namespace sluice::binlog
