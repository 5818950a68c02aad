#pragma once
#include <cstdint>

#include "sluice/binlog/event.h"

namespace sluice::binlog {

// A number made of the rows of a transaction, the same in the binlog of each server that has it:
// without the table ids, which each server gives by itself.  By a row of them a place in another
// server's binlog is found where there are no GTIDs.  A value.
class TransactionPrint {
 public:
  // A transaction begins.
  void clear() noexcept { value_ = 0; }
  // One ROWS event of it (is_rows_event), unpacked.
  void add(const EventView& event, const FormatDescription& format) noexcept;
  // 0: no rows.
  std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace sluice::binlog
