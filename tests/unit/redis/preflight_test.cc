#include <string>

#include <gmock/gmock.h>

#include "fake_transport.h"

namespace sluice::redis {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

class RedisPreflight : public ::testing::Test {
 protected:
  Result<RedisInfo> run() {
    FakeServer server;
    server.replies = server_ + replication_ + memory_ + config_ + waitaof_ + cluster_;
    StreamConnection connection(std::make_unique<FakeTransport>(server), "redis h:1", 30s, clock_);
    return preflight(connection, options_);
  }
  void expect_refused(const char* what) {
    const auto r = run();
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.error().cls, ErrorClass::fatal);
    EXPECT_EQ(r.error().code, Errc::redis_preflight);
    EXPECT_THAT(r.error().what, HasSubstr(what));
  }
  static std::string policy(const std::string& name) {
    return "*2\r\n" + bulk("maxmemory-policy") + bulk(name);
  }

  FakeClock clock_;
  RedisOptions options_;
  std::string server_ = bulk("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n");
  std::string replication_ = bulk("# Replication\r\nrole:master\r\nconnected_slaves:0\r\n");
  std::string memory_ = bulk("# Memory\r\nmaxmemory_policy:noeviction\r\n");
  std::string config_ = policy("noeviction");
  std::string waitaof_, cluster_;
};

TEST_F(RedisPreflight, ANodeOfAClusterIsNamedAsOneAndEachSlotIsSomeNodes) {
  server_ = bulk("# Server\r\nredis_version:7.0.15\r\nredis_mode:cluster\r\n");
  expect_refused("redis.cluster");
  options_.cluster.set({{"h", 1}});
  cluster_ = bulk("cluster_state:ok\r\ncluster_slots_assigned:16384\r\n");
  EXPECT_TRUE(run().ok());
  cluster_ = bulk("cluster_state:fail\r\ncluster_slots_assigned:16380\r\n");
  expect_refused("4 slots");
  server_ = bulk("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n");
  expect_refused("redis.host");
}

TEST_F(RedisPreflight, AsksForWaitaofWhereItIsWanted) {
  options_.wait_aof.set(true);
  waitaof_ = "*2\r\n:0\r\n:0\r\n";
  EXPECT_TRUE(run().ok());
  waitaof_ = "-ERR unknown command 'WAITAOF', with args beginning with: '1' '0' '1' \r\n";
  expect_refused("7.2");
  waitaof_ = "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n";
  expect_refused("appendonly yes");
}

TEST_F(RedisPreflight, WarnsOfReplicasThatAreNotThere) {
  options_.wait_replicas.set(1);
  const auto none = run();
  ASSERT_TRUE(none.ok());
  EXPECT_THAT(none->warnings, ElementsAre(HasSubstr("redis.wait_replicas")));
  replication_ = bulk("role:master\r\nconnected_slaves:1\r\n");
  const auto one = run();
  ASSERT_TRUE(one.ok());
  EXPECT_THAT(one->warnings, IsEmpty());
}

TEST_F(RedisPreflight, AcceptsAPlainMaster) {
  const auto r = run();
  ASSERT_TRUE(r.ok()) << to_string(r.error());
  EXPECT_EQ(r->product, "Redis");
  EXPECT_EQ(r->version, "7.0.15");
  EXPECT_EQ(r->eviction_policy, "noeviction");
  EXPECT_THAT(r->warnings, IsEmpty());
}

TEST_F(RedisPreflight, KnowsValkeyByItsOwnVersion) {
  server_ = bulk(
      "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\nserver_mode:"
      "standalone\r\n");
  const auto r = run();
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->product, "Valkey");
  EXPECT_EQ(r->version, "9.1.2");
}

TEST_F(RedisPreflight, RefusesEvictionOfAnyKeyUnlessItIsACache) {
  config_ = policy("allkeys-lru");
  expect_refused("redis.is_cache");
  options_.is_cache.set(true);
  EXPECT_TRUE(run().ok());
}

TEST_F(RedisPreflight, AcceptsEvictionOfVolatileKeys) {
  config_ = policy("volatile-lru");
  EXPECT_TRUE(run().ok());
}

TEST_F(RedisPreflight, RefusesAReplicaAndNamesItsMaster) {
  replication_ = bulk("role:slave\r\nmaster_host:10.0.0.7\r\nmaster_port:6380\r\n");
  expect_refused("replica of 10.0.0.7:6380");
}

TEST_F(RedisPreflight, RefusesAClusterAndAnOldServer) {
  server_ = bulk("redis_version:7.0.15\r\nredis_mode:cluster\r\n");
  expect_refused("cluster");
  server_ = bulk("redis_version:3.2.12\r\nredis_mode:standalone\r\n");
  expect_refused("4.0");
}

TEST_F(RedisPreflight, TakesThePolicyFromInfoWhereConfigIsForbidden) {
  config_ =
      "-ERR unknown command 'CONFIG', with args beginning with: 'GET' 'maxmemory-policy' \r\n";
  memory_ = bulk("maxmemory_policy:allkeys-lfu\r\n");
  expect_refused("allkeys-lfu");
  memory_ = bulk("maxmemory_policy:noeviction\r\n");
  const auto r = run();
  ASSERT_TRUE(r.ok());
  EXPECT_THAT(r->warnings, IsEmpty());
}

TEST_F(RedisPreflight, WarnsAboutWhatItCannotFindOut) {
  const std::string forbidden = "-NOPERM this user has no permissions to run this command\r\n";
  server_ = replication_ = memory_ = config_ = forbidden;
  const auto r = run();
  ASSERT_TRUE(r.ok()) << to_string(r.error());
  EXPECT_EQ(r->version, "");
  EXPECT_THAT(
      r->warnings,
      ElementsAre(HasSubstr("INFO server"), HasSubstr("INFO replication"), HasSubstr("INFO memory"),
                  AllOf(HasSubstr("maxmemory-policy is unknown"), HasSubstr("NOPERM"))));
}

TEST_F(RedisPreflight, AServerThatCannotAnswerNowIsTriedLater) {
  config_ = "-LOADING Redis is loading the dataset in memory\r\n";
  const auto r = run();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().cls, ErrorClass::retry);
  EXPECT_EQ(r.error().code, Errc::redis_unavailable);
}

}  // namespace
}  // namespace sluice::redis
