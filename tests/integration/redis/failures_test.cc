// What goes wrong: connections refused, closed, silent; servers killed, stopped, full.
#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sluice/base/unique_fd.h"

#include "servers.h"

namespace sluice::redis {
namespace {

using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

void expect_lost(const Error& error) {
  EXPECT_EQ(error.cls, ErrorClass::retry) << to_string(error);
  EXPECT_EQ(error.code, Errc::redis_lost) << to_string(error);
}

class RedisFailures : public OnServer {};
INSTANTIATE_TEST_SUITE_P(Servers, RedisFailures,
                         ::testing::Values("SLUICE_TEST_REDIS7", "SLUICE_TEST_REDIS8"),
                         server_name);

TEST_P(RedisFailures, AConnectionTheServerClosesIsLost) {
  const auto id = connection().command({"CLIENT", "ID"});
  ASSERT_TRUE(id.ok());
  const auto other = connect();
  ASSERT_EQ(other->command({"CLIENT", "KILL", "ID", std::to_string(id->integer)})->integer, 1);
  const auto r = connection().command({"PING"});
  ASSERT_FALSE(r.ok());
  expect_lost(r.error());
  EXPECT_THAT(r.error().what,
              HasSubstr("redis " + options_.host() + ":" + std::to_string(options_.port())));
}

TEST_P(RedisFailures, AReplyThatDoesNotComeIsLostAfterTheTimeout) {
  options_.timeout.set(Duration{2000});
  const auto hasty = connect();
  const auto begin = steady_clock::now();
  const auto r = hasty->command({"BLPOP", key("nothing"), "0"});
  ASSERT_FALSE(r.ok());
  expect_lost(r.error());
  EXPECT_THAT(r.error().what, HasSubstr("no answer within 2000 ms"));
  EXPECT_GE(steady_clock::now() - begin, Duration{2000});
  EXPECT_LT(steady_clock::now() - begin, Duration{20'000});
}

TEST_P(RedisFailures, AnotherThreadEndsTheWait) {
  std::thread other([this] { connection().interrupt(); });
  const auto r = connection().command({"BLPOP", key("nothing"), "0"});
  other.join();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::stopped);
}

// A listening socket on loopback that nobody serves.
class Peer {
 public:
  explicit Peer(bool listening) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    if (listening) {
      EXPECT_EQ(::listen(fd_.get(), 5), 0);
    }
    options.host.set("127.0.0.1");
    options.port.set(ntohs(address.sin_port));
    options.connect_timeout.set(Duration{200});
  }
  // Takes one connection and sends back every byte, reading on only when that is done; until the
  // other side closes.
  void echo() const {
    const UniqueFd client(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::vector<char> buffer(65536);
    for (;;) {
      const auto got = ::recv(client.get(), buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      for (ssize_t sent = 0; sent < got;) {
        const auto n = ::send(client.get(), buffer.data() + sent,
                              static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += n;
      }
    }
  }
  RedisOptions options;

 private:
  UniqueFd fd_;
};

// Redis itself keeps any amount of replies; a proxy does not.  32 MB are far more than the sockets
// hold.
TEST(RedisConnect, APeerThatReadsOnlyWhenItsRepliesAreTakenDoesNotBlockUs) {
  Peer peer(true);
  peer.options.timeout.set(Duration{10'000});
  std::thread server([&peer] { peer.echo(); });
  auto c = Connection::open(peer.options);
  EXPECT_TRUE(c.ok()) << to_string(c.error());
  if (c) {
    constexpr std::size_t kCount = 8'000'000;
    std::string replies;
    replies.reserve(4 * kCount);
    for (std::size_t i = 0; i < kCount; ++i) replies += ":1\r\n";
    const auto sent = (*c)->send(replies);
    EXPECT_TRUE(sent.ok()) << to_string(sent.error());
    std::vector<std::pair<std::size_t, std::string>> errors;
    const auto received = (*c)->receive_checked(kCount, errors);
    EXPECT_TRUE(received.ok()) << to_string(received.error());
    c->reset();
  }
  server.join();
}

TEST(RedisConnect, ARefusedConnectionNamesHostPortAndReason) {
  const Peer peer(false);
  const auto r = Connection::open(peer.options);
  ASSERT_FALSE(r.ok());
  expect_lost(r.error());
  EXPECT_THAT(r.error().what,
              AllOf(HasSubstr("redis 127.0.0.1:" + std::to_string(peer.options.port())),
                    HasSubstr("refused")));
}

TEST(RedisConnect, AServerThatDoesNotAnswerIsLostAfterTheConnectTimeout) {
  const Peer peer(true);
  const auto begin = steady_clock::now();
  const auto r = Connection::open(peer.options);
  ASSERT_FALSE(r.ok());
  expect_lost(r.error());
  EXPECT_LT(steady_clock::now() - begin, Duration{5000});
}

TEST(RedisConnect, AUnixSocketThatIsNotThereIsLostAndATooLongPathWrong) {
  RedisOptions options;
  options.socket.set("/nonexistent/redis.sock");
  const auto r = Connection::open(options);
  ASSERT_FALSE(r.ok());
  expect_lost(r.error());
  EXPECT_THAT(r.error().what, HasSubstr("/nonexistent/redis.sock"));
  options.socket.set("/" + std::string(200, 'x'));
  EXPECT_EQ(Connection::open(options).error().code, Errc::config_invalid);
}

class OwnRedis : public ::testing::Test {
 protected:
  void start(std::vector<std::string> settings = {}) {
    server_ = OwnServer::start(std::move(settings));
  }
  void SetUp() override {
    start();
    if (!server_) GTEST_SKIP() << "there is no redis-server in the PATH";
  }
  std::unique_ptr<Connection> connect() {
    auto c = Connection::open(server_->options());
    EXPECT_TRUE(c.ok()) << to_string(c.error());
    return c ? std::move(c).value() : nullptr;
  }
  std::unique_ptr<OwnServer> server_;
};

TEST_F(OwnRedis, IsSpokenToOverAUnixSocket) {
  const auto c = connect();
  const std::string value(100'000, 'x');
  ASSERT_EQ(c->command({"SET", "k", value})->text, "OK");
  EXPECT_EQ(c->command({"GET", "k"})->text, value);
}

TEST_F(OwnRedis, AKilledServerIsLostAtOnceAndRefusesTheNextConnection) {
  const auto c = connect();
  server_->kill();
  const auto begin = steady_clock::now();
  const auto r = c->command({"PING"});
  ASSERT_FALSE(r.ok());
  expect_lost(r.error());
  EXPECT_LT(steady_clock::now() - begin, server_->options().timeout());
  const auto again = Connection::open(server_->options());
  ASSERT_FALSE(again.ok());
  expect_lost(again.error());
}

// Sending first fills the socket, then waits; the timeout ends that too.
TEST_F(OwnRedis, AStoppedServerIsLostAfterTheTimeoutWhileSendingAndWhileWaiting) {
  server_->options().timeout.set(Duration{2000});
  const auto sender = connect();
  const auto reader = connect();
  server_->pause();
  const std::string much(16U << 20U, 'x');
  const auto begin = steady_clock::now();
  const auto sent = sender->send(much);
  ASSERT_FALSE(sent.ok());
  expect_lost(sent.error());
  const auto r = reader->command({"PING"});
  ASSERT_FALSE(r.ok());
  expect_lost(r.error());
  EXPECT_LT(steady_clock::now() - begin, Duration{20'000});
}

TEST_F(OwnRedis, AFullServerIsTriedLater) {
  const auto c = connect();
  ASSERT_EQ(c->command({"CONFIG", "SET", "maxmemory", "1"})->text, "OK");
  TextBuffer out;
  append_command(out, {"MULTI"});
  append_command(out, {"HSET", "h", "a", "1"});
  append_command(out, {"EXEC"});
  ASSERT_TRUE(c->send(out.view()).ok());
  std::vector<std::pair<std::size_t, std::string>> errors;
  ASSERT_TRUE(c->receive_checked(2, errors).ok());
  ASSERT_THAT(errors, Not(IsEmpty()));
  for (const auto& [index, text] : errors)
    EXPECT_EQ(error_of_reply(text).cls, ErrorClass::retry) << text;
  const auto exec = c->receive_exec();
  ASSERT_TRUE(exec.ok());
  EXPECT_THAT(exec->refused, StartsWith("EXECABORT"));
  EXPECT_EQ(error_of_reply(exec->refused).cls, ErrorClass::retry);
}

TEST_F(OwnRedis, AServerWithoutRoomForClientsIsTriedLater) {
  const auto c = connect();
  ASSERT_EQ(c->command({"CONFIG", "SET", "maxclients", "1"})->text, "OK");
  const auto r = Connection::open(server_->options());
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::retry) << to_string(r.error());
}

TEST_F(OwnRedis, PreflightRefusesEvictionAndReplicas) {
  const auto c = connect();
  ASSERT_EQ(c->command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"})->text, "OK");
  const auto evicts = preflight(*c, server_->options());
  ASSERT_FALSE(evicts.ok());
  EXPECT_EQ(evicts.error().code, Errc::redis_preflight);
  EXPECT_THAT(evicts.error().what, HasSubstr("allkeys-lru"));
  server_->options().is_cache.set(true);
  EXPECT_TRUE(preflight(*c, server_->options()).ok());

  ASSERT_EQ(c->command({"REPLICAOF", "127.0.0.1", "1"})->text, "OK");
  const auto replica = preflight(*c, server_->options());
  ASSERT_FALSE(replica.ok());
  EXPECT_THAT(replica.error().what, HasSubstr("replica of 127.0.0.1:1"));
  const auto write = c->command({"SET", "k", "v"});
  ASSERT_TRUE(write.ok());
  EXPECT_EQ(error_of_reply(write->text).cls, ErrorClass::retry) << write->text;
}

TEST_F(OwnRedis, ACommandRenamedAwayIsOnlyAWarning) {
  start({"--rename-command", "CONFIG", "", "--rename-command", "INFO", ""});
  ASSERT_NE(server_, nullptr);
  const auto c = connect();
  const auto info = preflight(*c, server_->options());
  ASSERT_TRUE(info.ok()) << to_string(info.error());
  EXPECT_EQ(info->warnings.size(), 4U);
  EXPECT_THAT(info->warnings, Each(Not(HasSubstr("with args"))));
}

TEST_F(OwnRedis, APasswordIsAskedFor) {
  start({"--requirepass", "hunter2"});
  ASSERT_NE(server_, nullptr);
  const auto r = Connection::open(server_->options());
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::redis_denied);
  server_->options().password.set(Secret("hunter2"));
  EXPECT_EQ(connect()->command({"PING"})->text, "PONG");
}

}  // namespace
}  // namespace sluice::redis
