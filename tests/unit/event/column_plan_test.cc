#include <gtest/gtest.h>

#include "unit/binlog/deflate.h"
#include "unit/event/fixture.h"

namespace sluice::event::test {
namespace {

using binlog::ColumnType;
using binlog::testing::deflated;

Column column(DeclaredType declared, ColumnType type, std::uint32_t length = 0,
              bool is_unsigned = false) {
  return {"v", "t", declared, type, length, 0, is_unsigned};
}

std::string integer(ColumnType type, std::string_view hex, bool is_unsigned) {
  return render(column(DeclaredType::bigint, type, 0, is_unsigned), unhex(hex));
}

TEST(Column, IntegersOfEveryWidthAndSign) {
  EXPECT_EQ(integer(ColumnType::tiny, "ff", false), "-1");
  EXPECT_EQ(integer(ColumnType::tiny, "ff", true), "255");
  EXPECT_EQ(integer(ColumnType::tiny, "80", false), "-128");
  EXPECT_EQ(integer(ColumnType::short_, "0080", false), "-32768");
  EXPECT_EQ(integer(ColumnType::short_, "ffff", true), "65535");
  EXPECT_EQ(integer(ColumnType::int24, "000080", false), "-8388608");
  EXPECT_EQ(integer(ColumnType::int24, "ffff7f", false), "8388607");
  EXPECT_EQ(integer(ColumnType::int24, "ffffff", true), "16777215");
  EXPECT_EQ(integer(ColumnType::long_, "00000080", false), "-2147483648");
  EXPECT_EQ(integer(ColumnType::long_, "ffffffff", true), "4294967295");
  EXPECT_EQ(integer(ColumnType::longlong, "0000000000000080", false), "-9223372036854775808");
  EXPECT_EQ(integer(ColumnType::longlong, "ffffffffffffffff", true), "18446744073709551615");
  EXPECT_EQ(integer(ColumnType::long_, "ffffff", true),
            "<binlog.malformed: shop.user.v: bytes that are no value of type t>");
}

TEST(Column, TheOtherNumbersAndTemporals) {
  Column decimal = column(DeclaredType::decimal, ColumnType::newdecimal, 10);
  decimal.scale = 2;
  EXPECT_EQ(render(decimal, unhex("7fffffffcd")), "-0.50");
  EXPECT_EQ(render(column(DeclaredType::float_, ColumnType::float_), unhex("cdcccc3d")), "0.1");
  EXPECT_EQ(render(column(DeclaredType::double_, ColumnType::double_), unhex("48afbc9af2d77abe")),
            "-0.0000001");
  EXPECT_EQ(render(column(DeclaredType::bit, ColumnType::bit, 33), unhex("0100000001")),
            "4294967297");
  EXPECT_EQ(render(column(DeclaredType::year, ColumnType::year), unhex("7e")), "2026");
  EXPECT_EQ(render(column(DeclaredType::date, ColumnType::date), unhex("e4d40f")), "2026-07-04");
  EXPECT_EQ(render(column(DeclaredType::date, ColumnType::newdate), unhex("e4d40f")), "2026-07-04");
  EXPECT_EQ(render(column(DeclaredType::time, ColumnType::time), unhex("590a80")), "-838:59:59");
  EXPECT_EQ(render(column(DeclaredType::time, ColumnType::time2, 3), unhex("7f3747e12e")),
            "-12:34:56.789");
  EXPECT_EQ(render(column(DeclaredType::datetime, ColumnType::datetime), unhex("f82212506d120000")),
            "2026-07-04 10:11:12");
  EXPECT_EQ(render(column(DeclaredType::datetime, ColumnType::datetime2, 1), unhex("99ba48a2cc46")),
            "2026-07-04 10:11:12.7");
  RenderOptions zone;
  zone.time_zone_seconds = -3600;
  EXPECT_EQ(
      render(column(DeclaredType::timestamp, ColumnType::timestamp2, 0), unhex("6a48dc40"), zone),
      "2026-07-04 09:11:12");
  EXPECT_EQ(render(column(DeclaredType::timestamp, ColumnType::timestamp), unhex("40dc486a"), zone),
            "2026-07-04 09:11:12");
  // DATETIME knows no zone.
  EXPECT_EQ(
      render(column(DeclaredType::datetime, ColumnType::datetime2), unhex("99ba48a2cc"), zone),
      "2026-07-04 10:11:12");
}

TEST(Column, TextComesFromItsCharacterSet) {
  EXPECT_EQ(render(varchar_column("v"), "a\"漢\n"), R"(a\"漢\n)");
  EXPECT_EQ(render(varchar_column("v", "gbk"), unhex("BABA22D7D6")), R"(汉\"字)");
  EXPECT_EQ(render(varchar_column("v", "latin1"), unhex("80E9")), "€é");
  EXPECT_EQ(render(varchar_column("v", "utf16"), unhex("6F22D83DDE00")), "漢😀");
  EXPECT_EQ(render(varchar_column("v", "ascii"), "abc"), "abc");
  Column text = varchar_column("v", "sjis");
  text.type = ColumnType::blob;
  text.declared = DeclaredType::text;
  EXPECT_EQ(render(text, unhex("8ABF8E9A")), "漢字");
}

TEST(Column, TheMapsCollationTellsTheCharacterSetWhenTheSchemaDoesNot) {
  const std::vector<Column> columns = {varchar_column("v", "")};
  binlog::TableMap map = map_of(columns);
  map.has_charsets = true;
  map.columns[0].collation = 28;  // gbk_chinese_ci
  const auto plan = TablePlan::make(map, schema_of(columns, {}), {}, {});
  ASSERT_TRUE(plan.ok());
  LineEncoder encoder;
  encoder.begin(**plan, ChangeKind::insert, 0, context());
  ASSERT_TRUE(encoder.add(0, Image().hex("BABA").cells(), {}).ok());
  EXPECT_NE(finished(encoder).find(R"({"v":"汉"})"), std::string::npos);
}

TEST(Column, TextWithoutACharacterSetIsRefused) {
  EXPECT_EQ(render(varchar_column("v", ""), "a").substr(0, 53),
            "<schema.mismatch: shop.user: column v: the character ");
  EXPECT_NE(render(varchar_column("v", "ebcdic"), "a").find("ebcdic is not known"),
            std::string::npos);
}

TEST(Column, BadTextStopsNamingTheColumnOrIsReplaced) {
  EXPECT_NE(render(varchar_column("v"), "a\xFF").find("<binlog.malformed: shop.user.v: text"),
            std::string::npos);
  EXPECT_NE(render(varchar_column("v", "ascii"), "ä").find("not valid ascii"), std::string::npos);
  RenderOptions replace;
  replace.invalid_text = InvalidText::replace;
  EXPECT_EQ(render(varchar_column("v"), "a\xFF\"", replace), "a\uFFFD\\\"");
  EXPECT_EQ(render(varchar_column("v", "cp1257"), "a\x81", replace), "a\uFFFD");
}

TEST(Column, BadTextInAKeyAlwaysStops) {
  RenderOptions replace;
  replace.invalid_text = InvalidText::replace;
  const auto plan = plan_of({varchar_column("k")}, {0}, replace);
  ASSERT_TRUE(plan.ok());
  LineEncoder encoder;
  encoder.begin(**plan, ChangeKind::insert, 0, context());
  EXPECT_FALSE(encoder.add(0, Image().value("a\xFF").cells(), {}).ok());
  TextBuffer scratch;
  EXPECT_FALSE((*plan)->partition(Image().value("a\xFF").cells(), 8, scratch).ok());
}

TEST(Column, BinaryIsLatin1CharactersPaddedToItsLength) {
  EXPECT_EQ(render(varbinary_column("v"), unhex("00417fe4ff")), "\\u0000A\x7Fäÿ");
  EXPECT_EQ(render(binary_column("v", 4), "ab"), "ab\\u0000\\u0000");
  EXPECT_EQ(render(binary_column("v", 2), "ab"), "ab");
  EXPECT_NE(render(binary_column("v", 2), "abc").find("<binlog.malformed"), std::string::npos);
  EXPECT_EQ(render(column(DeclaredType::geometry, ColumnType::geometry, 4), unhex("000000000101")),
            "\\u0000\\u0000\\u0000\\u0000\\u0001\\u0001");
  // Only the binlog's character set says that it is bytes.
  Column unknown = varchar_column("v", "binary");
  unknown.declared = DeclaredType::unknown;
  EXPECT_EQ(render(unknown, "\xFF"), "ÿ");
  RenderOptions base64;
  base64.binary_base64 = true;
  EXPECT_EQ(render(varbinary_column("v"), "foob", base64), "Zm9vYg==");
  EXPECT_EQ(render(binary_column("v", 4), "a", base64), "YQAAAA==");
}

TEST(Column, EnumIsItsLabel) {
  Column c = column(DeclaredType::enum_, ColumnType::enum_, 1);
  c.labels = {"new", "a \"b\"", "ä"};
  EXPECT_EQ(render(c, unhex("00")), "");
  EXPECT_EQ(render(c, unhex("01")), "new");
  EXPECT_EQ(render(c, unhex("02")), R"(a \"b\")");
  EXPECT_EQ(render(c, unhex("0300")), "ä");
  EXPECT_NE(render(c, unhex("04")).find("<binlog.malformed: shop.user.v"), std::string::npos);
  c.labels.clear();
  EXPECT_NE(render(c, unhex("01")).find("<schema.mismatch"), std::string::npos);
}

TEST(Column, SetIsItsLabelsInOrder) {
  Column c = column(DeclaredType::set, ColumnType::set, 1);
  c.labels = {"a", "b\"", "c"};
  EXPECT_EQ(render(c, unhex("00")), "");
  EXPECT_EQ(render(c, unhex("07")), R"(a,b\",c)");
  EXPECT_EQ(render(c, unhex("05")), "a,c");
  EXPECT_NE(render(c, unhex("08")).find("<binlog.malformed"), std::string::npos);
  c.labels.assign(64, "x");
  c.labels[63] = "last";
  EXPECT_EQ(render(c, unhex("0000000000000080")), "last");
}

TEST(Column, JsonIsTheServersTextInsideAJsonString) {
  const Column c = column(DeclaredType::json, ColumnType::json, 4);
  EXPECT_EQ(render(c, unhex("0001000c000b0001000400006e")), R"({\"n\": null})");
  EXPECT_EQ(render(c, ""), "null");
  EXPECT_EQ(render(c, unhex("0c040a225c41")), R"(\"\\n\\\"\\\\A\")");
  EXPECT_NE(render(c, unhex("0c01ff")).find("<binlog.malformed"), std::string::npos);
  EXPECT_NE(render(c, unhex("0c05ff")).find("<binlog.malformed"), std::string::npos);
  // MariaDB's JSON is text, as it was typed.
  Column text = varchar_column("v");
  text.type = ColumnType::blob;
  text.declared = DeclaredType::longtext;
  EXPECT_EQ(render(text, R"({"a" :1})"), R"({\"a\" :1})");
}

TEST(Column, VectorsAndMariaDbTypesByTheirDeclaration) {
  EXPECT_EQ(render(column(DeclaredType::vector, ColumnType::vector, 4), unhex("0000803f00002040")),
            "[1,2.5]");
  EXPECT_EQ(render(column(DeclaredType::vector, ColumnType::varchar, 8), unhex("0000803f00002040")),
            "[1,2.5]");
  EXPECT_EQ(render(column(DeclaredType::inet4, ColumnType::string, 4), unhex("0a")), "10.0.0.0");
  EXPECT_EQ(render(column(DeclaredType::inet6, ColumnType::string, 16), ""), "::");
  EXPECT_EQ(render(column(DeclaredType::uuid, ColumnType::string, 16),
                   unhex("123e4567e89b12d3a45642661544")),
            "123e4567-e89b-12d3-a456-426615440000");
}

// MariaDB's old format: the digits are the schema's.
TEST(Column, OldTemporalsTakeTheirDigitsFromTheSchema) {
  const std::vector<Column> columns = {column(DeclaredType::time, ColumnType::time),
                                       column(DeclaredType::datetime, ColumnType::datetime),
                                       column(DeclaredType::timestamp, ColumnType::timestamp)};
  TableSchema schema = schema_of(columns, {});
  schema.columns[0].scale = 1;
  schema.columns[1].scale = 3;
  const auto plan = TablePlan::make(map_of(columns), schema, {}, {});
  ASSERT_TRUE(plan.ok()) << to_string(plan.error());
  EXPECT_EQ((*plan)->map().columns[0].length, 1U);
  EXPECT_EQ((*plan)->map().columns[1].length, 3U);
  EXPECT_EQ((*plan)->map().columns[2].length, 0U);
  EXPECT_EQ(&(*plan)->layout().map(), &(*plan)->map());
  LineEncoder encoder;
  encoder.begin(**plan, ChangeKind::insert, 0, context());
  ASSERT_TRUE(
      encoder.add(0, Image().hex("01cce055").hex("0146e4ebd7ffff").hex("40dc486a").cells(), {})
          .ok());
  EXPECT_NE(finished(encoder).find(
                R"({"v":"-00:00:01.1","v":"9999-12-31 23:59:59.999","v":"2026-07-04 10:11:12"})"),
            std::string::npos);
  schema.columns[2].scale = 7;
  EXPECT_FALSE(TablePlan::make(map_of(columns), schema, {}, {}).ok());
}

Column compressed(DeclaredType declared, ColumnType type, std::string charset = "") {
  Column c = column(declared, type, type == ColumnType::blob_compressed ? 2 : 301);
  c.charset = std::move(charset);
  return c;
}

// MariaDB 10.11 (8a 0258: 600 bytes, a raw stream), and the other forms its sources read.
TEST(Column, CompressedColumnsAreInflated) {
  const Column text = compressed(DeclaredType::varchar, ColumnType::varchar_compressed, "utf8mb4");
  const std::string a600(600, 'a');
  const std::string raw = unhex("8a0258") + deflated(a600, binlog::InflateFormat::raw);
  EXPECT_EQ(render(text, ""), "");
  EXPECT_EQ(render(text, std::string("\0short", 6)), "short");
  EXPECT_EQ(render(text, std::string("\0", 1)), "");
  EXPECT_EQ(render(text, raw), a600);
  EXPECT_EQ(render(text, unhex("820258") + deflated(a600, binlog::InflateFormat::zlib)), a600);
  EXPECT_EQ(render(text, unhex("8904") + deflated("\"\n\xC3\xA4", binlog::InflateFormat::raw)),
            R"(\"\nä)");
  EXPECT_EQ(render(compressed(DeclaredType::text, ColumnType::blob_compressed, "gbk"),
                   unhex("8904") + deflated("\xBA\xBA\xD7\xD6", binlog::InflateFormat::raw)),
            "汉字");
  const Column bytes = compressed(DeclaredType::blob, ColumnType::blob_compressed);
  EXPECT_EQ(
      render(bytes, unhex("8902") + deflated(std::string("\0\xFF", 2), binlog::InflateFormat::raw)),
      "\\u0000ÿ");
  RenderOptions base64;
  base64.binary_base64 = true;
  EXPECT_EQ(render(bytes, std::string("\0foob", 5), base64), "Zm9vYg==");
  // Key bytes are those of the value, not of how it is stored.
  const auto plan = plan_of({text}, {0});
  ASSERT_TRUE(plan.ok());
  TextBuffer scratch;
  const auto packed = (*plan)->partition(Image().value(raw).cells(), 1000, scratch);
  const auto plain =
      (*plan)->partition(Image().value(std::string(1, '\0') + a600).cells(), 1000, scratch);
  ASSERT_TRUE(packed.ok() && plain.ok());
  EXPECT_EQ(*packed, *plain);
  EXPECT_EQ(scratch.view(), a600);
}

TEST(Column, CompressedBytesThatContradictThemselvesAreRefused) {
  const Column text = compressed(DeclaredType::varchar, ColumnType::varchar_compressed, "utf8mb4");
  const std::string good =
      unhex("8a0258") + deflated(std::string(600, 'a'), binlog::InflateFormat::raw);
  const std::string refused = "<binlog.malformed: shop.user.v: bytes that are no value of type t>";
  for (std::size_t n = 1; n < good.size(); ++n)
    EXPECT_EQ(render(text, good.substr(0, n)), refused) << n;
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      render(text, bad);
    }
  EXPECT_EQ(render(text, unhex("8a0259") + good.substr(3)), refused);  // one byte too few in it
  EXPECT_EQ(render(text, unhex("9a0258") + good.substr(3)), refused);  // another algorithm
  EXPECT_EQ(render(text, unhex("8f0000000000000258") + good.substr(3)), refused);
  EXPECT_EQ(render(text, unhex("8cffffffff") + good.substr(3)), refused);
}

TEST(Column, OfAnUnknownDeclarationIsWrittenAsFarAsTheMapTells) {
  const auto unknown = [](ColumnType type, std::uint32_t length = 0) {
    return column(DeclaredType::unknown, type, length);
  };
  EXPECT_EQ(render(unknown(ColumnType::enum_, 2), unhex("2c01")), "300");
  EXPECT_EQ(render(unknown(ColumnType::set, 8), unhex("0100000000000080")), "9223372036854775809");
  EXPECT_NE(render(unknown(ColumnType::enum_, 1), "").find("<binlog.malformed"), std::string::npos);
  for (const ColumnType t : {ColumnType::varchar, ColumnType::string, ColumnType::blob}) {
    EXPECT_EQ(render(unknown(t, 40), "ä\"漢"), R"(ä\"漢)");
    EXPECT_EQ(render(unknown(t, 40), "\xE4\"\x01"), R"(ä\"\u0001)");  // value by value
    EXPECT_EQ(render(unknown(t, 40), ""), "");
    RenderOptions base64;
    base64.binary_base64 = true;
    EXPECT_EQ(render(unknown(t, 40), "\xE4", base64), "ä");
  }
  EXPECT_EQ(render(unknown(ColumnType::varchar_compressed, 40), std::string("\0\xE4", 2)), "ä");
  EXPECT_EQ(render(unknown(ColumnType::vector, 4), unhex("0000803f00002040")), "[1,2.5]");
  EXPECT_EQ(render(unknown(ColumnType::json, 4), unhex("0401")), "true");
  EXPECT_EQ(render(unknown(ColumnType::geometry, 4), unhex("00ff")), "\\u0000ÿ");
  EXPECT_EQ(render(unknown(ColumnType::longlong), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "-1");
  EXPECT_EQ(render(unknown(ColumnType::datetime), unhex("f82212506d120000")),
            "2026-07-04 10:11:12");
  // Hashed as it is written.
  const auto plan = plan_of({unknown(ColumnType::varchar, 40)}, {0});
  ASSERT_TRUE(plan.ok());
  TextBuffer scratch;
  ASSERT_TRUE((*plan)->partition(Image().value("\xE4").cells(), 8, scratch).ok());
  EXPECT_EQ(scratch.view(), "ä");
}

TEST(Column, OfAnUnknownDeclarationTakesWhatTheMapHas) {
  const std::vector<Column> columns = {column(DeclaredType::unknown, ColumnType::varchar, 40),
                                       column(DeclaredType::unknown, ColumnType::string, 3),
                                       column(DeclaredType::unknown, ColumnType::blob, 2)};
  binlog::TableMap map = map_of(columns);
  map.has_charsets = true;
  map.columns[0].collation = 28;     // gbk_chinese_ci
  map.columns[1].collation = 63;     // binary
  map.columns[2].collation = 60000;  // of a server that does not exist yet
  const auto plan = TablePlan::make(map, schema_of(columns, {}), {}, {});
  ASSERT_TRUE(plan.ok()) << to_string(plan.error());
  LineEncoder encoder;
  encoder.begin(**plan, ChangeKind::insert, 0, context());
  ASSERT_TRUE(encoder.add(0, Image().hex("BABA").value("a").value("ü").cells(), {}).ok());
  EXPECT_NE(finished(encoder).find(R"({"v":"汉","v":"a\u0000\u0000","v":"ü"})"), std::string::npos);
  // Declared, it is an error.
  std::vector<Column> declared = columns;
  declared[2].declared = DeclaredType::text;
  const auto refused = TablePlan::make(map, schema_of(declared, {}), {}, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("collation 60000 is not known"), std::string::npos);
}

// MySQL 9.7 leaves it out of the binlog; 8.0.13 to 8.0.17 had it there.
TEST(Column, WhatAnIndexAddsIsNeverShown) {
  const std::vector<Column> columns = {int_column("id"),
                                       column(DeclaredType::unknown, ColumnType::typed_array),
                                       int_column("age"), int_column("!hidden!k!0!0")};
  TableSchema schema = schema_of(columns, {});
  schema.columns[3].hidden = true;
  const auto plan = TablePlan::make(map_of(columns), schema, {}, {});
  ASSERT_TRUE(plan.ok()) << to_string(plan.error());
  EXPECT_EQ((*plan)->mysql_types(), R"("id":"int","age":"int")");
  EXPECT_EQ((*plan)->sql_types(), R"("id":4,"age":4)");
  LineEncoder encoder;
  encoder.begin(**plan, ChangeKind::update, 0, context());
  ASSERT_TRUE(encoder
                  .add(0, Image().int32(1).hex("02000004").int32(2).int32(9).cells(),
                       Image().int32(1).hex("0400").int32(3).int32(8).cells())
                  .ok());
  const std::string line = finished(encoder);
  EXPECT_NE(line.find(R"({"data":[{"id":"1","age":"2"}])"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("old":[{"age":"3"}])"), std::string::npos) << line;
}

TEST(Column, WhatCannotBeReadIsRefusedWhenThePlanIsMade) {
  for (const ColumnType type :
       {ColumnType::decimal_old, ColumnType::bool_, ColumnType::invalid, ColumnType::null})
    EXPECT_EQ(render(column(DeclaredType::unknown, type), "").substr(0, 42),
              "<binlog.unsupported: shop.user: column v: ")
        << binlog::column_type_name(type);
}

TEST(Plan, AnotherNumberOfColumnsIsRefused) {
  const auto plan = TablePlan::make(map_of({int_column("a"), int_column("b")}),
                                    schema_of({int_column("a")}, {0}), {}, {});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, Errc::schema_mismatch);
}

TEST(Plan, TypesAreWrittenOnce) {
  const auto plan = plan_of({int_column("id", true), varchar_column("a\"b")});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ((*plan)->mysql_types(), R"j("id":"int unsigned","a\"b":"varchar(255)")j");
  EXPECT_EQ((*plan)->sql_types(), R"("id":-5,"a\"b":12)");
}

}  // namespace
}  // namespace sluice::event::test
