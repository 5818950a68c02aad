#include <gtest/gtest.h>

#include "sluice/base/hash.h"

#include "unit/event/fixture.h"

namespace sluice::event::test {
namespace {

// The published vectors of format version 1, for table shop.user.  They never change: other numbers
// would send rows to other queues.  Computed by an independent XXH64.
constexpr std::uint64_t kSeed = 0x0ce4236f3ff5829b;  // XXH64("shop" NUL "user")
constexpr std::uint32_t kMany = 1000003;

std::uint32_t partition_of(const std::vector<Column>& columns,
                           const std::vector<std::uint16_t>& key, const Image& row,
                           std::uint32_t partitions, const RenderOptions& options = {}) {
  const auto plan = plan_of(columns, key, options);
  EXPECT_TRUE(plan.ok()) << to_string(plan.error());
  TextBuffer scratch;
  const auto p = (*plan)->partition(row.cells(), partitions, scratch);
  EXPECT_TRUE(p.ok());
  return p.ok() ? *p : ~0U;
}

TableRules by(PartitionRule::By what, std::vector<std::string> columns) {
  TableRules rules;
  rules.partition = {what, std::move(columns)};
  return rules;
}

TEST(Partition, SeedIsTheHashOfTheTable) {
  EXPECT_EQ(xxh64(std::string_view("shop\0user", 9)), kSeed);
  EXPECT_EQ(xxh64(""), 0xEF46DB3751D8E999);
}

TEST(Partition, Vectors) {
  EXPECT_EQ(partition_of({int_column("id")}, {0}, Image().int32(8), 8), 5U);
  EXPECT_EQ(partition_of({int_column("id")}, {0}, Image().int32(8), kMany), 363345U);
  EXPECT_EQ(partition_of({int_column("id")}, {0}, Image().int32(-1), kMany), 580716U);
  const Column big = {
      "id", "bigint unsigned", DeclaredType::bigint, binlog::ColumnType::longlong, 0, 0, true};
  EXPECT_EQ(partition_of({big}, {0}, Image().hex("ffffffffffffffff"), kMany), 114318U);
  // Text is hashed as UTF-8, whatever its character set.
  EXPECT_EQ(partition_of({varchar_column("k")}, {0}, Image().value("Ä"), kMany), 175825U);
  EXPECT_EQ(partition_of({varchar_column("k", "latin1")}, {0}, Image().hex("c4"), kMany), 175825U);
  EXPECT_EQ(partition_of({varchar_column("k")}, {0}, Image().value(std::string(40, 'x')), kMany),
            903001U);
  // Two columns in key order: "a" NUL "7".
  EXPECT_EQ(partition_of({int_column("n"), varchar_column("k")}, {1, 0},
                         Image().int32(7).value("a"), kMany),
            717449U);
  // BINARY(2), its zero byte back.
  EXPECT_EQ(partition_of({binary_column("b", 2)}, {0}, Image().hex("ff"), kMany), 768460U);
}

TEST(Partition, OfBinaryDoesNotHangOnBase64) {
  RenderOptions options;
  options.binary_base64 = true;
  EXPECT_EQ(partition_of({binary_column("b", 2)}, {0}, Image().hex("ff"), kMany, options), 768460U);
}

TEST(Partition, OfATimestampIsItsTextInTheConfiguredZone) {
  RenderOptions options;
  options.time_zone_seconds = 7200;
  const Column at = {"at", "timestamp", DeclaredType::timestamp, binlog::ColumnType::timestamp2};
  EXPECT_EQ(partition_of({at}, {0}, Image().hex("6a48dc40"), kMany, options), 218409U);
}

TEST(Partition, NullHasItsOwnBytes) {
  const TableRules rule = by(PartitionRule::By::columns, {"k"});
  const auto plan = plan_of({int_column("id"), varchar_column("k")}, {0}, {}, rule);
  ASSERT_TRUE(plan.ok());
  TextBuffer scratch;
  EXPECT_EQ(*(*plan)->partition(Image().int32(1).null().cells(), kMany, scratch), 708444U);
}

TEST(Partition, ATableWithoutKeyIsOne) {
  const auto plan = plan_of({varchar_column("k")}, {});
  ASSERT_TRUE(plan.ok());
  EXPECT_FALSE((*plan)->partitioned_by_row());
  TextBuffer scratch;
  EXPECT_EQ(*(*plan)->partition(Image().value("a").cells(), kMany, scratch), 769714U);
  EXPECT_EQ(*(*plan)->partition(Image().value("b").cells(), 8, scratch), 3U);
}

TEST(Partition, TheRuleTableMakesOneOfATableWithKey) {
  const auto plan = plan_of({int_column("id")}, {0}, {}, by(PartitionRule::By::table, {}));
  ASSERT_TRUE(plan.ok());
  EXPECT_FALSE((*plan)->partitioned_by_row());
  EXPECT_FALSE((*plan)->partition_key_changed(Image().int32(1).cells(), Image().int32(2).cells()));
}

TEST(Partition, AUniqueKeyStandsInForThePrimaryKey) {
  const std::vector<Column> columns = {varchar_column("a"), int_column("b")};
  TableSchema schema = schema_of(columns, {});
  schema.unique_keys = {{"ua", {0}, true, false}, {"ub", {1}, false, false}};
  const auto plan = TablePlan::make(map_of(columns), schema, {}, {});
  ASSERT_TRUE(plan.ok());
  TextBuffer scratch;
  EXPECT_EQ(*(*plan)->partition(Image().null().int32(8).cells(), kMany, scratch), 363345U);
}

TEST(Partition, AnAbsentKeyColumnComesFromTheBeforeImage) {
  const auto plan = plan_of({int_column("n"), varchar_column("k")}, {1, 0});
  ASSERT_TRUE(plan.ok());
  TextBuffer scratch;
  const auto before = Image().int32(6).value("a");
  const auto after = Image().int32(7).absent();
  EXPECT_EQ(*(*plan)->partition(after.cells(), before.cells(), kMany, scratch), 717449U);
  EXPECT_TRUE((*plan)->partition_key_changed(before.cells(), after.cells()));
  EXPECT_FALSE((*plan)->partition_key_changed(before.cells(), Image().absent().absent().cells()));
  EXPECT_FALSE((*plan)->partition_key_changed(before.cells(), Image().int32(6).value("a").cells()));
  EXPECT_TRUE((*plan)->partition_key_changed(before.cells(), Image().int32(6).value("A").cells()));
}

TEST(Partition, AnImageThatLacksTheKeyIsRefused) {
  const auto plan = plan_of({int_column("n"), varchar_column("k")}, {1, 0});
  ASSERT_TRUE(plan.ok());
  TextBuffer scratch;
  const auto p = (*plan)->partition(Image().int32(7).absent().cells(), kMany, scratch);
  ASSERT_FALSE(p.ok());
  EXPECT_EQ(p.error().code, Errc::binlog_unsupported);
  EXPECT_NE(p.error().what.find("shop.user.k"), std::string::npos);
}

TEST(Partition, ARuleWithAnUnknownColumnIsRefusedByName) {
  const auto plan =
      plan_of({int_column("id")}, {0}, {}, by(PartitionRule::By::columns, {"id", "shop_id"}));
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().cls, ErrorClass::fatal);
  EXPECT_EQ(plan.error().code, Errc::schema_mismatch);
  EXPECT_EQ(plan.error().what,
            "shop.user: partition_by names column shop_id, which the table does not have");
}

TEST(Partition, AJsonColumnIsHashedWithItsDiffsApplied) {
  const Column document{"j", "json", DeclaredType::json, binlog::ColumnType::json, 4};
  TableRules rule;
  rule.partition.by = PartitionRule::By::columns;
  rule.partition.columns = {"j"};
  const auto plan = plan_of({int_column("id"), document}, {0}, {}, rule);
  ASSERT_TRUE(plan.ok());
  const Image before = Image().int32(1).hex("0001000c000b00010005010061");
  const Image after = Image().int32(1).diff("0003242e6103050700");
  const Image same = Image().int32(1).diff("");
  TextBuffer scratch;
  ASSERT_TRUE((*plan)->partition(after.cells(), before.cells(), 8, scratch).ok());
  EXPECT_EQ(scratch.view(), R"({"a": 7})");
  EXPECT_TRUE((*plan)->partition_key_changed(before.cells(), after.cells()));
  EXPECT_FALSE((*plan)->partition_key_changed(before.cells(), same.cells()));
  const auto lacking =
      (*plan)->partition(after.cells(), Image().int32(1).absent().cells(), 8, scratch);
  ASSERT_FALSE(lacking.ok());
  EXPECT_EQ(lacking.error().code, Errc::binlog_unsupported);
}

}  // namespace
}  // namespace sluice::event::test
