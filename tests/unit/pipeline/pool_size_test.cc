#include "pipeline/pool_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PoolSizeTest : public ::testing::Test {
 protected:
  // What comes of `load` for so long, looked at once a second: the sizes.
  std::vector<std::uint32_t> during(seconds time, const PoolSize::Load& load) {
    std::vector<std::uint32_t> out;
    for (const auto end = now_ + time; now_ < end; now_ += seconds(1)) {
      if (const auto decision = size_.look(now_, load)) {
        out.push_back(decision->threads);
        why_ = decision->why;
      }
    }
    return out;
  }
  static PoolSize::Settings settings() {
    PoolSize::Settings s;
    s.min = 1;
    s.max = 6;
    s.grow_backlog = 40;
    s.grow_lag = seconds(5);
    s.grow_after = seconds(5);
    s.shrink_after = seconds(60);
    return s;
  }
  PoolSize size_{settings()};
  PoolSize::Time now_{};
  std::string why_;
};

using Sizes = std::vector<std::uint32_t>;

TEST_F(PoolSizeTest, DoublesUpToTheMostWhileTheBacklogLasts) {
  EXPECT_EQ(during(seconds(5), {41, milliseconds(0)}), Sizes{});
  EXPECT_EQ(during(seconds(30), {41, milliseconds(0)}), (Sizes{2, 4, 6}));
  EXPECT_EQ(why_, "backlog_messages=41 lag_s=0.0 for_s=5.0");
}

TEST_F(PoolSizeTest, GrowsByLagAloneWhenTheBrokerDoesNotSay) {
  EXPECT_EQ(during(seconds(7), {std::nullopt, milliseconds(5500)}), Sizes{2});
  EXPECT_EQ(why_, "backlog_messages=? lag_s=5.5 for_s=5.0");
}

TEST_F(PoolSizeTest, APeakThatIsShorterChangesNothing) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(during(seconds(4), {1000, seconds(100)}), Sizes{});
    EXPECT_EQ(during(seconds(1), {30, seconds(4)}), Sizes{});
  }
}

TEST_F(PoolSizeTest, ShrinksOneByOneAfterQuiet) {
  during(seconds(20), {1000, milliseconds(0)});
  ASSERT_EQ(size_.threads(), 6u);
  EXPECT_EQ(during(seconds(125), {10, milliseconds(1250)}), (Sizes{5, 4}));
  EXPECT_EQ(during(seconds(1000), {0, milliseconds(0)}), (Sizes{3, 2, 1}));
}

TEST_F(PoolSizeTest, NeitherBusyNorQuietOrNotKnownIsNoReasonToShrink) {
  during(seconds(20), {1000, milliseconds(0)});
  EXPECT_EQ(during(seconds(1000), {11, milliseconds(0)}), Sizes{});
  EXPECT_EQ(during(seconds(1000), {0, milliseconds(1300)}), Sizes{});
  EXPECT_EQ(during(seconds(1000), {std::nullopt, milliseconds(0)}), Sizes{});
}

}  // namespace
}  // namespace sluice::pipeline
