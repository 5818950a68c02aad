#include "sluice/schema/schema_file.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema_text.h"

namespace sluice::schema {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

DdlContext mariadb() {
  DdlContext context;
  context.flavor = Flavor::mariadb;
  return context;
}

SchemaFile parsed(std::string_view text, const DdlContext& context = {}) {
  auto file = SchemaFile::parse(text, context);
  EXPECT_TRUE(file.ok()) << file.error().what;
  return file ? std::move(file).value() : SchemaFile::parse("", {}).value();
}

std::string table_of(SchemaFile& file, std::string_view database, std::string_view table) {
  const auto read = file.read_table(database, table);
  return read ? read->database + "." + read->name + ": " + table_text(*read)
              : std::string(errc_name(read.error().code));
}

// As mysqldump 8 --no-data writes it, shortened.
constexpr std::string_view kMysqlDump =
    R"sql(-- MySQL dump 10.13  Distrib 8.0.34, for Linux (x86_64)
--
-- Host: localhost    Database: it's; "here
-- ------------------------------------------------------

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5';

CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop` /*!40100 DEFAULT CHARACTER SET latin1 */ /*!80016 DEFAULT ENCRYPTION='N' */;

USE `shop`;
DROP TABLE IF EXISTS `orders`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `orders` (
  `id` int NOT NULL AUTO_INCREMENT,
  `note` varchar(20) DEFAULT 'a;b',
  `hidden` int DEFAULT NULL /*!80023 INVISIBLE */,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=latin1;
/*!40101 SET character_set_client = @saved_cs_client */;
INSERT INTO `orders` VALUES (1,'CREATE TABLE `no` (a INT);',NULL),(2,'it\'s \\',3);
/*!50001 CREATE VIEW `v` AS SELECT
 1 AS `id`*/;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'ANSI_QUOTES,STRICT_TRANS_TABLES' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `tr` BEFORE INSERT ON `orders` FOR EACH ROW BEGIN
  SET NEW.note = "x"; CREATE TABLE no (a INT);
END */;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50001 DROP VIEW IF EXISTS `v`*/;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `v` AS select `orders`.`id` AS `id` from `orders` */;
/*!40000 ALTER TABLE `orders` DISABLE KEYS */;
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
-- Dump completed on 2026-01-01  0:00:00
)sql";

TEST(SchemaFile, ReadsADumpOfMysql) {
  SchemaFile file = parsed(kMysqlDump);
  EXPECT_EQ(file.size(), 1U);
  EXPECT_EQ(
      table_of(file, "shop", "orders"),
      "shop.orders: id int not null; note varchar(20) latin1; hidden int invisible; primary (0)");
  EXPECT_EQ(table_of(file, "shop", "no"), "schema.missing");
  EXPECT_EQ(table_of(file, "other", "orders"), "schema.missing");
}

TEST(SchemaFile, ReadsADumpOfMariadb) {
  SchemaFile file = parsed(
      "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB\n"
      "/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */;\n"
      "USE `d`;\nDROP TABLE IF EXISTS `t`;\n/*!40101 SET character_set_client = utf8mb3 */;\n"
      "CREATE TABLE `t` (\n  `a` int(11) NOT NULL,\n  `u` uuid DEFAULT NULL,\n  UNIQUE KEY `a` "
      "(`a`)\n"
      ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_ai_ci WITH SYSTEM "
      "VERSIONING;\n"
      "CREATE SEQUENCE `s` start with 1 minvalue 1 maxvalue 9223372036854775806 increment by 1 "
      "cache "
      "1000 nocycle ENGINE=InnoDB;\nDO SETVAL(`s`, 1, 0);\n",
      mariadb());
  EXPECT_THAT(table_of(file, "d", "t"),
              StartsWith("d.t: a int(11) not null; u uuid; row_start timestamp(6) not null"));
  EXPECT_THAT(table_of(file, "d", "s"),
              StartsWith("d.s: next_not_cached_value bigint(21) not null; minimum_value"));
}

TEST(SchemaFile, ReadsStatementsOfShowCreateTable) {
  SchemaFile file =
      parsed("CREATE TABLE `a` (\n  `x` int DEFAULT NULL\n);\nCREATE TABLE `b` (`y` int)");
  EXPECT_EQ(table_of(file, "anywhere", "a"), "anywhere.a: x int");
  EXPECT_EQ(table_of(file, "", "b"), ".b: y int");
}

TEST(SchemaFile, FindsATableOfADatabaseBeforeOneWithoutDatabase) {
  SchemaFile file = parsed("CREATE TABLE t (a INT); CREATE TABLE d.t (b INT)");
  EXPECT_EQ(table_of(file, "d", "t"), "d.t: b int");
  EXPECT_EQ(table_of(file, "e", "t"), "e.t: a int");
}

TEST(SchemaFile, FollowsUseAndTheDatabasesCharacterSets) {
  SchemaFile file = parsed(
      "CREATE SCHEMA a COLLATE=gbk_bin; CREATE DATABASE b; use a\nCREATE TABLE t (c CHAR(1));\n"
      "USE b;CREATE TABLE t (c CHAR(1)); ALTER DATABASE CHARSET latin2; CREATE TABLE u (c CHAR(1));"
      "CREATE TABLE a.v (c CHAR(1))");
  EXPECT_EQ(table_of(file, "a", "t"), "a.t: c char(1) gbk");
  EXPECT_EQ(table_of(file, "b", "t"), "b.t: c char(1) utf8mb4");
  EXPECT_EQ(table_of(file, "b", "u"), "b.u: c char(1) latin2");
  EXPECT_EQ(table_of(file, "a", "v"), "a.v: c char(1) gbk");
}

TEST(SchemaFile, TakesTablesAsTheyAreAtTheEnd) {
  SchemaFile file = parsed(
      "CREATE TABLE a (x INT); CREATE TABLE b LIKE a; DROP TABLE IF EXISTS a, q; CREATE TABLE IF "
      "NOT "
      "EXISTS b (y INT); CREATE OR REPLACE TABLE c (z INT); CREATE OR REPLACE TABLE c (zz INT); "
      "CREATE TABLE r1 (a INT); CREATE TABLE r2 (b INT); RENAME TABLE r1 TO r3, r2 TO r1, r3 TO "
      "r2; "
      "CREATE TABLE d.x (a INT); DROP DATABASE d; CREATE TEMPORARY TABLE tmp (a INT)",
      mariadb());
  EXPECT_EQ(table_of(file, "", "a"), "schema.missing");
  EXPECT_EQ(table_of(file, "", "b"), ".b: x int(11)");
  EXPECT_EQ(table_of(file, "", "c"), ".c: zz int(11)");
  EXPECT_EQ(table_of(file, "", "r1"), ".r1: b int(11)");
  EXPECT_EQ(table_of(file, "", "r2"), ".r2: a int(11)");
  EXPECT_EQ(table_of(file, "d", "x"), "schema.missing");
  EXPECT_EQ(table_of(file, "", "tmp"), "schema.missing");
}

TEST(SchemaFile, FollowsSqlMode) {
  SchemaFile file = parsed(
      "SET sql_mode = 'ansi_quotes,REAL_AS_FLOAT'; CREATE TABLE \"a\" (\"x\" REAL); SET @m = "
      "@@session.sql_mode; SET SESSION sql_mode = ''; CREATE TABLE b (x REAL DEFAULT \"1\"); SET "
      "GLOBAL sql_mode = 'ANSI_QUOTES'; CREATE TABLE c (x ENUM(\"q\")); SET sql_mode = @m; CREATE "
      "TABLE \"d\" (x INT); SET sql_mode = DEFAULT, @x = concat(1, (2)); CREATE TABLE e (x "
      "ENUM(\"q\")); SET sql_mode = 1048576; CREATE TABLE f (x ENUM('\\'));");
  EXPECT_EQ(table_of(file, "", "a"), ".a: x float");
  EXPECT_EQ(table_of(file, "", "b"), ".b: x double");
  EXPECT_EQ(table_of(file, "", "f"), ".f: x enum('\\\\') utf8mb4");
  EXPECT_EQ(file.size(), 6U);
}

TEST(SchemaFile, FollowsTheCharacterSetOfTheClient) {
  SchemaFile file = parsed(
      "CREATE TABLE a (`\xC3\xA4` INT); SET NAMES latin1; CREATE TABLE b (`\xE4` INT); SET NAMES "
      "gbk; "
      // A second byte that looks like a backtick, and one that looks like a backslash.
      "CREATE TABLE c (`\x81\x60` ENUM('\x81\x5C')); SET character_set_client = DEFAULT; CREATE "
      "TABLE "
      "d (`\xC3\xA4` INT)");
  EXPECT_EQ(table_of(file, "", "a"), ".a: \xC3\xA4 int");
  EXPECT_EQ(table_of(file, "", "b"), ".b: \xC3\xA4 int");
  EXPECT_EQ(table_of(file, "", "c"), ".c: \xE4\xB9\xA3 enum('\xE4\xB9\x97') utf8mb4");
  EXPECT_EQ(table_of(file, "", "d"), ".d: \xC3\xA4 int");
}

TEST(SchemaFile, FollowsDelimiters) {
  SchemaFile file = parsed(
      "delimiter $$\nCREATE PROCEDURE p() BEGIN CREATE TABLE no (a INT); END$$\nCREATE TABLE a (x "
      "INT) "
      "$$\n  DELIMITER //  \nCREATE TABLE b (x INT); //DELIMITER ;\nCREATE TABLE c (x INT)");
  EXPECT_EQ(file.size(), 3U);
  EXPECT_EQ(table_of(file, "", "b"), ".b: x int");
  EXPECT_EQ(table_of(file, "", "c"), ".c: x int");
}

TEST(SchemaFile, TakesAByteOrderMarkAndNothingAtAll) {
  SchemaFile file = parsed(
      "\xEF\xBB\xBF"
      "CREATE TABLE a (x INT)");
  EXPECT_EQ(file.size(), 1U);
  EXPECT_EQ(parsed("").size(), 0U);
  EXPECT_EQ(parsed(" ;; -- x\n; /* y */ ;").size(), 0U);
}

TEST(SchemaFile, ReadsAsTheSessionThatItIsGiven) {
  DdlContext context = mariadb();
  context.database = "d";
  context.charset = "latin1";
  context.version = 100300;  // TIMESTAMP is NOT NULL
  SchemaFile file = parsed(
      "CREATE TABLE t (a CHAR(1), b TIMESTAMP); SET "
      "explicit_defaults_for_timestamp = ON; CREATE TABLE u (a TIMESTAMP)",
      context);
  EXPECT_EQ(table_of(file, "d", "t"), "d.t: a char(1) latin1; b timestamp not null");
  EXPECT_EQ(table_of(file, "d", "u"), "d.u: a timestamp");
}

struct Refusal {
  std::string_view text, error;
};
class SchemaFileRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(SchemaFileRefuses, WithThePlaceInTheFile) {
  const auto file = SchemaFile::parse(GetParam().text, {});
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().cls, ErrorClass::fatal);
  EXPECT_EQ(file.error().code, Errc::schema_statement);
  EXPECT_THAT(file.error().what, StartsWith(std::string(GetParam().error)));
}

INSTANTIATE_TEST_SUITE_P(
    Of, SchemaFileRefuses,
    testing::Values(
        Refusal{"USE a;\n\nCREATE TABLE t (\n  a INT,\n  b FOO);", "5:5: a type is expected"},
        Refusal{"CREATE TABLE t (a INT);\nALTER TABLE t ADD PRIMARY KEY (b);",
                "2:32: there is no column `b`"},
        Refusal{"CREATE TABLE t (a INT);\nALTER TABLE t FROBNICATE;",
                "2:15: no option of a table is known"},
        Refusal{"CREATE TABLE t (a INT);\nDROP INDEX i ON t;", "2:12: there is no key `i`"},
        Refusal{"CREATE TABLE t (a INT);\nCREATE TABLE u (a INT); RENAME TABLE u TO t;",
                "2:25: there is a table of the new name"},
        Refusal{"CREATE TABLE t AS SELECT 1 AS a;", "1:16: CREATE TABLE ... SELECT"},
        Refusal{"CREATE TABLE t (a INT);\nCREATE TABLE t (b INT);",
                "2:1: table `t` was created before, and differently"},
        Refusal{"CREATE TABLE t LIKE u;", "1:21: there is no such table"},
        Refusal{"t\tCREATE TABLE t (a INT)", "1:1: no statement of SQL begins so, at \"t\tCREATE"},
        Refusal{"CREATE FOO x;", "1:8: nothing is known that is created so"},
        Refusal{"\n  CREATE TABLE t (a VARCHAR(3) DEFAULT 'x);\n",
                "2:40: the string that begins here"},
        Refusal{"SELECT 1; /* a", "1:11: the comment that begins here has no end"},
        Refusal{"SELECT 1; `a", "1:11: the name that begins here has no end"},
        Refusal{"SET sql_mode = concat(@@sql_mode, ',ANSI_QUOTES');", "1:16: only a server knows"},
        Refusal{"SET NAMES klingon;", "1:11: character set klingon is not known"},
        Refusal{"SET NAMES utf16;", "1:11: a client cannot have"},
        Refusal{"SET STATEMENT sql_mode='' FOR CREATE TABLE t (a INT);", "1:5: SET STATEMENT"},
        Refusal{"USE d;\nCREATE TABLE t (\xE4 INT);", "2:1: the statement has bytes that are none"},
        Refusal{"\xFF\xFE"
                "C",
                "1:1: the text is UTF-16"}));

TEST(SchemaFile, FollowsAlterTableAndIndexes) {
  SchemaFile file = parsed(
      "CREATE DATABASE d CHARSET latin1; USE d; CREATE TABLE t (a INT);\nALTER TABLE t ADD b "
      "CHAR(3) "
      "FIRST, ADD PRIMARY KEY (a); CREATE UNIQUE INDEX u ON t (b); ALTER TABLE t RENAME d2.t2;\n"
      "ALTER TABLE d2.t2 RENAME COLUMN b TO c; DROP INDEX u ON d2.t2; TRUNCATE d2.t2;");
  EXPECT_EQ(table_of(file, "d2", "t2"), "d2.t2: c char(3) latin1; a int not null; primary (1)");
}

TEST(SchemaFile, AltersOnlyWhatItHas) {
  EXPECT_EQ(
      parsed("ALTER TABLE other ADD b INT; CREATE UNIQUE INDEX i ON other (a); CREATE TABLE t "
             "(a INT); CREATE INDEX i ON t (a); ALTER TABLE t ENABLE KEYS; ALTER TABLE t "
             "AUTO_INCREMENT = 5; ALTER USER u; ALTER VIEW v AS SELECT 1")
          .size(),
      1U);
}

TEST(SchemaFile, SaysWhichFileCannotBeRead) {
  const auto file = SchemaFile::open("/no/such/file.sql", {});
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, Errc::io);
  EXPECT_THAT(file.error().what, HasSubstr("/no/such/file.sql"));
}

constexpr std::string_view kScript =
    "/*!40101 SET @m=@@sql_mode, sql_mode='ANSI_QUOTES' */;\nSET NAMES gbk;\n"
    "CREATE DATABASE d /*!40100 DEFAULT CHARACTER SET latin1 */;\nUSE d\n# c\n"
    "DROP TABLE IF EXISTS \"t\";\nCREATE TABLE `t` (a INT /* x */, b ENUM('\x81\x5C'));\n"
    "SET sql_mode=@m;\nDELIMITER ;;\nCREATE TRIGGER x BEGIN a; END;;\nDELIMITER ;\n"
    "CREATE TABLE u LIKE t; RENAME TABLE u TO d.v; ALTER TABLE v ENABLE KEYS";

TEST(SchemaFile, TakesAScriptThatIsCutAnywhere) {
  ASSERT_EQ(parsed(kScript).size(), 2U);
  for (std::size_t n = 0; n < kScript.size(); ++n) {
    const auto cut = SchemaFile::parse(std::string(kScript.substr(0, n)), {});
    if (cut.ok())
      EXPECT_LE(cut->size(), 2U) << n;
    else
      EXPECT_EQ(cut.error().code, Errc::schema_statement) << n;
    // Within the first CREATE TABLE there is no end.
    const std::size_t create = kScript.find("CREATE TABLE"), end = kScript.find("));") + 2;
    EXPECT_FALSE(n > create && n < end && cut.ok()) << n;
  }
}

TEST(SchemaFile, TakesAnyByteAnywhere) {
  for (std::size_t i = 0; i < kScript.size(); ++i) {
    for (const int flip : {0x01, 0x20, 0x5F, 0x80}) {
      std::string text(kScript);
      text[i] = static_cast<char>(text[i] ^ flip);
      const auto flipped = SchemaFile::parse(text, {});
      if (flipped.ok()) continue;
      EXPECT_EQ(flipped.error().code, Errc::schema_statement) << i;
      EXPECT_THAT(flipped.error().what, testing::MatchesRegex("[0-9]+:[0-9]+: [^\n]*")) << i;
    }
  }
}

}  // namespace
}  // namespace sluice::schema
