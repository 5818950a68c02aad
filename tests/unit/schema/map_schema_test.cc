#include "sluice/schema/map_schema.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema_text.h"
#include "table_builder.h"

namespace sluice::schema {
namespace {

using binlog::ColumnType;
using testing::ElementsAre;

std::vector<binlog::MapColumn> every_kind() {
  auto labelled = collated(logged(ColumnType::enum_, 1), kLatin1);
  labelled.labels = {"a", "\xE4"};
  auto point = logged(ColumnType::geometry, 4);
  point.geometry_type = 1;
  return {unsigned_(logged(ColumnType::long_)),
          logged(ColumnType::newdecimal, 10, 2),
          logged(ColumnType::double_, 8),
          collated(logged(ColumnType::varchar, 80), kUtf8mb4),
          collated(logged(ColumnType::blob, 2), kBinary),
          collated(logged(ColumnType::string, 16), kBinary),
          logged(ColumnType::datetime2, 3),
          logged(ColumnType::year),
          labelled,
          point,
          logged(ColumnType::bit, 9),
          logged(ColumnType::date)};
}

binlog::TableMap full_map() {
  std::vector<std::pair<std::string, binlog::MapColumn>> columns;
  for (auto& c : every_kind()) columns.emplace_back("c" + std::to_string(columns.size()), c);
  return full(std::move(columns));
}

TEST(SchemaFromMap, SaysAllThatFullMetadataTells) {
  EXPECT_EQ(
      table_text(schema_from_map(full_map(), Flavor::mysql)),
      "c0 int unsigned not null; c1 decimal(10,2) not null; c2 double not null; c3 varchar(20) "
      "utf8mb4 not null; c4 blob not null; c5 binary(16) not null; c6 datetime(3) not null; c7 "
      "year not null; c8 enum('a','\xC3\xA4') latin1 not null; c9 point not null; c10 bit(9) "
      "not null; c11 date not null");
}

TEST(SchemaFromMap, LeavesOpenWhatMariadbDoesNotTell) {
  const TableSchema t = schema_from_map(full_map(), Flavor::mariadb);
  EXPECT_EQ(t.columns[0].mysql_type, "int(10) unsigned");
  EXPECT_EQ(t.columns[5].type, DeclaredType::unknown);  // BINARY(16), INET6 or UUID
  EXPECT_EQ(t.columns[5].mysql_type, "string");
  EXPECT_EQ(t.columns[7].mysql_type, "year(4)");
}

TEST(SchemaFromMap, SaysWhatTheTypesAloneTell) {
  const TableSchema t = schema_from_map(bare(every_kind()), Flavor::mariadb);
  EXPECT_EQ(
      table_text(t),
      "@1 long not null; @2 decimal(10,2) not null; @3 double not null; @4 varchar not null; @5 "
      "blob not null; @6 string not null; @7 datetime(3) not null; @8 year(4) not null; @9 enum "
      "not null; @10 point not null; @11 bit(9) not null; @12 date not null");
  for (const std::size_t i : {0U, 3U, 4U, 5U, 8U})
    EXPECT_EQ(t.columns[i].type, DeclaredType::unknown) << i;
  for (const std::size_t i : {1U, 2U, 6U, 7U, 9U, 10U, 11U})
    EXPECT_NE(t.columns[i].type, DeclaredType::unknown) << i;
  EXPECT_EQ(t.columns[1].precision, 10);
  EXPECT_EQ(t.columns[1].scale, 2);
  EXPECT_EQ(t.columns[6].scale, 3);
  EXPECT_EQ(t.columns[10].length, 9U);
}

TEST(SchemaFromMap, DoesNotGuessTheDigitsOfOldTimesOfMariadb) {
  const auto map = bare({logged(ColumnType::time), logged(ColumnType::datetime)});
  EXPECT_EQ(table_text(schema_from_map(map, Flavor::mariadb)),
            "@1 time not null; @2 datetime not null");
  EXPECT_EQ(schema_from_map(map, Flavor::mariadb).columns[0].type, DeclaredType::unknown);
  EXPECT_EQ(schema_from_map(map, Flavor::mysql).columns[0].type, DeclaredType::time);
}

TEST(SchemaFromMap, TakesNoLabelsThatAreNotText) {
  auto labelled = logged(ColumnType::enum_, 1);
  labelled.labels = {"\xE4"};
  auto map = full({{"e", labelled}});
  map.has_label_charsets = false;
  EXPECT_EQ(schema_from_map(map, Flavor::mysql).columns[0].type, DeclaredType::unknown);
}

TEST(SchemaFromMap, TakesNamesKeysAndVisibility) {
  auto map = full({{"a", logged(ColumnType::date)}, {"b", logged(ColumnType::date)}});
  map.columns[0].visible = false;
  map.columns[1].nullable = true;
  map.has_primary_key = true;
  map.primary_key = {{1, 0}, {0, 3}, {7, 0}};
  const TableSchema t = schema_from_map(map, Flavor::mysql);
  EXPECT_EQ(t.database, "shop");
  EXPECT_EQ(t.name, "t");
  EXPECT_EQ(table_text(t), "a date not null invisible; b date; primary (1,0)");
}

TEST(SchemaFromMap, HidesTheColumnsOfFunctionalIndexes) {
  auto made = logged(ColumnType::longlong);
  made.of_index = true;
  EXPECT_EQ(table_text(schema_from_map(
                full({{"id", logged(ColumnType::long_)}, {"!hidden!k!0!0", made}}), Flavor::mysql)),
            "id int not null; !hidden!k!0!0 bigint not null hidden");
}

}  // namespace
}  // namespace sluice::schema
