// Redis' port for TLS, with certificates made for the test.
#include <memory>
#include <string>

#include <gmock/gmock.h>

#include "sluice/redis/servers.h"

#include "servers.h"
#include "unit/net/certificates.h"
#include "unit/temp_folder.h"

namespace sluice::redis {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Mode = TlsOptions::Mode;

class RedisTls : public ::testing::Test {
 protected:
  void SetUp() override {
    ca_.write_certificate(file("ca.pem"));
    other_ca_.write_certificate(file("other-ca.pem"));
    write("server", ca_.sign("server", "DNS:localhost,IP:127.0.0.1"));
    write("elsewhere", ca_.sign("elsewhere", "DNS:redis.example.org"));
    write("client", ca_.sign("client", "DNS:client"));
    write("stranger", other_ca_.sign("stranger", "DNS:stranger"));
  }
  // A server with this certificate, and options that fit it.
  void start(const std::string& certificate = "server", const std::string& clients = "yes") {
    server_ =
        OwnServer::start_with_tls({"--tls-cert-file", file(certificate + ".pem"), "--tls-key-file",
                                   file(certificate + "-key.pem"), "--tls-ca-cert-file",
                                   file("ca.pem"), "--tls-auth-clients", clients});
    if (!server_) GTEST_SKIP() << "there is no redis-server with TLS in the PATH";
    RedisOptions& o = options();
    o.tls.mode.set(Mode::verify_identity);
    o.tls.ca.set(file("ca.pem"));
    o.tls.cert.set(file("client.pem"));
    o.tls.key.set(file("client-key.pem"));
  }
  RedisOptions& options() { return server_->tls_options(); }
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  void write(const std::string& name, const net::Identity& identity) const {
    identity.write_certificate(file(name + ".pem"));
    identity.write_key(file(name + "-key.pem"));
  }
  void expect_refused(const ::testing::Matcher<std::string>& what) {
    const auto c = Connection::open(options());
    ASSERT_FALSE(c.ok());
    EXPECT_EQ(c.error().cls, ErrorClass::fatal) << to_string(c.error());
    EXPECT_EQ(c.error().code, Errc::redis_denied);
    EXPECT_THAT(c.error().what, AllOf(HasSubstr("redis " + options().host() + ":"), what));
  }
  sluice::testing::TempFolder folder_;
  net::Identity ca_ = net::Identity::authority("ca"), other_ca_ = net::Identity::authority("other");
  std::unique_ptr<OwnServer> server_;
};

TEST_F(RedisTls, CarriesValuesOfEverySizeAndLongPipelines) {
  start();
  if (IsSkipped()) return;
  auto c = Connection::open(options());
  ASSERT_TRUE(c.ok()) << to_string(c.error());
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16'384},
                                 std::size_t{131'073}, std::size_t{20'000'000}}) {
    std::string value(size, 'x');
    for (std::size_t i = 0; i < size; i += 97) value[i] = static_cast<char>(i * 31 >> 7U);
    ASSERT_EQ((*c)->command({"SET", "k", value})->text, "OK");
    const auto read = (*c)->command({"GET", "k"});
    ASSERT_TRUE(read.ok()) << to_string(read.error());
    EXPECT_TRUE(read->text == value) << size;
  }
  // Both directions at once, more than the sockets hold.
  constexpr std::size_t kCount = 20'000;
  const std::string echo(1000, 'e');
  TextBuffer out;
  for (std::size_t i = 0; i < kCount; ++i) append_command(out, {"ECHO", echo});
  ASSERT_TRUE((*c)->send(out.view()).ok());
  std::vector<std::pair<std::size_t, std::string>> errors;
  ASSERT_TRUE((*c)->receive_checked(kCount, errors).ok());
  EXPECT_TRUE(errors.empty());
}

TEST_F(RedisTls, VerifiesANameToo) {
  start();
  if (IsSkipped()) return;
  options().host.set("localhost");
  const auto c = Connection::open(options());
  EXPECT_TRUE(c.ok()) << to_string(c.error());
}

TEST_F(RedisTls, AnotherAuthorityIsRefused) {
  start();
  if (IsSkipped()) return;
  options().tls.ca.set(file("other-ca.pem"));
  expect_refused(HasSubstr("redis.tls.ca must hold the certificate that signed the server's"));
  options().tls.mode.set(Mode::required);
  EXPECT_TRUE(Connection::open(options()).ok()) << "encrypted, and whose it is nobody asked";
}

TEST_F(RedisTls, ACertificateForAnotherNameIsRefused) {
  start("elsewhere");
  if (IsSkipped()) return;
  expect_refused(AllOf(HasSubstr("redis.example.org"), HasSubstr("verify_ca")));
  options().tls.mode.set(Mode::verify_ca);
  const auto c = Connection::open(options());
  EXPECT_TRUE(c.ok()) << to_string(c.error());
}

TEST_F(RedisTls, WithoutOurCertificateTheServerRefuses) {
  start();
  if (IsSkipped()) return;
  options().tls.cert.set("");
  options().tls.key.set("");
  expect_refused(HasSubstr("redis.tls.cert"));
}

TEST_F(RedisTls, ACertificateTheServerDoesNotKnowIsRefused) {
  start();
  if (IsSkipped()) return;
  options().tls.cert.set(file("stranger.pem"));
  options().tls.key.set(file("stranger-key.pem"));
  expect_refused(HasSubstr("the one that signed redis.tls.cert must be in the server's file"));
}

TEST_F(RedisTls, APortWithoutTlsIsSaid) {
  start();
  if (IsSkipped()) return;
  const auto plain = OwnServer::start_with_port();
  ASSERT_NE(plain, nullptr);
  options().port.set(plain->port());
  options().connect_timeout.set(Duration{2000});
  const auto c = Connection::open(options());
  ASSERT_FALSE(c.ok());
  EXPECT_THAT(c.error().what, HasSubstr("port"));
}

TEST_F(RedisTls, SentinelsAndTheMasterTheyNameAreSpokenToWithIt) {
  start("server", "no");
  if (IsSkipped()) return;
  const auto sentinel =
      OwnServer::start_sentinel(options().port(),
                                {"tls-replication yes", "tls-cert-file " + file("server.pem"),
                                 "tls-key-file " + file("server-key.pem"),
                                 "tls-ca-cert-file " + file("ca.pem"), "tls-auth-clients no"},
                                true);
  ASSERT_NE(sentinel, nullptr);
  RedisOptions& o = options();
  o.sentinels.set({{"127.0.0.1", sentinel->tls_options().port()}});
  o.sentinel_master.set("mymaster");
  const auto c = Connection::open(o);
  ASSERT_TRUE(c.ok()) << to_string(c.error());
  EXPECT_EQ((*c)->command({"SET", "k", "v"})->text, "OK");
  o.tls.mode.set(Mode::disabled);
  EXPECT_FALSE(Connection::open(o).ok());
}

}  // namespace
}  // namespace sluice::redis
