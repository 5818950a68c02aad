#include <gmock/gmock.h>

#include "integration/queue/broker.h"
#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

using ::testing::HasSubstr;

class Topology : public BrokerTest {};

TEST_P(Topology, DeclaresEverythingAndTheSecondTimeChangesNothing) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  EXPECT_EQ(admin->broker().product, "RabbitMQ");
  EXPECT_EQ(admin->broker().major, is_new() ? 4U : 3U);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  for (std::uint32_t n = 0; n < names.partitions; ++n)
    EXPECT_EQ(send(*p, n, 1, "x").kind, Outcome::Kind::confirmed);
  const auto again = admin->declare(names, std::vector<bool>(names.partitions, true));
  EXPECT_TRUE(again.ok()) << again.error().what;
  for (std::uint32_t n = 0; n < names.partitions; ++n) {
    const auto info = admin->inspect(names.partition(n));
    ASSERT_TRUE(info.ok() && info->has_value());
    EXPECT_EQ((*info)->messages, 1U);
    EXPECT_EQ((*info)->consumers, 0U);
  }
  for (const auto& queue : {names.dead(), names.control()}) {
    const auto info = admin->inspect(queue);
    ASSERT_TRUE(info.ok() && info->has_value()) << queue;
  }
}

TEST_P(Topology, AQueueForDdlIsThereWhenItIsWanted) {
  auto admin = declared();
  ASSERT_NE(admin, nullptr);
  EXPECT_FALSE(admin->inspect(names.ddl())->has_value());
  names.with_ddl = true;
  ASSERT_TRUE(admin->declare(names, {}).ok());
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(send(*p, names.partitions, 1, "a statement").kind, Outcome::Kind::confirmed);
  const auto info = admin->inspect(names.ddl());
  ASSERT_TRUE(info.ok() && info->has_value());
  EXPECT_EQ((*info)->messages, 1U);
  EXPECT_TRUE(admin->remove_queue(names.ddl()).ok());
}

TEST_P(Topology, ClassicQueuesCanBeHadToo) {
  options.type.set(QueueOptions::Type::classic);
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  EXPECT_TRUE(admin->declare(names, {}).ok());
  options.type.set(QueueOptions::Type::quorum);
  auto other = Admin::connect(options);
  ASSERT_TRUE(other.ok());
  const auto status = (*other)->declare(names, {});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().cls, ErrorClass::fatal);
  EXPECT_EQ(status.error().code, Errc::queue_topology);
  EXPECT_THAT(status.error().what, HasSubstr(names.partition(0)));
  EXPECT_THAT(status.error().what, HasSubstr("x-queue-type"));
  EXPECT_THAT(status.error().what, HasSubstr("rabbitmqctl delete_queue"));
  EXPECT_TRUE((*other)->inspect(names.partition(0)).ok())
      << "a refusal leaves the connection in order";
}

TEST_P(Topology, AQueueThatWasSentToAndIsGoneIsALoss) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  ASSERT_TRUE(admin->remove_queue(names.partition(2)).ok());
  const auto status = admin->declare(names, {true, true, true, false});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().cls, ErrorClass::fatal);
  EXPECT_EQ(status.error().code, Errc::queue_topology);
  EXPECT_THAT(status.error().what, HasSubstr("queue " + names.partition(2) + " is gone"));
  const auto info = admin->inspect(names.partition(2));
  ASSERT_TRUE(info.ok());
  EXPECT_FALSE(info->has_value()) << "it must not be declared anew";
  EXPECT_TRUE(admin->declare(names, {true, true, false, true}).ok())
      << "one that was never sent to is made";
}

TEST_P(Topology, AnExchangeOfAnotherTypeIsRefused) {
  Outsider outsider(options);
  outsider.declare_exchange(names.exchange(), "topic");
  auto admin = Admin::connect(options);
  ASSERT_TRUE(admin.ok());
  const auto status = (*admin)->declare(names, {});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::queue_topology);
  EXPECT_THAT(status.error().what, HasSubstr("exchange " + names.exchange()));
  EXPECT_TRUE((*admin)->remove_exchange(names.exchange()).ok());
  EXPECT_TRUE((*admin)->declare(names, {}).ok());
}

TEST_P(Topology, PurgeTellsHowManyMessagesItRemoved) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  for (std::uint64_t n = 1; n <= 3; ++n) send(*p, 0, n, "x");
  const auto removed = admin->purge(names.partition(0));
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(*removed, 3U);
  const auto missing = admin->purge(names.exchange() + ".nothing");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Errc::queue_topology);
}

TEST_P(Topology, AQueueMadeWithoutADeliveryLimitIsRefusedOnlyWhereOneIsNeeded) {
  Outsider outsider(options);
  outsider.declare_queue(names.partition(0), {text_entry("x-queue-type", "quorum"),
                                              flag_entry("x-single-active-consumer", true)});
  auto admin = Admin::connect(options);
  ASSERT_TRUE(admin.ok());
  const auto status = (*admin)->declare(names, {});
  if (!is_new()) {
    EXPECT_TRUE(status.ok());
    return;
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::queue_topology);
  EXPECT_THAT(status.error().what, HasSubstr("3.x"));
}

SLUICE_ON_BOTH_BROKERS(Topology);

}  // namespace
}  // namespace sluice::queue
