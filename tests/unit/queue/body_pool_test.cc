#include "queue/body_pool.h"

#include <gtest/gtest.h>

namespace sluice::queue {
namespace {

TEST(BodyPool, GivesTheMemoryOfAFinishedBodyToTheNext) {
  const auto pool = std::make_shared<BodyPool>(1U << 20U);
  auto first = pool->take();
  first->append(std::string(5000, 'x'));
  const char* memory = first->data();
  first.reset();
  EXPECT_GE(pool->kept_bytes(), 5000U);
  const auto second = pool->take();
  EXPECT_TRUE(second->empty());
  EXPECT_EQ(second->data(), memory);
  EXPECT_EQ(pool->kept_bytes(), 0U);
}

TEST(BodyPool, KeepsNoMoreThanItsLimit) {
  const auto pool = std::make_shared<BodyPool>(10000);
  auto a = pool->take();
  auto b = pool->take();
  a->append(std::string(8000, 'a'));
  b->append(std::string(8000, 'b'));
  a.reset();
  const auto kept = pool->kept_bytes();
  EXPECT_GE(kept, 8000U);
  b.reset();
  EXPECT_EQ(pool->kept_bytes(), kept);
}

TEST(BodyPool, LeavesABodyAloneWhenThePoolIsGoneFirst) {
  auto pool = std::make_shared<BodyPool>(10000);
  const auto body = pool->take();
  body->append("still here");
  pool.reset();
  EXPECT_EQ(body->view(), "still here");
}

}  // namespace
}  // namespace sluice::queue
