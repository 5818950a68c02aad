#include "pipeline/table_filter.h"

#include <gtest/gtest.h>

namespace sluice::pipeline {
namespace {

class TableFilterTest : public ::testing::Test {
 protected:
  Options options_;
  TableFilter filter_{options_};
};

TEST_F(TableFilterTest, TakesWhatIsIncludedAndNotExcluded) {
  options_.filter.include.set(PatternList{"shop\\..*", "crm\\.user"});
  options_.filter.exclude.set(PatternList{"shop\\.log_.*"});
  EXPECT_TRUE(filter_.takes("shop", "orders"));
  EXPECT_TRUE(filter_.takes("crm", "user"));
  EXPECT_FALSE(filter_.takes("crm", "users"));
  EXPECT_FALSE(filter_.takes("shop", "log_1"));
  EXPECT_FALSE(filter_.takes("shopping", "orders"));
}

TEST_F(TableFilterTest, NeverTakesSystemDatabases) {
  for (const char* database : {"mysql", "sys", "information_schema", "performance_schema"}) {
    EXPECT_FALSE(filter_.takes(database, "user"));
    EXPECT_FALSE(filter_.may_take_from(database));
  }
  EXPECT_TRUE(filter_.takes("mysql2", "user"));
}

TEST_F(TableFilterTest, RulesOutADatabaseOnlyWhenNoTableOfItCanBeTaken) {
  options_.filter.include.set(PatternList{"shop\\.a.*"});
  options_.filter.exclude.set(PatternList{"shop\\.ab"});
  EXPECT_TRUE(filter_.may_take_from("shop"));
  EXPECT_FALSE(filter_.may_take_from("shop2"));
  EXPECT_FALSE(filter_.may_take_from("crm"));
}

TEST_F(TableFilterTest, TheFirstEntryThatFitsRulesATable) {
  using By = event::PartitionRule::By;
  auto& first = options_.tables.add();
  first.match.set(Pattern("shop\\.queue"));
  first.single_partition.set(true);
  auto& second = options_.tables.add();
  second.match.set(Pattern("shop\\.plain"));
  auto& third = options_.tables.add();
  third.match.set(Pattern("shop\\..*"));
  third.partition_by.set({"customer", "day"});
  const auto rule = [this](const char* database, const char* table) {
    return filter_.rules(database, table).partition;
  };
  EXPECT_EQ(rule("shop", "queue").by, By::table);
  EXPECT_EQ(rule("shop", "plain").by, By::key);
  EXPECT_EQ(rule("shop", "orders").by, By::columns);
  EXPECT_EQ(rule("shop", "orders").columns, (std::vector<std::string>{"customer", "day"}));
  EXPECT_EQ(rule("crm", "orders").by, By::key);
}

TEST_F(TableFilterTest, GivesTheRulesOfATable) {
  auto& entry = options_.tables.add();
  entry.match.set(Pattern(R"(db_({00..63})\.(\w+)_\d+)"));
  entry.logical.set({"shop", R"(\2)"});
  entry.operations.set({true, false, true});
  entry.when.set(expr::Condition::parse("a = 1").value());
  entry.columns.set({{"id", "a"}, {"b"}});
  entry.mask.set(
      {{"c", Mask::Kind::sha256, ""}, {"d", Mask::Kind::null, ""}, {"e", Mask::Kind::fixed, "x"}});
  entry.mask_salt.set(Secret("salt"));
  const event::TableRules rules = filter_.rules("db_07", "orders_12");
  EXPECT_EQ(rules.database, "shop");
  EXPECT_EQ(rules.table, "orders");
  EXPECT_TRUE(rules.inserts);
  EXPECT_FALSE(rules.updates);
  EXPECT_TRUE(rules.removes);
  EXPECT_EQ(rules.when.text(), "a = 1");
  EXPECT_EQ(rules.shown_columns, (std::vector<std::string>{"id", "a"}));
  EXPECT_EQ(rules.hidden_columns, (std::vector<std::string>{"b"}));
  ASSERT_EQ(rules.masks.size(), 3U);
  EXPECT_EQ(rules.masks[0].kind, event::ColumnMask::Kind::sha256);
  EXPECT_EQ(rules.masks[1].kind, event::ColumnMask::Kind::null);
  EXPECT_EQ(rules.masks[2].column, "e");
  EXPECT_EQ(rules.masks[2].kind, event::ColumnMask::Kind::fixed);
  EXPECT_EQ(rules.masks[2].text, "x");
  EXPECT_EQ(rules.salt.reveal(), "salt");

  const event::TableRules none = filter_.rules("db_64", "orders_12");
  EXPECT_EQ(none.database, "");
  EXPECT_EQ(none.table, "");
  EXPECT_TRUE(none.when.empty());
  EXPECT_TRUE(none.updates);
}

// lower_case_table_names: 0 tells case apart, 1 and 2 do not.
TEST_F(TableFilterTest, ComparesNamesAsTheSourceDoes) {
  options_.filter.include.set(PatternList{R"(Shop\..*)"});
  options_.filter.exclude.set(PatternList{R"(shop\.Tmp.*)"});
  auto& entry = options_.tables.add();
  entry.match.set(Pattern(R"(SHOP\.(.*))"));
  entry.logical.set({"", R"(all_\1)"});
  const TableFilter exact(options_);
  EXPECT_FALSE(exact.takes("shop", "orders"));
  EXPECT_TRUE(exact.takes("Shop", "tmp"));
  EXPECT_TRUE(exact.takes("Shop", "Orders"));
  EXPECT_FALSE(exact.may_take_from("shop"));
  EXPECT_EQ(exact.rules("Shop", "Orders").table, "");
  const TableFilter folding(options_, NameCase::is_the_same);
  EXPECT_TRUE(folding.takes("shop", "orders"));
  EXPECT_TRUE(folding.takes("SHOP", "Orders"));
  EXPECT_FALSE(folding.takes("Shop", "tmp"));
  EXPECT_TRUE(folding.may_take_from("shop"));
  EXPECT_EQ(folding.rules("shop", "Orders").table, "all_Orders");
  EXPECT_EQ(folding.rules("shop", "Orders").database, "");
}

TEST_F(TableFilterTest, SystemDatabasesAreKnownInAnyCaseWhereCaseMeansNothing) {
  const TableFilter folding(options_, NameCase::is_the_same);
  EXPECT_FALSE(folding.takes("MySQL", "user"));
  EXPECT_FALSE(folding.may_take_from("SYS"));
  EXPECT_TRUE(filter_.takes("MySQL", "user"));
}

}  // namespace
}  // namespace sluice::pipeline
