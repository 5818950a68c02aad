#include <gmock/gmock.h>

#include "sluice/config/load.h"
#include "sluice/config/show.h"

namespace sluice {
namespace {

using ::testing::AllOf;
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
          "{}, {type: hash, key: 'u:{id}', ttl: 1h, freshness: true}, {type: string, key: "
          "'s:{id}', "
          "value: '{a}'}, {type: json, key: 'j:{id}'}, {type: set, key: k1, member: '{id}', "
          "refcount: true}, {type: zset, key: k2, member: '{id}', score: n}, {type: list, key: k3, "
          "member: '{id}', max_length: 5}, {type: stream, key: k4, columns: {include: [a]}}, "
          "{type: geo, key: k5, member: '{id}', longitude: a, latitude: b}, {type: counter, key: "
          "k6, amount: n}, {type: publish, key: c}, {type: invalidate, key: 'i:{id}', "
          "again_after: 1s}, {type: none}, {key: k7, field: '{id}', value: '{a}'}"),
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

TEST(Mappings, OfWhatDoesNotBearBeingWrittenTwiceAClusterWantsTheWord) {
  const std::string cluster = "redis: {cluster: [a, 'b:7000']}";
  EXPECT_THAT(
      problems(
          "{}, {type: set, key: k1, member: m}, {type: zset, key: k2, member: m, score: s}, "
          "{type: geo, key: k3, member: m, longitude: x, latitude: y}, {type: string, key: s}, "
          "{type: json, key: j}, {type: invalidate, key: i, again_after: 1s}, {key: k4, field: "
          "f, value: v}",
          cluster),
      IsEmpty());
  for (const char* type : {"counter, key: k", "list, key: k, member: m", "stream, key: k",
                           "publish, key: k", "set, key: 'k{{{a}}}', member: m, refcount: true"}) {
    const std::string entry = "{type: " + std::string(type);
    EXPECT_THAT(problems(entry + "}", cluster),
                ElementsAre(AllOf(HasSubstr("tables[0].mappings[0]: "), HasSubstr("Redis Cluster"),
                                  HasSubstr("allow_inexact: true"))))
        << type;
    EXPECT_THAT(problems(entry + ", allow_inexact: true}", cluster), IsEmpty()) << type;
    EXPECT_THAT(problems(entry + "}"), IsEmpty()) << type;
  }
  EXPECT_THAT(problems("{type: zset, key: k, member: m, score: s, allow_inexact: true}"),
              ElementsAre(HasSubstr("allow_inexact: does not go with type: zset")));
}

// The whole message of a refused row is applied once more at each start.
TEST(Mappings, OfWhatDoesNotBearBeingWrittenTwiceAStopAtRefusedRowsWantsTheWord) {
  const std::string stop = "applier: {on_refused: stop}";
  EXPECT_THAT(problems("{}, {type: set, key: k1, member: m}, {type: json, key: j}", stop),
              IsEmpty());
  for (const char* type : {"counter, key: k", "list, key: k, member: m", "stream, key: k",
                           "publish, key: k", "set, key: k, member: m, refcount: true"}) {
    const std::string entry = "{type: " + std::string(type);
    EXPECT_THAT(
        problems(entry + "}", stop),
        ElementsAre(AllOf(HasSubstr("tables[0].mappings[0]: "),
                          HasSubstr("applier.on_refused: stop"), HasSubstr("allow_inexact: true"))))
        << type;
    EXPECT_THAT(problems(entry + ", allow_inexact: true}", stop), IsEmpty()) << type;
    EXPECT_THAT(problems(entry + "}", "applier: {on_refused: ignore}"), IsEmpty()) << type;
  }
}

TEST(Mappings, ACountedSetAndItsCountsAreOnOneNodeOfACluster) {
  const auto of = [](const std::string& key) {
    return problems(
        "{type: set, key: '" + key + "', member: m, refcount: true, allow_inexact: true}",
        "redis: {cluster: [a]}");
  };
  for (const char* key : {"{{tags}}", "{{{a}}}", "k:{{{a}:x}}:y", "{{x{a}}}", "a}}b{{c}}"})
    EXPECT_THAT(of(key), IsEmpty()) << key;
  for (const char* key : {"k", "{a}", "{{}}", "{{{a}", "}}{a}{{", "k{{}}{{x}}"})
    EXPECT_THAT(of(key), ElementsAre(HasSubstr("mappings[0].key: refcount needs a hash tag")))
        << key;
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

TEST(Mappings, OfTheSameKeyAreProblemsWhereOneOverwritesTheOther) {
  EXPECT_THAT(
      problems("{}, {type: string}"),
      ElementsAre("m.yaml:1:33: tables[0].mappings[1]: has the key {schema}:{table}:{key} of "
                  "tables[0].mappings[0]: Redis would hold a hash there for the one, a "
                  "string for the other; give one of them another key"));
  EXPECT_THAT(problems("{key: 'u:{id}'}, {key: 'u:{id}', when: a > 1}"),
              ElementsAre(HasSubstr("what the one writes the other removes or replaces")));
  EXPECT_THAT(problems("{key: 'u:{id}'}, {type: invalidate, key: 'u:{id}'}"),
              ElementsAre(HasSubstr("mappings[1]: has the key u:{id} of tables[0].mappings[0]")));
  EXPECT_THAT(problems("{key: k}, {key: k, field: '{id}', value: '{a}'}"),
              ElementsAre(HasSubstr("removes or replaces")));
  EXPECT_THAT(problems("{type: set, key: k, member: '{id}'}, {type: set, key: k, member: '{id}', "
                       "when: a > 1}"),
              ElementsAre(HasSubstr("both write {id} in it")));
  EXPECT_THAT(
      problems("{key: k, field: '{a}', value: '{b}'}, {type: counter, key: k, field: '{a}'}"),
      ElementsAre(HasSubstr("both write {a} in it")));
  EXPECT_THAT(problems("{type: geo, key: k, member: '{id}', longitude: a, latitude: b}, {type: "
                       "zset, key: k, member: '{id}', score: a}, {type: set, key: k, member: m}"),
              ElementsAre(HasSubstr("mappings[1]"), HasSubstr("mappings[2]")));
}

TEST(Mappings, MayShareAKeyOfWhichEachHasItsPart) {
  EXPECT_THAT(
      problems(
          "{type: set, key: k, member: '{a}'}, {type: set, key: k, member: 'b:{b}'}, {type: "
          "counter, "
          "key: n, amount: a}, {type: counter, key: n, amount: b}, {type: counter, key: f, field: "
          "'{a}'}, {key: f, field: 'x:{a}', value: '{b}'}, {type: list, key: l, member: '{a}'}, "
          "{type: list, key: l, member: '{b}'}, {type: publish, key: k}, {type: none}, {type: "
          "invalidate}, {type: invalidate, again_after: 1s}"),
      IsEmpty());
}

TEST(Mappings, OfTwoEntriesMayShareKeysOfOneType) {
  const auto of_two = [](const std::string& one, const std::string& other) {
    const LoadResult r = load_text(
        "tables: [{match: a, mappings: [" + one + "]}, {match: b, mappings: [" + other + "]}]\n",
        "m.yaml", [](const std::string&) { return std::nullopt; });
    return r.problems.empty() ? std::string() : r.problems.front().message;
  };
  EXPECT_EQ(of_two("{key: 'u:{id}'}", "{key: 'u:{id}'}"), "");
  EXPECT_EQ(of_two("{}", "{type: string}"), "");
  EXPECT_EQ(of_two("{key: '{table}:{id}'}", "{type: string, key: '{table}:{id}'}"), "");
  EXPECT_THAT(of_two("{key: 'u:{id}'}", "{type: string, key: 'u:{id}'}"),
              HasSubstr("tables[1].mappings[0]: has the key u:{id} of tables[0].mappings[0]"));
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
