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

// canal's filter.regex stands in property files, where a backslash is written twice.
TEST(Pattern, TwoBackslashesAreOne) {
  const auto all = Pattern::compile(R"(.*\\..*)");
  ASSERT_TRUE(all.ok());
  EXPECT_TRUE(all->matches("shop.orders"));
  EXPECT_FALSE(all->matches("shop"));
  EXPECT_TRUE(Pattern(R"(shop\\.orders_\\d+)").matches("shop.orders_12"));
  EXPECT_FALSE(Pattern(R"(shop\\.orders)").matches("shopxorders"));
  EXPECT_EQ(all->text(), R"(.*\\..*)");
  EXPECT_TRUE(Pattern(R"(a\x5cb)").matches(R"(a\b)"));
  EXPECT_TRUE(Pattern(R"(a\\\\b)").matches(R"(a\b)"));
}

TEST(Pattern, KnowsRangesOfNumbers) {
  const Pattern shards(R"(db_{00..63}\.orders)");
  for (const char* name : {"db_00.orders", "db_07.orders", "db_63.orders"})
    EXPECT_TRUE(shards.matches(name)) << name;
  for (const char* name : {"db_0.orders", "db_64.orders", "db_007.orders", "db_.orders"})
    EXPECT_FALSE(shards.matches(name)) << name;
  const Pattern plain("t{8..11}|{3..3}");
  for (const char* name : {"t8", "t9", "t10", "t11", "3"}) EXPECT_TRUE(plain.matches(name)) << name;
  for (const char* name : {"t08", "t7", "t12", "t"}) EXPECT_FALSE(plain.matches(name)) << name;
  EXPECT_TRUE(Pattern("a{2}").matches("aa"));
  EXPECT_TRUE(Pattern("a{1,2}").matches("aa"));
  EXPECT_TRUE(Pattern(R"(\{1..2})").matches("{1xx2}"));
  EXPECT_TRUE(Pattern("{a..b}").matches("{axxb}"));
  EXPECT_THAT(Pattern::compile("{5..4}").error().what,
              testing::HasSubstr("{5..4} is no range of 1 to 4096 numbers"));
  EXPECT_TRUE(Pattern::compile("{0..4095}").ok());
  EXPECT_FALSE(Pattern::compile("{0..4096}").ok());
}

std::vector<std::string> texts_of(std::string_view list) {
  std::vector<std::string> out;
  const auto patterns = Pattern::compile_list(list);
  EXPECT_TRUE(patterns.ok()) << list;
  if (patterns.ok())
    for (const Pattern& p : *patterns) out.push_back(p.text());
  return out;
}

TEST(Pattern, ReadsCanalsLists) {
  using testing::ElementsAre;
  EXPECT_THAT(texts_of(R"(canal\.test1,db.*\\.t)"), ElementsAre(R"(canal\.test1)", R"(db.*\\.t)"));
  EXPECT_THAT(texts_of(" a , ,b,"), ElementsAre("a", "b"));
  EXPECT_THAT(texts_of("a"), ElementsAre("a"));
  EXPECT_THAT(texts_of(""), ElementsAre(""));
  EXPECT_THAT(texts_of(R"(a{1,2},(b,c),[,]d,[],]e,f\,g)"),
              ElementsAre("a{1,2}", "(b,c)", "[,]d", "[],]e", R"(f\,g)"));
}

TEST(Pattern, SaysWhichOfAListIsBad) {
  EXPECT_THAT(Pattern::compile_list("a,b(,c").error().what,
              testing::StartsWith("pattern 2 of 2: bad pattern: missing )"));
  EXPECT_THAT(Pattern::compile_list("a, (?!b).*").error().what,
              testing::AllOf(testing::StartsWith("pattern 2 of 2: bad pattern: invalid perl"),
                             testing::HasSubstr("filter.exclude")));
  EXPECT_THAT(Pattern::compile_list("a)").error().what, testing::StartsWith("bad pattern: "));
}

TEST(Pattern, CanIgnoreTheCaseOfLetters) {
  const Pattern pattern = Pattern(R"(Shop\.ÖL_{1..2})").ignoring_case();
  EXPECT_TRUE(pattern.matches("shop.öl_1"));
  EXPECT_TRUE(pattern.matches("SHOP.Öl_2"));
  EXPECT_FALSE(pattern.matches("shop.öl_3"));
  EXPECT_TRUE(pattern.may_match_prefix("shop."));
  EXPECT_TRUE((PatternList{"A", "b"}).ignoring_case().matches("a"));
}

TEST(Pattern, RewritesByWhatItsParenthesesFit) {
  const Pattern pattern(R"(shop_(\d+)\.(\w+)_({00..15}))");
  EXPECT_EQ(pattern.rewrite("shop_3.orders_07", R"(\2)"), "orders");
  EXPECT_EQ(pattern.rewrite("shop_3.orders_07", R"(all_\1_\3)"), "all_3_07");
  EXPECT_EQ(pattern.rewrite("shop_3.orders_07", R"(\0)"), "shop_3.orders_07");
  EXPECT_EQ(pattern.rewrite("shop_3.orders_07", "orders"), "orders");
  EXPECT_FALSE(pattern.rewrite("shop_3.orders_16", "orders"));
  EXPECT_TRUE(pattern.check_rewrite(R"(\3)").ok());
  EXPECT_THAT(pattern.check_rewrite(R"(\4)").error().what, testing::HasSubstr("4"));
  EXPECT_FALSE(pattern.check_rewrite(R"(a\x)").ok());
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
