#include "event/json_path.h"

#include <gtest/gtest.h>

namespace sluice::event::test {
namespace {

// "a|3|last-1": the legs one after the other; "<refused>".
std::string legs_of(std::string_view text) {
  JsonPath path;
  if (!path.parse(text)) return "<refused>";
  std::string out;
  for (const JsonPath::Leg& leg : path.legs()) {
    if (!out.empty()) out += '|';
    if (leg.member)
      out += leg.key;
    else
      out += (leg.from_end ? "last-" : "") + std::to_string(leg.index);
  }
  return out;
}

TEST(JsonPath, IsReadAsTheServerWritesIt) {
  EXPECT_EQ(legs_of("$"), "");
  EXPECT_EQ(legs_of("$.a"), "a");
  EXPECT_EQ(legs_of("$.a.b_c.$d.ä1"), "a|b_c|$d|ä1");
  EXPECT_EQ(legs_of("$[0][4294967295]"), "0|4294967295");
  EXPECT_EQ(legs_of("$[last][last-2]"), "last-0|last-2");
  EXPECT_EQ(legs_of(R"($."quoted key"[3].b)"), "quoted key|3|b");
  EXPECT_EQ(legs_of(R"($."a.b"."[0]"."")"), "a.b|[0]|");
  EXPECT_EQ(legs_of(" $ . a [ 1 ] [ last - 1 ] "), "a|1|last-1");
}

TEST(JsonPath, TakesEscapesOffKeys) {
  EXPECT_EQ(legs_of(R"($."a\"b\\c\/\n\t\r\b\f")"), "a\"b\\c/\n\t\r\b\f");
  EXPECT_EQ(legs_of(R"($."\u0041\u00e4\u6f22\ud83d\ude00".x)"), "Aä漢😀|x");
  JsonPath path;
  ASSERT_TRUE(path.parse(R"($."x\ny")"));
  const std::string_view key = path.legs()[0].key;
  ASSERT_TRUE(path.parse(R"($."other\t")"));
  EXPECT_EQ(key, "x\ny");  // until forget_keys()
}

TEST(JsonPath, RefusesWhatIsNone) {
  for (const char* bad : {"",
                          "a",
                          "$a",
                          "$.",
                          "$..a",
                          "$[",
                          "$[]",
                          "$[1",
                          "$[-1]",
                          "$[4294967296]",
                          "$[last",
                          "$[last-]",
                          "$[1 to 2]",
                          "$.*",
                          "$[*]",
                          "$**.a",
                          "$.\"a",
                          "$.\"a\\",
                          "$.\"a\\\"",
                          R"($."\x")",
                          R"($."\u12")",
                          R"($."\ud83d")",
                          R"($."\ud83d\u0041")",
                          R"($."\ude00")",
                          "$.a]"})
    EXPECT_EQ(legs_of(bad), "<refused>") << bad;
}

TEST(JsonPath, CellsAreCountedFromEitherEnd) {
  const auto place = [](std::uint32_t index, bool from_end, std::size_t size) {
    JsonPath::Leg leg;
    leg.index = index;
    leg.from_end = from_end;
    const auto p = leg.place(size);
    return std::to_string(p.at) + (p.exists ? "" : " new");
  };
  EXPECT_EQ(place(0, false, 3), "0");
  EXPECT_EQ(place(2, false, 3), "2");
  EXPECT_EQ(place(3, false, 3), "3 new");
  EXPECT_EQ(place(99, false, 3), "3 new");
  EXPECT_EQ(place(0, true, 3), "2");
  EXPECT_EQ(place(2, true, 3), "0");
  EXPECT_EQ(place(3, true, 3), "0 new");
  EXPECT_EQ(place(0, true, 0), "0 new");
}

}  // namespace
}  // namespace sluice::event::test
