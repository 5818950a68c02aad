#include "redis/slots.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice::redis {
namespace {

TEST(Slots, TheChecksumIsTheOneOfRedis) {
  EXPECT_EQ(crc16("123456789"), 0x31C3);  // the specification's own vector
  EXPECT_EQ(crc16(""), 0);
}

// `CLUSTER KEYSLOT` of Redis 7.
TEST(Slots, OfKeysAreThoseThatRedisSays) {
  EXPECT_EQ(slot_of("foo"), 12182);
  EXPECT_EQ(slot_of("bar"), 5061);
  EXPECT_EQ(slot_of("hello"), 866);
  EXPECT_EQ(slot_of("somekey"), 11058);
  EXPECT_EQ(slot_of(""), 0);
  EXPECT_EQ(slot_of(std::string_view("\0", 1)), 0);
}

TEST(Slots, AHashTagCountsAlone) {
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
  EXPECT_EQ(slot_of("a{foo}b{bar}"), slot_of("foo"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
  EXPECT_EQ(slot_of("foo{bar}{zap}"), slot_of("bar"));
}

TEST(Slots, BracesWithoutAnythingBetweenAreNoTag) {
  EXPECT_EQ(slot_of("foo{}{bar}"), crc16("foo{}{bar}") % kSlots);
  EXPECT_EQ(slot_of("foo{bar"), crc16("foo{bar") % kSlots);
  EXPECT_EQ(slot_of("}foo{"), crc16("}foo{") % kSlots);
}

}  // namespace
}  // namespace sluice::redis
