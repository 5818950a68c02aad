#include "pipeline/rewind.h"

#include <gmock/gmock.h>

#include "unit/position/sample_state.h"

namespace sluice::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint32_t kEpoch = 2, kPartitions = 3;

EventId id(std::uint64_t pos, std::uint64_t file = 3, std::uint32_t epoch = kEpoch) {
  return {epoch, file, pos, 1, 2, 0};
}

class PlanRewindTest : public ::testing::Test {
 protected:
  // Saved at binlog.000003:1000, with rows of each partition before it.
  PlanRewindTest() : saved_(position::sample_state()) {
    saved_.layout.partitions = kPartitions;
    saved_.epoch = kEpoch;
    saved_.source.flavor = "mariadb";
    saved_.source.file_timestamp = 5;
    saved_.position = {"binlog.000003", 1000};
    saved_.gtid_set = "0-1-100";
    saved_.last = {id(900), id(300), id(10, 1)};
    saved_.overlap.clear();
    saved_.overlap_pending = false;
    saved_.trail = {{1, 2}, 3};
    for (const EventId& last : saved_.last) records_.push_back(record(last, 950, "0-1-95"));
  }
  static position::AppliedRecord record(const EventId& id, std::uint64_t tick, std::string gtid_set,
                                        std::uint64_t file = 3, std::uint32_t epoch = kEpoch) {
    position::AppliedRecord r;
    r.id = id;
    r.gtid = "0-1-50";
    r.ordinal = 4;
    r.tick = {epoch, file, tick, "binlog.00000" + std::to_string(file), std::move(gtid_set), 7};
    return r;
  }
  void ask(std::uint32_t n) {
    requests_.push_back({kPartitions, n, records_[n] ? records_[n]->id : EventId{}});
  }
  Result<std::optional<RewindPlan>> plan() {
    return plan_rewind(saved_, requests_, records_, [this](BinlogPosition& p) -> Result<GtidSet> {
      looked_for_.push_back(p.to_string());
      return GtidSet::parse(Flavor::mariadb, "0-1-33");
    });
  }
  RewindPlan planned() {
    auto p = plan();
    EXPECT_TRUE(p.ok() && *p) << (p.ok() ? "nothing to do" : to_string(p.error()));
    return p.ok() && *p ? **p : RewindPlan{};
  }

  position::State saved_;
  std::vector<std::optional<position::AppliedRecord>> records_;
  std::vector<RewindRequest> requests_;
  std::vector<std::string> looked_for_;
};

TEST_F(PlanRewindTest, GoesBackToWhereThePartitionIsKnownToBeComplete) {
  records_[0] = record(id(400), 450, "0-1-45");
  ask(0);
  const RewindPlan p = planned();
  EXPECT_EQ(p.state.position.to_string(), "binlog.000003:450");
  EXPECT_EQ(p.state.gtid_set, "0-1-45");
  EXPECT_EQ(p.state.epoch, kEpoch);
  EXPECT_EQ(p.state.layout, saved_.layout);
  EXPECT_EQ(p.state.source, saved_.source) << "in the same file";
  EXPECT_EQ(p.furthest, 0u);
  EXPECT_THAT(p.partitions, ElementsAre(0u));
  // As applied; as saved; as saved.
  EXPECT_THAT(p.state.last, ElementsAre(id(400), id(300), id(10, 1)));
  EXPECT_THAT(p.state.trail.prints, IsEmpty());
  EXPECT_THAT(p.state.overlap, IsEmpty());
  EXPECT_THAT(looked_for_, IsEmpty());
}

TEST_F(PlanRewindTest, GoesBackToTheSmallestOfAll) {
  records_[0] = record(id(400), 450, "0-1-45");
  records_[1] = record(id(200, 2), 250, "0-1-20", 2);
  ask(0);
  ask(1);
  ask(0);
  const RewindPlan p = planned();
  EXPECT_EQ(p.state.position.to_string(), "binlog.000002:250");
  EXPECT_EQ(p.state.source.file_timestamp, 0u) << "another file";
  EXPECT_EQ(p.furthest, 1u);
  EXPECT_THAT(p.partitions, ElementsAre(0u, 1u));
  // Rows up to 400 of the first come again: they cannot follow on it.
  const EventId border{kEpoch, 2, 249, 0, 0, 0};
  EXPECT_THAT(p.state.last, ElementsAre(border, id(200, 2), id(10, 1)));
}

// Each row that comes again is above what its message follows on, and Redis has that.
TEST_F(PlanRewindTest, TheBorderIsBelowEachRowOfThePlaceAndAboveEachBefore) {
  records_[0] = record(id(400), 450, "0-1-45");
  ask(0);
  saved_.last[1] = id(700);
  const EventId border = planned().state.last[1];
  EXPECT_LT(border, (EventId{kEpoch, 3, 450, 0, 0, 0}));
  EXPECT_GT(border, (EventId{kEpoch, 3, 430, 99, 99, 1})) << "no transaction is that short";
}

TEST_F(PlanRewindTest, TheSavedPlaceIsTakenWhenItIsBeforeAll) {
  // Ahead of what was saved: the queue lost messages, Redis nothing.
  records_[0] = record(id(1200), 1300, "0-1-120");
  ask(0);
  const RewindPlan p = planned();
  EXPECT_EQ(p.state.position, saved_.position);
  EXPECT_EQ(p.state.gtid_set, saved_.gtid_set);
  EXPECT_EQ(p.state.trail, saved_.trail);
  EXPECT_FALSE(p.furthest);
  EXPECT_THAT(p.state.last,
              ElementsAre(EventId{kEpoch, 3, 999, 0, 0, 0}, saved_.last[1], saved_.last[2]));
}

TEST_F(PlanRewindTest, WithoutATickTheTransactionOfTheLastRowCounts) {
  records_[0] = record(id(400, 2), 0, "");
  records_[0]->tick = {};
  ask(0);
  const RewindPlan p = planned();
  EXPECT_THAT(looked_for_, ElementsAre("binlog.000002:400"));
  EXPECT_EQ(p.state.position.to_string(), "binlog.000002:400");
  EXPECT_EQ(p.state.gtid_set, "0-1-33");
  EXPECT_EQ(p.state.last[0], (EventId{kEpoch, 2, 399, 0, 0, 0})) << "that transaction comes again";
}

TEST_F(PlanRewindTest, ARecordWithoutRowsIsCompleteUpToItsTick) {
  records_[0] = record({}, 450, "0-1-45");
  ask(0);
  const RewindPlan p = planned();
  EXPECT_EQ(p.state.position.to_string(), "binlog.000003:450");
  EXPECT_TRUE(p.state.last[0].is_zero());
}

TEST_F(PlanRewindTest, NoDumpBeginsBeyondFourGigabytesOfAFile) {
  saved_.position = {"binlog.000005", 1000};
  records_[0] = record(id(400), 0x1'0000'0010ULL, "0-1-45");
  ask(0);
  const RewindPlan p = planned();
  EXPECT_THAT(looked_for_, ElementsAre("binlog.000003:4"));
  EXPECT_EQ(p.state.position.to_string(), "binlog.000003:4");
}

TEST_F(PlanRewindTest, WhoHasMovedOnSinceNeedsNothing) {
  requests_.push_back({kPartitions, 0, id(400)});    // it is at 900 now
  requests_.push_back({kPartitions + 1, 1, id(1)});  // of other partitions
  requests_.push_back({kPartitions, kPartitions, id(1)});
  records_[2].reset();  // its applier will say that it is gone
  ask(2);
  const auto p = plan();
  ASSERT_TRUE(p.ok()) << to_string(p.error());
  EXPECT_FALSE(*p);
}

TEST_F(PlanRewindTest, ARecordOfAnEpochThatIsOverIsAnError) {
  records_[0] = record(id(400, 3, 1), 450, "0-1-45", 3, 1);
  ask(0);
  const auto p = plan();
  ASSERT_FALSE(p.ok());
  EXPECT_EQ(p.error().cls, ErrorClass::fatal);
  EXPECT_EQ(p.error().code, Errc::pipeline_gap);
  EXPECT_THAT(p.error().what, HasSubstr("of epoch 1"));
  EXPECT_THAT(p.error().what, HasSubstr("sluice reset"));
}

// Rows of before the new epoch that its binlog brings again stay left out.
TEST_F(PlanRewindTest, TheOverlapOfTheEpochIsKept) {
  records_[0] = record(id(400), 450, "0-1-45");
  records_[1] = record(id(8000, 9, 1), 950, "0-1-95");  // no row of this epoch yet
  records_[1]->gtid = "0-1-47";
  records_[2] = record(id(7000, 9, 1), 950, "0-1-95");
  records_[2]->gtid = "0-1-44";
  saved_.last[1] = records_[1]->id;
  ask(0);
  const RewindPlan p = planned();
  ASSERT_EQ(p.state.overlap.size(), kPartitions);
  EXPECT_FALSE(p.state.overlap[0]);
  EXPECT_EQ(p.state.overlap[1], (position::OverlapMark{"0-1-47", 4}));
  EXPECT_FALSE(p.state.overlap[2]) << "the place is behind it";
  EXPECT_EQ(p.state.last[1], records_[1]->id);
}

}  // namespace
}  // namespace sluice::pipeline
