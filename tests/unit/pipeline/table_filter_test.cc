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
  EXPECT_EQ(filter_.rule("shop", "queue").by, By::table);
  EXPECT_EQ(filter_.rule("shop", "plain").by, By::key);
  EXPECT_EQ(filter_.rule("shop", "orders").by, By::columns);
  EXPECT_EQ(filter_.rule("shop", "orders").columns, (std::vector<std::string>{"customer", "day"}));
  EXPECT_EQ(filter_.rule("crm", "orders").by, By::key);
}

}  // namespace
}  // namespace sluice::pipeline
