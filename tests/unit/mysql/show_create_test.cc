#include "mysql/show_create.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

using testing::ElementsAre;

TEST(ShowCreate, NamesUniqueKeysInTheirOrder) {
  EXPECT_THAT(
      unique_keys_in_order(
          "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  PRIMARY KEY (`a`),\n  UNIQUE KEY `z` (`a`),\n"
          "  UNIQUE KEY `b` (`a`,`c`(5)),\n  KEY `k` (`a`)\n) ENGINE=InnoDB"),
      ElementsAre("z", "b"));
}

TEST(ShowCreate, UndoublesBackticksInNames) {
  EXPECT_THAT(unique_keys_in_order("CREATE TABLE `t` (\n  UNIQUE KEY `a``,(b` (`x`)\n)"),
              ElementsAre("a`,(b"));
}

TEST(ShowCreate, IsNotMisledByNamesAndStrings) {
  EXPECT_THAT(
      unique_keys_in_order(
          "CREATE TABLE `t(,` (\n  `c,\n UNIQUE KEY `` x` int DEFAULT '(, UNIQUE KEY `no` (`a`)',\n"
          "  `d` enum('a'',UNIQUE KEY `no`','\\',UNIQUE KEY `no`') COMMENT ',\"UNIQUE KEY `no`',\n"
          "  UNIQUE KEY `yes` (`d`)\n) COMMENT='x,UNIQUE KEY `no`'"),
      ElementsAre("yes"));
}

TEST(ShowCreate, LooksAtTheOuterListOnly) {
  EXPECT_THAT(unique_keys_in_order("CREATE TABLE `t` (`a` int CHECK (f(1,UNIQUE KEY `no`)))"),
              ElementsAre());
}

TEST(ShowCreate, ReadsAnythingWithoutHarm) {
  for (const char* text :
       {"", "(", "`", "'", "CREATE TABLE `t` (UNIQUE KEY `", "((((,UNIQUE KEY `", ")", "'\\"})
    unique_keys_in_order(text);
  EXPECT_THAT(unique_keys_in_order("CREATE TABLE `t` (UNIQUE KEY `a"), ElementsAre("a"));
}

TEST(QuoteName, DoublesBackticks) {
  EXPECT_EQ(quote_name("a`b.c"), "`a``b.c`");
}

}  // namespace
}  // namespace sluice::mysql
