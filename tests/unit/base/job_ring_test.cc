#include "sluice/base/job_ring.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

struct Sum {
  std::vector<int> numbers;
  int total = 0;
  Status status;
  void reset() { *this = {}; }
};

class JobRingTest : public ::testing::TestWithParam<unsigned> {
 protected:
  JobRing<Sum> ring() {
    return JobRing<Sum>(
        GetParam(), "sum",
        [this] {
          ++workers;
          return [](Sum& job) {
            for (const int n : job.numbers) job.total += n;
            if (job.total < 0) job.status = fatal(Errc::internal, std::to_string(job.total));
          };
        },
        [this](Sum& job) -> Status {
          if (full) return stopped();
          if (job.status.ok()) totals.push_back(job.total);
          return {};
        });
  }
  std::atomic<int> workers{0};
  std::vector<int> totals;
  bool full = false;
};
INSTANTIATE_TEST_SUITE_P(Workers, JobRingTest, ::testing::Values(0U, 1U, 4U));

TEST_P(JobRingTest, HandsJobsOnInTheOrderTheyWereFilled) {
  auto ring = this->ring();
  std::vector<int> expected;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(ring.current().numbers.empty());
    ring.current().numbers = {i, i};
    expected.push_back(2 * i);
    ASSERT_TRUE(ring.submit().ok());
  }
  ASSERT_TRUE(ring.drain().ok());
  EXPECT_TRUE(ring.idle());
  EXPECT_EQ(totals, expected);
  EXPECT_LE(workers.load(), static_cast<int>(GetParam()) + 1);
}

TEST_P(JobRingTest, NothingComesBehindAJobThatFailed) {
  auto ring = this->ring();
  Status s;
  for (const int n : {1, 2, -3, 4, -5, 6}) {
    ring.current().numbers = {n};
    if (s = ring.submit(); !s.ok()) break;
  }
  if (s.ok()) s = ring.drain();
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::stopped);
  ASSERT_TRUE(ring.failure());
  EXPECT_EQ(ring.failure()->what, "-3");
  EXPECT_THAT(totals, testing::ElementsAre(1, 2));
}

TEST_P(JobRingTest, DropBeginsAnew) {
  auto ring = this->ring();
  ring.current().numbers = {-1};
  (void)ring.submit();
  ring.current().numbers = {5};
  ring.drop();
  EXPECT_TRUE(ring.idle());
  EXPECT_FALSE(ring.failure());
  EXPECT_TRUE(ring.current().numbers.empty());
  ring.current().numbers = {7};
  ASSERT_TRUE(ring.submit().ok());
  ASSERT_TRUE(ring.drain().ok());
  EXPECT_EQ(totals.back(), 7);
}

TEST_P(JobRingTest, DropsJobsThatAreBeingWorkedOn) {
  auto ring = this->ring();
  for (int round = 0; round < 200; ++round) {
    // One fewer than there are, so that none is waited for.
    for (std::size_t i = 1; i < JobRing<Sum>::count(GetParam()); ++i) {
      ring.current().numbers.assign(100, 1);
      ASSERT_TRUE(ring.submit().ok());
    }
    ring.drop();
    EXPECT_TRUE(ring.idle());
    EXPECT_TRUE(totals.empty());
  }
  ring.current().numbers = {3};
  ASSERT_TRUE(ring.submit().ok());
  ASSERT_TRUE(ring.drain().ok());
  EXPECT_THAT(totals, testing::ElementsAre(3));
}

// The only worker cannot go on before another job is worked off.
TEST(JobRing, TheOwnerWorksRatherThanWaits) {
  std::atomic<bool> worked{false};
  const auto owner = std::this_thread::get_id();
  std::vector<int> by_owner;
  JobRing<Sum> ring(
      1, "sum",
      [&] {
        return [&](Sum& job) {
          if (std::this_thread::get_id() == owner) {
            by_owner = job.numbers;
            worked = true;
            worked.notify_one();
          } else {
            worked.wait(false);
          }
        };
      },
      [](Sum&) { return Status(); });
  for (int i = 0; i < 3; ++i) {
    ring.current().numbers = {i};
    ASSERT_TRUE(ring.submit().ok());
  }
  ASSERT_TRUE(ring.drain().ok());
  EXPECT_FALSE(by_owner.empty());
}

TEST_P(JobRingTest, EndsWithJobsUnderWay) {
  auto ring = this->ring();
  full = true;
  for (int i = 0; i < 5; ++i) {
    ring.current().numbers = {i};
    if (!ring.submit().ok()) break;
  }
}

}  // namespace
}  // namespace sluice
