#include "schema/fit.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema_text.h"
#include "table_builder.h"

namespace sluice::schema {
namespace {

using binlog::ColumnType;
using testing::HasSubstr;

struct Pair {
  const char* declared;
  const char* charset;
  binlog::MapColumn column;
  bool fits;
  Flavor flavor = Flavor::mysql;
};

class DeclaredAndLogged : public testing::TestWithParam<Pair> {};

TEST_P(DeclaredAndLogged, AgreeOrDoNotWithoutNames) {
  const Pair& p = GetParam();
  const auto fitted = fit(bare({p.column}), table({column("c", p.declared, p.charset)}), p.flavor);
  ASSERT_EQ(fitted.ok(), p.fits) << p.declared << (fitted.ok() ? "" : ": " + fitted.error().what);
  if (!p.fits) {
    EXPECT_EQ(fitted.error().cls, ErrorClass::fatal);
    EXPECT_EQ(fitted.error().code, Errc::schema_mismatch);
    EXPECT_THAT(fitted.error().what, HasSubstr("shop.t"));
    EXPECT_THAT(fitted.error().what, HasSubstr("`c`"));
    EXPECT_THAT(fitted.error().what, HasSubstr(p.declared));
    EXPECT_THAT(fitted.error().what, HasSubstr("SET GLOBAL binlog_row_metadata = 'FULL'"));
  }
}

constexpr Flavor kMaria = Flavor::mariadb;

INSTANTIATE_TEST_SUITE_P(
    EveryType, DeclaredAndLogged,
    testing::Values(Pair{"tinyint", "", logged(ColumnType::tiny), true},
                    Pair{"tinyint", "", logged(ColumnType::short_), false},
                    Pair{"smallint", "", logged(ColumnType::short_), true},
                    Pair{"mediumint", "", logged(ColumnType::int24), true},
                    Pair{"int(11)", "", logged(ColumnType::long_), true},
                    Pair{"bigint", "", logged(ColumnType::longlong), true},
                    Pair{"int", "", logged(ColumnType::longlong), false},
                    Pair{"decimal(10,2)", "", logged(ColumnType::newdecimal, 10, 2), true},
                    Pair{"decimal(10,2)", "", logged(ColumnType::newdecimal, 10, 3), false},
                    Pair{"decimal(10,2)", "", logged(ColumnType::newdecimal, 12, 2), false},
                    Pair{"float", "", logged(ColumnType::float_, 4), true},
                    Pair{"double", "", logged(ColumnType::double_, 8), true},
                    Pair{"double", "", logged(ColumnType::float_, 4), false},
                    Pair{"bit(33)", "", logged(ColumnType::bit, 33), true},
                    Pair{"bit(33)", "", logged(ColumnType::bit, 34), false},
                    Pair{"date", "", logged(ColumnType::date), true},
                    Pair{"date", "", logged(ColumnType::datetime2, 0), false},
                    Pair{"time(3)", "", logged(ColumnType::time2, 3), true},
                    Pair{"time(3)", "", logged(ColumnType::time2, 2), false},
                    Pair{"time", "", logged(ColumnType::time), true},
                    Pair{"time(3)", "", logged(ColumnType::time), false},
                    Pair{"time(3)", "", logged(ColumnType::time), true, kMaria},
                    Pair{"datetime(6)", "", logged(ColumnType::datetime2, 6), true},
                    Pair{"datetime(6)", "", logged(ColumnType::timestamp2, 6), false},
                    Pair{"timestamp", "", logged(ColumnType::timestamp2, 0), true},
                    Pair{"timestamp", "", logged(ColumnType::timestamp), true},
                    Pair{"year", "", logged(ColumnType::year), true},
                    Pair{"char(10)", "utf8mb4", logged(ColumnType::string, 40), true},
                    Pair{"char(10)", "latin1", logged(ColumnType::string, 40), false},
                    Pair{"varchar(10)", "latin1", logged(ColumnType::varchar, 10), true},
                    Pair{"varchar(10)", "utf8mb3", logged(ColumnType::varchar, 30), true},
                    Pair{"varchar(10)", "utf8mb3", logged(ColumnType::varchar, 40), false},
                    Pair{"varchar(10)", "utf8mb3", logged(ColumnType::string, 30), false},
                    Pair{"varchar(10) COMPRESSED", "latin1",
                         logged(ColumnType::varchar_compressed, 11), true, kMaria},
                    Pair{"text COMPRESSED", "latin1", logged(ColumnType::blob_compressed, 2), true,
                         kMaria},
                    Pair{"tinytext", "latin1", logged(ColumnType::blob, 1), true},
                    Pair{"text", "latin1", logged(ColumnType::blob, 2), true},
                    Pair{"text", "latin1", logged(ColumnType::blob, 3), false},
                    Pair{"mediumblob", "", logged(ColumnType::blob, 3), true},
                    Pair{"longtext", "utf8mb4", logged(ColumnType::blob, 4), true, kMaria},
                    Pair{"binary(5)", "", logged(ColumnType::string, 5), true},
                    Pair{"binary(5)", "", logged(ColumnType::string, 6), false},
                    Pair{"varbinary(5)", "", logged(ColumnType::varchar, 5), true},
                    Pair{"enum('a','b')", "latin1", logged(ColumnType::enum_, 1), true},
                    Pair{"enum('a','b')", "latin1", logged(ColumnType::enum_, 2), false},
                    Pair{"set('a','b')", "latin1", logged(ColumnType::set, 1), true},
                    Pair{"set('a','b','c','d','e','f','g','h','i')", "latin1",
                         logged(ColumnType::set, 2), true},
                    Pair{"set('a','b')", "latin1", logged(ColumnType::enum_, 1), false},
                    Pair{"json", "", logged(ColumnType::json, 4), true},
                    Pair{"json", "", logged(ColumnType::blob, 4), false},
                    Pair{"point", "", logged(ColumnType::geometry, 4), true},
                    Pair{"vector(3)", "", logged(ColumnType::vector, 4), true},
                    Pair{"vector(3)", "", logged(ColumnType::varchar, 12), true, kMaria},
                    Pair{"vector(3)", "", logged(ColumnType::varchar, 12), false},
                    Pair{"inet4", "", logged(ColumnType::string, 4), true, kMaria},
                    Pair{"inet6", "", logged(ColumnType::string, 16), true, kMaria},
                    Pair{"uuid", "", logged(ColumnType::string, 16), true, kMaria},
                    Pair{"uuid", "", logged(ColumnType::string, 36), false, kMaria}));

TEST(Fit, TakesColumnsByPlaceWithoutNames) {
  const auto fitted =
      fit(bare({logged(ColumnType::long_), logged(ColumnType::varchar, 80)}),
          table({column("id", "int unsigned"), column("name", "varchar(20)", "utf8mb4")}, {0}),
          Flavor::mysql);
  ASSERT_TRUE(fitted.ok());
  EXPECT_EQ(fitted->columns[0].name, "id");
  EXPECT_TRUE(fitted->columns[0].is_unsigned);
  EXPECT_EQ(fitted->columns[1].mysql_type, "varchar(20)");
  EXPECT_EQ(fitted->primary_key, std::vector<std::uint16_t>{0});
}

TEST(Fit, RefusesAnotherNumberOfColumnsWithoutNames) {
  const auto fitted = fit(bare({logged(ColumnType::long_)}),
                          table({column("a", "int"), column("b", "int")}), Flavor::mysql);
  ASSERT_FALSE(fitted.ok());
  EXPECT_EQ(fitted.error().code, Errc::schema_mismatch);
  EXPECT_THAT(fitted.error().what, HasSubstr("binlog has 1 columns, the table now has 2"));
}

TEST(Fit, RefusesAnotherSignWithoutNamesWhenTheMapTellsIt) {
  auto map = bare({unsigned_(logged(ColumnType::long_))});
  map.has_signedness = true;
  EXPECT_FALSE(fit(map, table({column("a", "int")}), Flavor::mysql).ok());
  EXPECT_TRUE(fit(map, table({column("a", "int unsigned")}), Flavor::mysql).ok());
}

TEST(Fit, TellsTextFromBytesByTheCollation) {
  auto map = bare({collated(logged(ColumnType::blob, 2), kBinary)});
  map.has_charsets = true;
  EXPECT_TRUE(fit(map, table({column("a", "blob")}), Flavor::mysql).ok());
  EXPECT_FALSE(fit(map, table({column("a", "text", "latin1")}), Flavor::mysql).ok());
}

TEST(Fit, FindsColumnsByNameWhereverTheyAreNow) {
  const auto fitted =
      fit(full({{"b", collated(logged(ColumnType::varchar, 20), kLatin1)},
                {"a", logged(ColumnType::long_)}}),
          table({column("new", "int"), column("a", "int"), column("b", "varchar(20)", "latin1")}),
          Flavor::mysql);
  ASSERT_TRUE(fitted.ok()) << fitted.error().what;
  ASSERT_EQ(fitted->columns.size(), 2U);
  EXPECT_EQ(fitted->columns[0].name, "b");
  EXPECT_EQ(fitted->columns[0].mysql_type, "varchar(20)");
  EXPECT_EQ(fitted->columns[1].name, "a");
}

TEST(Fit, TakesTheSignOfTheMapWhenTheTableWasAlteredSince) {
  const auto fitted = fit(full({{"a", unsigned_(logged(ColumnType::longlong))}}),
                          table({column("a", "bigint")}), Flavor::mysql);
  ASSERT_TRUE(fitted.ok());
  EXPECT_TRUE(fitted->columns[0].is_unsigned);
  EXPECT_EQ(fitted->columns[0].mysql_type, "bigint unsigned");
}

TEST(Fit, WorksOutTheTypeOfAColumnThatIsGone) {
  auto labelled = collated(logged(ColumnType::enum_, 1), kLatin1);
  labelled.labels = {"it's", "a\\b", "\xE4"};
  const auto fitted = fit(full({{"id", logged(ColumnType::long_)},
                                {"gone", logged(ColumnType::newdecimal, 12, 4)},
                                {"text", collated(logged(ColumnType::blob, 3), kUtf8mb4)},
                                {"char", collated(logged(ColumnType::string, 40), kUtf8mb4)},
                                {"bytes", collated(logged(ColumnType::string, 16), kBinary)},
                                {"when", logged(ColumnType::datetime2, 3)},
                                {"pick", labelled}}),
                          table({column("id", "int")}, {0}), Flavor::mysql);
  // MySQL's FULL metadata would carry the key.
  ASSERT_FALSE(fitted.ok());
  const auto keyless = fit(full({{"id", logged(ColumnType::long_)},
                                 {"gone", logged(ColumnType::newdecimal, 12, 4)},
                                 {"text", collated(logged(ColumnType::blob, 3), kUtf8mb4)},
                                 {"char", collated(logged(ColumnType::string, 40), kUtf8mb4)},
                                 {"bytes", collated(logged(ColumnType::string, 16), kBinary)},
                                 {"when", logged(ColumnType::datetime2, 3)},
                                 {"pick", labelled}}),
                           table({column("id", "int")}), Flavor::mysql);
  ASSERT_TRUE(keyless.ok()) << keyless.error().what;
  const auto& c = keyless->columns;
  EXPECT_EQ(c[1].mysql_type, "decimal(12,4)");
  EXPECT_EQ(c[1].precision, 12);
  EXPECT_EQ(c[2].type, DeclaredType::mediumtext);
  EXPECT_EQ(c[2].charset, "utf8mb4");
  EXPECT_EQ(c[3].mysql_type, "char(10)");
  EXPECT_EQ(c[4].mysql_type, "binary(16)");
  EXPECT_EQ(c[5].mysql_type, "datetime(3)");
  EXPECT_EQ(c[5].scale, 3);
  EXPECT_EQ(c[6].mysql_type, "enum('it''s','a\\\\b','\xC3\xA4')");
  EXPECT_EQ(c[6].labels[2], "\xC3\xA4");
}

TEST(Fit, NeverGuessesWhereMariadbHidesTypes) {
  for (const auto& hidden :
       {collated(logged(ColumnType::string, 16), kBinary),
        collated(logged(ColumnType::string, 4), kBinary), logged(ColumnType::time),
        logged(ColumnType::datetime), logged(ColumnType::timestamp)}) {
    const auto fitted =
        fit(full({{"gone", hidden}}), table({column("id", "int")}), Flavor::mariadb);
    ASSERT_FALSE(fitted.ok());
    EXPECT_EQ(fitted.error().code, Errc::schema_mismatch);
    EXPECT_THAT(fitted.error().what, HasSubstr("`gone`"));
  }
}

TEST(Fit, TakesMariadbsHiddenTypesFromTheSchema) {
  const auto fitted = fit(full({{"u", collated(logged(ColumnType::string, 16), kBinary)}}),
                          table({column("u", "uuid")}), Flavor::mariadb);
  ASSERT_TRUE(fitted.ok());
  EXPECT_EQ(fitted->columns[0].type, DeclaredType::uuid);
}

TEST(Fit, HidesColumnsOfFunctionalIndexesThatTheTableDoesNotHave) {
  auto made = logged(ColumnType::longlong);
  made.of_index = true;
  std::vector<std::string> notes;
  const auto fitted = fit_noting(
      full({{"id", logged(ColumnType::long_)}, {"!hidden!k!0!0", made}, {"!hidden!own!0!0", made}}),
      table({column("id", "int"), column("!hidden!own!0!0", "bigint")}), Flavor::mysql, notes);
  ASSERT_TRUE(fitted.ok()) << fitted.error().what;
  EXPECT_EQ(
      table_text(*fitted),
      "id int not null; !hidden!k!0!0 bigint not null hidden; !hidden!own!0!0 bigint not null");
  EXPECT_TRUE(notes.empty()) << notes[0];
}

TEST(Fit, TakesLabelsOfTheMapInTheirCharacterSet) {
  auto pick = collated(logged(ColumnType::set, 1), kLatin1);
  pick.labels = {"\xFC", "b"};
  const auto same = fit(full({{"s", pick}}), table({column("s", "set('\xC3\xBC','b')", "latin1")}),
                        Flavor::mysql);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->columns[0].mysql_type, "set('\xC3\xBC','b')");
  const auto altered = fit(full({{"s", pick}}),
                           table({column("s", "set('b','\xC3\xBC')", "latin1")}), Flavor::mysql);
  ASSERT_TRUE(altered.ok());
  EXPECT_EQ(altered->columns[0].labels, (std::vector<std::string>{"\xC3\xBC", "b"}));
}

TEST(Fit, NamesTheKeyColumnThatTheMapLacks) {
  const auto fitted = fit(full({{"a", logged(ColumnType::long_)}}),
                          table({column("id", "int"), column("a", "int")}, {0}), Flavor::mariadb);
  ASSERT_FALSE(fitted.ok());
  EXPECT_EQ(fitted.error().code, Errc::schema_mismatch);
  EXPECT_THAT(fitted.error().what, HasSubstr("primary key on `id`"));
  EXPECT_THAT(fitted.error().what, HasSubstr("start from a position after"));
}

TEST(Fit, KeysAreTheSchemasNeverTheLoggedOne) {
  auto map = full({{"a", logged(ColumnType::long_)}, {"b", logged(ColumnType::long_)}});
  map.has_primary_key = true;
  map.primary_key = {{1, 0}, {0, 0}};
  // What MySQL logs as primary key is the unique key it promotes when there is none.
  auto t = table({column("a", "int"), column("b", "int")});
  t.unique_keys = {UniqueKey{"first", {0}, false, false},
                   UniqueKey{"promoted", {1, 0}, false, false}};
  const auto unique = fit(map, t, Flavor::mysql);
  ASSERT_TRUE(unique.ok());
  EXPECT_TRUE(unique->primary_key.empty());
  EXPECT_EQ(unique->row_key(), std::vector<std::uint16_t>{0});
  // MariaDB may log another key although there is a primary key.
  const auto mariadb =
      fit(map, table({column("a", "int"), column("b", "int")}, {0}), Flavor::mariadb);
  ASSERT_TRUE(mariadb.ok());
  EXPECT_EQ(mariadb->primary_key, std::vector<std::uint16_t>{0});
}

TEST(Fit, AnotherPrimaryKeyThanMysqlLoggedIsAMismatch) {
  auto map = full({{"a", logged(ColumnType::long_)}, {"b", logged(ColumnType::long_)}});
  map.has_primary_key = true;
  map.primary_key = {{1, 0}, {0, 0}};
  const auto columns = {column("a", "int"), column("b", "int")};
  EXPECT_TRUE(fit(map, table(columns, {1, 0}), Flavor::mysql).ok());
  for (const auto& other : {table(columns, {0}), table(columns)}) {
    const auto fitted = fit(map, other, Flavor::mysql);
    ASSERT_FALSE(fitted.ok());
    EXPECT_EQ(fitted.error().code, Errc::schema_mismatch);
  }
}

TEST(Fit, AUniqueKeyIsNullableWhenTheMapSaysSo) {
  auto t = table({column("a", "int")});
  t.unique_keys = {UniqueKey{"u", {0}, false, false}};
  auto map = full({{"a", logged(ColumnType::long_)}});
  ASSERT_TRUE(fit(map, t, Flavor::mysql).ok());
  EXPECT_EQ(fit(map, t, Flavor::mysql)->row_key(), std::vector<std::uint16_t>{0});
  map.columns[0].nullable = true;
  EXPECT_TRUE(fit(map, t, Flavor::mysql)->row_key().empty());
}

}  // namespace
}  // namespace sluice::schema
