#include <chrono>

#include <gmock/gmock.h>

#include "integration/queue/broker.h"
#include "integration/queue/proxy.h"

namespace sluice::queue {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Connection : public BrokerTest {};

TEST_P(Connection, AWrongPasswordIsDeniedWithTheRemedy) {
  QueueOptions wrong{nullptr, "queue", ""};
  wrong.host.set(options.host());
  wrong.port.set(options.port());
  wrong.password.set(Secret("not the password"));
  const auto admin = Admin::connect(wrong);
  ASSERT_FALSE(admin.ok());
  EXPECT_EQ(admin.error().cls, ErrorClass::fatal);
  EXPECT_EQ(admin.error().code, Errc::queue_denied);
  EXPECT_THAT(admin.error().what, HasSubstr("ACCESS_REFUSED"));
  EXPECT_THAT(admin.error().what, HasSubstr("rabbitmqctl add_user 'guest'"));
  EXPECT_THAT(admin.error().what, ::testing::Not(HasSubstr("not the password")));
}

TEST_P(Connection, AnUnknownVhostIsDeniedWithTheRemedy) {
  QueueOptions wrong{nullptr, "queue", ""};
  wrong.host.set(options.host());
  wrong.port.set(options.port());
  wrong.vhost.set("nowhere");
  const auto admin = Admin::connect(wrong);
  ASSERT_FALSE(admin.ok());
  EXPECT_EQ(admin.error().code, Errc::queue_denied);
  EXPECT_THAT(admin.error().what, HasSubstr("rabbitmqctl add_vhost 'nowhere'"));
}

// The broker drops a client after two silent intervals.
TEST_P(Connection, AnIdleConnectionIsKeptByHeartbeats) {
  options.heartbeat.set(1s);
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  ASSERT_NE(p, nullptr);
  std::vector<Outcome> out;
  const auto idle = p->wait(4s, wake, out);
  EXPECT_TRUE(idle.ok()) << idle.error().what;
  EXPECT_EQ(send(*p, 0, 1, "x").kind, Outcome::Kind::confirmed);
  const auto c = consumer();
  ASSERT_NE(c, nullptr);
  ASSERT_TRUE(c->start(1).ok());
  const auto nothing = c->next(4s, wake);
  ASSERT_TRUE(nothing.ok()) << nothing.error().what;
  EXPECT_FALSE(nothing->has_value());
  ASSERT_TRUE(c->start(0).ok());
  EXPECT_EQ(receive(*c).headers.pos, 1U);
}

TEST_P(Connection, APeerThatFellSilentIsDeadAfterTwoHeartbeats) {
  Proxy proxy(options.port());
  QueueOptions through{nullptr, "queue", ""};
  through.host.set("127.0.0.1");
  through.port.set(proxy.port());
  through.heartbeat.set(1s);
  auto p = Publisher::connect(through, names);
  ASSERT_TRUE(p.ok()) << p.error().what;
  proxy.hold_to_client(true);
  const auto start = std::chrono::steady_clock::now();
  std::vector<Outcome> out;
  const auto status = (*p)->wait(30s, wake, out);
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::queue_lost);
  EXPECT_EQ(status.error().cls, ErrorClass::retry);
  EXPECT_GE(took, 1s);
  EXPECT_LT(took, 5s);
}

TEST_P(Connection, AWakeUpEndsAWaitAtOnceAndIsCleared) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto p = publisher();
  const auto c = consumer();
  ASSERT_TRUE(p != nullptr && c != nullptr);
  ASSERT_TRUE(c->start(0).ok());
  std::vector<Outcome> out;
  const auto start = std::chrono::steady_clock::now();
  wake.notify();
  ASSERT_TRUE(p->wait(30s, wake, out).ok());
  const std::jthread other([this] { wake.notify(); });
  const auto nothing = c->next(30s, wake);
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  const auto later = std::chrono::steady_clock::now();
  ASSERT_TRUE(p->wait(50ms, wake, out).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - later, 50ms) << "cleared: a wait lasts again";
}

TEST_P(Connection, AnotherHostIsTakenWhenOneDoesNotAnswer) {
  std::uint32_t dead = 0;
  {
    const Proxy gone(0);
    dead = gone.port();
  }
  QueueOptions cluster{nullptr, "queue", ""};
  cluster.hosts.set({{"127.0.0.1", dead}, {options.host(), options.port()}});
  Brokers brokers(cluster);
  for (int i = 0; i < 8; ++i) {
    const auto admin = Admin::connect(brokers);
    EXPECT_TRUE(admin.ok()) << admin.error().what;
  }
}

TEST_P(Connection, WhoIsToEndTriesNoFurtherHost) {
  std::uint32_t dead = 0;
  {
    const Proxy gone(0);
    dead = gone.port();
  }
  QueueOptions cluster{nullptr, "queue", ""};
  cluster.hosts.set({{"127.0.0.1", dead}, {options.host(), options.port()}});
  std::stop_source stop;
  stop.request_stop();
  bool ended = false;
  for (int i = 0; i < 100 && !ended; ++i) {  // the order is a random one
    Brokers brokers(cluster, stop.get_token());
    const auto admin = Admin::connect(brokers);
    if (!admin.ok()) {
      EXPECT_EQ(admin.error().cls, ErrorClass::stopped) << admin.error().what;
    }
    ended = !admin.ok();
  }
  EXPECT_TRUE(ended);
}

// Two ways to the same broker: which one a connection took is seen by the bytes that pass.
TEST_P(Connection, AfterALostConnectionAnotherHostIsTriedFirst) {
  Proxy a(options.port()), b(options.port());
  QueueOptions cluster{nullptr, "queue", ""};
  cluster.hosts.set({{"127.0.0.1", a.port()}, {"127.0.0.1", b.port()}});
  Brokers brokers(cluster);
  const auto first_of = [&brokers] { return brokers.order().front().port; };
  for (int i = 0; i < 4; ++i) {
    auto p = Publisher::connect(brokers, names);
    ASSERT_TRUE(p.ok()) << p.error().what;
    const std::uint32_t next = first_of();
    (next == a.port() ? b : a).cut();
    std::vector<Outcome> out;
    const Status lost = (*p)->wait(5s, wake, out);
    ASSERT_FALSE(lost.ok()) << "the connection went through the other host";
    EXPECT_EQ(lost.error().code, Errc::queue_lost);
  }
}

SLUICE_ON_BOTH_BROKERS(Connection);

QueueOptions& at_port(QueueOptions& options, std::uint32_t port) {
  options.host.set("127.0.0.1");
  options.port.set(port);
  options.connect_timeout.set(300ms);
  return options;
}

TEST(ConnectionWithoutBroker, ARefusedConnectIsRetriedAndSaysWhy) {
  std::uint32_t port = 0;
  {
    const Proxy gone(0);
    port = gone.port();
  }
  QueueOptions options{nullptr, "queue", ""};
  const auto admin = Admin::connect(at_port(options, port));
  ASSERT_FALSE(admin.ok());
  EXPECT_EQ(admin.error().cls, ErrorClass::retry);
  EXPECT_EQ(admin.error().code, Errc::queue_lost);
  EXPECT_THAT(admin.error().what,
              HasSubstr("127.0.0.1:" + std::to_string(port) + ": connect: Connection refused"));
}

TEST(ConnectionWithoutBroker, EveryHostsReasonIsSaid) {
  const Proxy silent(0);
  std::uint32_t port = 0;
  {
    const Proxy gone(0);
    port = gone.port();
  }
  QueueOptions options{nullptr, "queue", ""};
  options.hosts.set({{"127.0.0.1", port}, {"127.0.0.1", silent.port()}});
  options.connect_timeout.set(300ms);
  const auto admin = Admin::connect(options);
  ASSERT_FALSE(admin.ok());
  EXPECT_EQ(admin.error().cls, ErrorClass::retry);
  EXPECT_EQ(admin.error().code, Errc::queue_lost);
  EXPECT_THAT(admin.error().what,
              HasSubstr("127.0.0.1:" + std::to_string(port) + ": connect: Connection refused"));
  EXPECT_THAT(admin.error().what, HasSubstr("127.0.0.1:" + std::to_string(silent.port()) +
                                            ": no connection.start for 300 ms"));
}

TEST(ConnectionWithoutBroker, AServerThatSaysNothingIsGivenUpAtTheTimeout) {
  const Proxy silent(0);
  QueueOptions options{nullptr, "queue", ""};
  const auto start = std::chrono::steady_clock::now();
  const auto admin = Admin::connect(at_port(options, silent.port()));
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_FALSE(admin.ok());
  EXPECT_EQ(admin.error().cls, ErrorClass::retry);
  EXPECT_THAT(admin.error().what, HasSubstr("no connection.start for 300 ms"));
  EXPECT_GE(took, 300ms);
  EXPECT_LT(took, 5s);
}

TEST(ConnectionWithoutBroker, AnUnknownHostNameIsRetried) {
  QueueOptions options{nullptr, "queue", ""};
  options.host.set("no-such-host.invalid");
  const auto admin = Admin::connect(options);
  ASSERT_FALSE(admin.ok());
  EXPECT_EQ(admin.error().cls, ErrorClass::retry);
  EXPECT_EQ(admin.error().code, Errc::queue_lost);
}

}  // namespace
}  // namespace sluice::queue
