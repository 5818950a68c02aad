// With threads that encode: the same rows in the same order as without, whatever the binlog holds.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using testing::AssemblerTest;
using testing::Assembly;
using testing::Binlog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::rows_from;
using testing::TestRow;

// Transactions of all sizes and ends.
void write(Binlog& binlog, std::uint32_t seed, int transactions) {
  std::mt19937 random(seed);
  const auto below = [&random](std::uint32_t n) {
    return static_cast<std::uint32_t>(random() % n);
  };
  std::int32_t id = 0;
  for (int t = 0; t < transactions; ++t) {
    binlog.begin();
    bool saved = false;
    for (std::uint32_t events = below(4) == 0 ? 30U : below(4); events > 0; --events) {
      const std::string table(1, static_cast<char>('t' + below(2)));
      const std::string name = below(6) == 0 ? "hidden" : table;
      binlog.table_map(name);
      const int count = 1 + static_cast<int>(below(below(5) == 0 ? 200 : 4));
      switch (below(4)) {
        case 0: binlog.remove(rows_from(id, count), name); break;
        case 1: {
          std::vector<std::pair<TestRow, TestRow>> rows;
          for (int i = 0; i < count; ++i) {
            const std::int32_t key = id + i;
            rows.emplace_back(TestRow{key, "before"},
                              TestRow{below(3) == 0 ? key + 100'000 : key, "after"});
          }
          binlog.update(rows, name);
          break;
        }
        default: binlog.insert(rows_from(id, count), name);
      }
      id += count;
      if (below(12) == 0) {
        binlog.query("SAVEPOINT s");
        saved = true;
      } else if (saved && below(8) == 0) {
        binlog.query("ROLLBACK TO s");
      }
    }
    if (below(8) == 0)
      binlog.query("ROLLBACK");
    else
      binlog.xid();
  }
}

// One transaction of so many events of 100 rows.
Binlog large(int events) {
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  for (int i = 0; i < events; ++i) {
    binlog.table_map("t");
    binlog.insert(rows_from(i * 100, 100));
  }
  binlog.xid();
  return binlog;
}

class ParallelTest : public AssemblerTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  std::unique_ptr<Assembly> with_threads(unsigned threads, std::size_t job_bytes,
                                         std::size_t alone_bytes = 0) {
    settings_.encode_threads = threads;
    settings_.encode_job_bytes = job_bytes;
    settings_.encode_alone_bytes = alone_bytes;
    return assembly();
  }
  // Plays it without threads, and with them in jobs of all sizes: from events that are all too
  // large for one to all in one.
  void expect_same(const Binlog& binlog) {
    const auto packets = binlog.dump();
    const auto alone = with_threads(0, 0);
    ASSERT_TRUE(alone->play(packets).ok());
    ASSERT_GT(alone->sink.rows.size(), 1000U);
    struct How {
      std::size_t job_bytes, alone_bytes;
    };
    for (const How how : {How{1, 0}, How{1000, 0}, How{std::size_t{1} << 20U, 2000}}) {
      const auto helped = with_threads(GetParam(), how.job_bytes, how.alone_bytes);
      const Status s = helped->play(packets);
      ASSERT_TRUE(s.ok()) << to_string(s.error());
      EXPECT_EQ(helped->sink.rows, alone->sink.rows) << how.job_bytes;
      EXPECT_EQ(helped->counters.rows_read.load(), alone->counters.rows_read.load());
      EXPECT_EQ((*helped)->resume(), (*alone)->resume());
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Threads, ParallelTest, ::testing::Values(1U, 3U));

TEST_P(ParallelTest, GivesTheSameRowsInTheSameOrder) {
  for (const Flavor flavor : {Flavor::mysql, Flavor::mariadb}) {
    Binlog binlog(flavor);
    write(binlog, 7 + GetParam(), 40);
    expect_same(binlog);
  }
}

TEST_P(ParallelTest, XaTransactionsComeAmongTheOthers) {
  for (const Flavor flavor : {Flavor::mysql, Flavor::mariadb}) {
    Binlog binlog(flavor);
    for (int i = 0; i < 9; ++i) {
      const std::string xid(1, static_cast<char>('a' + i));
      binlog.prepared_xa(xid, rows_from(10'000 + 100 * i, 70));
      write(binlog, 20 + static_cast<std::uint32_t>(i), 4);
      binlog.end_xa(xid, i % 3 == 0 ? "ROLLBACK" : "COMMIT");
    }
    expect_same(binlog);
  }
}

TEST_P(ParallelTest, RowsInsideACompressedTransactionAreTakenFromIt) {
  Binlog binlog(Flavor::mysql);
  for (int t = 0; t < 4; ++t) {
    binlog.gtid();
    binlog.begin_payload();
    binlog.query("BEGIN");
    for (int i = 0; i < 20; ++i) {
      binlog.table_map("t");
      binlog.insert(rows_from(2000 * t + 100 * i, 100));
    }
    binlog.xid();
    binlog.end_payload();
  }
  expect_same(binlog);
}

TEST_P(ParallelTest, AnOverlapLeavesOutTheSameRows) {
  settings_.partitions = 2;
  Binlog binlog(Flavor::mysql);
  write(binlog, 5, 10);
  const std::string marked = binlog.last_gtid();
  write(binlog, 6, 20);
  const auto packets = binlog.dump();
  std::vector<testing::SentRow> alone;
  for (const unsigned threads : {0U, GetParam()}) {
    const auto a = with_threads(threads, 1000);
    a->sink.every_row = false;
    (*a)->set_overlap(Overlap({position::OverlapMark{marked, 0}, std::nullopt}));
    const Status s = a->play(packets);
    ASSERT_TRUE(s.ok()) << to_string(s.error());
    if (threads == 0)
      alone = a->sink.rows;
    else
      EXPECT_EQ(a->sink.rows, alone);
  }
}

TEST_P(ParallelTest, StreamsWhatIsTooLargeToHold) {
  settings_.hold_bytes = 200'000;
  const auto packets = large(300).dump();
  const auto alone = with_threads(0, 0);
  ASSERT_TRUE(alone->play(packets).ok());
  ASSERT_GT(alone->sink.adds, 3);
  const auto helped = with_threads(GetParam(), 1U << 20U);
  ASSERT_TRUE(helped->play(packets).ok());
  EXPECT_GT(helped->sink.adds, 3);
  EXPECT_EQ(helped->sink.rows, alone->sink.rows);
}

// What was handed over is not sent again, what was with the threads is.
TEST_P(ParallelTest, ALostConnectionInsideALargeTransactionLosesAndRepeatsNothing) {
  settings_.hold_bytes = 200'000;
  const auto packets = large(120).dump();
  const auto whole = with_threads(0, 0);
  ASSERT_TRUE(whole->play(packets).ok());
  for (std::size_t lost = 5; lost < packets.size(); lost += 41) {
    const auto a = with_threads(GetParam(), 1U << 20U);
    for (std::size_t i = 0; i < lost; ++i) ASSERT_TRUE(a->feed(packets[i]).ok());
    a->restart();
    ASSERT_TRUE(a->play(packets).ok());
    EXPECT_EQ(a->sink.rows, whole->sink.rows) << lost;
  }
}

// Jobs are under way when it ends.
TEST_P(ParallelTest, EndsInTheMiddleOfATransaction) {
  const auto packets = large(100).dump();
  const auto a = with_threads(GetParam(), 4000);
  for (std::size_t i = 0; i < packets.size() - 1; ++i) ASSERT_TRUE(a->feed(packets[i]).ok());
  EXPECT_EQ(a->sink.adds, 0);
}

// The error comes when the threads have got there, with the place where they were.
TEST_P(ParallelTest, AnErrorNamesItsEventAndEndsWithIt) {
  for (const std::size_t job_bytes : {std::size_t{1}, std::size_t{200}, std::size_t{1} << 20}) {
    Binlog binlog(Flavor::mysql);
    binlog.use_table_id(77);
    binlog.transaction({{1}});
    binlog.begin();
    binlog.table_map("t");
    binlog.insert(rows_from(10, 5));
    // Rows that end inside a value.
    ByteWriter body;
    body.le<6>(77).le<2>(1).le<2>(2).lenenc(2).le<1>(3).bytes(std::string("\0\1\0", 3));
    const std::uint64_t start = binlog.add(binlog::EventType::write_rows, body.str());
    const std::size_t bad = binlog.dump().size() - 1;
    for (int i = 0; i < 30; ++i) binlog.insert(rows_from(100 + 10 * i, 5));
    binlog.xid();
    binlog.transaction({{999}});
    const auto packets = binlog.dump();
    const auto a = with_threads(GetParam(), job_bytes);
    std::size_t at = 0;
    Status s;
    for (; at < packets.size(); ++at)
      if (s = a->feed(packets[at]); !s.ok()) break;
    ASSERT_FALSE(s.ok());
    if (job_bytes == 1)
      EXPECT_EQ(at, bad);
    else
      EXPECT_GT(at, bad);
    EXPECT_EQ(s.error().code, Errc::binlog_truncated);
    EXPECT_THAT(s.error().what,
                HasSubstr("at " + binlog.file() + ":" + std::to_string(start) + ": shop.t: "));
    EXPECT_THAT(a->sink.keys(), ElementsAre("1"));
  }
}

TEST_P(ParallelTest, AStoppedSinkStopsIt) {
  settings_.hold_bytes = 100'000;
  const auto a = with_threads(GetParam(), 1U << 20U);
  a->sink.full = true;
  const Status s = a->play(large(200).dump());
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::stopped);
}

}  // namespace
}  // namespace sluice::pipeline
