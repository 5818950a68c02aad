#include "sluice/binlog/value.h"

#include "unit/binlog/builder.h"

namespace sluice::binlog {
namespace {

using testing::hex;

// "kind bits", "kind(precision,scale) bytes" in hexadecimal.
std::string show(const Value& v) {
  switch (v.kind) {
    case ValueKind::invalid: return "invalid";
    case ValueKind::signed_int: return "int " + std::to_string(v.as_signed());
    case ValueKind::unsigned_int: return "uint " + std::to_string(v.as_unsigned());
    case ValueKind::single: return "float " + std::to_string(v.as_float());
    case ValueKind::double_: return "double " + std::to_string(v.as_double());
    case ValueKind::decimal:
      return "decimal(" + std::to_string(v.precision) + "," + std::to_string(v.scale) + ") " +
             std::to_string(v.bytes.size());
    case ValueKind::date: return "date " + std::to_string(v.as_signed());
    case ValueKind::time:
      return "time(" + std::to_string(v.scale) + ") " + std::to_string(v.as_signed());
    case ValueKind::datetime:
      return "datetime(" + std::to_string(v.scale) + ") " + std::to_string(v.as_signed());
    case ValueKind::timestamp:
      return "timestamp(" + std::to_string(v.scale) + ") " + std::to_string(v.as_signed());
    case ValueKind::bytes: return "bytes " + std::string(as_chars(v.bytes));
  }
  return "?";
}

MapColumn column(ColumnType type, std::uint32_t length = 0, bool is_unsigned = false) {
  MapColumn c;
  c.type = type;
  c.length = length;
  c.is_unsigned = is_unsigned;
  return c;
}

std::string value(const MapColumn& c, std::string_view digits) {
  const std::string bytes = hex(digits);
  return show(decode_value(c, as_bytes(bytes)));
}

// Packed as documented; `micros` may borrow in a negative time.
std::string packed(std::int64_t year, std::int64_t month, std::int64_t day, std::int64_t hour,
                   std::int64_t minute, std::int64_t second, std::int64_t micros) {
  const std::int64_t date = ((year * 13 + month) * 32 + day) * 131072;
  return std::to_string((date + hour * 4096 + minute * 64 + second) * 16777216 + micros);
}

TEST(Value, IntegersHaveTheirSign) {
  EXPECT_EQ(value(column(ColumnType::tiny), "ff"), "int -1");
  EXPECT_EQ(value(column(ColumnType::tiny, 0, true), "ff"), "uint 255");
  EXPECT_EQ(value(column(ColumnType::short_), "0080"), "int -32768");
  EXPECT_EQ(value(column(ColumnType::int24), "000080"), "int -8388608");
  EXPECT_EQ(value(column(ColumnType::int24, 0, true), "ffffff"), "uint 16777215");
  EXPECT_EQ(value(column(ColumnType::long_), "ffffff7f"), "int 2147483647");
  EXPECT_EQ(value(column(ColumnType::longlong), "0000000000000080"), "int -9223372036854775808");
  EXPECT_EQ(value(column(ColumnType::longlong, 0, true), "ffffffffffffffff"),
            "uint 18446744073709551615");
}

TEST(Value, TheOtherNumbers) {
  EXPECT_EQ(value(column(ColumnType::float_), "0000c03f"), "float 1.500000");
  EXPECT_EQ(value(column(ColumnType::double_), "000000000000f8bf"), "double -1.500000");
  EXPECT_EQ(value(column(ColumnType::year), "7e"), "uint 2026");
  EXPECT_EQ(value(column(ColumnType::year), "00"), "uint 0");
  EXPECT_EQ(value(column(ColumnType::bit, 33), "0100000001"), "uint 4294967297");
  EXPECT_EQ(value(column(ColumnType::enum_, 2), "2c01"), "uint 300");
  EXPECT_EQ(value(column(ColumnType::set, 8), "0000000000000080"), "uint 9223372036854775808");
  MapColumn decimal = column(ColumnType::newdecimal, 10);
  decimal.scale = 2;
  EXPECT_EQ(value(decimal, "8000000500"), "decimal(10,2) 5");
}

TEST(Value, TemporalsArePackedAsTheServerDoes) {
  EXPECT_EQ(value(column(ColumnType::date), "e4d40f"), "date " + packed(2026, 7, 4, 0, 0, 0, 0));
  EXPECT_EQ(value(column(ColumnType::newdate), "00ca0f"), "date " + packed(2021, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(value(column(ColumnType::datetime2, 1), "99ba48a2cc46"),
            "datetime(1) " + packed(2026, 7, 4, 10, 11, 12, 700000));
  EXPECT_EQ(value(column(ColumnType::datetime), "f82212506d120000"),
            "datetime(0) " + packed(2026, 7, 4, 10, 11, 12, 0));
  EXPECT_EQ(value(column(ColumnType::datetime, 1), "00a997733487"),
            "datetime(1) " + packed(2026, 7, 4, 10, 11, 12, 700000));
  EXPECT_EQ(value(column(ColumnType::time2, 3), "7f3747e12e"),
            "time(3) -" + packed(0, 0, 0, 12, 34, 56, 789000));
  EXPECT_EQ(value(column(ColumnType::time), "590a80"),
            "time(0) -" + packed(0, 0, 0, 838, 59, 59, 0));
  EXPECT_EQ(value(column(ColumnType::time, 1), "01cce055"),
            "time(1) -" + packed(0, 0, 0, 0, 0, 1, 100000));
  EXPECT_EQ(value(column(ColumnType::timestamp2, 6), "65e11a8001e240"),
            "timestamp(6) " + std::to_string((std::int64_t{0x65e11a80} << 24) + 123456));
  EXPECT_EQ(value(column(ColumnType::timestamp), "40dc486a"),
            "timestamp(0) " + std::to_string(std::int64_t{0x6a48dc40} << 24));
  EXPECT_EQ(value(column(ColumnType::timestamp, 4), "6a48dc401ed2"),
            "timestamp(4) " + std::to_string((std::int64_t{0x6a48dc40} << 24) + 789000));
}

TEST(Value, BytesAreViews) {
  for (const ColumnType t :
       {ColumnType::varchar, ColumnType::var_string, ColumnType::string, ColumnType::blob,
        ColumnType::json, ColumnType::geometry, ColumnType::vector, ColumnType::blob_compressed,
        ColumnType::varchar_compressed, ColumnType::typed_array})
    EXPECT_EQ(value(column(t, 4), "6162"), "bytes ab") << column_type_name(t);
  const std::string bytes = "ab";
  EXPECT_EQ(decode_value(column(ColumnType::varchar, 4), as_bytes(bytes)).bytes.data(),
            as_bytes(bytes).data());
}

// Every length but the right one, for every type and number of digits.
TEST(Value, BytesOfAnotherLengthAreInvalid) {
  const std::string bytes(10, '\x01');
  const auto lengths = [&](const MapColumn& c) {
    std::string good;
    for (std::size_t n = 0; n <= bytes.size(); ++n)
      if (decode_value(c, as_bytes(bytes).first(n)).kind != ValueKind::invalid)
        good += std::to_string(n) + " ";
    return good;
  };
  EXPECT_EQ(lengths(column(ColumnType::tiny)), "1 ");
  EXPECT_EQ(lengths(column(ColumnType::int24)), "3 ");
  EXPECT_EQ(lengths(column(ColumnType::longlong)), "8 ");
  EXPECT_EQ(lengths(column(ColumnType::float_)), "4 ");
  EXPECT_EQ(lengths(column(ColumnType::double_)), "8 ");
  EXPECT_EQ(lengths(column(ColumnType::date)), "3 ");
  EXPECT_EQ(lengths(column(ColumnType::year)), "1 ");
  EXPECT_EQ(lengths(column(ColumnType::bit, 64)), "1 2 3 4 5 6 7 8 ");
  EXPECT_EQ(lengths(column(ColumnType::null)), "");
  EXPECT_EQ(lengths(column(ColumnType::decimal_old)), "");
  EXPECT_EQ(lengths(column(ColumnType::newdecimal, 66)), "");
  EXPECT_EQ(lengths(column(ColumnType::newdecimal, 9)), "4 ");
  EXPECT_EQ(lengths(column(ColumnType::time2, 7)), "");
  EXPECT_EQ(lengths(column(ColumnType::timestamp2, 5)), "7 ");
  EXPECT_EQ(lengths(column(ColumnType::timestamp, 5)), "7 ");
  EXPECT_EQ(lengths(column(ColumnType::time, 7)), "");
}

}  // namespace
}  // namespace sluice::binlog
