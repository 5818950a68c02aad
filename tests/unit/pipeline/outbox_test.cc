#include "pipeline/outbox.h"

#include <future>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "sluice/event/line_reader.h"

#include "unit/pipeline/batches.h"

namespace sluice::pipeline {
namespace {

using testing::Batches;
using testing::file_named;
using testing::kPartitions;
using testing::OutboxTest;

TEST_F(OutboxTest, KeepsOneMessageUnconfirmedAndGathersTheRest) {
  Outbox outbox = make();
  batches_.begin(100);
  const EventId first = batches_.row(2);
  ASSERT_TRUE(outbox.add(batches_.begin(100)).ok());  // begin() cleared it: nothing to send
  EXPECT_EQ(outbox.take(2), nullptr);

  auto& one = batches_.begin(100);
  batches_.row(2);
  ASSERT_TRUE(outbox.add(one).ok());
  outbox.complete(end(110));
  const OutgoingMessage* m = outbox.take(2);
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->headers.first, first);
  EXPECT_TRUE(m->headers.prev.is_zero());
  EXPECT_EQ(outbox.take(2), nullptr) << "one is unconfirmed";

  auto& two = batches_.begin(200);
  batches_.row(2);
  ASSERT_TRUE(outbox.add(two).ok());
  auto& three = batches_.begin(300);
  const EventId last = batches_.row(2);
  ASSERT_TRUE(outbox.add(three).ok());
  EXPECT_EQ(outbox.take(2), nullptr);
  EXPECT_EQ(outbox.confirmed(2), 1u);
  m = outbox.take(2);
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->headers.prev, first);
  EXPECT_EQ(m->headers.last, last);
  EXPECT_EQ(m->headers.rows, 2u) << "lines gathered while the first one waited";
}

TEST_F(OutboxTest, WritesTheTypesOncePerTableAndMessage) {
  Outbox outbox = make();
  for (const std::uint64_t pos : {100u, 200u, 300u}) {
    auto& batch = batches_.begin(pos);
    batches_.row(0);
    ASSERT_TRUE(outbox.add(batch).ok());
  }
  const OutgoingMessage* m = outbox.take(0);
  ASSERT_NE(m, nullptr);
  const std::string body(m->body.view());
  EXPECT_EQ(body.find("\"mysqlType\""), body.rfind("\"mysqlType\""));
  EXPECT_NE(body.find("\"mysqlType\""), std::string::npos);
  event::LineReader reader;
  reader.open(body);
  int lines = 0;
  for (;;) {
    auto line = reader.next();
    ASSERT_TRUE(line.ok()) << line.error().what;
    if (*line == nullptr) break;
    ++lines;
  }
  EXPECT_EQ(lines, 3);
}

// One of the tables that are shop.orders to the reader; its key is bytes or an integer.
std::shared_ptr<const event::TablePlan> shard(const std::string& table, bool bytes) {
  binlog::TableMap map;
  map.database = "db";
  map.table = table;
  map.columns.resize(1);
  map.columns[0].type = bytes ? binlog::ColumnType::string : binlog::ColumnType::long_;
  map.columns[0].length = 4;
  TableSchema schema;
  schema.columns.resize(1);
  schema.columns[0].name = "id";
  schema.columns[0].type = bytes ? DeclaredType::binary : DeclaredType::int_;
  schema.columns[0].length = bytes ? 4 : 0;
  schema.primary_key = {0};
  event::TableRules rules;
  rules.database = "shop";
  rules.table = "orders";
  auto plan = event::TablePlan::make(std::move(map), std::move(schema), rules, {});
  EXPECT_TRUE(plan.ok());
  return std::move(plan).value();
}

// The reader knows one table; what its columns are is what was last said.
TEST_F(OutboxTest, SaysTheTypesAnewWhereShardsDiffer) {
  Outbox outbox = make();
  const auto ints = shard("orders_1", false), bytes = shard("orders_2", true);
  std::uint64_t pos = 100;
  for (const auto& plan : {ints, ints, bytes, ints, bytes, bytes}) {
    batches_.use(plan);
    auto& batch = batches_.begin(pos++);
    batches_.row(0);
    ASSERT_TRUE(outbox.add(batch).ok());
  }
  const OutgoingMessage* m = outbox.take(0);
  ASSERT_NE(m, nullptr);
  event::LineReader reader;
  reader.open(m->body.view());
  for (const bool binary : {false, false, true, false, true, true}) {
    auto line = reader.next();
    ASSERT_TRUE(line.ok()) << line.error().what;
    ASSERT_NE(*line, nullptr);
    EXPECT_EQ((*line)->table, "orders");
    EXPECT_EQ((*line)->fields[0].binary, binary);
  }
}

TEST_F(OutboxTest, MovesTheRestartPointOnlyPastWhatIsConfirmed) {
  Outbox outbox = make();
  auto& one = batches_.begin(100);
  batches_.row(0);
  const EventId in_one = batches_.row(1);
  ASSERT_TRUE(outbox.add(one).ok());
  outbox.complete(end(110));
  auto& two = batches_.begin(200);
  const EventId in_two = batches_.row(1);
  ASSERT_TRUE(outbox.add(two).ok());
  outbox.complete(end(210));

  outbox.take(0);
  outbox.take(1);  // holds rows of both transactions
  EXPECT_EQ(outbox.restart_point().pos, 4u);
  outbox.confirmed(1);
  EXPECT_EQ(outbox.restart_point().pos, 4u) << "partition 0 still waits";
  EXPECT_TRUE(outbox.restart_point().last[1].is_zero()) << "the chain is that of the restart point";
  outbox.confirmed(0);
  const RestartPoint done = outbox.restart_point();
  EXPECT_EQ(done.pos, 210u);
  EXPECT_EQ(done.last[1], in_two);
  EXPECT_LT(in_one, in_two);
  EXPECT_EQ(done.gtid_set, "0-1-210");
}

TEST_F(OutboxTest, PassesTransactionsWithoutRowsAsSoonAsAllBeforeIsConfirmed) {
  Outbox outbox = make();
  outbox.complete(end(50));
  EXPECT_EQ(outbox.restart_point().pos, 50u);
  auto& one = batches_.begin(100);
  batches_.row(3);
  ASSERT_TRUE(outbox.add(one).ok());
  outbox.complete(end(110));
  for (std::uint64_t pos = 120; pos < 20000; ++pos)
    outbox.complete(end(pos));  // folded, not piled up
  EXPECT_EQ(outbox.restart_point().pos, 50u);
  outbox.take(3);
  outbox.confirmed(3);
  EXPECT_EQ(outbox.restart_point().pos, 19999u);
  EXPECT_EQ(outbox.restart_point().gtid_set, "0-1-19999");
}

TEST_F(OutboxTest, TheTrailIsThatOfTheConfirmedPrefix) {
  Outbox outbox = make();
  const auto transaction = [&](std::uint64_t pos, std::uint32_t partition) {
    auto& batch = batches_.begin(pos);
    batches_.row(partition);
    ASSERT_TRUE(outbox.add(batch).ok());
    TransactionEnd e = end(pos + 10);
    e.print = pos;
    outbox.complete(e);
  };
  transaction(100, 0);
  transaction(200, 1);
  transaction(300, 0);
  EXPECT_EQ(outbox.read_trail().prints, (std::vector<std::uint64_t>{100, 200, 300}));
  EXPECT_TRUE(outbox.restart_point().trail.prints.empty());
  outbox.take(0);
  outbox.confirmed(0);
  EXPECT_EQ(outbox.restart_point().trail.prints, (std::vector<std::uint64_t>{100}));
  EXPECT_EQ(outbox.restart_point().trail.commit_ms, 110);
  outbox.take(1);
  outbox.confirmed(1);
  EXPECT_EQ(outbox.restart_point().trail.prints, (std::vector<std::uint64_t>{100, 200, 300}));
}

TEST_F(OutboxTest, BlocksTheSourceAboveItsLimitAndEndsOnStop) {
  Outbox outbox = make(/*limit=*/1);
  std::stop_source stop;
  outbox.set_stop(stop.get_token());
  auto& one = batches_.begin(100);
  batches_.row(0);
  ASSERT_TRUE(outbox.add(one).ok());
  std::promise<void> second;
  std::jthread source([&] {
    Batches mine;
    auto& two = mine.begin(200);
    mine.row(0);
    EXPECT_TRUE(outbox.add(two).ok()) << "room after the confirm";
    second.set_value();
    auto& three = mine.begin(300);
    mine.row(0);
    const Status s = outbox.add(three);
    ASSERT_FALSE(s.ok());
    EXPECT_EQ(s.error().cls, ErrorClass::stopped);
  });
  ASSERT_NE(outbox.take(0), nullptr);
  outbox.confirmed(0);
  second.get_future().wait();
  stop.request_stop();  // ends the third
}

TEST_F(OutboxTest, MemoryKeptForLaterIsBoundedAndGoesBackWhenNobodyNeedsIt) {
  constexpr std::size_t kMessage = 1024;
  Outbox outbox = make(48u << 20, kMessage);
  for (std::uint64_t pos = 100; pos < 400; pos += 100) {
    auto& batch = batches_.begin(pos);
    for (int row = 0; row < 300; ++row)
      for (std::uint32_t p = 0; p < kPartitions; ++p) batches_.row(p);
    ASSERT_TRUE(outbox.add(batch).ok());
    outbox.complete(end(pos + 10));
  }
  int messages = 0;
  for (std::uint32_t p = 0; p < kPartitions; ++p)
    for (; outbox.take(p) != nullptr; ++messages) outbox.confirmed(p);
  ASSERT_GT(messages, 100);
  EXPECT_EQ(outbox.status().waiting_bytes, 0u);
  EXPECT_GT(outbox.status().pooled_bytes, 0u);
  EXPECT_LE(outbox.status().pooled_bytes, kPartitions * kMessage);
  for (int tick = 0; tick < messages; ++tick) {
    outbox.tick(1000);
    for (std::uint32_t p = 0; p < kPartitions; ++p)
      if (outbox.take(p) != nullptr) outbox.confirmed(p);
  }
  EXPECT_LE(outbox.status().pooled_bytes, kPartitions * 2 * 256u) << "those of ticks";
}

TEST_F(OutboxTest, TicksReplaceEachOtherWhileTheyWait) {
  Outbox outbox = make();
  outbox.complete(end(50));
  for (int i = 0; i < 100; ++i) outbox.tick(1000 + i);
  const OutgoingMessage* m = outbox.take(1);
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->headers.rows, 0u);
  EXPECT_EQ(m->headers.prev, m->headers.last);
  const std::string_view body = m->body.view();
  EXPECT_EQ(std::count(body.begin(), body.end(), '\n'), 1);
  EXPECT_TRUE(outbox.drained()) << "ticks are not waited for";
}

// Random transactions, sends, confirms and lost connections: the restart point is always the end of
// the longest confirmed prefix of transactions, and `last` is what was sent in that prefix.
TEST_F(OutboxTest, RestartPointIsTheConfirmedPrefixWhateverHappens) {
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Outbox outbox = make(48u << 20, /*message=*/600);
    struct Transaction {
      std::uint64_t end = 0;
      std::map<std::uint32_t, EventId> last;  // per partition touched
    };
    std::vector<Transaction> model;
    std::vector<EventId> confirmed(kPartitions);
    std::uint64_t pos = 100, restart = 4;
    for (int step = 0; step < 3000; ++step) {
      switch (random() % 6) {
        case 0:
        case 1: {
          auto& batch = batches_.begin(pos);
          Transaction t;
          t.end = pos + 10;
          const unsigned rows = random() % 4;
          for (unsigned i = 0; i < rows; ++i) {
            const std::uint32_t p = random() % kPartitions;
            t.last[p] = batches_.row(p);
            if (random() % 8 == 0) {  // streamed: handed over in parts
              ASSERT_TRUE(outbox.add(batch).ok());
              for (const std::uint32_t n : batch.touched) batch.partitions[n].clear();
              batch.touched.clear();
            }
          }
          if (!batch.empty()) {
            ASSERT_TRUE(outbox.add(batch).ok());
          }
          outbox.complete(end(t.end));
          model.push_back(std::move(t));
          pos += 100;
          break;
        }
        case 2: outbox.tick(static_cast<std::int64_t>(step)); break;
        default: {
          const std::uint32_t p = random() % kPartitions;
          const OutgoingMessage* m = outbox.unconfirmed(p);
          if (m == nullptr) m = outbox.take(p);
          if (m == nullptr || random() % 3 == 0) break;  // not sent, or nacked: stays unconfirmed
          EXPECT_EQ(m->headers.prev, confirmed[p]) << "the chain has no hole";
          confirmed[p] = m->headers.last;
          outbox.confirmed(p);
        }
      }
      std::vector<EventId> last(kPartitions);
      std::uint64_t expected = 4;
      for (const Transaction& t : model) {
        if (!std::all_of(t.last.begin(), t.last.end(), [&](const auto& touched) {
              return touched.second <= confirmed[touched.first];
            }))
          break;
        expected = t.end;
        for (const auto& [p, id] : t.last) last[p] = id;
      }
      const RestartPoint point = outbox.restart_point();
      ASSERT_EQ(point.pos, expected);
      ASSERT_EQ(point.last, last);
      ASSERT_GE(point.pos, restart);
      restart = point.pos;
    }
  }
}

TEST_F(OutboxTest, TheRestartPointIsNeverBeyondFourGiBOfAFile) {
  Outbox outbox = make();
  auto& one = batches_.begin(100);
  const EventId first = batches_.row(0);
  ASSERT_TRUE(outbox.add(one).ok());
  outbox.complete(end(110));
  auto& two = batches_.begin(200);
  const EventId second = batches_.row(1);
  ASSERT_TRUE(outbox.add(two).ok());
  const std::uint64_t beyond = kLargestDumpPosition + 1;
  outbox.complete(end(beyond));
  for (const std::uint32_t p : {0U, 1U}) {
    ASSERT_NE(outbox.take(p), nullptr);
    outbox.confirmed(p);
  }
  RestartPoint point = outbox.restart_point();
  EXPECT_EQ(point.pos, 110u);
  EXPECT_EQ(point.gtid_set, "0-1-110");
  EXPECT_EQ(point.last[0], first);
  EXPECT_TRUE(point.last[1].is_zero()) << "the chain as of that place";
  EXPECT_EQ(outbox.status().read.pos, beyond) << "what was read is said all the same";
  EXPECT_EQ(outbox.status().gtid_set, "0-1-" + std::to_string(beyond));

  // The head of the next file.
  outbox.complete({file_named(2), 120, {}, 0, nullptr});
  point = outbox.restart_point();
  EXPECT_EQ(point.file->number, 2u);
  EXPECT_EQ(point.pos, 120u);
  EXPECT_EQ(point.gtid_set, "0-1-" + std::to_string(beyond));
  EXPECT_EQ(point.last[1], second);
}

TEST_F(OutboxTest, StatementsGoInOrderThroughALaneOfTheirOwnAndThePositionWaitsForThem) {
  RestartPoint start{batches_.file(), 4, "", std::vector<EventId>(kPartitions)};
  Outbox outbox({kPartitions, 1u << 20, 48u << 20, /*ddl=*/true}, start, GtidSet(Flavor::mariadb),
                wakeup_);
  ASSERT_EQ(outbox.lanes(), kPartitions + 1);
  const auto statement = [&](std::uint64_t pos, std::string_view sql) {
    PublishedDdl ddl;
    ddl.line = {{1, 1, pos}, "ALTER", "db", "t", sql, "0-1-9", 1, 2};
    ddl.file = batches_.file();
    ddl.pos = pos + 10;
    ASSERT_TRUE(outbox.add_ddl(ddl).ok());
    outbox.complete(end(pos + 10));
  };
  statement(100, "ALTER TABLE t ADD a INT");
  const OutgoingMessage* first = outbox.take(kPartitions);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->headers.first, (EventId{1, 1, 100, 0, 0, 0}));
  EXPECT_EQ(first->headers.rows, 1U);
  EXPECT_EQ(first->headers.pos, 110U);
  EXPECT_NE(first->body.view().find("ADD a INT"), std::string_view::npos);
  statement(200, "ALTER TABLE t ADD b INT");
  statement(300, "ALTER TABLE t ADD c INT");
  EXPECT_EQ(outbox.restart_point().pos, 4U);
  EXPECT_FALSE(outbox.drained());
  outbox.tick(1);
  EXPECT_EQ(outbox.confirmed(kPartitions), 0U) << "these are no rows";
  EXPECT_EQ(outbox.restart_point().pos, 110U);
  const OutgoingMessage* second = outbox.take(kPartitions);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->headers.prev, (EventId{1, 1, 100, 0, 0, 0}));
  EXPECT_EQ(second->headers.last, (EventId{1, 1, 300, 0, 0, 0}));
  EXPECT_LT(second->body.view().find("ADD b INT"), second->body.view().find("ADD c INT"));
  EXPECT_EQ(second->body.view().find("TICK"), std::string_view::npos);
  outbox.confirmed(kPartitions);
  EXPECT_EQ(outbox.restart_point().pos, 310U);
  EXPECT_TRUE(outbox.drained());
  EXPECT_EQ(outbox.chain().size(), kPartitions) << "rows are chained, statements are not";
  EXPECT_EQ(outbox.restart_point().last.size(), kPartitions);
}

TEST_F(OutboxTest, NoMessageIsLargerThanTheLimitHoweverLinesComeTogether) {
  RestartPoint start{batches_.file(), 4, "", std::vector<EventId>(kPartitions)};
  constexpr std::size_t kMost = 1000;
  Outbox outbox({kPartitions, /*message_bytes=*/900, 48u << 20, false, kMost}, start,
                GtidSet(Flavor::mariadb), wakeup_);
  std::uint64_t rows = 0;
  for (std::uint64_t i = 1; i <= 50; ++i) {
    auto& one = batches_.begin(i * 100);
    for (std::uint64_t n = 0; n < i % 4; ++n) batches_.row(1);
    rows += i % 4;
    ASSERT_TRUE(outbox.add(one).ok());
    outbox.complete(end(i * 100 + 10));
    outbox.tick(static_cast<std::int64_t>(i));
  }
  std::uint64_t sent = 0;
  while (const OutgoingMessage* m = outbox.take(1)) {
    EXPECT_LE(m->body.size(), kMost);
    EXPECT_GT(m->body.size(), 0U);
    sent += outbox.confirmed(1);
  }
  EXPECT_EQ(sent, rows);
}

TEST_F(OutboxTest, AQueueThatTakesNothingWhileOthersFlowDoesNotFillMemory) {
  constexpr std::uint64_t kTransactions = 20'000;
  Outbox outbox = make();
  auto& stuck = batches_.begin(100);
  const EventId first = batches_.row(3);
  ASSERT_TRUE(outbox.add(stuck).ok());
  outbox.complete(end(110));
  ASSERT_NE(outbox.take(3), nullptr);
  EventId last;
  for (std::uint64_t i = 1; i <= kTransactions; ++i) {
    auto& one = batches_.begin(i * 1000);
    last = batches_.row(1);
    ASSERT_TRUE(outbox.add(one).ok());
    outbox.complete(end(i * 1000 + 10));
    ASSERT_NE(outbox.take(1), nullptr);
    if (i != kTransactions) outbox.confirmed(1);
  }
  EXPECT_EQ(outbox.restart_point().pos, 4U);
  outbox.confirmed(3);
  // Places were given up, so it stands before the one that is still on its way, but not close.
  const RestartPoint before = outbox.restart_point();
  EXPECT_GT(before.pos, kTransactions * 1000 / 2);
  EXPECT_LT(before.pos, (kTransactions - 1000) * 1000);
  EXPECT_EQ(before.last[1], (EventId{1, 1, before.pos - 10, 0, 0, 0}));
  EXPECT_EQ(before.last[3], first);
  outbox.confirmed(1);
  const RestartPoint after = outbox.restart_point();
  EXPECT_EQ(after.pos, kTransactions * 1000 + 10);
  EXPECT_EQ(after.last[1], last);
  EXPECT_EQ(after.gtid_set, "0-1-" + std::to_string(after.pos));
}

TEST_F(OutboxTest, StatementsAreNothingUnlessAskedFor) {
  Outbox outbox = make();
  PublishedDdl ddl;
  ddl.line = {{1, 1, 100}, "ALTER", "db", "t", "ALTER TABLE t ADD a INT", "", 1, 2};
  ddl.file = batches_.file();
  ASSERT_TRUE(outbox.add_ddl(ddl).ok());
  outbox.complete(end(110));
  EXPECT_EQ(outbox.lanes(), kPartitions);
  EXPECT_EQ(outbox.restart_point().pos, 110U);
}

}  // namespace
}  // namespace sluice::pipeline
