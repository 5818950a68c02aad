// What ALTER TABLE does to keys that no manual tells; found by tests/ddl.
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ddl_fixture.h"

namespace sluice::schema {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using KeyRules = DdlTest;

// MySQL sorts the keys at each ALTER, MariaDB only when one is added, or when the first of them no
// longer identifies a row.
TEST_F(KeyRules, SortKeysAtEachAlterOfMysql) {
  EXPECT_EQ(
      after({"CREATE TABLE t (p INT PRIMARY KEY, a INT NOT NULL, b INT NOT NULL, UNIQUE a (a), "
             "UNIQUE b (b))",
             "ALTER TABLE t MODIFY a INT"}),
      "p int not null; a int; b int not null; primary (0); unique b(2); unique a(1) nullable");
}

// The column becomes NOT NULL with its primary key, which MariaDB makes in the order of the text.
TEST_F(KeyRules, OfAColumnThatIsSaidToBeNullBehindPrimaryKeyComeLater) {
  mariadb();
  constexpr std::string_view kCreate = "CREATE TABLE t (u INT NOT NULL, v INT NOT NULL)";
  constexpr std::string_view kColumns = "u int(11) not null; v int(11) not null; primary (1); ";
  EXPECT_EQ(after({kCreate,
                   "ALTER TABLE t ADD UNIQUE a (v), ADD UNIQUE b (u), MODIFY v INT PRIMARY "
                   "KEY NULL"}),
            std::string(kColumns) + "unique b(0); unique a(1)");
  EXPECT_EQ(
      after({"DROP TABLE t", kCreate,
             "ALTER TABLE t ADD UNIQUE a (v), ADD UNIQUE b (u), MODIFY v INT NULL PRIMARY KEY"}),
      std::string(kColumns) + "unique a(1); unique b(0)");
}

TEST_F(KeyRules, LeaveKeysOfMariadbInTheirOrder) {
  mariadb();
  constexpr std::string_view kTail = "a int(11); b int(11) not null";
  EXPECT_EQ(after({"CREATE TABLE t (p INT PRIMARY KEY, a INT NOT NULL, b INT NOT NULL, UNIQUE a "
                   "(a), UNIQUE b (b))",
                   "ALTER TABLE t MODIFY a INT"}),
            "p int(11) not null; " + std::string(kTail) +
                "; primary (0); unique a(1) nullable; unique b(2)");
  EXPECT_EQ(after({"ALTER TABLE t DROP PRIMARY KEY", "ALTER TABLE t DROP p"}),
            std::string(kTail) + "; unique a(0) nullable; unique b(1)");
  EXPECT_EQ(after({"ALTER TABLE t ADD KEY (b)"}),
            std::string(kTail) + "; unique b(1); unique a(0) nullable");
  EXPECT_EQ(after({"ALTER TABLE t MODIFY b INT"}),
            "a int(11); b int(11); unique b(1) nullable; unique a(0) nullable");
  EXPECT_EQ(after({"DROP TABLE t",
                   "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, UNIQUE a (a), UNIQUE b (b))",
                   "ALTER TABLE t MODIFY a INT"}),
            std::string(kTail) + "; unique b(1); unique a(0) nullable");
  // A table like it is a new one.
  EXPECT_EQ(after({"DROP TABLE t",
                   "CREATE TABLE x (p INT PRIMARY KEY, a INT NOT NULL, b INT NOT NULL, UNIQUE a "
                   "(a), UNIQUE b (b))",
                   "ALTER TABLE x MODIFY a INT", "CREATE TABLE t LIKE x"}),
            "p int(11) not null; " + std::string(kTail) +
                "; primary (0); unique b(2); unique a(1) nullable");
}

TEST_F(KeyRules, SortKeysOfMariadbWhenTheFirstGoesWithItsColumns) {
  mariadb();
  const auto keys = [this](const std::string& first, const std::string& actions) {
    const std::string create =
        "CREATE TABLE t (a INT NOT NULL, b INT, c INT, v CHAR(9) NOT NULL, " + first +
        ", UNIQUE k (b), UNIQUE n (c))";
    const std::string alter = "ALTER TABLE t MODIFY c INT NOT NULL, " + actions;
    after({"DROP TABLE IF EXISTS t", create, alter});
    return indexes();
  };
  EXPECT_EQ(keys("PRIMARY KEY (a)", "DROP a"), "n k");
  EXPECT_EQ(keys("UNIQUE u (a)", "DROP a"), "n k");
  EXPECT_EQ(keys("UNIQUE u (a, v)", "DROP a, DROP v"), "n k");
  EXPECT_EQ(keys("UNIQUE u (a, v)", "MODIFY a INT"), "n u k");
  EXPECT_EQ(keys("UNIQUE u (a)", "MODIFY a INT, RENAME KEY u TO w"), "n w k");
  // Not when it is dropped as such, or did not identify rows.
  EXPECT_EQ(keys("PRIMARY KEY (a)", "DROP PRIMARY KEY, DROP a"), "k n");
  EXPECT_EQ(keys("UNIQUE u (a)", "DROP KEY u, DROP a"), "k n");
  EXPECT_EQ(keys("UNIQUE u (a)", "DROP KEY u, MODIFY a INT"), "k n");
  EXPECT_EQ(keys("UNIQUE u (v(3))", "DROP v"), "k n");
  EXPECT_EQ(keys("UNIQUE u (v(3))", "MODIFY v CHAR(9)"), "u k n");
  EXPECT_EQ(keys("PRIMARY KEY (a), UNIQUE u (v)", "MODIFY v CHAR(9)"), "PRIMARY u k n");
}

TEST_F(KeyRules, SortKeysOnVirtualColumnsOfMysqlLast) {
  EXPECT_EQ(after({"CREATE TABLE t (a INT NOT NULL, v INT AS (a) VIRTUAL NOT NULL, s INT AS (a) "
                   "STORED NOT NULL, UNIQUE v "
                   "(v), UNIQUE s (s), UNIQUE a (a))"}),
            "a int not null; v int not null generated; s int not null generated; unique s(2); "
            "unique a(0); unique v(1)");
}

TEST_F(KeyRules, TakeTheNumberOfALabelForAPrefixInMysql) {
  constexpr std::string_view kCreate =
      "CREATE TABLE t (a ENUM('xy','z'), UNIQUE u (a)) CHARSET latin1";
  EXPECT_EQ(after({kCreate, "ALTER TABLE t MODIFY a VARCHAR(9)"}),
            "a varchar(9) latin1; unique u(0) nullable prefix");
  mariadb();
  EXPECT_EQ(after({"DROP TABLE t", kCreate, "ALTER TABLE t MODIFY a VARCHAR(9)"}),
            "a varchar(9) latin1; unique u(0) nullable");
}

TEST_F(KeyRules, TakeNoPrefixThatIsLongerThanTheColumn) {
  const std::string labels =
      "SET('a','b','c','d','e','f','g','h','i')";  // its number has two bytes
  const std::string create = "CREATE TABLE t (a " + labels + ", UNIQUE u (a)) CHARSET latin1";
  EXPECT_EQ(after({create, "ALTER TABLE t MODIFY a CHAR(1)"}),
            "a char(1) latin1; unique u(0) nullable");
  EXPECT_EQ(after({"DROP TABLE t", create, "ALTER TABLE t MODIFY a CHAR(3)"}),
            "a char(3) latin1; unique u(0) nullable prefix");
}

// MariaDB lets the bytes of a number be said.
TEST_F(KeyRules, TakeAllOfANumberWhoseBytesAreSaid) {
  mariadb();
  EXPECT_EQ(after({"CREATE TABLE t (i INT NOT NULL, d DATETIME NOT NULL, UNIQUE i (i(4)), UNIQUE d "
                   "(d(5)))"}),
            "i int(11) not null; d datetime not null; unique i(0); unique d(1)");
  EXPECT_EQ(after({"DROP TABLE t", "CREATE TABLE t (x VARCHAR(63) NOT NULL, KEY k (x))",
                   "ALTER TABLE t MODIFY x DOUBLE(10,2) NOT NULL, ADD UNIQUE u (x(8))"}),
            "x double(10,2) not null; unique u(0)");
}

TEST_F(KeyRules, LetAForeignKeysIndexGiveWay) {
  constexpr std::string_view kCreate =
      "CREATE TABLE t (a INT, FOREIGN KEY f (a) REFERENCES p (id))";
  // Not for an index that runs the other way, in MySQL.
  EXPECT_EQ(after({kCreate, "ALTER TABLE t ADD UNIQUE (a DESC)", "ALTER TABLE t ADD UNIQUE (a)"}),
            "a int; unique a(0) nullable; unique a_2(0) nullable");
  // One that was given a name is the user's.
  EXPECT_EQ(after({"DROP TABLE t", kCreate, "ALTER TABLE t RENAME KEY f TO g",
                   "ALTER TABLE t ADD UNIQUE h (a)", "ALTER TABLE t DROP KEY g"}),
            "a int; unique h(0) nullable");
}

TEST_F(KeyRules, KeepTheLaterOfTwoForeignKeysIndexes) {
  for (const bool of_mariadb : {false, true}) {
    if (of_mariadb) mariadb();
    after({"DROP TABLE IF EXISTS t",
           "CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES p (id), FOREIGN KEY f (a) REFERENCES "
           "q (id))"});
    EXPECT_EQ(indexes(), "f");
    after({"ALTER TABLE t ADD FOREIGN KEY g (a) REFERENCES p (id)"});
    EXPECT_EQ(indexes(), "g");
  }
}

TEST_F(KeyRules, LetAForeignKeysIndexOfMariadbGiveWay) {
  mariadb();
  constexpr std::string_view kCreate =
      "CREATE TABLE t (a INT, b GEOMETRY, FOREIGN KEY f (a) REFERENCES p (id))";
  constexpr std::string_view kColumns = "a int(11); b geometry; ";
  EXPECT_EQ(after({kCreate, "ALTER TABLE t ADD UNIQUE (a DESC)"}),
            std::string(kColumns) + "unique a(0) nullable");
  EXPECT_EQ(indexes(), "a");
  EXPECT_EQ(after({"DROP TABLE t", kCreate, "ALTER TABLE t RENAME KEY f TO g",
                   "ALTER TABLE t ADD UNIQUE h (a)"}),
            std::string(kColumns) + "unique h(0) nullable");
  EXPECT_EQ(indexes(), "h g");
  // Not for a key that is made by a hash, as long as it is.
  after({"DROP TABLE t", kCreate, "ALTER TABLE t ADD UNIQUE h (a, b)"});
  EXPECT_EQ(indexes(), "h f");
  after({"ALTER TABLE t COMMENT 'x'", "ALTER TABLE t FORCE"});
  EXPECT_EQ(indexes(), "h");
  after({"DROP TABLE t",
         "CREATE TABLE t (a INT, b VARCHAR(3000), UNIQUE h (a, b), FOREIGN KEY f (a) REFERENCES p "
         "(id))"});
  EXPECT_EQ(indexes(), "h f");
  after({"ALTER TABLE t MODIFY b VARCHAR(300)"});
  EXPECT_EQ(indexes(), "h");
}

TEST_F(KeyRules, LeaveAHashedKeyThatIsCalledAConstraintInMariadb) {
  mariadb();
  EXPECT_EQ(after({"CREATE TABLE t (a TINYTEXT, b INT, UNIQUE u (a), UNIQUE v (b))",
                   "ALTER TABLE t DROP CONSTRAINT IF EXISTS u, DROP CONSTRAINT IF EXISTS v"}),
            "a tinytext utf8mb4; b int(11); unique u(0) nullable");
}

// MariaDB makes a unique key of a geometry by a hash, says that eight bytes of it are in the key,
// and takes that for a prefix when the table is altered or copied.
TEST_F(KeyRules, TakeTheHashOfAGeometryForAPrefixInMariadb) {
  mariadb();
  constexpr std::string_view kCreate = "CREATE TABLE t (a GEOMETRY, UNIQUE u (a))";
  constexpr std::string_view kDrop = "ALTER TABLE t DROP CONSTRAINT IF EXISTS u";
  EXPECT_EQ(after({kCreate, kDrop}), "a geometry; unique u(0) nullable prefix");
  EXPECT_EQ(after({kDrop}), "a geometry");
  EXPECT_EQ(after({"DROP TABLE t", "CREATE TABLE t (a GEOMETRY, UNIQUE u (a(9)))", kDrop}),
            "a geometry");
  apply("CREATE TABLE x (a GEOMETRY, UNIQUE u (a))");
  EXPECT_EQ(after({"DROP TABLE t", "CREATE TABLE t LIKE x", kDrop}), "a geometry");
  context_.describes = true;
  EXPECT_EQ(after({"CREATE OR REPLACE TABLE t (a GEOMETRY, UNIQUE u (a(8)) USING HASH)", kDrop}),
            "a geometry; unique u(0) nullable prefix");
}

TEST_F(KeyRules, KnowWhatMakesTheKeysOfMysqlAnew) {
  const auto keys = [this](const std::string& statement) {
    after({"DROP TABLE IF EXISTS t",
           "CREATE TABLE t (a INT, b INT, UNIQUE u1 (b), UNIQUE u2 (a), PRIMARY KEY (a))",
           statement});
    return indexes();
  };
  for (const char* statement :
       {"ALTER TABLE t COMMENT 'x'", "ALTER TABLE t FORCE", "ALTER TABLE t ALTER a SET DEFAULT 3",
        "ALTER TABLE t ADD CHECK (1 <> 2)", "ALTER TABLE t DROP FOREIGN KEY f",
        "ALTER TABLE t ALTER INDEX u1 VISIBLE", "ALTER TABLE t ALGORITHM=COPY",
        "ALTER TABLE t ENABLE KEYS, ORDER BY a", "ALTER TABLE t ADD PARTITION PARTITIONS 1",
        "ALTER TABLE t REBUILD PARTITION ALL", "ALTER TABLE t DROP PARTITION p",
        "ALTER TABLE t OPTIMIZE PARTITION p", "ALTER TABLE t REMOVE PARTITIONING",
        "ALTER TABLE t PARTITION BY HASH (a)"})
    EXPECT_EQ(keys(statement), "PRIMARY u2 u1") << statement;
  for (const char* statement :
       {"ALTER TABLE t", "ALTER TABLE t RENAME t", "ALTER TABLE t DISABLE KEYS",
        "ALTER TABLE t ALGORITHM=INPLACE, LOCK=NONE", "ALTER TABLE t DISCARD TABLESPACE",
        "ALTER TABLE t TRUNCATE PARTITION p", "ALTER TABLE t ANALYZE PARTITION p",
        "ALTER TABLE t CHECK PARTITION ALL", "ALTER TABLE t REPAIR PARTITION ALL",
        "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE x", "ALTER TABLE t SECONDARY_LOAD"})
    EXPECT_EQ(keys(statement), "PRIMARY u1 u2") << statement;
}

TEST_F(KeyRules, KnowWhatMakesTheKeysOfMariadbAnew) {
  mariadb();
  const auto length = [this](const std::string& statement) {
    apply("CREATE OR REPLACE TABLE t (a INT, b INT, g GEOMETRY, UNIQUE k (g))");
    apply(statement);
    const TableSchema* found = tables_.find("shop", "t");
    return found == nullptr ? std::string("lost")
                            : std::to_string(found->detail->indexes.front().parts.front().length);
  };
  for (const char* statement :
       {"ALTER TABLE t COMMENT 'x'", "ALTER TABLE t ADD CHECK (1 <> 2)",
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS c", "ALTER TABLE t RENAME INDEX IF EXISTS i TO j",
        "ALTER TABLE t RENAME COLUMN IF EXISTS x TO y", "ALTER TABLE t CHANGE IF EXISTS x y INT",
        "ALTER TABLE t DROP PERIOD IF EXISTS FOR p", "ALTER TABLE t ADD IF NOT EXISTS b INT FIRST",
        "ALTER TABLE t MODIFY IF EXISTS x INT AFTER a", "ALTER TABLE t DROP COLUMN IF EXISTS b",
        "ALTER TABLE t MODIFY IF EXISTS b INT", "ALTER TABLE t ALTER IF EXISTS b SET DEFAULT 1",
        "ALTER TABLE t ALTER INDEX IF EXISTS i IGNORED",
        "ALTER TABLE t DROP KEY IF EXISTS q, FORCE",
        "ALTER TABLE t ADD KEY IF NOT EXISTS i (a), DROP COLUMN IF EXISTS c"})
    EXPECT_EQ(length(statement), "8") << statement;
  for (const char* statement :
       {"ALTER TABLE t", "ALTER TABLE t LOCK=NONE", "ALTER TABLE t DROP COLUMN IF EXISTS x",
        "ALTER TABLE t ADD IF NOT EXISTS b INT, ADD INDEX IF NOT EXISTS k (a)",
        "ALTER TABLE t MODIFY IF EXISTS x INT", "ALTER TABLE t ALTER IF EXISTS x SET DEFAULT 1",
        "ALTER TABLE t DROP INDEX IF EXISTS i", "CREATE INDEX IF NOT EXISTS k ON t (a)",
        "DROP INDEX IF EXISTS i ON t", "ANALYZE TABLE t", "TRUNCATE TABLE t"})
    EXPECT_EQ(length(statement), "0") << statement;
  // Whether there is such a foreign key or check is not known, nor alter_algorithm=COPY; other
  // engines leave the table as it is.
  for (const char* statement :
       {"ALTER TABLE t DROP FOREIGN KEY IF EXISTS f", "ALTER TABLE t RENAME t",
        "ALTER TABLE t ADD CONSTRAINT IF NOT EXISTS c CHECK (1 <> 2)", "ALTER TABLE t ENABLE KEYS",
        "OPTIMIZE TABLE x, t", "OPTIMIZE LOCAL TABLE t"})
    EXPECT_EQ(length(statement), "lost") << statement;
  apply("CREATE OR REPLACE TABLE t (a INT, UNIQUE k (a))");
  EXPECT_EQ(apply("ALTER TABLE t DROP FOREIGN KEY IF EXISTS f"), "");
  EXPECT_EQ(apply("OPTIMIZE TABLE x, t"), "");
}

// The servers do nothing when each key is what it was, with its comment and the like, too, which we
// do not know: then their order stays.
TEST_F(KeyRules, DoNotGuessWhetherAKeyIsTheSameAgain) {
  for (const bool of_mariadb : {false, true}) {
    if (of_mariadb) mariadb();
    const auto keys = [this](const std::string& actions) {
      apply("DROP TABLE IF EXISTS t");
      apply("CREATE TABLE t (a INT, b INT, UNIQUE u (a), UNIQUE v (b), KEY w (b))");
      const std::string effects = apply("ALTER TABLE t " + actions);
      if (!effects.starts_with("not_known")) return indexes();
      EXPECT_THAT(effects, HasSubstr("whether the server made the keys anew is not known"));
      return std::string("lost");
    };
    EXPECT_EQ(keys("DROP KEY u, ADD UNIQUE u (a)"), "lost");
    EXPECT_EQ(keys("DROP KEY v, ADD UNIQUE v (b)"), "u v w");
    EXPECT_EQ(keys("DROP KEY u, ADD UNIQUE u (a), COMMENT 'x'"), "v u w");
    EXPECT_EQ(keys("DROP KEY u, ADD UNIQUE u (a), MODIFY b INT"), "v u w");
    EXPECT_EQ(keys("DROP KEY u, ADD UNIQUE u (b)"), "v u w");
    EXPECT_EQ(keys("DROP KEY u, ADD UNIQUE u (a), DROP KEY w"), "v u");
  }
  apply("CREATE OR REPLACE TABLE t (a INT, b INT, UNIQUE u (a), UNIQUE v (b))");
  EXPECT_THAT(apply("CREATE OR REPLACE UNIQUE INDEX u ON t (a)"), StartsWith("not_known shop.t"));
}

TEST_F(KeyRules, SortKeysOnGeometriesOfMariadb) {
  mariadb();
  constexpr std::string_view kColumns = "a int(11); g geometry not null; ";
  EXPECT_EQ(after({"CREATE TABLE t (a INT, g GEOMETRY NOT NULL, UNIQUE a (a), UNIQUE k9 (g(9)), "
                   "UNIQUE k0 (g), UNIQUE k8 (g(8)))"}),
            std::string(kColumns) +
                "unique k8(1) prefix; unique k9(1) prefix; unique a(0) "
                "nullable; unique k0(1) prefix");
  EXPECT_EQ(after({"ALTER TABLE t ADD KEY (a)"}),
            std::string(kColumns) +
                "unique k8(1) prefix; unique k0(1) prefix; unique k9(1) "
                "prefix; unique a(0) nullable");
  // All of a point is in the key, whatever is said.
  EXPECT_EQ(after({"DROP TABLE t",
                   "CREATE TABLE t (g POINT NOT NULL, a INT NOT NULL, UNIQUE k8 "
                   "(g(8)), UNIQUE k0 (g), UNIQUE a (a))"}),
            "g point not null; a int(11) not null; unique a(1); unique k8(0) prefix; unique k0(0) "
            "prefix");
}

TEST_F(KeyRules, SortAPrefixThatIsAllOfATextBeforeOthers) {
  EXPECT_EQ(after({"CREATE TABLE t (a TINYTEXT NOT NULL, UNIQUE k9 (a(9)), UNIQUE k (a(255))) "
                   "CHARSET latin1"}),
            "a tinytext latin1 not null; unique k(0) prefix; unique k9(0) prefix");
}

TEST_F(KeyRules, HoldConditionsForKeysBesideTheColumn) {
  mariadb();
  EXPECT_EQ(
      after({"CREATE TABLE t (a INT, KEY a (a))", "ALTER TABLE t MODIFY IF EXISTS a INT UNIQUE"}),
      "a int(11)");
  EXPECT_EQ(after({"ALTER TABLE t MODIFY a INT UNIQUE"}), "a int(11); unique a_2(0) nullable");
  EXPECT_EQ(after({"DROP TABLE t", "CREATE TABLE t (a INT)",
                   "ALTER TABLE t ADD COLUMN IF NOT EXISTS a DATE UNIQUE"}),
            "a int(11); unique a(0) nullable");
  // The column is NOT NULL though the primary key is left out.
  EXPECT_EQ(after({"DROP TABLE t", "CREATE TABLE t (p INT PRIMARY KEY, a INT, b INT)",
                   "ALTER TABLE t MODIFY IF EXISTS a INT PRIMARY KEY, ADD IF NOT EXISTS b INT KEY, "
                   "ADD IF NOT EXISTS c INT KEY, ADD IF NOT EXISTS d INT KEY NULL"}),
            "p int(11) not null; a int(11) not null; b int(11); c int(11) not null; d int(11); "
            "primary (0)");
}

TEST_F(KeyRules, NameTheEndOfARowInKeysOnce) {
  mariadb();
  EXPECT_EQ(after({"CREATE TABLE t (a INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e "
                   "TIMESTAMP(6) GENERATED ALWAYS AS "
                   "ROW END, PERIOD FOR SYSTEM_TIME (s, e), PRIMARY KEY (s), UNIQUE (a)) WITH "
                   "SYSTEM VERSIONING"}),
            "a int(11); s timestamp(6) not null generated; e timestamp(6) not null generated; "
            "primary (1); unique a(0,2) "
            "nullable");
}

}  // namespace
}  // namespace sluice::schema
