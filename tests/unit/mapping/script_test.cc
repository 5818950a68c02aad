#include <gmock/gmock.h>

#include "unit/mapping/maps.h"

namespace sluice::mapping {
namespace {

using testing::Commands;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Maps;
using ::testing::StartsWith;
using testing::Table;

constexpr const char* kRule = R"(
function on_row(change, out)
  local row = change.row
  if row.name == 'bad' then out:count('n', 1); error('bad name') end
  out:set_add('of:' .. row.name, row.id)
  out:count('sum', row.id)
  out:publish('types', math.type(row.id) .. ' ' .. type(row.total) .. ' ' .. (math.type(row.half) or 'none'))
end
)";

// shop.user with a script, behind a hash when `hash`.
std::unique_ptr<Options> scripted(bool hash, const std::string& text = kRule,
                                  std::vector<std::string> key_columns = {}) {
  auto out = std::make_unique<Options>();
  TableOptions& table = out->tables.add();
  table.script.set({"rule.lua", text});
  table.script_key_columns.set(std::move(key_columns));
  if (hash) table.mappings.add();
  return out;
}

Table table() {
  return Table(
      {{"id", "int"}, {"name", "varchar(9)"}, {"total", "decimal(8,2)"}, {"half", "double"}},
      {"id"});
}

TEST(MapperScript, ComesBehindTheMappings) {
  Maps maps(scripted(true));
  EXPECT_EQ(
      maps(table().insert({"7", "ann", "1.50", "0.5"})),
      (Commands{{"HSET", "shop:user:7", "id", "7", "name", "ann", "total", "1.50", "half", "0.5"},
                {"SADD", "of:ann", "7"},
                {"INCRBY", "sum", "7"},
                {"PUBLISH", "types", "integer string float"}}));
}

TEST(MapperScript, IsAloneWithoutMappings) {
  Maps maps(scripted(false));
  EXPECT_EQ(maps(table().insert({"7", "ann", "1.50", "0.5"})).size(), 3U);
}

TEST(MapperScript, ThatFailsTakesBackTheWholeRow) {
  Maps maps(scripted(true));
  const Error error = maps.refusal(table().insert({"7", "bad", "1.50", "0.5"}));
  EXPECT_EQ(error.cls, ErrorClass::poison);
  EXPECT_EQ(error.code, Errc::config_invalid);
  EXPECT_EQ(error.what, "rule.lua:4: bad name");
  EXPECT_EQ(maps(table().insert({"7", "ann", "1.50", "0.5"})).size(), 4U);
}

TEST(MapperScript, WritesOnceMoreOnlyWhatMayBe) {
  Maps maps(scripted(true));
  const Table of = table();
  const ChangeView view = of.insert({"7", "ann", "1.50", "0.5"});
  TextBuffer out;
  CommandCounts counts;
  ASSERT_TRUE(maps.mapper().append_again(view, view.rows.front(), out, counts).ok());
  EXPECT_EQ(counts.commands, 2U);
  EXPECT_EQ(testing::commands_of(out.view())[1], (testing::Command{"SADD", "of:ann", "7"}));
}

TEST(MapperScript, TellsItsKeys) {
  Maps maps(scripted(true));
  EXPECT_THAT(maps.keys(table().insert({"7", "ann", "1.50", "0.5"})),
              ElementsAre("hash shop:user:7", "set of:ann", "string sum"));
}

TEST(MapperScript, FollowsATableWhoseColumnsChange) {
  Maps maps(scripted(false, "function on_row(change, out) out:hash('k', change.row) end"));
  EXPECT_EQ(maps(Table({{"a", "int"}}, {}, 1).insert({"1"})), (Commands{{"HSET", "k", "a", "1"}}));
  EXPECT_EQ(maps(Table({{"b", "int"}, {"a", "int"}}, {}, 2).insert({"2", "1"})),
            (Commands{{"HSET", "k", "a", "1", "b", "2"}}));
  EXPECT_EQ(maps(Table({{"a", "int"}}, {}, 1).insert({"3"})), (Commands{{"HSET", "k", "a", "3"}}));
}

TEST(MapperScript, ThatCannotBeReadIsSaidWithItsLine) {
  const auto options = scripted(false, "function on_row(change, out)\n  x = = 1\nend");
  const Status s = check_scripts(*options);
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::fatal);
  EXPECT_EQ(s.error().code, Errc::config_invalid);
  EXPECT_THAT(s.error().what, StartsWith("tables[0].script: rule.lua:2: unexpected symbol"));
  Maps maps(scripted(false, "x = = 1"));
  EXPECT_EQ(maps.refusal(table().insert({"7", "ann", "1.50", "0.5"})).cls, ErrorClass::fatal);
  EXPECT_TRUE(check_scripts(*scripted(true)).ok());
}

// What is wrong with it when these columns choose the partition; empty: nothing.
std::string refused(const std::vector<std::string>& key_columns,
                    const std::vector<std::string>& partition) {
  TableSchema schema;
  schema.database = "shop";
  schema.name = "user";
  for (const char* const name : {"id", "name"}) {
    ColumnSchema c;
    c.name = name;
    c.mysql_type = "int";
    schema.columns.push_back(c);
  }
  schema.primary_key = {0};
  const Status s = check(*scripted(false, kRule, key_columns), 0, schema, {}, partition);
  return s.ok() ? "" : s.error().what;
}

TEST(MapperScript, IsOfOnePartitionUnlessItsKeysAreTold) {
  EXPECT_EQ(refused({}, {}), "");
  EXPECT_EQ(refused({"id"}, {"id"}), "");
  EXPECT_EQ(refused({"ID", "name"}, {"id"}), "");
  EXPECT_EQ(
      refused({}, {"id"}),
      "tables[0].script for shop.user: rows of several partitions (which id choose) may be one "
      "and the same in Redis by what its script does, and the older could be written last: set "
      "single_partition: true for the table, or script_key_columns: [id] if these are in every "
      "key (or member) that the script writes to");
  EXPECT_THAT(refused({"name"}, {"id"}),
              HasSubstr("set partition_by: [name], or set single_partition"));
  EXPECT_THAT(refused({"nothing"}, {}),
              HasSubstr("script_key_columns: shop.user has no column nothing"));
}

TEST(MapperScript, TellsNoPatternOfItsKeys) {
  TableSchema schema;
  schema.database = "shop";
  schema.name = "user";
  const auto patterns = key_patterns(*scripted(false), 0, schema, {});
  ASSERT_TRUE(patterns.ok());
  EXPECT_TRUE(patterns->empty());
}

}  // namespace
}  // namespace sluice::mapping
