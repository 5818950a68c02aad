#include "pipeline/publisher_side.h"

#include <gtest/gtest.h>

#include "unit/pipeline/fakes.h"
#include "unit/temp_folder.h"

namespace sluice::pipeline {
namespace {

// Its copy in Redis would be claimed, and with it the publishing of who leads by now.
TEST(PublisherSide, TakesNothingOverWhenItDoesNotLeadAnyMore) {
  const sluice::testing::TempFolder folder;
  Options options;
  options.state_dir.set(folder.path().string());
  bool leads = true;
  Wakeup wakeup;
  Health health;
  const testing::FakeClock clock;
  PublisherSide::Surroundings around;
  around.wakeup = &wakeup;
  around.health = &health;
  around.clock = &clock;
  around.leads = [&leads] { return leads; };
  auto hold = StateHold::open(options);
  ASSERT_TRUE(hold.ok()) << hold.error().what;
  const std::stop_source stop;
  PublisherSide side(options, around, std::move(hold).value(), stop.get_token(),
                     std::chrono::milliseconds(0));
  EXPECT_TRUE(side.take_state().ok());
  leads = false;
  const auto late = side.take_state();
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().cls, ErrorClass::stopped);
}

}  // namespace
}  // namespace sluice::pipeline
