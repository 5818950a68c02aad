#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/assembler.h"
#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using testing::AssemblerTest;
using testing::Binlog;
using ::testing::HasSubstr;
using testing::rows_from;

class ReplayOfBothFlavours : public testing::BothFlavours {};
INSTANTIATE_TEST_SUITE_P(Flavours, ReplayOfBothFlavours,
                         ::testing::Values(Flavor::mysql, Flavor::mariadb),
                         [](const auto& flavour) {
                           return std::string(flavor_name(flavour.param));
                         });

// ---- Transactions too large to hold ----

Binlog one_large_transaction(Flavor flavor) {
  Binlog binlog(flavor);
  binlog.transaction({{-1}});
  binlog.begin();
  for (int i = 0; i < 8; ++i) {
    binlog.table_map("t");
    binlog.insert(rows_from(i * 10, 10));
    binlog.table_map("hidden");
    binlog.insert({{i}}, "hidden");
  }
  binlog.xid();
  return binlog;
}

TEST_P(ReplayOfBothFlavours, StreamsWhatIsTooLargeToHoldUnderTheSameIds) {
  const Binlog binlog = one_large_transaction(GetParam());
  const auto held = played(binlog);
  EXPECT_EQ(held->sink.adds, 2);
  settings_.hold_bytes = 3000;
  const auto streamed = played(binlog);
  EXPECT_GT(streamed->sink.adds, 2);
  EXPECT_EQ(streamed->sink.rows, held->sink.rows);
  EXPECT_EQ(streamed->sink.ends.size(), held->sink.ends.size());
}

TEST_P(ReplayOfBothFlavours,
       ALostConnectionInsideAStreamedTransactionSendsNothingTwiceAndLosesNothing) {
  const Binlog binlog = one_large_transaction(GetParam());
  const auto held = played(binlog);
  settings_.hold_bytes = 3000;
  const auto packets = binlog.dump();
  for (std::size_t cut = 0; cut <= packets.size(); ++cut) {
    SCOPED_TRACE("lost after " + std::to_string(cut) + " events");
    auto a = assembly();
    ASSERT_TRUE(
        a->play({packets.begin(), packets.begin() + static_cast<std::ptrdiff_t>(cut)}).ok());
    for (int again = 0; again < 2; ++again) {  // and lost once more, a little later
      a->restart();
      const auto rest = binlog.dump((*a)->resume());
      const std::size_t count =
          again == 0 ? std::min<std::size_t>(cut + 3, rest.size()) : rest.size();
      const Status s = a->play({rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count)});
      ASSERT_TRUE(s.ok()) << to_string(s.error());
    }
    EXPECT_EQ(a->sink.rows, held->sink.rows);
    EXPECT_EQ((*a)->resume(), binlog.here());
  }
}

TEST_P(ReplayOfBothFlavours, ARollbackAfterStreamingStopsWithARemedy) {
  Binlog binlog(GetParam());
  binlog.begin();
  binlog.table_map("t");
  binlog.insert(rows_from(1, 100));
  binlog.query("ROLLBACK");
  settings_.hold_bytes = 1000;
  const Error error = refused(binlog);
  EXPECT_EQ(error.code, Errc::pipeline_unsupported);
  EXPECT_THAT(error.what, HasSubstr("limits.transaction_hold"));
  EXPECT_THAT(error.what, HasSubstr("sluice position set"));
}

TEST_F(AssemblerTest, ARollbackToASavepointAfterStreamingStops) {
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.query("SAVEPOINT a");
  binlog.table_map("t");
  binlog.insert(rows_from(1, 100));
  binlog.query("ROLLBACK TO a");
  settings_.hold_bytes = 1000;
  EXPECT_EQ(refused(binlog).code, Errc::pipeline_unsupported);
}

TEST_F(AssemblerTest, ARollbackAfterStreamingStopsAlsoWhenTheConnectionWasLostBetween) {
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.table_map("t");
  binlog.insert(rows_from(1, 100));
  settings_.hold_bytes = 1000;
  auto a = assembly();
  ASSERT_TRUE(a->play(binlog.dump()).ok());
  ASSERT_EQ(a->sink.rows.size(), 100u);
  binlog.query("ROLLBACK");
  a->restart();
  const Status s = a->play(binlog.dump((*a)->resume()));
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::pipeline_unsupported);
}

TEST_F(AssemblerTest, AStoppedSinkEndsTheReadingWithoutAPosition) {
  Binlog binlog(Flavor::mysql);
  binlog.transaction({{1}});
  auto a = assembly();
  a->sink.full = true;
  const Status s = a->play(binlog.dump());
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::stopped);
}

// ---- Cuts ----

// Everything a source may write, in random order.
Binlog random_binlog(Flavor flavor, unsigned seed) {
  std::mt19937 random(seed);
  Binlog binlog(flavor);
  std::int32_t next = 1;
  for (int t = 0; t < 20; ++t) {
    switch (random() % 12) {
      case 0:
        binlog.rotate();
        binlog.previous_gtids();
        break;
      case 1:
        binlog.begin();
        binlog.table_map("t");
        binlog.insert({{next++}});
        binlog.crash();
        break;
      case 2:
        binlog.gtid(Binlog::kStandalone);
        binlog.query("ALTER TABLE t COMMENT 'x'");
        break;
      case 3:
        binlog.begin();
        binlog.table_map("t");
        binlog.insert({{next++}, {next++}});
        binlog.query("ROLLBACK");
        break;
      case 4:
        binlog.begin();
        binlog.table_map("t");
        binlog.insert({{next++}});
        binlog.query("SAVEPOINT s");
        binlog.table_map("u");
        binlog.insert({{next++}}, "u");
        binlog.query("ROLLBACK TO s");
        binlog.xid();
        break;
      case 5: binlog.transaction({{next++}}, "hidden"); break;
      default:
        binlog.begin();
        for (auto e = random() % 6; e-- > 0;) {
          const char* table = random() % 4 == 0 ? "hidden" : random() % 2 == 0 ? "t" : "u";
          binlog.how.log_pos = flavor == Flavor::mysql || random() % 2 == 0;
          binlog.table_map(table);
          if (random() % 3 == 0)
            binlog.update({{{next}, {next + 1}}, {{next + 2}, {next + 2, "y"}}}, table);
          else
            binlog.insert(rows_from(next, 1 + static_cast<int>(random() % 5)), table);
          next += 5;
          binlog.how.log_pos = true;
        }
        binlog.xid();
    }
  }
  return binlog;
}

TEST_P(ReplayOfBothFlavours, AfterACutAnywhereTheRestFollowsFromTheResumePoint) {
  for (const unsigned seed : {1u, 2u}) {
    for (const std::size_t hold : {std::size_t{8} << 20, std::size_t{900}}) {
      // What is rolled back, or lost in a crash, is small here and fits the smaller limit.
      SCOPED_TRACE("seed " + std::to_string(seed) + " hold " + std::to_string(hold));
      settings_.hold_bytes = hold;
      const Binlog binlog = random_binlog(GetParam(), seed);
      const auto packets = binlog.dump();
      auto all = assembly();
      Status s = all->play(packets);
      ASSERT_TRUE(s.ok()) << to_string(s.error());
      ASSERT_EQ((*all)->resume(), binlog.here());
      for (std::size_t cut = 0; cut <= packets.size(); ++cut) {
        SCOPED_TRACE("cut after " + std::to_string(cut) + " events");
        auto first = assembly();
        ASSERT_TRUE(
            first->play({packets.begin(), packets.begin() + static_cast<std::ptrdiff_t>(cut)})
                .ok());
        const BinlogPosition resume = (*first)->resume();
        // Another process: what was streamed of an open transaction comes again, with the same ids.
        auto second = assembly();
        second->start(resume, (*first)->resume_file());
        s = second->play(binlog.dump(resume));
        ASSERT_TRUE(s.ok()) << to_string(s.error());
        auto joined = first->sink.whole();
        joined.insert(joined.end(), second->sink.rows.begin(), second->sink.rows.end());
        ASSERT_EQ(joined, all->sink.rows);
        // The same process: nothing comes again.
        first->restart();
        s = first->play(binlog.dump(resume));
        ASSERT_TRUE(s.ok()) << to_string(s.error());
        ASSERT_EQ(first->sink.rows, all->sink.rows);
        ASSERT_EQ((*first)->resume(), binlog.here());
      }
    }
  }
}

}  // namespace
}  // namespace sluice::pipeline
