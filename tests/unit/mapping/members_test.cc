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

const Table& places() {
  static const Table kPlaces({{"id", "int"},
                              {"city", "varchar(20)"},
                              {"points", "decimal(8,2)"},
                              {"at", "datetime(3)"},
                              {"tags", "text"}},
                             {"id"});
  return kPlaces;
}
std::vector<testing::Value> place(const char* id, testing::Value city,
                                  testing::Value points = "1.50",
                                  testing::Value at = "2026-01-31 12:00:00.250",
                                  testing::Value tags = "") {
  return {id, std::move(city), std::move(points), std::move(at), std::move(tags)};
}

TEST(SetMapping, MovesAMemberWithItsColumn) {
  Maps map("{type: set, key: 'idx:city:{city}', member: '{id}'}");
  EXPECT_EQ(map(places().insert(place("7", "Rome"))), (Commands{{"SADD", "idx:city:Rome", "7"}}));
  EXPECT_EQ(map(places().update(place("7", "Rome"), place("7", "Oslo"))),
            (Commands{{"SREM", "idx:city:Rome", "7"}, {"SADD", "idx:city:Oslo", "7"}}));
  EXPECT_THAT(map(places().update(place("7", "Rome"), place("7", "Rome", "9.00"))), IsEmpty());
  EXPECT_EQ(map(places().update(place("7", "Rome"), place("7", {}))),
            (Commands{{"SREM", "idx:city:Rome", "7"}}));
  EXPECT_EQ(map(places().update(place("7", "Rome"), place("8", "Rome"))),
            (Commands{{"SREM", "idx:city:Rome", "7"}, {"SADD", "idx:city:Rome", "8"}}));
  EXPECT_EQ(map(places().remove(place("7", "Rome"))), (Commands{{"SREM", "idx:city:Rome", "7"}}));
  EXPECT_THAT(map(places().insert(place("7", {}))), IsEmpty()) << "NULL is in no index";
  EXPECT_THAT(map.keys(places().remove(place("7", "Rome"))), ElementsAre("set idx:city:Rome"));
}

TEST(SetMapping, PartsOfATextAreKeysOrMembers) {
  const auto tagged = [](const char* tags) { return place("7", "x", "1.00", {}, tags); };
  Maps index("{type: set, key: 'tag:{tags|split:,|trim|lower}', member: '{id}'}");
  EXPECT_EQ(index(places().insert(tagged("Red, blue,,red"))),
            (Commands{{"SADD", "tag:red", "7"}, {"SADD", "tag:blue", "7"}}));
  EXPECT_EQ(index(places().update(tagged("red,blue"), tagged("blue,green"))),
            (Commands{{"SREM", "tag:red", "7"}, {"SADD", "tag:green", "7"}}));
  EXPECT_EQ(index(places().remove(tagged("red"))), (Commands{{"SREM", "tag:red", "7"}}));
  Maps json("{type: set, key: 'tags:{id}', member: '{tags|split:json}'}");
  EXPECT_EQ(
      json(places().insert(tagged(R"(["a", 1, null, {"b": 2}, "", "a"])"))),
      (Commands{
          {"SADD", "tags:7", "a"}, {"SADD", "tags:7", "1"}, {"SADD", "tags:7", R"({"b":2})"}}));
  EXPECT_EQ(json(places().insert(tagged("no json"))), (Commands{{"SADD", "tags:7", "no json"}}));
}

TEST(SetMapping, CountsRowsThatShareAMember) {
  Maps map("{type: set, key: 'cities', member: '{city}', refcount: true}");
  const auto added = map(places().insert(place("7", "Rome")));
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(added[0][0], "EVAL");
  EXPECT_THAT(added[0][1], HasSubstr("'SADD'"));
  EXPECT_EQ(std::vector<std::string>(added[0].begin() + 2, added[0].end()),
            (std::vector<std::string>{"2", "cities", "cities:refs", "Rome"}));
  const auto moved = map(places().update(place("7", "Rome"), place("7", "Oslo")));
  ASSERT_EQ(moved.size(), 2U);
  EXPECT_THAT(moved[0][1], HasSubstr("'SREM'"));
  EXPECT_EQ(moved[0].back(), "Rome");
  EXPECT_EQ(moved[1].back(), "Oslo");
  EXPECT_THAT(map(places().update(place("7", "Rome"), place("7", "Rome", "2.00"))), IsEmpty())
      << "it is counted once";
}

TEST(SortedSetMapping, FollowsScoreAndMember) {
  Maps map("{type: zset, key: 'rank', member: '{id}', score: points}");
  EXPECT_EQ(map(places().insert(place("7", "x"))), (Commands{{"ZADD", "rank", "1.50", "7"}}));
  EXPECT_EQ(map(places().update(place("7", "x"), place("7", "x", "-2.00"))),
            (Commands{{"ZADD", "rank", "-2.00", "7"}}));
  EXPECT_THAT(map(places().update(place("7", "x"), place("7", "y"))), IsEmpty());
  EXPECT_EQ(map(places().update(place("7", "x"), place("7", "x", {}))),
            (Commands{{"ZREM", "rank", "7"}}))
      << "no score, no member";
  EXPECT_EQ(map(places().update(place("7", "x", {}), place("7", "x", "3.00"))),
            (Commands{{"ZADD", "rank", "3.00", "7"}}));
  EXPECT_EQ(map(places().update(place("7", "x"), place("8", "x", "2.00"))),
            (Commands{{"ZREM", "rank", "7"}, {"ZADD", "rank", "2.00", "8"}}));
  EXPECT_EQ(map(places().remove(place("7", "x"))), (Commands{{"ZREM", "rank", "7"}}));
}

TEST(SortedSetMapping, AMomentIsSecondsSince1970) {
  Maps map("{type: zset, key: 'by-time', member: '{id}', score: at, ttl: 1s}");
  EXPECT_EQ(map(places().insert(place("7", "x"))),
            (Commands{{"ZADD", "by-time", "1769860800.250", "7"}, {"PEXPIRE", "by-time", "1000"}}));
  EXPECT_THAT(map(places().insert(place("7", "x", "1.00", "0000-00-00 00:00:00.000"))), IsEmpty());
}

TEST(GeoMapping, FollowsBothColumns) {
  const Table table({{"id", "int"}, {"lon", "double"}, {"lat", "decimal(9,6)"}}, {"id"});
  Maps map("{type: geo, key: 'shops', member: '{id}', longitude: lon, latitude: lat}");
  EXPECT_EQ(map(table.insert({"7", "12.5", "41.900000"})),
            (Commands{{"GEOADD", "shops", "12.5", "41.900000", "7"}}));
  EXPECT_EQ(map(table.update({"7", "12.5", "41.900000"}, {"7", "12.5", "42.000000"})),
            (Commands{{"GEOADD", "shops", "12.5", "42.000000", "7"}}));
  EXPECT_EQ(map(table.update({"7", "12.5", "41.900000"}, {"7", {}, "42.000000"})),
            (Commands{{"ZREM", "shops", "7"}}));
  EXPECT_EQ(map(table.remove({"7", "12.5", "41.900000"})), (Commands{{"ZREM", "shops", "7"}}));
}

TEST(FieldMapping, RowsShareAHash) {
  Maps map("{key: 'ids', field: '{city}', value: '{id}'}");
  EXPECT_EQ(map(places().insert(place("7", "Rome"))), (Commands{{"HSET", "ids", "Rome", "7"}}));
  EXPECT_EQ(map(places().update(place("7", "Rome"), place("7", "Oslo"))),
            (Commands{{"HDEL", "ids", "Rome"}, {"HSET", "ids", "Oslo", "7"}}));
  EXPECT_EQ(map(places().update(place("7", "Rome"), place("8", "Rome"))),
            (Commands{{"HSET", "ids", "Rome", "8"}}));
  EXPECT_EQ(map(places().remove(place("7", "Rome"))), (Commands{{"HDEL", "ids", "Rome"}}));
}

TEST(GeoMapping, APlaceThatIsNoneOnEarthIsKnownWhenItsKeyIsAskedFor) {
  const Table table({{"id", "int"}, {"lon", "decimal(9,6)"}, {"lat", "double"}}, {"id"});
  Maps map("{type: geo, key: shops, member: '{id}', longitude: lon, latitude: lat}");
  const auto bad = [&](const ChangeView& view) {
    std::vector<TouchedKey> keys;
    EXPECT_TRUE(map.mapper().append_keys(view, view.rows.front(), keys).ok());
    return keys.size() == 1 && !keys.front().bad.empty();
  };
  EXPECT_FALSE(bad(table.insert({"1", "-180.000000", "85.05"})));
  EXPECT_TRUE(bad(table.insert({"1", "180.000001", "0"})));
  EXPECT_TRUE(bad(table.insert({"1", "0.000000", "-85.06"})));
  EXPECT_FALSE(bad(table.remove({"1", "0.000000", "-85.06"}))) << "ZREM takes it";
}

TEST(MembersMapping, TypesThatDoNotFitAreRefused) {
  Maps score("{type: zset, key: k, member: '{id}', score: city}");
  EXPECT_THAT(score.refusal(places().insert(place("7", "x"))).what,
              HasSubstr("score: city is text, not a number or a date"));
  Maps geo("{type: geo, key: k, member: '{id}', longitude: at, latitude: points}");
  EXPECT_THAT(geo.refusal(places().insert(place("7", "x"))).what, HasSubstr("longitude: at is "));
  Maps split("{type: set, key: 'a:{tags|split:,}', member: '{city|split:,}'}");
  EXPECT_THAT(split.refusal(places().insert(place("7", "x"))).what,
              HasSubstr("key and member split different columns"));
}

}  // namespace
}  // namespace sluice::mapping
