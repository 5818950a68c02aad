// ALTER TABLE, CREATE INDEX and DROP INDEX; the same against real servers, at random: tests/ddl.
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ddl_fixture.h"

namespace sluice::schema {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class AlterTable : public DdlTest {
 protected:
  // What `statement` makes of table t.
  std::string after(std::string_view create, std::string_view statement) {
    tables_ = Definitions();
    EXPECT_EQ(apply(create), "created shop.t") << create;
    const std::string effects = apply(statement);
    EXPECT_TRUE(effects.empty() || effects == "altered shop.t") << effects;
    return table();
  }
};

TEST_F(AlterTable, AddsColumnsInTheirPlaces) {
  constexpr std::string_view kCreate = "CREATE TABLE t (a INT, b INT)";
  EXPECT_EQ(after(kCreate, "ALTER TABLE t ADD c INT"), "a int; b int; c int");
  EXPECT_EQ(after(kCreate, "ALTER TABLE t ADD COLUMN c INT NOT NULL DEFAULT 3 FIRST;"),
            "c int not null; a int; b int");
  EXPECT_EQ(after(kCreate, "ALTER TABLE t ADD COLUMN c INT AFTER a, ADD d DATE AFTER c"),
            "a int; c int; d date; b int");
  EXPECT_EQ(after(kCreate, "ALTER TABLE t ADD (c INT, d INT UNIQUE, KEY (c)), ADD e INT"),
            "a int; b int; c int; d int; e int; unique d(3) nullable");
  EXPECT_EQ(after(kCreate, "ALTER TABLE t ADD x INT FIRST, ADD y INT FIRST, ADD z INT AFTER x"),
            "y int; x int; z int; a int; b int");
}

TEST_F(AlterTable, ChangesAndRenamesColumns) {
  constexpr std::string_view kCreate =
      "CREATE TABLE t (a INT, b INT NOT NULL, c INT, UNIQUE ab (a, b), PRIMARY KEY (b))";
  EXPECT_EQ(
      after(kCreate,
            "ALTER TABLE t CHANGE b bb BIGINT UNSIGNED, MODIFY c CHAR(3) CHARSET gbk FIRST"),
      "c char(3) gbk; a int; bb bigint unsigned not null; primary (2); unique ab(1,2) nullable");
  EXPECT_EQ(after(kCreate, "ALTER TABLE t RENAME COLUMN a TO z, ADD n INT AFTER z"),
            "z int; n int; b int not null; c int; primary (2); unique ab(0,2) nullable");
  EXPECT_EQ(after(kCreate, "ALTER TABLE t CHANGE a c INT, CHANGE c a DATE"),
            "c int; b int not null; a date; primary (1); unique ab(0,1) nullable");
  EXPECT_EQ(after(kCreate, "ALTER TABLE t RENAME COLUMN a TO c, RENAME COLUMN c TO a"),
            "c int; b int not null; a int; primary (1); unique ab(0,1) nullable");
  EXPECT_EQ(after(kCreate,
                  "ALTER TABLE t MODIFY a INT NOT NULL AFTER c, ALTER c SET DEFAULT 5, "
                  "ALTER COLUMN b DROP DEFAULT, ALTER c SET INVISIBLE"),
            "b int not null; c int invisible; a int not null; primary (0); unique ab(2,0)");
  EXPECT_EQ(after("CREATE TABLE t (a INT, b INT INVISIBLE)", "ALTER TABLE t ALTER b SET VISIBLE"),
            "a int; b int");
}

TEST_F(AlterTable, DropsColumnsAndTheirPartsOfKeys) {
  EXPECT_EQ(after("CREATE TABLE t (a INT, b INT, c INT, UNIQUE abc (a, b, c), UNIQUE (a), KEY (b))",
                  "ALTER TABLE t DROP a, DROP COLUMN b RESTRICT"),
            "c int; unique abc(0) nullable");
  EXPECT_EQ(after("CREATE TABLE t (a INT, b INT)", "ALTER TABLE t DROP a, ADD a DATE"),
            "b int; a date");
}

TEST_F(AlterTable, ChangesKeys) {
  constexpr std::string_view kCreate =
      "CREATE TABLE t (a INT PRIMARY KEY, b INT, c VARCHAR(9), UNIQUE u (b), KEY k (c))";
  EXPECT_EQ(after(kCreate, "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (b, a)"),
            "a int not null; b int not null; c varchar(9) utf8mb4; primary (1,0); unique u(1)");
  EXPECT_EQ(
      after(kCreate,
            "ALTER TABLE t ADD UNIQUE (b), ADD UNIQUE INDEX x USING BTREE (c(3) DESC), ADD "
            "CONSTRAINT UNIQUE (b, c), ADD CONSTRAINT y UNIQUE KEY (c), ADD INDEX (b)"),
      "a int not null; b int; c varchar(9) utf8mb4; primary (0); unique u(1) nullable; unique "
      "b(1) nullable; unique b_2(1,2) nullable; unique y(2) nullable; unique x(2) nullable "
      "prefix");
  EXPECT_EQ(after(kCreate, "ALTER TABLE t DROP INDEX u, DROP KEY k, ADD UNIQUE u (c)"),
            "a int not null; b int; c varchar(9) utf8mb4; primary (0); unique u(2) nullable");
  EXPECT_EQ(after(kCreate, "ALTER TABLE t RENAME INDEX u TO `x y`, RENAME KEY k TO u"),
            "a int not null; b int; c varchar(9) utf8mb4; primary (0); unique x y(1) nullable");
  EXPECT_EQ(after(kCreate,
                  "ALTER TABLE t DROP CONSTRAINT u, DROP CONSTRAINT some_check, DROP CHECK "
                  "x, DROP FOREIGN KEY y, ALTER INDEX k INVISIBLE, ALTER CHECK z NOT ENFORCED"),
            "a int not null; b int; c varchar(9) utf8mb4; primary (0)");
  EXPECT_EQ(
      after(kCreate,
            "CREATE UNIQUE INDEX n ON t (b, c(2)) COMMENT 'x' ALGORITHM=INPLACE LOCK NONE"),
      "a int not null; b int; c varchar(9) utf8mb4; primary (0); unique u(1) nullable; unique "
      "n(1,2) nullable prefix");
  EXPECT_EQ(after(kCreate, "CREATE FULLTEXT INDEX n ON t (c) WITH PARSER ngram"),
            "a int not null; b int; c varchar(9) utf8mb4; primary (0); unique u(1) nullable");
  EXPECT_EQ(after(kCreate, "DROP INDEX u ON t ALGORITHM=DEFAULT"),
            "a int not null; b int; c varchar(9) utf8mb4; primary (0)");
  EXPECT_EQ(after(kCreate, "DROP INDEX `PRIMARY` ON shop.t"),
            "a int not null; b int; c varchar(9) utf8mb4; unique u(1) nullable");
}

// What a key has of a column follows the column's length.
TEST_F(AlterTable, KeepsPrefixesAsTheServerDoes) {
  constexpr std::string_view kCreate =
      "CREATE TABLE t (a VARCHAR(10), b TEXT, UNIQUE u (a(5)), UNIQUE v (b(7)))";
  EXPECT_THAT(after(kCreate, "ALTER TABLE t MODIFY a VARCHAR(5)"),
              HasSubstr("unique u(0) nullable; "));
  EXPECT_EQ(apply("ALTER TABLE t MODIFY a VARCHAR(20)"), "altered shop.t");
  EXPECT_THAT(table(), HasSubstr("unique u(0) nullable; "));
  EXPECT_THAT(after(kCreate, "ALTER TABLE t MODIFY a VARCHAR(4)"),
              HasSubstr("unique u(0) nullable; "));
  EXPECT_THAT(after(kCreate, "ALTER TABLE t MODIFY a VARCHAR(6)"),
              HasSubstr("unique u(0) nullable prefix; "));
  EXPECT_THAT(after(kCreate, "ALTER TABLE t MODIFY a INT, MODIFY b VARCHAR(7)"),
              HasSubstr("unique u(0) nullable; unique v(1) nullable"));
}

TEST_F(AlterTable, KnowsTheKeysOfForeignKeys) {
  EXPECT_EQ(after("CREATE TABLE t (a INT, b INT, FOREIGN KEY (b) REFERENCES p (id))",
                  "ALTER TABLE t ADD UNIQUE (b, a)"),
            "a int; b int; unique b(1,0) nullable");
  EXPECT_EQ(after("CREATE TABLE t (a INT, b INT, KEY b (b))", "ALTER TABLE t ADD UNIQUE (b, a)"),
            "a int; b int; unique b_2(1,0) nullable");
  EXPECT_EQ(
      after("CREATE TABLE t (a INT, b INT)",
            "ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p (id), ADD CONSTRAINT cc FOREIGN KEY "
            "(a) REFERENCES p (id) ON DELETE SET NULL, ADD UNIQUE (a)"),
      "a int; b int; unique a(0) nullable");
}

TEST_F(AlterTable, ConvertsTextAndLetsItGrow) {
  constexpr std::string_view kCreate =
      "CREATE TABLE t (a TINYTEXT, b TEXT, c VARCHAR(20), d ENUM('x'), e BLOB, f JSON, g CHAR(3) "
      "CHARSET gbk, h ENUM('y') CHARSET binary) CHARSET latin1";
  EXPECT_EQ(
      after(
          kCreate,
          "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4, ADD z CHAR CHARSET latin2, ADD y CHAR"),
      "a text utf8mb4; b mediumtext utf8mb4; c varchar(20) utf8mb4; d enum('x') utf8mb4; e blob; "
      "f json; g char(3) utf8mb4; h enum('y'); z char(1) utf8mb4; y char(1) utf8mb4");
  EXPECT_EQ(apply("ALTER TABLE t CONVERT TO CHARSET latin1 COLLATE latin1_bin"), "altered shop.t");
  EXPECT_THAT(table(), StartsWith("a text latin1; b mediumtext latin1; c varchar(20) latin1"));
  EXPECT_EQ(apply("ALTER TABLE t CONVERT TO CHARACTER SET binary"), "altered shop.t");
  EXPECT_EQ(table(),
            "a blob; b mediumblob; c varbinary(20); d enum('x'); e blob; f json; g binary(3); h "
            "enum('y'); z binary(1); y binary(1)");
  // A VARCHAR that has no room in a row is text, without strict mode.
  EXPECT_EQ(after("CREATE TABLE t (a VARCHAR(30000)) CHARSET latin1",
                  "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4"),
            "a mediumtext utf8mb4");
}

TEST_F(AlterTable, ChangesTheCharacterSetOfColumnsThatCome) {
  EXPECT_EQ(after("CREATE TABLE t (a CHAR(1)) CHARSET latin1",
                  "ALTER TABLE t ADD b CHAR(1), DEFAULT CHARACTER SET = gbk, ADD c CHAR(1)"),
            "a char(1) latin1; b char(1) gbk; c char(1) gbk");
  EXPECT_EQ(apply("ALTER TABLE t ADD d CHAR(1), COLLATE latin2_bin"), "altered shop.t");
  EXPECT_EQ(apply("ALTER TABLE t MODIFY a CHAR(1)"), "altered shop.t");
  EXPECT_EQ(table(), "a char(1) latin2; b char(1) gbk; c char(1) gbk; d char(1) latin2");
  mariadb();
  EXPECT_EQ(apply("ALTER TABLE t DEFAULT CHARSET DEFAULT, ADD e CHAR(1)"), "altered shop.t");
  EXPECT_THAT(table(), HasSubstr("; e char(1) utf8mb4"));
}

TEST_F(AlterTable, RenamesTables) {
  apply("CREATE TABLE t (a INT)");
  EXPECT_EQ(apply("ALTER TABLE t RENAME TO u"), "renamed shop.t shop.u");
  EXPECT_EQ(apply("ALTER TABLE u RENAME AS other.v, ADD b INT"),
            "altered shop.u; renamed shop.u other.v");
  EXPECT_EQ(table_text(*tables_.find("other", "v")), "a int; b int");
  EXPECT_EQ(apply("ALTER TABLE other.v RENAME = t"), "renamed other.v shop.t");
  EXPECT_EQ(apply("ALTER TABLE t RENAME t"), "renamed shop.t shop.t");
  EXPECT_EQ(table(), "a int; b int");
}

TEST_F(AlterTable, LeavesColumnsAloneWhereItSaysNothingOfThem) {
  apply("CREATE TABLE t (a INT)");
  apply("CREATE TABLE x (a INT)");
  for (const char* statement :
       {"ALTER TABLE t ENGINE=InnoDB",
        "ALTER TABLE t ENGINE InnoDB ROW_FORMAT=DYNAMIC COMMENT 'a, b'",
        "ALTER TABLE t FORCE, ALGORITHM=INPLACE, LOCK NONE",
        "ALTER TABLE t ORDER BY a DESC, t.a",
        "ALTER TABLE t DISABLE KEYS",
        "ALTER TABLE t AUTO_INCREMENT = 5",
        "ALTER TABLE t PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 "
        "VALUES LESS THAN MAXVALUE)",
        "ALTER TABLE t ADD PARTITION (PARTITION p2 VALUES LESS THAN (20))",
        "ALTER TABLE t ADD PARTITION PARTITIONS 3",
        "ALTER TABLE t REMOVE PARTITIONING",
        "ALTER TABLE t REORGANIZE PARTITION p0 INTO (PARTITION n VALUES IN (1))",
        "ALTER TABLE t COALESCE PARTITION 2",
        "ALTER TABLE t REBUILD PARTITION ALL",
        "ALTER TABLE t ENGINE=InnoDB REMOVE PARTITIONING",
        "ALTER TABLE t ANALYZE PARTITION p0",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
        "ALTER TABLE t DROP CHECK c",
        "ALTER TABLE t ALTER a SET DEFAULT (1 + 2)",
        "ALTER TABLE t ADD INDEX (a) INVISIBLE",
        "ALTER TABLE t STATS_PERSISTENT=1, ENCRYPTION='Y'",
        "ALTER TABLE t WITHOUT VALIDATION",
        "/*!40000 ALTER TABLE `t` ENABLE KEYS */",
        "ALTER TABLE never_seen ADD b INT",
        "DROP INDEX x ON never_seen",
        "ALTER VIEW v AS SELECT 1",
        "ALTER TABLE t RENAME INDEX a TO b"}) {
    const std::string effects = apply(statement);
    EXPECT_TRUE(effects.empty() || effects == "altered shop.t") << statement << ": " << effects;
    EXPECT_EQ(table(), "a int") << statement;
  }
}

TEST_F(AlterTable, SaysWhereRowsWentWithoutEvents) {
  apply("CREATE TABLE t (a INT)");
  apply("CREATE TABLE x (a INT)");
  for (const char* statement :
       {"ALTER TABLE t DROP PARTITION p0, p1", "ALTER TABLE t TRUNCATE PARTITION ALL",
        "ALTER TABLE t DISCARD TABLESPACE", "ALTER TABLE t IMPORT PARTITION p0 TABLESPACE"})
    EXPECT_EQ(apply(statement), "emptied shop.t") << statement;
  EXPECT_EQ(apply("ALTER TABLE t EXCHANGE PARTITION p WITH TABLE x WITHOUT VALIDATION"),
            "emptied shop.t; emptied shop.x");
  mariadb();
  EXPECT_EQ(apply("ALTER TABLE t CONVERT PARTITION p TO TABLE y"),
            "emptied shop.t; created shop.y");
  EXPECT_EQ(table("y"), "a int");
  EXPECT_EQ(apply("ALTER TABLE t CONVERT TABLE y TO PARTITION p VALUES IN (1)"),
            "emptied shop.t; dropped shop.y");
  EXPECT_EQ(table("y"), "none");
}

TEST_F(AlterTable, KnowsWhatMariadbDoesOnlyIfItIsThere) {
  mariadb();
  constexpr std::string_view kCreate = "CREATE TABLE t (a INT, b INT, UNIQUE u (a))";
  EXPECT_EQ(after(kCreate,
                  "ALTER TABLE IF EXISTS t NOWAIT ADD COLUMN IF NOT EXISTS a DATE, ADD COLUMN IF "
                  "NOT EXISTS c INT, "
                  "ADD IF NOT EXISTS c DATE"),
            "a int(11); b int(11); c int(11); unique u(0) nullable");
  EXPECT_EQ(after(kCreate,
                  "ALTER ONLINE TABLE t WAIT 5 DROP COLUMN IF EXISTS x, MODIFY IF EXISTS y INT, "
                  "CHANGE COLUMN IF "
                  "EXISTS z zz INT, RENAME COLUMN IF EXISTS q TO r, ALTER IF EXISTS s SET "
                  "DEFAULT 1, DROP INDEX IF EXISTS v, RENAME KEY IF EXISTS w TO x, DROP CONSTRAINT "
                  "IF EXISTS o, DROP FOREIGN KEY IF EXISTS f, ALTER INDEX u NOT IGNORED"),
            "a int(11); b int(11); unique u(0) nullable");
  EXPECT_EQ(after(kCreate,
                  "ALTER IGNORE TABLE t ADD UNIQUE IF NOT EXISTS u (b), ADD PRIMARY KEY IF NOT "
                  "EXISTS (b), ADD UNIQUE IF "
                  "NOT EXISTS (b), ADD KEY IF NOT EXISTS (b)"),
            "a int(11); b int(11) not null; primary (1); unique b(1); unique u(0) nullable");
  EXPECT_EQ(after(kCreate, "CREATE UNIQUE INDEX IF NOT EXISTS u ON t (b)"),
            "a int(11); b int(11); unique u(0) nullable");
  EXPECT_EQ(after(kCreate, "CREATE OR REPLACE UNIQUE INDEX u ON t (b) WAIT 3"),
            "a int(11); b int(11); unique u(1) nullable");
  EXPECT_EQ(after(kCreate, "DROP INDEX IF EXISTS nothing ON t NOWAIT"),
            "a int(11); b int(11); unique u(0) nullable");
}

TEST_F(AlterTable, KnowsSystemVersioning) {
  mariadb();
  constexpr std::string_view kHidden =
      "row_start timestamp(6) not null generated invisible; row_end timestamp(6) not null "
      "generated "
      "invisible";
  EXPECT_EQ(after("CREATE TABLE t (a INT PRIMARY KEY)",
                  "ALTER TABLE t ADD SYSTEM VERSIONING, ADD b INT UNIQUE"),
            "a int(11) not null; b int(11); " + std::string(kHidden) +
                "; primary (0,3); unique b(1,3) nullable");
  EXPECT_EQ(apply("ALTER TABLE t ADD c INT AFTER a, DROP b"), "altered shop.t");
  EXPECT_EQ(table(), "a int(11) not null; c int(11); " + std::string(kHidden) + "; primary (0,3)");
  EXPECT_EQ(apply("ALTER TABLE t DROP SYSTEM VERSIONING"), "altered shop.t");
  EXPECT_EQ(table(), "a int(11) not null; c int(11); primary (0)");
  EXPECT_EQ(apply("ALTER TABLE t ADD s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, ADD e "
                  "TIMESTAMP(6) GENERATED ALWAYS "
                  "AS ROW END, ADD PERIOD FOR SYSTEM_TIME(s, e), ADD SYSTEM VERSIONING"),
            "altered shop.t");
  EXPECT_EQ(table(),
            "a int(11) not null; c int(11); s timestamp(6) not null generated; e "
            "timestamp(6) not null generated; primary (0,3)");
  EXPECT_EQ(apply("ALTER TABLE t DROP SYSTEM VERSIONING, DROP COLUMN s, DROP COLUMN e, DROP PERIOD "
                  "FOR SYSTEM_TIME"),
            "altered shop.t");
  EXPECT_EQ(table(), "a int(11) not null; c int(11); primary (0)");
  EXPECT_EQ(after("CREATE TABLE t (a INT, s DATE, e DATE)",
                  "ALTER TABLE t ADD PERIOD FOR p (s, e), ADD PRIMARY KEY (a, p WITHOUT OVERLAPS)"),
            "a int(11) not null; s date not null; e date not null; primary (0,2,1)");
  EXPECT_EQ(apply("ALTER TABLE t DROP PRIMARY KEY, DROP PERIOD IF EXISTS FOR p"), "altered shop.t");
  EXPECT_EQ(table(), "a int(11) not null; s date not null; e date not null");
}

TEST_F(AlterTable, KnowsSequencesWithAType) {
  mariadb();
  EXPECT_EQ(apply("CREATE SEQUENCE s START WITH 5 AS INT UNSIGNED MAXVALUE 7"), "created shop.s");
  EXPECT_THAT(table("s"), StartsWith("next_not_cached_value int(12) unsigned not null; "));
  EXPECT_THAT(table("s"), HasSubstr("start_value int(12) unsigned not null; increment bigint(21) "
                                    "not null; cache_size bigint(21) unsigned not null"));
  EXPECT_EQ(apply("ALTER SEQUENCE s RESTART 5"), "");
  EXPECT_EQ(apply("ALTER SEQUENCE IF EXISTS s AS BIGINT"), "altered shop.s");
  EXPECT_THAT(table("s"), StartsWith("next_not_cached_value bigint(21) not null; "));
  EXPECT_EQ(apply("ALTER SEQUENCE never_seen AS BIGINT"), "");
}

// What does not fit the table that is there is not guessed.
struct Misfit {
  std::string_view statement, why;
};
class AlterTableLoses : public AlterTable, public testing::WithParamInterface<Misfit> {};

TEST_P(AlterTableLoses, WithThePlace) {
  apply("CREATE TABLE t (a INT, b INT, UNIQUE u (a))");
  apply("CREATE TABLE other (a INT)");
  EXPECT_THAT(apply(GetParam().statement),
              StartsWith("not_known shop.t: " + std::string(GetParam().why)));
  EXPECT_EQ(table(), "lost");
  EXPECT_EQ(table("other"), "a int");
}

INSTANTIATE_TEST_SUITE_P(
    Of, AlterTableLoses,
    testing::Values(Misfit{"ALTER TABLE t DROP x", "1:20: there is no column `x`"},
                    Misfit{"ALTER TABLE t ADD a INT", "1:24: column `a` would be there twice"},
                    Misfit{"ALTER TABLE t ADD c INT AFTER x", "1:19: there is no column `x`"},
                    Misfit{"ALTER TABLE t MODIFY x INT", "1:22: there is no column `x`"},
                    Misfit{"ALTER TABLE t CHANGE x y INT FIRST", "1:22: there is no column `x`"},
                    Misfit{"ALTER TABLE t RENAME COLUMN x TO y", "1:29: there is no column `x`"},
                    Misfit{"ALTER TABLE t DROP KEY x", "1:24: there is no key `x`"},
                    Misfit{"ALTER TABLE t DROP PRIMARY KEY", "1:31: there is no key `PRIMARY`"},
                    Misfit{"ALTER TABLE t ADD UNIQUE (x)", "1:27: there is no column `x`"},
                    Misfit{"ALTER TABLE t ADD c FANCY", "1:21: a type is expected"},
                    Misfit{"ALTER TABLE t FROBNICATE", "1:15: no option of a table is known"},
                    Misfit{"CREATE UNIQUE INDEX i ON t (x)", "1:29: there is no column `x`"},
                    Misfit{"CREATE INDEX i ON t (a) FANCY", "1:25: no option of a key is known"},
                    Misfit{"DROP INDEX x ON t", "1:12: there is no key `x`"}));

}  // namespace
}  // namespace sluice::schema
