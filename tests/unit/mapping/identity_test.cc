#include <gmock/gmock.h>

#include "unit/mapping/maps.h"

namespace sluice::mapping {
namespace {

using ::testing::HasSubstr;
using testing::options_of;

TableSchema users() {
  TableSchema s;
  s.database = "shop";
  s.name = "user";
  for (const auto& [name, type] :
       {std::pair("id", "int"), std::pair("email", "varchar(90)"), std::pair("city", "text")}) {
    ColumnSchema c;
    c.name = name;
    c.mysql_type = type;
    s.columns.push_back(c);
  }
  s.primary_key = {0};
  return s;
}

// What is wrong; empty: nothing.
std::string refusal(const std::string& mapping,
                    const std::vector<std::string>& partition = {"id"}) {
  const auto options = options_of(mapping);
  const Status s = check(*options, 0, users(), {}, partition);
  return s.ok() ? "" : s.error().what;
}

TEST(Identity, OneKeyIsOfOnePartition) {
  EXPECT_EQ(refusal(""), "");
  EXPECT_THAT(refusal("", {"city"}),
              HasSubstr("tables[0].mappings[0] for shop.user: rows of several"));
  EXPECT_EQ(refusal("{key: 'u:{id}'}"), "");
  EXPECT_EQ(refusal("{key: 'u:{city}:{id}'}"), "");
  EXPECT_EQ(refusal("{key: 'u:{email}'}"),
            "tables[0].mappings[0] for shop.user: rows of several partitions (which id choose) can "
            "be one and the same in Redis, and the older could be written last: set partition_by: "
            "[email], or set single_partition: true for the table");
  EXPECT_EQ(refusal("{key: 'u:{email}'}", {"email"}), "");
  EXPECT_EQ(refusal("{key: 'u:{email}'}", {}), "") << "one partition";
  EXPECT_THAT(refusal("{key: 'u:{email|lower}'}", {"email"}),
              HasSubstr(": set single_partition: true"));
  EXPECT_EQ(refusal("{key: 'u:{email|sha1}'}", {"email"}), "");
  EXPECT_EQ(refusal("{key: 'u:{id|pad:8}'}"), "");
  EXPECT_THAT(refusal("{key: 'u:{email|pad:8}'}", {"email"}), HasSubstr("single_partition"));
}

TEST(Identity, AMemberCountsWithItsKey) {
  EXPECT_EQ(refusal("{type: set, key: 'c:{city}', member: '{id}'}"), "");
  EXPECT_THAT(refusal("{type: set, key: 'c:{id|first:1}', member: '{city}'}"), HasSubstr("city"));
  EXPECT_EQ(refusal("{type: set, key: cities, member: '{city}', refcount: true}"), "");
  EXPECT_EQ(refusal("{key: ids, field: '{email}', value: '{id}'}", {"email"}), "");
  EXPECT_NE(refusal("{key: ids, field: '{email}', value: '{id}'}"), "");
  EXPECT_EQ(refusal("{type: zset, key: z, member: '{id}', score: id}"), "");
  EXPECT_NE(refusal("{type: set, key: 't:{id|split:,}', member: '{email}'}"), "");
}

TEST(Identity, ElementsOfOneListAreOfOnePartition) {
  EXPECT_NE(refusal("{type: list, key: latest, member: '{id}'}"), "");
  EXPECT_EQ(refusal("{type: list, key: 'of:{city}', member: '{id}'}", {"city"}), "");
  EXPECT_NE(refusal("{type: stream, key: log}"), "");
  EXPECT_EQ(refusal("{type: stream, key: log}", {}), "");
}

TEST(Identity, SumsAndCachesDoNotMind) {
  EXPECT_EQ(refusal("{type: counter, key: n}"), "");
  EXPECT_EQ(refusal("{type: publish, key: c}"), "");
  EXPECT_EQ(refusal("{type: invalidate, key: 'cache:{city}'}"), "");
}

TEST(Identity, WhatCannotBeMadeIsSaidBefore) {
  EXPECT_THAT(refusal("{key: 'u:{nope}'}"),
              HasSubstr("tables[0].mappings[0] for shop.user: key: character 3: "));
}

TEST(KeyPatterns, AreWhatKeysFit) {
  const auto options = options_of(
      "{key: 'u[{id}]:*:{email}'}, {type: set, key: 'c:{city}', member: '{id}', refcount: true}, "
      "{type: stream, key: s}, {type: publish, key: p}, {type: counter, key: '{city}'}");
  const auto found = key_patterns(*options, 0, users(), {});
  ASSERT_TRUE(found.ok());
  std::vector<std::string> globs;
  std::vector<std::string> prefixes;
  for (const KeyPattern& p : *found) {
    globs.push_back(p.glob);
    prefixes.push_back(p.prefix);
  }
  EXPECT_EQ(globs, (std::vector<std::string>{"u\\[*\\]:\\*:*", "c:*", "c:*:refs", "*"}));
  EXPECT_EQ(prefixes, (std::vector<std::string>{"u[", "c:", "c:", ""}));
  const auto plain = key_patterns(Options(), std::nullopt, users(), {});
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->at(0).glob, "shop:user:*");
}

TEST(RulesOf, TheFirstEntryThatFits) {
  const auto load = [](const std::string& text) {
    LoadResult r = load_text(text, "t.yaml", [](const std::string&) { return std::nullopt; });
    for (const Problem& p : r.problems) ADD_FAILURE() << p.to_string();
    return std::move(r.options);
  };
  const auto options = load(
      "tables: [{match: 'a\\.t'}, {match: 'shop_\\d+\\.order_(\\w+)', logical: {database: shop, "
      "table: 'o.\\1'}}, {match: 'b_.*\\.t\\d', logical: {table: t}}, {match: '.*\\.u'}]\n");
  EXPECT_EQ(rules_of(*options, "a", "t"), 0U);
  EXPECT_EQ(rules_of(*options, "A", "T"), 0U) << "some sources take letters of either case as one";
  EXPECT_EQ(rules_of(*options, "shop", "o.x"), 1U);
  EXPECT_EQ(rules_of(*options, "shop", "oyx"), std::nullopt);
  EXPECT_EQ(rules_of(*options, "b_1", "t"), 2U);
  EXPECT_EQ(rules_of(*options, "c_1", "t"), std::nullopt) << "no table of c_1 becomes t";
  EXPECT_EQ(rules_of(*options, "shop_1", "order_x"), std::nullopt) << "rows do not go by it";
  EXPECT_EQ(rules_of(*options, "z", "u"), 3U);
}

}  // namespace
}  // namespace sluice::mapping
