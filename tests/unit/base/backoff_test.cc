#include "sluice/base/backoff.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToTheMostWithJitterInTheUpperHalf) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Backoff b(100ms, 1s, seed);
    for (const auto cap : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
      const auto delay = b.next();
      EXPECT_GE(delay, cap / 2);
      EXPECT_LE(delay, cap);
    }
    EXPECT_EQ(b.attempts(), 6U);
  }
}

TEST(Backoff, ResetStartsOver) {
  Backoff b(100ms, 10s, 1);
  for (int i = 0; i < 5; ++i) b.next();
  b.reset();
  EXPECT_EQ(b.attempts(), 0U);
  EXPECT_LE(b.next(), 100ms);
}

TEST(Backoff, DifferentSeedsSpreadTheDelays) {
  Backoff a(10s, 10s, 1);
  Backoff b(10s, 10s, 2);
  EXPECT_NE(a.next(), b.next());
}

TEST(WaitFor, ReturnsAtOnceWhenStopIsRequested) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(wait_for(24h, stop.get_token()));
  EXPECT_TRUE(wait_for(0ms, std::stop_source().get_token()));
}

}  // namespace
}  // namespace sluice
