#include "sluice/base/bounded_queue.h"

#include <thread>

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::stop_token stop_requested() {
  std::stop_source s;
  s.request_stop();
  return s.get_token();
}

TEST(BoundedQueue, GivesItemsInOrder) {
  BoundedQueue<int> q(100);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(q.push(i, 10, {}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(q.pop({}), i);
}

TEST(BoundedQueue, HasRoomForItsCapacityInBytesAndNoMore) {
  BoundedQueue<int> q(100);
  ASSERT_TRUE(q.push(1, 60, {}));
  EXPECT_TRUE(q.push(2, 40, stop_requested()));
  EXPECT_FALSE(q.push(3, 1, stop_requested()));
  EXPECT_EQ(q.pop({}), 1);
  EXPECT_TRUE(q.push(3, 60, stop_requested()));
}

TEST(BoundedQueue, AnItemLargerThanTheCapacityPassesAnEmptyQueue) {
  BoundedQueue<int> q(10);
  EXPECT_TRUE(q.push(1, 1000, stop_requested()));
  EXPECT_FALSE(q.push(2, 1, stop_requested()));
  EXPECT_EQ(q.pop({}), 1);
}

TEST(BoundedQueue, PopOfAnEmptyQueueEndsWithTheStop) {
  BoundedQueue<int> q(10);
  EXPECT_EQ(q.pop(stop_requested()), std::nullopt);
}

TEST(BoundedQueue, AWaitingPushGoesOnWhenThereIsRoom) {
  BoundedQueue<int> q(1);
  std::jthread t([&](const std::stop_token& st) {
    for (int i = 0; i < 1000; ++i)
      if (!q.push(i, 1, st)) return;
  });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(q.pop({}), i);
}

}  // namespace
}  // namespace sluice
