#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "table_builder.h"

namespace sluice::schema {
namespace {

using binlog::ColumnType;

class FakeSource final : public SchemaSource {
 public:
  Result<TableSchema> read_table(std::string_view database, std::string_view name) override {
    ++reads;
    const auto found = tables.find(std::string(database) + "." + std::string(name));
    if (found == tables.end()) return fatal(Errc::schema_missing, "no such table");
    return found->second;
  }
  std::map<std::string, TableSchema> tables;
  int reads = 0;
};

binlog::TableMap two_ints() {
  return full({{"id", logged(ColumnType::long_)}, {"v", logged(ColumnType::long_)}});
}

TEST(Catalog, ReadsATableOnceUntilForgotten) {
  FakeSource source;
  source.tables["shop.t"] = table({column("id", "int"), column("v", "int")}, {0});
  Catalog catalog(source);
  ASSERT_TRUE(catalog.resolve(two_ints(), Flavor::mariadb).ok());
  ASSERT_TRUE(catalog.resolve(two_ints(), Flavor::mariadb).ok());
  EXPECT_EQ(source.reads, 1);
  catalog.forget();
  ASSERT_TRUE(catalog.resolve(two_ints(), Flavor::mariadb).ok());
  EXPECT_EQ(source.reads, 2);
}

TEST(Catalog, ReadsAnewWhenTheTableNoLongerFits) {
  FakeSource source;
  source.tables["shop.t"] = table({column("id", "int")}, {0});
  Catalog catalog(source);
  ASSERT_TRUE(catalog.resolve(bare({logged(ColumnType::long_)}), Flavor::mysql).ok());
  source.tables["shop.t"] = table({column("id", "int"), column("v", "int")}, {0});
  const auto fitted =
      catalog.resolve(bare({logged(ColumnType::long_), logged(ColumnType::long_)}), Flavor::mysql);
  ASSERT_TRUE(fitted.ok());
  EXPECT_EQ(fitted->columns.size(), 2U);
  EXPECT_EQ(source.reads, 2);
}

TEST(Catalog, SaysWhatDoesNotFitAfterReadingAnew) {
  FakeSource source;
  source.tables["shop.t"] = table({column("id", "int")}, {0});
  Catalog catalog(source);
  const auto fitted = catalog.resolve(bare({logged(ColumnType::longlong)}), Flavor::mysql);
  ASSERT_FALSE(fitted.ok());
  EXPECT_EQ(fitted.error().code, Errc::schema_mismatch);
  EXPECT_EQ(source.reads, 1);
}

TEST(Catalog, PassesTheSourcesErrorOnWithTheTablesName) {
  FakeSource source;
  Catalog catalog(source);
  const auto fitted = catalog.resolve(two_ints(), Flavor::mysql);
  ASSERT_FALSE(fitted.ok());
  EXPECT_EQ(fitted.error().code, Errc::schema_missing);
  EXPECT_THAT(fitted.error().what, testing::HasSubstr("shop.t"));
}

TEST(Catalog, StopsWhenADdlChangesTheRowKey) {
  FakeSource source;
  source.tables["shop.t"] = table({column("id", "int"), column("v", "int")}, {0});
  Catalog catalog(source);
  ASSERT_TRUE(catalog.resolve(two_ints(), Flavor::mariadb).ok());
  source.tables["shop.t"].primary_key = {0, 1};
  catalog.forget();
  const auto fitted = catalog.resolve(two_ints(), Flavor::mariadb);
  ASSERT_FALSE(fitted.ok());
  EXPECT_EQ(fitted.error().code, Errc::schema_key_changed);
  EXPECT_EQ(fitted.error().cls, ErrorClass::fatal);
  EXPECT_THAT(fitted.error().what, testing::HasSubstr("(id)"));
  EXPECT_THAT(fitted.error().what, testing::HasSubstr("(id, v)"));
}

TEST(Catalog, ADdlThatKeepsTheRowKeyIsFine) {
  FakeSource source;
  source.tables["shop.t"] = table({column("id", "int"), column("v", "int")}, {0});
  Catalog catalog(source);
  ASSERT_TRUE(catalog.resolve(two_ints(), Flavor::mariadb).ok());
  source.tables["shop.t"] =
      table({column("v", "int"), column("id", "int"), column("w", "int")}, {1});
  catalog.forget();
  EXPECT_TRUE(catalog.resolve(two_ints(), Flavor::mariadb).ok());
}

TEST(Catalog, TellsTablesWithPointsInTheirNamesApart) {
  FakeSource source;
  source.tables["a.b.c"] = table({column("id", "int"), column("v", "int")}, {0});
  Catalog catalog(source);
  auto first = two_ints();
  first.database = "a.b";
  first.table = "c";
  auto second = two_ints();
  second.database = "a";
  second.table = "b.c";
  ASSERT_TRUE(catalog.resolve(first, Flavor::mariadb).ok());
  ASSERT_TRUE(catalog.resolve(second, Flavor::mariadb).ok());
  EXPECT_EQ(source.reads, 2);
}

}  // namespace
}  // namespace sluice::schema
