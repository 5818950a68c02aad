// What DDL does to values of rows that are there.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "sluice/binlog/sql_lexer.h"
#include "sluice/schema/definitions.h"

namespace sluice::schema {
namespace {

class Content : public testing::Test {
 protected:
  Content() {
    context_.database = "shop";
    context_.version = 90700;
    lax();
    apply(
        "CREATE TABLE t (id INT NOT NULL, a INT, u INT UNSIGNED, d DECIMAL(10,2), v VARCHAR(20), "
        "c CHAR(5), x TEXT, n VARCHAR(9) NOT NULL, e ENUM('x','y'), s SET('x','y','z'), b "
        "BINARY(4), w VARBINARY(9), dt DATETIME, ts TIMESTAMP(3) NULL, f FLOAT, j JSON, g INT AS "
        "(a + 1) STORED, PRIMARY KEY (id)) CHARSET latin1");
  }
  void lax() { context_.sql_mode = 0; }
  void strict() { context_.sql_mode = binlog::sql_mode::kStrictTransTables; }

  // "a dropped, b renamed to c [key]", of all its effects; the tables stay changed.
  std::string apply(std::string_view statement) {
    std::string out;
    for (const TableEffect& e : tables_.apply(statement, context_)) {
      EXPECT_NE(e.kind, TableEffect::Kind::not_known) << statement << ": " << e.why;
      for (const ContentChange& c : e.content) {
        if (!out.empty()) out += ", ";
        out += c.column + (c.column.empty() ? "" : " ") + c.what;
      }
      if (e.other_key) out += " [key]";
    }
    return out;
  }
  // Of ALTER TABLE t, on the table as it was made.
  std::string alter(std::string_view actions) {
    const Definitions before = tables_;
    std::string out = apply("ALTER TABLE t " + std::string(actions));
    tables_ = before;
    return out;
  }

  Definitions tables_;
  DdlContext context_;
};

TEST_F(Content, OfNewColumnsIsWhatIsNotNull) {
  EXPECT_EQ(alter("ADD z INT"), "");
  EXPECT_EQ(alter("ADD z INT DEFAULT NULL COMMENT 'DEFAULT 3', ADD KEY (a)"), "");
  EXPECT_EQ(alter("ADD z INT DEFAULT 3"), "z added with a value");
  EXPECT_EQ(alter("ADD z INT NOT NULL"), "z added with a value");
  EXPECT_EQ(alter("ADD z VARCHAR(3) DEFAULT (uuid()), ADD y INT"), "z added with a value");
  EXPECT_EQ(alter("ADD z INT AS (a) VIRTUAL"), "z added with a value");
  EXPECT_EQ(alter("ADD z INT NOT NULL AUTO_INCREMENT UNIQUE"), "z added with a value");
  EXPECT_EQ(alter("ADD (z INT, y TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"), "y added with a value");
}

TEST_F(Content, ChangesWithColumnsThatGoOrGetAnotherName) {
  EXPECT_EQ(alter("DROP a, DROP COLUMN v, DROP g"), "a dropped, v dropped, g dropped");
  EXPECT_EQ(alter("RENAME COLUMN v TO w2"), "v renamed to w2");
  EXPECT_EQ(alter("CHANGE v `V` VARCHAR(20) CHARACTER SET latin1"), "v renamed to V");
  EXPECT_EQ(alter("RENAME COLUMN v TO c, RENAME COLUMN c TO v"), "v renamed to c, c renamed to v")
      << "two that change places";
}

TEST_F(Content, StaysWithWhatNobodySees) {
  for (const char* actions :
       {"ADD INDEX (v)", "COMMENT 'x'", "ENGINE=InnoDB", "ALTER a SET DEFAULT 4",
        "ALGORITHM=INPLACE", "MODIFY a INT AFTER id", "MODIFY v VARCHAR(20) COMMENT 'new'",
        "ALTER COLUMN a SET INVISIBLE", "ADD UNIQUE (v)", "AUTO_INCREMENT = 5", "FORCE"})
    EXPECT_EQ(alter(actions), "") << actions;
}

TEST_F(Content, StaysWhereAllValuesFit) {
  for (const char* actions :
       {"MODIFY a BIGINT", "MODIFY u BIGINT", "MODIFY d DECIMAL(12,2)", "MODIFY v VARCHAR(200)",
        "MODIFY v TEXT", "MODIFY c VARCHAR(5)", "MODIFY x LONGTEXT",
        "MODIFY v VARCHAR(20) CHARACTER SET utf8mb4", "MODIFY e ENUM('x','y','z')",
        "MODIFY e ENUM('y','x')", "MODIFY s SET('w','x','y','z')", "MODIFY b VARBINARY(4)",
        "MODIFY w BLOB", "MODIFY n VARCHAR(9) NULL"})
    EXPECT_EQ(alter(actions), "") << actions;
}

TEST_F(Content, ChangesWithTypesThatAreWrittenOtherwise) {
  strict();
  EXPECT_EQ(alter("MODIFY d DECIMAL(10,3)"), "d converted from decimal(10,2) to decimal(10,3)");
  EXPECT_EQ(alter("MODIFY dt DATETIME(3)"), "dt converted from datetime to datetime(3)");
  EXPECT_EQ(alter("MODIFY ts DATETIME(3)"), "ts converted from timestamp(3) to datetime(3)");
  EXPECT_EQ(alter("MODIFY f DOUBLE"), "f converted from float to double");
  EXPECT_EQ(alter("MODIFY a VARCHAR(20)"), "a converted from int to varchar(20) latin1");
  EXPECT_EQ(alter("MODIFY v CHAR(20)"), "v converted from varchar(20) latin1 to char(20) latin1");
  EXPECT_EQ(alter("MODIFY v VARBINARY(20)"),
            "v converted from varchar(20) latin1 to varbinary(20)");
  EXPECT_EQ(alter("MODIFY b BINARY(5)"), "b converted from binary(4) to binary(5)");
  EXPECT_EQ(alter("MODIFY s SET('y','x','z')"),
            "s converted from set('x','y','z') latin1 to set('y','x','z') latin1");
  EXPECT_EQ(alter("MODIFY g INT AS (a + 2) STORED"), "g defined anew as int");
  EXPECT_EQ(alter("MODIFY j TEXT"), "j converted from json to text latin1");
}

// In strict mode a statement that would cut a value is refused.
TEST_F(Content, ChangesWithCutValuesUnlessTheModeIsStrict) {
  for (const char* actions :
       {"MODIFY a SMALLINT", "MODIFY a INT UNSIGNED", "MODIFY u INT", "MODIFY d DECIMAL(9,2)",
        "MODIFY v VARCHAR(19)", "MODIFY x TINYTEXT", "MODIFY e ENUM('x')", "MODIFY w VARBINARY(8)",
        "MODIFY v VARCHAR(20) CHARACTER SET latin2", "MODIFY a INT NOT NULL"}) {
    strict();
    EXPECT_EQ(alter(actions), "") << actions;
    lax();
    EXPECT_NE(alter(actions), "") << actions;
  }
  context_.flavor = Flavor::mariadb;
  context_.version = 101106;
  strict();
  EXPECT_EQ(apply("ALTER IGNORE TABLE t MODIFY a SMALLINT"), "a converted from int to smallint(6)");
}

TEST_F(Content, IsIdentifiedByOtherColumnsOrByOtherTextOfThem) {
  EXPECT_EQ(alter("DROP PRIMARY KEY, ADD PRIMARY KEY (id, n)"), " [key]");
  EXPECT_EQ(alter("DROP PRIMARY KEY"), " [key]");
  EXPECT_EQ(alter("MODIFY id BIGINT NOT NULL"), "");
  EXPECT_EQ(alter("RENAME COLUMN id TO no"), "id renamed to no [key]");
  strict();
  EXPECT_EQ(alter("MODIFY id DECIMAL(10,1) NOT NULL"),
            "id converted from int to decimal(10,1) [key]");
  EXPECT_EQ(alter("ADD UNIQUE (n)"), "");
}

// Nobody can tell; but there is nothing in a table that is made just now.
TEST_F(Content, OfStatementsThatCannotBeFollowed) {
  const auto unread = [this](std::string_view statement) {
    const Definitions before = tables_;
    std::string out;
    for (const TableEffect& e : tables_.apply(statement, context_)) {
      EXPECT_EQ(e.kind, TableEffect::Kind::not_known) << statement;
      out += std::to_string(e.content.size()) + (e.other_key ? " key" : "");
    }
    tables_ = before;
    return out;
  };
  EXPECT_EQ(unread("ALTER TABLE t ADD z FANCY"), "1 key");
  EXPECT_EQ(unread("ALTER TABLE t CHANGE no_such_column z INT"), "1 key");
  EXPECT_EQ(unread("CREATE TABLE z (a FANCY)"), "0");
  EXPECT_EQ(unread("CREATE TABLE z SELECT 1"), "0");
  EXPECT_EQ(unread("CREATE TABLE z LIKE nobody_knows"), "0");
  context_.flavor = Flavor::mariadb;
  context_.version = 101106;
  EXPECT_EQ(unread("CREATE OR REPLACE TABLE t (a FANCY)"), "1 key");
  EXPECT_EQ(unread("CREATE OR REPLACE TABLE t LIKE nobody_knows"), "1 key");
}

TEST_F(Content, GoesWithPartitionsAndTables) {
  EXPECT_EQ(alter("DROP PARTITION p1"), "rows went or came");
  EXPECT_EQ(alter("IMPORT TABLESPACE"), "rows went or came");
  EXPECT_EQ(apply("CREATE TABLE o (n INT PRIMARY KEY, id INT NOT NULL)"), "");
  EXPECT_EQ(apply("RENAME TABLE t TO old, o TO t"), " [key]") << "other rows stand by this name";
  EXPECT_EQ(apply("DROP TABLE t"), "dropped");
  context_.flavor = Flavor::mariadb;
  context_.version = 101106;
  EXPECT_EQ(apply("CREATE OR REPLACE TABLE old (n INT PRIMARY KEY)"),
            "replaced by an empty one [key]");
}

}  // namespace
}  // namespace sluice::schema
