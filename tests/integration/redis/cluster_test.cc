// A cluster of three masters, each a server of the test's own.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>

#include "sluice/redis/replica_wait.h"

#include "integration/redis/servers.h"
#include "redis/slots.h"

namespace sluice::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kNodes = 3;

class RedisClusters : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t n = 0; n < kNodes; ++n) {
      auto server = OwnServer::start_with_port(
          {"--cluster-enabled", "yes", "--cluster-port", std::to_string(OwnServer::free_port()),
           "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "yes"});
      if (!server) GTEST_SKIP() << "no redis-server with cluster-port";
      nodes_.push_back(std::move(server));
    }
    constexpr std::size_t kShare = kSlots / kNodes;
    for (std::size_t n = 0; n < kNodes; ++n) {
      const std::size_t last = n + 1 == kNodes ? kSlots - 1 : (n + 1) * kShare - 1;
      said(n, {"CLUSTER", "ADDSLOTSRANGE", std::to_string(n * kShare), std::to_string(last)});
      said(n, {"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(n + 1)});
    }
    for (std::size_t n = 1; n < kNodes; ++n) {
      const auto bus = said(0, {"CONFIG", "GET", "cluster-port"}).items;
      said(n, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes_[0]->port()), bus[1].text});
    }
    options_.cluster.set({{"127.0.0.1", nodes_[1]->port()}, {"127.0.0.1", nodes_[2]->port()}});
    ASSERT_TRUE(until([this] {
      for (std::size_t n = 0; n < kNodes; ++n) {
        const std::string info = said(n, {"CLUSTER", "INFO"}).text;
        if (info.find("cluster_state:ok") == std::string::npos ||
            info.find("cluster_known_nodes:3") == std::string::npos ||
            info.find("cluster_size:3") == std::string::npos)
          return false;
      }
      return true;
    }));
    connection_ = connect();
  }
  template <class F>
  static bool until(F holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      ::usleep(20'000);
    }
    return true;
  }
  // A command to one node alone.
  Reply said(std::size_t node, std::initializer_list<std::string_view> words) {
    auto connection = Connection::open(nodes_[node]->options());
    EXPECT_TRUE(connection.ok()) << to_string(connection.error());
    if (!connection) return {};
    auto reply = (*connection)->command(words);
    EXPECT_TRUE(reply.ok()) << to_string(reply.error());
    if (!reply) return {};
    EXPECT_NE(reply->kind, Reply::Kind::error) << *words.begin() << ": " << reply->text;
    return std::move(reply).value();
  }
  std::unique_ptr<Connection> connect() {
    auto connection = Connection::open(options_);
    EXPECT_TRUE(connection.ok()) << to_string(connection.error());
    return connection ? std::move(connection).value() : nullptr;
  }
  static std::size_t node_of(std::string_view key) {
    return std::min<std::size_t>(slot_of(key) / (kSlots / kNodes), kNodes - 1);
  }
  std::string id_of(std::size_t node) { return said(node, {"CLUSTER", "MYID"}).text; }
  void begin_move(std::string_view key, std::size_t to) {
    const std::string slot = std::to_string(slot_of(key));
    said(to, {"CLUSTER", "SETSLOT", slot, "IMPORTING", id_of(node_of(key))});
    said(node_of(key), {"CLUSTER", "SETSLOT", slot, "MIGRATING", id_of(to)});
  }
  void move_key(std::string_view key, std::size_t to) {
    said(node_of(key),
         {"MIGRATE", "127.0.0.1", std::to_string(nodes_[to]->port()), key, "0", "5000"});
  }
  void end_move(std::string_view key, std::size_t to) {
    const std::string slot = std::to_string(slot_of(key));
    const std::string id = id_of(to);
    said(to, {"CLUSTER", "SETSLOT", slot, "NODE", id});
    said(node_of(key), {"CLUSTER", "SETSLOT", slot, "NODE", id});
  }
  // All of it in one write, without an error.
  void send(const TextBuffer& commands, std::size_t count) {
    ASSERT_TRUE(connection_->send(commands.view()).ok());
    std::vector<std::pair<std::size_t, std::string>> errors;
    const Status s = connection_->receive_checked(count, errors);
    ASSERT_TRUE(s.ok()) << to_string(s.error());
    EXPECT_THAT(errors, IsEmpty());
  }
  std::string get(std::string_view key) {
    const auto reply = connection_->command({"GET", key});
    return reply ? reply->text : to_string(reply.error());
  }

  std::vector<std::unique_ptr<OwnServer>> nodes_;
  RedisOptions options_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(RedisClusters, KeysGoToTheirNodesAndKeepTheirOrder) {
  TextBuffer commands;
  constexpr int kKeys = 1000;
  for (int round = 0; round < 3; ++round)
    for (int n = 0; n < kKeys; ++n)
      append_command(commands, {"SET", "k" + std::to_string(n), std::to_string(round)});
  send(commands, 3U * kKeys);
  std::int64_t sum = 0;
  for (std::size_t node = 0; node < kNodes; ++node) {
    const std::int64_t here = said(node, {"DBSIZE"}).integer;
    EXPECT_GT(here, 100);
    sum += here;
  }
  EXPECT_EQ(sum, kKeys);
  for (int n = 0; n < kKeys; n += 37) EXPECT_EQ(get("k" + std::to_string(n)), "2");
}

TEST_F(RedisClusters, SlotsOfKeysAreThoseThatTheServerSays) {
  for (const char* key : {"foo", "{a}b", "a{}", "a{b", "sluice:main:p16:3", "\xc3\xa4{x}{y}"})
    EXPECT_EQ(said(0, {"CLUSTER", "KEYSLOT", key}).integer, slot_of(key)) << key;
}

TEST_F(RedisClusters, ASlotMayBeMovedAtAnyTime) {
  const std::size_t to = (node_of("foo") + 1) % kNodes;
  ASSERT_EQ(get("foo"), "");
  TextBuffer commands;
  append_command(commands, {"SET", "foo", "1"});
  append_command(commands, {"SET", "{foo}2", "1"});
  send(commands, 2);
  begin_move("foo", to);
  move_key("foo", to);  // the other one is where it was
  commands.clear();
  for (const char* value : {"2", "3"}) {
    append_command(commands, {"SET", "foo", value});
    append_command(commands, {"SET", "{foo}2", value});
    append_command(commands, {"SET", "{foo}new", value});
  }
  send(commands, 6);
  EXPECT_EQ(get("foo"), "3");
  EXPECT_EQ(get("{foo}2"), "3");
  EXPECT_EQ(get("{foo}new"), "3");
  move_key("{foo}2", to);
  end_move("foo", to);
  commands.clear();
  for (const char* value : {"4", "5"})
    for (const char* key : {"foo", "{foo}2", "{foo}new", "bar"})
      append_command(commands, {"SET", key, value});
  send(commands, 8);
  for (const char* key : {"foo", "{foo}2", "{foo}new", "bar"}) EXPECT_EQ(get(key), "5") << key;
  EXPECT_EQ(said(to, {"DBSIZE"}).integer, node_of("bar") == to ? 4 : 3);
}

TEST_F(RedisClusters, ATransactionIsDoneWhereItsKeyIsOrNotAtAll) {
  const std::size_t to = (node_of("foo") + 1) % kNodes;
  const auto write = [this](std::string_view value) {
    TextBuffer commands;
    append_command(commands, {"MULTI"});
    append_command(commands, {"SET", "foo", value});
    append_command(commands, {"EXEC"});
    EXPECT_TRUE(connection_->send(commands.view()).ok());
    std::vector<std::pair<std::size_t, std::string>> errors;
    EXPECT_TRUE(connection_->receive_checked(2, errors).ok());
    EXPECT_THAT(errors, IsEmpty());
    auto exec = connection_->receive_exec();
    EXPECT_TRUE(exec.ok()) << to_string(exec.error());
    EXPECT_EQ(exec->refused, "");
    return exec->done();
  };
  const auto watch = [this] { return connection_->command({"WATCH", "foo"})->text; };
  EXPECT_EQ(watch(), "OK");
  EXPECT_TRUE(write("1"));
  EXPECT_EQ(watch(), "OK");
  begin_move("foo", to);
  move_key("foo", to);
  EXPECT_FALSE(write("2")) << "what was watched is somewhere else";
  EXPECT_EQ(watch(), "OK");
  EXPECT_TRUE(write("3"));
  EXPECT_EQ(get("foo"), "3");
  EXPECT_EQ(watch(), "OK");
  end_move("foo", to);
  write("4");  // it was watched where it is now: either is right
  EXPECT_EQ(watch(), "OK");
  EXPECT_TRUE(write("5"));
  EXPECT_EQ(get("foo"), "5");
  EXPECT_EQ(watch(), "OK");
  ASSERT_EQ(connect()->command({"SET", "foo", "6"})->text, "OK");
  EXPECT_FALSE(write("7"));
}

TEST_F(RedisClusters, EachNodeIsFoundForWhatConcernsNoKey) {
  const auto keys = connection_->spread("probe");
  ASSERT_TRUE(keys.ok());
  std::set<std::size_t> on;
  for (const std::string& key : *keys) on.insert(node_of(key));
  EXPECT_EQ(on.size(), kNodes);
  const auto reached = reach_replicas(*connection_, "probe", {0, false, Duration{100}});
  ASSERT_TRUE(reached.ok()) << to_string(reached.error());
  EXPECT_TRUE(reached->enough);
  const auto none = reach_replicas(*connection_, "probe", {1, false, Duration{10}});
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->enough) << "there are no replicas";
  const auto nodes = connection_->nodes();
  ASSERT_TRUE(nodes.ok());
  EXPECT_EQ(nodes->size(), kNodes);
}

TEST_F(RedisClusters, WhereSlotsAreIsNotSaidWhileOneIsOnItsWay) {
  const auto before = connection_->placement();
  ASSERT_TRUE(before.ok()) << to_string(before.error());
  ASSERT_TRUE(before->has_value());
  const std::size_t to = (node_of("foo") + 1) % kNodes;
  begin_move("foo", to);
  const auto during = connection_->placement();
  ASSERT_TRUE(during.ok());
  EXPECT_FALSE(during->has_value());
  end_move("foo", to);
  const auto after = connection_->placement();
  ASSERT_TRUE(after.ok());
  ASSERT_TRUE(after->has_value());
  EXPECT_NE(*after, *before);
}

TEST_F(RedisClusters, TheCheckAtTheStartLooksAtEveryNode) {
  auto info = preflight(*connection_, options_);
  ASSERT_TRUE(info.ok()) << to_string(info.error());
  said(node_of("foo"), {"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  info = preflight(*connection_, options_);
  ASSERT_FALSE(info.ok());
  EXPECT_THAT(info.error().what, HasSubstr("allkeys-lru"));
  // Not named as one.
  const auto alone = Connection::open(nodes_[0]->options());
  ASSERT_TRUE(alone.ok());
  info = preflight(**alone, nodes_[0]->options());
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(info.error().code, Errc::redis_preflight);
  EXPECT_THAT(info.error().what, HasSubstr("redis.cluster"));
}

TEST_F(RedisClusters, AServerAloneIsRefusedAsACluster) {
  const auto server = OwnServer::start_with_port();
  ASSERT_TRUE(server);
  RedisOptions options;
  options.cluster.set({{"127.0.0.1", server->port()}});
  const auto connection = Connection::open(options);
  ASSERT_FALSE(connection.ok());
  EXPECT_EQ(connection.error().code, Errc::redis_preflight);
  EXPECT_THAT(connection.error().what, HasSubstr("cluster-enabled no"));
}

TEST_F(RedisClusters, ANodeThatDiesEndsTheConnectionAndTheClusterIsSaidToBeDown) {
  ASSERT_EQ(connection_->command({"SET", "foo", "1"})->text, "OK");
  nodes_[node_of("foo")]->kill();
  const auto lost = connection_->command({"SET", "foo", "2"});
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, Errc::redis_lost);
  Errc code = Errc::internal;
  EXPECT_TRUE(until([&] {
    const auto again = Connection::open(options_);
    if (again) return false;  // the others do not know it yet
    code = again.error().code;
    return code == Errc::redis_unavailable;
  })) << errc_name(code);
}

}  // namespace
}  // namespace sluice::redis
