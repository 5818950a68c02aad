#include "sluice/queue/brokers.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::queue {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr int kTimes = 200;  // by chance alone, a host is never first once in 10^35

class BrokersOrder : public ::testing::Test {
 protected:
  QueueOptions options{nullptr, "queue", ""};
};

TEST_F(BrokersOrder, WithoutAListIsTheOneHost) {
  options.host.set("mq");
  options.port.set(5673);
  EXPECT_THAT(Brokers(options).order(), ElementsAre(HostPort{"mq", 5673}));
}

TEST_F(BrokersOrder, IsRandomAndHasEveryHostOnce) {
  options.hosts.set({{"a", 0}, {"b", 5673}, {"fd00::7", 0}});
  Brokers brokers(options);
  std::set<std::string> first;
  for (int i = 0; i < kTimes; ++i) {
    const auto order = brokers.order();
    EXPECT_THAT(order, UnorderedElementsAre(HostPort{"a", 5672}, HostPort{"b", 5673},
                                            HostPort{"fd00::7", 5672}));
    first.insert(order.front().host);
  }
  EXPECT_EQ(first.size(), 3U);
}

TEST_F(BrokersOrder, IsToldToEndAsItsCopiesAre) {
  std::stop_source stop;
  const Brokers brokers(options, stop.get_token());
  const Brokers copy(brokers);  // NOLINT(performance-unnecessary-copy-initialization): its point
  EXPECT_FALSE(brokers.stopping());
  stop.request_stop();
  EXPECT_TRUE(brokers.stopping());
  EXPECT_TRUE(copy.stopping());
  EXPECT_FALSE(Brokers(options).stopping());
}

TEST_F(BrokersOrder, HasTheOneThatWasLostAtItsEnd) {
  options.hosts.set({{"a", 0}, {"b", 0}, {"c", 0}});
  Brokers brokers(options);
  std::set<std::string> first;
  brokers.connected({"b", 5672});
  for (int i = 0; i < kTimes; ++i) {
    const auto order = brokers.order();
    ASSERT_EQ(order.size(), 3U);
    EXPECT_EQ(order.back().host, "b");
    first.insert(order.front().host);
  }
  EXPECT_THAT(first, ElementsAre("a", "c"));
}

}  // namespace
}  // namespace sluice::queue
