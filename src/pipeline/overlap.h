#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/event/rows_encoder.h"
#include "sluice/position/state_file.h"

namespace sluice::pipeline {

// After a change of the source: the new one begins behind the transactions that were read whole,
// and some of what it brings was sent before.  Per partition all rows are dropped up to and
// including the row of a mark.  The rows of a transaction have the same order in the binlog of each
// server, so counting them within their partition tells which they are.  A value.  Belongs to one
// thread.
class Overlap final : public event::RowGate {
 public:
  using Marks = std::vector<std::optional<position::OverlapMark>>;

  Overlap() = default;
  // By partition; nullopt: nothing of it was sent.
  explicit Overlap(Marks marks);

  // False: nothing is to be dropped any more.
  bool active() const noexcept { return open_ != 0; }
  // By partition, what is still to be met.
  const Marks& marks() const noexcept { return marks_; }
  // A transaction begins.
  void begin(std::string_view gtid);
  // Whether the partition's next row is to be dropped.
  bool drops(std::uint32_t partition) override;
  // The transaction is whole.  Errors: fatal/mysql_identity when it had fewer rows than were sent.
  Status end(std::string_view gtid);

  // What is still to be dropped in the transaction at hand, for savepoints.
  const std::vector<std::uint64_t>& left() const noexcept { return left_; }
  void restore(std::vector<std::uint64_t> left) { left_ = std::move(left); }

 private:
  Marks marks_;
  std::vector<std::uint64_t> left_;  // by partition; kAll: the mark's transaction has not come yet
  std::size_t open_ = 0;             // marks that have not been met
};

}  // namespace sluice::pipeline
