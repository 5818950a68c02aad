// Messages are acked when others have their rows, too.
#include <gmock/gmock.h>

#include "unit/pipeline/applier_fixture.h"

namespace sluice::pipeline {
namespace {

using ::testing::ElementsAre;
using testing::message;
using namespace std::chrono_literals;

class ApplierReplicasTest : public testing::ApplierTest {
 protected:
  ApplierReplicasTest() {
    settings_.wait = {1, false, 1s};
    settings_.stall_after = 10s;
    redis_.replicas = 1;
    broker_.put(0, message({}, {{id(100), 1}}));
  }
  int acks() { return broker_.partitions[0].acks; }
};

TEST_F(ApplierReplicasTest, AMessageIsAckedAfterOneWaitInTheStepItself) {
  broker_.put(0, message(id(100), {{id(200), 2}}));
  redis_.on_wait = [this] { EXPECT_EQ(acks(), redis_.waits - 1); };
  run_to_the_end();
  EXPECT_EQ(redis_.execs, 2);
  EXPECT_EQ(redis_.waits, 2);
  EXPECT_EQ(acks(), 2);
}

TEST_F(ApplierReplicasTest, WithoutTheOptionNobodyIsWaitedFor) {
  settings_.wait = {};
  redis_.replicas = 0;
  run_to_the_end();
  EXPECT_EQ(redis_.waits, 0);
  EXPECT_EQ(acks(), 1);
}

TEST_F(ApplierReplicasTest, WhileThereAreTooFewItIsAskedAgainAndNothingIsAcked) {
  redis_.replicas = 0;
  const auto began = clock_.steady();
  redis_.on_wait = [this] {
    EXPECT_EQ(acks(), 0);
    EXPECT_EQ(health_.appliers_short.load(), redis_.waits > 1 ? 1u : 0u);
    if (redis_.waits == 4) redis_.replicas = 1;
  };
  run_to_the_end();
  EXPECT_EQ(redis_.waits, 4);
  EXPECT_GE(clock_.steady() - began, 3s) << "each takes its time";
  EXPECT_EQ(acks(), 1);
  EXPECT_EQ(broker_.connected, 1) << "the message was held";
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1"));
  EXPECT_EQ(health_.appliers_short.load(), 0u);
}

TEST_F(ApplierReplicasTest, AfterStallAfterTheMessageGoesBackUntilThereAreEnough) {
  redis_.replicas = 0;
  const auto began = clock_.steady();
  int at_probe = 0;
  redis_.on_wait = [&] {
    if (left(0) != 0 && broker_.partitions[0].unacked.empty()) {
      ++at_probe;
      EXPECT_EQ(health_.appliers_short.load(), 1u);
      EXPECT_EQ(health_.appliers_lost.load(), 1u);
      if (at_probe == 3) redis_.replicas = 1;
    }
  };
  run_to_the_end();
  EXPECT_EQ(at_probe, 3) << "Redis is asked before messages are";
  EXPECT_GE(clock_.steady() - began, 12s);
  EXPECT_EQ(broker_.connected, 2);
  EXPECT_EQ(acks(), 1);
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1")) << "a repeat";
  EXPECT_EQ(counters_.repeats_skipped.load(), 1u);
  EXPECT_EQ(health_.appliers_short.load(), 0u);
  EXPECT_EQ(health_.appliers_lost.load(), 0u);
}

// Its rows may be nowhere else: who wrote them did not live to see it.
TEST_F(ApplierReplicasTest, ARepeatIsAckedWhenItIsElsewhereToo) {
  applied_before(0, id(100));
  redis_.replicas = 0;
  redis_.on_wait = [this] {
    EXPECT_EQ(acks(), 0);
    if (redis_.waits == 3) redis_.replicas = 1;
  };
  run_to_the_end();
  EXPECT_EQ(redis_.waits, 3);
  EXPECT_EQ(acks(), 1);
  EXPECT_EQ(redis_.execs, 0);
  EXPECT_EQ(redis_.keys.count("sluice:main:probe"), 0u);
}

TEST_F(ApplierReplicasTest, AServerThatIsLostMeanwhileIsNotShortOfReplicasAnyMore) {
  redis_.replicas = 0;
  redis_.on_wait = [this] {
    if (redis_.waits == 3) redis_.lose_before_wait = 1;
    if (redis_.opened == 2) redis_.replicas = 1;
  };
  run_to_the_end();
  EXPECT_EQ(redis_.opened, 2);
  EXPECT_EQ(acks(), 1);
  EXPECT_EQ(health_.appliers_short.load(), 0u);
}

TEST_F(ApplierReplicasTest, AStopEndsTheWaitAndTheMessageStaysInItsQueue) {
  redis_.replicas = 0;
  redis_.on_wait = [this] {
    if (redis_.waits == 3) broker_.stop.request_stop();
  };
  run_to_the_end();
  EXPECT_EQ(redis_.waits, 3);
  EXPECT_EQ(acks(), 0);
  EXPECT_EQ(left(0), 1u);
  EXPECT_EQ(health_.appliers_short.load(), 0u);
}

}  // namespace
}  // namespace sluice::pipeline
