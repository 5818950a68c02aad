#include "sluice/expr/condition.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::expr {
namespace {

std::string problem(std::string_view text) {
  const auto condition = Condition::parse(text);
  if (condition.ok()) return "";
  EXPECT_EQ(condition.error().code, Errc::config_invalid);
  return condition.error().what;
}

TEST(Condition, ReadsWhatTheDocumentsShow) {
  for (const std::string_view text :
       {"status = 'active' and total > 10", "id in (1, 2, -3)", "not (a is null or b is not null)",
        "`order` like 'x%'", "name not like '_' AND Name NOT IN ('a','it''s')", "a<>1", "a != 1",
        "a<=b", "deleted = false", "true", "not false", "x >= .5 or x < 1e-3 or x = -1.25",
        "größe = 'öl'", "a\n  = 1\n", "_x$ = 1"})
    EXPECT_EQ(problem(text), "") << text;
}

TEST(Condition, KeepsItsTextAndComparesByIt) {
  const auto a = Condition::parse("a = 1"), b = Condition::parse("a = 1"),
             c = Condition::parse("a=1"), none = Condition::parse("");
  ASSERT_TRUE(a.ok() && b.ok() && c.ok() && none.ok());
  EXPECT_EQ(a->text(), "a = 1");
  EXPECT_EQ(*a, *b);
  EXPECT_FALSE(*a == *c);
  EXPECT_TRUE(none->empty());
  EXPECT_TRUE(Condition().empty());
  EXPECT_FALSE(a->empty());
}

TEST(Condition, SaysWhereItIsWrong) {
  EXPECT_EQ(problem("a = "), "1:5: a column, number or text is expected, not the end");
  EXPECT_EQ(problem("a"), "1:2: =, <>, <, <=, >, >=, in, like or is is expected, not the end");
  EXPECT_EQ(problem("a = 1 b = 2"), "1:7: and, or or the end is expected, not b");
  EXPECT_EQ(problem("a = 1)"), "1:6: and, or or the end is expected, not )");
  EXPECT_EQ(problem("(a = 1"), "1:7: ) is expected, not the end");
  EXPECT_EQ(problem("a =\n  'x' and\n  = 2"), "3:3: a column, number or text is expected, not =");
  EXPECT_EQ(problem("'öl' = größe and größe = \"x\""),
            "1:26: write text between single quotes and names between backquotes");
  EXPECT_EQ(problem("a = 'x"), "1:5: the ' here is not closed");
  EXPECT_EQ(problem("`a = 1"), "1:1: the ` here is not closed");
  EXPECT_EQ(problem("a = 1; drop"), "1:6: the character ; means nothing here");
  EXPECT_EQ(problem("a = null"), "1:5: nothing is equal to null; write is null or is not null");
  EXPECT_EQ(problem("a is 1"), "1:6: null is expected, not 1");
  EXPECT_EQ(problem("a is not"), "1:9: null is expected, not the end");
  EXPECT_EQ(problem("a in 1"), "1:6: ( is expected, not 1");
  EXPECT_EQ(problem("a in ()"), "1:7: a column, number or text is expected, not )");
  EXPECT_EQ(problem("a in (1, b)"), "1:10: a number or text is expected, not column b");
  EXPECT_EQ(problem("a in (1 2)"), "1:9: ) is expected, not 2");
  EXPECT_EQ(problem("a like b"), "1:8: text is expected, not b");
  EXPECT_EQ(problem("a not = 1"), "1:7: in or like is expected, not =");
  EXPECT_EQ(problem("a = -b"), "1:6: a number is expected, not b");
  EXPECT_EQ(problem("1a = 2"),
            "1:1: this is no number; a name that begins with a digit goes between backquotes");
  EXPECT_EQ(problem("and = 1"), "1:1: a column, number or text is expected, not and");
  EXPECT_EQ(problem(" "), "1:2: a column, number or text is expected, not the end");
}

TEST(Condition, IsNeverTooDeepForTheStack) {
  EXPECT_EQ(problem(std::string(99, '(') + "a = 1" + std::string(99, ')')), "");
  EXPECT_THAT(problem(std::string(100'000, '(')),
              testing::HasSubstr("1:101: more than 100 levels"));
  std::string nots;
  for (int i = 0; i < 1000; ++i) nots += "not ";
  EXPECT_THAT(problem(nots + "a = 1"), testing::HasSubstr("more than 100 levels"));
}

}  // namespace
}  // namespace sluice::expr
