#include <algorithm>
#include <random>

#include <gmock/gmock.h>

#include "unit/pipeline/applier_fixture.h"

namespace sluice::pipeline {
namespace {

using testing::ApplierTest;
using ::testing::ElementsAre;
using testing::FakeBroker;
using testing::FakeConsumer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPartitions;
using testing::Message;
using testing::message;
using testing::with_tick;

TEST_F(ApplierTest, AppliesRowsAndRecordInOneTransactionAndThenAcks) {
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 0, 1), 2}}));
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:2"));
  EXPECT_EQ(redis_.keys["db:t:1"].fields["id"], "1");
  EXPECT_EQ(record(0).id, id(100, 0, 1));
  EXPECT_EQ(record(0).gtid, "0-1-1");
  EXPECT_EQ(record(0).layout, "l1");
  EXPECT_EQ(broker_.partitions[0].acks, 1);
  EXPECT_EQ(redis_.execs, 1);
  EXPECT_EQ(counters_.rows_applied.load(), 2u);
}

TEST_F(ApplierTest, ARepeatIsAckedAndNotApplied) {
  applied_before(0, id(200));
  broker_.put(0, message(id(50), {{id(100), 1}, {id(200), 2}}));
  run_to_the_end();
  EXPECT_THAT(redis_.written, IsEmpty());
  EXPECT_EQ(redis_.execs, 0);
  EXPECT_EQ(broker_.partitions[0].acks, 1);
  EXPECT_EQ(counters_.repeats_skipped.load(), 1u);
}

TEST_F(ApplierTest, OfAMessageThatOverlapsOnlyTheRowsAboveAreApplied) {
  applied_before(0, id(100, 0, 1));
  broker_.put(
      0, message(id(50), {{id(100), 1}, {id(100, 0, 1), 2}, {id(100, 0, 2), 3}, {id(200), 4}}));
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:3", "db:t:4"));
  EXPECT_EQ(record(0).id, id(200));
  EXPECT_EQ(counters_.messages_overlapping.load(), 1u);
  EXPECT_EQ(counters_.repeats_skipped.load(), 0u);
}

TEST_F(ApplierTest, AGapIsNeitherAppliedNorAckedAndItsChannelIsClosedUntilPatienceEnds) {
  settings_.rewind = false;
  applied_before(0, id(100));
  broker_.put(0, message(id(150), {{id(200), 1}}));
  broker_.patience = std::chrono::seconds(60);
  const auto began = clock_.steady();
  const Error error = run_to_an_error();
  EXPECT_EQ(error.cls, ErrorClass::fatal);
  EXPECT_EQ(error.code, Errc::pipeline_gap);
  EXPECT_THAT(error.what, HasSubstr(id(100).to_string()));
  EXPECT_THAT(error.what, HasSubstr(id(150).to_string()));
  EXPECT_GE(clock_.steady() - began, settings_.gap_patience);
  EXPECT_THAT(redis_.written, IsEmpty());
  EXPECT_EQ(broker_.partitions[0].acks, 0);
  EXPECT_EQ(left(0), 1u) << "still in the queue";
  EXPECT_GT(broker_.partitions[0].stops, 2) << "looked at again and again";
  EXPECT_EQ(counters_.gaps.load(), 1u);
}

TEST_F(ApplierTest, AGapThatClosesInTimeIsNoError) {
  applied_before(0, id(100));
  broker_.put(0, message(id(150), {{id(200), 1}}));
  bool seen = false;
  broker_.before_next = [this, &seen] {
    if (broker_.partitions[0].stops != 2) return;
    seen = seen || health_.waiting_gaps.load() == 1;
    if (record(0).id < id(150)) applied_before(0, id(150));  // the other applier was just late
  };
  run_to_the_end();
  EXPECT_TRUE(seen);
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1"));
  EXPECT_EQ(left(0), 0u);
}

TEST_F(ApplierTest, AGapHoldsOnlyItsOwnPartition) {
  settings_.rewind = false;
  applied_before(0, id(100));
  broker_.put(0, message(id(150), {{id(200), 1}}));
  for (int i = 0; i < 5; ++i)
    broker_.put(1, message(i == 0 ? EventId{} : id(static_cast<std::uint64_t>(i)),
                           {{id(static_cast<std::uint64_t>(i) + 1), 10 + i}}));
  broker_.patience = std::chrono::seconds(60);
  EXPECT_EQ(run_to_an_error().code, Errc::pipeline_gap);
  EXPECT_EQ(redis_.written.size(), 5u);
  EXPECT_EQ(left(1), 0u);
}

TEST_F(ApplierTest, ARecordThatIsGoneWhileRowsWereSentIsAGap) {
  broker_.put(0, message(id(150), {{id(200), 1}}));
  broker_.patience = std::chrono::seconds(60);
  const Error error = run_to_an_error();
  EXPECT_EQ(error.code, Errc::pipeline_gap);
  EXPECT_THAT(error.what, HasSubstr("lost its data set"));
}

TEST_F(ApplierTest, ATickCountsOnlyWhenWhatIsBeforeItIsApplied) {
  settings_.rewind = false;
  applied_before(0, id(100));
  Message tick = message(id(150), {});
  broker_.put(0, with_tick(tick, 500));
  broker_.patience = std::chrono::seconds(60);
  EXPECT_EQ(run_to_an_error().code, Errc::pipeline_gap);
  EXPECT_EQ(record(0).tick.pos, 0u);
}

TEST_F(ApplierTest, TicksAreRecordedAndNeverGoBackwards) {
  Message m = message({}, {{id(100), 1}});
  broker_.put(0, with_tick(m, 500));
  Message older = message(id(100), {});
  broker_.put(0, with_tick(older, 400));
  run_to_the_end();
  EXPECT_EQ(record(0).tick.pos, 500u);
  EXPECT_EQ(record(0).tick.gtid_set, "0-1-9");
  EXPECT_EQ(record(0).id, id(100));
  EXPECT_EQ(left(0), 0u) << "acked all the same";
  Message newer = message(id(100), {});
  broker_.put(0, with_tick(newer, 4, 2));
  run_to_the_end();
  EXPECT_EQ(record(0).tick.file_number, 2u) << "a lower place in a later file is later";
  EXPECT_EQ(record(0).id, id(100));
}

TEST_F(ApplierTest, ATickAloneIsRecordedOnAnEmptyRedisToo) {
  Message tick = message({}, {});
  broker_.put(1, with_tick(tick, 500));
  run_to_the_end();
  EXPECT_EQ(record(1).tick.pos, 500u);
  EXPECT_TRUE(record(1).id.is_zero());
  EXPECT_EQ(record(1).layout, "l1");
}

TEST_F(ApplierTest, CountsTheRowsOfATransactionOverItsMessages) {
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}}));
  broker_.put(0, message(id(100, 1), {{id(100, 2), 3}}));
  run_to_the_end();
  EXPECT_EQ(record(0).ordinal, 3u);
  broker_.put(0, message(id(100, 2), {{id(100, 3), 4}, {id(200), 5}, {id(200, 1), 6}}));
  run_to_the_end();
  EXPECT_EQ(record(0).ordinal, 2u) << "of the last transaction";
}

TEST_F(ApplierTest, AnExecLostAfterItWasDoneChangesNothingWhenItComesAgain) {
  broker_.put(0, message({}, {{id(100), 1}}));
  broker_.put(0, message(id(100), {{id(200), 2}}));
  redis_.lose_after_exec = 1;
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:2"));
  EXPECT_EQ(left(0), 0u);
  EXPECT_EQ(redis_.opened, 2);
}

TEST_F(ApplierTest, AnExecLostBeforeItWasDoneIsDoneWhenItComesAgain) {
  broker_.put(0, message({}, {{id(100), 1}}));
  broker_.put(0, message(id(100), {{id(200), 2}}));
  redis_.lose_before_exec = 2;
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:2"));
  EXPECT_EQ(left(0), 0u);
}

TEST_F(ApplierTest, AnAbortedExecIsLookedAtAgain) {
  broker_.put(0, message({}, {{id(100), 1}}));
  redis_.abort_execs = 3;
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1"));
  EXPECT_EQ(redis_.execs, 4);
}

TEST_F(ApplierTest, ARecordThatIsAlwaysWrittenBySomebodyElseEndsInAnError) {
  broker_.put(0, message({}, {{id(100), 1}}));
  redis_.abort_execs = 1000;
  EXPECT_EQ(run_to_an_error().code, Errc::position_mismatch);
  EXPECT_EQ(broker_.partitions[0].acks, 0);
}

// An applier that wakes up late: another one has applied the message after its GET.
TEST_F(ApplierTest, ALateApplierIsFencedByTheRecord) {
  broker_.put(0, message({}, {{id(100), 1}}));
  broker_.put(0, message(id(100), {{id(200), 2}}));
  broker_.before_next = [this] {
    // Between the fence that rode behind the first EXEC and the second message's step.
    if (redis_.written.size() == 1 && record(0).id == id(100) && redis_.execs == 1)
      applied_before(0, id(200));
  };
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1")) << "the other one's write stands";
  EXPECT_EQ(record(0).id, id(200));
  EXPECT_EQ(left(0), 0u);
}

TEST_F(ApplierTest, AFullRedisIsWaitedFor) {
  broker_.put(0, message({}, {{id(100), 1}}));
  redis_.oom = 2;
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1"));
  EXPECT_EQ(redis_.opened, 3);
}

TEST_F(ApplierTest, WhileRedisHangsNothingIsHeldAndNothingIsConsumed) {
  settings_.stall_after = std::chrono::seconds(60);
  applied_before(1, id(50));  // what the probe finds need not be a hash
  broker_.put(0, message({}, {{id(100), 1}}));
  broker_.put(0, message(id(100), {{id(200), 2}}));
  broker_.put(1, message(id(50), {{id(60), 3}}));
  const auto began = clock_.steady();
  broker_.before_next = [this, began] {
    if (clock_.steady() == began) redis_.paused_until = began + std::chrono::seconds(290);
  };
  run_to_the_end();
  EXPECT_THAT(redis_.written, ::testing::UnorderedElementsAre("db:t:1", "db:t:2", "db:t:3"));
  EXPECT_EQ(left(0) + left(1), 0u);
  EXPECT_EQ(redis_.opened, 5) << "one that hung, three probes that did, one that was answered";
  EXPECT_EQ(broker_.connected, 2) << "consumed anew only when Redis answers";
  EXPECT_EQ(broker_.served, 60) << "the broker heard of us while we waited";
  EXPECT_EQ(health_.appliers_lost.load(), 0u);
}

TEST_F(ApplierTest, ARedisThatHangsForLessIsWaitedFor) {
  settings_.stall_after = std::chrono::seconds(60);
  broker_.put(0, message({}, {{id(100), 1}}));
  redis_.paused_until = clock_.steady() + std::chrono::seconds(50);
  run_to_the_end();
  EXPECT_EQ(redis_.opened, 1);
  EXPECT_EQ(broker_.connected, 1);
  EXPECT_EQ(broker_.served, 50);
  EXPECT_EQ(left(0), 0u);
}

TEST_F(ApplierTest, AnotherLayoutIsRefused) {
  applied_before(0, id(100));
  settings_.layout = "l2";
  broker_.put(0, message(id(100), {{id(200), 1}}));
  const Error error = run_to_an_error();
  EXPECT_EQ(error.code, Errc::position_mismatch);
  EXPECT_THAT(redis_.written, IsEmpty());
  EXPECT_EQ(left(0), 1u);
}

TEST_F(ApplierTest, ARecordThatIsNotOursIsRefused) {
  redis_.put(key(0), "hello");
  broker_.put(0, message({}, {{id(100), 1}}));
  EXPECT_EQ(run_to_an_error().code, Errc::position_damaged);
  redis_.keys[key(0)] = {true, "", {{"a", "b"}}};
  EXPECT_EQ(run_to_an_error().cls, ErrorClass::poison) << "a hash: GET is refused";
  EXPECT_EQ(left(0), 1u);
}

TEST_F(ApplierTest, HeadersThatContradictTheBodyAreRefused) {
  settings_.on_refused = OnRefused::stop;
  const std::vector<std::pair<EventId, int>> rows = {{id(100), 1}, {id(100, 1), 2}};
  std::vector<Message> bad(5, message(id(50), rows));
  bad[0].headers.rows = 3;
  bad[1].headers.last = id(300);
  bad[2].headers.first = id(90);
  bad[3] = message(id(50), {{id(100, 1), 2}, {id(100), 1}});
  bad[3].headers.last = id(100, 1);
  bad[4].body = "{\"no\": \"line\"}\n";
  for (std::size_t i = 0; i < bad.size(); ++i) {
    SCOPED_TRACE("message " + std::to_string(i));
    applied_before(0, id(50));
    redis_.written.clear();
    broker_.partitions[0].ready.clear();
    broker_.put(0, bad[i]);
    const Error error = run_to_an_error();
    EXPECT_EQ(error.cls, ErrorClass::fatal);
    EXPECT_EQ(error.code, Errc::queue_message) << error.what;
    EXPECT_THAT(redis_.written, IsEmpty());
    EXPECT_EQ(left(0), 1u);
  }
}

TEST_F(ApplierTest, ALostBrokerBringsTheMessagesAgain) {
  for (int lose = 1; lose < 5; ++lose) {
    broker_.partitions = std::vector<FakeBroker::Partition>(kPartitions);
    redis_ = {};
    broker_.put(0, message({}, {{id(100), 1}}));
    broker_.put(0, message(id(100), {{id(200), 2}}));
    broker_.lose_at_next = lose;
    run_to_the_end();
    EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:2")) << "lost at " << lose;
    EXPECT_EQ(left(0), 0u);
  }
}

// Whatever happens, in whatever order: each row is applied once, in its partition's order.
TEST_F(ApplierTest, EachRowIsAppliedOnceAndInOrderWhateverHappens) {
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    broker_.partitions = std::vector<FakeBroker::Partition>(kPartitions);
    redis_ = {};
    std::vector<std::vector<std::string>> expected(kPartitions);
    int value = 0, faults = 6;
    for (std::uint32_t p = 0; p < kPartitions; ++p) {
      std::vector<std::pair<EventId, int>> all;
      for (std::uint64_t pos = 100; pos < 160; ++pos)
        for (std::uint64_t e = 0; e <= random() % 3; ++e) {
          all.emplace_back(id(pos, e, p), ++value);
          expected[p].push_back("db:t:" + std::to_string(value));
        }
      // Cut into messages; the publisher goes back now and then, and cuts anew.
      std::size_t at = 0, most = 0;
      while (at < all.size()) {
        const std::size_t count = std::min<std::size_t>(1 + random() % 7, all.size() - at);
        std::vector<std::pair<EventId, int>> rows(
            all.begin() + static_cast<std::ptrdiff_t>(at),
            all.begin() + static_cast<std::ptrdiff_t>(at + count));
        Message m = message(at == 0 ? EventId{} : all[at - 1].first, rows);
        if (random() % 4 == 0) with_tick(m, all[at + count - 1].first.pos);
        broker_.put(p, m);
        if (random() % 6 == 0) broker_.put(p, std::move(m));  // of unknown fate: sent twice
        at += count;
        most = std::max(most, at);
        if (random() % 10 == 0) at -= std::min<std::size_t>(at, random() % 12);
      }
    }
    broker_.before_next = [&] {
      if (faults == 0 || random() % 12 != 0) return;
      --faults;
      switch (random() % 5) {
        case 0: redis_.lose_before_exec = 1; break;
        case 1: redis_.lose_after_exec = 1; break;
        case 2: redis_.abort_execs = 1 + static_cast<int>(random() % 3); break;
        case 3: broker_.lose_at_next = 2; break;
        default: {  // the broker closes a channel
          broker_.give_back(broker_.partitions[random() % kPartitions]);
        }
      }
    };
    run_to_the_end();
    for (std::uint32_t p = 0; p < kPartitions; ++p) {
      std::vector<std::string> got;
      for (const std::string& k : redis_.written)
        if (std::find(expected[p].begin(), expected[p].end(), k) != expected[p].end())
          got.push_back(k);
      EXPECT_EQ(got, expected[p]);
      EXPECT_EQ(left(p), 0u);
    }
  }
  broker_.before_next = nullptr;
}

TEST_F(ApplierTest, LetsGoOfAPartitionBetweenTwoStepsAndItsMessagesGoBack) {
  for (std::uint64_t n = 0; n < 4; ++n)
    for (std::uint32_t p : {0u, 1u})
      broker_.put(p, message(n == 0 ? EventId{} : id(n * 100), {{id((n + 1) * 100), 1}}));
  int calls = 0;
  broker_.before_next = [&] {
    if (++calls == 3) shares_.spread(2);  // partition 1 is to go
  };
  run_to_the_end();
  EXPECT_EQ(record(0).id, id(400)) << "what stays is applied to the end";
  EXPECT_FALSE(broker_.partitions[1].consumed);
  EXPECT_EQ(broker_.partitions[1].stops, 1);
  EXPECT_EQ(left(1) + static_cast<std::size_t>(broker_.partitions[1].acks), 4u) << "none is lost";
  EXPECT_GT(left(1), 0u);
  settings_.thread = 1;
  run_to_the_end();
  EXPECT_EQ(record(1).id, id(400));
  EXPECT_EQ(left(1), 0u);
  EXPECT_EQ(counters_.rows_applied.load(), 8u) << "each once";
}

TEST_F(ApplierTest, EndsWhenItsShareIsOver) {
  broker_.patience = std::chrono::hours(1);
  settings_.thread = 1;
  shares_.spread(2);
  broker_.before_next = [&] { shares_.spread(1); };
  run_to_the_end();
  EXPECT_TRUE(shares_.retired(1));
  EXPECT_THAT(shares_.claim(0), ElementsAre(0, 1)) << "what it had can be had";
}

TEST_F(ApplierTest, LetsGoOfItsShareAlsoWhileRedisIsAway) {
  int calls = 0;
  settings_.thread = 1;
  shares_.spread(2);
  Applier applier(
      settings_,
      {[this]() -> Result<std::unique_ptr<queue::Consumer>> {
         return std::unique_ptr<queue::Consumer>(std::make_unique<FakeConsumer>(broker_));
       },
       [&]() -> Result<std::unique_ptr<redis::Connection>> {
         if (++calls == 2) shares_.spread(1);
         return retry(Errc::redis_lost, "no Redis");
       },
       {},
       {}},
      shares_, *unsettled_, counters_, health_, clock_);
  const Status s = applier.run(broker_.stop.get_token());
  EXPECT_EQ(s.error().cls, ErrorClass::stopped) << to_string(s.error());
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(health_.appliers_lost.load(), 0u);
  EXPECT_TRUE(shares_.retired(1));
}

}  // namespace
}  // namespace sluice::pipeline
