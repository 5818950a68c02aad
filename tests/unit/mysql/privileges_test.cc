#include "mysql/privileges.h"

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

Privileges read(std::initializer_list<const char*> lines) {
  Privileges out;
  for (const char* line : lines) read_grant(line, out);
  return out;
}

TEST(Privileges, ReadsGlobalOnes) {
  const auto p = read({"GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `u`@`%`"});
  EXPECT_TRUE(p.has("SELECT"));
  EXPECT_TRUE(p.has("REPLICATION SLAVE"));
  EXPECT_TRUE(p.has("REPLICATION CLIENT"));
  EXPECT_FALSE(p.has("SUPER"));
  EXPECT_TRUE(p.select_somewhere);
}

TEST(Privileges, AllPrivilegesHoldEveryone) {
  const auto p = read(
      {"GRANT ALL PRIVILEGES ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*00' WITH GRANT OPTION"});
  EXPECT_TRUE(p.has("REPLICATION SLAVE"));
  EXPECT_TRUE(p.select_somewhere);
}

TEST(Privileges, OnesOnADatabaseAreNotGlobal) {
  const auto p =
      read({"GRANT USAGE ON *.* TO `u`@`%`", "GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`"});
  EXPECT_FALSE(p.has("SELECT"));
  EXPECT_FALSE(p.has("REPLICATION SLAVE"));
  EXPECT_TRUE(p.select_somewhere);
}

TEST(Privileges, ReadsColumnListsAndNamesWithOn) {
  const auto p =
      read({"GRANT SELECT (`a`, `b ON *.* TO`), INSERT ON `x ON *.* TO `.`t` TO `u`@`%`"});
  EXPECT_TRUE(p.select_somewhere);
  EXPECT_FALSE(p.has("SELECT"));
  EXPECT_FALSE(p.has("INSERT"));
}

TEST(Privileges, ARoleGrantAddsNothing) {
  const auto p =
      read({"GRANT `SELECT ON *.* TO `@`%` TO `u`@`%`", "SET DEFAULT ROLE `r1` FOR `u`@`%`", ""});
  EXPECT_TRUE(p.global.empty());
  EXPECT_FALSE(p.select_somewhere);
}

}  // namespace
}  // namespace sluice::mysql
