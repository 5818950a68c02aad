#include "pipeline/barrier.h"

#include <memory>

#include <gtest/gtest.h>

namespace sluice::pipeline {
namespace {

using Records = std::vector<std::optional<position::AppliedRecord>>;

position::AppliedRecord applied(std::uint64_t pos) {
  position::AppliedRecord record;
  record.id = {1, 1, pos, 0, 0, 0};
  return record;
}

class BarrierTest : public testing::Test {
 protected:
  // Rows were sent to the first two of three partitions.
  Wakeup wakeup_;
  Outbox outbox_{
      {3, 1U << 20, 1U << 20},
      {std::make_shared<SourceFile>(), 4, "", {{1, 1, 10, 0, 0, 0}, {1, 1, 20, 0, 0, 0}, {}}},
      GtidSet(Flavor::mariadb),
      wakeup_};
  std::stop_source stop_;
};

TEST_F(BarrierTest, LetsPassWhenRedisHasTheLastRowOfEachPartition) {
  const std::vector<Result<Records>> answers{Records{std::nullopt, applied(20), std::nullopt},
                                             retry(Errc::redis_lost, "away"),
                                             Records{applied(10), applied(19), std::nullopt},
                                             Records{applied(10), applied(21), applied(1)}};
  std::size_t asked = 0;
  const Barrier barrier(outbox_, [&] { return answers.at(asked++); });
  const Status s = barrier.pass(stop_.get_token());
  EXPECT_TRUE(s.ok()) << to_string(s.error());
  EXPECT_EQ(asked, answers.size());
}

TEST_F(BarrierTest, IsGivenUpWhenStoppedOrRefused) {
  const Barrier stopped(outbox_, [&]() -> Result<Records> {
    stop_.request_stop();
    return Records(3);
  });
  EXPECT_EQ(stopped.pass(stop_.get_token()).error().cls, ErrorClass::stopped);
  const Barrier refused(
      outbox_, []() -> Result<Records> { return fatal(Errc::position_damaged, "not ours"); });
  EXPECT_EQ(refused.pass({}).error().code, Errc::position_damaged);
}

}  // namespace
}  // namespace sluice::pipeline
