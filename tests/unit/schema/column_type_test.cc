#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/schema/catalog.h"

namespace sluice::schema {
namespace {

ColumnSchema parsed(std::string_view text) {
  ColumnSchema column;
  const Status status = parse_column_type(text, column);
  EXPECT_TRUE(status.ok()) << text;
  return column;
}

struct Simple {
  const char* text;
  DeclaredType type;
};
class SimpleType : public testing::TestWithParam<Simple> {};

TEST_P(SimpleType, IsReadByItsNameAndKeepsItsText) {
  const ColumnSchema c = parsed(GetParam().text);
  EXPECT_EQ(c.type, GetParam().type);
  EXPECT_EQ(c.mysql_type, GetParam().text);
  EXPECT_FALSE(c.is_unsigned);
  EXPECT_FALSE(c.compressed);
}

INSTANTIATE_TEST_SUITE_P(
    BothServers, SimpleType,
    testing::Values(
        Simple{"tinyint", DeclaredType::tinyint}, Simple{"tinyint(1)", DeclaredType::tinyint},
        Simple{"smallint(6)", DeclaredType::smallint}, Simple{"smallint", DeclaredType::smallint},
        Simple{"mediumint(9)", DeclaredType::mediumint},
        Simple{"mediumint", DeclaredType::mediumint}, Simple{"int", DeclaredType::int_},
        Simple{"int(11)", DeclaredType::int_}, Simple{"bigint", DeclaredType::bigint},
        Simple{"bigint(20)", DeclaredType::bigint}, Simple{"float", DeclaredType::float_},
        Simple{"float(7,3)", DeclaredType::float_}, Simple{"double", DeclaredType::double_},
        Simple{"double(10,2)", DeclaredType::double_}, Simple{"date", DeclaredType::date},
        Simple{"year", DeclaredType::year}, Simple{"year(4)", DeclaredType::year},
        Simple{"tinytext", DeclaredType::tinytext}, Simple{"text", DeclaredType::text},
        Simple{"mediumtext", DeclaredType::mediumtext}, Simple{"longtext", DeclaredType::longtext},
        Simple{"tinyblob", DeclaredType::tinyblob}, Simple{"blob", DeclaredType::blob},
        Simple{"mediumblob", DeclaredType::mediumblob}, Simple{"longblob", DeclaredType::longblob},
        Simple{"json", DeclaredType::json}, Simple{"inet4", DeclaredType::inet4},
        Simple{"inet6", DeclaredType::inet6}, Simple{"uuid", DeclaredType::uuid},
        Simple{"geometry", DeclaredType::geometry}, Simple{"point", DeclaredType::geometry},
        Simple{"linestring", DeclaredType::geometry}, Simple{"polygon", DeclaredType::geometry},
        Simple{"multipoint", DeclaredType::geometry},
        Simple{"multilinestring", DeclaredType::geometry},
        Simple{"multipolygon", DeclaredType::geometry},
        Simple{"geometrycollection", DeclaredType::geometry},
        Simple{"geomcollection", DeclaredType::geometry}));

TEST(ColumnType, ReadsUnsignedAndZerofillWhichImpliesIt) {
  EXPECT_TRUE(parsed("bigint(20) unsigned").is_unsigned);
  EXPECT_EQ(parsed("bigint(20) unsigned").mysql_type, "bigint(20) unsigned");
  EXPECT_EQ(parsed("int(10) unsigned zerofill").mysql_type, "int(10) unsigned zerofill");
  EXPECT_TRUE(parsed("int(10) zerofill").is_unsigned);
  EXPECT_TRUE(parsed("double unsigned").is_unsigned);
}

TEST(ColumnType, ReadsPrecisionAndScale) {
  const ColumnSchema c = parsed("decimal(65,30) unsigned");
  EXPECT_EQ(c.type, DeclaredType::decimal);
  EXPECT_EQ(c.precision, 65);
  EXPECT_EQ(c.scale, 30);
  EXPECT_TRUE(c.is_unsigned);
  EXPECT_EQ(parsed("decimal").precision, 10);
  EXPECT_EQ(parsed("decimal(5)").scale, 0);
}

TEST(ColumnType, ReadsFractionalDigits) {
  EXPECT_EQ(parsed("time").scale, 0);
  EXPECT_EQ(parsed("time(6)").scale, 6);
  EXPECT_EQ(parsed("datetime(3)").scale, 3);
  EXPECT_EQ(parsed("timestamp(1)").type, DeclaredType::timestamp);
  EXPECT_EQ(parsed("timestamp(1)").scale, 1);
}

TEST(ColumnType, ReadsLengths) {
  EXPECT_EQ(parsed("char(255)").length, 255U);
  EXPECT_EQ(parsed("char").length, 1U);
  EXPECT_EQ(parsed("varchar(21844)").length, 21844U);
  EXPECT_EQ(parsed("binary(16)").length, 16U);
  EXPECT_EQ(parsed("varbinary(65532)").length, 65532U);
  EXPECT_EQ(parsed("bit(64)").length, 64U);
  EXPECT_EQ(parsed("vector(3)").length, 3U);
}

TEST(ColumnType, ReadsLabelsWithQuotesCommasAndEscapes) {
  const ColumnSchema c =
      parsed("enum('a','b,c','it''s','back\\\\slash','nl\\nx','\\0','q\"q','(','')");
  EXPECT_EQ(c.type, DeclaredType::enum_);
  EXPECT_EQ(c.labels, (std::vector<std::string>{"a", "b,c", "it's", "back\\slash", "nl\nx",
                                                std::string(1, '\0'), "q\"q", "(", ""}));
  EXPECT_EQ(parsed("set('x','y y')").labels, (std::vector<std::string>{"x", "y y"}));
  EXPECT_EQ(parsed("set('/*x*/')").mysql_type, "set('/*x*/')");
}

TEST(ColumnType, SeesMariadbsCompressedAndDropsComments) {
  const ColumnSchema c = parsed("varchar(100) /*M!100301 COMPRESSED*/");
  EXPECT_TRUE(c.compressed);
  EXPECT_EQ(c.mysql_type, "varchar(100)");
  EXPECT_EQ(parsed("time(3) /* mariadb-5.3 */").mysql_type, "time(3)");
  EXPECT_FALSE(parsed("time(3) /* mariadb-5.3 */").compressed);
}

TEST(ColumnType, TakesTheCharacterSetOfShowCreateTable) {
  const ColumnSchema c = parsed("varchar(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci");
  EXPECT_EQ(c.charset, "latin1");
  EXPECT_EQ(c.mysql_type, "varchar(10)");
}

TEST(ColumnType, ForgetsWhatTheColumnHeldBefore) {
  ColumnSchema c = parsed("enum('a')");
  ASSERT_TRUE(parse_column_type("decimal(4,2) unsigned", c).ok());
  EXPECT_TRUE(c.labels.empty());
  ASSERT_TRUE(parse_column_type("int", c).ok());
  EXPECT_FALSE(c.is_unsigned);
  EXPECT_EQ(c.precision, 0);
}

TEST(ColumnType, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {"", "xmltype", "int unsigned wide", "enum", "enum(", "enum('a", "enum('a',)", "enum('a'",
        "decimal(66,2)", "decimal(5,6)", "time(7)", "varchar(a)", "varchar(1,2)", "int(1",
        "varchar(99999999999)", "int /* open", "varchar(3) character", "char(1) CHARACTER SET "}) {
    ColumnSchema c;
    const Status status = parse_column_type(text, c);
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_EQ(status.error().code, Errc::schema_mismatch);
    EXPECT_EQ(status.error().cls, ErrorClass::fatal);
  }
}

}  // namespace
}  // namespace sluice::schema
