#include "sluice/expr/value.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::expr {
namespace {

Value number(std::string_view text) {
  for (const Type type : {Type::integer, Type::decimal})
    if (const auto value = read_value(type, text)) return *value;
  ADD_FAILURE() << text;
  return {};
}

TEST(ExprValue, OrdersExactNumbersOfAnySizeAndScale) {
  const std::vector<std::string_view> ascending{"-99999999999999999999999999999999999.5",
                                                "-9223372036854775809.0",
                                                "-9223372036854775808",
                                                "-10",
                                                "-9.99",
                                                "-9.989",
                                                "-0.000000000000000000000000000001",
                                                "0",
                                                "0.5",
                                                "9",
                                                "9.000000000000000000000000000001",
                                                "10",
                                                "9223372036854775807",
                                                "9223372036854775808",
                                                "18446744073709551614.9",
                                                "18446744073709551615",
                                                "18446744073709551615.1",
                                                "18446744073709551616"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const int order = compare_exact(number(ascending[i]), number(ascending[j]));
      EXPECT_EQ(order < 0, i < j) << ascending[i] << ' ' << ascending[j];
      EXPECT_EQ(order == 0, i == j) << ascending[i] << ' ' << ascending[j];
    }
  }
}

TEST(ExprValue, ZerosAroundANumberMeanNothing) {
  for (const std::string_view text : {"5", "5.0", "5.000", "05", "005.00"})
    EXPECT_EQ(compare_exact(number("5"), number(text)), 0) << text;
  for (const std::string_view text : {"0", "-0", "0.0", "-0.00", ".0"})
    EXPECT_EQ(compare_exact(number("0"), number(text)), 0) << text;
}

TEST(ExprValue, WhatIsNoValueOfTheTypeIsNone) {
  EXPECT_FALSE(read_value(Type::integer, ""));
  EXPECT_FALSE(read_value(Type::integer, "-"));
  EXPECT_FALSE(read_value(Type::integer, "1.0"));
  EXPECT_FALSE(read_value(Type::integer, "18446744073709551616"));
  EXPECT_FALSE(read_value(Type::decimal, ""));
  EXPECT_FALSE(read_value(Type::decimal, "."));
  EXPECT_FALSE(read_value(Type::decimal, "1.2.3"));
  EXPECT_FALSE(read_value(Type::decimal, "1e3"));
  EXPECT_FALSE(read_value(Type::real, "1e400"));
  EXPECT_FALSE(read_value(Type::real, "x"));
  for (const std::string_view text :
       {"", "2024", "2024-1-1", "2024-13-01", "2024-01-32", "2024-01-01T00:00:00",
        "2024-01-01 24:00:00", "2024-01-01 00:00", "2024-01-01 00:00:00.",
        "2024-01-01 00:00:00.1234567", "2024-01-01 00:00:00x"})
    EXPECT_FALSE(read_value(Type::datetime, text)) << text;
  for (const std::string_view text : {"", "1:00:00", "839:00:00", "00:60:00", "00:00", "00:00:00 "})
    EXPECT_FALSE(read_value(Type::time, text)) << text;
}

TEST(ExprValue, MomentsKeepTheirOrder) {
  const std::vector<std::string_view> days{
      "0000-00-00", "0000-00-00 00:00:01",        "1999-12-31",          "2024-00-00",
      "2024-01-31", "2024-01-31 00:00:00.000001", "2024-01-31 23:59:59", "2024-01-31 23:59:59.5",
      "2024-02-01", "9999-12-31 23:59:59.999999"};
  for (std::size_t i = 1; i < days.size(); ++i)
    EXPECT_LT(read_value(Type::datetime, days[i - 1])->moment,
              read_value(Type::datetime, days[i])->moment)
        << days[i];
  EXPECT_EQ(read_value(Type::date, "2024-01-31")->moment,
            read_value(Type::datetime, "2024-01-31 00:00:00.000")->moment);
  const std::vector<std::string_view> times{"-838:59:59.000000", "-00:00:00.5", "00:00:00",
                                            "00:00:00.000001",   "23:59:59",    "100:00:00",
                                            "838:59:59"};
  for (std::size_t i = 1; i < times.size(); ++i)
    EXPECT_LT(read_value(Type::time, times[i - 1])->moment,
              read_value(Type::time, times[i])->moment)
        << times[i];
}

TEST(ExprValue, NumbersOfAllKindsHaveADouble) {
  EXPECT_EQ(to_double(number("-3")), -3.0);
  EXPECT_EQ(to_double(number("18446744073709551615")), 18446744073709551615.0);
  EXPECT_EQ(to_double(number("-2.50")), -2.5);
  EXPECT_EQ(to_double(*read_value(Type::real, "1e300")), 1e300);
}

}  // namespace
}  // namespace sluice::expr
