#pragma once
#include <cstring>
#include <span>

#include "sluice/binlog/rows.h"

namespace sluice::event {

// Equal by state and bytes.
inline bool same_cell(const binlog::Cell& a, const binlog::Cell& b) noexcept {
  return a.state == b.state && a.bytes.size() == b.bytes.size() &&
         (a.bytes.empty() || std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0);
}

// Column `i` of an after image; what that image leaves out has not changed, so it is taken from the
// before image if it is there.
inline binlog::Cell cell_of(std::span<const binlog::Cell> cells,
                            std::span<const binlog::Cell> before, std::size_t i) noexcept {
  if (i < cells.size() && cells[i].state != binlog::CellState::absent) return cells[i];
  return i < before.size() ? before[i] : binlog::Cell{};
}

// Whether an update changes this column: what the after image leaves out, or has no diffs of, stays
// as it is.
inline bool changes(const binlog::Cell& before, const binlog::Cell& after) noexcept {
  switch (after.state) {
    case binlog::CellState::absent: return false;
    case binlog::CellState::json_diff: return !after.bytes.empty();
    case binlog::CellState::value:
    case binlog::CellState::null: break;
  }
  return !same_cell(before, after);
}

}  // namespace sluice::event
