#include <chrono>
#include <future>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "sluice/base/byte_writer.h"
#include "sluice/base/unique_fd.h"

#include "integration/mysql/server.h"
#include "integration/queue/proxy.h"

namespace sluice::mysql {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

class SourceConnection : public OnServer {
 protected:
  // Empty: not encrypted.
  static std::string cipher(Connection& connection) {
    auto rows = connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
    EXPECT_TRUE(rows.ok());
    return rows.ok() && !rows->empty() ? (*rows)[0][1].value_or("") : "";
  }
};
// What only one of the servers has.
class SourceConnectionOnMariadb : public SourceConnection {};
class SourceConnectionOnMysql : public SourceConnection {};

TEST_P(SourceConnection, OpensOverTcpAndNamesTheServer) {
  OwnOptions o;
  make_account(o.source, "");
  auto connection = Connection::open(o.source);
  ASSERT_TRUE(connection.ok()) << connection.error().what;
  const bool mysql = std::string(GetParam()) == kMysql;
  EXPECT_EQ(connection->server().flavor, mysql ? Flavor::mysql : Flavor::mariadb);
  EXPECT_THAT(connection->server().version, Not(HasSubstr("5.5.5-")));
  EXPECT_GE(connection->server().version_number, mysql ? 80000U : 100500U);
}

TEST_P(SourceConnection, OpensOverASocket) {
  EXPECT_THAT(value("SELECT CURRENT_USER()"), HasSubstr("root@localhost"));
}

TEST_P(SourceConnection, SetsTheSessionUp) {
  EXPECT_EQ(value("SELECT @@session.time_zone"), "+00:00");
  EXPECT_EQ(value("SELECT @@session.sql_mode"), "");
  EXPECT_EQ(value("SELECT @@session.character_set_results"), "utf8mb4");
  EXPECT_EQ(value("SELECT '\xF0\x9F\x90\xAC'"), "\xF0\x9F\x90\xAC");
}

TEST_P(SourceConnection, GivesEachOfManyStatementsItsOwnAnswer) {
  const auto answers = admin().query_each(
      {"SELECT 1", "SELECT * FROM no.such_table", "DO 0", "SELECT ';'", "nonsense", "SELECT 2"});
  ASSERT_TRUE(answers.ok()) << to_string(answers.error());
  ASSERT_EQ(answers->size(), 6U);
  EXPECT_EQ(answers->at(0)->front().front(), "1");
  EXPECT_EQ(answers->at(1).error().code, Errc::schema_missing);
  EXPECT_TRUE(answers->at(2)->empty());
  EXPECT_EQ(answers->at(3)->front().front(), ";");
  EXPECT_EQ(answers->at(4).error().code, Errc::mysql_query);
  EXPECT_EQ(answers->at(5)->front().front(), "2");
  EXPECT_EQ(value("SELECT 3"), "3") << "the connection goes on";
  EXPECT_FALSE(admin().query("SELECT 1; SELECT 2").ok()) << "one statement at a time again";
  EXPECT_TRUE(admin().query_each({})->empty());
}

TEST_P(SourceConnection, KeepsNullEmptyAndBytesApart) {
  const auto rows = sql("SELECT NULL, '', X'00ff27', 1 UNION ALL SELECT 'a', 'b', 'c', 2");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_FALSE(rows[0][0].has_value());
  EXPECT_EQ(rows[0][1], "");
  EXPECT_EQ(rows[0][2], std::string("\0\xFF'", 3));
}

TEST_P(SourceConnection, QuotesAnyText) {
  const std::string nasty("a'b\\c\"d\0e\n`%_;--", 17);
  EXPECT_EQ(value("SELECT " + admin().quote(nasty)), nasty);
}

TEST_P(SourceConnection, SaysTheServersNumberAndTextOfABadStatement) {
  const auto rows = admin().query("SELEC 1");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().cls, ErrorClass::fatal);
  EXPECT_EQ(rows.error().code, Errc::mysql_query);
  EXPECT_THAT(rows.error().what, HasSubstr("error 1064"));
  EXPECT_THAT(rows.error().what, HasSubstr(socket_));
}

TEST_P(SourceConnection, IsDeniedWithTheRemedyAndWithoutThePassword) {
  OwnOptions o;
  make_account(o.source, "");
  o.source.password.set(Secret{"wrong-secret-99"});
  const auto connection = Connection::open(o.source);
  ASSERT_FALSE(connection.ok());
  EXPECT_EQ(connection.error().cls, ErrorClass::fatal);
  EXPECT_EQ(connection.error().code, Errc::mysql_denied);
  EXPECT_THAT(connection.error().what, HasSubstr(host_ + ":" + std::to_string(port_)));
  EXPECT_THAT(connection.error().what, HasSubstr("error 1045"));
  EXPECT_THAT(connection.error().what, HasSubstr("CREATE USER '" + o.source.user() + "'@'%'"));
  EXPECT_THAT(connection.error().what,
              HasSubstr("GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT"));
  EXPECT_THAT(connection.error().what, Not(HasSubstr("wrong-secret-99")));
}

TEST_P(SourceConnection, MayNotReadWhatItWasNotGranted) {
  OwnOptions o;
  make_account(o.source, "");
  auto connection = Connection::open(o.source);
  ASSERT_TRUE(connection.ok());
  const auto rows = connection->query("SHOW BINARY LOGS");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, Errc::mysql_denied);
  EXPECT_THAT(rows.error().what, HasSubstr("GRANT"));
}

TEST_P(SourceConnection, IsWorthAnotherTryWhenNobodyListens) {
  OwnOptions o;
  {
    const queue::Proxy gone(0);
    o.source.port.set(gone.port());
  }
  const auto tcp = Connection::open(o.source);
  ASSERT_FALSE(tcp.ok());
  EXPECT_EQ(tcp.error().cls, ErrorClass::retry);
  EXPECT_EQ(tcp.error().code, Errc::mysql_lost);
  EXPECT_THAT(tcp.error().what, HasSubstr("127.0.0.1:" + std::to_string(o.source.port())));
  o.source.socket.set("/nonexistent/mysqld.sock");
  const auto socket = Connection::open(o.source);
  ASSERT_FALSE(socket.ok());
  EXPECT_EQ(socket.error().code, Errc::mysql_lost);
  EXPECT_THAT(socket.error().what, HasSubstr("/nonexistent/mysqld.sock"));
}

TEST_P(SourceConnection, DoesNotWaitLongerThanTheConnectTimeout) {
  const queue::Proxy silent(0);
  OwnOptions o;
  o.source.port.set(silent.port());
  o.source.connect_timeout.set(1s);
  const auto since = steady_clock::now();
  const auto connection = Connection::open(o.source);
  ASSERT_FALSE(connection.ok());
  EXPECT_EQ(connection.error().cls, ErrorClass::retry);
  EXPECT_EQ(connection.error().code, Errc::mysql_lost);
  EXPECT_LT(steady_clock::now() - since, 10s);
}

TEST_P(SourceConnection, DoesNotWaitLongerThanTheQueryTimeout) {
  OwnOptions o;
  make_account(o.source, "");
  o.source.query_timeout.set(1s);
  auto connection = Connection::open(o.source);
  ASSERT_TRUE(connection.ok());
  const auto since = steady_clock::now();
  const auto rows = connection->query("SELECT SLEEP(30)");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, Errc::mysql_lost);
  EXPECT_LT(steady_clock::now() - since, 15s);
}

TEST_P(SourceConnection, IsWorthAnotherTryWhenTheServerEndsIt) {
  OwnOptions o;
  make_account(o.source, "");
  auto connection = Connection::open(o.source);
  ASSERT_TRUE(connection.ok());
  const auto id = connection->query_value("SELECT CONNECTION_ID()");
  ASSERT_TRUE(id.ok());
  sql("KILL " + id->value_or(""));
  const auto rows = connection->query("SELECT 1");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().cls, ErrorClass::retry);
  EXPECT_EQ(rows.error().code, Errc::mysql_lost);
}

TEST_P(SourceConnectionOnMysql, AuthenticatesInFullWithAndWithoutTls) {
  for (const auto mode : {TlsOptions::Mode::disabled, TlsOptions::Mode::required}) {
    OwnOptions o;
    make_account(o.source, "", "caching_sha2_password");
    o.source.tls.mode.set(mode);
    sql("FLUSH PRIVILEGES");  // empties the server's cache of passwords: the next login is a full
                              // one
    auto full = Connection::open(o.source);
    ASSERT_TRUE(full.ok()) << full.error().what;
    EXPECT_EQ(cipher(*full).empty(), mode == TlsOptions::Mode::disabled);
    EXPECT_TRUE(Connection::open(o.source).ok());  // and by the cache
  }
}

TEST_P(SourceConnectionOnMariadb, AuthenticatesWithANativePassword) {
  OwnOptions o;
  make_account(o.source, "");
  EXPECT_EQ(value("SELECT plugin FROM mysql.user WHERE user = '" + o.source.user() + "'"),
            "mysql_native_password");
  EXPECT_TRUE(Connection::open(o.source).ok());
}

TEST_P(SourceConnection, PrefersTlsWhereTheServerHasIt) {
  OwnOptions o;
  make_account(o.source, "");
  auto connection = Connection::open(o.source);
  ASSERT_TRUE(connection.ok()) << connection.error().what;
  // MySQL, and MariaDB from 11.4 on, make themselves a certificate.
  EXPECT_EQ(cipher(*connection).empty(), !is_mysql() && value("SELECT @@have_ssl") == "DISABLED");
  o.source.tls.mode.set(TlsOptions::Mode::disabled);
  auto plain = Connection::open(o.source);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(cipher(*plain), "");
}

TEST_P(SourceConnectionOnMariadb, RefusesAServerWithoutTheTlsItDemands) {
  for (const auto mode : {TlsOptions::Mode::required, TlsOptions::Mode::verify_ca,
                          TlsOptions::Mode::verify_identity}) {
    OwnOptions o;
    make_account(o.source, "");
    o.source.tls.mode.set(mode);
    const auto connection = Connection::open(o.source);
    ASSERT_FALSE(connection.ok());
    EXPECT_EQ(connection.error().cls, ErrorClass::fatal);
    EXPECT_EQ(connection.error().code, Errc::mysql_preflight);
    EXPECT_THAT(connection.error().what, HasSubstr("does not support it"));
    EXPECT_THAT(connection.error().what, HasSubstr("source.tls.mode"));
  }
}

// Greets one client as a server without TLS, then keeps what the client says until it hangs up.
class GreeterWithoutTls {
 public:
  GreeterWithoutTls() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof a;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&a), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&a), &size), 0);
    port_ = ntohs(a.sin_port);
    heard_ = std::async(std::launch::async, [this] { return greet(); });
  }
  std::uint32_t port() const { return port_; }
  std::string heard() { return heard_.get(); }

 private:
  std::string greet() const {
    constexpr std::uint32_t kEverythingButTls = 0xFFFFFFFFU & ~0x800U;
    ByteWriter body;
    body.le<1>(10)
        .bytes("8.0.36")
        .le<1>(0)
        .le<4>(1)
        .bytes("abcdefgh")
        .le<1>(0)
        .le<2>(kEverythingButTls & 0xFFFFU);
    body.le<1>(33).le<2>(2).le<2>(kEverythingButTls >> 16U).le<1>(21).bytes(std::string(10, '\0'));
    body.bytes("ijklmnopqrst").le<1>(0).bytes("caching_sha2_password").le<1>(0);
    ByteWriter packet;
    packet.le<3>(body.size()).le<1>(0).bytes(body.str());
    const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
    EXPECT_GT(::send(client.get(), packet.str().data(), packet.size(), MSG_NOSIGNAL), 0);
    const timeval patience{2, 0};
    EXPECT_EQ(::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    std::string out(4096, '\0');
    const auto n = ::recv(client.get(), out.data(), out.size(), 0);
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return out;
  }
  UniqueFd listener_;
  std::uint32_t port_ = 0;
  std::future<std::string> heard_;
};

TEST(SourceTlsDemanded, NothingIsSentToAServerThatHasNone) {
  using Mode = TlsOptions::Mode;
  for (const auto mode :
       {Mode::required, Mode::verify_ca, Mode::verify_identity, Mode::preferred}) {
    GreeterWithoutTls server;
    OwnOptions o;
    o.source.port.set(server.port());
    o.source.password.set(Secret{"secret"});
    o.source.tls.mode.set(mode);
    const auto connection = Connection::open(o.source);
    ASSERT_FALSE(connection.ok());
    if (mode == Mode::preferred)  // the counter-example: it does go on
      EXPECT_THAT(server.heard(), HasSubstr("sluice"));
    else
      EXPECT_EQ(server.heard(), "");
  }
}

TEST_P(SourceConnection, NamesATlsFileItCannotRead) {
  OwnOptions o;
  make_account(o.source, "");
  o.source.tls.mode.set(TlsOptions::Mode::verify_ca);
  o.source.tls.ca.set("/nonexistent/ca.pem");
  const auto connection = Connection::open(o.source);
  ASSERT_FALSE(connection.ok());
  EXPECT_EQ(connection.error().code, Errc::mysql_preflight);
  EXPECT_THAT(connection.error().what,
              HasSubstr("source.tls.ca: /nonexistent/ca.pem cannot be read"));
}

TEST_P(SourceConnection, RefusesToVerifyAnIdentityThatASocketDoesNotHave) {
  OwnOptions o;
  o.source.socket.set(socket_);
  o.source.tls.mode.set(TlsOptions::Mode::verify_identity);
  const auto connection = Connection::open(o.source);
  ASSERT_FALSE(connection.ok());
  EXPECT_EQ(connection.error().code, Errc::mysql_preflight);
  EXPECT_THAT(connection.error().what, HasSubstr("verify_ca"));
}

INSTANTIATE_TEST_SUITE_P(On, SourceConnection, kAllServers, server_name);
INSTANTIATE_TEST_SUITE_P(On, SourceConnectionOnMariadb, testing::Values(kMariadb), server_name);
INSTANTIATE_TEST_SUITE_P(On, SourceConnectionOnMysql, testing::Values(kMysql), server_name);

}  // namespace
}  // namespace sluice::mysql
