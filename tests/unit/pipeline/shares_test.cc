#include "pipeline/shares.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Shares, SpreadsInTurns) {
  Shares shares(5);
  EXPECT_EQ(shares.spread(2), 5u);
  EXPECT_THAT(shares.claim(0), ElementsAre(0, 2, 4));
  EXPECT_THAT(shares.claim(1), ElementsAre(1, 3));
  EXPECT_THAT(shares.claim(0), IsEmpty()) << "it has them already";
  EXPECT_EQ(shares.largest(), 3u);
  shares.spread(1);
  EXPECT_EQ(shares.largest(), 5u);
  shares.set_ours({true, true, false, false, false});
  shares.spread(1);
  EXPECT_EQ(shares.largest(), 2u);
}

TEST(Shares, APartitionIsHadByNobodyElseBeforeItIsLetGo) {
  Shares shares(4);
  shares.spread(1);
  ASSERT_THAT(shares.claim(0), SizeIs(4));
  EXPECT_EQ(shares.spread(2), 2u) << "no more are moved than must be";
  EXPECT_THAT(shares.claim(1), IsEmpty());
  const auto unwanted = shares.unwanted(0);
  ASSERT_THAT(unwanted, SizeIs(2));
  const std::uint64_t seen = shares.version();
  shares.release(unwanted[1]);
  EXPECT_NE(shares.version(), seen);
  EXPECT_THAT(shares.claim(1), ElementsAre(unwanted[1]));
  EXPECT_THAT(shares.unwanted(0), ElementsAre(unwanted[0]));
}

TEST(Shares, AThreadIsRetiredWhenItHasLetGoOfAll) {
  Shares shares(3);
  shares.spread(2);
  shares.claim(0);
  const auto had = shares.claim(1);
  EXPECT_FALSE(shares.retired(1));
  shares.spread(1);
  EXPECT_FALSE(shares.retired(1));
  for (const std::uint32_t n : had) shares.release(n);
  EXPECT_TRUE(shares.retired(1));
  shares.spread(2);
  EXPECT_FALSE(shares.retired(1)) << "wanted again";
}

TEST(Shares, WhatIsNotOursIsLetGoAndNotClaimed) {
  Shares shares(6);
  shares.spread(2);
  const auto first = shares.claim(0), second = shares.claim(1);
  ASSERT_THAT(first, ElementsAre(0, 2, 4));
  shares.set_ours({true, true, true, false, false, false});
  EXPECT_EQ(shares.spread(2), 3u) << "no more than are given up";
  EXPECT_EQ(shares.largest(), 2u);
  EXPECT_THAT(shares.unwanted(0), ElementsAre(4));
  EXPECT_THAT(shares.unwanted(1), ElementsAre(3, 5));
  for (const std::uint32_t n : {3u, 4u, 5u}) shares.release(n);
  EXPECT_THAT(shares.claim(0), IsEmpty());
  EXPECT_THAT(shares.claim(1), IsEmpty());
  shares.set_ours(std::vector<bool>(6, true));
  EXPECT_EQ(shares.spread(2), 3u);
  EXPECT_EQ(shares.claim(0).size() + shares.claim(1).size(), 3u);
}

TEST(Shares, AThreadOfAHostWithoutPartitionsIsNotRetired) {
  Shares shares(2);
  shares.set_ours({false, false});
  EXPECT_EQ(shares.spread(1), 0u);
  EXPECT_THAT(shares.claim(0), IsEmpty());
  EXPECT_FALSE(shares.retired(0));
  EXPECT_EQ(shares.largest(), 0u);
}

TEST(Shares, WithMoreThreadsThanPartitionsSomeHaveNone) {
  Shares shares(2);
  shares.spread(3);
  EXPECT_THAT(shares.claim(0), SizeIs(1));
  EXPECT_THAT(shares.claim(1), SizeIs(1));
  EXPECT_THAT(shares.claim(2), IsEmpty());
  EXPECT_FALSE(shares.retired(2)) << "its number is one of those that there are to be";
}

// Whatever comes: each partition is had by one at most, the shares are even, and each is had in the
// end.
TEST(Shares, StayWholeUnderRandomChanges) {
  constexpr std::uint32_t kPartitions = 16, kThreads = 6;
  std::mt19937 engine(20261127);
  const auto below = [&engine](std::uint32_t n) {
    return static_cast<std::uint32_t>(engine()) % n;
  };
  Shares shares(kPartitions);
  std::vector<std::vector<std::uint32_t>> has(kThreads);
  const auto step = [&](std::uint32_t thread) {
    for (const std::uint32_t n : shares.unwanted(thread)) {
      ASSERT_EQ(std::erase(has[thread], n), 1u);
      shares.release(n);
    }
    for (const std::uint32_t n : shares.claim(thread)) {
      for (const auto& other : has) ASSERT_EQ(std::count(other.begin(), other.end(), n), 0);
      has[thread].push_back(n);
    }
  };
  for (int round = 0; round < 500; ++round) {
    const std::uint32_t threads = 1 + below(kThreads);
    shares.spread(threads);
    for (int i = 0; i < 5; ++i) step(below(kThreads));
    if (below(4) != 0) continue;
    for (int twice = 0; twice < 2; ++twice)  // released in the first, taken in the second
      for (std::uint32_t t = 0; t < kThreads; ++t) step(t);
    for (std::uint32_t t = 0; t < kThreads; ++t) {
      const std::size_t least = t < threads ? kPartitions / threads : 0;
      const std::size_t most = t < threads ? (kPartitions + threads - 1) / threads : 0;
      EXPECT_GE(has[t].size(), least);
      EXPECT_LE(has[t].size(), most);
    }
  }
}

}  // namespace
}  // namespace sluice::pipeline
