#pragma once
#include <cstdint>
#include <vector>

#include "sluice/model/table_schema.h"

#include "fuzz/require.h"

namespace sluice::fuzz {

// What is read of a table holds together, whatever text it was.
inline void require_whole(const TableSchema& table) {
  const auto inside = [&table](const std::vector<std::uint16_t>& key) {
    for (const std::uint16_t c : key) require(c < table.columns.size());
  };
  inside(table.primary_key);
  for (const UniqueKey& key : table.unique_keys) inside(key.columns);
  for (const ColumnSchema& column : table.columns)
    require(column.type != DeclaredType::unknown && !column.name.empty());
}

}  // namespace sluice::fuzz
