#include <gmock/gmock.h>

#include "sluice/config/load.h"
#include "sluice/config/show.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> problems(const std::string& mapping, const std::string& more = "") {
  const LoadResult r = load_text("tables: [{mappings: [" + mapping + "]}]\n" + more, "m.yaml",
                                 [](const std::string&) { return std::nullopt; });
  std::vector<std::string> out;
  for (const Problem& p : r.problems) out.push_back(p.to_string());
  return out;
}

TEST(Mappings, OfEachTypeCanBeSaid) {
  EXPECT_THAT(
      problems(
          "{}, {type: hash, key: 'u:{id}', ttl: 1h, freshness: true}, {type: string, value: "
          "'{a}'}, {type: json}, {type: set, key: k, member: '{id}', refcount: true}, {type: "
          "zset, key: k, member: '{id}', score: n}, {type: list, key: k, member: '{id}', "
          "max_length: 5}, {type: stream, key: k, columns: {include: [a]}}, {type: geo, key: k, "
          "member: '{id}', longitude: a, latitude: b}, {type: counter, key: k, amount: n}, "
          "{type: publish, key: c}, {type: invalidate, again_after: 1s}, {type: none}, {key: k, "
          "field: '{id}', "
          "value: '{a}'}"),
      IsEmpty());
}

TEST(Mappings, WhatAnEntryLacksOrHasTooMuchIsAProblem) {
  EXPECT_THAT(problems("{type: set, key: k}"),
              ElementsAre("m.yaml:1:29: tables[0].mappings[0]: type: set needs member"));
  EXPECT_THAT(problems("{type: zset, member: '{id}'}"),
              ElementsAre(HasSubstr("needs key"), HasSubstr("needs score")));
  EXPECT_THAT(problems("{type: set, key: k, member: m, score: s}"),
              ElementsAre("m.yaml:1:60: tables[0].mappings[0].score: does not go with type: set"));
  EXPECT_THAT(problems("{key: k, again_after: 1s}"),
              ElementsAre(HasSubstr("again_after: does not go with type: hash")));
  EXPECT_THAT(problems("{type: none, key: k}"),
              ElementsAre(HasSubstr("does not go with type: none")));
  EXPECT_THAT(problems("{field: '{id}', key: k, value: v, columns: {include: [a]}}"),
              ElementsAre(HasSubstr("columns: does not go with type: hash that has a field")));
  EXPECT_THAT(problems("{type: hsh}"), ElementsAre(HasSubstr("hsh")));
}

TEST(Mappings, TemplatesAreReadAtOnce) {
  EXPECT_THAT(problems("{key: 'u:{id'}"),
              ElementsAre("m.yaml:1:28: tables[0].mappings[0].key: character 6: } or | is expected "
                          "here; write {{ for the character { itself"));
  EXPECT_THAT(problems("{when: 'a >'}"), ElementsAre(HasSubstr("mappings[0].when: ")));
  EXPECT_THAT(problems("{on_null: \"'x'\"}"),
              ElementsAre(HasSubstr("is not omit, empty or fixed 'TEXT'")));
}

TEST(Mappings, HalfARowIsNotBroughtBack) {
  EXPECT_THAT(problems("{write: changed, ttl: 1s}"),
              ElementsAre(HasSubstr("write: changed does not go with ttl")));
  EXPECT_THAT(problems("{write: changed}", "redis: {is_cache: true}\n"),
              ElementsAre(HasSubstr("write: changed does not go with redis.is_cache")));
}

TEST(Mappings, ChangeTheLayoutAndCanBePrinted) {
  const auto load = [](const std::string& text) {
    LoadResult r = load_text(text, "m.yaml", [](const std::string&) { return std::nullopt; });
    for (const Problem& p : r.problems) ADD_FAILURE() << p.to_string();
    return std::move(r.options);
  };
  const auto plain = load("tables: [{match: 'a\\.b'}]\n");
  const auto key = load("tables: [{match: 'a\\.b', mappings: [{key: 'u:{id}'}]}]\n");
  const auto same = load("tables: [{match: 'a\\.b', mappings: [{key: 'u:{id}', type: hash}]}]\n");
  EXPECT_NE(layout_fingerprint(*plain), layout_fingerprint(*key));
  EXPECT_EQ(layout_fingerprint(*key), layout_fingerprint(*same));
  const std::string printed = print_effective(*key);
  EXPECT_THAT(printed, HasSubstr("key: \"u:{id}\""));
  EXPECT_EQ(layout_fingerprint(*load(printed)), layout_fingerprint(*key));
}

}  // namespace
}  // namespace sluice
