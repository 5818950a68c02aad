#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/expr/condition.h"

namespace sluice::expr {
namespace {

struct Cell {
  std::string_view name;
  Type type;
  std::optional<std::string_view> text;  // null without
};

const std::vector<Cell> kRow{{"id", Type::integer, "18446744073709551615"},
                             {"n", Type::integer, "-7"},
                             {"total", Type::decimal, "10.50"},
                             {"weight", Type::real, "0.1"},
                             {"Status", Type::text, "active"},
                             {"note", Type::text, std::nullopt},
                             {"raw", Type::bytes, "\xFF\x01"},
                             {"born", Type::date, "2024-02-29"},
                             {"seen", Type::datetime, "2024-02-29 12:00:00.500000"},
                             {"took", Type::time, "-100:00:00"},
                             {"doc", Type::opaque, "{}"},
                             {"no_doc", Type::opaque, std::nullopt},
                             {"nothing", Type::integer, std::nullopt},
                             {"order", Type::integer, "3"}};

Result<Predicate> compiled(std::string_view text) {
  auto condition = Condition::parse(text);
  if (!condition) return std::move(condition).error();
  std::vector<Column> columns;
  for (const Cell& c : kRow) columns.push_back({c.name, c.type});
  return Predicate::compile(*condition, columns);
}

// "yes", "no", "unknown", or what is wrong.
std::string outcome(std::string_view text) {
  const auto predicate = compiled(text);
  if (!predicate) return predicate.error().what;
  std::vector<Value> values;
  for (const std::uint16_t column : predicate->columns()) {
    const Cell& c = kRow[column];
    values.push_back(c.text ? read_value(c.type, *c.text).value() : Value());
  }
  switch (predicate->evaluate(values)) {
    case Truth::no: return "no";
    case Truth::yes: return "yes";
    case Truth::unknown: break;
  }
  return "unknown";
}

void expect_all(std::string_view expected, const std::vector<std::string_view>& texts) {
  for (const std::string_view text : texts) EXPECT_EQ(outcome(text), expected) << text;
}

TEST(Predicate, ComparesNumbersWithoutLoss) {
  expect_all("yes", {"id = 18446744073709551615", "id > 18446744073709551614",
                     "id < 18446744073709551616", "id > 18446744073709551614.9", "n = -7", "n < 0",
                     "n >= -7.0", "total = 10.5", "total > 10", "total <= 10.500000",
                     "total <> 10.51", "n < id", "total > n", "weight = 0.1", "weight < 1e-0",
                     "total > weight", "-8 < n", "1 = 1.0", "id = 18446744073709551615e0"});
  expect_all("no", {"id = 18446744073709551614", "total = 10.49999999999999999999", "n > -7",
                    "weight > 0.1", "total < 10.5"});
}

TEST(Predicate, ComparesTextByItsCharacters) {
  expect_all("yes", {"status = 'active'", "STATUS = 'active'", "status <> 'Active'",
                     "status <> 'active '", "status > 'acti'", "status < 'b'",
                     "status in ('gone', 'active')", "not status in ('gone')", "raw <> 'x'"});
  expect_all("no",
             {"status = 'ACTIVE'", "status in ('gone', 'Active')", "status not in ('active')"});
}

TEST(Predicate, MatchesPatterns) {
  expect_all("yes",
             {"status like 'active'", "status like 'a%'", "status like '%e'", "status like '%ti%'",
              "status like '______'", "status like '%'", "status like 'a_t%v_'",
              "status not like 'A%'", "'100%' like '100\\%'", "'a_b' like 'a\\_b'",
              "'größe' like 'gr__e'", "'größe' like 'gr%e'", "'' like '%%'", "raw like '__'",
              "'aaab' like '%ab'", "'abcabd' like '%ab_'", "'a\\' like 'a\\'"});
  expect_all("no", {"status like 'activ'", "status like '_____'", "status like '_______'",
                    "'100x' like '100\\%'", "'axb' like 'a\\_b'", "'' like '_'", "'x' like ''",
                    "'größe' like 'gr___e'", "raw like '_'", "'abc' like '%b'"});
}

TEST(Predicate, ComparesDatesAndTimes) {
  expect_all("yes", {"born = '2024-02-29'", "born < '2024-02-29 00:00:01'", "seen > '2024-02-29'",
                     "seen = '2024-02-29 12:00:00.5'", "born < seen", "took = '-100:00:00'",
                     "took < '00:00:00'", "born in ('2023-01-01', '2024-02-29')",
                     "'2024-03-01' > born", "born > '0000-00-00'"});
  expect_all("no",
             {"seen < '2024-02-29 12:00:00.499999'", "took < '-100:00:00'", "took > '-99:59:59'"});
}

TEST(Predicate, IsThreeValued) {
  expect_all("unknown", {"note = 'x'", "note <> 'x'", "not note = 'x'", "note like '%'",
                         "note not like 'x'", "note in ('a')", "note not in ('a')", "nothing > 0",
                         "nothing = n", "nothing = 1 and n = -7", "nothing = 1 or n = 7",
                         "nothing = 1 and nothing = 2", "not (nothing = 1 or n = 7)"});
  expect_all("no", {"nothing = 1 and n = 7", "note is not null", "doc is null",
                    "not (nothing = 1 or n = -7)"});
  expect_all("yes", {"nothing = 1 or n = -7", "note is null", "no_doc is null", "doc is not null",
                     "not (note is null and n = 7)", "nothing is null", "1 is not null"});
}

TEST(Predicate, BindsNotThenAndThenOr) {
  expect_all("yes", {"true or true and false", "(true or true) and true", "not false and true",
                     "not (false and true)", "not not true", "false or not false",
                     "n = -7 and `order` = 3 and status = 'active'", "true = 1", "false = 0"});
  expect_all("no", {"(true or true) and false", "not true or false", "not (true or false)"});
}

TEST(Predicate, AsksForEachColumnOnce) {
  const auto predicate = compiled("n = 1 or total > n and (n < 5 or status like 'x')");
  ASSERT_TRUE(predicate.ok());
  EXPECT_THAT(predicate->columns(), testing::ElementsAre(1, 2, 4));
  EXPECT_TRUE(compiled("true")->columns().empty());
}

TEST(Predicate, RefusesWhatDoesNotGoTogether) {
  EXPECT_EQ(outcome("n = 1 and totel > 2"), "1:11: the table has no column `totel`");
  EXPECT_EQ(outcome("total > '10'"), "1:9: `total` is a number, '10' is text");
  EXPECT_EQ(outcome("status = 1"), "1:10: `status` is text, 1 is a whole number");
  EXPECT_EQ(outcome("status = true"), "1:10: `status` is text, true is a whole number");
  EXPECT_EQ(outcome("status = n"), "1:10: `status` is text, `n` is a whole number");
  EXPECT_EQ(outcome("n in (1, 'x')"), "1:10: `n` is a whole number, 'x' is text");
  EXPECT_EQ(outcome("n like '1%'"), "1:1: like is for text; `n` is a whole number");
  EXPECT_EQ(outcome("doc = '{}'"), "1:1: `doc` is of a type that can only be asked for null");
  EXPECT_EQ(outcome("born = 'soon'"),
            "1:8: 'soon' is not a date, which is written '2024-01-31' or '2024-01-31 23:59:59'");
  EXPECT_EQ(outcome("took > '25'"), "1:8: '25' is not a time, which is written '23:59:59'");
  EXPECT_EQ(outcome("born = took"), "1:8: `born` is a date, `took` is a time");
  EXPECT_EQ(outcome("born = 20240229"), "1:8: `born` is a date, 20240229 is a whole number");
  EXPECT_EQ(outcome("weight < 1e999"), "1:10: 1e999 is out of range");
}

TEST(Predicate, NoConditionHoldsForEveryRow) {
  const auto predicate = Predicate::compile(Condition(), {});
  ASSERT_TRUE(predicate.ok());
  EXPECT_EQ(predicate->evaluate({}), Truth::yes);
}

}  // namespace
}  // namespace sluice::expr
