#include "sluice/base/json_text.h"

#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sluice/base/base64.h"
#include "sluice/base/charset.h"

namespace sluice {
namespace {

std::string escaped(std::string_view s) {
  TextBuffer out;
  EXPECT_TRUE(append_json_utf8(out, s));
  return std::string(out.view());
}

TEST(JsonEscape, EscapesOnlyWhatMustBe) {
  EXPECT_EQ(escaped("a\"b\\c/d"), R"(a\"b\\c/d)");
  EXPECT_EQ(escaped("\b\f\n\r\t"), R"(\b\f\n\r\t)");
  EXPECT_EQ(escaped(std::string_view("\0\x01\x1F\x7F", 4)), "\\u0000\\u0001\\u001f\x7F");
  EXPECT_EQ(escaped("ä漢😀"), "ä漢😀");
}

TEST(JsonEscape, EveryByteAtEveryPlaceOfABlockReadsBack) {
  for (int c = 0; c < 0x80; ++c) {
    for (std::size_t at = 0; at < 40; ++at) {
      std::string s(40, 'x');
      s[at] = static_cast<char>(c);
      ASSERT_EQ(nlohmann::json::parse("\"" + escaped(s) + "\"").get<std::string>(), s);
    }
  }
}

TEST(JsonEscape, RandomTextReadsBackAndIsNoLongerThanNeeded) {
  std::mt19937 random(7);
  constexpr std::u32string_view kAlphabet = U"abcdefghij \"\\\n\u0001ä漢😀";
  for (int i = 0; i < 3000; ++i) {
    std::string s;
    const std::size_t n = random() % (i % 100 == 0 ? 20000 : 80);
    for (std::size_t k = 0; k < n; ++k) {
      char buffer[4];
      s.append(buffer, write_utf8(buffer, kAlphabet[random() % kAlphabet.size()]));
    }
    TextBuffer trusted;
    append_json_text(trusted, s);
    ASSERT_EQ(trusted.view(), escaped(s));
    ASSERT_EQ("\"" + escaped(s) + "\"", nlohmann::json(s).dump());
  }
}

TEST(JsonEscape, Latin1ReadsBackAsItsBytes) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes.push_back(static_cast<char>(c));
  bytes += bytes;
  TextBuffer out;
  append_json_latin1(out, bytes);
  TextBuffer expected;
  append_latin1_as_utf8(bytes, expected);
  EXPECT_EQ(nlohmann::json::parse("\"" + std::string(out.view()) + "\"").get<std::string>(),
            expected.view());
}

TEST(JsonEscape, LeavesTheBufferAsItWasAtABadByte) {
  for (std::size_t n = 0; n < 40; ++n) {
    TextBuffer out;
    out.append("before");
    EXPECT_FALSE(append_json_utf8(out, std::string(n, 'x') + "\xC3(" + std::string(n, 'y')));
    EXPECT_FALSE(append_json_utf8(out, std::string(n, 'x') + "\xE6\xBC"));
    EXPECT_FALSE(append_json_ascii(out, std::string(n, 'x') + "ä"));
    EXPECT_EQ(out.view(), "before");
  }
}

TEST(Base64, ReadsBack) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    TextBuffer text;
    append_base64(text, bytes);
    TextBuffer back;
    ASSERT_TRUE(append_base64_decoded(back, text.view()));
    ASSERT_EQ(back.view(), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
  TextBuffer out;
  append_base64(out, "foob");
  EXPECT_EQ(out.view(), "Zm9vYg==");
  EXPECT_FALSE(append_base64_decoded(out, "Zm9"));
  EXPECT_FALSE(append_base64_decoded(out, "Zm=v"));
  EXPECT_FALSE(append_base64_decoded(out, "Z==="));
}

}  // namespace
}  // namespace sluice
