// Who leads, on real brokers.
#include "sluice/queue/baton.h"

#include <gmock/gmock.h>

#include "sluice/base/clock.h"

#include "integration/queue/broker.h"

namespace sluice::queue {
namespace {

using std::chrono::milliseconds;

class BatonTest : public BrokerTest {
 protected:
  std::unique_ptr<Baton> baton() {
    Brokers brokers(options);
    auto b = Baton::connect(brokers, names);
    EXPECT_TRUE(b.ok()) << to_string(b.error());
    return b.ok() ? std::move(b).value() : nullptr;
  }
  // Whether it is ours within that time.
  bool comes(Baton& b, milliseconds within) {
    const auto end = system_clock().steady() + within;
    for (;;) {
      const auto held = b.wait(milliseconds(50), nobody_);
      EXPECT_TRUE(held.ok()) << to_string(held.error());
      if (!held.ok()) return false;
      if (*held) return true;
      if (system_clock().steady() >= end) return false;
    }
  }
  void TearDown() override {
    if (const auto admin = Admin::connect(options)) (void)(*admin)->remove_queue(names.leader());
    BrokerTest::TearDown();
  }
  Wakeup nobody_;
};

TEST_P(BatonTest, IsOfOneAtATimeAndOfTheNextWhenThatOneGoes) {
  auto first = baton();
  ASSERT_NE(first, nullptr);
  ASSERT_TRUE(comes(*first, milliseconds(10000)));
  EXPECT_GT(first->safe_until(), system_clock().steady());
  const auto second = baton();
  ASSERT_NE(second, nullptr);
  EXPECT_FALSE(comes(*second, milliseconds(500)));
  EXPECT_TRUE(comes(*first, milliseconds(0)));
  first.reset();
  EXPECT_TRUE(comes(*second, milliseconds(10000)));
}

TEST_P(BatonTest, OfTwoMessagesOneIsTakenAway) {
  const auto b = baton();
  ASSERT_NE(b, nullptr);
  ASSERT_TRUE(comes(*b, milliseconds(10000)));
  // As two that find the queue empty at the same time leave it.
  Outsider(options).publish(names.leader(), "who holds this message leads");
  const auto admin = Admin::connect(options);
  ASSERT_TRUE(admin.ok());
  const auto end = system_clock().steady() + milliseconds(10000);
  std::uint64_t waiting = 1;
  while (waiting != 0 && system_clock().steady() < end) {
    EXPECT_TRUE(comes(*b, milliseconds(0)));
    const auto left = (*admin)->inspect(names.leader());
    ASSERT_TRUE(left.ok() && *left);
    waiting = (*left)->messages;
  }
  EXPECT_EQ(waiting, 0u);
}

TEST_P(BatonTest, IsPutAnewWhenItIsLostAndSomebodyStandsInLine) {
  auto first = baton();
  ASSERT_NE(first, nullptr);
  ASSERT_TRUE(comes(*first, milliseconds(10000)));
  Outsider in_line(options);
  {
    Outsider thief(options);
    thief.consume(names.leader(), true);
    in_line.consume(names.leader(), false);
    first.reset();
    ASSERT_FALSE(thief.receive().empty());
  }
  // The queue is empty, and has a consumer that holds nothing.
  const auto second = baton();
  ASSERT_NE(second, nullptr);
  EXPECT_FALSE(in_line.receive().empty());
  const auto third = baton();
  ASSERT_NE(third, nullptr);
  EXPECT_FALSE(comes(*second, milliseconds(500)));
}

TEST_P(BatonTest, NeedsTheRightsOfItsOwnNamesAlone) {
  if (!has_ctl()) GTEST_SKIP() << "no rabbitmqctl";
  ctl("add_user own-names secret");
  ctl("set_permissions own-names '^sluice\\.' '^sluice\\.' '^sluice\\.'");
  const std::string user = options.user();
  const Secret password = options.password();
  options.user.set("own-names");
  options.password.set(Secret("secret"));
  {
    const auto b = baton();
    ASSERT_NE(b, nullptr);
    EXPECT_TRUE(comes(*b, milliseconds(10000)));
    const auto admin = declared();
    const auto p = publisher();
    const auto c = consumer();
    ASSERT_TRUE(admin && p && c);
    ASSERT_TRUE(c->start(0).ok());
    EXPECT_EQ(send(*p, 0, 1, "{}").kind, Outcome::Kind::confirmed);
    EXPECT_EQ(receive(*c).body, "{}");
  }
  options.user.set(user);
  options.password.set(password);
  ctl("delete_user own-names");
}

TEST_P(BatonTest, NamesTheBindingThatIsMissing) {
  options.type.set(QueueOptions::Type::existing);
  Outsider outsider(options);
  outsider.declare_exchange(names.exchange());
  outsider.declare_queue(names.leader(), {});
  Brokers brokers(options);
  const auto b = Baton::connect(brokers, names);
  ASSERT_FALSE(b.ok());
  EXPECT_EQ(b.error().code, Errc::queue_topology);
  EXPECT_THAT(to_string(b.error()),
              ::testing::HasSubstr("is not bound to exchange " + names.exchange()));
  outsider.bind(names.leader(), names.exchange());
  const auto bound = baton();
  ASSERT_NE(bound, nullptr);
  EXPECT_TRUE(comes(*bound, milliseconds(10000)));
}

TEST_P(BatonTest, IsNotSafeWhenTheConnectionWasNotServedForAHeartbeat) {
  options.heartbeat.set(Duration{std::chrono::seconds(1)});
  const auto b = baton();
  ASSERT_NE(b, nullptr);
  ASSERT_TRUE(comes(*b, milliseconds(10000)));
  EXPECT_GT(b->safe_until(), system_clock().steady());
  EXPECT_LE(b->safe_until(), system_clock().steady() + std::chrono::seconds(1));
  nobody_.wait(milliseconds(1100));
  EXPECT_LT(b->safe_until(), system_clock().steady());
  // What the broker sent meanwhile may be old by now.
  const auto held = b->wait(milliseconds(50), nobody_);
  if (held.ok()) {
    EXPECT_LT(b->safe_until(), system_clock().steady());
  }
}

SLUICE_ON_BOTH_BROKERS(BatonTest);

}  // namespace
}  // namespace sluice::queue
