// What the rules of a table do to its events on their way through the assembler.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using testing::AssemblerTest;
using testing::Assembly;
using testing::Binlog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SentRow;

class RulesTest : public AssemblerTest {
 protected:
  TableOptions& rules(std::string_view match = R"(shop\.t)") {
    TableOptions& entry = options_.tables.add();
    entry.match.set(Pattern(match));
    return entry;
  }
};

TEST_F(RulesTest, EventsOfOtherOperationsAreCountedAndNotCut) {
  rules().operations.set({true, false, true});
  Binlog binlog(Flavor::mysql);
  binlog.use_table_id(77);
  const std::uint64_t start = binlog.begin();
  binlog.table_map("t");
  // An UPDATE of table 77 whose rows nobody could read.
  ByteWriter body;
  body.le<6>(77).le<2>(1).le<2>(2).lenenc(2).le<1>(3).le<1>(3).bytes("\xff\xff\xff");
  binlog.add(binlog::EventType::update_rows, body.str());
  binlog.insert({{1}});
  binlog.xid();
  const auto a = played(binlog);
  ASSERT_THAT(a->sink.keys(), ElementsAre("1"));
  EXPECT_EQ(a->sink.rows[0].id, (EventId{1, 1, start, 1, 0, 0}));
}

TEST_F(RulesTest, ATransactionOfRowsThatAreLeftOutIsOneWithoutRows) {
  rules().when.set(expr::Condition::parse("v = 'keep'").value());
  Binlog binlog(Flavor::mysql);
  binlog.transaction({{1, "drop"}, {2, "drop"}});
  binlog.transaction({{3, "drop"}, {4, "keep"}});
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), ElementsAre("4"));
  EXPECT_EQ(a->sink.adds, 1);
  EXPECT_EQ((*a)->resume(), binlog.here());
  EXPECT_EQ(a->counters.rows_read.load(), 1U);
}

TEST_F(RulesTest, RollbackToASavepointKeepsTheCountOfRowsTaken) {
  rules().when.set(expr::Condition::parse("v = 'keep'").value());
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1, "keep"}, {2, "drop"}});
  binlog.query("SAVEPOINT a");
  binlog.table_map("t");
  binlog.insert({{3, "keep"}, {4, "drop"}});
  binlog.query("ROLLBACK TO a");
  binlog.xid();
  EXPECT_THAT(played(binlog)->sink.keys(), ElementsAre("1"));  // the sink compares the counts
}

TEST_F(RulesTest, ShardsAreOneTable) {
  rules(R"((shop)\.t_\d+)").logical.set({R"(\1_all)", "t"});
  Binlog binlog(Flavor::mysql);
  for (const char* table : {"t_0", "t_1"}) binlog.transaction({{1}, {2}, {3}, {4}}, table);
  binlog.transaction({{1}}, "other");
  const auto a = played(binlog);
  ASSERT_EQ(a->sink.rows.size(), 9U);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(a->sink.rows[i].table, "shop_all.t");
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(a->sink.rows[i].key, a->sink.rows[i + 4].key);
    EXPECT_EQ(a->sink.rows[i].partition, a->sink.rows[i + 4].partition) << "by the logical name";
  }
  EXPECT_EQ(a->sink.rows[8].table, "shop.other");
}

TEST_F(RulesTest, OurOwnPrefixIsRefusedWhereverItComesFrom) {
  rules().logical.set({"sluice", ""});
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.table_map("t");
  EXPECT_THAT(refused(binlog).what, HasSubstr("rows of shop.t go by the database \"sluice\""));
}

TEST_F(RulesTest, RulesThatTheTableCannotHaveStopWithTheirPlace) {
  rules().when.set(expr::Condition::parse("v = 'x' and total > 1").value());
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.table_map("t");
  const Error error = refused(binlog);
  EXPECT_EQ(error.code, Errc::config_invalid);
  EXPECT_THAT(error.what, HasSubstr("shop.t: when: 1:13: the table has no column `total`"));
}

TEST_F(RulesTest, NamesAreComparedAsTheSourceDoes) {
  options_.filter.include.set(PatternList{R"(SHOP\.T)"});
  Binlog binlog(Flavor::mysql);
  binlog.transaction({{1}});
  EXPECT_THAT(played(binlog)->sink.rows, IsEmpty());
  const TableFilter folding(options_, NameCase::is_the_same);
  Assembly a(settings_, folding, clock_, folder_.path() / "xa");
  a.start({Binlog::file_name(1), 4});
  ASSERT_TRUE(a.play(binlog.dump()).ok());
  EXPECT_THAT(a.sink.keys(), ElementsAre("1"));
}

}  // namespace
}  // namespace sluice::pipeline
