#include <ostream>

#include <gtest/gtest.h>

#include "sluice/binlog/control_events.h"

namespace sluice::binlog {
namespace {

using Kind = StatementKind;

// "a.b,c.": the tables a statement names; "?" when they could not be read.
std::string tables(const Statement& s) {
  if (!s.tables_known) return "?";
  std::string out;
  for (const auto& [database, table] : s.tables) {
    if (!out.empty()) out += ',';
    out += database + "." + table;
  }
  return out;
}

struct Case {
  const char* text;
  Kind kind;
};

class ClassifyStatement : public ::testing::TestWithParam<Case> {};

TEST_P(ClassifyStatement, ByItsFirstWords) {
  EXPECT_EQ(classify_statement(GetParam().text).kind, GetParam().kind) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Transactions, ClassifyStatement,
    ::testing::Values(Case{"BEGIN", Kind::begin}, Case{"begin", Kind::begin},
                      Case{"BEGIN WORK", Kind::begin}, Case{"START TRANSACTION", Kind::begin},
                      Case{" /* c */ Start -- x\n transaction", Kind::begin},
                      Case{"COMMIT", Kind::commit}, Case{"commit ", Kind::commit},
                      Case{"ROLLBACK", Kind::rollback}, Case{"rollback work", Kind::rollback},
                      Case{"ROLLBACK TO `sp`", Kind::rollback_to},
                      Case{"ROLLBACK WORK TO SAVEPOINT sp", Kind::rollback_to},
                      Case{"SAVEPOINT sp", Kind::savepoint},
                      Case{"RELEASE SAVEPOINT sp", Kind::other}, Case{"START REPLICA", Kind::other},
                      Case{"XA START X'61',X'',1", Kind::xa},
                      Case{"XA COMMIT X'61',X'',1", Kind::xa}));

INSTANTIATE_TEST_SUITE_P(
    Data, ClassifyStatement,
    ::testing::Values(
        Case{"INSERT INTO t VALUES (1)", Kind::dml}, Case{"/* app */ update t set a=1", Kind::dml},
        Case{"DELETE FROM t", Kind::dml}, Case{"REPLACE t VALUES (1)", Kind::dml},
        Case{"LOAD DATA INFILE 'x' INTO TABLE t", Kind::dml}, Case{"CALL p()", Kind::dml},
        Case{"WITH c AS (SELECT 1) UPDATE t SET a=1", Kind::dml},
        Case{"SELECT `d`.`f`()", Kind::dml}, Case{"DO f()", Kind::dml},
        Case{"SET STATEMENT max_statement_time=10, x=(1) FOR insert into t values(1)", Kind::dml}));

INSTANTIATE_TEST_SUITE_P(
    Tables, ClassifyStatement,
    ::testing::Values(
        Case{"CREATE TABLE t (a int)", Kind::ddl_table},
        Case{"create or replace table t (a int)", Kind::ddl_table},
        Case{"CREATE TABLE t (a int) START TRANSACTION", Kind::create_select},
        Case{"create table t (a int) start\ntransaction", Kind::create_select},
        Case{"CREATE TABLE t (a int) COMMENT='START TRANSACTION'", Kind::ddl_table},
        Case{"CREATE TABLE t (a int) COMMENT=\"it\\\"s\" START TRANSACTION", Kind::create_select},
        Case{"CREATE TABLE t (a int) -- START TRANSACTION", Kind::ddl_table},
        Case{"CREATE TEMPORARY TABLE t (a int)", Kind::other},
        Case{"DROP TEMPORARY TABLE t", Kind::other},
        Case{"DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`", Kind::other},
        Case{"CREATE UNIQUE INDEX i ON t (a)", Kind::ddl_table},
        Case{"DROP INDEX i ON t", Kind::ddl_table},
        Case{"ALTER TABLE t ADD b int", Kind::ddl_table},
        Case{"ALTER ONLINE TABLE t ADD b int", Kind::ddl_table},
        Case{"ALTER DATABASE d CHARACTER SET utf8mb4", Kind::ddl_table},
        Case{"RENAME TABLE a TO b", Kind::ddl_table}, Case{"TRUNCATE t", Kind::truncate},
        Case{"TRUNCATE TABLE t", Kind::truncate}, Case{"DROP TABLE t", Kind::drop},
        Case{"DROP DATABASE d", Kind::drop}, Case{"DROP SCHEMA IF EXISTS d", Kind::drop},
        Case{"/*!50003 DROP TABLE t */", Kind::drop},
        Case{"/*M!100000 TRUNCATE TABLE t */", Kind::truncate},
        Case{"SET STATEMENT max_statement_time=10 FOR alter table t add b int", Kind::ddl_table},
        Case{"SET STATEMENT a=1 FOR SET STATEMENT b=1 FOR drop table t", Kind::drop}));

INSTANTIATE_TEST_SUITE_P(
    Other, ClassifyStatement,
    ::testing::Values(
        Case{"CREATE DATABASE d", Kind::other}, Case{"CREATE VIEW v AS SELECT 1", Kind::other},
        Case{
            "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`%` SQL SECURITY DEFINER VIEW v AS SELECT 1",
            Kind::other},
        Case{"CREATE DEFINER=`root`@`%` TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN END",
             Kind::other},
        Case{"CREATE PROCEDURE p() BEGIN DROP TABLE t; END", Kind::other},
        Case{"DROP PROCEDURE p", Kind::other}, Case{"CREATE USER u", Kind::other},
        Case{"DROP ROLE r", Kind::other}, Case{"ALTER USER u", Kind::other},
        Case{"RENAME USER a TO b", Kind::other}, Case{"DROP VIEW v", Kind::other},
        Case{"ALTER EVENT e DISABLE", Kind::other}, Case{"CREATE SEQUENCE s", Kind::other},
        Case{"GRANT ALL ON *.* TO u", Kind::other}, Case{"FLUSH PRIVILEGES", Kind::other},
        Case{"ANALYZE TABLE t", Kind::other}, Case{"OPTIMIZE TABLE t", Kind::other},
        Case{"REPAIR TABLE t", Kind::other}, Case{"SET @a = 1", Kind::other},
        Case{"SET STATEMENT a=1", Kind::other}, Case{"", Kind::other}, Case{"/* open", Kind::other},
        Case{"# Dummy event replacing event type 162 that slave cannot handle.", Kind::other},
        Case{"COMMITTED", Kind::other}, Case{"`BEGIN`", Kind::other},
        Case{"; DROP TABLE t", Kind::other}));

TEST(Statement, NamesTheSavepoint) {
  EXPECT_EQ(classify_statement("SAVEPOINT `sp 1`").name, "sp 1");
  EXPECT_EQ(classify_statement("savepoint sp1").name, "sp1");
  EXPECT_EQ(classify_statement("ROLLBACK TO `a``b`").name, "a`b");
  EXPECT_EQ(classify_statement("ROLLBACK WORK TO SAVEPOINT sp").name, "sp");
}

TEST(Statement, NamesTheTables) {
  struct Names {
    const char* text;
    const char* tables;
  };
  for (const Names& k :
       {Names{"TRUNCATE TABLE `shop`.`orders`", "shop.orders"},
        Names{"truncate orders", ".orders"},
        Names{"TRUNCATE TABLE orders WAIT 5", ".orders"},
        Names{"DROP TABLE IF EXISTS `a`,`shop` . `b``c`, \"d\" /* generated by server */",
              ".a,shop.b`c,.d"},
        Names{"DROP TABLE a CASCADE", ".a"},
        Names{"DROP DATABASE `shop`", "shop."},
        Names{"DROP SCHEMA IF EXISTS shop", "shop."},
        Names{"CREATE TABLE IF NOT EXISTS shop.t (a int)", "shop.t"},
        Names{"CREATE TABLE t LIKE u", ".t"},
        Names{"CREATE TABLE t (a int) START TRANSACTION", ".t"},
        Names{"ALTER TABLE t ADD COLUMN rename_me int", ".t"},
        Names{"ALTER TABLE t RENAME TO shop.u", ".t,shop.u"},
        Names{"ALTER TABLE t RENAME COLUMN a TO b, RENAME INDEX i TO k", ".t"},
        Names{"ALTER TABLE t COMMENT='x RENAME TO y'", ".t"},
        Names{"ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", ".t,.u"},
        Names{"ALTER TABLE t ADD FULLTEXT INDEX (a) WITH PARSER ngram", ".t"},
        Names{"ALTER DATABASE shop COLLATE utf8mb4_bin", "shop."},
        Names{"RENAME TABLE a TO b, shop.c TO `d`", ".a,.b,shop.c,.d"},
        Names{"CREATE UNIQUE INDEX i USING BTREE ON shop.t (a)", "shop.t"},
        Names{"CREATE INDEX `ON` ON t (a)", ".t"},
        Names{"DROP INDEX i ON t", ".t"}})
    EXPECT_EQ(tables(classify_statement(k.text)), k.tables) << k.text;
}

TEST(Statement, SaysWhenItCannotReadTheNames) {
  for (const char* text :
       {"TRUNCATE TABLE", "DROP TABLE a, 'b'", "DROP TABLE a.b.c", "DROP DATABASE",
        "RENAME TABLE a, b", "ALTER TABLE", "ALTER DATABASE CHARACTER SET utf8mb4",
        "CREATE INDEX i (a)", "DROP INDEX i", "CREATE TABLE ('a')"}) {
    const Statement s = classify_statement(text);
    EXPECT_FALSE(s.tables_known) << text;
    EXPECT_TRUE(s.tables.empty()) << text;
    EXPECT_NE(s.kind, Kind::other) << text;
  }
  EXPECT_FALSE(classify_statement("BEGIN").tables_known);
}

TEST(Statement, ReadsQuotesAsTheSqlModeSays) {
  constexpr std::uint64_t kNoBackslashEscapes = 0x100000;
  const char* text = "CREATE TABLE t (a int) COMMENT='\\' START TRANSACTION";
  EXPECT_EQ(classify_statement(text).kind, Kind::ddl_table);
  EXPECT_EQ(classify_statement(text, kNoBackslashEscapes).kind, Kind::create_select);
  constexpr std::uint64_t kAnsiQuotes = 0x4;
  EXPECT_EQ(tables(classify_statement("DROP TABLE \"a\\\", b", kAnsiQuotes)), ".a\\,.b");
}

TEST(Statement, DeepNestingIsNotRecursion) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += "SET STATEMENT a=1 FOR ";
  EXPECT_EQ(classify_statement(text + "BEGIN").kind, Kind::begin);
  EXPECT_EQ(classify_statement(std::string(2000000, '(')).kind, Kind::other);
}

}  // namespace
}  // namespace sluice::binlog
