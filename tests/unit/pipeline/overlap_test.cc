#include "pipeline/overlap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::pipeline {
namespace {

using position::OverlapMark;

// How many of `rows` rows of the partition are dropped in one transaction.
int dropped(Overlap& overlap, std::string_view gtid, std::uint32_t partition, int rows) {
  overlap.begin(gtid);
  int out = 0;
  for (int i = 0; i < rows; ++i) out += overlap.drops(partition) ? 1 : 0;
  return out;
}

TEST(Overlap, WithoutMarksDropsNothing) {
  Overlap none, empty(Overlap::Marks(3));
  EXPECT_FALSE(none.active());
  EXPECT_FALSE(empty.active());
  none.begin("0-1-1");
  EXPECT_FALSE(none.drops(0));
  EXPECT_TRUE(none.end("0-1-1").ok());
  EXPECT_EQ(dropped(empty, "0-1-1", 2, 5), 0);
}

TEST(Overlap, DropsUpToAndIncludingTheMarkInItsPartitionOnly) {
  Overlap overlap({OverlapMark{"0-1-12", 3}, std::nullopt});
  EXPECT_TRUE(overlap.active());
  EXPECT_EQ(dropped(overlap, "0-1-11", 0, 7), 7) << "before the mark's transaction";
  EXPECT_EQ(dropped(overlap, "0-1-11", 1, 7), 0);
  ASSERT_TRUE(overlap.end("0-1-11").ok());
  EXPECT_EQ(dropped(overlap, "0-1-12", 0, 7), 3);
  ASSERT_TRUE(overlap.end("0-1-12").ok());
  EXPECT_FALSE(overlap.active());
  EXPECT_EQ(dropped(overlap, "0-1-13", 0, 7), 0);
}

TEST(Overlap, ATransactionReadAnewBeginsAnew) {
  Overlap overlap({OverlapMark{"0-1-12", 3}});
  EXPECT_EQ(dropped(overlap, "0-1-12", 0, 2), 2);
  EXPECT_EQ(dropped(overlap, "0-1-12", 0, 5), 3);
  ASSERT_TRUE(overlap.end("0-1-12").ok());
}

TEST(Overlap, ASavepointTakesBackWhatWasCounted) {
  Overlap overlap({OverlapMark{"0-1-12", 3}});
  overlap.begin("0-1-12");
  EXPECT_TRUE(overlap.drops(0));
  const auto left = overlap.left();
  EXPECT_TRUE(overlap.drops(0));
  overlap.restore(left);
  EXPECT_TRUE(overlap.drops(0));
  EXPECT_TRUE(overlap.drops(0));
  EXPECT_FALSE(overlap.drops(0));
}

TEST(Overlap, ATransactionWithFewerRowsThanWereSentIsAnotherHistory) {
  Overlap overlap({std::nullopt, OverlapMark{"0-1-12", 3}});
  EXPECT_EQ(dropped(overlap, "0-1-12", 1, 2), 2);
  const Status s = overlap.end("0-1-12");
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::mysql_identity);
  EXPECT_THAT(s.error().what,
              ::testing::HasSubstr("transaction 0-1-12 has 1 rows fewer for partition 1"));
}

}  // namespace
}  // namespace sluice::pipeline
