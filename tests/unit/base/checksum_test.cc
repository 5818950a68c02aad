#include "sluice/base/checksum.h"

#include <string_view>

#include <gtest/gtest.h>

#include "sluice/base/hash.h"

namespace sluice {
namespace {

TEST(Crc32, MatchesThePublishedCheckValue) {
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xCBF43926U);
  EXPECT_EQ(crc32({}), 0U);
}

TEST(Crc32, ContinuesFromASeed) {
  EXPECT_EQ(crc32(as_bytes("6789"), crc32(as_bytes("12345"))), 0xCBF43926U);
}

TEST(Crc32, IsWrittenWithAllItsDigits) {
  EXPECT_EQ(hex32(0xCBF43926U), "cbf43926");
  EXPECT_EQ(hex32(0), "00000000");
}

// Vectors of the reference implementation (xxHash, XXH64 with seed 0).
TEST(Xxh64, MatchesThePublishedVectors) {
  EXPECT_EQ(xxh64(""), 0xEF46DB3751D8E999U);
  EXPECT_EQ(xxh64("a"), 0xD24EC4F1A98C6E5BU);
  EXPECT_EQ(xxh64("abc"), 0x44BC2CF5AD770999U);
}

}  // namespace
}  // namespace sluice
