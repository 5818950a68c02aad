#include "sluice/base/byte_writer.h"

#include <gtest/gtest.h>

#include "sluice/base/byte_reader.h"

namespace sluice {
namespace {

using namespace std::string_view_literals;

TEST(ByteWriter, WritesIntegersOfBothOrders) {
  ByteWriter w;
  w.le<1>(1).le<3>(0x030201).be<3>(0x010203).le<8>(0x8807060504030201);
  EXPECT_EQ(w.str(), "\x01\x01\x02\x03\x01\x02\x03\x01\x02\x03\x04\x05\x06\x07\x88"sv);
}

TEST(ByteWriter, WritesTheShortestLengthEncodedInteger) {
  struct Case {
    std::uint64_t value;
    std::size_t size;
  };
  for (const Case& k : {Case{0, 1}, Case{0xFA, 1}, Case{0xFB, 3}, Case{0xFFFF, 3}, Case{0x10000, 4},
                        Case{0xFFFFFF, 4}, Case{0x1000000, 9}, Case{0xFFFFFFFFFFFFFFFF, 9}}) {
    ByteWriter w;
    w.lenenc(k.value);
    EXPECT_EQ(w.size(), k.size) << k.value;
    ByteReader r(as_bytes(w.str()));
    EXPECT_EQ(r.lenenc(), k.value);
    EXPECT_TRUE(r.ok() && r.remaining() == 0);
  }
}

TEST(ByteWriter, CutsAShortStringAt255Bytes) {
  ByteWriter w;
  w.short_string(std::string(300, 'x'));
  EXPECT_EQ(w.size(), 256U);
  EXPECT_EQ(w.str()[0], '\xff');
}

}  // namespace
}  // namespace sluice
