#include "sluice/binlog/sql_lexer.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::binlog {
namespace {

using testing::ElementsAre;

std::vector<std::string> tokens(std::string_view text, std::optional<SqlServer> server = {},
                                std::uint64_t mode = 0) {
  std::vector<std::string> out;
  SqlLexer lexer(text, mode, server);
  for (auto t = lexer.next(); t.kind != SqlToken::Kind::end; t = lexer.next())
    out.emplace_back(t.text);
  return out;
}

constexpr SqlServer kMysql57{Flavor::mysql, 50744}, kMysql84{Flavor::mysql, 80400},
    kMariadb{Flavor::mariadb, 101106};

TEST(SqlLexer, ReadsEveryVersionedCommentWithoutAServer) {
  EXPECT_THAT(tokens("a /*!99999 b */ c /*M!999999 d */ e /*!f*/"),
              ElementsAre("a", "b", "c", "d", "e", "f"));
}

TEST(SqlLexer, ReadsTheVersionedCommentsOfItsServer) {
  constexpr std::string_view kText =
      "a /*!50100 b */ c /*!50800 d */ e /*!80023 f */ g /*M!100301 h */ i /*M!999999 j */";
  EXPECT_THAT(tokens(kText, kMysql57), ElementsAre("a", "b", "c", "e", "g", "i"));
  EXPECT_THAT(tokens(kText, kMysql84), ElementsAre("a", "b", "c", "d", "e", "f", "g", "i"));
  EXPECT_THAT(tokens(kText, kMariadb), ElementsAre("a", "b", "c", "e", "g", "h", "i"));
}

TEST(SqlLexer, TakesASixthDigitOfTheVersionSinceMysql8) {
  EXPECT_THAT(tokens("/*!501001 a */", kMysql57), ElementsAre("1", "a"));
  EXPECT_THAT(tokens("/*!080400 a */ /*!100000 b */", kMysql84), ElementsAre("a"));
  EXPECT_THAT(tokens("/*!5010 a */", kMysql84), ElementsAre("5010", "a"));
}

TEST(SqlLexer, PassesOverACommentWithinOneThatDoesNotCount) {
  EXPECT_THAT(tokens("a /*!99999 b /* c */ d */ e", kMysql84), ElementsAre("a", "e"));
  EXPECT_THAT(tokens("a /*!50000 b /* c */ d */ e", kMysql84), ElementsAre("a", "b", "d", "e"));
  EXPECT_THAT(tokens("a /*!99999 b", kMysql84), ElementsAre("a"));
  EXPECT_THAT(tokens("a /*!99999 b /* c", kMysql84), ElementsAre("a"));
}

TEST(SqlLexer, SaysWhatHasNoEnd) {
  SqlLexer closed("'a\\''", 0);
  EXPECT_TRUE(closed.next().closed);
  SqlLexer open("'a\\'", 0);
  EXPECT_FALSE(open.next().closed);
  SqlLexer doubled("`a``", 0);
  EXPECT_FALSE(doubled.next().closed);
  SqlLexer raw("'a\\'", sql_mode::kNoBackslashEscapes);
  EXPECT_TRUE(raw.next().closed);
}

TEST(SqlLexer, EndsAtTheEndOfTheStatement) {
  constexpr std::string_view kText = "a -- b";
  SqlLexer lexer(kText, 0);
  lexer.next();
  const SqlToken end = lexer.next();
  EXPECT_EQ(end.kind, SqlToken::Kind::end);
  EXPECT_EQ(end.text.data(), kText.data() + kText.size());
}

TEST(SqlLexer, TellsTheLengthOfComments) {
  EXPECT_EQ(comment_length("-- a\nb"), 4U);
  EXPECT_EQ(comment_length("--a\nb"), 0U);
  EXPECT_EQ(comment_length("--"), 2U);
  EXPECT_EQ(comment_length("#a"), 2U);
  EXPECT_EQ(comment_length("/* a */ b"), 7U);
  EXPECT_EQ(comment_length("/*/ a */ b"), 8U);
  EXPECT_EQ(comment_length("/* a"), 4U);
  EXPECT_EQ(comment_length("a"), 0U);
  EXPECT_EQ(comment_length(""), 0U);
}

TEST(SqlLexer, LetsALeadingByteTakeTheNextOne) {
  bool closed = false;
  const auto lead = [](unsigned char c) { return c >= 0x81; };
  // In gbk 0x8127 is one character, whose second byte is a quote.
  EXPECT_EQ(quoted_length("'\x81\x27' b", true, closed, lead), 4U);
  EXPECT_TRUE(closed);
  EXPECT_EQ(quoted_length("'\x81\x27' b", true, closed), 6U);
  EXPECT_FALSE(closed);
}

}  // namespace
}  // namespace sluice::binlog
