#pragma once
// An outbox, and transactions for it.
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/outbox.h"
#include "unit/pipeline/plans.h"

namespace sluice::pipeline::testing {

inline constexpr std::uint32_t kPartitions = 4;

inline std::shared_ptr<const SourceFile> file_named(std::uint64_t number) {
  return std::make_shared<SourceFile>(
      SourceFile{"binlog." + std::to_string(1000000 + number).substr(1), number, 7, 9});
}

// One transaction at a time: rows into partitions, lines of one row each.
class Batches {
 public:
  Batches() { batch_.partitions.resize(kPartitions); }

  TransactionBatch& begin(std::uint64_t pos) {
    batch_.clear();
    batch_.id = {1, 1, pos};
    batch_.gtid = "0-1-" + std::to_string(pos);
    batch_.commit_us = static_cast<std::int64_t>(pos) * 1000;
    batch_.file = file_;
    batch_.pos = pos + 10;
    batch_.plans = {plan_};
    next_event_ = 0;
    return batch_;
  }
  EventId row(std::uint32_t partition) {
    const std::array<std::byte, 4> value{std::byte{5}};
    const std::array<binlog::Cell, 1> cells{binlog::Cell{value, binlog::CellState::value}};
    event::LineContext context;
    context.seq = {1, 1, batch_.id.pos, next_event_++, 0};
    context.gtid = batch_.gtid;
    encoder_.begin(*plan_, ChangeKind::insert, 0, context);
    EXPECT_TRUE(encoder_.add(0, cells, {}).ok());
    PartitionLines& lines = batch_.partitions[partition];
    if (lines.lines.empty()) batch_.touched.push_back(partition);
    lines.lines.push_back(encoder_.finish(lines.text));
    ++batch_.rows;
    return lines.lines.back().last;
  }
  // A row that becomes a dead letter, behind those its partition has so far.
  void letter(std::uint32_t partition) {
    queue::Letter letter;
    letter.id = {1, 1, batch_.id.pos, next_event_++, 0, 0};
    letter.partition = partition;
    letter.body = "a letter\n";
    batch_.letters.push_back({partition, batch_.partitions[partition].lines.size(), letter});
  }
  const std::shared_ptr<const SourceFile>& file() const { return file_; }
  // Of the rows to come.
  void use(std::shared_ptr<const event::TablePlan> plan) { plan_ = std::move(plan); }

 private:
  std::shared_ptr<const SourceFile> file_ = file_named(1);
  std::shared_ptr<const event::TablePlan> plan_ = simple_plan("db", "t");
  event::LineEncoder encoder_;
  TransactionBatch batch_;
  std::uint64_t next_event_ = 0;
};

class OutboxTest : public ::testing::Test {
 protected:
  Outbox make(std::size_t limit = 48u << 20, std::size_t message = 1u << 20) {
    RestartPoint start{batches_.file(), 4, "", std::vector<EventId>(kPartitions)};
    return Outbox({kPartitions, message, limit}, start, GtidSet(Flavor::mariadb), wakeup_);
  }
  TransactionEnd end(std::uint64_t pos) {
    return {batches_.file(), pos, MariadbGtid{0, 1, pos}, static_cast<std::int64_t>(pos), nullptr};
  }
  Wakeup wakeup_;
  Batches batches_;
};

}  // namespace sluice::pipeline::testing
