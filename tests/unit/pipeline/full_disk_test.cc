#include "pipeline/full_disk.h"

#include <optional>

#include <gtest/gtest.h>

#include "pipeline/failure.h"
#include "unit/pipeline/fakes.h"

namespace sluice::pipeline {
namespace {

class FullDiskTest : public ::testing::Test {
 protected:
  Health health_;
  testing::FakeClock clock_;
  std::optional<FullDisk> disk_{std::in_place, health_, clock_};
};

TEST_F(FullDiskTest, LackOfSpaceEndsNothingAndIsSaidAsLongAsItLasts) {
  EXPECT_TRUE(disk_->look_at({}).ok());
  EXPECT_FALSE(health_.disk_full.load());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(disk_->look_at(fatal(Errc::no_space, "write state.json.tmp")).ok());
    EXPECT_TRUE(health_.disk_full.load());
  }
  EXPECT_TRUE(disk_->look_at({}).ok());
  EXPECT_FALSE(health_.disk_full.load());
}

TEST_F(FullDiskTest, OtherErrorsEndTheProcess) {
  const Status s = disk_->look_at(fatal(Errc::io, "fsync state.json.tmp: Input/output error"));
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::io);
  EXPECT_FALSE(health_.disk_full.load());
}

TEST_F(FullDiskTest, WhoPublishesNoMoreSavesNothing) {
  EXPECT_TRUE(disk_->look_at(fatal(Errc::no_space, "write state.json.tmp")).ok());
  disk_.reset();
  EXPECT_FALSE(health_.disk_full.load());
}

TEST_F(FullDiskTest, WhatEndsTheProcessForItSaysWhatToDo) {
  Wakeup wakeup;
  FailureBox failures(wakeup);
  failures.put(fatal(Errc::no_space, "write schema.log: No space left on device"));
  ASSERT_TRUE(failures.get());
  EXPECT_NE(failures.get()->what.find("; make room there and start again: nothing is lost"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::pipeline
