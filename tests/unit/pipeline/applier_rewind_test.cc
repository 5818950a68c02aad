// A Redis that came back older or empty, as an applier sees it.
#include <gmock/gmock.h>

#include "pipeline/outbox.h"
#include "unit/pipeline/applier_fixture.h"

namespace sluice::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPartitions;
using testing::message;

class ApplierRewindTest : public testing::ApplierTest {
 protected:
  ApplierRewindTest() { broker_.patience = std::chrono::seconds(30); }
  RewindRequest request(std::uint32_t n, const EventId& applied) const {
    return {settings_.partitions, n, applied};
  }
  // Redis has row 100, the queue goes on behind 150.
  void come_back_older() {
    applied_before(0, id(100));
    broker_.put(0, message(id(150), {{id(200), 2}}));
    broker_.put(0, message(id(200), {{id(300), 3}}));
  }
  // What the leader does when it has the request.
  void send_again(bool& sent) {
    if (asked_.empty() || std::exchange(sent, true)) return;
    broker_.put(0, message(id(100), {{id(150), 1}, {id(200), 2}}));
    broker_.put(0, message(id(200), {{id(300), 3}}));
  }
};

TEST_F(ApplierRewindTest, WhatLiesBeyondAGapIsDiscardedOnceItWasAskedFor) {
  come_back_older();
  const auto began = clock_.steady();
  broker_.before_next = [&] {
    if (!asked_.empty()) return;
    EXPECT_EQ(broker_.partitions[0].acks, 0) << "not asked for yet";
    EXPECT_EQ(health_.rewinding.load(), 0u);
  };
  run_to_the_end();
  EXPECT_THAT(asked_, ElementsAre(request(0, id(100))));
  EXPECT_GE(clock_.steady() - began, settings_.gap_patience);
  EXPECT_THAT(redis_.written, IsEmpty());
  EXPECT_EQ(left(0), 0u);
  EXPECT_EQ(record(0).id, id(100));
  EXPECT_EQ(counters_.messages_discarded.load(), 2u);
  EXPECT_EQ(counters_.gaps.load(), 1u);
}

TEST_F(ApplierRewindTest, WhatIsSentAgainIsAppliedEachRowOnce) {
  come_back_older();
  bool sent = false, seen = false;
  broker_.before_next = [&] {
    seen = seen || health_.rewinding.load() == 1;
    send_again(sent);
  };
  run_to_the_end();
  EXPECT_TRUE(seen);
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:2", "db:t:3"));
  EXPECT_EQ(record(0).id, id(300));
  EXPECT_EQ(asked_.size(), 1u);
}

// What is sent again may come in other messages than before, and behind rows that are there.
TEST_F(ApplierRewindTest, OldMessagesThatFitAreAsGoodAsNewOnes) {
  come_back_older();
  bool sent = false;
  broker_.before_next = [&] {
    if (asked_.empty() || std::exchange(sent, true)) return;
    const EventId border{1, 1, 49, 0, 0, 0};
    broker_.put(0, message(border, {{id(50), 7}, {id(100), 8}, {id(150), 1}}));
    broker_.put(0, message(id(150), {{id(200), 2}}));
    broker_.put(0, message(id(150), {{id(200), 2}}));
  };
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:2"));
  EXPECT_EQ(record(0).id, id(200));
}

TEST_F(ApplierRewindTest, NothingIsDiscardedWhileTheRequestIsNotConfirmed) {
  come_back_older();
  ask_fails_ = 5;
  bool failed = false;
  broker_.before_next = [&] {
    if (ask_fails_ == 5 || ask_fails_ == 0) return;
    failed = true;
    EXPECT_EQ(broker_.partitions[0].acks, 0);
    EXPECT_EQ(counters_.messages_discarded.load(), 0u);
  };
  run_to_the_end();
  EXPECT_TRUE(failed);
  EXPECT_EQ(asked_.size(), 1u);
  EXPECT_EQ(counters_.messages_discarded.load(), 2u);
}

TEST_F(ApplierRewindTest, AnotherOneAsksAgainWhenThisOneDiesInTheMiddle) {
  come_back_older();
  bool died = false;
  broker_.before_next = [&] {
    if (counters_.messages_discarded.load() == 1 && !std::exchange(died, true))
      broker_.lose_at_next = 1;
  };
  run_to_the_end();
  EXPECT_TRUE(died);
  EXPECT_THAT(asked_, ElementsAre(request(0, id(100)), request(0, id(100))));
  EXPECT_EQ(left(0), 0u);
}

TEST_F(ApplierRewindTest, ARedisThatGoesBackTwiceIsAskedForTwice) {
  come_back_older();
  bool sent = false, restored = false;
  broker_.before_next = [&] {
    send_again(sent);
    if (!sent || record(0).id != id(300) || std::exchange(restored, true)) return;
    applied_before(0, id(100));  // the same copy once more
    broker_.put(0, message(id(300), {{id(400), 4}}));
  };
  run_to_the_end();
  EXPECT_TRUE(restored);
  EXPECT_THAT(asked_, ElementsAre(request(0, id(100)), request(0, id(100))));
  EXPECT_EQ(record(0).id, id(100));
}

TEST_F(ApplierRewindTest, AnotherPlaceIsAskedForBeforeMoreIsDiscarded) {
  come_back_older();
  for (std::uint64_t pos = 300; pos < 1000; pos += 100)
    broker_.put(0, message(id(pos), {{id(pos + 100), 1}}));
  broker_.before_next = [&] {
    if (counters_.messages_discarded.load() == 3 && record(0).id == id(100))
      applied_before(0, id(60));
    if (record(0).id != id(60) || asked_.size() == 2) return;
    EXPECT_EQ(counters_.messages_discarded.load(), 3u);
  };
  run_to_the_end();
  EXPECT_THAT(asked_, ElementsAre(request(0, id(100)), request(0, id(60))));
}

TEST_F(ApplierRewindTest, ARequestThatWasLostIsMadeAgainLater) {
  come_back_older();
  const auto began = clock_.steady();
  broker_.before_next = [&] {  // a tick a second
    if (clock_.steady() - began > std::chrono::seconds(200) || left(0) != 0) return;
    clock_.go(std::chrono::seconds(1));
    broker_.put(0, message(id(300), {}));
  };
  run_to_the_end();
  EXPECT_EQ(asked_.size(), 3u) << "after 3, 63 and 183 s";
}

// The publisher keeps no watch of its own: its ticks do.
TEST_F(ApplierRewindTest, AnIdleQueueShowsAnOlderRedisByItsTicks) {
  applied_before(0, id(100));
  applied_before(1, id(150));
  Wakeup publisher;
  const auto file = std::make_shared<SourceFile>(
      SourceFile{"binlog.000001", 1, 7, 8, std::make_shared<SourceEpoch>(SourceEpoch{1, {}})});
  Outbox outbox({kPartitions}, {file, 500, "", {id(150), id(150)}}, GtidSet(), publisher);
  outbox.tick(1);
  for (std::uint32_t n = 0; n < kPartitions; ++n) {
    const OutgoingMessage* m = outbox.take(n);
    ASSERT_NE(m, nullptr);
    broker_.put(n, {m->headers, std::string(m->body.view())});
  }
  run_to_the_end();
  EXPECT_THAT(asked_, ElementsAre(request(0, id(100)))) << "the other one is in step";
}

TEST_F(ApplierRewindTest, AnEmptyRedisHasLostItsDataSet) {
  come_back_older();
  redis_.keys.clear();
  const Error error = run_to_an_error();
  EXPECT_EQ(error.cls, ErrorClass::fatal);
  EXPECT_EQ(error.code, Errc::pipeline_gap);
  EXPECT_THAT(error.what, HasSubstr("lost its data set"));
  EXPECT_THAT(error.what, HasSubstr("sluice reset"));
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_THAT(redis_.written, IsEmpty());
  EXPECT_EQ(left(0), 2u) << "nothing is acked";
}

TEST_F(ApplierRewindTest, ARecordThatIsGoneAloneIsSaidSo) {
  come_back_older();
  redis_.keys.clear();
  applied_before(1, id(80));
  const Error error = run_to_an_error();
  EXPECT_EQ(error.code, Errc::pipeline_gap);
  EXPECT_THAT(error.what, HasSubstr("lost the record of this partition"));
  EXPECT_THAT(error.what, HasSubstr("those of 1 others are there"));
}

// Emptied while rows were asked for again.
TEST_F(ApplierRewindTest, ARedisThatIsEmptiedLaterIsNotRewound) {
  come_back_older();
  for (std::uint64_t pos = 300; pos < 1000; pos += 100)
    broker_.put(0, message(id(pos), {{id(pos + 100), 1}}));
  broker_.before_next = [&] {
    if (counters_.messages_discarded.load() == 3) redis_.keys.clear();
  };
  EXPECT_THAT(run_to_an_error().what, HasSubstr("lost its data set"));
  EXPECT_EQ(counters_.messages_discarded.load(), 3u);
}

TEST_F(ApplierRewindTest, APartitionThatNeverHadARowIsNoLoss) {
  testing::Message tick = message({}, {});
  broker_.put(0, testing::with_tick(tick, 500));
  broker_.put(0, message({}, {{id(200), 2}}));
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:2"));
  EXPECT_THAT(asked_, IsEmpty());
}

// Its record was there, of ticks alone, before the first row that is missing.
TEST_F(ApplierRewindTest, ARecordWithoutRowsIsGoneBackTo) {
  applied_before(0, {});
  broker_.put(0, message(id(150), {{id(200), 2}}));
  run_to_the_end();
  EXPECT_THAT(asked_, ElementsAre(request(0, EventId{})));
}

}  // namespace
}  // namespace sluice::pipeline
