#include "pipeline/mirror.h"

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "sluice/base/files.h"

#include "pipeline/mirror_stage.h"
#include "unit/pipeline/fake_redis.h"
#include "unit/position/sample_state.h"
#include "unit/temp_folder.h"

namespace sluice::pipeline {
namespace {

using ::testing::HasSubstr;

class MirrorTest : public ::testing::Test {
 protected:
  MirrorTest() { write("head\nsnapshot\n"); }

  void write(std::string_view content) { ASSERT_TRUE(write_file_durably(history_, content).ok()); }
  Mirror mirror(const std::string& owner) {
    return Mirror(
        [this]() -> Result<std::unique_ptr<redis::Connection>> {
          return std::unique_ptr<redis::Connection>(
              std::make_unique<testing::FakeRedisConnection>(redis_));
        },
        "main", owner, history_);
  }
  // Claimed, for a process that leads.
  Mirror leader(const std::string& owner) {
    Mirror out = mirror(owner);
    EXPECT_TRUE(out.claim(0).ok());
    return out;
  }
  // As of this process and term.
  static position::State state(std::uint64_t pos, std::uint64_t term = 1) {
    position::State s = position::sample_state();
    s.position.pos = pos;
    s.term = term;
    s.lineage = "0011223344556677";
    return s;
  }
  std::map<std::string, std::string>& fields() { return redis_.keys[kKey].fields; }

  const std::string kKey = "sluice:main:mirror";
  const sluice::testing::TempFolder folder_;
  const std::filesystem::path history_ = folder_.path() / "schema.log";
  testing::FakeRedis redis_;
};

TEST_F(MirrorTest, WhatIsSavedIsWhatTheNextOneFinds) {
  Mirror a = mirror("a");
  const auto nothing = a.claim(6);
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->copy);
  EXPECT_EQ(nothing->forgotten, 0u);
  EXPECT_EQ(a.term(), 7u) << "above what the state folder knows of";
  ASSERT_TRUE(a.save(state(500, 7)).ok());

  Mirror b = mirror("b");
  const auto found = b.claim(0);
  ASSERT_TRUE(found.ok() && found->copy);
  EXPECT_EQ(found->copy->state, state(500, 7));
  EXPECT_EQ(found->copy->history, "head\nsnapshot\n");
  EXPECT_EQ(found->copy->owner, "a");
  EXPECT_EQ(b.term(), 8u);
}

TEST_F(MirrorTest, WhoWasSupersededWritesNoMore) {
  Mirror a = leader("a");
  ASSERT_TRUE(a.save(state(500)).ok());
  Mirror b = leader("b");
  for (int n = 0; n < 2; ++n) {
    const Status late = n == 0 ? a.save(state(900)) : a.forget();
    ASSERT_FALSE(late.ok());
    EXPECT_EQ(late.error().code, Errc::position_superseded);
    EXPECT_EQ(late.error().cls, ErrorClass::retry);
    EXPECT_THAT(late.error().what, HasSubstr("b goes on with this instance (term 2, here 1)"));
  }
  ASSERT_TRUE(b.save(state(600, 2)).ok());
  EXPECT_EQ(position::decode(fields()["state"])->position.pos, 600u);
}

TEST_F(MirrorTest, ATermOfTheSameNumberIsAnotherOnes) {
  Mirror a = leader("a");
  redis_.keys.clear();  // Redis has lost its data
  Mirror b = leader("b");
  ASSERT_EQ(a.term(), b.term());
  EXPECT_EQ(a.save(state(500)).error().code, Errc::position_superseded);
}

TEST_F(MirrorTest, TheHistoryIsSentWhenItHasChanged) {
  Mirror a = leader("a");
  ASSERT_TRUE(a.save(state(500)).ok());
  fields()["history"] = "untouched";
  ASSERT_TRUE(a.save(state(501)).ok());
  EXPECT_EQ(fields()["history"], "untouched") << "it may be large";
  write("head\nsnapshot\nddl\n");
  ASSERT_TRUE(a.save(state(502)).ok());
  EXPECT_EQ(fields()["history"], "head\nsnapshot\nddl\n");
  EXPECT_EQ(fields()["writes"], "4");
  std::filesystem::remove(history_);
  const Status gone = a.save(state(503));
  ASSERT_TRUE(gone.ok()) << to_string(gone.error());
  EXPECT_EQ(fields()["history"], "");
  EXPECT_EQ(mirror("b").claim(0)->copy->history, "");
}

TEST_F(MirrorTest, ARedisThatHasLostItGetsAllOfIt) {
  Mirror a = leader("a");
  ASSERT_TRUE(a.save(state(500)).ok());
  redis_.keys.clear();
  ++redis_.versions[kKey];
  ASSERT_TRUE(a.save(state(501)).ok());
  const auto found = mirror("b").claim(0);
  ASSERT_TRUE(found.ok() && found->copy);
  EXPECT_EQ(found->copy->state.position.pos, 501u);
  EXPECT_EQ(found->copy->history, "head\nsnapshot\n");
}

TEST_F(MirrorTest, ForgottenIsNothingToGoOnFromButTheTermStays) {
  Mirror a = leader("a");
  ASSERT_TRUE(a.save(state(500)).ok());
  ASSERT_TRUE(a.forget().ok());
  Mirror b = mirror("b");
  const auto found = b.claim(0);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->copy);
  EXPECT_EQ(found->forgotten, 1u);
  EXPECT_EQ(found->forgotten_by, "a");
  EXPECT_EQ(b.term(), 2u);
  ASSERT_TRUE(b.save(state(700, 2)).ok());
  const auto again = mirror("c").claim(0);
  ASSERT_TRUE(again.ok() && again->copy);
  EXPECT_EQ(again->copy->history, "head\nsnapshot\n") << "it was forgotten, too";
}

TEST_F(MirrorTest, WhoIsPushedAsideTriesAgain) {
  Mirror a = leader("a");
  redis_.abort_execs = 2;
  ASSERT_TRUE(a.save(state(500)).ok());
  EXPECT_EQ(position::decode(fields()["state"])->position.pos, 500u);
  redis_.abort_execs = 1000;
  EXPECT_EQ(a.save(state(501)).error().code, Errc::redis_unavailable);
}

TEST_F(MirrorTest, ALostConnectionIsReplaced) {
  Mirror a = leader("a");
  redis_.lose_before_exec = 1;
  ASSERT_EQ(a.save(state(500)).error().code, Errc::redis_lost);
  EXPECT_EQ(fields().count("state"), 0u);
  ASSERT_TRUE(a.save(state(500)).ok());
  redis_.lose_after_exec = 1;  // done, and nobody knows
  ASSERT_EQ(a.save(state(501)).error().code, Errc::redis_lost);
  ASSERT_TRUE(a.save(state(502)).ok());
  EXPECT_EQ(position::decode(fields()["state"])->position.pos, 502u);
}

TEST_F(MirrorTest, SaysWhatIsDamaged) {
  Mirror a = leader("a");
  ASSERT_TRUE(a.save(state(500)).ok());
  const auto good = fields();
  const auto claim = [this] { return mirror("b").claim(0).error(); };
  fields()["state"].resize(20);
  EXPECT_EQ(claim().code, Errc::position_damaged);
  EXPECT_THAT(claim().what, HasSubstr("redis-cli DEL sluice:main:mirror"));
  fields() = good;
  fields()["history"] += "x";
  EXPECT_EQ(claim().code, Errc::position_damaged);
  fields() = good;
  fields()["term"] = "many";
  EXPECT_EQ(claim().code, Errc::position_damaged);
  fields() = good;
  fields()["v"] = "2";
  EXPECT_EQ(claim().code, Errc::position_mismatch);
  fields() = good;
  EXPECT_TRUE(mirror("b").claim(0).ok());
}

TEST_F(MirrorTest, LooksWithoutClaiming) {
  EXPECT_FALSE(*mirror("x").look());
  Mirror a = leader("a");
  ASSERT_TRUE(a.save(state(500)).ok());
  const auto seen = mirror("x").look();
  ASSERT_TRUE(seen.ok() && *seen);
  EXPECT_EQ((*seen)->term, 1u);
  EXPECT_EQ((*seen)->owner, "a");
  EXPECT_EQ((*seen)->state->position.pos, 500u);
  EXPECT_TRUE(a.save(state(501)).ok());
}

TEST_F(MirrorTest, TheNewerOneCounts) {
  const auto newer = [](position::State copy, const std::optional<position::State>& file) {
    return is_newer({std::move(copy), "", "a"}, file);
  };
  EXPECT_TRUE(newer(state(500), std::nullopt));
  EXPECT_TRUE(newer(state(501), state(500)));
  EXPECT_FALSE(newer(state(500), state(500)));
  EXPECT_FALSE(newer(state(500), state(501))) << "the copy comes after the file";
  EXPECT_TRUE(newer(state(500, 2), state(900, 1))) << "another process went on since";
  EXPECT_FALSE(newer(state(900, 1), state(500, 2))) << "Redis came back older";
  auto later = state(4);
  ++later.epoch;
  EXPECT_TRUE(newer(later, state(900)));
  EXPECT_FALSE(newer(state(900), later));
  auto next_file = state(4);
  next_file.position.file = "binlog.1000000";
  EXPECT_TRUE(newer(next_file, state(900)));
  auto other = state(900, 9);
  other.lineage = "begun anew";
  EXPECT_TRUE(newer(state(4), other)) << "of a folder that was not there at the reset";
}

class MirrorStageTest : public MirrorTest {};

TEST_F(MirrorStageTest, TheLatestIsThereWhenTheWaitIsOver) {
  MirrorStage stage(leader("a"), std::chrono::milliseconds(1), [] { FAIL() << "nobody else"; });
  stage.put(state(1));
  EXPECT_FALSE(stage.wait_for(std::chrono::milliseconds(1))) << "nobody has written it";
  redis_.lose_before_exec = 1;
  {
    const std::jthread thread([&stage](const std::stop_token& st) {
      EXPECT_EQ(stage.run(st).error().cls, ErrorClass::stopped);
    });
    for (std::uint64_t pos = 2; pos < 200; ++pos) stage.put(state(pos));
    ASSERT_TRUE(stage.wait({}).ok());
  }
  EXPECT_EQ(position::decode(fields()["state"])->position.pos, 199u);
  stage.put(std::nullopt);
  EXPECT_FALSE(stage.wait({}).ok()) << "it will never be";
}

TEST_F(MirrorStageTest, SaysOnceThatAnotherOneGoesOn) {
  int told = 0;
  MirrorStage stage(leader("a"), std::chrono::milliseconds(1), [&told] { ++told; });
  Mirror b = leader("b");
  stage.put(state(500));
  EXPECT_EQ(stage.run({}).error().cls, ErrorClass::stopped);
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(stage.wait({}).ok());
  EXPECT_EQ(fields()["owner"], "b");
}

TEST_F(MirrorStageTest, AnErrorThatSomebodyMustMendEndsIt) {
  MirrorStage stage(leader("a"), std::chrono::milliseconds(1), [] { FAIL() << "nobody else"; });
  redis_.put(kKey, "a text");
  stage.put(state(500));
  EXPECT_EQ(stage.run({}).error().code, Errc::redis_refused);
}

}  // namespace
}  // namespace sluice::pipeline
