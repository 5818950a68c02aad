// What ALTER TABLE does that no manual tells; found by tests/ddl.
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/binlog/sql_lexer.h"

#include "ddl_fixture.h"

namespace sluice::schema {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using AlterRules = DdlTest;

TEST_F(AlterRules, GiveConvertedTextOfMysqlTheRoomOfWhatItWas) {
  constexpr std::string_view kCreate =
      "CREATE TABLE t (a SET('x'), b MEDIUMTEXT, c VARCHAR(100), d INT) CHARSET latin1";
  constexpr std::string_view kAlter =
      "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4, MODIFY a MEDIUMTEXT, MODIFY b TINYTEXT, "
      "MODIFY c TEXT FIRST";
  EXPECT_EQ(after({kCreate, kAlter}),
            "c text utf8mb4; a tinytext utf8mb4; b longtext utf8mb4; d int");
  EXPECT_THAT(apply("ALTER TABLE t CONVERT TO CHARACTER SET latin1, MODIFY d TEXT"),
              HasSubstr("what CONVERT TO makes of text that was int is not worked out"));
  const auto becomes = [this](const std::string& was, const std::string& is) {
    const std::string create = "CREATE TABLE t (a " + was + ") CHARSET latin1";
    return after({"DROP TABLE IF EXISTS t", create,
                  "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4, MODIFY a " + is});
  };
  for (const char* was : {"VARCHAR(63)", "VARCHAR(255) CHARSET utf8mb4", "DECIMAL(62,0)",
                          "DECIMAL(63,0) UNSIGNED", "BIT(63)", "DOUBLE", "DOUBLE(63,2)", "DATE",
                          "VECTOR(15)", "BINARY(63)", "INT(63) ZEROFILL", "YEAR"})
    EXPECT_EQ(becomes(was, "MEDIUMTEXT"), "a tinytext utf8mb4") << was;
  for (const char* was :
       {"VARCHAR(64)", "VARCHAR(256) CHARSET utf8mb4", "DECIMAL(63,0)", "DECIMAL(62,1)", "BIT(64)",
        "FLOAT(64,2)", "VECTOR(16)", "TINYBLOB", "BIGINT(64) ZEROFILL", "TINYTEXT"})
    EXPECT_EQ(becomes(was, "TINYTEXT"), "a text utf8mb4") << was;
  EXPECT_EQ(becomes("JSON", "TEXT"), "a longtext utf8mb4");
  EXPECT_EQ(becomes("DATE", "LONGTEXT"), "a longtext utf8mb4");
  EXPECT_EQ(becomes("INT", "TEXT(300)"), "a text utf8mb4");
  EXPECT_EQ(becomes("JSON", "TEXT(50)"), "a tinytext utf8mb4");
  // The same for bytes.
  for (const char* was : {"VARCHAR(255)", "VARCHAR(1023) CHARSET utf8mb4", "TIME", "VECTOR(63)"})
    EXPECT_EQ(becomes(was, "BLOB"), "a tinyblob") << was;
  EXPECT_EQ(becomes("VARCHAR(256)", "MEDIUMBLOB"), "a blob");
  EXPECT_EQ(becomes("LONGTEXT CHARSET utf8mb4", "TEXT CHARSET binary"), "a longblob");
  mariadb();
  EXPECT_EQ(after({"DROP TABLE t", kCreate, kAlter}),
            "c text utf8mb4; a mediumtext utf8mb4; b tinytext utf8mb4; d int(11)");
}

// The bytes of labels stay, whatever they mean in the new character set.
TEST_F(AlterRules, TakeLabelsForTextOfTheNewCharacterSet) {
  EXPECT_EQ(after({"CREATE TABLE t (a ENUM('\xC3\xA9','x'), b SET('ab')) CHARSET utf8mb4",
                   "ALTER TABLE t CONVERT TO CHARACTER SET latin1"}),
            "a enum('\xC3\x83\xC2\xA9','x') latin1; b set('ab') latin1");
  EXPECT_EQ(after({"ALTER TABLE t DROP a, CONVERT TO CHARACTER SET utf16"}),
            "b set('\xE6\x85\xA2') utf16");
  EXPECT_EQ(after({"ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4"}), "b set('ab') utf8mb4");
  apply("CREATE TABLE t (a ENUM('\\\\a')) CHARSET sjis");
  EXPECT_THAT(apply("ALTER TABLE t CONVERT TO CHARACTER SET latin1"),
              HasSubstr("the bytes of label '\\a' are not known"));
  apply("CREATE TABLE t (a ENUM('\xC3\xA9')) CHARSET latin1");
  EXPECT_THAT(apply("ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4"),
              HasSubstr("the bytes of label '\xC3\xA9' are no text of utf8mb4"));
  EXPECT_EQ(table(), "lost");
  apply("CREATE TABLE t (a ENUM('\xC3\xA9') CHARSET utf8mb4, b ENUM('\xC3\xA9')) CHARSET latin1");
  EXPECT_THAT(apply("ALTER TABLE t CONVERT TO CHARACTER SET binary"),
              HasSubstr("the bytes of label '\xC3\xA9' are no text of binary"));
  EXPECT_EQ(after({"CREATE TABLE t (a ENUM('\xC3\xA9')) CHARSET utf8mb4",
                   "ALTER TABLE t CONVERT TO CHARACTER SET binary"}),
            "a enum('\xC3\xA9')");
  apply("DROP TABLE t");
  apply("CREATE TABLE t (a SET('abc')) CHARSET latin1");
  EXPECT_THAT(apply("ALTER TABLE t CONVERT TO CHARACTER SET ucs2"),
              HasSubstr("the bytes of label 'abc' are no text of ucs2"));
  EXPECT_EQ(table(), "lost");
}

TEST_F(AlterRules, WriteAQuestionMarkForWhatALabelCannotHold) {
  EXPECT_EQ(
      after({"CREATE TABLE t (a ENUM('\xC3\xBC\xD0\xB9'), b ENUM('\xC3\xBC\xD0\xB9') CHARSET "
             "latin1, c "
             "ENUM('\xC3\xBC\xD0\xB9') CHARSET sjis, d ENUM('\xF0\x9F\x98\x80') CHARSET utf8mb3)"}),
      "a enum('\xC3\xBC\xD0\xB9') utf8mb4; b enum('\xC3\xBC?') latin1; c enum('?\xD0\xB9') sjis; d "
      "enum('?') utf8mb3");
  // Swedish letters stand in place of signs of ASCII there.
  EXPECT_EQ(after({"DROP TABLE t", "CREATE TABLE t (a SET('X\xC3\x85','u}') CHARSET swe7)"}),
            "a set('X\xC3\x85','u?') swe7");
}

TEST_F(AlterRules, KeepTheGeneratedInvisiblePrimaryKeyFirst) {
  EXPECT_EQ(after({"CREATE TABLE t (my_row_id bigint unsigned NOT NULL AUTO_INCREMENT INVISIBLE, a "
                   "INT, PRIMARY KEY "
                   "(my_row_id))",
                   "ALTER TABLE t ADD b INT FIRST, ADD c INT FIRST"}),
            "my_row_id bigint unsigned not null invisible; c int; b int; a int; primary (0)");
}

TEST_F(AlterRules, MoveColumnsFromWhereTheyWere) {
  EXPECT_EQ(after({"CREATE TABLE t (a INT, b INT, c INT)",
                   "ALTER TABLE t MODIFY c DATE AFTER aa, CHANGE a aa INT FIRST"}),
            "aa int; c date; b int");
}

TEST_F(AlterRules, TakeAnAutoIncrementColumnForNotNullUnlessNullFollows) {
  EXPECT_EQ(after({"CREATE TABLE t (a INT NULL AUTO_INCREMENT UNIQUE)"}),
            "a int not null; unique a(0)");
  EXPECT_EQ(after({"ALTER TABLE t MODIFY a INT AUTO_INCREMENT NULL"}),
            "a int; unique a(0) nullable");
}

TEST_F(AlterRules, KnowWhichDefaultCharacterSetIsMeant) {
  apply("CREATE DATABASE shop CHARSET gbk");
  apply("CREATE DATABASE d CHARSET latin2");
  apply("CREATE TABLE d.t (a CHAR(1))");
  // The session's in MySQL, the table's in MariaDB.
  apply("ALTER TABLE d.t CONVERT TO CHARACTER SET DEFAULT");
  EXPECT_EQ(table_text(*tables_.find("d", "t")), "a char(1) gbk");
  mariadb();
  apply("ALTER TABLE d.t CONVERT TO CHARACTER SET DEFAULT");
  EXPECT_EQ(table_text(*tables_.find("d", "t")), "a char(1) latin2");
  apply("ALTER TABLE d.t CONVERT TO CHARACTER SET ascii, CHARSET gbk");
  apply("ALTER TABLE d.t ADD b CHAR(1)");
  EXPECT_EQ(table_text(*tables_.find("d", "t")), "a char(1) ascii; b char(1) gbk");
  context_.server_charset = "koi8r";
  apply("ALTER DATABASE d CHARACTER SET DEFAULT");
  EXPECT_EQ(tables_.charset_of("d"), "koi8r");
}

// The server's own text of a table has no options in such a mode.
TEST_F(AlterRules, DoNotKnowACharacterSetThatTheServerDidNotPrint) {
  context_.sql_mode = 0x40000 | binlog::sql_mode::kAnsiQuotes;
  EXPECT_THAT(apply("CREATE TABLE \"t\" (\n  \"a\" char(1) DEFAULT NULL\n) START TRANSACTION"),
              HasSubstr("the character set it inherits is not known"));
  EXPECT_EQ(after({"CREATE TABLE \"t\" (\n  \"a\" char(1) CHARACTER SET latin1 DEFAULT NULL\n) "
                   "START TRANSACTION"}),
            "a char(1) latin1");
  EXPECT_THAT(apply("ALTER TABLE t ADD b CHAR(1)"), HasSubstr("the character set it inherits"));
}

TEST_F(AlterRules, FollowWhatFailedOnTheServer) {
  mariadb();
  apply("CREATE TABLE t (a INT)");
  apply("CREATE TABLE u (a INT)");
  context_.failed = true;
  EXPECT_EQ(apply("ALTER TABLE t ADD b INT"), "");
  EXPECT_EQ(apply("CREATE OR REPLACE TABLE t (a INT, a INT)"), "dropped shop.t");
  EXPECT_EQ(table(), "none");
  EXPECT_THAT(apply("DROP TABLE u, never_seen"), StartsWith("not_known shop.u: "));
  EXPECT_EQ(table("u"), "lost");
}

TEST(WrittenByServer, IsToldByItsLayout) {
  EXPECT_TRUE(
      is_written_by_server("CREATE TABLE `gr\xC3\xB6"
                           "be` (\n  `a` int\n) START TRANSACTION"));
  EXPECT_TRUE(is_written_by_server("CREATE OR REPLACE TABLE `d`.`t` (\n  `a` int\n)"));
  EXPECT_FALSE(
      is_written_by_server("CREATE TABLE `gr\xF6"
                           "be` (\n  `a` int\n)"));
  EXPECT_FALSE(is_written_by_server("CREATE TABLE t (a INT)"));
  EXPECT_FALSE(is_written_by_server("ALTER TABLE t ADD a INT"));
  EXPECT_FALSE(is_written_by_server("CREATE TABLE "));
  EXPECT_TRUE(is_written_by_server("DROP TABLE IF EXISTS `gr\xC3\xB6`,`a`"));
  EXPECT_FALSE(is_written_by_server("DROP TABLE IF EXISTS `gr\xF6`,`a`"));
  EXPECT_FALSE(is_written_by_server("DROP TABLE IF EXISTS `\xC3\xB6` /* generated by server */"));
}

// A table of which only columns and unique keys were told.
class AlterRulesWithoutDetail : public AlterRules {
 protected:
  void tell(std::string_view create) {
    apply(create);
    TableSchema told = *tables_.find("shop", "t");
    told.detail.reset();
    tables_.put(told);
  }
};

TEST_F(AlterRulesWithoutDetail, DoWhatCanBeDone) {
  tell("CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(9), UNIQUE u (b), UNIQUE w (b(3)))");
  EXPECT_EQ(after({"ALTER TABLE t ADD c INT FIRST, ADD UNIQUE v (c), DROP KEY some_key, RENAME "
                   "COLUMN a TO aa"}),
            "c int; aa int not null; b varchar(9) utf8mb4; primary (1); unique u(2) nullable; "
            "unique v(0) nullable; unique "
            "w(2) nullable prefix");
  EXPECT_FALSE(tables_.find("shop", "t")->detail.has_value());
  EXPECT_EQ(after({"ALTER TABLE t DROP KEY u, ADD d CHAR(1) CHARSET latin1"}),
            "c int; aa int not null; b varchar(9) utf8mb4; d char(1) latin1; primary (1); unique "
            "v(0) nullable; unique "
            "w(2) nullable prefix");
}

TEST_F(AlterRulesWithoutDetail, SayWhatIsNotTold) {
  constexpr std::string_view kCreate =
      "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(9), UNIQUE w (b(3)))";
  tell(kCreate);
  EXPECT_THAT(apply("ALTER TABLE t ADD c CHAR(1)"),
              HasSubstr("the character set it inherits is not known"));
  tell(kCreate);
  EXPECT_THAT(apply("ALTER TABLE t ADD UNIQUE (a)"),
              HasSubstr("names of the table's keys are not all known"));
  tell(kCreate);
  EXPECT_THAT(apply("ALTER TABLE t MODIFY b VARCHAR(5) CHARSET latin1"),
              HasSubstr("how long a prefix of `b` key `w` has is not known"));
  mariadb();
  tell("CREATE TABLE t (a INT) WITH SYSTEM VERSIONING");
  EXPECT_THAT(apply("ALTER TABLE t ADD b INT"),
              HasSubstr("whether the table has system versioning"));
}

}  // namespace
}  // namespace sluice::schema
