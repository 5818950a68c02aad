// Replicas that are waited for, and Sentinels.
#include <chrono>
#include <memory>
#include <string>

#include <gmock/gmock.h>

#include "sluice/redis/replica_wait.h"
#include "sluice/redis/servers.h"

#include "servers.h"

namespace sluice::redis {
namespace {

using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

// Less than redis.timeout, so that the answer is Redis' own.
constexpr Duration kLong = 20s;

class RedisReplicas : public ::testing::Test {
 protected:
  void SetUp() override {
    master_ = OwnServer::start_with_port({"--repl-diskless-sync-delay", "0"});
    if (!master_) GTEST_SKIP() << "there is no redis-server in the PATH";
    replica_ = OwnServer::start({"--replicaof", "127.0.0.1 " + std::to_string(master_->port())});
    ASSERT_NE(replica_, nullptr);
    connection_ = connect();
    const auto end = steady_clock::now() + 30s;
    while (!reach(500ms).enough) ASSERT_LT(steady_clock::now(), end) << "no replica in step";
  }
  std::unique_ptr<Connection> connect() {
    auto c = Connection::open(master_->options());
    EXPECT_TRUE(c.ok()) << to_string(c.error());
    return c ? std::move(c).value() : nullptr;
  }
  Reached reach(Duration timeout) {
    const auto r = reach_replicas(*connection_, "probe", {1, false, timeout});
    EXPECT_TRUE(r.ok()) << to_string(r.error());
    return r ? *r : Reached{};
  }
  // As an applier does it: one write.
  Result<Reached> step(const std::string& value, Duration timeout) {
    const ReplicaWait wait{1, false, timeout};
    TextBuffer out;
    append_command(out, {"MULTI"});
    append_command(out, {"SET", "k", value});
    append_command(out, {"EXEC"});
    append_wait(out, wait);
    append_command(out, {"WATCH", "k"});
    append_command(out, {"GET", "k"});
    SLUICE_TRY(connection_->send(out.view()));
    std::vector<std::pair<std::size_t, std::string>> errors;
    SLUICE_TRY(connection_->receive_checked(2, errors));
    SLUICE_TRY_ASSIGN(const ExecResult exec, connection_->receive_exec());
    SLUICE_TRY_ASSIGN(const Reply waited, connection_->receive());
    SLUICE_TRY_ASSIGN(const Reply watched, connection_->receive());
    SLUICE_TRY_ASSIGN(const Reply read, connection_->receive());
    EXPECT_TRUE(exec.done());
    EXPECT_EQ(read.text, value);
    return reached(waited, wait);
  }
  std::unique_ptr<OwnServer> master_, replica_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(RedisReplicas, AStepIsAnsweredWhenTheReplicaHasIt) {
  // A replica whose first ACK came before the master had seen its BGSAVE child end is sent what was
  // written after its next one only, a second later.
  const auto r = step("1", kLong);
  ASSERT_TRUE(r.ok()) << to_string(r.error());
  EXPECT_TRUE(r->enough);
  auto there = Connection::open(replica_->options());
  ASSERT_TRUE(there.ok());
  EXPECT_EQ((*there)->command({"GET", "k"})->text, "1");
}

TEST_F(RedisReplicas, AStepThatTheReplicaDoesNotGetIsToldAfterTheTimeout) {
  replica_->pause();
  const auto begin = steady_clock::now();
  const auto r = step("2", 300ms);
  ASSERT_TRUE(r.ok()) << to_string(r.error());
  EXPECT_FALSE(r->enough);
  EXPECT_EQ(r->replicas, 0U);
  EXPECT_GE(steady_clock::now() - begin, 300ms);
  replica_->resume();
  EXPECT_TRUE(reach(kLong).enough);
}

// It has written nothing itself, so that a WAIT alone would not wait.
TEST_F(RedisReplicas, WhatAnotherConnectionWroteIsWaitedForToo) {
  replica_->pause();
  ASSERT_TRUE(step("3", 300ms).ok());
  connection_ = connect();
  EXPECT_FALSE(reach(200ms).enough);
  replica_->resume();
  EXPECT_TRUE(reach(kLong).enough);
  EXPECT_EQ(connection_->command({"EXISTS", "probe"})->integer, 0);
}

TEST_F(RedisReplicas, AMasterThatBecomesAReplicaMeanwhileIsForLater) {
  replica_->pause();
  TextBuffer out;
  append_command(out, {"SET", "k", "4"});
  append_wait(out, {1, false, 30s});
  ASSERT_TRUE(connection_->send(out.view()).ok());
  ASSERT_TRUE(connection_->receive().ok());
  ASSERT_EQ(connect()->command({"REPLICAOF", "127.0.0.1", "1"})->text, "OK");
  const auto waited = connection_->receive();
  ASSERT_TRUE(waited.ok()) << to_string(waited.error());
  const auto r = reached(*waited, {1, false, 30s});
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::retry) << to_string(r.error());
  EXPECT_EQ(r.error().code, Errc::redis_unavailable);
  connection_ = connect();
  const auto again = reach_replicas(*connection_, "probe", {1, false, 1s});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().cls, ErrorClass::retry) << to_string(again.error());
}

class RedisAof : public OnServer {};
INSTANTIATE_TEST_SUITE_P(Servers, RedisAof,
                         ::testing::Values("SLUICE_TEST_REDIS7", "SLUICE_TEST_REDIS8"),
                         server_name);

TEST_P(RedisAof, IsWaitedForWhereTheServerCan) {
  options_.wait_aof.set(true);
  const auto info = preflight(connection(), options_);
  if (std::string(GetParam()) == "SLUICE_TEST_REDIS7") {
    ASSERT_FALSE(info.ok());
    EXPECT_EQ(info.error().code, Errc::redis_preflight);
    EXPECT_THAT(info.error().what, HasSubstr("7.2"));
    return;
  }
  ASSERT_TRUE(info.ok()) << to_string(info.error());
  const auto r = reach_replicas(connection(), key("probe"), {0, true, 30s});
  ASSERT_TRUE(r.ok()) << to_string(r.error());
  EXPECT_TRUE(r->enough);
}

class RedisSentinels : public RedisReplicas {
 protected:
  void SetUp() override {
    RedisReplicas::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    sentinel_ = OwnServer::start_sentinel(master_->port());
    ASSERT_NE(sentinel_, nullptr);
    options_.sentinels.set({{"127.0.0.1", sentinel_->port()}});
    options_.sentinel_master.set("mymaster");
    options_.connect_timeout.set(Duration{2000});
  }
  Error refused() {
    const auto c = Connection::open(options_);
    EXPECT_FALSE(c.ok());
    return c.ok() ? fatal(Errc::internal, "it was not") : c.error();
  }
  RedisOptions options_;
  std::unique_ptr<OwnServer> sentinel_;
};

TEST_F(RedisSentinels, LeadToTheMaster) {
  const auto c = Connection::open(options_);
  ASSERT_TRUE(c.ok()) << to_string(c.error());
  EXPECT_EQ((*c)->command({"SET", "k", "v"})->text, "OK");
  EXPECT_EQ(connect()->command({"GET", "k"})->text, "v");
}

TEST_F(RedisSentinels, AnUnknownNameIsFatal) {
  options_.sentinel_master.set("other");
  const Error e = refused();
  EXPECT_EQ(e.cls, ErrorClass::fatal);
  EXPECT_EQ(e.code, Errc::redis_preflight);
  EXPECT_THAT(e.what, AllOf(HasSubstr("other"), HasSubstr("redis.sentinel_master")));
}

TEST_F(RedisSentinels, ARedisServerInTheirPlaceIsFatal) {
  options_.sentinels.set({{"127.0.0.1", master_->port()}});
  const Error e = refused();
  EXPECT_EQ(e.cls, ErrorClass::fatal);
  EXPECT_THAT(e.what, HasSubstr("redis.sentinels"));
}

TEST_F(RedisSentinels, NoneThatAnswersIsLostWithTheAddresses) {
  sentinel_->kill();
  const Error e = refused();
  EXPECT_EQ(e.cls, ErrorClass::retry);
  EXPECT_EQ(e.code, Errc::redis_lost);
  EXPECT_THAT(e.what, HasSubstr("sentinel 127.0.0.1:" + std::to_string(sentinel_->port())));
}

TEST_F(RedisSentinels, AMasterThatIsDemotedIsForLater) {
  ASSERT_EQ(connect()->command({"REPLICAOF", "127.0.0.1", "1"})->text, "OK");
  const Error e = refused();
  EXPECT_EQ(e.cls, ErrorClass::retry);
  EXPECT_EQ(e.code, Errc::redis_unavailable);
  EXPECT_THAT(e.what, HasSubstr("failover"));
}

TEST_F(RedisSentinels, ASentinelsPasswordIsAskedFor) {
  sentinel_ = OwnServer::start_sentinel(master_->port(), {"requirepass hunter2"});
  ASSERT_NE(sentinel_, nullptr);
  options_.sentinels.set({{"127.0.0.1", sentinel_->port()}});
  const Error e = refused();
  EXPECT_EQ(e.code, Errc::redis_denied);
  EXPECT_THAT(e.what, HasSubstr("redis.sentinel_password"));
  options_.sentinel_password.set(Secret("hunter2"));
  const auto c = Connection::open(options_);
  EXPECT_TRUE(c.ok()) << to_string(c.error());
}

}  // namespace
}  // namespace sluice::redis
