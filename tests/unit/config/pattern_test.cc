#include "sluice/config/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Pattern, FitsTheWholeTextOnly) {
  const Pattern pattern(R"(shop\.orders)");
  EXPECT_TRUE(pattern.matches("shop.orders"));
  EXPECT_FALSE(pattern.matches("shop.orders2"));
  EXPECT_FALSE(pattern.matches("myshop.orders"));
  EXPECT_FALSE(pattern.matches("shopxorders"));
  EXPECT_FALSE(pattern.matches("Shop.orders"));
}

TEST(Pattern, AlternativesAreHeldToBothEndsToo) {
  const Pattern pattern("a|b");
  EXPECT_TRUE(pattern.matches("b"));
  EXPECT_FALSE(pattern.matches("ab"));
}

TEST(Pattern, AnyCharacterIncludesLineFeedsAndOthersThanAscii) {
  const Pattern pattern(R"(shop\..*)");
  EXPECT_TRUE(pattern.matches("shop.a\nb"));
  EXPECT_TRUE(pattern.matches("shop.größe"));
  EXPECT_TRUE(Pattern("shop.gr..e").matches("shop.größe"));
}

TEST(Pattern, CompileSaysWhatIsWrong) {
  const auto bad = Pattern::compile("shop.(");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, Errc::config_invalid);
  EXPECT_THAT(bad.error().what, testing::HasSubstr("missing )"));
  EXPECT_FALSE(Pattern::compile(R"((a)\1)").ok());
}

TEST(Pattern, CopiesAreEqualAndCompareByText) {
  const auto compiled = Pattern::compile("a.*");
  ASSERT_TRUE(compiled.ok());
  const Pattern copy = *compiled;
  EXPECT_EQ(copy, *compiled);
  EXPECT_EQ(copy.text(), "a.*");
  EXPECT_TRUE(copy.matches("abc"));
  EXPECT_FALSE(copy == Pattern("a.+"));
}

TEST(Pattern, KnowsPrefixesNoFittingTextCanHave) {
  EXPECT_TRUE(Pattern(R"(shop\.orders)").may_match_prefix("shop."));
  EXPECT_FALSE(Pattern(R"(shop\.orders)").may_match_prefix("other."));
  EXPECT_FALSE(Pattern(R"(shop\.orders)").may_match_prefix("shop2."));
  EXPECT_TRUE((PatternList{R"(a\..*)", R"(b\..*)"}).may_match_prefix("b."));
  EXPECT_FALSE((PatternList{R"(a\..*)", R"(b\..*)"}).may_match_prefix("c."));
  EXPECT_FALSE(PatternList{}.may_match_prefix(""));
}

TEST(Pattern, NeverRulesOutAPrefixOfATextThatFits) {
  const std::vector<std::string> texts{"shop.orders",
                                       "Shop.orders",
                                       "SHOP.ORDERS",
                                       "größe.öl",
                                       "a.b",
                                       "a.a\nb",
                                       "z.\xF4\x8F\xBF\xBF",
                                       std::string(100, 's') + "." + std::string(100, 't')};
  std::size_t fits = 0;
  for (const std::string_view pattern :
       {".*", R"(.*\.orders)", R"(shop\..*)", R"((?i)shop\..*)", "[^x]*", R"((a|shop|größe)\..+)",
        R"(s+\.t+)", "s{60,}.*", R"(^a\.b$)", "(?s).*", R"(\w+\.\w+)", R"([a-z]\..*)", "",
        "ö*g?.*"}) {
    const Pattern compiled(pattern);
    for (const std::string& text : texts) {
      if (!compiled.matches(text)) continue;
      ++fits;
      for (std::size_t n = 0; n <= text.size(); ++n)
        EXPECT_TRUE(compiled.may_match_prefix(text.substr(0, n)))
            << pattern << ' ' << text << ' ' << n;
    }
  }
  EXPECT_GT(fits, 30U);
}

TEST(PatternList, FitsWhenOneDoesAndNeverWhenEmpty) {
  const PatternList list{R"(a\..*)", R"(b\.x)"};
  EXPECT_EQ(list.size(), 2U);
  EXPECT_TRUE(list.matches("a.anything"));
  EXPECT_TRUE(list.matches("b.x"));
  EXPECT_FALSE(list.matches("b.y"));
  EXPECT_TRUE(PatternList{}.empty());
  EXPECT_FALSE(PatternList{}.matches(""));
}

TEST(PatternDeathTest, ABadPatternInOurOwnCodeEndsTheProcess) {
  EXPECT_DEATH(Pattern("("), "bug: pattern");
}

}  // namespace
}  // namespace sluice
