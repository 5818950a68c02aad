#include "queue/body_codec.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::queue {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kMost = 64U << 20U;

std::string lines(std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; out.size() < bytes; ++i)
    out += R"({"type":"INSERT","data":[{"id":")" + std::to_string(i * 7919) + "\"}]}\n";
  return out;
}

TEST(BodyCodec, GivesBackWhatItWasGiven) {
  BodyCompressor compressor;
  BodyInflater inflater;
  for (const std::size_t size : {300U, 100'000U, 5'000'000U, 1000U}) {
    const std::string body = lines(size);
    const auto small = compressor.compress(body);
    ASSERT_TRUE(small.has_value());
    EXPECT_LT(small->size(), body.size());
    TextBuffer out;
    const Status s = inflater.inflate(*small, kMost, out);
    ASSERT_TRUE(s.ok()) << s.error().what;
    EXPECT_TRUE(out.view() == body) << size;
  }
}

TEST(BodyCodec, WhatDoesNotBecomeSmallerStaysAsItIs) {
  BodyCompressor compressor;
  EXPECT_FALSE(compressor.compress("").has_value());
  EXPECT_FALSE(compressor.compress(std::string(100, 'x')).has_value());
  std::string noise(10'000, ' ');
  std::uint64_t x = 88172645463325252ULL;
  for (char& c : noise) {
    x ^= x << 13U;
    x ^= x >> 7U;
    x ^= x << 17U;
    c = static_cast<char>(x);
  }
  EXPECT_FALSE(compressor.compress(noise).has_value());
}

TEST(BodyCodec, TheMemoryOfOneBodyIsThatOfTheNext) {
  BodyCompressor compressor;
  BodyInflater inflater;
  const std::string body = lines(1'000'000);
  TextBuffer out;
  ASSERT_TRUE(inflater.inflate(*compressor.compress(body), kMost, out).ok());
  const char* const memory = out.data();
  const char* const compressed = compressor.compress(body)->data();
  for (int i = 0; i < 5; ++i) {
    const auto small = compressor.compress(body);
    EXPECT_EQ(small->data(), compressed);
    out.clear();
    ASSERT_TRUE(inflater.inflate(*small, kMost, out).ok());
    EXPECT_EQ(out.data(), memory);
  }
}

TEST(BodyCodec, MoreThanTheCapIsRefusedBeforeMemoryIsTaken) {
  BodyCompressor compressor;
  BodyInflater inflater;
  const std::string body(10'000'000, 'x');
  TextBuffer out;
  const Status s = inflater.inflate(*compressor.compress(body), body.size() - 1, out);
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::poison);
  EXPECT_EQ(s.error().code, Errc::queue_message);
  EXPECT_THAT(s.error().what, HasSubstr("10000000 bytes"));
  EXPECT_EQ(out.capacity(), 0U);
}

TEST(BodyCodec, DamagedBytesAreRefusedWhereverTheyAre) {
  BodyCompressor compressor;
  BodyInflater inflater;
  const std::string body = lines(2000);
  const std::string small(*compressor.compress(body));
  for (std::size_t at = 0; at < small.size(); ++at) {
    TextBuffer out;
    EXPECT_FALSE(inflater.inflate(small.substr(0, at), kMost, out).ok()) << "cut at " << at;
    std::string other = small;
    other[at] = static_cast<char>(other[at] ^ 0x55);
    out.clear();
    if (const Status s = inflater.inflate(other, kMost, out); s.ok()) {
      EXPECT_EQ(out.view(), body) << "byte " << at;  // a bit that means nothing
    }
  }
}

}  // namespace
}  // namespace sluice::queue
