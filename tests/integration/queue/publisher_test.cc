#include <chrono>
#include <cstdlib>

#include <gmock/gmock.h>

#include "integration/queue/broker.h"
#include "integration/queue/proxy.h"
#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Publishing : public BrokerTest {
 protected:
  // Waits until the publisher reports an error.
  static Error error_of(Publisher& p, Wakeup& wake) {
    std::vector<Outcome> out;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
      auto status = p.wait(1s, wake, out);
      if (!status) return std::move(status).error();
    }
    ADD_FAILURE() << "no error within 20 s, outcomes: " << out.size();
    return stopped();
  }
};

TEST_P(Publishing, AnUnroutableMessageComesBackOnceAndIsNotConfirmed) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  Outsider outsider(options);
  outsider.unbind(names.partition(1), names.exchange());
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  const std::string body(300000, 'r');  // comes back in several frames
  const Outcome back = send(*p, 1, 1, body);
  EXPECT_EQ(back.partition, 1U);
  EXPECT_EQ(back.kind, Outcome::Kind::returned);
  EXPECT_EQ(back.reason, "312 NO_ROUTE");
  EXPECT_EQ(send(*p, 1, 1, {}).kind, Outcome::Kind::returned) << "an empty body";
  outsider.bind(names.partition(1), names.exchange());
  EXPECT_EQ(send(*p, 1, 1, body).kind, Outcome::Kind::confirmed) << "sent again, it arrives";
  EXPECT_EQ(send(*p, 0, 1, "x").kind, Outcome::Kind::confirmed);
}

TEST_P(Publishing, AMessageTheQueueRefusesIsNacked) {
  Outsider outsider(options);
  outsider.declare_exchange(names.exchange());
  outsider.declare_queue(names.partition(0),
                         {text_entry("x-queue-type", "classic"), int_entry("x-max-length", 1),
                          text_entry("x-overflow", "reject-publish")});
  outsider.bind(names.partition(0), names.exchange());
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(send(*p, 0, 1, "fits").kind, Outcome::Kind::confirmed);
  const Outcome second = send(*p, 0, 2, "one too many");
  EXPECT_EQ(second.kind, Outcome::Kind::nacked);
  EXPECT_EQ(second.partition, 0U);
}

TEST_P(Publishing, AMissingExchangeStopsAndNamesIt) {
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  ASSERT_TRUE(p->publish(0, headers(1), "x").ok());
  const Error error = error_of(*p, wake);
  EXPECT_EQ(error.cls, ErrorClass::fatal);
  EXPECT_EQ(error.code, Errc::queue_topology);
  EXPECT_THAT(error.what, HasSubstr("no exchange '" + names.exchange() + "'"));
  EXPECT_FALSE(p->publish(1, headers(1), "x").ok()) << "dead after an error";
}

TEST_P(Publishing, AMessageAboveTheBrokersLimitIsFatalWithItsSize) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  const std::string body((is_new() ? 17U : 129U) << 20U,
                         'm');  // max_message_size is 16 MiB, 128 MiB in 3.10
  const auto status = p->publish(0, headers(1), body);
  const Error error = status.ok() ? error_of(*p, wake) : status.error();
  EXPECT_EQ(error.cls, ErrorClass::fatal);
  EXPECT_EQ(error.code, Errc::queue_message);
  EXPECT_THAT(error.what, HasSubstr(std::to_string(body.size())));
  EXPECT_THAT(error.what, HasSubstr("max_message_size"));
}

TEST_P(Publishing, ASecondUnconfirmedMessageOfAPartitionIsOurBug) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  ASSERT_TRUE(p->publish(0, headers(1), "x").ok());
  const auto second = p->publish(0, headers(2), "x");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::internal);
}

TEST_P(Publishing, ACutConnectionIsLostAndNothingIsReported) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  Proxy proxy(options.port());
  const std::uint32_t real = options.port();
  options.port.set(proxy.port());
  const auto p = publisher();
  options.port.set(real);
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(send(*p, 0, 1, "x").kind, Outcome::Kind::confirmed);
  proxy.hold_to_client(true);
  ASSERT_TRUE(p->publish(0, headers(2), "of unknown fate").ok());
  proxy.cut();
  const Error error = error_of(*p, wake);
  EXPECT_EQ(error.cls, ErrorClass::retry);
  EXPECT_EQ(error.code, Errc::queue_lost);
  EXPECT_THAT(error.what, HasSubstr("127.0.0.1:" + std::to_string(proxy.port())));
}

TEST_P(Publishing, ABrokerThatTakesNoBytesIsGivenUpAtTheTimeout) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  Proxy proxy(options.port());
  QueueOptions through{nullptr, "queue", ""};
  through.port.set(proxy.port());
  through.connect_timeout.set(1s);
  auto p = Publisher::connect(through, names);
  ASSERT_TRUE(p.ok()) << p.error().what;
  proxy.hold_to_broker(true);
  const std::string body(64U << 20U, 's');  // more than the sockets between us hold
  const auto start = std::chrono::steady_clock::now();
  const auto status = (*p)->publish(0, headers(1), body);
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().cls, ErrorClass::retry);
  EXPECT_EQ(status.error().code, Errc::queue_lost);
  EXPECT_THAT(status.error().what, HasSubstr("takes no bytes for 1000 ms"));
  EXPECT_GE(took, 1s);
  EXPECT_LT(took, 10s);
}

TEST_P(Publishing, TenThousandMessagesThroughSixteenPartitionsArriveInOrder) {
  names.partitions = 16;
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  constexpr std::uint64_t kEach = 625;
  std::vector<std::uint64_t> sent(names.partitions, 0);
  const auto publish = [&](std::uint32_t n) {
    const auto status = p->publish(n, headers(++sent[n]), "small");
    ASSERT_TRUE(status.ok()) << status.error().what;
  };
  for (std::uint32_t n = 0; n < names.partitions; ++n) publish(n);
  std::uint64_t confirmed = 0;
  std::vector<Outcome> out;
  while (confirmed < kEach * names.partitions) {
    out.clear();
    const auto status = p->wait(10s, wake, out);
    ASSERT_TRUE(status.ok()) << status.error().what;
    ASSERT_FALSE(out.empty()) << "no confirm within 10 s, so far " << confirmed;
    for (const Outcome& o : out) {
      ASSERT_EQ(o.kind, Outcome::Kind::confirmed);
      ++confirmed;
      if (sent[o.partition] < kEach) publish(o.partition);
    }
  }
  const auto c = consumer();
  ASSERT_NE(c, nullptr);
  for (std::uint32_t n = 0; n < names.partitions; ++n) ASSERT_TRUE(c->start(n).ok());
  std::vector<std::uint64_t> got(names.partitions, 0);
  for (std::uint64_t i = 0; i < confirmed; ++i) {
    const Delivery d = receive(*c);
    ASSERT_EQ(d.headers.pos, ++got[d.partition]);
    ASSERT_TRUE(c->ack(d.partition, d.tag).ok());
  }
}

class PublishingWithCtl : public Publishing {
 protected:
  void SetUp() override {
    if (!has_ctl()) GTEST_SKIP() << "rabbitmqctl of this broker is not named";
    Publishing::SetUp();
  }
  void TearDown() override {
    if (alarmed_) no_alarm();
    Publishing::TearDown();
  }
  void alarm() {
    alarmed_ = true;
    ctl("set_vm_memory_high_watermark absolute 1MB");
  }
  void no_alarm() {
    ctl("set_vm_memory_high_watermark absolute 2GB");
    alarmed_ = false;
  }

 private:
  bool alarmed_ = false;
};

TEST_P(PublishingWithCtl, SaysThatItIsBlockedUnderAMemoryAlarm) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(send(*p, 0, 1, "x").kind, Outcome::Kind::confirmed);
  alarm();
  EXPECT_TRUE(p->publish(1, headers(1), "x").ok());  // the broker tells only who publishes
  std::vector<Outcome> out;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!p->blocked() && std::chrono::steady_clock::now() < deadline)
    ASSERT_TRUE(p->wait(1s, wake, out).ok());
  EXPECT_TRUE(p->blocked());
  no_alarm();
  while (p->blocked() && std::chrono::steady_clock::now() < deadline + 10s)
    ASSERT_TRUE(p->wait(1s, wake, out).ok());
  EXPECT_FALSE(p->blocked());
}

TEST_P(PublishingWithCtl, AConnectionTheBrokerClosesIsLostWithItsReason) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  ctl("close_all_connections 'closed by a test'");
  const Error error = error_of(*p, wake);
  EXPECT_EQ(error.cls, ErrorClass::retry);
  EXPECT_EQ(error.code, Errc::queue_lost);
  EXPECT_THAT(error.what, HasSubstr("CONNECTION_FORCED"));
  EXPECT_THAT(error.what, HasSubstr("closed by a test"));
}

// More than the socket takes: what is on its way when the broker stops reading waits, however long
// that is, and costs nothing.
TEST_P(PublishingWithCtl, ALargeMessageWaitsForTheEndOfAnAlarm) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  options.connect_timeout.set(2s);
  const auto p = publisher();
  const auto c = consumer();
  ASSERT_TRUE(p != nullptr && c != nullptr);
  ASSERT_TRUE(c->start(0).ok());
  ASSERT_EQ(send(*p, 0, 1, "before").kind, Outcome::Kind::confirmed);
  ASSERT_EQ(send(*p, 0, 2, "before").kind, Outcome::Kind::confirmed);
  alarm();
  const std::string body(12U << 20U, 'x');
  std::vector<Outcome> out;
  std::uint32_t sent = 0;
  while (sent < names.partitions && !p->blocked()) {
    const Status s = p->publish(sent++, headers(3), body);
    ASSERT_TRUE(s.ok()) << s.error().what;
  }
  ASSERT_TRUE(p->blocked());
  // A reader is not held up by it.
  EXPECT_EQ(receive(*c).headers.pos, 1U);
  const Delivery second = receive(*c);
  EXPECT_TRUE(c->ack(0, second.tag).ok());
  const auto until = std::chrono::steady_clock::now() + 4s;  // the timeout of a send passes
  std::uint32_t waits = 0;
  while (std::chrono::steady_clock::now() < until) {
    const Status s = p->wait(500ms, wake, out);
    ASSERT_TRUE(s.ok()) << s.error().what;
    EXPECT_TRUE(p->blocked());
    ++waits;
  }
  EXPECT_LT(waits, 30U) << "a busy loop";
  EXPECT_TRUE(out.empty());
  no_alarm();
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (out.size() < sent && std::chrono::steady_clock::now() < deadline)
    ASSERT_TRUE(p->wait(1s, wake, out).ok());
  ASSERT_EQ(out.size(), sent);
  EXPECT_FALSE(p->blocked());
  for (const Outcome& o : out) EXPECT_EQ(o.kind, Outcome::Kind::confirmed);
  EXPECT_TRUE(receive(*c).body == body);
}

SLUICE_ON_BOTH_BROKERS(PublishingWithCtl);

SLUICE_ON_BOTH_BROKERS(Publishing);

}  // namespace
}  // namespace sluice::queue
