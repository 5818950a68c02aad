#include "sluice/base/charset.h"

#include <array>

#include <gtest/gtest.h>

#include "unit/event/fixture.h"

namespace sluice::event::test {
namespace {

std::string to_utf8(std::string_view charset, std::string_view hex, bool expect_ok = true) {
  const Charset* c = Charset::by_name(charset);
  if (c == nullptr) return "<unknown>";
  TextBuffer out;
  out.append(">");
  EXPECT_EQ(c->to_utf8(unhex(hex), out), expect_ok) << charset << " " << hex;
  return std::string(out.view().substr(1));
}

struct Golden {
  std::string_view charset, hex, text;
};

// Bytes: HEX(CONVERT(text USING charset)) of MySQL 9.7.
constexpr std::array kGolden = std::to_array<Golden>({
    {"armscii8", "B4B3F1", "Բար"},
    {"cp1250", "9E6C759D6F75E86BFD", "žluťoučký"},
    {"cp1251", "CFF0E8E2E5F2", "Привет"},
    {"cp1256", "E3D1CDC8C7", "مرحبا"},
    {"cp1257", "E0E8E6EBE1", "ąčęėį"},
    {"cp850", "828581", "éàü"},
    {"cp852", "A76C759C", "žluť"},
    {"cp866", "8FE0A8A2A5E2", "Привет"},
    {"dec8", "E9E0FC", "éàü"},
    {"geostd8", "C2C0CC", "გამ"},
    {"greek", "E3E5E9DC", "γειά"},
    {"hebrew", "F9ECE5ED", "שלום"},
    {"hp8", "C5C8CF", "éàü"},
    {"keybcs2", "916C759F", "žluť"},
    {"koi8r", "F0D2C9D7C5D4", "Привет"},
    {"koi8u", "B7D6C1CB", "Їжак"},
    {"latin1", "80E9FC", "€éü"},
    {"latin2", "BE6C75BB", "žluť"},
    {"latin5", "F0FDFE", "ğış"},
    {"latin7", "E0E8E6EB", "ąčęė"},
    {"macce", "EC6C75E9", "žluť"},
    {"macroman", "8E889F", "éàü"},
    {"swe7", "5D5B5C", "ÅÄÖ"},
    {"tis620", "CAC7D1CAB4D5", "สวัสดี"},
    {"big5", "BA7EA672", "漢字"},
    {"cp932", "8ABF8E9AB18740", "漢字ｱ①"},
    {"eucjpms", "B4C1BBFA8EB1ADA1", "漢字ｱ①"},
    {"euckr", "C7D1B1B9BEEE", "한국어"},
    {"gb18030", "BABAD7D69439FC368232B334", "汉字😀䂀"},
    {"gb2312", "BABAD7D6", "汉字"},
    {"gbk", "BABAD7D6", "汉字"},
    {"sjis", "8ABF8E9AB1815F5C", "漢字ｱ\\\\"},
    {"ujis", "B4C1BBFA8EB18FB0A1", "漢字ｱ丂"},
    {"ucs2", "6F220061", "漢a"},
    {"utf16", "6F22D83DDE00", "漢😀"},
    {"utf16le", "226F3DD800DE", "漢😀"},
    {"utf32", "00006F220001F600", "漢😀"},
    {"utf8mb3", "E6BCA261", "漢a"},
    {"utf8mb4", "E6BCA2F09F9880", "漢😀"},
    {"ascii", "616263", "abc"},
});

TEST(Charset, ConvertsAsTheServerDoes) {
  for (const Golden& g : kGolden) {
    ASSERT_NE(Charset::by_name(g.charset), nullptr) << g.charset;
    EXPECT_TRUE(Charset::by_name(g.charset)->prepare().ok()) << g.charset;
    EXPECT_EQ(to_utf8(g.charset, g.hex), g.text) << g.charset;
  }
  EXPECT_EQ(kGolden.size(), 40U);  // all but binary
}

// Where the servers and the C library's converter part.
TEST(Charset, FollowsTheServerWhereIconvDiffers) {
  EXPECT_EQ(to_utf8("big5", "A145"), "\u2022");
  EXPECT_EQ(to_utf8("sjis", "815F"), "\\");
  EXPECT_EQ(to_utf8("ujis", "A1C0"), "\\");
  EXPECT_EQ(to_utf8("ujis", "8FA2B7"), "~");
  EXPECT_EQ(to_utf8("ujis", "F5A1"), "\uE000");
  EXPECT_EQ(to_utf8("ujis", "8FFEFE"), "\uE757");
  EXPECT_EQ(to_utf8("gb18030", "A6D9"), "\uE78D");
  EXPECT_EQ(to_utf8("gb18030", "82359037"), "\u9FB4");
  EXPECT_EQ(to_utf8("gb18030", "E3329A35"), "\U0010FFFF");
}

TEST(Charset, Latin1IsCp1252WithTheFiveOpenBytesAsControls) {
  EXPECT_EQ(to_utf8("latin1", "808182FF"), "€\u0081‚ÿ");
}

TEST(Charset, WritesAReplacementForEachBadByteAndGoesOn) {
  EXPECT_EQ(to_utf8("utf8mb4", "61FF62C0AF63", false), "a\uFFFDb\uFFFD\uFFFDc");
  EXPECT_EQ(to_utf8("utf8mb4", "EDA08061", false), "\uFFFD\uFFFD\uFFFDa");  // a surrogate
  EXPECT_EQ(to_utf8("utf8mb4", "F09F98", false), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(to_utf8("utf8mb4", "F4908080", false), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(to_utf8("ascii", "61C3A462", false), "a\uFFFD\uFFFDb");
  EXPECT_EQ(to_utf8("cp1257", "618162", false), "a\uFFFDb");
  EXPECT_EQ(to_utf8("gbk", "61BA", false), "a\uFFFD");
  EXPECT_EQ(to_utf8("gbk", "80BABA", false), "\uFFFD汉");
  EXPECT_EQ(to_utf8("sjis", "854061", false), "\uFFFD@a");
  EXPECT_EQ(to_utf8("ujis", "8FB0", false), "\uFFFD\uFFFD");
  EXPECT_EQ(to_utf8("gb18030", "94393961", false), "\uFFFD99a");
  EXPECT_EQ(to_utf8("utf16", "0061D83D00", false), "a\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(to_utf8("ucs2", "D83DDE00", false), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(to_utf8("utf32", "0011000000000061", false), "\uFFFD\uFFFD\uFFFD\uFFFDa");
}

TEST(Charset, BinaryIsLatin1Characters) {
  EXPECT_EQ(to_utf8("binary", "00417FE4FF"), std::string("\0A\x7Fäÿ", 7));
}

TEST(Charset, IsFoundByCollation) {
  const auto name = [](std::uint32_t id) {
    const Charset* c = Charset::by_collation(id);
    return c == nullptr ? std::string("none") : std::string(c->name());
  };
  EXPECT_EQ(name(0), "none");
  EXPECT_EQ(name(8), "latin1");
  EXPECT_EQ(name(17), "none");
  EXPECT_EQ(name(33), "utf8mb3");
  EXPECT_EQ(name(45), "utf8mb4");
  EXPECT_EQ(name(63), "binary");
  EXPECT_EQ(name(248), "gb18030");
  EXPECT_EQ(name(255), "utf8mb4");  // utf8mb4_0900_ai_ci
  EXPECT_EQ(name(323), "utf8mb4");
  EXPECT_EQ(name(576), "utf8mb3");   // utf8mb3_croatian_mysql561_ci
  EXPECT_EQ(name(1025), "big5");     // MariaDB's nopad ones
  EXPECT_EQ(name(2048), "utf8mb3");  // MariaDB's uca1400 ones
  EXPECT_EQ(name(2304), "utf8mb4");
  EXPECT_EQ(name(3271), "utf32");
  EXPECT_EQ(name(3400), "none");
  EXPECT_EQ(name(70000), "none");
}

TEST(Charset, IsFoundByName) {
  EXPECT_EQ(Charset::by_name("utf8"), Charset::by_name("utf8mb3"));
  EXPECT_EQ(Charset::by_name("utf8mb4"), &Charset::utf8mb4());
  EXPECT_EQ(Charset::by_name("binary"), &Charset::binary());
  EXPECT_EQ(Charset::by_name("ebcdic"), nullptr);
  EXPECT_EQ(Charset::by_name("gb18030")->max_bytes_per_char(), 4U);
}

TEST(IsUtf8, FindsABadByteAtEveryPlace) {
  const std::string good = "0123456789äöü漢字😀0123456789";
  EXPECT_TRUE(is_utf8(good));
  EXPECT_TRUE(is_utf8(""));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = '\xFF';
    EXPECT_FALSE(is_utf8(bad)) << i;
  }
}

}  // namespace
}  // namespace sluice::event::test
