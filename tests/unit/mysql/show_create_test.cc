#include "mysql/show_create.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/mysql/connection.h"

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

TEST(ShowCreate, FindsForeignKeysThatAct) {
  const auto keys = acting_foreign_keys(
      "CREATE TABLE `c` (\n  `id` int NOT NULL COMMENT ', CONSTRAINT `no` FOREIGN KEY (`a`) ON "
      "DELETE "
      "CASCADE',\n  PRIMARY KEY (`id`),\n"
      "  CONSTRAINT `one``x` FOREIGN KEY (`a`,`b`) REFERENCES `p` (`id`,`k`) ON DELETE CASCADE,\n"
      "  CONSTRAINT `two` FOREIGN KEY (`ON DELETE CASCADE`) REFERENCES `p` (`id`),\n"
      "  CONSTRAINT `three` FOREIGN KEY (`c`) REFERENCES `d`.`p` (`id`) ON DELETE RESTRICT ON "
      "UPDATE "
      "CASCADE,\n"
      "  CONSTRAINT `four` CHECK (`a` <> 'ON DELETE CASCADE'),\n"
      "  CONSTRAINT `five` FOREIGN KEY (`d`) REFERENCES `p` (`id`) ON DELETE SET NULL ON UPDATE "
      "SET "
      "NULL\n) ENGINE=InnoDB COMMENT='ON DELETE CASCADE'");
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0].name, "one`x");
  EXPECT_EQ(keys[0].actions, "ON DELETE CASCADE");
  EXPECT_EQ(keys[1].name, "three");
  EXPECT_EQ(keys[1].actions, "ON UPDATE CASCADE");
  EXPECT_EQ(keys[2].actions, "ON DELETE SET NULL ON UPDATE SET NULL");
}

}  // namespace
}  // namespace sluice::mysql
