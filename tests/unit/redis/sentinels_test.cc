#include "redis/sentinels.h"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>

#include "fake_transport.h"

namespace sluice::redis {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

Reply text(std::string value) {
  Reply r;
  r.kind = Reply::Kind::string;
  r.text = std::move(value);
  return r;
}
Reply error(std::string value) {
  Reply r = text(std::move(value));
  r.kind = Reply::Kind::error;
  return r;
}
Reply array(std::vector<std::string> items) {
  Reply r;
  r.kind = Reply::Kind::array;
  for (std::string& item : items) r.items.push_back(text(std::move(item)));
  return r;
}

// Answers with what is put into it.
class Scripted final : public Connection {
 public:
  explicit Scripted(std::deque<Reply> replies) : replies_(std::move(replies)) {}
  Status send(std::string_view bytes) override {
    sent.append(bytes);
    return {};
  }
  Result<Reply> receive() override {
    if (replies_.empty()) return retry(Errc::redis_lost, "the fake hung up");
    Reply r = std::move(replies_.front());
    replies_.pop_front();
    return r;
  }
  Status receive_checked(std::size_t, std::vector<std::pair<std::size_t, std::string>>&) override {
    return {};
  }
  Result<ExecResult> receive_exec() override { return ExecResult{}; }
  void set_wait(Duration, std::function<Status()>) override {}
  std::string sent;

 private:
  std::deque<Reply> replies_;
};

Result<MasterView> asked(Reply master, Reply address, std::string* sent = nullptr) {
  Scripted connection({std::move(master), std::move(address)});
  auto view = ask_master(connection, "mymaster");
  if (sent != nullptr) *sent = connection.sent;
  return view;
}

// As Redis 7 answers, shortened.
Reply master_of(std::string_view epoch) {
  return array({"name", "mymaster", "ip", "10.0.0.1", "port", "6379", "flags", "master",
                "config-epoch", std::string(epoch), "num-slaves", "2"});
}

TEST(AskMaster, TakesTheAddressAndTheEpoch) {
  std::string sent;
  const auto view = asked(master_of("7"), array({"10.0.0.2", "6380"}), &sent);
  ASSERT_TRUE(view.ok()) << to_string(view.error());
  EXPECT_EQ(view->address, (HostPort{"10.0.0.2", 6380}));
  EXPECT_EQ(view->epoch, 7U);
  EXPECT_THAT(sent, HasSubstr("mymaster"));
  EXPECT_LT(sent.find("MASTER\r\n"), sent.find("GET-MASTER-ADDR-BY-NAME"));
}

TEST(AskMaster, AnUnknownNameIsFatalAndNamesTheOption) {
  const auto view = asked(error("ERR No such master with that name"), Reply{});
  ASSERT_FALSE(view.ok());
  EXPECT_EQ(view.error().cls, ErrorClass::fatal);
  EXPECT_EQ(view.error().code, Errc::redis_preflight);
  EXPECT_THAT(view.error().what, AllOf(HasSubstr("mymaster"), HasSubstr("redis.sentinel_master")));
}

TEST(AskMaster, ARedisServerIsNoSentinel) {
  const auto view = asked(error("ERR unknown command 'SENTINEL', with args beginning with: 'x'"),
                          error("ERR unknown command 'SENTINEL'"));
  ASSERT_FALSE(view.ok());
  EXPECT_EQ(view.error().code, Errc::redis_preflight);
  EXPECT_THAT(view.error().what, HasSubstr("redis.sentinels"));
}

TEST(AskMaster, APasswordThatIsMissingIsSaid) {
  const auto view = asked(error("NOAUTH Authentication required."), error("NOAUTH"));
  ASSERT_FALSE(view.ok());
  EXPECT_EQ(view.error().code, Errc::redis_denied);
  EXPECT_THAT(view.error().what, HasSubstr("redis.sentinel_password"));
}

TEST(AskMaster, AnythingElseIsALostConnection) {
  for (const std::string_view epoch : {"", "x", "-1", "99999999999999999999"})
    EXPECT_EQ(asked(master_of(epoch), array({"h", "1"})).error().code, Errc::redis_lost) << epoch;
  EXPECT_EQ(asked(master_of("1"), array({"h", "x"})).error().code, Errc::redis_lost);
  EXPECT_EQ(asked(master_of("1"), array({"h"})).error().code, Errc::redis_lost);
  EXPECT_EQ(asked(text("PONG"), array({"h", "1"})).error().code, Errc::redis_lost);
}

TEST(RequireMaster, TakesAMasterAndNothingElse) {
  Scripted master({array({"master", "0"})}), replica({array({"slave", "h", "1"})}),
      denied({error("NOPERM no permission")}), strange({text("x")});
  EXPECT_TRUE(require_master(master).ok());
  const Status slave = require_master(replica);
  ASSERT_FALSE(slave.ok());
  EXPECT_EQ(slave.error().cls, ErrorClass::retry);
  EXPECT_EQ(slave.error().code, Errc::redis_unavailable);
  EXPECT_THAT(slave.error().what, HasSubstr("slave"));
  EXPECT_EQ(require_master(denied).error().code, Errc::redis_denied);
  EXPECT_EQ(require_master(strange).error().code, Errc::redis_lost);
}

class SentinelsTest : public ::testing::Test {
 protected:
  struct Fake {
    bool up = true;
    std::string master = "m1";
    std::uint64_t epoch = 1;
    std::string refusal;  // instead of an answer
    int dialled = 0, asked = 0;
  };
  // Answers for as long as its Sentinel is up.
  class Line final : public Connection {
   public:
    Line(SentinelsTest& test, Fake& fake) : test_(&test), fake_(&fake) {}
    Status send(std::string_view) override {
      ++fake_->asked;
      if (test_->before_answer) test_->before_answer();
      first_ = true;
      return {};
    }
    Result<Reply> receive() override {
      if (!fake_->up) return retry(Errc::redis_lost, "the fake hung up");
      if (!fake_->refusal.empty()) return error(fake_->refusal);
      if (std::exchange(first_, false)) return master_of(std::to_string(fake_->epoch));
      return array({fake_->master, "6379"});
    }
    Status receive_checked(std::size_t,
                           std::vector<std::pair<std::size_t, std::string>>&) override {
      return {};
    }
    Result<ExecResult> receive_exec() override { return ExecResult{}; }
    void set_wait(Duration, std::function<Status()>) override {}

   private:
    SentinelsTest* test_;
    Fake* fake_;
    bool first_ = true;
  };

  Sentinels make() {
    std::vector<HostPort> at;
    for (const auto& [name, fake] : fakes_) at.push_back({name, 26379});
    return {
        std::move(at),
        "mymaster",
        {[this](const HostPort& s) -> Result<std::unique_ptr<Connection>> {
           Fake& fake = fakes_[s.host];
           ++fake.dialled;
           if (!fake.up) return retry(Errc::redis_lost, "sentinel " + s.host + ": refused");
           return std::unique_ptr<Connection>(std::make_unique<Line>(*this, fake));
         },
         [this](const HostPort& s,
                std::shared_ptr<const Replaced> replaced) -> Result<std::unique_ptr<Connection>> {
           to_.push_back(s.host);
           if (denied_) return fatal(Errc::redis_preflight, "no such database");
           if (down_.contains(s.host)) return retry(Errc::redis_lost, s.host + ": refused");
           flags_.push_back(std::move(replaced));
           return std::unique_ptr<Connection>(std::make_unique<Scripted>(std::deque<Reply>{}));
         }},
        clock_,
        1ms};
  }
  void expect_to(Sentinels& sentinels, const std::string& master) {
    const auto connection = sentinels.connect();
    ASSERT_TRUE(connection.ok()) << to_string(connection.error());
    EXPECT_EQ(to_.back(), master);
  }
  void all(const std::string& master, std::uint64_t epoch) {
    for (auto& [name, fake] : fakes_) {
      fake.master = master;
      fake.epoch = epoch;
    }
  }
  int dialled() const {
    int n = 0;
    for (const auto& [name, fake] : fakes_) n += fake.dialled;
    return n;
  }
  // So many rounds of watch().
  void watch(Sentinels& sentinels, int rounds, const std::function<void(int)>& before_round) {
    std::stop_source stop;
    int round = 0;
    before_answer = [&] {
      // The first that is up is asked once a round.
      const auto first =
          std::find_if(fakes_.begin(), fakes_.end(), [](auto& f) { return f.second.up; });
      if (first == fakes_.end() || first->second.asked <= round) return;
      round = first->second.asked;
      if (round > rounds) stop.request_stop();
      before_round(round);
    };
    for (auto& [name, fake] : fakes_) fake.asked = 0;
    EXPECT_EQ(sentinels.watch(stop.get_token()).error().cls, ErrorClass::stopped);
    before_answer = nullptr;
  }

  std::map<std::string, Fake> fakes_{{"s1", {}}, {"s2", {}}, {"s3", {}}};
  std::set<std::string> down_;
  bool denied_ = false;
  std::vector<std::string> to_;  // servers that were connected to
  std::vector<std::shared_ptr<const Replaced>> flags_;
  std::function<void()> before_answer;
  FakeClock clock_;
};

TEST_F(SentinelsTest, GoesToTheMasterThatTheFirstThatAnswersNames) {
  fakes_["s1"].up = fakes_["s3"].up = false;
  Sentinels sentinels = make();
  expect_to(sentinels, "m1");
  EXPECT_EQ(fakes_["s2"].dialled, 1);
}

TEST_F(SentinelsTest, TheOneThatAnsweredLastTimeIsAskedFirst) {
  fakes_["s1"].up = fakes_["s3"].up = false;
  Sentinels sentinels = make();
  expect_to(sentinels, "m1");
  const int before = dialled();
  for (int i = 0; i < 10; ++i) expect_to(sentinels, "m1");
  EXPECT_EQ(dialled() - before, 10);
}

TEST_F(SentinelsTest, EachConnectAsksAgain) {
  Sentinels sentinels = make();
  expect_to(sentinels, "m1");
  all("m2", 2);
  expect_to(sentinels, "m2");
  EXPECT_TRUE(flags_[0]->load()) << "what was connected to the old one is of no use any more";
  EXPECT_FALSE(flags_[1]->load());
}

TEST_F(SentinelsTest, OneThatIsBehindTheOthersDoesNotLeadBack) {
  Sentinels sentinels = make();
  all("m2", 2);
  expect_to(sentinels, "m2");
  for (auto& [name, fake] : fakes_) fake.up = name == "s1";
  fakes_["s1"].master = "m1";
  fakes_["s1"].epoch = 1;
  expect_to(sentinels, "m2");
  EXPECT_FALSE(flags_.front()->load());
}

TEST_F(SentinelsTest, AServerThatCannotBeHadIsTriedOnceAndEachAnswerAskedFor) {
  down_ = {"m1"};
  Sentinels sentinels = make();
  const auto none = sentinels.connect();
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::redis_lost);
  EXPECT_THAT(none.error().what, HasSubstr("m1: refused"));
  EXPECT_THAT(to_, ElementsAre("m1"));
  EXPECT_EQ(dialled(), 3);
  fakes_["s3"].master = "m2";
  fakes_["s3"].epoch = 2;
  expect_to(sentinels, "m2");
}

TEST_F(SentinelsTest, WhatTheServerRefusesForGoodIsNotAskedForAgain) {
  Sentinels sentinels = make();
  expect_to(sentinels, "m1");
  fakes_["s2"].up = false;
  denied_ = true;
  const auto refused = sentinels.connect();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cls, ErrorClass::fatal);
  EXPECT_EQ(refused.error().code, Errc::redis_preflight);
}

TEST_F(SentinelsTest, WithoutAnyItIsLostAndAllAreNamed) {
  for (auto& [name, fake] : fakes_) fake.up = false;
  Sentinels sentinels = make();
  const auto none = sentinels.connect();
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().cls, ErrorClass::retry);
  EXPECT_EQ(none.error().code, Errc::redis_lost);
  EXPECT_THAT(none.error().what,
              AllOf(HasSubstr("sentinel s1"), HasSubstr("sentinel s2"), HasSubstr("sentinel s3")));
}

TEST_F(SentinelsTest, ANameThatNobodyKnowsIsFatalUntilItWasKnownOnce) {
  for (auto& [name, fake] : fakes_) fake.refusal = "ERR No such master with that name";
  Sentinels sentinels = make();
  const auto unknown = sentinels.connect();
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().cls, ErrorClass::fatal);
  EXPECT_EQ(unknown.error().code, Errc::redis_preflight);
  EXPECT_THAT(unknown.error().what, HasSubstr("sentinel s1:26379"));
  fakes_["s2"].refusal.clear();
  expect_to(sentinels, "m1");
  fakes_["s2"].refusal = "ERR No such master with that name";
  EXPECT_EQ(sentinels.connect().error().cls, ErrorClass::retry) << "somebody took it away";
}

TEST_F(SentinelsTest, OneThatDoesNotAnswerMakesAnUnknownNamePass) {
  for (auto& [name, fake] : fakes_) fake.refusal = "ERR No such master with that name";
  fakes_["s2"].up = false;
  Sentinels sentinels = make();
  EXPECT_EQ(sentinels.connect().error().cls, ErrorClass::retry);
}

TEST_F(SentinelsTest, WatchBreaksConnectionsToAMasterThatOneSaysIsReplaced) {
  Sentinels sentinels = make();
  expect_to(sentinels, "m1");
  watch(sentinels, 4, [this](int round) {
    EXPECT_EQ(flags_[0]->load(), round > 3) << round;
    if (round != 3) return;
    fakes_["s2"].master = "m2";
    fakes_["s2"].epoch = 2;
  });
  EXPECT_TRUE(flags_[0]->load());
  for (auto& [name, fake] : fakes_) EXPECT_LE(fake.dialled, 2) << "a connection is kept: " << name;
  expect_to(sentinels, "m2");
  EXPECT_FALSE(flags_.back()->load());
}

TEST_F(SentinelsTest, WatchDoesNotMindSentinelsThatAreAway) {
  Sentinels sentinels = make();
  expect_to(sentinels, "m1");
  fakes_["s1"].up = fakes_["s2"].up = false;
  const int before = dialled();
  watch(sentinels, 20, [](int) {});
  EXPECT_FALSE(flags_[0]->load());
  EXPECT_EQ(dialled() - before, 3) << "those that are away are not tried each time";
}

TEST_F(SentinelsTest, AMasterGivenAnewToAllOfThemIsFollowedThoughItsEpochIsLess) {
  all("m1", 9);
  Sentinels sentinels = make();
  expect_to(sentinels, "m1");
  all("m5", 0);
  fakes_["s2"].master = "m1";
  watch(sentinels, 3, [](int) {});
  EXPECT_FALSE(flags_[0]->load()) << "one still says what was known";
  fakes_["s2"].master = "m5";
  watch(sentinels, 2, [](int) {});
  EXPECT_TRUE(flags_[0]->load());
  expect_to(sentinels, "m5");
}

}  // namespace
}  // namespace sluice::redis
