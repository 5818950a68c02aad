#include "pipeline/members.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace sluice::pipeline {
namespace {

using Ids = std::vector<std::string>;

// Who has which partition.
std::vector<std::string> owners(const Ids& ids, std::uint32_t partitions) {
  std::vector<std::string> out(partitions);
  for (const std::string& id : ids) {
    const auto ours = share_of(id, ids, partitions);
    for (std::uint32_t n = 0; n < partitions; ++n) {
      if (!ours[n]) continue;
      EXPECT_EQ(out[n], "") << "partition " << n << " is of two";
      out[n] = id;
    }
  }
  return out;
}

TEST(ShareOf, EachPartitionIsOfOneAndTheSharesAreEven) {
  Ids ids;
  for (int host = 0; host < 20; ++host) {
    ids.push_back("host" + std::to_string(100 + host) + ":4711:" + std::to_string(host * 7919));
    for (const std::uint32_t partitions : {1u, 5u, 16u, 64u}) {
      const auto of = owners(ids, partitions);
      EXPECT_EQ(std::count(of.begin(), of.end(), ""), 0);
      for (const std::string& id : ids) {
        const auto has = static_cast<std::size_t>(std::count(of.begin(), of.end(), id));
        EXPECT_GE(has, partitions / ids.size());
        EXPECT_LE(has, (partitions + ids.size() - 1) / ids.size());
      }
    }
  }
}

TEST(ShareOf, WhoIsAloneHasAll) {
  const auto all = share_of("a", {"a"}, 16);
  EXPECT_EQ(std::count(all.begin(), all.end(), true), 16);
}

TEST(ShareOf, WhoIsNotAmongThemHasNothing) {
  const auto none = share_of("c", {"a", "b"}, 16);
  EXPECT_EQ(std::count(none.begin(), none.end(), true), 0);
}

TEST(ShareOf, WhenOneComesFewChangeHandsThatNeedNot) {
  constexpr std::uint32_t kPartitions = 64;
  std::uint32_t moved = 0, needed = 0;
  for (int seed = 0; seed < 50; ++seed) {
    Ids ids;
    for (int host = 0; host < 5; ++host)
      ids.push_back("h" + std::to_string(host) + ":" + std::to_string(seed));
    const auto before = owners({ids.begin(), ids.end() - 1}, kPartitions);
    const auto after = owners(ids, kPartitions);
    for (std::uint32_t n = 0; n < kPartitions; ++n) moved += before[n] != after[n] ? 1U : 0U;
    needed += kPartitions / 5;
  }
  EXPECT_LT(moved, 2 * needed);
}

TEST(MemberId, IsAnotherOneEachTime) {
  EXPECT_NE(member_id(), member_id());
}

}  // namespace
}  // namespace sluice::pipeline
