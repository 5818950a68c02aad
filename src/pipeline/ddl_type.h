#pragma once
#include <cstdint>
#include <string_view>

#include "sluice/binlog/control_events.h"

namespace sluice::pipeline {

// What a FlatMessage calls a statement of this kind: CREATE, ALTER, ERASE, TRUNCATE, RENAME, CINDEX
// and DINDEX (CREATE and DROP INDEX); "" for those that are no DDL of tables or databases.  Static
// storage.
std::string_view ddl_type(binlog::StatementKind kind, std::string_view statement,
                          std::uint64_t sql_mode);

}  // namespace sluice::pipeline
