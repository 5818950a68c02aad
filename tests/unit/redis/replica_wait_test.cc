#include "sluice/redis/replica_wait.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>

#include "fake_transport.h"

namespace sluice::redis {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

Reply integer(std::int64_t value) {
  Reply r;
  r.kind = Reply::Kind::integer;
  r.integer = value;
  return r;
}
Reply error(std::string text) {
  Reply r;
  r.kind = Reply::Kind::error;
  r.text = std::move(text);
  return r;
}
Reply pair(std::int64_t local, std::int64_t replicas) {
  Reply r;
  r.kind = Reply::Kind::array;
  r.items = {integer(local), integer(replicas)};
  return r;
}

TEST(ReplicaWait, IsWhatTheOptionsSayAndShorterThanAnyTimeoutOfOurs) {
  RedisOptions options;
  EXPECT_FALSE(ReplicaWait::of(options, 60s).wanted());
  options.wait_replicas.set(2);
  EXPECT_TRUE(ReplicaWait::of(options, 60s).wanted());
  EXPECT_EQ(ReplicaWait::of(options, 60s).timeout, 1s);
  EXPECT_EQ(ReplicaWait::of(options, 1s).timeout, 500ms);
  options.timeout.set(Duration{100});
  EXPECT_EQ(ReplicaWait::of(options, 60s).timeout, 50ms);
  options.wait_replicas.set(0);
  options.wait_aof.set(true);
  EXPECT_TRUE(ReplicaWait::of(options, 60s).wanted());
}

TEST(ReplicaWait, CountsReplicas) {
  const ReplicaWait wait{2, false, 1s};
  EXPECT_FALSE(reached(integer(1), wait)->enough);
  EXPECT_TRUE(reached(integer(2), wait)->enough);
  EXPECT_TRUE(reached(integer(3), wait)->enough);
}

TEST(ReplicaWait, WithAofTheMastersDiskCountsToo) {
  const ReplicaWait wait{1, true, 1s};
  EXPECT_TRUE(reached(pair(1, 1), wait)->enough);
  EXPECT_FALSE(reached(pair(1, 0), wait)->enough);
  const auto unsynced = reached(pair(0, 1), wait);
  ASSERT_TRUE(unsynced.ok());
  EXPECT_FALSE(unsynced->enough);
  EXPECT_FALSE(unsynced->on_disk);
  EXPECT_EQ(unsynced->replicas, 1U);
}

TEST(ReplicaWait, AnythingElseIsOutOfStep) {
  EXPECT_EQ(reached(integer(-1), {1, false, 1s}).error().code, Errc::redis_lost);
  EXPECT_EQ(reached(pair(1, 1), {1, false, 1s}).error().code, Errc::redis_lost);
  EXPECT_EQ(reached(integer(1), {1, true, 1s}).error().code, Errc::redis_lost);
  EXPECT_EQ(reached(pair(1, -1), {1, true, 1s}).error().code, Errc::redis_lost);
}

TEST(ReplicaWait, AServerThatIsNoMasterAnyMoreIsForLater) {
  const auto demoted =
      reached(error("ERR WAIT cannot be used with replica instances."), {1, false, 1s});
  EXPECT_EQ(demoted.error().cls, ErrorClass::retry);
  EXPECT_EQ(demoted.error().code, Errc::redis_unavailable);
}

TEST(ReplicaWait, AServerWithoutWaitaofIsSaidWithTheRemedy) {
  const auto old = reached(error("ERR unknown command 'WAITAOF', with args"), {1, true, 1s});
  EXPECT_EQ(old.error().cls, ErrorClass::fatal);
  EXPECT_EQ(old.error().code, Errc::redis_preflight);
  EXPECT_THAT(old.error().what, AllOf(HasSubstr("redis.wait_aof"), HasSubstr("7.2")));
}

TEST(ReplicaWait, ReachIsAWriteThatLeavesNothingAndAWait) {
  FakeServer server;
  FakeClock clock;
  StreamConnection connection(std::make_unique<FakeTransport>(server), "redis h:1", 30s, clock);
  server.replies = "+OK\r\n:1\r\n:1\r\n";
  const auto done = reach_replicas(connection, "k", {1, false, 1s});
  ASSERT_TRUE(done.ok()) << to_string(done.error());
  EXPECT_TRUE(done->enough);
  const auto set = server.received.find("SET"), unlink = server.received.find("UNLINK"),
             wait = server.received.find("WAIT");
  EXPECT_LT(set, unlink);
  EXPECT_LT(unlink, wait);
  server.replies =
      "-READONLY You can't write against a read only replica.\r\n-READONLY x\r\n:0\r\n";
  const auto refused = reach_replicas(connection, "k", {1, false, 1s});
  EXPECT_EQ(refused.error().code, Errc::redis_unavailable);
}

TEST(ReplicaWait, TooFewIsForLater) {
  EXPECT_TRUE(require({1, true, true}, {1, false, 1s}).ok());
  const Status few = require({0, false, false}, {1, true, 1s});
  ASSERT_FALSE(few.ok());
  EXPECT_EQ(few.error().cls, ErrorClass::retry);
  EXPECT_THAT(few.error().what, AllOf(HasSubstr("0 of 1"), HasSubstr("disk")));
}

}  // namespace
}  // namespace sluice::redis
