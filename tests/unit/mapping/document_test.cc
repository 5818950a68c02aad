#include <gmock/gmock.h>

#include "unit/mapping/maps.h"

namespace sluice::mapping {
namespace {

using testing::Commands;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Maps;
using testing::Table;

const Table& things() {
  static const Table kThings({{"id", "bigint unsigned"},
                              {"name", "varchar(20)"},
                              {"price", "decimal(8,2)"},
                              {"doc", "json"},
                              {"raw", "varbinary(8)"},
                              {"y", "year(4)"}},
                             {"id"});
  return kThings;
}
std::vector<testing::Value> thing(testing::Value name, testing::Value price = "1.50") {
  return {"18446744073709551615", std::move(name), std::move(price),
          R"({"a": [1, null]})",  "\x01\xff",      "0000"};
}
constexpr const char* kDocument =
    R"({"id":18446744073709551615,"name":"a\"b","price":1.50,"doc":{"a": [1, null]},"raw":"Af8=","y":0})";

TEST(StringMapping, HoldsTheRowAsJson) {
  Maps map("{type: string}");
  EXPECT_EQ(map(things().insert(thing("a\"b"))),
            (Commands{{"SET", "shop:user:18446744073709551615", kDocument}}));
  EXPECT_EQ(map(things().remove(thing("a"))),
            (Commands{{"UNLINK", "shop:user:18446744073709551615"}}));
  Maps some("{type: string, columns: {include: [price, name]}, ttl: 1s}");
  EXPECT_EQ(some(things().insert(thing({}))),
            (Commands{{"SET", "shop:user:18446744073709551615", R"({"name":null,"price":1.50})",
                       "PX", "1000"}}));
}

TEST(StringMapping, HoldsATemplate) {
  Maps map("{type: string, key: 'n:{id}', value: '{name}/{price}'}");
  EXPECT_EQ(map(things().insert(thing("a:/"))), (Commands{{"SET", "n:18446744073709551615",
                                                           "a:/"
                                                           "/1.50"}}));
  EXPECT_THAT(map(things().insert(thing({}))), IsEmpty());
  EXPECT_EQ(map(things().update(thing("a"), thing({}))),
            (Commands{{"UNLINK", "n:18446744073709551615"}}));
  Maps empty("{type: string, key: 'n:{id}', value: '{name}', on_null: empty}");
  EXPECT_EQ(empty(things().insert(thing({}))), (Commands{{"SET", "n:18446744073709551615", ""}}));
  EXPECT_THAT(map.keys(things().insert(thing("a"))), ElementsAre(" n:18446744073709551615"))
      << "SET takes every type";
}

TEST(StringMapping, AKeyThatChangesLeavesNothingBehind) {
  Maps map("{type: string, key: 'by:{name}', value: '{price}'}");
  EXPECT_EQ(map(things().update(thing("a"), thing("b"))),
            (Commands{{"UNLINK", "by:a"}, {"SET", "by:b", "1.50"}}));
}

TEST(JsonMapping, SetsTheDocumentOrWhatChanged) {
  Maps map("{type: json, key: 'd:{name}'}");
  EXPECT_EQ(map(things().insert(thing("x"))).at(0).at(0), "JSON.SET");
  EXPECT_EQ(map(things().insert(thing("x"))).at(0).at(2), "$");
  EXPECT_EQ(map(things().update(thing("x"), thing("y"))).at(0),
            (testing::Command{"UNLINK", "d:x"}));
  EXPECT_EQ(map(things().remove(thing("x"))), (Commands{{"UNLINK", "d:x"}}));
  Maps changed("{type: json, key: 'd:{id}', write: changed, columns: {exclude: [y]}}");
  EXPECT_EQ(changed(things().update(thing("x", "1.00"), thing({}, "2.00"))),
            (Commands{{"JSON.SET", "d:18446744073709551615", R"($["name"])", "null"},
                      {"JSON.SET", "d:18446744073709551615", R"($["price"])", "2.00"}}));
  EXPECT_THAT(map.keys(things().insert(thing("x"))), ElementsAre("ReJSON-RL d:x"));
}

TEST(PublishMapping, SendsATemplateOrTheRow) {
  Maps map("{type: publish, key: 'changes:{table}', value: '{id}'}");
  EXPECT_EQ(map(things().insert(thing("x"))),
            (Commands{{"PUBLISH", "changes:user", "18446744073709551615"}}));
  EXPECT_EQ(map(things().remove(thing("x"))),
            (Commands{{"PUBLISH", "changes:user", "18446744073709551615"}}));
  Maps row("{type: publish, key: c, columns: {include: [name]}}");
  EXPECT_EQ(row(things().update(thing("x"), thing("y"))),
            (Commands{{"PUBLISH", "c", R"({"name":"y"})"}}));
  EXPECT_THAT(row.keys(things().insert(thing("x"))), IsEmpty());
}

TEST(InvalidateMapping, DeletesTheKeysOfBothImages) {
  Maps map("{type: invalidate, key: 'cache:{name}'}");
  EXPECT_EQ(map(things().insert(thing("x"))), (Commands{{"UNLINK", "cache:x"}}));
  EXPECT_EQ(map(things().update(thing("x"), thing("x", "9.00"))),
            (Commands{{"UNLINK", "cache:x"}}));
  EXPECT_EQ(map(things().update(thing("x"), thing("y"))),
            (Commands{{"UNLINK", "cache:x"}, {"UNLINK", "cache:y"}}));
  EXPECT_EQ(map(things().remove(thing("x"))), (Commands{{"UNLINK", "cache:x"}}));
}

TEST(InvalidateMapping, NotesKeysThatAreToBeDeletedOnceMore) {
  class At final : public Clock {
   public:
    std::chrono::steady_clock::time_point steady() const override { return {}; }
    std::int64_t wall_us() const override { return 1'700'000'000'000'999; }
  };
  const At clock;
  Maps map("{type: invalidate, key: 'cache:{name}', again_after: 1500ms}", "", clock);
  const std::string list = "sluice:main:invalidations", due = "1700000001500";
  EXPECT_EQ(invalidations_key("main"), list);
  const std::string id = EventId{1, 2, 3, 4, 7, 0}.to_string();
  EXPECT_EQ(map(things().update(thing("x"), thing("y z"))),
            (Commands{{"UNLINK", "cache:x"},
                      {"ZADD", list, due, id + " cache:x"},
                      {"UNLINK", "cache:y z"},
                      {"ZADD", list, due, id + " cache:y z"}}));
  EXPECT_EQ(shortest_again_after(*testing::options_of(
                "{type: invalidate, again_after: 2s}, {type: invalidate, again_after: 1s}")),
            Duration(1000));
  EXPECT_EQ(shortest_again_after(*testing::options_of("{type: invalidate}")), std::nullopt);
}

TEST(ListMapping, PushesNewRows) {
  Maps map("{type: list, key: latest, member: '{name}', max_length: 10}");
  EXPECT_EQ(map(things().insert(thing("x"))),
            (Commands{{"LPUSH", "latest", "x"}, {"LTRIM", "latest", "0", "9"}}));
  EXPECT_THAT(map(things().update(thing("x"), thing("y"))), IsEmpty());
  EXPECT_THAT(map(things().remove(thing("x"))), IsEmpty());
  EXPECT_THAT(map(things().insert(thing({}))), IsEmpty());
  EXPECT_THAT(map.keys(things().insert(thing("x"))), ElementsAre("list latest"));
}

TEST(StreamMapping, HasAnEntryForEachChange) {
  Maps map("{type: stream, key: log, columns: {include: [name, price]}, max_length: 1000}");
  EXPECT_EQ(map(things().insert(thing({}))),
            (Commands{{"XADD", "log", "MAXLEN", "~", "1000", "*", "_id", "1.2.3.4.7.0", "_type",
                       "insert", "price", "1.50"}}));
  Maps all("{type: stream, key: log, columns: {include: [name]}, on_null: empty}");
  EXPECT_EQ(all(things().update(thing("x"), thing({}))),
            (Commands{{"XADD", "log", "*", "_id", "1.2.3.4.7.0", "_type", "update", "name", ""}}));
  EXPECT_EQ(all(things().remove(thing("x"))),
            (Commands{{"XADD", "log", "*", "_id", "1.2.3.4.7.0", "_type", "delete", "name", "x"}}));
}

TEST(CounterMapping, AddsTheDifference) {
  Maps sum("{type: counter, key: 'sum:{name}', amount: price}");
  EXPECT_EQ(sum(things().insert(thing("x"))), (Commands{{"INCRBY", "sum:x", "150"}}));
  EXPECT_EQ(sum(things().update(thing("x"), thing("x", "-0.50"))),
            (Commands{{"INCRBY", "sum:x", "-200"}}));
  EXPECT_EQ(sum(things().update(thing("x"), thing("y", "2.00"))),
            (Commands{{"INCRBY", "sum:x", "-150"}, {"INCRBY", "sum:y", "200"}}));
  EXPECT_EQ(sum(things().update(thing("x", {}), thing("x", "2.00"))),
            (Commands{{"INCRBY", "sum:x", "200"}}));
  EXPECT_EQ(sum(things().remove(thing("x"))), (Commands{{"INCRBY", "sum:x", "-150"}}));
  EXPECT_THAT(sum(things().insert(thing("x", "0.00"))), IsEmpty());
  Maps rows("{type: counter, key: 'rows', field: '{name}'}");
  EXPECT_EQ(rows(things().insert(thing("x"))), (Commands{{"HINCRBY", "rows", "x", "1"}}));
  EXPECT_THAT(rows(things().update(thing("x"), thing("x", "2.00"))), IsEmpty());
  EXPECT_EQ(rows(things().update(thing("x"), thing("y"))),
            (Commands{{"HINCRBY", "rows", "x", "-1"}, {"HINCRBY", "rows", "y", "1"}}));
}

TEST(CounterMapping, TouchesEachSumThatItAddsTo) {
  const auto touched = [](Maps& map, const ChangeView& view) {
    std::vector<TouchedKey> keys;
    EXPECT_TRUE(map.mapper().append_keys(view, view.rows.front(), keys).ok());
    Commands out;
    for (const TouchedKey& k : keys)
      out.push_back({std::string(k.type), k.key, k.field, std::to_string(k.added.value_or(0))});
    return out;
  };
  Maps sum("{type: counter, key: 'sum:{name}', amount: price}");
  EXPECT_EQ(touched(sum, things().update(thing("x"), thing("y", "2.00"))),
            (Commands{{"string", "sum:x", "", "-150"}, {"string", "sum:y", "", "200"}}));
  EXPECT_EQ(touched(sum, things().remove(thing("x"))), (Commands{{"string", "sum:x", "", "-150"}}));
  Maps rows("{type: counter, key: 'rows', field: '{name}'}");
  EXPECT_EQ(touched(rows, things().insert(thing("x"))), (Commands{{"hash", "rows", "x", "1"}}));
}

TEST(CounterMapping, ASumOfMoreThan64BitsIsRefused) {
  Maps map("{type: counter, key: k, amount: id}");
  EXPECT_THAT(map.refusal(things().insert(thing("x"))).what, HasSubstr("beyond the 64 bits"));
  EXPECT_EQ(map.refusal(things().insert(thing("x"))).cls, ErrorClass::poison);
  const Table table({{"id", "int"}, {"n", "bigint"}}, {"id"});
  Maps wide("{type: counter, key: k, amount: n}");
  EXPECT_THAT(wide.refusal(table.update({"1", "-9223372036854775808"}, {"1", "1"})).what,
              HasSubstr("more than the 64 bits"));
}

TEST(CounterMapping, TakesNoFloatingPoint) {
  const Table table({{"id", "int"}, {"d", "double"}, {"t", "text"}}, {"id"});
  Maps real("{type: counter, key: k, amount: d}");
  EXPECT_THAT(real.refusal(table.insert({"1", "2", "x"})).what, HasSubstr("use DECIMAL"));
  Maps text("{type: counter, key: k, amount: t}");
  EXPECT_THAT(text.refusal(table.insert({"1", "2", "x"})).what, HasSubstr("amount: t is text"));
}

TEST(Mappings, WhatIsWrittenAgainLeavesSumsAlone) {
  const auto options = testing::options_of(
      "{type: counter, key: n}, {type: list, key: l, member: '{id}'}, {type: set, key: s, member: "
      "'{id}'}");
  Mapper mapper(*options);
  TextBuffer out;
  CommandCounts counts;
  const ChangeView v = things().insert(thing("x"));
  ASSERT_TRUE(mapper.append_again(v, v.rows.front(), out, counts).ok());
  EXPECT_EQ(testing::commands_of(out.view()), (Commands{{"SADD", "s", "18446744073709551615"}}));
}

}  // namespace
}  // namespace sluice::mapping
