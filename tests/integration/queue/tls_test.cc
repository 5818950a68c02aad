#include <gmock/gmock.h>

#include "integration/queue/broker.h"
#include "integration/queue/proxy.h"

namespace sluice::queue {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Mode = TlsOptions::Mode;

// The broker's listener with TLS: its certificate is for localhost and 127.0.0.1, and it wants one
// of ours.
class BrokerTls : public BrokerTest {
 protected:
  void SetUp() override {
    BrokerTest::SetUp();
    if (IsSkipped()) return;
    plain_port_ = options.port();
    const std::string name = is_new() ? "SLUICE_TEST_RABBITTLS43" : "SLUICE_TEST_RABBITTLS310";
    const std::string where = environment(name.c_str());
    const auto first = where.find(':'), second = where.find(':', first + 1);
    if (second == std::string::npos) GTEST_SKIP() << name << " is not set";
    options.port.set(static_cast<std::uint32_t>(std::stoul(where.substr(first + 1))));
    folder_ = where.substr(second + 1) + "/";
    options.tls.mode.set(Mode::verify_identity);
    options.tls.ca.set(folder_ + "ca.pem");
    options.tls.cert.set(folder_ + "client.pem");
    options.tls.key.set(folder_ + "client-key.pem");
  }
  void TearDown() override {
    if (IsSkipped()) return;
    options.port.set(plain_port_);
    options.tls.mode.set(Mode::disabled);
    options.host.set("127.0.0.1");
    BrokerTest::TearDown();
  }
  // may_be_silent: a broker that hangs up without a word is tried again, and told as what it may
  // be.
  void expect_refused(const ::testing::Matcher<std::string>& what, bool may_be_silent = false) {
    const auto admin = Admin::connect(options);
    ASSERT_FALSE(admin.ok());
    if (!may_be_silent || admin.error().cls != ErrorClass::retry) {
      EXPECT_EQ(admin.error().cls, ErrorClass::fatal) << admin.error().what;
      EXPECT_EQ(admin.error().code, Errc::queue_tls);
    }
    EXPECT_THAT(
        admin.error().what,
        AllOf(HasSubstr("RabbitMQ at " + HostPort{options.host(), options.port()}.to_string(0)),
              what));
  }
  std::string folder_;
  std::uint32_t plain_port_ = 0;
};

TEST_P(BrokerTls, CarriesMessagesOfEverySize) {
  const auto admin = declared();
  const auto p = publisher();
  const auto c = consumer();
  ASSERT_TRUE(admin != nullptr && p != nullptr && c != nullptr);
  ASSERT_TRUE(c->start(0).ok());
  std::uint64_t n = 0;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{16'384}, std::size_t{131'064},
        std::size_t{1'000'000}, std::size_t{12'000'000}}) {
    std::string body(size, 'x');
    for (std::size_t i = 0; i < size; i += 97) body[i] = static_cast<char>(i * 31 >> 7U);
    ASSERT_EQ(send(*p, 0, ++n, body).kind, Outcome::Kind::confirmed);
    const Delivery d = receive(*c);
    EXPECT_EQ(d.headers.pos, n);
    EXPECT_TRUE(d.body == body) << size;
    ASSERT_TRUE(c->ack(0, d.tag).ok());
  }
}

TEST_P(BrokerTls, VerifiesANameToo) {
  options.host.set("localhost");
  const auto admin = Admin::connect(options);
  EXPECT_TRUE(admin.ok()) << admin.error().what;
}

TEST_P(BrokerTls, AnotherAuthorityIsRefused) {
  options.tls.ca.set(folder_ + "other-ca.pem");
  expect_refused(HasSubstr("queue.tls.ca must hold the certificate that signed the server's"));
}

TEST_P(BrokerTls, WithoutOurCertificateTheBrokerRefuses) {
  options.tls.cert.set("");
  options.tls.key.set("");
  expect_refused(HasSubstr("set queue.tls.cert"), true);
}

TEST_P(BrokerTls, ACertificateTheBrokerDoesNotKnowIsRefused) {
  options.tls.cert.set(folder_ + "other-ca.pem");
  options.tls.key.set(folder_ + "other-ca-key.pem");
  expect_refused(HasSubstr("the one that signed queue.tls.cert must be in the server's file"),
                 true);
}

TEST_P(BrokerTls, APortWithoutTlsIsSaid) {
  options.port.set(plain_port_);
  expect_refused(HasSubstr("queue.port must be the server's port for TLS"));
}

TEST_P(BrokerTls, APortWithTlsIsSaidToAPlainClient) {
  options.tls.mode.set(Mode::disabled);
  const auto admin = Admin::connect(options);
  ASSERT_FALSE(admin.ok());
  EXPECT_THAT(admin.error().what, HasSubstr("queue.tls"));
}

TEST_P(BrokerTls, OneBrokerWithAnUnknownCertificateDoesNotKeepUsFromTheOthers) {
  QueueOptions cluster{nullptr, "queue", ""};
  cluster.hosts.set({{"127.0.0.1", plain_port_}, {"127.0.0.1", options.port()}});
  cluster.tls.mode.set(Mode::verify_identity);
  cluster.tls.ca.set(options.tls.ca());
  cluster.tls.cert.set(options.tls.cert());
  cluster.tls.key.set(options.tls.key());
  Brokers brokers(cluster);
  for (int i = 0; i < 4; ++i) {
    const auto admin = Admin::connect(brokers);
    EXPECT_TRUE(admin.ok()) << admin.error().what;
  }
}

SLUICE_ON_BOTH_BROKERS(BrokerTls);

}  // namespace
}  // namespace sluice::queue
