// The rules of `tables` entries as they stand in the file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/config/show.h"

#include "unit/config/loading.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kRules = R"(
tables:
  - match: 'shop_(\d+)\.orders_{00..15}'
    logical: {database: shop, table: 'orders_\1'}
    operations: [insert, delete]
    when: status = 'active' and total > 10
    columns: {include: [id, "a, b"], exclude: [b]}
    mask: {email: sha256, phone: null, name: fixed 'it''s', "x y": "fixed 'a, b: c'"}
    mask_salt: pepper
)";

TEST(TableRules, AreRead) {
  const LoadResult result = load(kRules);
  ASSERT_THAT(result.problems, IsEmpty()) << result.problems[0].to_string();
  EXPECT_THAT(result.warnings, IsEmpty());
  const TableOptions& table = result.options->tables()[0];
  EXPECT_EQ(table.logical(), (LogicalTable{"shop", R"(orders_\1)"}));
  EXPECT_EQ(table.operations(), (Operations{true, false, true}));
  EXPECT_EQ(table.when().text(), "status = 'active' and total > 10");
  EXPECT_EQ(table.columns(), (ColumnChoice{{"id", "a, b"}, {"b"}}));
  EXPECT_EQ(table.mask(), (MaskList{{"email", Mask::Kind::sha256, ""},
                                    {"phone", Mask::Kind::null, ""},
                                    {"name", Mask::Kind::fixed, "it's"},
                                    {"x y", Mask::Kind::fixed, "a, b: c"}}));
  EXPECT_EQ(table.mask_salt().reveal(), "pepper");
}

TEST(TableRules, ArePrintedSoThatTheyReadBackTheSame) {
  const LoadResult first = load(kRules);
  const std::string printed = print_effective(*first.options);
  EXPECT_THAT(printed, HasSubstr("    mask_salt: \"***\"\n"));
  const LoadResult again = load(printed);
  ASSERT_TRUE(again.ok()) << printed;
  const TableOptions& a = first.options->tables()[0];
  const TableOptions& b = again.options->tables()[0];
  EXPECT_EQ(b.logical(), a.logical());
  EXPECT_EQ(b.operations(), a.operations());
  EXPECT_EQ(b.when(), a.when());
  EXPECT_EQ(b.columns(), a.columns());
  EXPECT_EQ(b.mask(), a.mask());
  EXPECT_EQ(print_effective(*again.options), printed);
}

TEST(TableRules, AreAbsentByDefault) {
  const LoadResult result = load("tables: [{match: a}]");
  ASSERT_TRUE(result.ok());
  const TableOptions& table = result.options->tables()[0];
  EXPECT_TRUE(table.logical().empty());
  EXPECT_EQ(table.operations(), Operations());
  EXPECT_TRUE(table.when().empty());
  EXPECT_EQ(table.columns(), ColumnChoice());
  EXPECT_THAT(table.mask(), IsEmpty());
}

TEST(TableRules, TakeCanalsFilters) {
  const LoadResult result =
      load(R"(filter: {include: 'canal\\.test1, db.*\\.t', exclude: "db1\\\\.t"})");
  ASSERT_TRUE(result.ok()) << result.problems[0].to_string();
  const FilterOptions& filter = result.options->filter;
  EXPECT_TRUE(filter.include().matches("canal.test1"));
  EXPECT_TRUE(filter.include().matches("db1.t"));
  EXPECT_FALSE(filter.include().matches("canal.test2"));
  EXPECT_TRUE(filter.exclude().matches("db1.t"));
  EXPECT_EQ(load("filter: {include: 'a,b'}").options->filter.include().size(), 2U);
  EXPECT_EQ(load("filter: {include: ['a,b']}").options->filter.include().size(), 1U);
}

TEST(TableRules, SayWhereTheyAreWrong) {
  EXPECT_THAT(problems("filter:\n  include: 'a, (?=b).*'\n"),
              ElementsAre("c.yaml:2:12: filter.include: pattern 2 of 2: bad pattern: invalid perl "
                          "operator: (?= (RE2 cannot look ahead or behind; leave tables out with "
                          "filter.exclude)"));
  EXPECT_THAT(problems("tables:\n  - when: a = \n"),
              ElementsAre("c.yaml:2:11: tables[0].when: 1:4: a column, number or text is "
                          "expected, not the end"));
  EXPECT_THAT(problems("tables: [{operations: [insert, remove]}]"),
              ElementsAre(HasSubstr("remove is not one of insert, update or delete")));
  EXPECT_THAT(problems("tables: [{operations: []}]"),
              ElementsAre("c.yaml:1:23: tables[0].operations: is empty; filter.exclude leaves a "
                          "table out"));
  EXPECT_THAT(problems("tables: [{columns: [a]}]"), ElementsAre(HasSubstr("not a list")));
  EXPECT_THAT(problems("tables: [{columns: {includ: [a]}}]"),
              ElementsAre("c.yaml:1:21: tables[0].columns: unknown key includ; did you mean "
                          "include?"));
  EXPECT_THAT(problems("tables: [{columns: {include: a}}]"),
              ElementsAre(HasSubstr("a list of texts is expected")));
  for (const std::string mask : {"md5", "fixed", "fixed x", "fixed 'x", "fixed 'a'b'", "[sha256]"})
    EXPECT_THAT(problems("tables:\n  - mask:\n      a: " + mask), testing::SizeIs(1)) << mask;
  EXPECT_THAT(problems("tables: [{mask: {a: sha256, a: null}}]"),
              ElementsAre(HasSubstr("duplicate key a")));
  EXPECT_THAT(problems("tables: [{logical: shop}]"), ElementsAre(HasSubstr("not a single value")));
  EXPECT_THAT(problems("tables: [{logical: {table: ''}}]"), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(problems(R"(tables: [{match: '(a)\.b', logical: {table: '\2'}}])"),
              ElementsAre(HasSubstr("tables[0].logical: ")));
  EXPECT_THAT(problems("source: {row_image: any}\ntables: [{when: a = 1}]"),
              ElementsAre("c.yaml:2:17: tables[0].when: needs whole rows; it does not go with "
                          "source.row_image: any"));
}

TEST(TableRules, HashesWithoutSaltAreWarnedOf) {
  const LoadResult result = load("tables: [{mask: {a: sha256}}]");
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_THAT(result.warnings[0].to_string(),
              HasSubstr("c.yaml:1:17: tables[0].mask: sha256 without mask_salt"));
  EXPECT_THAT(load("tables: [{mask: {a: null}}]").warnings, IsEmpty());
}

}  // namespace
}  // namespace sluice
