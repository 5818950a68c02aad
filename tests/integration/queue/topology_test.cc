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
  EXPECT_THAT(status.error().what, HasSubstr("sluice reset"));
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

TEST_P(Topology, ExistingQueuesAreUsedAsTheyAreAndNothingIsDeclared) {
  options.type.set(QueueOptions::Type::existing);
  auto admin = Admin::connect(options);
  ASSERT_TRUE(admin.ok());
  const auto nothing = (*admin)->declare(names, {});
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().code, Errc::queue_topology);
  for (const std::string& name : {"exchange " + names.exchange(), "queue " + names.partition(3),
                                  "queue " + names.dead(), "queue " + names.control()})
    EXPECT_THAT(nothing.error().what, HasSubstr(name));
  EXPECT_FALSE((*admin)->inspect(names.partition(0))->has_value());

  // Made by somebody else, with arguments that are not ours.
  Outsider outsider(options);
  outsider.declare_exchange(names.exchange());
  for (std::uint32_t n = 0; n < names.partitions; ++n) {
    outsider.declare_queue(
        names.partition(n),
        {text_entry("x-queue-type", "classic"), flag_entry("x-single-active-consumer", true),
         int_entry("x-max-length", 1000), text_entry("x-overflow", "reject-publish")});
    outsider.bind(names.partition(n), names.exchange());
  }
  outsider.declare_queue(names.dead(), {});
  const auto one = (*admin)->declare(names, {});
  ASSERT_FALSE(one.ok());
  EXPECT_THAT(one.error().what, HasSubstr("has no queue " + names.control() + ", and"));
  outsider.declare_queue(names.control(), {});
  const auto all = (*admin)->declare(names, {});
  EXPECT_TRUE(all.ok()) << all.error().what;
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  for (std::uint32_t n = 0; n < names.partitions; ++n)
    EXPECT_EQ(send(*p, n, 1, "x").kind, Outcome::Kind::confirmed);

  ASSERT_TRUE((*admin)->remove_queue(names.partition(1)).ok());
  const auto gone = (*admin)->declare(names, {true, true, true, true});
  ASSERT_FALSE(gone.ok());
  EXPECT_THAT(gone.error().what, HasSubstr("queue " + names.partition(1) + " is gone"));
}

TEST_P(Topology, AFullQueueRefusesAndKeepsWhatItHas) {
  options.max_length_bytes.set(ByteSize{100'000});
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  const std::string body(60'000, 'x');
  std::uint64_t confirmed = 0;
  Outcome last;
  for (std::uint64_t n = 1; n <= 10; ++n) {
    last = send(*p, 0, n, body);
    if (last.kind != Outcome::Kind::confirmed) break;
    ++confirmed;
  }
  EXPECT_EQ(last.kind, Outcome::Kind::nacked);
  EXPECT_GE(confirmed, 1U);
  EXPECT_EQ(send(*p, 1, 1, body).kind, Outcome::Kind::confirmed) << "the others go on";
  const auto c = consumer();
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(0).ok());
  for (std::uint64_t n = 1; n <= confirmed; ++n) {
    const Delivery d = receive(*c);
    EXPECT_EQ(d.headers.pos, n);
    ASSERT_TRUE(c->ack(0, d.tag).ok());
  }
  Outcome again = last;
  for (int i = 0; i < 50 && again.kind == Outcome::Kind::nacked; ++i)
    again = send(*p, 0, confirmed + 1, body);
  EXPECT_EQ(again.kind, Outcome::Kind::confirmed) << "consumed, it takes messages again";

  options.max_length_bytes.set(ByteSize{200'000});
  auto other = Admin::connect(options);
  ASSERT_TRUE(other.ok());
  const auto status = (*other)->declare(names, {});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::queue_topology);
  EXPECT_THAT(status.error().what, HasSubstr("queue.max_length_bytes"));
}

// The policy that the remedy for queues made under 3.x names.
TEST_P(Topology, AQueueOf3xCanBeKeptByAPolicy) {
  if (!is_new() || !has_ctl()) GTEST_SKIP() << "a case of 4.x with rabbitmqctl";
  Outsider outsider(options);
  outsider.declare_exchange(names.exchange());
  const auto make = [&](const std::string& name) {
    outsider.declare_queue(
        name, {text_entry("x-queue-type", "quorum"), flag_entry("x-single-active-consumer", true)});
    outsider.bind(name, names.exchange());
  };
  for (std::uint32_t n = 0; n < names.partitions; ++n) make(names.partition(n));
  make(names.dead());
  make(names.control());
  options.type.set(QueueOptions::Type::existing);
  ctl("set_policy --apply-to quorum_queues sluice-delivery-limit '^sluice\\.' "
      "'{\"delivery-limit\":-1}'");
  const auto admin = declared();
  const auto p = publisher();
  const auto c = consumer();
  ASSERT_TRUE(admin != nullptr && p != nullptr && c != nullptr);
  ASSERT_EQ(send(*p, 0, 1, "x").kind, Outcome::Kind::confirmed);
  for (int i = 0; i < 30; ++i) {  // more often than the default limit of 20
    ASSERT_TRUE(c->start(0).ok());
    ASSERT_EQ(receive(*c).headers.pos, 1U) << "delivery " << i;
    ASSERT_TRUE(c->stop(0).ok());
  }
  ctl("clear_policy sluice-delivery-limit");
}

TEST_P(Topology, NothingDeprecatedIsUsed) {
  if (!is_new() || !has_ctl()) GTEST_SKIP() << "a case of 4.x with rabbitmqctl";
  names.with_ddl = true;
  const auto admin = declared();
  const auto p = publisher();
  const auto c = consumer();
  ASSERT_TRUE(admin != nullptr && p != nullptr && c != nullptr);
  ASSERT_TRUE(c->start(0).ok());
  ASSERT_EQ(send(*p, 0, 1, "x").kind, Outcome::Kind::confirmed);
  ASSERT_TRUE(c->ack(0, receive(*c).tag).ok());
  const std::string used = ctl("list_deprecated_features --used --silent");
  EXPECT_EQ(used.find("transient_nonexcl_queues"), std::string::npos) << used;
  EXPECT_EQ(used.find("global_qos"), std::string::npos) << used;
  EXPECT_EQ(used.find("classic_queue_mirroring"), std::string::npos) << used;
  EXPECT_TRUE(admin->remove_queue(names.ddl()).ok());
}

SLUICE_ON_BOTH_BROKERS(Topology);

}  // namespace
}  // namespace sluice::queue
