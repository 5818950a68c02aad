#include "pipeline/checkpoint.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "unit/pipeline/fakes.h"
#include "unit/position/sample_state.h"

namespace sluice::pipeline {
namespace {

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() {
    std::filesystem::remove_all(folder_);
    auto store = position::Store::open(folder_);
    EXPECT_TRUE(store.ok());
    state_ = position::sample_state();
    checkpoint_.emplace(std::move(store).value(), state_, clock_,
                        Checkpoint::Hooks{[this](const schema::Place& place) -> Status {
                                            told_.push_back(place);
                                            return before_;
                                          },
                                          [](const schema::Place&) { return Status(); }});
  }
  ~CheckpointTest() override {
    checkpoint_.reset();
    std::filesystem::remove_all(folder_);
  }
  RestartPoint point(std::uint32_t epoch, std::uint64_t pos, std::string gtid_set) {
    SourceEpoch e{epoch, state_.source};
    e.server.server_uuid = "another";
    auto file = std::make_shared<SourceFile>(
        SourceFile{"binlog.000009", 9, 77, 78, std::make_shared<SourceEpoch>(std::move(e))});
    return {std::move(file), pos, std::move(gtid_set), state_.last};
  }
  position::State saved() {
    auto state = position::Store::peek(folder_);
    EXPECT_TRUE(state.ok() && *state) << "nothing saved";
    return state.ok() && *state ? **state : position::State{};
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("checkpoint-") +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
  testing::FakeClock clock_;
  std::vector<schema::Place> told_;
  Status before_;
  position::State state_;
  std::optional<Checkpoint> checkpoint_;
};

const std::string kUuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

TEST_F(CheckpointTest, SavesPlaceFileAndChain) {
  ASSERT_TRUE(checkpoint_->save(point(2, 500, kUuid + ":1-9"), false).ok());
  EXPECT_EQ(saved().position, (BinlogPosition{"binlog.000009", 500}));
  EXPECT_EQ(saved().source.file_timestamp, 77u);
  EXPECT_EQ(saved().gtid_set, kUuid + ":1-9");
  EXPECT_EQ(saved().epoch, 2u);
}

TEST_F(CheckpointTest, WhatMustBeDurableBeforeComesBefore) {
  before_ = fatal(Errc::io, "disk full");
  EXPECT_FALSE(checkpoint_->save(point(2, 500, kUuid + ":1-9"), false).ok());
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0], (schema::Place(2, {"binlog.000009", 500})));
  const auto none = position::Store::peek(folder_);
  EXPECT_TRUE(none.ok() && !*none);
}

TEST_F(CheckpointTest, APointThatCouldNotBeSavedIsTriedAgain) {
  before_ = fatal(Errc::no_space, "disk full");
  EXPECT_FALSE(checkpoint_->save(point(2, 500, kUuid + ":1-9"), false).ok());
  EXPECT_FALSE(checkpoint_->save(point(2, 500, kUuid + ":1-9"), false).ok());
  before_ = {};
  ASSERT_TRUE(checkpoint_->save(point(2, 500, kUuid + ":1-9"), false).ok());
  EXPECT_EQ(saved().position, (BinlogPosition{"binlog.000009", 500}));
  ASSERT_TRUE(checkpoint_->save(point(2, 500, kUuid + ":1-9"), false).ok());
  EXPECT_EQ(told_.size(), 3u) << "it is saved now";
}

TEST_F(CheckpointTest, APointOfAnEpochThatIsOverIsNotSaved) {
  const RestartPoint before = point(2, 500, kUuid + ":1-9");
  const RestartPoint after = point(3, 4, "");
  ASSERT_TRUE(checkpoint_->begin_epoch(*after.file, 157, before).ok());
  ASSERT_TRUE(checkpoint_->save(before, true).ok());
  const position::State s = saved();
  EXPECT_EQ(s.epoch, 3u);
  EXPECT_EQ(s.position, (BinlogPosition{"binlog.000009", 157}));
  EXPECT_EQ(s.gtid_set, kUuid + ":1-9") << "executed is what was executed before";
  EXPECT_EQ(s.source.server_uuid, "another");
  EXPECT_TRUE(s.overlap_pending);
}

// What is held of the epoch before is needed as of the place up to which its GTID set goes.
TEST_F(CheckpointTest, ANewEpochTellsThePlaceOfTheOneBefore) {
  ASSERT_TRUE(
      checkpoint_->begin_epoch(*point(3, 4, "").file, 157, point(2, 500, kUuid + ":1-9")).ok());
  ASSERT_TRUE(checkpoint_->save(point(3, 300, kUuid + ":1-10"), false).ok());
  EXPECT_THAT(told_, ::testing::ElementsAre(schema::Place(2, {"binlog.000009", 500}),
                                            schema::Place(3, {"binlog.000009", 300})));
  RestartPoint nothing_read;
  nothing_read.last = state_.last;
  ASSERT_TRUE(checkpoint_->begin_epoch(*point(4, 4, "").file, 157, nothing_read).ok());
  EXPECT_EQ(told_.back(), schema::Place()) << "nothing was read in the one before";
}

TEST_F(CheckpointTest, AnOverlapIsForgottenWhenAllOfItsTransactionsArePassed) {
  ASSERT_TRUE(
      checkpoint_->begin_epoch(*point(3, 4, "").file, 157, point(2, 500, kUuid + ":1-9")).ok());
  ASSERT_TRUE(checkpoint_
                  ->settle_overlap({position::OverlapMark{kUuid + ":11", 4}, std::nullopt,
                                    position::OverlapMark{kUuid + ":10", 1}})
                  .ok());
  EXPECT_FALSE(saved().overlap_pending);
  EXPECT_EQ(saved().overlap.size(), 3u);
  ASSERT_TRUE(checkpoint_->save(point(3, 300, kUuid + ":1-10"), false).ok());
  EXPECT_EQ(saved().overlap.size(), 3u);
  ASSERT_TRUE(checkpoint_->save(point(3, 400, kUuid + ":1-11"), false).ok());
  EXPECT_TRUE(saved().overlap.empty());
}

// Whoever takes over must know the epoch before a row of it is sent.
TEST_F(CheckpointTest, TheCopyIsToldOfEachStateAndWaitedForInANewEpoch) {
  std::vector<std::string> seen;
  Status copied;
  checkpoint_.emplace(checkpoint_->release_store(), state_, clock_,
                      Checkpoint::Hooks{[](const schema::Place&) { return Status(); },
                                        [](const schema::Place&) { return Status(); },
                                        [this, &seen](const position::State& state) {
                                          EXPECT_EQ(saved(), state) << "the folder has it first";
                                          seen.push_back("put " + std::to_string(state.epoch) +
                                                         ":" + std::to_string(state.position.pos));
                                          return Status();
                                        },
                                        [this, &seen, &copied] {
                                          EXPECT_EQ(checkpoint_->state().epoch, 3u)
                                              << "it can be looked at";
                                          seen.emplace_back("wait");
                                          return copied;
                                        }});
  ASSERT_TRUE(checkpoint_->save(point(2, 500, kUuid + ":1-9"), false).ok());
  ASSERT_TRUE(
      checkpoint_->begin_epoch(*point(3, 4, "").file, 157, point(2, 600, kUuid + ":1-9")).ok());
  ASSERT_TRUE(checkpoint_->settle_overlap({}).ok());
  EXPECT_THAT(seen, ::testing::ElementsAre("put 2:500", "put 3:157", "wait", "put 3:157", "wait"));
  copied = stopped();
  EXPECT_EQ(checkpoint_->settle_overlap({}).error().cls, ErrorClass::stopped);
}

}  // namespace
}  // namespace sluice::pipeline
