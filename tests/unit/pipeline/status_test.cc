#include "pipeline/status.h"

#include <functional>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/fakes.h"

namespace sluice::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class StatusTest : public ::testing::Test {
 protected:
  // All is well.
  StatusTest() : line_(counters_, health_, clock_) {
    health_.source = Health::Link::up;
    health_.queue = Health::Link::up;
    health_.appliers_up = 2;
    health_.source_timestamp = static_cast<std::uint32_t>(clock_.wall_us() / 1'000'000);
    in_.outbox.read = {"binlog.000003", 1234};
    in_.watermark = watermark(std::chrono::seconds(0));
    in_.dead = 0;
  }
  position::Watermark watermark(std::chrono::milliseconds age) const {
    const std::int64_t es_ms = clock_.wall_us() / 1000 - age.count();
    return {{1, 3, 1000, "binlog.000003", "", es_ms}, es_ms};
  }

  ops::Counters counters_;
  Health health_;
  testing::FakeClock clock_;
  StatusLine line_;
  StatusLine::Inputs in_;
};

TEST_F(StatusTest, InStepWhenAllIsReadAndTheWatermarkIsYoung) {
  EXPECT_EQ(line_.state(in_), RunState::in_step);
}

TEST_F(StatusTest, AQueueForDdlThatTakesNothingIsSaid) {
  health_.ddl_refused = true;
  EXPECT_EQ(line_.state(in_), RunState::queue_blocked);
}

TEST_F(StatusTest, AFullQueueOfAPartitionIsSaid) {
  health_.refused_partitions = 1;
  EXPECT_EQ(line_.state(in_), RunState::queue_blocked);
}

TEST_F(StatusTest, WithDeadLettersNothingIsInStep) {
  in_.dead = 3;
  EXPECT_EQ(line_.state(in_), RunState::diverged);
  EXPECT_THAT(line_.compose(in_), HasSubstr(" dead=3 "));
  in_.dead.reset();
  EXPECT_EQ(line_.state(in_), RunState::catching_up) << "not known yet";
  EXPECT_THAT(line_.compose(in_), HasSubstr(" dead=? "));
}

TEST_F(StatusTest, MessagesThatCameTwiceAreCounted) {
  counters_.publish_resends = 3;
  counters_.repeats_skipped = 2;
  counters_.messages_overlapping = 1;
  EXPECT_THAT(line_.compose(in_), HasSubstr(" resends=3 repeats=2 overlaps=1"));
}

TEST_F(StatusTest, LettersThatTheBrokerDoesNotTakeAreSaid) {
  health_.letters_waiting = true;
  EXPECT_EQ(line_.state(in_), RunState::queue_blocked);
}

TEST_F(StatusTest, TellsTheWorstOfWhatHolds) {
  // From the least to the worst; each stays when the next one comes.
  const std::vector<std::pair<RunState, std::function<void()>>> worse = {
      {RunState::catching_up, [&] { in_.watermark = watermark(std::chrono::seconds(60)); }},
      {RunState::standby, [&] { in_.standing_by = true; }},
      {RunState::diverged, [&] { in_.dead = 1; }},
      {RunState::disk_full, [&] { health_.disk_full = true; }},
      {RunState::queue_blocked, [&] { health_.broker_blocked = true; }},
      {RunState::redis_lost, [&] { health_.appliers_lost = 1; }},
      {RunState::replicas_missing, [&] { health_.appliers_short = 1; }},
      {RunState::queue_lost, [&] { health_.queue = Health::Link::lost; }},
      {RunState::source_lost, [&] { health_.source = Health::Link::lost; }},
      {RunState::starting, [&] { health_.queue = Health::Link::connecting; }},
      {RunState::gap, [&] { health_.waiting_gaps = 1; }},
      {RunState::rewind, [&] { health_.going_back = true; }},
      {RunState::rewind, [&] { health_.rewinding = 1; }},
      {RunState::stopping, [&] { in_.stopping = true; }},
  };
  for (const auto& [state, happen] : worse) {
    happen();
    EXPECT_EQ(line_.state(in_), state) << state_name(state);
  }
}

TEST_F(StatusTest, AnOldWatermarkIsNotInStepThoughNothingWaitsForTheBroker) {
  in_.outbox.waiting_bytes = 0;
  in_.backlog = 5000;
  in_.watermark = watermark(std::chrono::hours(1));
  EXPECT_EQ(line_.state(in_), RunState::catching_up);
}

TEST_F(StatusTest, WithoutAWatermarkNothingIsInStep) {
  in_.watermark.reset();
  EXPECT_NE(line_.state(in_), RunState::in_step);
}

TEST_F(StatusTest, ReadingFarBehindTheSourceIsNotInStep) {
  health_.source_timestamp = health_.source_timestamp.load() - 3600;
  EXPECT_EQ(line_.state(in_), RunState::catching_up);
  EXPECT_THAT(line_.compose(in_), HasSubstr(" behind_s=3599.0 "));
}

TEST_F(StatusTest, AnIdleSourceIsNotBehind) {
  health_.source_timestamp = health_.source_timestamp.load() - 3600;
  health_.source_idle = true;
  EXPECT_THAT(line_.compose(in_), HasSubstr(" behind_s=0.0 "));
  EXPECT_EQ(line_.state(in_), RunState::in_step);
}

TEST_F(StatusTest, WhoReadsNothingIsNotSaidToBeUpToDate) {
  in_.outbox.read = {};
  EXPECT_THAT(line_.compose(in_), HasSubstr(" source=- gtid=- behind_s=- "));
}

TEST_F(StatusTest, ASourceClockAheadOfOursIsNotANegativeDelay) {
  health_.source_timestamp = health_.source_timestamp.load() + 100;
  in_.watermark = watermark(-std::chrono::seconds(100));
  const std::string line = line_.compose(in_);
  EXPECT_THAT(line, HasSubstr(" behind_s=0.0 "));
  EXPECT_THAT(line, HasSubstr(" watermark_age_s=0.0 "));
}

TEST_F(StatusTest, RatesAreThoseSinceTheLineBefore) {
  (void)line_.compose(in_);
  counters_.rows_read += 1000;
  counters_.rows_applied += 500;
  clock_.go(std::chrono::seconds(10));
  std::string line = line_.compose(in_);
  EXPECT_THAT(line, HasSubstr(" read_rows_s=100 "));
  EXPECT_THAT(line, HasSubstr(" applied_rows_s=50 "));
  EXPECT_THAT(line, HasSubstr(" rows_applied=500 "));
  clock_.go(std::chrono::seconds(10));
  line = line_.compose(in_);
  EXPECT_THAT(line, HasSubstr(" read_rows_s=0 "));
}

TEST_F(StatusTest, SaysWhatItDoesNotKnow) {
  in_.watermark.reset();
  in_.backlog.reset();
  const std::string line = line_.compose(in_);
  EXPECT_THAT(line, HasSubstr(" gtid=- "));
  EXPECT_THAT(line, HasSubstr(" backlog_messages=? "));
  EXPECT_THAT(line, HasSubstr(" watermark=- watermark_age_s=? "));
  EXPECT_THAT(line, HasSubstr(" commit_to_redis_p50_s=- "));
}

TEST_F(StatusTest, TheLineBeginsWithStateAndPlace) {
  EXPECT_THAT(line_.compose(in_), StartsWith("state=IN_STEP source=binlog.000003:1234 "));
}

TEST_F(StatusTest, AHostThatOnlyAppliesGoesByTheWatermark) {
  health_.source = health_.queue = Health::Link::elsewhere;
  in_.outbox = {};
  in_.hosts = 2;
  EXPECT_EQ(line_.state(in_), RunState::in_step);
  EXPECT_THAT(line_.compose(in_), StartsWith("state=IN_STEP source=- gtid=- "));
  EXPECT_THAT(line_.compose(in_), HasSubstr(" hosts=2 "));
  in_.watermark = watermark(std::chrono::seconds(60));
  EXPECT_EQ(line_.state(in_), RunState::catching_up);
}

TEST_F(StatusTest, AHostThatOnlyPublishesHasNoAppliersToWaitFor) {
  health_.appliers_up = 0;
  EXPECT_EQ(line_.state(in_), RunState::starting);
  in_.applies = false;
  EXPECT_EQ(line_.state(in_), RunState::in_step);
}

TEST_F(StatusTest, EachStateHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int s = 0; s <= static_cast<int>(RunState::in_step); ++s)
    names.insert(state_name(static_cast<RunState>(s)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(RunState::in_step) + 1);
}

}  // namespace
}  // namespace sluice::pipeline
