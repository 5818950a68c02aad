#include <algorithm>
#include <chrono>

#include <amqp.h>
#include <gmock/gmock.h>

#include "integration/queue/broker.h"
#include "integration/queue/proxy.h"
#include "queue/frames.h"

namespace sluice::queue {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Consuming : public BrokerTest {
 protected:
  // Four messages of a partition may be held, for the consumer has all four partitions.
  Consuming() {
    options.message_bytes.set(ByteSize{1U << 20U});
    options.prefetch_bytes.set(ByteSize{16U << 20U});
  }
  void publish_all(std::uint32_t partition, std::uint64_t first, std::uint64_t last) {
    const auto p = publisher();
    ASSERT_NE(p, nullptr);
    for (std::uint64_t n = first; n <= last; ++n)
      ASSERT_EQ(send(*p, partition, n, "message " + std::to_string(n)).kind,
                Outcome::Kind::confirmed);
  }
  // Nothing comes for a little while.
  void expect_nothing(Consumer& c) {
    const auto got = c.next(300ms, wake);
    ASSERT_TRUE(got.ok()) << got.error().what;
    EXPECT_FALSE(got->has_value());
  }
  // Until the channel of partition 0 is gone.
  void await_stopped(Consumer& c) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (c.started(0) && std::chrono::steady_clock::now() < deadline) {
      const auto got = c.next(100ms, wake);
      ASSERT_TRUE(got.ok()) << got.error().what;
    }
    EXPECT_FALSE(c.started(0));
  }
};

TEST_P(Consuming, CompressedMessagesAndOthersArriveAsTheyWerePublished) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto plain = publisher();
  options.compression.set(QueueOptions::Compression::zstd);
  const auto p = publisher();
  const auto c = consumer();
  ASSERT_TRUE(plain != nullptr && p != nullptr && c != nullptr);
  std::string large;
  while (large.size() < (20U << 20U)) large += "{\"id\":" + std::to_string(large.size()) + "}\n";
  ASSERT_EQ(send(*p, 3, 1, large).kind, Outcome::Kind::confirmed)
      << "compressed, it is below max_message_size";
  ASSERT_EQ(send(*p, 3, 2, "small").kind, Outcome::Kind::confirmed);
  ASSERT_EQ(send(*plain, 3, 3, std::string(10'000, 'x')).kind, Outcome::Kind::confirmed);
  ASSERT_EQ(send(*p, 3, 4, std::string(10'000, 'y')).kind, Outcome::Kind::confirmed);
  ASSERT_TRUE(c->start(3).ok());
  EXPECT_TRUE(receive(*c).body == large);
  EXPECT_EQ(receive(*c).body, "small");
  EXPECT_EQ(receive(*c).body, std::string(10'000, 'x'));
  EXPECT_EQ(receive(*c).body, std::string(10'000, 'y'));
}

TEST_P(Consuming, AMessageArrivesAsItWasPublished) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  std::string body(4U << 20U, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761U >> 13U);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  ASSERT_EQ(send(*p, 3, 7, body).kind, Outcome::Kind::confirmed);
  ASSERT_EQ(send(*p, 3, 8, {}).kind, Outcome::Kind::confirmed);
  auto c = consumer();
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(3).ok());
  const Delivery big = receive(*c);
  const Delivery empty = receive(*c);
  c.reset();  // a body outlives the consumer
  EXPECT_EQ(big.partition, 3U);
  EXPECT_FALSE(big.redelivered);
  EXPECT_TRUE(big.body == body);
  const MessageHeaders h = headers(7);
  EXPECT_EQ(big.headers.prev, h.prev);
  EXPECT_EQ(big.headers.last, h.last);
  EXPECT_EQ(big.headers.gtid, h.gtid);
  EXPECT_EQ(big.headers.file, h.file);
  EXPECT_EQ(big.headers.pos, h.pos);
  EXPECT_EQ(big.headers.commit_us, h.commit_us);
  EXPECT_TRUE(empty.body.empty());
  EXPECT_EQ(empty.headers.pos, 8U);
}

TEST_P(Consuming, BigMessagesOfSeveralPartitionsDoNotMix) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  for (std::uint32_t n = 0; n < names.partitions; ++n)
    for (std::uint64_t i = 1; i <= 4; ++i)
      send(*p, n, i, std::string(700000 + n, static_cast<char>('a' + n)));
  const auto c = consumer();
  ASSERT_NE(c, nullptr);
  for (std::uint32_t n = 0; n < names.partitions; ++n) ASSERT_TRUE(c->start(n).ok());
  std::vector<std::uint64_t> got(names.partitions, 0);
  for (std::uint32_t i = 0; i < 4 * names.partitions; ++i) {
    const Delivery d = receive(*c);
    ASSERT_EQ(d.headers.pos, ++got[d.partition]);
    ASSERT_EQ(d.body.size(), 700000 + d.partition);
    const char letter = static_cast<char>('a' + d.partition);
    ASSERT_TRUE(
        std::all_of(d.body.begin(), d.body.end(), [letter](char x) { return x == letter; }));
    ASSERT_TRUE(c->ack(d.partition, d.tag).ok());
  }
}

TEST_P(Consuming, AckSettlesAllUpToTheTagAndTheRestComesAgainInOrder) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  publish_all(0, 1, 8);
  const auto c = consumer();
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(0).ok());
  std::vector<Delivery> held;
  for (int i = 0; i < 4; ++i) held.push_back(receive(*c));
  ASSERT_TRUE(c->ack(0, held[1].tag).ok());
  ASSERT_TRUE(c->ack(0, held[0].tag).ok()) << "an older one is settled already";
  ASSERT_TRUE(c->stop(0).ok());
  EXPECT_FALSE(c->started(0));
  expect_nothing(*c);
  ASSERT_TRUE(c->start(0).ok());
  for (std::uint64_t n = 3; n <= 8; ++n) {
    const Delivery d = receive(*c);
    EXPECT_EQ(d.headers.pos, n);
    if (n <= 4) {
      EXPECT_TRUE(d.redelivered);
    }
    ASSERT_TRUE(c->ack(0, d.tag).ok());
  }
  expect_nothing(*c);
}

TEST_P(Consuming, APartitionHandedOverByClosingItsChannelKeepsItsOrder) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  publish_all(0, 1, 20);
  const auto first = consumer();
  const auto second = consumer();
  ASSERT_TRUE(first != nullptr && second != nullptr);
  ASSERT_TRUE(first->start(0).ok());
  const Delivery one = receive(*first);
  const Delivery two = receive(*first);
  EXPECT_EQ(two.headers.pos, 2U);
  ASSERT_TRUE(second->start(0).ok());
  expect_nothing(*second);  // a single active consumer
  ASSERT_TRUE(first->ack(0, one.tag).ok());
  ASSERT_TRUE(first->stop(0).ok());
  for (std::uint64_t n = 2; n <= 20; ++n) {
    const Delivery d = receive(*second);
    EXPECT_EQ(d.headers.pos, n);
    ASSERT_TRUE(second->ack(0, d.tag).ok());
  }
  expect_nothing(*first);
}

TEST_P(Consuming, WhatMayBeOnItsWayFollowsTheShareOfTheMoment) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  publish_all(0, 1, 8);
  options.prefetch_bytes.set(ByteSize{4U << 20U});
  std::uint32_t share = 1;
  auto connected = Consumer::connect(options, names, [&share] { return share; });
  ASSERT_TRUE(connected.ok()) << connected.error().what;
  Consumer& c = **connected;
  ASSERT_TRUE(c.start(0).ok());
  for (std::uint64_t n = 1; n <= 4; ++n) EXPECT_EQ(receive(c).headers.pos, n);
  expect_nothing(c);
  share = 2;
  expect_nothing(c);
  EXPECT_FALSE(c.started(0)) << "it was opened for more";
  ASSERT_TRUE(c.start(0).ok());
  for (std::uint64_t n = 1; n <= 2; ++n) {
    const Delivery again = receive(c);
    EXPECT_EQ(again.headers.pos, n);
    EXPECT_TRUE(again.redelivered);
  }
  expect_nothing(c);
  share = 1;
  expect_nothing(c);
  EXPECT_TRUE(c.started(0)) << "less than its share does no harm";
}

TEST_P(Consuming, ATagOfAnEarlierChannelAcknowledgesNothing) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  publish_all(0, 1, 2);
  auto c = consumer();
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(0).ok());
  const Delivery old = receive(*c);
  ASSERT_TRUE(c->stop(0).ok());
  EXPECT_TRUE(c->ack(0, old.tag).ok()) << "stopped: passed over";
  ASSERT_TRUE(c->start(0).ok());
  EXPECT_EQ(receive(*c).headers.pos, 1U);
  EXPECT_TRUE(c->ack(0, old.tag).ok());
  c = consumer();  // another connection, tags from 1 again
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(0).ok());
  const Delivery again = receive(*c);
  EXPECT_EQ(again.headers.pos, 1U);
  EXPECT_TRUE(c->ack(0, old.tag).ok());
  ASSERT_TRUE(c->stop(0).ok());
  ASSERT_TRUE(c->start(0).ok());
  EXPECT_EQ(receive(*c).headers.pos, 1U) << "never acknowledged, so it comes again";
}

TEST_P(Consuming, ADeletedQueueEndsItsPartitionAndNoOther) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto c = consumer();
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(0).ok());
  ASSERT_TRUE(c->start(1).ok());
  ASSERT_TRUE(admin->remove_queue(names.partition(0)).ok());
  await_stopped(*c);
  EXPECT_TRUE(c->started(1));
  const auto missing = c->start(0);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().cls, ErrorClass::retry);
  EXPECT_EQ(missing.error().code, Errc::queue_topology);
  EXPECT_THAT(missing.error().what, HasSubstr(names.partition(0)));
  EXPECT_FALSE(c->started(0));
  publish_all(1, 1, 1);
  EXPECT_EQ(receive(*c).headers.pos, 1U);
}

TEST_P(Consuming, AChannelTheBrokerClosedTurnsStartedOffAndCanBeOpenedAgain) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  publish_all(0, 1, 3);
  Proxy proxy(options.port());
  const std::uint32_t real = options.port();
  options.port.set(proxy.port());
  const auto c = consumer();
  options.port.set(real);
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(0).ok());
  EXPECT_EQ(receive(*c).headers.pos, 1U);
  FrameEncoder unknown_tag;  // an ack the broker has no message for: 406
  amqp_basic_ack_t args{};
  args.delivery_tag = 4711;
  ASSERT_TRUE(unknown_tag.add_method(1, AMQP_BASIC_ACK_METHOD, &args).ok());
  const iovec frame = unknown_tag.pieces().front();
  proxy.inject({static_cast<const char*>(frame.iov_base), frame.iov_len});
  await_stopped(*c);
  ASSERT_TRUE(c->start(0).ok());
  const Delivery d = receive(*c);
  EXPECT_EQ(d.headers.pos, 1U);
  EXPECT_TRUE(d.redelivered);
}

TEST_P(Consuming, MoreChannelsThanAConnectionMayHaveIsSaidAndTheOthersStay) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  options.channel_max.set(2);
  const auto c = consumer();
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(0).ok());
  ASSERT_TRUE(c->start(1).ok());
  const Status third = c->start(2);
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().code, Errc::queue_topology);
  EXPECT_THAT(third.error().what, HasSubstr("allows 2 channels a connection"));
  EXPECT_THAT(third.error().what, HasSubstr("queue.channel_max"));
  publish_all(1, 1, 1);
  EXPECT_EQ(receive(*c).body, "message 1");
  ASSERT_TRUE(c->stop(0).ok());
  EXPECT_TRUE(c->start(2).ok()) << "one was given back";
}

TEST_P(Consuming, AMessageThatIsNotOursIsPoisonAndNamed) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  {
    Outsider outsider(options);
    outsider.publish(names.partition(0), "not ours");
  }
  publish_all(0, 1, 1);
  const auto c = consumer();
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(0).ok());
  const auto got = c->next(10s, wake);
  ASSERT_TRUE(got.ok() && got->has_value());
  ASSERT_TRUE((*got)->unreadable.has_value());
  EXPECT_EQ((*got)->body, "not ours");
  const Error& error = *(*got)->unreadable;
  EXPECT_EQ(error.cls, ErrorClass::poison);
  EXPECT_EQ(error.code, Errc::queue_message);
  EXPECT_THAT(error.what, HasSubstr("queue " + names.partition(0) + ", delivery tag 1"));
  EXPECT_TRUE(c->started(0));
  EXPECT_EQ(receive(*c).headers.pos, 1U) << "the consumer lives on";
}

TEST_P(Consuming, ACutConnectionIsLostAndTheMessagesComeAgain) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  publish_all(0, 1, 3);
  Proxy proxy(options.port());
  const std::uint32_t real = options.port();
  options.port.set(proxy.port());
  const auto c = consumer();
  options.port.set(real);
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(0).ok());
  EXPECT_EQ(receive(*c).headers.pos, 1U);
  proxy.cut();
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  bool lost = false;
  while (!lost && std::chrono::steady_clock::now() < deadline) {
    const auto got = c->next(1s, wake);
    if (got.ok()) continue;  // what had arrived before
    lost = true;
    EXPECT_EQ(got.error().cls, ErrorClass::retry);
    EXPECT_EQ(got.error().code, Errc::queue_lost);
  }
  EXPECT_TRUE(lost);
  const auto next = consumer();
  ASSERT_NE(next, nullptr);
  ASSERT_TRUE(next->start(0).ok());
  for (std::uint64_t n = 1; n <= 3; ++n) EXPECT_EQ(receive(*next).headers.pos, n);
}

SLUICE_ON_BOTH_BROKERS(Consuming);

}  // namespace
}  // namespace sluice::queue
