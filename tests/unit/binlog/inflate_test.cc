// Streams as zlib makes them; what is not one of them, whole and of the size told, is refused.
#include "sluice/binlog/inflate.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "unit/binlog/deflate.h"

namespace sluice::binlog {
namespace {

using testing::deflated;

std::string text(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i) out += "row " + std::to_string(i * i) + ";";
  out.resize(size);
  return out;
}

class Inflate : public ::testing::TestWithParam<InflateFormat> {};

TEST_P(Inflate, GivesBackWhatWasDeflated) {
  TextBuffer out;
  out.append("kept");
  std::string expected = "kept";
  for (const std::size_t size : {0UL, 1UL, 600UL, 70'000UL, 3'000'000UL}) {
    const std::string plain = text(size);
    ASSERT_TRUE(inflate(as_bytes(deflated(plain, GetParam())), GetParam(), size, out)) << size;
    expected += plain;
    EXPECT_EQ(out.view(), expected) << size;
  }
}

TEST_P(Inflate, InflatesTheLargestRatioThatDeflateHas) {
  const std::string plain(10'000'000, 'x');
  const std::string stream = deflated(plain, GetParam());
  ASSERT_LT(stream.size(), 11'000U);
  TextBuffer out;
  ASSERT_TRUE(inflate(as_bytes(stream), GetParam(), plain.size(), out));
  EXPECT_TRUE(out.view() == plain);
}

TEST_P(Inflate, RefusesAnotherSizeThanTold) {
  const std::string plain = text(600);
  const std::string stream = deflated(plain, GetParam());
  TextBuffer out;
  out.append("kept");
  for (const std::size_t size : {0UL, 1UL, 599UL, 601UL, 1200UL, 70'000UL, 1UL << 40, ~0UL})
    EXPECT_FALSE(inflate(as_bytes(stream), GetParam(), size, out)) << size;
  EXPECT_EQ(out.view(), "kept");
}

TEST_P(Inflate, ReservesNothingThatSoFewBytesCannotMake) {
  TextBuffer out;
  EXPECT_FALSE(inflate(as_bytes(deflated("x", GetParam())), GetParam(), 1UL << 30, out));
  EXPECT_EQ(out.capacity(), 0U);
}

TEST_P(Inflate, RefusesCutAndLongerStreams) {
  const std::string plain = text(2000);
  const std::string stream = deflated(plain, GetParam());
  TextBuffer out;
  for (std::size_t n = 0; n < stream.size(); ++n) {
    const auto copy = std::make_unique<std::byte[]>(n);
    std::memcpy(copy.get(), stream.data(), n);
    EXPECT_FALSE(inflate(Bytes(copy.get(), n), GetParam(), plain.size(), out)) << n;
  }
  EXPECT_FALSE(inflate(as_bytes(stream + "x"), GetParam(), plain.size(), out));
  EXPECT_TRUE(out.empty());
  // An error leaves nothing behind for the next one.
  EXPECT_TRUE(inflate(as_bytes(stream), GetParam(), plain.size(), out));
}

TEST_P(Inflate, SurvivesEveryFlippedByte) {
  const std::string plain = text(500);
  const std::string stream = deflated(plain, GetParam());
  TextBuffer out;
  for (std::size_t i = 0; i < stream.size(); ++i)
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string bad = stream;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      out.clear();
      const bool ok = inflate(as_bytes(bad), GetParam(), plain.size(), out);
      EXPECT_EQ(out.size(), ok ? plain.size() : 0U);
      // zlib's sum sees every changed byte; a raw stream has none.
      if (GetParam() == InflateFormat::zlib) {
        EXPECT_TRUE(!ok || out.view() == plain) << i;
      }
    }
}

TEST_P(Inflate, ReusesItsMemory) {
  const std::string stream = deflated(text(5000), GetParam());
  TextBuffer out;
  ASSERT_TRUE(inflate(as_bytes(stream), GetParam(), 5000, out));
  const char* const before = out.data();
  out.clear();
  ASSERT_TRUE(inflate(as_bytes(stream), GetParam(), 5000, out));
  EXPECT_EQ(out.data(), before);
}

TEST(InflateFormats, AreNotTakenForEachOther) {
  const std::string plain = text(600);
  TextBuffer out;
  EXPECT_FALSE(inflate(as_bytes(deflated(plain, InflateFormat::zlib)), InflateFormat::raw,
                       plain.size(), out));
  EXPECT_FALSE(inflate(as_bytes(deflated(plain, InflateFormat::raw)), InflateFormat::zlib,
                       plain.size(), out));
}

INSTANTIATE_TEST_SUITE_P(Formats, Inflate,
                         ::testing::Values(InflateFormat::zlib, InflateFormat::raw),
                         [](const auto& param) {
                           return param.param == InflateFormat::zlib ? "zlib" : "raw";
                         });

}  // namespace
}  // namespace sluice::binlog
