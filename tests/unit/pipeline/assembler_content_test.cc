// DDL that changes rows that are in Redis already.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/binlog/sql_lexer.h"

#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using testing::AssemblerTest;
using testing::Binlog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ContentDdl : public AssemblerTest {
 protected:
  static Binlog with(std::initializer_list<const char*> statements) {
    Binlog binlog(Flavor::mysql);
    for (const char* statement : statements) {
      binlog.gtid(Binlog::kStandalone);
      binlog.query(statement, "shop", binlog::sql_mode::kStrictTransTables);
    }
    return binlog;
  }
  // What it is stopped for, at the last statement.
  std::string why(std::initializer_list<const char*> statements) {
    settings_.stop_at_content_ddl = true;
    const Error e = refused(with(statements));
    EXPECT_EQ(e.code, Errc::pipeline_unsupported);
    EXPECT_THAT(e.what, HasSubstr("applier.on_content_ddl"));
    return e.what;
  }
  // Passes in either mode.
  void passes(std::initializer_list<const char*> statements) {
    for (const bool stop : {true, false}) {
      settings_.stop_at_content_ddl = stop;
      const Binlog binlog = with(statements);
      EXPECT_EQ((*played(binlog))->resume(), binlog.here());
    }
  }
  static constexpr const char* kCreate =
      "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(20), w INT) CHARSET latin1";
};

TEST_F(ContentDdl, StopsWhenAskedTo) {
  EXPECT_THAT(why({kCreate, "ALTER TABLE t DROP v"}), HasSubstr("shop.t: column v dropped"));
  EXPECT_THAT(why({kCreate, "ALTER TABLE t ADD x INT DEFAULT 1, MODIFY w DOUBLE"}),
              HasSubstr("shop.t: column w converted from int to double, column x added with"));
  EXPECT_THAT(why({kCreate, "ALTER TABLE t TRUNCATE PARTITION p"}), HasSubstr("rows went"));
  EXPECT_THAT(why({"ALTER TABLE t DROP PARTITION p"}), HasSubstr("shop.t: rows went or came"))
      << "whether the table is known or not";
  EXPECT_THAT(why({kCreate, "ALTER TABLE t ADD x FANCY"}), HasSubstr("cannot be followed"));
}

TEST_F(ContentDdl, IsToldAndPassedOtherwise) {
  const Binlog binlog = with({kCreate, "ALTER TABLE t DROP v"});
  EXPECT_EQ((*played(binlog))->resume(), binlog.here());
}

TEST_F(ContentDdl, OfTablesAndColumnsThatAreNotTakenIsNothing) {
  passes({kCreate, "ALTER TABLE t ADD x INT, ADD KEY (v)"});
  passes({"CREATE TABLE hidden (id INT PRIMARY KEY, v INT)", "ALTER TABLE hidden DROP v",
          "ALTER TABLE hidden DROP PARTITION p", "RENAME TABLE hidden TO hidden2"});
  TableOptions& entry = options_.tables.add();
  entry.match.set(Pattern("shop\\.t"));
  entry.columns.set({.include = {}, .exclude = {"V", "x"}});
  passes({kCreate, "ALTER TABLE t DROP v, ADD x INT DEFAULT 1"});
}

TEST_F(ContentDdl, TablesThatGetAnotherName) {
  EXPECT_THAT(why({kCreate, "RENAME TABLE t TO hidden"}),
              HasSubstr("shop.t: renamed to shop.hidden"));
  EXPECT_THAT(
      why({"CREATE TABLE hidden (id INT NOT NULL PRIMARY KEY)", "RENAME TABLE hidden TO t"}),
      HasSubstr("shop.t: its rows are now those that shop.hidden had"));
  TableOptions& shards = options_.tables.add();
  shards.match.set(Pattern("shop\\.t_\\d+"));
  shards.logical.set({"shop", "t"});
  passes({"CREATE TABLE t_1 (id INT NOT NULL PRIMARY KEY)", "RENAME TABLE t_1 TO t_2"});
}

TEST_F(ContentDdl, AnotherKeyWaitsForAllThatWasSent) {
  Binlog binlog = with({kCreate});
  binlog.transaction({{1}, {2}});
  const auto ddl = [&binlog](const char* statement) {
    binlog.gtid(Binlog::kStandalone);
    binlog.query(statement);
  };
  ddl("ALTER TABLE t ADD x INT");
  EXPECT_THAT(played(binlog)->barriers, IsEmpty());
  ddl("ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, x)");
  EXPECT_THAT(played(binlog)->barriers, ElementsAre(2)) << "rows handed over before it";
  ddl("ALTER TABLE t MODIFY x FANCY");
  EXPECT_THAT(played(binlog)->barriers, ElementsAre(2, 2)) << "who knows what it did";
}

TEST_F(ContentDdl, ColumnsThatDecideThePartitionWaitToo) {
  TableOptions& entry = options_.tables.add();
  entry.match.set(Pattern("shop\\.t"));
  entry.partition_by.set({"w"});
  EXPECT_THAT(played(with({kCreate, "ALTER TABLE t MODIFY w DOUBLE"}))->barriers, ElementsAre(0));
  EXPECT_THAT(played(with({kCreate, "ALTER TABLE t MODIFY v TEXT"}))->barriers, IsEmpty());
}

TEST_F(ContentDdl, ABarrierThatIsGivenUpEndsTheStatement) {
  auto a = assembly();
  (*a)->set_barrier([]() -> Status { return stopped(); });
  const Binlog binlog = with({kCreate, "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, w)"});
  const Status s = a->play(binlog.dump());
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::stopped);
  EXPECT_NE((*a)->resume(), binlog.here()) << "it is read again";
  EXPECT_THAT((*a)->resume().to_string(), Not(IsEmpty()));
}

}  // namespace
}  // namespace sluice::pipeline
