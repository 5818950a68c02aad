// Dead letters of rows on their way through the outbox.
#include <algorithm>

#include <gtest/gtest.h>

#include "unit/pipeline/batches.h"

namespace sluice::pipeline {
namespace {

using testing::kPartitions;
using testing::OutboxTest;

class OutboxLetters : public OutboxTest {
 protected:
  Outbox outbox_{{kPartitions, 1u << 20, 48u << 20, /*ddl=*/true, 16u << 20, /*letters=*/true},
                 {batches_.file(), 4, "", std::vector<EventId>(kPartitions)},
                 GtidSet(Flavor::mariadb),
                 wakeup_};
  const std::uint32_t lane_ = outbox_.letters_lane();
};

TEST_F(OutboxLetters, HaveALaneOfTheirOwnAndThePositionWaitsForThem) {
  EXPECT_EQ(outbox_.lanes(), kPartitions + 2);
  EXPECT_EQ(lane_, kPartitions + 1);
  auto& one = batches_.begin(100);
  batches_.letter(2);
  ASSERT_TRUE(outbox_.add(one).ok());
  outbox_.complete(end(110));
  EXPECT_EQ(outbox_.take(2), nullptr);
  EXPECT_FALSE(outbox_.drained());
  EXPECT_EQ(outbox_.restart_point().pos, 4U);
  std::vector<std::uint32_t> ready;
  outbox_.ready(ready);
  EXPECT_EQ(ready, std::vector<std::uint32_t>{lane_});
  const OutgoingMessage* m = outbox_.take(lane_);
  ASSERT_NE(m, nullptr);
  ASSERT_NE(m->letter, nullptr);
  EXPECT_EQ(m->letter->id, (EventId{1, 1, 100, 0, 0, 0}));
  EXPECT_EQ(m->body.view(), "a letter\n");
  EXPECT_EQ(outbox_.confirmed(lane_), 0U) << "no row was sent";
  EXPECT_EQ(outbox_.restart_point().pos, 110U);
  EXPECT_TRUE(outbox_.restart_point().last[2].is_zero()) << "the chain passes over it";
  EXPECT_TRUE(outbox_.drained());
}

TEST_F(OutboxLetters, WhatComesBehindOneInItsPartitionWaitsForIt) {
  auto& one = batches_.begin(100);
  const EventId before = batches_.row(2);
  batches_.letter(2);
  const EventId behind = batches_.row(2);
  batches_.row(3);
  batches_.letter(2);
  ASSERT_TRUE(outbox_.add(one).ok());
  outbox_.complete(end(110));
  auto& two = batches_.begin(200);
  const EventId last = batches_.row(2);
  ASSERT_TRUE(outbox_.add(two).ok());
  outbox_.complete(end(210));
  outbox_.tick(1);
  const OutgoingMessage* m = outbox_.take(2);
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->headers.last, before);
  EXPECT_EQ(m->body.view().find("TICK"), std::string_view::npos) << "it is not complete that far";
  outbox_.confirmed(2);
  EXPECT_EQ(outbox_.take(2), nullptr);
  EXPECT_NE(outbox_.take(3), nullptr) << "others do not wait";
  std::vector<std::uint32_t> ready;
  outbox_.ready(ready);
  ASSERT_NE(outbox_.take(lane_), nullptr);
  outbox_.confirmed(lane_);
  outbox_.ready(ready);
  EXPECT_NE(std::find(ready.begin(), ready.end(), 2U), ready.end());
  m = outbox_.take(2);
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->headers.prev, before) << "the chain is whole";
  EXPECT_EQ(m->headers.last, behind);
  outbox_.confirmed(2);
  EXPECT_EQ(outbox_.take(2), nullptr) << "the second letter is not confirmed";
  ASSERT_NE(outbox_.take(lane_), nullptr);
  outbox_.confirmed(lane_);
  m = outbox_.take(2);
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->headers.prev, behind);
  EXPECT_EQ(m->headers.last, last);
  EXPECT_NE(m->body.view().find("TICK"), std::string_view::npos);
  outbox_.confirmed(2);
  outbox_.confirmed(3);
  EXPECT_EQ(outbox_.restart_point().pos, 210U);
}

TEST_F(OutboxLetters, TicksOfAPartitionThatWaitsAreNotEmptyMessages) {
  outbox_.tick(1);
  auto& one = batches_.begin(100);
  batches_.letter(1);
  ASSERT_TRUE(outbox_.add(one).ok());
  outbox_.complete(end(110));
  outbox_.tick(2);
  ASSERT_NE(outbox_.take(lane_), nullptr);
  outbox_.confirmed(lane_);
  int messages = 0;
  while (const OutgoingMessage* m = outbox_.take(1)) {
    EXPECT_GT(m->body.size(), 0U);
    ++messages;
    outbox_.confirmed(1);
  }
  EXPECT_EQ(messages, 2);
}

}  // namespace
}  // namespace sluice::pipeline
