#include "redis/cluster_connection.h"

#include <string>

#include <gmock/gmock.h>

#include "unit/redis/fake_cluster.h"

namespace sluice::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// "foo" is on 7001, "bar" on 7002, all else on 7001.
class ClusterConnections : public ::testing::Test {
 protected:
  ClusterConnections() {
    cluster_.give("bar", 7002);
    nodes_ =
        std::make_shared<ClusterNodes>(std::vector<HostPort>{{"127.0.0.1", 7001}}, cluster_.dial());
    connection_ = std::make_unique<ClusterConnection>(nodes_);
    EXPECT_TRUE(nodes_->map().ok());
  }
  void send(std::initializer_list<std::initializer_list<std::string_view>> commands) {
    TextBuffer text;
    for (const auto& words : commands) append_command(text, words);
    const Status s = connection_->send(text.view());
    ASSERT_TRUE(s.ok()) << to_string(s.error());
  }
  std::string next() {
    const auto reply = connection_->receive();
    if (!reply) return to_string(reply.error());
    return reply->kind == Reply::Kind::nil ? "nil" : reply->text;
  }

  FakeCluster cluster_;
  std::shared_ptr<ClusterNodes> nodes_;
  std::unique_ptr<ClusterConnection> connection_;
  std::vector<std::pair<std::size_t, std::string>> errors_;
};

TEST_F(ClusterConnections, CutsAPipelineForEachNodeAndAnswersInTheOrderOfTheCommands) {
  send({{"SET", "foo", "1"}, {"SET", "bar", "2"}, {"GET", "foo"}, {"GET", "bar"}, {"GET", "no"}});
  EXPECT_EQ(next(), "OK");
  EXPECT_EQ(next(), "OK");
  EXPECT_EQ(next(), "1");
  EXPECT_EQ(next(), "2");
  EXPECT_EQ(next(), "nil");
  EXPECT_THAT(cluster_.done, ElementsAre("7001 SET foo 1", "7001 GET foo", "7001 GET no",
                                         "7002 SET bar 2", "7002 GET bar"));
  EXPECT_FALSE(connection_->receive().ok()) << "nothing is waited for any more";
}

TEST_F(ClusterConnections, FollowsASlotThatMovedWithAllThatIsBehindInIt) {
  cluster_.give("foo", 7003);
  send({{"SET", "foo", "1"},
        {"SET", "bar", "1"},
        {"SET", "x{foo}", "1"},
        {"SET", "foo", "2"},
        {"SET", "bar", "2"}});
  ASSERT_TRUE(connection_->receive_checked(5, errors_).ok());
  EXPECT_THAT(errors_, IsEmpty());
  EXPECT_THAT(cluster_.done, ElementsAre("7002 SET bar 1", "7002 SET bar 2", "7003 SET foo 1",
                                         "7003 SET x{foo} 1", "7003 SET foo 2"));
  // It is known from here on, and what came too much does not come in the way.
  send({{"GET", "foo"}, {"GET", "bar"}});
  EXPECT_EQ(next(), "2");
  EXPECT_EQ(next(), "2");
}

TEST_F(ClusterConnections, OfASlotThatIsOnItsWayOnlyWhatIsThereAlreadyIsWrittenThere) {
  cluster_.nodes[7001].keys["foo"] = "0";
  cluster_.migrating[slot_of("foo")] = 7003;
  send({{"SET", "foo", "1"}, {"SET", "x{foo}", "1"}, {"SET", "x{foo}", "2"}, {"SET", "foo", "2"}});
  ASSERT_TRUE(connection_->receive_checked(4, errors_).ok());
  EXPECT_THAT(errors_, IsEmpty());
  EXPECT_EQ(cluster_.nodes[7001].keys["foo"], "2");
  EXPECT_FALSE(cluster_.nodes[7003].keys.contains("foo"));
  EXPECT_EQ(cluster_.nodes[7003].keys["x{foo}"], "2");
  EXPECT_FALSE(cluster_.nodes[7001].keys.contains("x{foo}"));
}

TEST_F(ClusterConnections, TriesAgainWhereItIsToldTo) {
  cluster_.try_again = 2;
  send({{"SET", "foo", "1"}, {"SET", "foo", "2"}, {"GET", "foo"}});
  ASSERT_TRUE(connection_->receive_checked(2, errors_).ok());
  EXPECT_THAT(errors_, IsEmpty());
  EXPECT_EQ(next(), "2");
}

TEST_F(ClusterConnections, NodesThatSendUsFromOneToTheOtherAreNotFollowedForEver) {
  cluster_.try_again = 1'000'000;
  send({{"SET", "foo", "1"}});
  const auto reply = connection_->receive();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Errc::redis_unavailable);
  EXPECT_FALSE(connection_->send("*1\r\n$4\r\nPING\r\n").ok());
}

TEST_F(ClusterConnections, OtherErrorsAreTheCommands) {
  send({{"SET", "foo", "1"}, {"NONSENSE", "bar"}, {"SET", "foo", "2"}});
  ASSERT_TRUE(connection_->receive_checked(3, errors_).ok());
  EXPECT_THAT(errors_, ElementsAre(Pair(1, "ERR unknown command")));
}

TEST_F(ClusterConnections, ATransactionIsGuardedByWatchOnItsNode) {
  send({{"WATCH", "bar"}, {"GET", "bar"}});
  EXPECT_EQ(next(), "OK");
  EXPECT_EQ(next(), "nil");
  send({{"MULTI"}, {"SET", "bar", "1"}, {"EXEC"}});
  ASSERT_TRUE(connection_->receive_checked(2, errors_).ok());
  auto exec = connection_->receive_exec();
  ASSERT_TRUE(exec.ok());
  EXPECT_TRUE(exec->done());
  EXPECT_EQ(exec->count, 1U);
  send({{"WATCH", "bar"}});
  EXPECT_EQ(next(), "OK");
  ++cluster_.nodes[7002].versions["bar"];
  send({{"MULTI"}, {"SET", "bar", "2"}, {"EXEC"}});
  ASSERT_TRUE(connection_->receive_checked(2, errors_).ok());
  exec = connection_->receive_exec();
  ASSERT_TRUE(exec.ok());
  EXPECT_TRUE(exec->aborted);
  EXPECT_EQ(cluster_.nodes[7002].keys["bar"], "1");
}

TEST_F(ClusterConnections, ATransactionWhoseSlotMovesIsAbortedAndWorksWhereItIsNow) {
  send({{"WATCH", "bar"}, {"GET", "bar"}});
  EXPECT_EQ(next(), "OK");
  EXPECT_EQ(next(), "nil");
  cluster_.give("bar", 7003);
  send({{"MULTI"}, {"SET", "bar", "1"}, {"EXEC"}});
  ASSERT_TRUE(connection_->receive_checked(2, errors_).ok());
  EXPECT_THAT(errors_, IsEmpty());
  auto exec = connection_->receive_exec();
  ASSERT_TRUE(exec.ok());
  EXPECT_TRUE(exec->aborted);
  EXPECT_EQ(exec->refused, "");
  send({{"WATCH", "bar"}, {"GET", "bar"}});
  EXPECT_EQ(next(), "OK");
  EXPECT_EQ(next(), "nil");
  send({{"MULTI"}, {"SET", "bar", "1"}, {"EXEC"}});
  ASSERT_TRUE(connection_->receive_checked(2, errors_).ok());
  exec = connection_->receive_exec();
  ASSERT_TRUE(exec.ok());
  EXPECT_TRUE(exec->done());
  EXPECT_EQ(cluster_.nodes[7003].keys["bar"], "1");
}

TEST_F(ClusterConnections, ATransactionOfAKeyThatWentAheadOfItsSlotIsDoneWhereItIs) {
  cluster_.migrating[slot_of("bar")] = 7003;
  cluster_.nodes[7003].keys["bar"] = "0";
  send({{"WATCH", "bar"}, {"GET", "bar"}});
  EXPECT_EQ(next(), "OK");
  EXPECT_EQ(next(), "0");
  send({{"MULTI"}, {"SET", "bar", "1"}, {"EXEC"}});
  ASSERT_TRUE(connection_->receive_checked(2, errors_).ok());
  const auto exec = connection_->receive_exec();
  ASSERT_TRUE(exec.ok());
  EXPECT_TRUE(exec->done());
  EXPECT_EQ(cluster_.nodes[7003].keys["bar"], "1");
}

TEST_F(ClusterConnections, ALostNodeEndsItAndTheSlotsAreAskedForAnew) {
  send({{"SET", "foo", "1"}, {"SET", "bar", "1"}});
  ASSERT_TRUE(connection_->receive_checked(2, errors_).ok());
  cluster_.nodes[7002].down = true;
  cluster_.give("bar", 7003);
  ++cluster_.epoch;
  TextBuffer text;
  append_command(text, {"SET", "bar", "2"});
  const Status s = connection_->send(text.view());
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::redis_lost);
  EXPECT_FALSE(connection_->send(text.view()).ok());
  ASSERT_TRUE(nodes_->map().ok());
  ClusterConnection again(nodes_);
  ASSERT_TRUE(again.send(text.view()).ok());
  EXPECT_TRUE(again.receive().ok());
  EXPECT_EQ(cluster_.nodes[7003].keys["bar"], "2");
}

TEST_F(ClusterConnections, WaitsForReplicasOfTheNodesItHasWrittenTo) {
  const ReplicaWait wait{1, false, Duration{10}};
  cluster_.nodes[7002].replicas = 0;
  send({{"SET", "foo", "1"}, {"GET", "bar"}});
  ASSERT_TRUE(connection_->receive_checked(2, errors_).ok());
  auto reached = connection_->wait_written(wait);
  ASSERT_TRUE(reached.ok());
  EXPECT_TRUE(reached->enough);
  EXPECT_EQ(cluster_.nodes[7002].waits, 0) << "it was only read from";
  send({{"SET", "foo", "2"}, {"SET", "bar", "2"}});
  ASSERT_TRUE(connection_->receive_checked(2, errors_).ok());
  reached = connection_->wait_written(wait);
  ASSERT_TRUE(reached.ok());
  EXPECT_FALSE(reached->enough);
  EXPECT_EQ(reached->replicas, 0U);
  EXPECT_EQ(cluster_.nodes[7001].waits, 2);
  cluster_.nodes[7002].replicas = 1;
  reached = connection_->wait_written(wait);
  ASSERT_TRUE(reached.ok());
  EXPECT_TRUE(reached->enough);
  EXPECT_EQ(cluster_.nodes[7001].waits, 2) << "that one had enough";
}

TEST_F(ClusterConnections, ReachesReplicasOfEveryNodeForWhatOthersWrote) {
  cluster_.nodes[7002].replicas = 0;
  // Its only slot is that of "bar", which the keys of spread() may not meet.
  for (int n = 0; n < 50; ++n)
    cluster_.give("k{" + std::to_string(n) + "}", n % 2 == 0 ? 7002 : 7001);
  nodes_->doubt();
  const auto keys = connection_->spread("k");
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(keys->size(), 2U);
  const auto nodes = connection_->nodes();
  ASSERT_TRUE(nodes.ok());
  EXPECT_EQ(nodes->size(), 2U);
}

TEST_F(ClusterConnections, AnInterruptEndsIt) {
  connection_->interrupt();
  const Status s = connection_->send("*1\r\n$4\r\nTIME\r\n");
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::stopped);
}

TEST_F(ClusterConnections, SaysWhichNodeDoesNotServe) {
  cluster_.nodes[7002].refusal = "CLUSTERDOWN The cluster is down";
  send({{"SET", "foo", "1"}, {"SET", "bar", "2"}});
  EXPECT_EQ(next(), "OK");
  EXPECT_EQ(next(), "CLUSTERDOWN The cluster is down (redis 127.0.0.1:7002)");
  cluster_.nodes[7002].refusal = "WRONGTYPE of a key";
  send({{"SET", "bar", "2"}});
  EXPECT_EQ(next(), "WRONGTYPE of a key") << "what a command did wrong is told as it is";
}

// --- what is known of the nodes

TEST(ClusterSlots, AreReadWithTheirMasters) {
  FakeCluster cluster;
  cluster.give("foo", 7002);
  const auto connection = cluster.open(7001, nullptr);
  const auto map = ask_slots(*connection, {"h", 1});
  ASSERT_TRUE(map.ok()) << to_string(map.error());
  EXPECT_TRUE(map->ok);
  EXPECT_EQ(map->served, kSlots);
  EXPECT_EQ(map->masters[map->master_of[slot_of("foo")]], (HostPort{"127.0.0.1", 7002}));
  EXPECT_EQ(map->masters[map->master_of[0]], (HostPort{"127.0.0.1", 7001}));
}

TEST(ClusterSlots, RedirectsAreRead) {
  const HostPort asked{"10.0.0.9", 1};
  auto r = redirect_of("MOVED 3999 127.0.0.1:6381", asked);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->kind, Redirect::Kind::moved);
  EXPECT_EQ(r->to, (HostPort{"127.0.0.1", 6381}));
  r = redirect_of("ASK 3999 ::1:6381", asked);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->kind, Redirect::Kind::ask);
  EXPECT_EQ(r->to, (HostPort{"::1", 6381}));
  r = redirect_of("MOVED 3999 :6381", asked);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->to, (HostPort{"10.0.0.9", 6381})) << "without a host it is the one that was asked";
  EXPECT_FALSE(redirect_of("MOVED 3999 nowhere", asked));
  EXPECT_FALSE(redirect_of("MOVED 3999 h:0", asked));
  EXPECT_FALSE(redirect_of("CLUSTERDOWN The cluster is down", asked));
  EXPECT_FALSE(redirect_of("ERR MOVED 1 h:1", asked));
}

TEST(ClusterSlots, AServerAloneIsNoCluster) {
  class Alone final : public Connection {
   public:
    Status send(std::string_view) override { return {}; }
    Result<Reply> receive() override {
      return reply_of(Reply::Kind::error, "ERR This instance has cluster support disabled");
    }
    Status receive_checked(std::size_t,
                           std::vector<std::pair<std::size_t, std::string>>&) override {
      return {};
    }
    Result<ExecResult> receive_exec() override { return ExecResult{}; }
    void set_wait(Duration, std::function<Status()>) override {}
  } alone;
  const auto map = ask_slots(alone, {"h", 1});
  ASSERT_FALSE(map.ok());
  EXPECT_EQ(map.error().code, Errc::redis_preflight);
  EXPECT_THAT(map.error().what, HasSubstr("redis.host"));
}

TEST(ClusterNodesTest, AnyNodeThatAnswersWillDoAndTheReasonIsSaidWhenNoneDoes) {
  FakeCluster cluster;
  cluster.nodes[7005].down = true;
  ClusterNodes nodes({{"127.0.0.1", 7005}, {"127.0.0.1", 7001}}, cluster.dial());
  EXPECT_TRUE(nodes.map().ok());
  cluster.nodes[7001].down = true;
  nodes.doubt();
  const auto none = nodes.map();
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::redis_lost);
  EXPECT_THAT(none.error().what, HasSubstr("connection refused"));
  cluster.nodes[7001].down = false;
  cluster.ok = false;
  const auto down = nodes.map();
  ASSERT_FALSE(down.ok());
  EXPECT_EQ(down.error().code, Errc::redis_unavailable);
  EXPECT_THAT(down.error().what, HasSubstr("CLUSTERDOWN"));
}

TEST(ClusterNodesTest, AMasterThatHasBeenReplacedIsLeftAtOnce) {
  FakeCluster cluster;
  auto nodes =
      std::make_shared<ClusterNodes>(std::vector<HostPort>{{"127.0.0.1", 7001}}, cluster.dial());
  ASSERT_TRUE(nodes->map().ok());
  const auto connection = nodes->connect({"127.0.0.1", 7001});
  ASSERT_TRUE(connection.ok());
  TextBuffer text;
  append_command(text, {"SET", "foo", "1"});
  ASSERT_TRUE((*connection)->send(text.view()).ok());
  cluster.default_owner = 7002;
  ++cluster.epoch;
  nodes->doubt();
  ASSERT_TRUE(nodes->map().ok());
  EXPECT_FALSE((*connection)->receive().ok());
}

}  // namespace
}  // namespace sluice::redis
