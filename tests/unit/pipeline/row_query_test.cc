#include "pipeline/row_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/schema/catalog.h"

namespace sluice::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const std::set<std::string, std::less<>> kNone;

ColumnSchema column(const std::string& name, const std::string& type) {
  ColumnSchema c;
  c.name = name;
  EXPECT_TRUE(schema::parse_column_type(type, c).ok()) << type;
  c.mysql_type = type;
  return c;
}

TableSchema table(std::vector<ColumnSchema> columns, std::vector<std::uint16_t> key) {
  TableSchema t;
  t.database = "shop";
  t.name = "us`er";
  t.columns = std::move(columns);
  t.primary_key = std::move(key);
  return t;
}

std::string quote(std::string_view text) {
  return "<" + std::string(text) + ">";
}

std::optional<ShownRow> shown(const RowQuery& q, const std::vector<std::string>& key,
                              const mysql::ResultRow& row) {
  auto out = q.read(key, {row});
  EXPECT_TRUE(out.ok()) << to_string(out.error());
  return out.ok() ? *out : std::nullopt;
}

TEST(RowQuery, AsksForEachColumnSoThatTheTextIsThatOfLines) {
  const auto q = RowQuery::make(
      table({column("id", "bigint(20) unsigned"), column("b", "varbinary(9)"), column("f", "float"),
             column("bits", "bit(9)"), column("z", "int(5) zerofill")},
            {0, 1}),
      {}, kNone);
  ASSERT_TRUE(q.ok()) << to_string(q.error());
  const std::vector<std::string> key{"18446744073709551615", std::string("a\0'", 3)};
  const auto sql = q->select(key, quote);
  ASSERT_TRUE(sql.ok());
  EXPECT_EQ(*sql,
            "SELECT `id`, `b`, `f`+0e0, `bits`+0, `z`+0 FROM `shop`.`us``er` WHERE `id` = "
            "18446744073709551615 AND `b` = X'610027'");
  EXPECT_THAT(*shown(*q, key, {key[0], key[1], "0.10000000149011612", "5", std::nullopt}),
              ElementsAre(Pair("id", key[0]), Pair("b", key[1]), Pair("f", "0.1"),
                          Pair("bits", "5"), Pair("z", std::nullopt)));
}

TEST(RowQuery, TextIsQuotedAndWhatIsNoNumberIsNeverPutIntoTheStatement) {
  const auto q = RowQuery::make(
      table({column("c", "varchar(9)"), column("n", "decimal(9,2)")}, {0, 1}), {}, kNone);
  ASSERT_TRUE(q.ok());
  const std::vector<std::string> key{"a' OR 1=1", "-1.50"};
  EXPECT_THAT(*q->select(key, quote), HasSubstr("WHERE `c` = <a' OR 1=1> AND `n` = -1.50"));
  for (const char* bad : {"1 OR 1", "", "-", "1.2.3", ".5", "1e5"}) {
    const std::vector<std::string> other{"a", bad};
    EXPECT_FALSE(q->select(other, quote).ok()) << bad;
  }
  const std::vector<std::string> fewer{"a"};
  EXPECT_FALSE(q->select(fewer, quote).ok());
}

TEST(RowQuery, ARowThatOnlyTheCollationCallsEqualIsAnotherOne) {
  const auto q = RowQuery::make(table({column("c", "varchar(9)")}, {0}), {}, kNone);
  ASSERT_TRUE(q.ok());
  EXPECT_TRUE(shown(*q, {"a"}, {"a"}).has_value());
  EXPECT_FALSE(shown(*q, {"a"}, {"A"}).has_value());
  const std::vector<std::string> key{"a"};
  EXPECT_FALSE((*q->read(key, {})).has_value());
  EXPECT_FALSE(q->read(key, {{"a"}, {"a"}}).ok());
}

TEST(RowQuery, ColumnsMasksAndConditionsAreThoseOfTheRules) {
  event::TableRules rules;
  rules.hidden_columns = {"SECRET"};
  rules.masks = {{"mail", event::ColumnMask::Kind::sha256, ""},
                 {"name", event::ColumnMask::Kind::fixed, "x"},
                 {"note", event::ColumnMask::Kind::null, ""}};
  rules.salt = Secret("ab");
  rules.when = *expr::Condition::parse("total > 10 and secret = 'y'");
  const auto q =
      RowQuery::make(table({column("id", "int(11)"), column("mail", "varchar(9)"),
                            column("name", "varchar(9)"), column("note", "varchar(9)"),
                            column("secret", "varchar(9)"), column("total", "decimal(9,2)")},
                           {0}),
                     rules, kNone);
  ASSERT_TRUE(q.ok()) << to_string(q.error());
  // SHA-256 of "abc".
  EXPECT_THAT(
      *shown(*q, {"1"}, {"1", "c", std::nullopt, "n", "y", "10.01"}),
      ElementsAre(Pair("id", "1"),
                  Pair("mail", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                  Pair("name", "x"), Pair("note", std::nullopt), Pair("total", "10.01")));
  EXPECT_FALSE(shown(*q, {"1"}, {"1", "c", "n", "n", "y", "10.00"}).has_value());
  EXPECT_FALSE(shown(*q, {"1"}, {"1", "c", "n", "n", std::nullopt, "11"}).has_value());
}

TEST(RowQuery, VirtualColumnsAreAskedForWhereLinesHaveThem) {
  ColumnSchema v = column("v", "int(11)");
  v.generated = v.is_virtual = true;
  const TableSchema t = table({column("id", "int(11)"), v}, {0});
  const std::vector<std::string> key{"1"};
  EXPECT_THAT(*RowQuery::make(t, {}, kNone)->select(key, quote), HasSubstr("SELECT `id` FROM"));
  EXPECT_THAT(*RowQuery::make(t, {}, {"v"})->select(key, quote),
              HasSubstr("SELECT `id`, `v` FROM"));
}

TEST(RowQuery, WhereLinesDoNotSayWhichRowItWasOrWhatItShouldBeItIsRefused) {
  event::TableRules hashed;
  hashed.masks = {{"id", event::ColumnMask::Kind::sha256, ""}};
  event::TableRules no_deletes;
  no_deletes.removes = false;
  EXPECT_THAT(RowQuery::make(table({column("id", "int(11)")}, {0}), hashed, kNone).error().what,
              HasSubstr("masked"));
  EXPECT_THAT(RowQuery::make(table({column("id", "int(11)")}, {0}), no_deletes, kNone).error().what,
              HasSubstr("operations"));
  EXPECT_THAT(RowQuery::make(table({column("id", "float")}, {0}), {}, kNone).error().what,
              HasSubstr("type float"));
  EXPECT_THAT(RowQuery::make(table({column("id", "int(11)")}, {}), {}, kNone).error().what,
              HasSubstr("no key"));
}

}  // namespace
}  // namespace sluice::pipeline
