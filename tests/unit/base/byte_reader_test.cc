#include "sluice/base/byte_reader.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace std::string_view_literals;

TEST(ByteReader, ReadsLittleEndianIntegersOfEveryWidth) {
  const auto bytes = "\x01\x02\x03\x04\x05\x06\x07\x88"sv;
  EXPECT_EQ(ByteReader(as_bytes(bytes)).le<1>(), 0x01U);
  EXPECT_EQ(ByteReader(as_bytes(bytes)).le<3>(), 0x030201U);
  EXPECT_EQ(ByteReader(as_bytes(bytes)).le<6>(), 0x060504030201U);
  EXPECT_EQ(ByteReader(as_bytes(bytes)).u64(), 0x8807060504030201U);
  ByteReader r(as_bytes(bytes));
  EXPECT_EQ(r.u8(), 0x01U);
  EXPECT_EQ(r.u16(), 0x0302U);
  EXPECT_EQ(r.u32(), 0x07060504U);
  EXPECT_EQ(r.remaining(), 1U);
  EXPECT_TRUE(r.ok());
}

TEST(ByteReader, ReadsBigEndianIntegers) {
  ByteReader r(as_bytes("\x01\x02\x03\xff"sv));
  EXPECT_EQ(r.be<3>(), 0x010203U);
  EXPECT_EQ(r.be<1>(), 0xffU);
}

TEST(ByteReader, ReadsLengthEncodedIntegers) {
  EXPECT_EQ(ByteReader(as_bytes("\xfa"sv)).lenenc(), 0xfaU);
  EXPECT_EQ(ByteReader(as_bytes("\xfc\x01\x02"sv)).lenenc(), 0x0201U);
  EXPECT_EQ(ByteReader(as_bytes("\xfd\x01\x02\x03"sv)).lenenc(), 0x030201U);
  EXPECT_EQ(ByteReader(as_bytes("\xfe\x01\x02\x03\x04\x05\x06\x07\x08"sv)).lenenc(),
            0x0807060504030201U);
  for (const auto bad : {"\xfb"sv, "\xff"sv, "\xfc\x01"sv, "\xfd\x01\x02"sv, "\xfe\x01"sv, ""sv}) {
    ByteReader r(as_bytes(bad));
    EXPECT_EQ(r.lenenc(), 0U);
    EXPECT_FALSE(r.ok());
  }
}

TEST(ByteReader, AReadPastTheEndLatchesFailureAndEndsTheInput) {
  ByteReader r(as_bytes("abc"sv));
  EXPECT_EQ(r.u32(), 0U);
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.remaining(), 0U);
  EXPECT_EQ(r.u8(), 0U);
  EXPECT_TRUE(r.take(1).empty());
  EXPECT_TRUE(r.rest().empty());
  EXPECT_FALSE(r.ok());
}

TEST(ByteReader, TakesNoMoreThanThereIs) {
  ByteReader r(as_bytes("abcdef"sv));
  EXPECT_EQ(as_chars(r.take(2)), "ab");
  EXPECT_TRUE(r.take(0).empty());
  EXPECT_TRUE(r.ok());
  ByteReader copy = r;
  EXPECT_EQ(as_chars(copy.rest()), "cdef");
  EXPECT_TRUE(r.take(0xFFFFFFFFFFFFFFFF).empty());
  EXPECT_FALSE(r.ok());
}

TEST(ByteReader, AnEmptyInputIsFineUntilItIsRead) {
  ByteReader r(Bytes{});
  EXPECT_TRUE(r.ok());
  EXPECT_TRUE(r.rest().empty());
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.be<2>(), 0U);
  EXPECT_FALSE(r.ok());
}

}  // namespace
}  // namespace sluice
