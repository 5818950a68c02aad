#include "pipeline/leadership.h"

#include <deque>
#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "unit/pipeline/fakes.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;

// What a baton says, wait for wait; the test ends when there is no more.
struct Script {
  struct Step {
    Result<bool> held = false;
    milliseconds passes{100};            // while it waits
    milliseconds safe_for{1000};         // from then on
    std::function<void()> look = [] {};  // before it waits: what came of the step before
  };
  std::deque<Step> steps;
};

class FakeBaton final : public queue::Baton {
 public:
  FakeBaton(Script& script, testing::FakeClock& clock, std::stop_source& stop)
      : script_(&script), clock_(&clock), stop_(&stop) {}
  Result<bool> wait(milliseconds, Wakeup&) override {
    if (script_->steps.empty()) {
      stop_->request_stop();
      return false;
    }
    Script::Step step = std::move(script_->steps.front());
    script_->steps.pop_front();
    step.look();
    clock_->go(step.passes);
    safe_until_ = clock_->steady() + step.safe_for;
    return std::move(step.held);
  }
  std::chrono::steady_clock::time_point safe_until() const noexcept override { return safe_until_; }

 private:
  Script* script_;
  testing::FakeClock* clock_;
  std::stop_source* stop_;
  std::chrono::steady_clock::time_point safe_until_{};
};

class LeadershipTest : public ::testing::Test {
 protected:
  Status run() { return leadership_.run(stop_.get_token()); }

  Script script_;
  testing::FakeClock clock_;
  Wakeup changed_;
  std::stop_source stop_;
  int connected_ = 0;
  Leadership leadership_{
      [this]() -> Result<std::unique_ptr<queue::Baton>> {
        ++connected_;
        return std::unique_ptr<queue::Baton>(std::make_unique<FakeBaton>(script_, clock_, stop_));
      },
      changed_, clock_, milliseconds(1)};
};

TEST_F(LeadershipTest, LeadsWhileItHoldsTheBaton) {
  script_.steps.push_back({true});
  script_.steps.push_back({true, milliseconds(100), milliseconds(1000), [this] {
                             EXPECT_EQ(leadership_.turn(), 1u);
                             EXPECT_FALSE(leadership_.succeeds());
                             EXPECT_TRUE(leadership_.certain());
                             EXPECT_FALSE(leadership_.standing_by());
                           }});
  EXPECT_EQ(run().error().cls, ErrorClass::stopped);
  EXPECT_EQ(leadership_.turn(), 0u) << "it has ended";
}

TEST_F(LeadershipTest, IsNotCertainAfterASilenceOfTheBroker) {
  script_.steps.push_back({true});
  script_.steps.push_back({true, milliseconds(100), milliseconds(0)});
  script_.steps.push_back({true, milliseconds(100), milliseconds(1000), [this] {
                             EXPECT_EQ(leadership_.turn(), 1u) << "it may still lead";
                             EXPECT_FALSE(leadership_.certain());
                           }});
  script_.steps.push_back({true, milliseconds(100), milliseconds(1000), [this] {
                             EXPECT_TRUE(leadership_.certain()) << "the broker was heard again";
                           }});
  EXPECT_EQ(run().error().cls, ErrorClass::stopped);
}

TEST_F(LeadershipTest, StandsByBehindAnotherOneAndTakesOver) {
  for (int i = 0; i < 11; ++i) script_.steps.push_back({false});
  script_.steps.push_back({true, milliseconds(100), milliseconds(1000), [this] {
                             EXPECT_TRUE(leadership_.standing_by());
                             EXPECT_EQ(leadership_.turn(), 0u);
                             EXPECT_FALSE(leadership_.certain());
                           }});
  script_.steps.push_back({true, milliseconds(100), milliseconds(1000), [this] {
                             EXPECT_FALSE(leadership_.standing_by());
                             EXPECT_EQ(leadership_.turn(), 1u);
                             EXPECT_TRUE(leadership_.succeeds());
                           }});
  EXPECT_EQ(run().error().cls, ErrorClass::stopped);
}

TEST_F(LeadershipTest, AfterALossItsNextTurnIsAnotherOne) {
  script_.steps.push_back({true});
  script_.steps.push_back({retry(Errc::queue_lost, "cut")});
  script_.steps.push_back({true, milliseconds(100), milliseconds(1000), [this] {
                             EXPECT_EQ(leadership_.turn(), 0u);
                             EXPECT_FALSE(leadership_.certain());
                             EXPECT_EQ(connected_, 2);
                           }});
  script_.steps.push_back({true, milliseconds(100), milliseconds(1000), [this] {
                             EXPECT_EQ(leadership_.turn(), 2u);
                             EXPECT_TRUE(leadership_.succeeds());
                           }});
  EXPECT_EQ(run().error().cls, ErrorClass::stopped);
}

TEST_F(LeadershipTest, LetsGoWhenItIsToldTo) {
  script_.steps.push_back({true});
  script_.steps.push_back(
      {true, milliseconds(100), milliseconds(1000), [this] { leadership_.give_up(); }});
  script_.steps.push_back({false, milliseconds(100), milliseconds(1000), [this] {
                             EXPECT_EQ(leadership_.turn(), 0u);
                             EXPECT_EQ(connected_, 2) << "behind the others";
                           }});
  script_.steps.push_back({true});
  script_.steps.push_back(
      {true, milliseconds(100), milliseconds(1000), [this] { EXPECT_EQ(leadership_.turn(), 2u); }});
  EXPECT_EQ(run().error().cls, ErrorClass::stopped);
}

TEST_F(LeadershipTest, WhatCannotHealEndsIt) {
  script_.steps.push_back({fatal(Errc::queue_topology, "other arguments")});
  EXPECT_EQ(run().error().code, Errc::queue_topology);
}

}  // namespace
}  // namespace sluice::pipeline
