#include "sluice/ops/latency.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::ops {
namespace {

// The value at the p-th part of sorted values, by the same rank rule.
std::int64_t exact(const std::vector<std::int64_t>& sorted, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

TEST(LatencyHistogram, IsZeroWhenEmpty) {
  LatencyHistogram h;
  EXPECT_EQ(h.take().percentile(0.99), 0);
  EXPECT_EQ(h.take().total, 0U);
}

TEST(LatencyHistogram, SmallValuesAreExact) {
  for (std::int64_t v = 0; v < 16; ++v) {
    LatencyHistogram h;
    h.record(v);
    EXPECT_EQ(h.take().percentile(0.5), v);
  }
}

// From 1 us to 76 hours, around every power of two and between.
TEST(LatencyHistogram, ASingleValueIsReportedAtMostFourPointTwoPercentAbove) {
  for (std::int64_t base = 1; base < (std::int64_t{1} << 38); base = base * 21 / 20 + 1) {
    for (const std::int64_t v : {base - 1, base, base + 1}) {
      LatencyHistogram h;
      h.record(v);
      const auto got = h.take().percentile(1);
      EXPECT_GE(got, v);
      EXPECT_LE(static_cast<double>(got), static_cast<double>(v) * (1 + 1.0 / 24) + 1) << v;
    }
  }
}

TEST(LatencyHistogram, PercentilesAgreeWithSortedValues) {
  std::mt19937_64 random(42);
  std::lognormal_distribution<double> latency(8, 2);
  LatencyHistogram h;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<std::int64_t>(latency(random)));
    h.record(values.back());
  }
  std::sort(values.begin(), values.end());
  const auto snapshot = h.take();
  EXPECT_EQ(snapshot.total, values.size());
  for (const double p : {0.0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto want = exact(values, p);
    EXPECT_GE(snapshot.percentile(p), want) << p;
    EXPECT_LE(static_cast<double>(snapshot.percentile(p)),
              static_cast<double>(want) * (1 + 1.0 / 24) + 1)
        << p;
  }
}

TEST(LatencyHistogram, TimesCountsAsManyRecords) {
  LatencyHistogram h;
  h.record(1, 99);
  h.record(10);
  const auto s = h.take();
  EXPECT_EQ(s.total, 100U);
  EXPECT_EQ(s.percentile(0.99), 1);
  EXPECT_EQ(s.percentile(0.991), 10);
}

TEST(LatencyHistogram, ValuesOutsideTheRangeGoToItsEnds) {
  LatencyHistogram h;
  h.record(-5);
  EXPECT_EQ(h.take().percentile(1), 0);
  h.record(INT64_MAX);
  EXPECT_EQ(h.take().percentile(1), (std::int64_t{1} << 38) - 1);
}

TEST(LatencyHistogram, TakeStartsAnew) {
  LatencyHistogram h;
  h.record(100);
  EXPECT_EQ(h.take().total, 1U);
  EXPECT_EQ(h.take().total, 0U);
}

TEST(LatencyHistogram, NothingIsLostBetweenThreadsThatRecordAndOneThatTakes) {
  LatencyHistogram h;
  constexpr int kThreads = 4;
  constexpr std::uint64_t kEach = 20'000;
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&h, &running] {
      for (std::uint64_t i = 0; i < kEach; ++i) h.record(static_cast<std::int64_t>(i));
      --running;
    });
  }
  std::uint64_t seen = 0;
  while (running > 0) seen += h.take().total;
  for (auto& t : threads) t.join();
  seen += h.take().total;
  EXPECT_EQ(seen, kThreads * kEach);
}

}  // namespace
}  // namespace sluice::ops
