#include "config/nearest.h"

#include <array>

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(EditDistance, CountsEachKindOfSlipOnce) {
  EXPECT_EQ(edit_distance("port", "port"), 0U);
  EXPECT_EQ(edit_distance("prot", "port"), 1U);
  EXPECT_EQ(edit_distance("pot", "port"), 1U);
  EXPECT_EQ(edit_distance("poort", "port"), 1U);
  EXPECT_EQ(edit_distance("part", "port"), 1U);
  EXPECT_EQ(edit_distance("", "port"), 4U);
  EXPECT_EQ(edit_distance("port", ""), 4U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
  const std::array<std::string, 3> names{"host", "port", "password"};
  EXPECT_EQ(nearest("hots", names), "host");
  EXPECT_EQ(nearest("pasword", names), "password");
  EXPECT_EQ(nearest("PORT", names), "");
  EXPECT_EQ(nearest("x", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest(std::string(10'000, 'p'), names), "");
}

}  // namespace
}  // namespace sluice::config
