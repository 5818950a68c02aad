#include "sluice/redis/connection.h"

#include <string>

#include <gmock/gmock.h>

#include "fake_transport.h"

namespace sluice::redis {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

class RedisConnection : public ::testing::Test {
 protected:
  FakeServer server_;
  FakeClock clock_;
  StreamConnection connection_{std::make_unique<FakeTransport>(server_), "redis h:1", 30s, clock_};
  std::vector<std::pair<std::size_t, std::string>> errors_;
};

TEST_F(RedisConnection, ReadsEveryKindOfReply) {
  server_.replies = "+OK\r\n-ERR no\r\n:-42\r\n$5\r\na\r\n\0b\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n"sv;
  const auto next = [this] { return std::move(connection_.receive()).value(); };
  Reply r = next();
  EXPECT_EQ(r.kind, Reply::Kind::status);
  EXPECT_EQ(r.text, "OK");
  r = next();
  EXPECT_EQ(r.kind, Reply::Kind::error);
  EXPECT_EQ(r.text, "ERR no");
  r = next();
  EXPECT_EQ(r.kind, Reply::Kind::integer);
  EXPECT_EQ(r.integer, -42);
  r = next();
  EXPECT_EQ(r.kind, Reply::Kind::string);
  EXPECT_EQ(r.text, "a\r\n\0b"sv);
  r = next();
  EXPECT_EQ(r.kind, Reply::Kind::string);
  EXPECT_EQ(r.text, "");
  EXPECT_EQ(next().kind, Reply::Kind::nil);
  EXPECT_EQ(next().kind, Reply::Kind::nil);
  r = next();
  EXPECT_EQ(r.kind, Reply::Kind::array);
  EXPECT_THAT(r.items, IsEmpty());
}

TEST_F(RedisConnection, BuildsNestedArraysFromAnyCutOfTheStream) {
  const std::string whole = "*3\r\n*2\r\n:1\r\n*1\r\n$2\r\nxy\r\n+mid\r\n*2\r\n-ERR e\r\n$-1\r\n";
  for (std::size_t piece = 1; piece <= whole.size(); ++piece) {
    server_.piece = piece;
    server_.replies = whole;
    const auto r = connection_.receive();
    ASSERT_TRUE(r.ok()) << to_string(r.error());
    ASSERT_EQ(r->items.size(), 3U);
    ASSERT_EQ(r->items[0].items.size(), 2U);
    EXPECT_EQ(r->items[0].items[0].integer, 1);
    ASSERT_EQ(r->items[0].items[1].items.size(), 1U);
    EXPECT_EQ(r->items[0].items[1].items[0].text, "xy");
    EXPECT_EQ(r->items[1].text, "mid");
    ASSERT_EQ(r->items[2].items.size(), 2U);
    EXPECT_EQ(r->items[2].items[0].kind, Reply::Kind::error);
    EXPECT_EQ(r->items[2].items[1].kind, Reply::Kind::nil);
  }
}

TEST_F(RedisConnection, CheckedReadKeepsOnlyErrorsWithTheirIndex) {
  server_.replies = "+QUEUED\r\n-OOM no\r\n+QUEUED\r\n*2\r\n:1\r\n-WRONGTYPE x\r\n+next\r\n";
  ASSERT_TRUE(connection_.receive_checked(4, errors_).ok());
  EXPECT_THAT(errors_, ElementsAre(Pair(1, "OOM no"), Pair(3, "WRONGTYPE x")));
  EXPECT_EQ(connection_.receive()->text, "next");
}

TEST_F(RedisConnection, ExecReplyCountsAndTellsWhichCommandsFailed) {
  server_.piece = 3;
  server_.replies =
      "*5\r\n:1\r\n-WRONGTYPE a\r\n+OK\r\n*2\r\n:1\r\n-ERR inner\r\n-ERR b\r\n+after\r\n";
  const auto r = connection_.receive_exec();
  ASSERT_TRUE(r.ok()) << to_string(r.error());
  EXPECT_TRUE(r->done());
  EXPECT_EQ(r->count, 5U);
  EXPECT_THAT(r->errors,
              ElementsAre(Pair(1, "WRONGTYPE a"), Pair(3, "ERR inner"), Pair(4, "ERR b")));
  EXPECT_EQ(connection_.receive()->text, "after");
}

TEST_F(RedisConnection, ExecReplyTellsAbortedFromRefused) {
  server_.replies =
      "*-1\r\n-EXECABORT Transaction discarded because of previous errors.\r\n$-1\r\n";
  const auto aborted = connection_.receive_exec();
  ASSERT_TRUE(aborted.ok());
  EXPECT_TRUE(aborted->aborted);
  EXPECT_FALSE(aborted->done());
  EXPECT_EQ(aborted->refused, "");
  const auto refused = connection_.receive_exec();
  ASSERT_TRUE(refused.ok());
  EXPECT_FALSE(refused->aborted);
  EXPECT_FALSE(refused->done());
  EXPECT_EQ(refused->refused, "EXECABORT Transaction discarded because of previous errors.");
  EXPECT_EQ(refused->count, 0U);
}

TEST_F(RedisConnection, AReplyExecCannotGiveMeansTheStreamIsOutOfStep) {
  server_.replies = "+QUEUED\r\n*0\r\n";
  const auto r = connection_.receive_exec();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::redis_lost);
  EXPECT_FALSE(connection_.receive_exec().ok()) << "a connection out of step must not go on";
}

// A server that stops reading while its replies are not taken: sending alone would wait for ever.
TEST_F(RedisConnection, SendTakesRepliesWhileTheServerDoesNotRead) {
  std::string request(100'000, 'x');
  std::string replies;
  for (int i = 0; i < 10'000; ++i) replies += ":" + std::to_string(i) + "\r\n";
  server_.accepts = 1000;
  server_.accepts_per_read = 2;
  server_.replies = replies;
  ASSERT_TRUE(connection_.send(request).ok());
  EXPECT_EQ(server_.received, request);
  for (int i = 0; i < 10'000; ++i) {
    const auto r = connection_.receive();
    ASSERT_TRUE(r.ok());
    ASSERT_EQ(r->integer, i);
  }
}

TEST_F(RedisConnection, SendThatMakesNoProgressIsLost) {
  server_.accepts = 10;
  const auto r = connection_.send("0123456789abc");
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::retry);
  EXPECT_EQ(r.error().code, Errc::redis_lost);
  EXPECT_THAT(r.error().what, AllOf(HasSubstr("redis h:1"), HasSubstr("30000 ms")));
}

// It talks without end and never reads: each wait finds it ready, and still the timeout comes.
TEST_F(RedisConnection, SendToAServerThatOnlyTalksIsLost) {
  class TalkingTransport final : public Transport {
   public:
    explicit TalkingTransport(FakeClock& clock) : clock_(clock) {}
    Result<Transfer> read(std::span<char> into) override {
      if (std::exchange(empty_, !empty_)) return Transfer{};
      into[0] = '+';
      return Transfer{1, false};
    }
    Result<Transfer> write(std::string_view) override { return Transfer{}; }
    Result<Wake> wait(bool, Duration) override {
      clock_.now += 1s;
      return clock_.now.time_since_epoch() > 1h ? Wake::interrupted : Wake::ready;
    }
    void interrupt() noexcept override {}

   private:
    FakeClock& clock_;
    bool empty_ = true;
  };
  StreamConnection talking(std::make_unique<TalkingTransport>(clock_), "redis h:1", 30s, clock_);
  const auto r = talking.send("x");
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::redis_lost);
  EXPECT_EQ(clock_.now.time_since_epoch(), 30s);
}

TEST_F(RedisConnection, SilenceIsLostAfterTheTimeout) {
  server_.replies = "+O";
  const auto r = connection_.receive();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::retry);
  EXPECT_EQ(r.error().code, Errc::redis_lost);
  EXPECT_THAT(server_.waits, ElementsAre(30s));
  EXPECT_THAT(r.error().what, HasSubstr("redis h:1: no answer within 30000 ms"));
}

// Time passes in waits only.
class Silence final : public Transport {
 public:
  explicit Silence(FakeClock& clock) : clock_(clock) {}
  Result<Transfer> read(std::span<char>) override { return Transfer{}; }
  Result<Transfer> write(std::string_view bytes) override { return Transfer{bytes.size(), false}; }
  Result<Wake> wait(bool, Duration timeout) override {
    clock_.now += timeout;
    return Wake::timeout;
  }
  void interrupt() noexcept override {}

 private:
  FakeClock& clock_;
};

TEST_F(RedisConnection, WhoHoldsSomethingMeanwhileWaitsNoLongerThanItMayAndIsServed) {
  StreamConnection silent(std::make_unique<Silence>(clock_), "redis h:1", 30s, clock_);
  int served = 0;
  silent.set_wait(10s, [&served]() -> Status {
    ++served;
    return {};
  });
  const auto r = silent.receive();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::redis_lost);
  EXPECT_THAT(r.error().what, HasSubstr("no answer within 10000 ms"));
  EXPECT_EQ(clock_.now.time_since_epoch(), 10s);
  EXPECT_EQ(served, 9);
}

TEST_F(RedisConnection, IsLostAsSoonAsItsServerIsReplaced) {
  const auto replaced = std::make_shared<std::atomic<bool>>(false);
  connection_.set_replaced(replaced, "another master");
  server_.replies = "+OK\r\n";
  ASSERT_TRUE(connection_.send("x").ok());
  ASSERT_TRUE(connection_.receive().ok());
  server_.replies = "+OK\r\n";
  ASSERT_TRUE(connection_.send("y").ok());
  *replaced = true;
  const auto late = connection_.receive();
  ASSERT_FALSE(late.ok()) << "what the old one answers must not be acknowledged";
  EXPECT_EQ(late.error().cls, ErrorClass::retry);
  EXPECT_EQ(late.error().code, Errc::redis_lost);
  EXPECT_THAT(late.error().what, HasSubstr("another master"));
  EXPECT_FALSE(connection_.send("z").ok());
  EXPECT_EQ(server_.received, "xy");
}

TEST_F(RedisConnection, AWaitEndsWhenItsServerIsReplaced) {
  const auto replaced = std::make_shared<std::atomic<bool>>(false);
  StreamConnection silent(std::make_unique<Silence>(clock_), "redis h:1", 30s, clock_);
  silent.set_replaced(replaced, "another master");
  silent.set_wait(30s, [&replaced]() -> Status {
    *replaced = true;
    return {};
  });
  EXPECT_FALSE(silent.receive().ok());
  EXPECT_LE(clock_.now.time_since_epoch(), 2s);
}

TEST_F(RedisConnection, ALongerLimitLeavesTheTimeoutAsItIs) {
  StreamConnection silent(std::make_unique<Silence>(clock_), "redis h:1", 30s, clock_);
  silent.set_wait(60s, {});
  EXPECT_FALSE(silent.receive().ok());
  EXPECT_EQ(clock_.now.time_since_epoch(), 30s);
}

TEST_F(RedisConnection, AnErrorOfTheServiceEndsTheWaitAndTheConnection) {
  StreamConnection silent(std::make_unique<Silence>(clock_), "redis h:1", 30s, clock_);
  silent.set_wait(60s, []() -> Status { return retry(Errc::queue_lost, "the broker is gone"); });
  for (int i = 0; i < 2; ++i) {
    const auto r = silent.receive();
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.error().code, Errc::queue_lost);
    EXPECT_EQ(clock_.now.time_since_epoch(), 1s);
  }
}

// A trickle that never completes anything must not put the end off.
TEST_F(RedisConnection, TheTimeoutIsForTheWholeReply) {
  class SlowTransport final : public Transport {
   public:
    explicit SlowTransport(FakeClock& clock) : clock_(clock) {}
    Result<Transfer> read(std::span<char> into) override {
      if (std::exchange(empty_, !empty_)) return Transfer{};
      into[0] = reads_++ == 0 ? '+' : 'x';
      return Transfer{1, false};
    }
    Result<Transfer> write(std::string_view bytes) override {
      return Transfer{bytes.size(), false};
    }
    Result<Wake> wait(bool, Duration timeout) override {
      if (timeout <= Duration{0}) return Wake::timeout;
      clock_.now += 10s;
      return Wake::ready;
    }
    void interrupt() noexcept override {}

   private:
    FakeClock& clock_;
    bool empty_ = true;
    int reads_ = 0;
  };
  StreamConnection slow(std::make_unique<SlowTransport>(clock_), "redis h:1", 30s, clock_);
  const auto r = slow.receive();
  ASSERT_FALSE(r.ok());
  EXPECT_THAT(r.error().what, HasSubstr("no answer"));
  EXPECT_EQ(clock_.now.time_since_epoch(), 30s);
}

TEST_F(RedisConnection, EachReplyHasTheWholeTimeout) {
  server_.later = {"+1\r\n", "+2\r\n", "*2\r\n:1\r\n", ":2\r\n"};
  ASSERT_TRUE(connection_.receive_checked(3, errors_).ok());
  EXPECT_THAT(server_.waits, ElementsAre(30s, 30s, 30s, 30s));
}

TEST_F(RedisConnection, AnEndedStreamIsLostForEveryLaterCallToo) {
  server_.replies = "+1\r\n$5\r\nab";
  server_.closed = true;
  EXPECT_EQ(connection_.receive()->text, "1");
  const auto r = connection_.receive();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::redis_lost);
  EXPECT_THAT(r.error().what, HasSubstr("redis h:1"));
  server_.closed = false;
  server_.replies = "+2\r\n";
  EXPECT_EQ(connection_.receive().error().what, r.error().what);
  EXPECT_FALSE(connection_.send("x").ok());
  EXPECT_FALSE(connection_.receive_checked(1, errors_).ok());
  EXPECT_FALSE(connection_.receive_exec().ok());
  EXPECT_EQ(server_.received, "");
}

TEST_F(RedisConnection, AnswersThatAreNotRespAreLost) {
  server_.replies = "HTTP/1.1 400 Bad Request\r\n";
  const auto r = connection_.receive();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::redis_lost);
  EXPECT_THAT(r.error().what, HasSubstr("not a Redis server"));
}

TEST_F(RedisConnection, AHugeArrayThatIsOnlyAnnouncedAllocatesNothing) {
  server_.replies = "*2147483647\r\n:1\r\n";
  server_.closed = true;
  EXPECT_FALSE(connection_.receive().ok());
}

TEST_F(RedisConnection, InterruptEndsWaitsAsStopped) {
  connection_.interrupt();
  const auto r = connection_.receive();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::stopped);
  EXPECT_EQ(connection_.send("x").error().cls, ErrorClass::stopped);
}

TEST_F(RedisConnection, CommandSendsAndReceives) {
  server_.replies = "$1\r\nv\r\n";
  EXPECT_EQ(connection_.command({"GET", "k"})->text, "v");
  EXPECT_EQ(server_.received, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
}

class Greeting : public RedisConnection {
 protected:
  Status greet_with(std::string replies) {
    server_.replies = std::move(replies);
    return greet(connection_, options_);
  }
  RedisOptions options_;
};

TEST_F(Greeting, WithoutAccountOrDatabaseOnlyNamesAndPings) {
  ASSERT_TRUE(greet_with("+OK\r\n+PONG\r\n").ok());
  EXPECT_EQ(server_.received,
            "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$6\r\nsluice\r\n*1\r\n$4\r\nPING\r\n");
}

TEST_F(Greeting, LogsInAndSelects) {
  options_.user.set("u");
  options_.password.set(Secret("p w"));
  options_.database.set(3);
  ASSERT_TRUE(greet_with("+OK\r\n+OK\r\n+OK\r\n+PONG\r\n").ok());
  EXPECT_THAT(server_.received, AllOf(HasSubstr("*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$3\r\np w\r\n"),
                                      HasSubstr("*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n")));
}

TEST_F(Greeting, APasswordAloneIsTheDefaultUsers) {
  options_.password.set(Secret("pw"));
  ASSERT_TRUE(greet_with("+OK\r\n+OK\r\n+PONG\r\n").ok());
  EXPECT_THAT(server_.received, HasSubstr("*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n"));
}

TEST_F(Greeting, EveryRefusalOfAuthIsDenied) {
  options_.password.set(Secret("hunter2"));
  const auto code = [this](std::string reply) {
    FakeServer server;
    server.replies = "-" + std::move(reply) + "\r\n+OK\r\n+PONG\r\n";
    StreamConnection c(std::make_unique<FakeTransport>(server), "redis h:1", 30s, clock_);
    const auto r = greet(c, options_);
    EXPECT_FALSE(r.ok());
    EXPECT_THAT(r.error().what, ::testing::Not(HasSubstr("hunter2")));
    return std::pair(r.error().cls, r.error().code);
  };
  const std::pair denied{ErrorClass::fatal, Errc::redis_denied};
  EXPECT_EQ(code("WRONGPASS invalid username-password pair or user is disabled."), denied);
  EXPECT_EQ(
      code("ERR AUTH <password> called without any password configured for the default user."),
      denied);
  EXPECT_EQ(code("ERR unknown command 'AUTH', with args beginning with: 'hunter2' "), denied);
  EXPECT_EQ(code("ERR max number of clients reached"),
            std::pair(ErrorClass::retry, Errc::redis_unavailable));
}

TEST_F(Greeting, APasswordThatIsMissingIsDenied) {
  const auto r =
      greet_with("-NOAUTH Authentication required.\r\n-NOAUTH Authentication required.\r\n");
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::redis_denied);
}

TEST_F(Greeting, AServerThatIsLoadingIsTriedLater) {
  const auto r = greet_with("+OK\r\n-LOADING Redis is loading the dataset in memory\r\n");
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::retry);
  EXPECT_EQ(r.error().code, Errc::redis_unavailable);
}

TEST_F(Greeting, AnAccountWithoutClientAndPingIsEnough) {
  EXPECT_TRUE(
      greet_with("-NOPERM this user has no permissions to run the 'client|setname' command\r\n"
                 "-NOPERM this user has no permissions to run the 'ping' command\r\n")
          .ok());
}

TEST_F(Greeting, ADatabaseThatDoesNotExistIsASettingToCorrect) {
  options_.database.set(99);
  const auto r = greet_with("+OK\r\n-ERR DB index is out of range\r\n+PONG\r\n");
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::fatal);
  EXPECT_EQ(r.error().code, Errc::redis_preflight);
  EXPECT_THAT(r.error().what, HasSubstr("redis.database"));
}

}  // namespace
}  // namespace sluice::redis
