#include "sluice/binlog/table_map.h"

#include "unit/binlog/map_builder.h"

namespace sluice::binlog {
namespace {

using testing::hex;
using testing::MapBuilder;
using testing::mariadb_format;
using testing::mysql_format;

constexpr auto kInt = ColumnType::long_;

TEST(TableMap, ReadsIdNamesTypesAndNullability) {
  const TableMap m =
      MapBuilder().column(kInt, "", false).column(ColumnType::varchar, hex("5000")).map();
  EXPECT_EQ(m.table_id, 42U);
  EXPECT_EQ(m.flags, 1U);
  EXPECT_EQ(m.database, "shop");
  EXPECT_EQ(m.table, "orders");
  ASSERT_EQ(m.columns.size(), 2U);
  EXPECT_EQ(m.columns[0].type, kInt);
  EXPECT_FALSE(m.columns[0].nullable);
  EXPECT_EQ(m.columns[1].length, 80U);
  EXPECT_TRUE(m.columns[1].nullable);
  EXPECT_FALSE(m.has_signedness || m.has_charsets || m.has_names || m.has_labels ||
               m.has_visibility || m.has_primary_key || m.has_label_charsets);
}

TEST(TableMap, ReadsFourByteTableIdsWhereTheServerListsSix) {
  const auto format = FormatDescription::decode(
      as_bytes(
          testing::make_format({.version = "5.0.86", .lengths = std::string(19, 6), .alg = -1})),
      true);
  ASSERT_TRUE(format.ok());
  const std::string full = MapBuilder().column(kInt).body();
  const auto m = TableMap::decode(as_bytes(full.substr(0, 4) + full.substr(6)), *format);
  ASSERT_TRUE(m.ok());
  EXPECT_EQ(m->table_id, 42U);
  EXPECT_EQ(m->table, "orders");
}

TEST(TableMap, ReadsTheMetadataOfEveryType) {
  const TableMap m =
      MapBuilder()
          .column(ColumnType::float_, hex("04"))
          .column(ColumnType::double_, hex("08"))
          .column(ColumnType::bit, hex("0104"))         // BIT(33)
          .column(ColumnType::newdecimal, hex("0a03"))  // DECIMAL(10,3)
          .column(ColumnType::datetime2, hex("06"))
          .column(ColumnType::blob, hex("03"))
          .column(ColumnType::vector, hex("04"))
          .column(ColumnType::varchar_compressed, hex("6500"))
          .column(ColumnType::typed_array, hex("0f2c0100"))  // of VARCHAR: three bytes
          .column(ColumnType::typed_array, hex("08"))
          .column(ColumnType::year)
          .map();
  const auto& c = m.columns;
  EXPECT_EQ(c[0].length, 4U);
  EXPECT_EQ(c[1].length, 8U);
  EXPECT_EQ(c[2].length, 33U);
  EXPECT_EQ(c[3].length, 10U);
  EXPECT_EQ(c[3].scale, 3U);
  EXPECT_EQ(c[4].length, 6U);
  EXPECT_EQ(c[5].length, 3U);
  EXPECT_EQ(c[6].length, 4U);
  EXPECT_EQ(c[7].length, 101U);
  EXPECT_EQ(c[9].type, ColumnType::typed_array);
  EXPECT_EQ(c[10].type, ColumnType::year);
}

TEST(TableMap, FindsTheRealTypeBehindString) {
  struct Case {
    const char* meta;
    ColumnType type;
    std::uint32_t length;
  };
  for (const Case& k : {Case{"fe14", ColumnType::string, 20}, Case{"ee00", ColumnType::string, 256},
                        Case{"cefc", ColumnType::string, 1020}, Case{"f701", ColumnType::enum_, 1},
                        Case{"f702", ColumnType::enum_, 2}, Case{"f808", ColumnType::set, 8},
                        Case{"0014", ColumnType::string, 20}}) {
    const TableMap m = MapBuilder().column(ColumnType::string, hex(k.meta)).map();
    ASSERT_EQ(m.columns.size(), 1U) << k.meta;
    EXPECT_EQ(m.columns[0].type, k.type) << k.meta;
    EXPECT_EQ(m.columns[0].length, k.length) << k.meta;
  }
}

TEST(TableMap, RefusesMetadataOutOfRange) {
  struct Case {
    ColumnType type;
    const char* meta;
  };
  for (const Case& k : {Case{ColumnType::blob, "05"}, Case{ColumnType::blob, "00"},
                        Case{ColumnType::datetime2, "07"}, Case{ColumnType::bit, "0900"},
                        Case{ColumnType::bit, "0108"}, Case{ColumnType::newdecimal, "4203"},
                        Case{ColumnType::newdecimal, "0203"}, Case{ColumnType::newdecimal, "4127"},
                        Case{ColumnType::string, "f703"}, Case{ColumnType::string, "f800"},
                        Case{ColumnType::string, "f104"}, Case{ColumnType::float_, "08"},
                        Case{ColumnType::typed_array, "1414"}, Case{ColumnType::varchar, "01"},
                        Case{ColumnType::long_, "01"}}) {
    const auto m = MapBuilder().column(k.type, hex(k.meta)).decode();
    ASSERT_FALSE(m.ok()) << column_type_name(k.type) << k.meta;
    EXPECT_EQ(m.error().code, Errc::binlog_malformed) << m.error().what;
  }
}

TEST(TableMap, RefusesATypeItDoesNotKnow) {
  const auto m = MapBuilder().column(static_cast<ColumnType>(100)).decode();
  ASSERT_FALSE(m.ok());
  EXPECT_EQ(m.error().code, Errc::binlog_unsupported);
  EXPECT_NE(m.error().what.find("shop.orders column 0 has type 100"), std::string::npos);
}

TEST(TableMap, RefusesMoreColumnsThanATableCanHave) {
  MapBuilder b;
  for (int i = 0; i < 4096; ++i) b.column(kInt);
  EXPECT_TRUE(b.decode().ok());
  const auto m = b.column(kInt).decode();
  ASSERT_FALSE(m.ok());
  EXPECT_EQ(m.error().code, Errc::binlog_malformed);
}

TEST(TableMapMetadata, SignednessCountsNumericColumnsAndYearFromTheHighBit) {
  // Numeric: 0, 2, 3, 5..11 (not the varchar, the bit, the datetime).
  const TableMap m = MapBuilder()
                         .column(kInt)
                         .column(ColumnType::varchar, hex("0500"))
                         .column(ColumnType::tiny)
                         .column(ColumnType::year)
                         .column(ColumnType::bit, hex("0100"))
                         .column(ColumnType::short_)
                         .column(ColumnType::int24)
                         .column(ColumnType::longlong)
                         .column(ColumnType::float_, hex("04"))
                         .column(ColumnType::double_, hex("08"))
                         .column(ColumnType::datetime2, hex("00"))
                         .column(ColumnType::newdecimal, hex("0502"))
                         .field(1, hex("a080"))
                         .map();
  ASSERT_TRUE(m.has_signedness);
  std::string got;
  for (const MapColumn& c : m.columns) got += c.is_unsigned ? 'u' : '.';
  EXPECT_EQ(got, "u..u.......u");
}

TEST(TableMapMetadata, DefaultCharsetNamesTheExceptionsAmongCharacterColumns) {
  // Character columns are 1, 2, 4; `01` is the second of them.
  const TableMap m = MapBuilder()
                         .column(kInt)
                         .column(ColumnType::varchar, hex("0500"))
                         .column(ColumnType::string, hex("fe05"))
                         .column(ColumnType::string, hex("f701"))
                         .column(ColumnType::blob, hex("02"))
                         .field(2, hex("fcff00 01 3f 02 fc0009"))
                         .map();
  ASSERT_TRUE(m.has_charsets);
  EXPECT_EQ(m.columns[0].collation, 0U);
  EXPECT_EQ(m.columns[1].collation, 255U);
  EXPECT_EQ(m.columns[2].collation, 63U);
  EXPECT_EQ(m.columns[3].collation, 0U);
  EXPECT_EQ(m.columns[4].collation, 2304U);
}

TEST(TableMapMetadata, CharacterColumnsDependOnTheServerFamily) {
  const auto builder = MapBuilder()
                           .column(ColumnType::geometry, hex("04"))
                           .column(ColumnType::blob_compressed, hex("02"))
                           .column(ColumnType::json, hex("04"))
                           .column(ColumnType::vector, hex("04"))
                           .column(ColumnType::varchar, hex("0500"));
  const TableMap mysql = MapBuilder(builder).field(3, hex("3f 2d")).map();
  EXPECT_EQ(mysql.columns[0].collation, 0U);
  EXPECT_EQ(mysql.columns[3].collation, 63U);
  EXPECT_EQ(mysql.columns[4].collation, 45U);
  const TableMap mariadb = MapBuilder(builder).field(3, hex("3f 08 3f 2d")).map(mariadb_format());
  EXPECT_EQ(mariadb.columns[0].collation, 63U);
  EXPECT_EQ(mariadb.columns[1].collation, 8U);
  EXPECT_EQ(mariadb.columns[2].collation, 0U);
  EXPECT_EQ(mariadb.columns[4].collation, 45U);
}

TEST(TableMapMetadata, ReadsLabelsAndTheirCharsets) {
  const auto builder = MapBuilder()
                           .column(ColumnType::string, hex("f701"))
                           .column(ColumnType::string, hex("f801"))
                           .column(ColumnType::string, hex("f701"))
                           .field(6, hex("02 0161 00  01 03622c63"))
                           .field(5, hex("01 0178"));
  const TableMap m = MapBuilder(builder).field(10, hex("2d 01 08")).map();
  ASSERT_TRUE(m.has_labels);
  EXPECT_EQ(m.columns[0].labels, (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(m.columns[1].labels, std::vector<std::string>{"x"});
  EXPECT_EQ(m.columns[2].labels, std::vector<std::string>{"b,c"});
  ASSERT_TRUE(m.has_label_charsets);
  EXPECT_EQ(m.columns[0].collation, 45U);
  EXPECT_EQ(m.columns[1].collation, 8U);
  EXPECT_EQ(m.columns[2].collation, 45U);
  const TableMap each = MapBuilder(builder).field(11, hex("08 21 fcff00")).map();
  EXPECT_EQ(each.columns[0].collation, 8U);
  EXPECT_EQ(each.columns[1].collation, 33U);
  EXPECT_EQ(each.columns[2].collation, 255U);
}

TEST(TableMapMetadata, ReadsNamesVisibilityGeometryAndVector) {
  const TableMap m = MapBuilder()
                         .column(kInt)
                         .column(ColumnType::geometry, hex("04"))
                         .column(ColumnType::vector, hex("04"))
                         .names({"id", "place", "v"})
                         .field(7, hex("01"))
                         .field(12, hex("a0"))
                         .field(13, hex("fc0004"))
                         .map();
  ASSERT_TRUE(m.has_names);
  EXPECT_EQ(m.columns[0].name, "id");
  EXPECT_EQ(m.columns[2].name, "v");
  EXPECT_EQ(m.columns[1].geometry_type, 1U);
  ASSERT_TRUE(m.has_visibility);
  EXPECT_TRUE(m.columns[0].visible);
  EXPECT_FALSE(m.columns[1].visible);
  EXPECT_TRUE(m.columns[2].visible);
  EXPECT_EQ(m.columns[2].dimensions, 1024U);
}

TEST(TableMapMetadata, KeepsThePrimaryKeysOrderAndPrefixes) {
  const auto builder =
      MapBuilder().column(kInt).column(ColumnType::varchar, hex("0500")).column(kInt);
  const TableMap plain = MapBuilder(builder).field(8, hex("0200")).map();
  ASSERT_TRUE(plain.has_primary_key);
  ASSERT_EQ(plain.primary_key.size(), 2U);
  EXPECT_EQ(plain.primary_key[0].column, 2U);
  EXPECT_EQ(plain.primary_key[1].column, 0U);
  const TableMap prefixed = MapBuilder(builder).field(9, hex("0200 010a")).map();
  ASSERT_EQ(prefixed.primary_key.size(), 2U);
  EXPECT_EQ(prefixed.primary_key[0].prefix, 0U);
  EXPECT_EQ(prefixed.primary_key[1].column, 1U);
  EXPECT_EQ(prefixed.primary_key[1].prefix, 10U);
}

TEST(TableMapMetadata, PassesOverFieldsOfLaterServers) {
  const TableMap m = MapBuilder().column(kInt).field(99, "whatever").names({"id"}).map();
  EXPECT_TRUE(m.has_names);
}

TEST(TableMapMetadata, RefusesWhatDoesNotFitTheColumns) {
  struct Case {
    int field;
    const char* value;
  };
  for (const Case& k :
       {Case{1, "0000"}, Case{1, ""}, Case{2, "21 0121"}, Case{2, ""}, Case{3, ""}, Case{3, "2121"},
        Case{4, "026964"}, Case{4, "026964 0161 0162"}, Case{8, "02"}, Case{8, "000000"},
        Case{9, "00"}, Case{12, ""}, Case{12, "0000"}, Case{6, "01"}, Case{13, "01"}, Case{7, "01"},
        Case{10, ""}}) {
    const auto m = MapBuilder()
                       .column(kInt)
                       .column(ColumnType::varchar, hex("0500"))
                       .field(k.field, hex(k.value))
                       .decode();
    ASSERT_FALSE(m.ok()) << k.field << " " << k.value;
    EXPECT_EQ(m.error().code, Errc::binlog_malformed) << m.error().what;
  }
  const auto labels =
      MapBuilder().column(ColumnType::string, hex("f701")).field(6, hex("fdffff7f")).decode();
  ASSERT_FALSE(labels.ok());
}

// MySQL 8.0.17: CREATE TABLE orders (id INT, `!hidden!` INT, KEY k ((id + 1), (id + 2)))
TEST(TableMap, TellsTheColumnsOfFunctionalIndexesInTheVersionsThatLogThem) {
  const std::vector<std::string> names = {
      "id",           "!hidden!",        "!hidden!k!0!0", "!hidden!k!1!12",
      "!hidden!k!0",  "!hidden!a!b!2!0", "!hidden!k!0!x", "!hidden!!0!0",
      "hidden!k!0!0", "!hidden!k!!0",    "x!hidden!k!0!0"};
  MapBuilder builder;
  for (std::size_t i = 0; i < names.size(); ++i) builder.column(kInt);
  builder.names(names);
  const auto told = [&](const std::string& version) {
    FormatDescription format = mysql_format();
    format.server_version = version;
    std::string out;
    for (const MapColumn& c : builder.map(format).columns)
      if (c.of_index) out += c.name + " ";
    return out;
  };
  for (const std::string version : {"8.0.13", "8.0.16-log", "8.0.17"})
    EXPECT_EQ(told(version), "!hidden!k!0!0 !hidden!k!1!12 !hidden!a!b!2!0 ") << version;
  for (const std::string version : {"5.7.44-log", "8.0.12", "8.0.18", "9.7.4", "10.11.19-MariaDB"})
    EXPECT_EQ(told(version), "") << version;
}

}  // namespace
}  // namespace sluice::binlog
