#include "sluice/binlog/value_text.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "unit/event/fixture.h"

namespace sluice::event::test {
namespace {

struct Golden {
  std::string_view hex, text;
};

template <class Append>
std::string text_of(std::string_view bytes, Append append) {
  TextBuffer out;
  out.append("before:");
  const bool ok = append(as_bytes(bytes), out);
  const std::string_view text = out.view().substr(7);
  if (ok) return std::string(text);
  return text.empty() ? "<refused>" : "<refused, but wrote>";
}

template <std::size_t N, class Append>
void expect_all(const Golden (&vectors)[N], Append append) {
  for (const Golden& v : vectors) EXPECT_EQ(text_of(unhex(v.hex), append), v.text) << v.hex;
}

// Any other length than the right one is refused: cut at every byte, and one too many.
template <class Append>
void expect_only_this_length(std::string_view hex, Append append) {
  const std::string bytes = unhex(hex);
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_EQ(text_of(bytes.substr(0, n), append), "<refused>") << hex << " cut at " << n;
  EXPECT_EQ(text_of(bytes + '\0', append), "<refused>");
}

auto decimal(unsigned precision, unsigned scale) {
  return [=](Bytes b, TextBuffer& out) { return binlog::append_decimal(b, precision, scale, out); };
}
auto time(unsigned digits) {
  return [=](Bytes b, TextBuffer& out) { return binlog::append_time(b, digits, out); };
}
auto datetime(unsigned digits) {
  return [=](Bytes b, TextBuffer& out) { return binlog::append_datetime(b, digits, out); };
}
auto timestamp(unsigned digits, std::int32_t zone = 0) {
  return [=](Bytes b, TextBuffer& out) { return binlog::append_timestamp(b, digits, zone, out); };
}

// Row bytes and texts of this file are what a MySQL 9.7 server wrote and printed.

TEST(Decimal, PrintsAllDigitsOfTheScale) {
  expect_all({{"8000000500", "5.00"},
              {"7fffffffcd", "-0.50"},
              {"8000000000", "0.00"},
              {"85f5e0ff63", "99999999.99"},
              {"7a0a1f009c", "-99999999.99"}},
             decimal(10, 2));
  expect_all({{"80bc614e35b7bf87350e34c02f075f79075bcd1500bc614e35b7bf87037b",
               "12345678901234567890123456789012345.123456789012345678901234567891"},
              {"7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe",
               "-0.000000000000000000000000000001"}},
             decimal(65, 30));
  expect_all({{"85f5e10000000000000000000000", "0.100000000000000000000000000000"},
              {"7ffe2b3fffffffffffffffffffff", "-0.000120000000000000000000000000"}},
             decimal(30, 30));
  expect_all({{"8001d4c0", "0.000120000"}}, decimal(9, 9));
  // MariaDB 10.11
  expect_all({{"78a432eaff439eb1ca484078caf1cb3fb1", "-0.12345678901234567890123456789012345678"}},
             decimal(38, 38));
  expect_all({{"875bcd1500bc614e35b7bf87075bcd1500bc614e35b7bf87350e34c04e",
               "123456789012345678901234567.12345678901234567890123456789012345678"}},
             decimal(65, 38));
  expect_all({{"78", "-7"}, {"80", "0"}}, decimal(1, 0));
  expect_all({{"875bcd1500000001", "123456789.000000001"}, {"7ffffffefa0a1eff", "-1.100000000"}},
             decimal(18, 9));
  expect_all({{"8186a000000000000001", "100000000000000.00001"},
              {"80000100000000000000", "1000000000.00000"}},
             decimal(20, 5));
}

TEST(Decimal, NeverPrintsMinusZero) {
  expect_all({{"7fffffffff", "0.00"}}, decimal(10, 2));
}

TEST(Decimal, RefusesOtherLengthsImpossibleDigitsAndTypes) {
  expect_only_this_length("8000000500", decimal(10, 2));
  EXPECT_EQ(text_of(unhex("8000000064"), decimal(10, 2)), "<refused>");  // 100 in two digits
  EXPECT_EQ(text_of(unhex("85f5e10000"), decimal(10, 2)), "<refused>");  // 100000000 in eight
  EXPECT_EQ(text_of(unhex("80"), decimal(0, 0)), "<refused>");
  EXPECT_EQ(text_of(unhex("80"), decimal(1, 2)), "<refused>");
  EXPECT_EQ(text_of(std::string(30, '\x80'), decimal(65, 39)), "<refused>");
  EXPECT_EQ(text_of(std::string(30, '\x80'), decimal(66, 0)), "<refused>");
}

TEST(Bit, PrintsAllSixtyFourBits) {
  expect_all(
      {{"01", "1"}, {"0100000001", "4294967297"}, {"ffffffffffffffff", "18446744073709551615"}},
      [](Bytes b, TextBuffer& out) { return binlog::append_bit(b, out); });
}

TEST(Date, PrintsZeroAndPartialDatesAsStored) {
  const auto date = [](Bytes b, TextBuffer& out) { return binlog::append_date(b, out); };
  expect_all({{"e4d40f", "2026-07-04"},
              {"000000", "0000-00-00"},
              {"5fca0f", "2021-02-31"},
              {"00ca0f", "2021-00-00"},
              {"9f1f4e", "9999-12-31"},
              {"bf1f4e", "<refused>"}},  // month 13
             date);
  expect_only_this_length("e4d40f", date);
}

TEST(Year, PrintsFourDigits) {
  expect_all({{"00", "0000"}, {"01", "1901"}, {"ff", "2155"}},
             [](Bytes b, TextBuffer& out) { return binlog::append_year(b, out); });
}

TEST(Time, BorrowsFromTheSecondsWhenNegative) {
  expect_all({{"b46efb", "838:59:59"},
              {"4b9105", "-838:59:59"},
              {"7fffff", "-00:00:01"},
              {"800000", "00:00:00"}},
             time(0));
  expect_all({{"80a2cc46", "10:11:12.7"}, {"7fffffba", "-00:00:00.7"}}, time(1));
  expect_all({{"7fffffff", "-00:00:00.01"}, {"7ffffef6", "-00:00:01.10"}}, time(2));
  expect_all({{"7f3747e12e", "-12:34:56.789"}}, time(3));
  expect_all({{"7fffffffff", "-00:00:00.0001"}}, time(4));
  expect_all({{"7ffffffffff6", "-00:00:00.00001"}}, time(5));
  expect_all({{"4b9105f0bdc1", "-838:59:58.999999"},
              {"b46efa0f423f", "838:59:58.999999"},
              {"7fffffffffff", "-00:00:00.000001"}},
             time(6));
  expect_only_this_length("7f3747e12e", time(3));
  EXPECT_EQ(text_of(unhex("ffffff"), time(0)), "<refused>");
}

TEST(Datetime, PrintsTheDigitsOfItsPrecision) {
  expect_all({{"99ba48a2cc", "2026-07-04 10:11:12"},
              {"8000000000", "0000-00-00 00:00:00"},
              {"99a8c00000", "2021-02-00 00:00:00"},
              {"7fffffffff", "<refused>"},
              {"ffffffffff", "<refused>"}},
             datetime(0));
  expect_all({{"99ba48a2cc46", "2026-07-04 10:11:12.7"}}, datetime(1));
  expect_all({{"fef3ff7efb2706", "9999-12-31 23:59:59.999"}}, datetime(3));
  expect_all({{"8cb2420000000001", "1000-01-01 00:00:00.000001"}}, datetime(6));
  expect_only_this_length("8cb2420000000001", datetime(6));
}

TEST(Timestamp, IsShiftedByTheZoneButForZero) {
  expect_all({{"6a48dc40", "2026-07-04 10:11:12"},
              {"00000000", "0000-00-00 00:00:00"},
              {"00000001", "1970-01-01 00:00:01"},
              {"7fffffff", "2038-01-19 03:14:07"},
              {"ffffffff", "2106-02-07 06:28:15"}},
             timestamp(0));
  expect_all({{"38bc5d7f63", "2000-02-29 23:59:59.99"}}, timestamp(2));
  expect_all({{"65e11a8001e240", "2024-03-01 00:00:00.123456"},
              {"00000000000000", "0000-00-00 00:00:00.000000"}},
             timestamp(6));
  expect_all({{"38bc5d7f", "2000-03-01 01:59:59"}, {"00000000", "0000-00-00 00:00:00"}},
             timestamp(0, 7200));
  expect_all({{"00000001", "1969-12-31 13:00:01"}}, timestamp(0, -11 * 3600));
  expect_only_this_length("65e11a8001e240", timestamp(6));
}

auto old_time(unsigned digits) {
  return [=](Bytes b, TextBuffer& out) { return binlog::append_old_time(b, digits, out); };
}
auto old_datetime(unsigned digits) {
  return [=](Bytes b, TextBuffer& out) { return binlog::append_old_datetime(b, digits, out); };
}
auto old_timestamp(unsigned digits, std::int32_t zone = 0) {
  return
      [=](Bytes b, TextBuffer& out) { return binlog::append_old_timestamp(b, digits, zone, out); };
}

TEST(OldTemporals, AreLittleEndianDecimals) {
  expect_all({{"590a80", "-838:59:59"},
              {"a7f57f", "838:59:59"},
              {"000000", "00:00:00"},
              {"ffffff", "-00:00:01"},
              {"3c0000", "<refused>"}},  // 60 seconds
             old_time(0));
  // 20260704101112, 0, 99999999999999
  expect_all({{"f82212506d120000", "2026-07-04 10:11:12"},
              {"0000000000000000", "0000-00-00 00:00:00"},
              {"ff3f7a10f35a0000", "<refused>"}},
             old_datetime(0));
  expect_all({{"40dc486a", "2026-07-04 11:11:12"}, {"00000000", "0000-00-00 00:00:00"}},
             old_timestamp(0, 3600));
  expect_only_this_length("590a80", old_time(0));
  expect_only_this_length("f82212506d120000", old_datetime(0));
  expect_only_this_length("40dc486a", old_timestamp(0));
}

// MariaDB with mysql56_temporal_format=OFF: big-endian, TIME counted from -839 hours.  Every kind
// and number of digits is in recorded_values_test.cc.
TEST(OldTemporals, WithFractionsAreBigEndian) {
  expect_all({{"01cce055", "-00:00:01.1"}}, old_time(1));
  expect_all({{"1200c3c0", "00:00:00.00"}, {"ffffffff", "<refused>"}}, old_time(2));
  expect_all({{"01680f4717", "838:59:58.999"}}, old_time(3));
  expect_all({{"0000000f4241", "-838:59:58.999999"}}, old_time(6));
  expect_all({{"00a997733487", "2026-07-04 10:11:12.7"}}, old_datetime(1));
  expect_all({{"069b66adee50", "2021-02-00 01:02:03.04"},
              {"000000000000", "0000-00-00 00:00:00.00"},
              {"20b08efa9604", "<refused>"}},  // the year 10000
             old_datetime(2));
  expect_all({{"0146e4ebd7ffff", "9999-12-31 23:59:59.999"}}, old_datetime(3));
  expect_all({{"007fb403f9236001", "1000-01-01 00:00:00.000001"}}, old_datetime(6));
  expect_all({{"6a48dc4007", "2026-07-04 10:11:12.7"},
              {"0000000000", "0000-00-00 00:00:00.0"},
              {"000000010a", "<refused>"}},  // ten tenths
             old_timestamp(1));
  expect_all({{"6a48dc401ed2", "2026-07-04 12:11:12.7890"}}, old_timestamp(4, 7200));
  expect_only_this_length("01cce055", old_time(1));
  expect_only_this_length("0000000f4241", old_time(6));
  expect_only_this_length("0146e4ebd7ffff", old_datetime(3));
  expect_only_this_length("007fb403f9236001", old_datetime(6));
  expect_only_this_length("000000010f423f", old_timestamp(6));
  EXPECT_EQ(text_of(unhex("0000000000"), old_timestamp(7)), "<refused>");
}

std::string double_text(double v) {
  TextBuffer out;
  return binlog::append_double(v, out) ? std::string(out.view()) : "<refused>";
}

TEST(Double, IsLaidOutAsTheServerPrintsIt) {
  EXPECT_EQ(double_text(1), "1");
  EXPECT_EQ(double_text(0.1), "0.1");
  EXPECT_EQ(double_text(-0.0), "-0");
  EXPECT_EQ(double_text(1e14), "100000000000000");
  EXPECT_EQ(double_text(1e15), "1e15");
  EXPECT_EQ(double_text(123456789012345), "123456789012345");
  EXPECT_EQ(double_text(1234567890123456), "1.234567890123456e15");
  EXPECT_EQ(double_text(-1122483359896004.6), "-1122483359896004.6");
  EXPECT_EQ(double_text(1234567890123456.8), "1234567890123456.8");
  EXPECT_EQ(double_text(11224833598960046), "1.1224833598960046e16");
  EXPECT_EQ(double_text(1e-5), "0.00001");
  EXPECT_EQ(double_text(1e-15), "0.000000000000001");
  EXPECT_EQ(double_text(1.5e-15), "0.0000000000000015");
  EXPECT_EQ(double_text(1e-16), "1e-16");
  EXPECT_EQ(double_text(1.2345678e-16), "1.2345678e-16");
  EXPECT_EQ(double_text(-1e-100), "-1e-100");
  EXPECT_EQ(double_text(123.456), "123.456");
  EXPECT_EQ(double_text(999999999999999.9), "999999999999999.9");
  EXPECT_EQ(double_text(std::numeric_limits<double>::max()), "1.7976931348623157e308");
  EXPECT_EQ(double_text(5e-324), "5e-324");
  EXPECT_EQ(double_text(std::numeric_limits<double>::infinity()), "<refused>");
  EXPECT_EQ(double_text(std::nan("")), "<refused>");
}

TEST(Double, ReadsBackAsTheSameValue) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto d = std::bit_cast<double>(random());
    if (!std::isfinite(d)) continue;
    ASSERT_EQ(std::strtod(double_text(d).c_str(), nullptr), d);
    const auto f = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isfinite(f)) continue;
    TextBuffer out;
    ASSERT_TRUE(binlog::append_float(f, out));
    ASSERT_EQ(std::strtof(std::string(out.view()).c_str(), nullptr), f);
  }
}

TEST(Float, IsTheShortestOfItsOwnWidth) {
  expect_all({{"cdcccc3d", "0.1"},
              {"0000804b", "16777216"},
              {"c6ab0d9f", "-3e-20"},
              {"ffff7f7f", "3.4028235e38"},
              {"0000c03f", "1.5"},
              {"0000807f", "<refused>"}},
             [](Bytes b, TextBuffer& out) { return binlog::append_float(b, out); });
}

// MariaDB 10.11.
TEST(Inet6, IsWrittenAsMariaDbWritesIt) {
  expect_all({{"", "::"},
              {"00000000000000000000000000000001", "::1"},
              {"0001", "1::"},
              {"000100000002", "1:0:2::"},
              {"00010000000200030004000500060007", "1::2:3:4:5:6:7"},
              {"00000000000000000000000001020304", "::1.2.3.4"},
              {"00000000000000000000ffff01020304", "::ffff:1.2.3.4"},
              {"00000000000000000000ffff", "::ffff:0.0.0.0"},
              {"20010db8000000000001000000000001", "2001:db8::1:0:0:1"},
              {"000000000001", "0:0:1::"},
              {"0001000200030004000500060007", "1:2:3:4:5:6:7::"},
              {"00000000000000000000000000000102", "::102"},
              {"00000000000000000002000000000001", "::2:0:0:1"},
              {"00000000000000000005000600070008", "::5:6:7:8"},
              {"0000000000000000000000000000000000", "<refused>"}},
             [](Bytes b, TextBuffer& out) { return binlog::append_inet6(b, out); });
}

TEST(Inet4AndUuid, GetTheirTrailingZerosBack) {
  expect_all({{"0a", "10.0.0.0"},
              {"", "0.0.0.0"},
              {"c0a80101", "192.168.1.1"},
              {"c0a8010100", "<refused>"}},
             [](Bytes b, TextBuffer& out) { return binlog::append_inet4(b, out); });
  expect_all({{"123e4567e89b12d3a45642661544", "123e4567-e89b-12d3-a456-426615440000"}},
             [](Bytes b, TextBuffer& out) { return binlog::append_uuid(b, out); });
}

TEST(Vector, IsAListOfShortestFloats) {
  expect_all({{"0000803f0000204082a8fbb7", "[1,2.5,-3e-05]"},
              {"", "[]"},
              {"000080", "<refused>"},
              {"0000c07f", "<refused>"}},
             [](Bytes b, TextBuffer& out) { return binlog::append_vector(b, out); });
}

}  // namespace
}  // namespace sluice::event::test
