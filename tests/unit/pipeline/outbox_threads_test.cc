// The source's thread copies large transactions while the publisher takes, confirms and ticks.
#include <array>
#include <atomic>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "sluice/event/line_reader.h"

#include "unit/pipeline/batches.h"

namespace sluice::pipeline {
namespace {

using testing::kPartitions;
using testing::OutboxTest;

// What an applier would make of the messages of a partition.
struct Reader {
  EventId last;
  std::uint64_t rows = 0, ticks = 0;

  void read(const OutgoingMessage& m) {
    ASSERT_EQ(m.headers.prev, last) << "the chain has no hole";
    event::LineReader reader;
    reader.open(m.body.view());
    std::uint64_t in_message = 0;
    for (;;) {
      auto line = reader.next();
      ASSERT_TRUE(line.ok()) << to_string(line.error());
      if (*line == nullptr) break;
      if ((*line)->kind == ChangeKind::tick) {
        ++ticks;
        continue;
      }
      for (const ChangeView::Row& row : (*line)->rows) {
        const EventId id = (*line)->seq.with_row(row.index);
        ASSERT_GT(id, last);
        if (in_message == 0) {
          ASSERT_EQ(id, m.headers.first);
        }
        last = id;
        ++in_message;
      }
    }
    ASSERT_EQ(in_message, m.headers.rows);
    ASSERT_EQ(last, m.headers.last);
    rows += in_message;
  }
};

TEST_F(OutboxTest, LargeTransactionsAreCopiedWhileOthersAreSentAndConfirmed) {
  constexpr std::uint64_t kTransactions = 60;
  Outbox outbox = make(/*limit=*/1u << 20, /*message=*/40'000);
  std::atomic<bool> whole = false;
  std::array<std::uint64_t, kPartitions> sent{};
  std::jthread source([&] {
    std::mt19937 random(7);
    for (std::uint64_t i = 1; i <= kTransactions; ++i) {
      auto& batch = batches_.begin(i * 100);
      // A few rows, which are copied under the lock, or many, which are not.
      const unsigned rows = i % 3 == 0 ? random() % 8 : 1000;
      for (unsigned n = 0; n < rows; ++n) {
        const std::uint32_t p = random() % kPartitions;
        batches_.row(p);
        ++sent[p];
      }
      if (!batch.empty()) {
        EXPECT_TRUE(outbox.add(batch).ok());
      }
      outbox.complete(end(i * 100 + 10));
    }
    whole = true;
  });
  std::array<Reader, kPartitions> readers;
  std::mt19937 random(8);
  std::uint64_t restart = 4;
  for (std::int64_t step = 0; !whole || !outbox.drained(); ++step) {
    const std::uint32_t p = random() % kPartitions;
    if (outbox.unconfirmed(p) != nullptr) {
      outbox.confirmed(p);
    } else if (const OutgoingMessage* m = outbox.take(p)) {
      readers[p].read(*m);
      ASSERT_FALSE(HasFatalFailure());
    }
    if (random() % 16 == 0) outbox.tick(step);
    const RestartPoint point = outbox.restart_point();
    ASSERT_GE(point.pos, restart);
    for (std::uint32_t n = 0; n < kPartitions; ++n) ASSERT_LE(point.last[n], readers[n].last);
    restart = point.pos;
  }
  source.join();
  EXPECT_EQ(restart, kTransactions * 100 + 10);
  std::uint64_t ticks = 0;
  for (std::uint32_t n = 0; n < kPartitions; ++n) {
    EXPECT_EQ(readers[n].rows, sent[n]);
    ticks += readers[n].ticks;
  }
  EXPECT_GT(ticks, 0U);
}

}  // namespace
}  // namespace sluice::pipeline
