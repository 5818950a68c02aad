#include "pipeline/state_hold.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "sluice/base/files.h"

#include "pipeline/held_xa.h"
#include "pipeline/schema_start.h"
#include "pipeline/start.h"
#include "unit/pipeline/fake_redis.h"
#include "unit/position/sample_state.h"
#include "unit/temp_folder.h"

namespace sluice::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A host of the instance: its folder, and a process there now and then.
struct Host {
  Host(std::string host_name, testing::FakeRedis& server)
      : name(std::move(host_name)), redis(&server) {
    options.state_dir.set(folder.path().string());
  }
  StateHold hold() {
    auto store = position::Store::open(folder.path());
    EXPECT_TRUE(store.ok());
    return {options, std::move(store).value(),
            Mirror(
                [this]() -> Result<std::unique_ptr<redis::Connection>> {
                  return std::unique_ptr<redis::Connection>(
                      std::make_unique<testing::FakeRedisConnection>(*redis));
                },
                "main", name, history_file(options))};
  }
  // An XA transaction that is prepared, and not over.
  void prepare_xa(const TransactionId& at) {
    const position::HeldName held{1, at, std::nullopt};
    fs::create_directories(held_xa_folder(options));
    ASSERT_TRUE(write_file_durably(held_xa_folder(options) / held.to_string(), "rows").ok());
  }
  std::string history() { return read_file(history_file(options)).value(); }

  std::string name;
  testing::FakeRedis* redis;
  sluice::testing::TempFolder folder;
  Options options;
};

class StateHoldTest : public ::testing::Test {
 protected:
  static position::State state(std::uint64_t pos) {
    position::State s = position::sample_state();
    s.position.pos = pos;
    return s;
  }
  // What a process saves while it leads.
  static void lead(Host& host, std::uint64_t pos) {
    StateHold hold = host.hold();
    ASSERT_TRUE(hold.take().ok());
    auto s = state(pos);
    ASSERT_TRUE(
        write_file_durably(history_file(host.options), "as of " + std::to_string(pos)).ok());
    ASSERT_TRUE(hold.save(s).ok());
  }

  testing::FakeRedis redis_;
  Host a_{"a", redis_}, b_{"b", redis_};
};

TEST_F(StateHoldTest, BeginsWithNothing) {
  const auto found = a_.hold().take();
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(*found);
}

TEST_F(StateHoldTest, GoesOnFromTheOtherHostsPosition) {
  lead(a_, 500);
  b_.prepare_xa({2, 3, 100});  // of a time when it led
  StateHold hold = b_.hold();
  const auto found = hold.take();
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->position.pos, 500u);
  EXPECT_FALSE((*found)->lineage.empty());
  EXPECT_EQ(b_.history(), "as of 500");
  EXPECT_FALSE(*needs_folder(b_.options, **found)) << "what it holds is over";
  const auto file = position::Store::peek(b_.folder.path());
  ASSERT_TRUE(file.ok() && *file);
  EXPECT_EQ(**file, **found);
  auto next = **found;
  hold.stamp(next);
  EXPECT_EQ(next.term, (*found)->term + 1);
  EXPECT_EQ(next.lineage, (*found)->lineage);
}

TEST_F(StateHoldTest, KeepsItsOwnWhenThatIsNewer) {
  lead(a_, 500);
  {
    auto s = state(900);
    StateHold hold = a_.hold();
    ASSERT_TRUE(hold.take().ok());
    hold.stamp(s);
    s.lineage = (*position::Store::peek(a_.folder.path()))->lineage;
    // Redis was away.
    ASSERT_TRUE(hold.release_store().save(s).ok());
  }
  const auto found = a_.hold().take();
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->position.pos, 900u);
}

TEST_F(StateHoldTest, WhatNeedsTheFolderHasNoCopy) {
  lead(a_, 500);
  lead(b_, 600);
  b_.prepare_xa({2, 3, 650});
  lead(b_, 700);
  const auto elsewhere = a_.hold().take();
  ASSERT_FALSE(elsewhere.ok());
  EXPECT_EQ(elsewhere.error().code, Errc::position_missing);
  EXPECT_THAT(elsewhere.error().what, HasSubstr("b went on with instance \"main\""));
  const auto there = b_.hold().take();
  ASSERT_TRUE(there.ok() && *there);
  EXPECT_EQ((*there)->position.pos, 700u);
}

TEST_F(StateHoldTest, AnOldProcessChangesNothingAnyMore) {
  lead(a_, 500);
  StateHold old = a_.hold();
  ASSERT_TRUE(old.take().ok());
  lead(b_, 600);
  auto s = state(900);
  EXPECT_EQ(old.save(s).error().code, Errc::position_superseded);
  EXPECT_EQ((*position::Store::peek(a_.folder.path()))->position.pos, 500u);
}

}  // namespace
}  // namespace sluice::pipeline
