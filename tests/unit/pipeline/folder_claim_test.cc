#include "pipeline/folder_claim.h"

#include <gmock/gmock.h>

#include "unit/pipeline/fakes.h"
#include "unit/temp_folder.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class FolderClaimTest : public ::testing::Test {
 protected:
  FolderClaimTest() {
    options_.state_dir.set(folder_.path().string());
    options_.queue.heartbeat.set(std::chrono::seconds(10));
  }

  sluice::testing::TempFolder folder_;
  Options options_;
  testing::FakeClock clock_;
  FolderClaim claim_{options_, nullptr, clock_};
};

TEST_F(FolderClaimTest, TakesAFolderThatNobodyHas) {
  const auto hold = claim_.attempt(false);
  ASSERT_TRUE(hold.ok()) << hold.error().what;
  EXPECT_TRUE(hold->has_value());
  EXPECT_FALSE(claim_.waits());
}

TEST_F(FolderClaimTest, AFolderThatIsInUseEndsWhoHasNotStoodBy) {
  const auto other = StateHold::open(options_);
  ASSERT_TRUE(other.ok());
  for (int s = 0; s < 13; ++s) {  // a heartbeat, and what a command may take
    const auto not_yet = claim_.attempt(false);
    ASSERT_TRUE(not_yet.ok()) << not_yet.error().what;
    EXPECT_FALSE(not_yet->has_value());
    EXPECT_FALSE(claim_.waits());
    clock_.go(milliseconds(1000));
  }
  const auto hold = claim_.attempt(false);
  ASSERT_FALSE(hold.ok());
  EXPECT_EQ(hold.error().code, Errc::position_locked);
  EXPECT_THAT(hold.error().what, HasSubstr("is held by process"));
}

TEST_F(FolderClaimTest, WhoHasStoodByWaitsForAFrozenLeaderWithoutAnEnd) {
  auto frozen = std::make_optional(StateHold::open(options_));
  ASSERT_TRUE(frozen->ok());
  for (int minute = 0; minute < 100; ++minute) {
    const auto not_yet = claim_.attempt(true);
    ASSERT_TRUE(not_yet.ok()) << not_yet.error().what;
    EXPECT_FALSE(not_yet->has_value());
    EXPECT_TRUE(claim_.waits());
    clock_.go(std::chrono::minutes(1));
  }
  frozen.reset();
  const auto hold = claim_.attempt(true);
  ASSERT_TRUE(hold.ok()) << hold.error().what;
  EXPECT_TRUE(hold->has_value());
  EXPECT_FALSE(claim_.waits());
}

TEST_F(FolderClaimTest, TheTimeIsThatOfOneClaim) {
  const auto other = StateHold::open(options_);
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(claim_.attempt(false).ok());
  clock_.go(std::chrono::hours(1));
  claim_.drop();
  EXPECT_TRUE(claim_.attempt(false).ok());
}

}  // namespace
}  // namespace sluice::pipeline
