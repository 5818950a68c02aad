#include "event/json_diff.h"

#include <gtest/gtest.h>

#include "sluice/base/byte_writer.h"

#include "unit/event/fixture.h"

namespace sluice::event::test {
namespace {

std::string replace(std::string_view path, std::string_view value) {
  return std::move(ByteWriter()
                       .le<1>(0)
                       .lenenc(path.size())
                       .bytes(path)
                       .lenenc(value.size())
                       .bytes(value))
      .str();
}
std::string insert(std::string_view path, std::string_view value) {
  std::string out = replace(path, value);
  out[0] = 1;
  return out;
}
std::string remove(std::string_view path) {
  return std::move(ByteWriter().le<1>(2).lenenc(path.size()).bytes(path)).str();
}

std::string patched(std::string_view document, std::string_view diffs) {
  TextBuffer out;
  out.append(">");
  if (append_json_patched(as_bytes(document), as_bytes(diffs), out))
    return std::string(out.view().substr(1));
  return out.view() == ">" ? "<refused>" : "<refused, but wrote>";
}
std::string expression(std::string_view diffs) {
  TextBuffer out;
  out.append(">");
  if (append_json_diffs(as_bytes(diffs), out)) return std::string(out.view().substr(1));
  return out.view() == ">" ? "<refused>" : "<refused, but wrote>";
}

// {"a": 1, "b": [1, 2, 3], "cc": {"d": "x"}} in binary.
std::string document() {
  const std::string array = unhex("03000d00050100050200050300");
  const std::string object = unhex("01000e000b0001000c0c00640178");
  ByteWriter w;
  const std::size_t keys = 4 + 3 * 4 + 3 * 3;
  const std::size_t first = keys + 4;
  w.le<1>(0).le<2>(3).le<2>(first + array.size() + object.size());
  w.le<2>(keys).le<2>(1).le<2>(keys + 1).le<2>(1).le<2>(keys + 2).le<2>(2);
  w.le<1>(5).le<2>(1).le<1>(2).le<2>(first).le<1>(0).le<2>(first + array.size());
  w.bytes("abcc").bytes(array).bytes(object);
  return std::move(w).str();
}
const std::string seven = unhex("050700");
const std::string text_value = unhex("0c026974");  // "it"
const std::string null_value = unhex("0400");

TEST(JsonDiff, NoDiffLeavesTheDocument) {
  EXPECT_EQ(patched(document(), ""), R"({"a": 1, "b": [1, 2, 3], "cc": {"d": "x"}})");
  EXPECT_EQ(patched("", ""), "null");
}

TEST(JsonDiff, ReplacesWhatIsThere) {
  EXPECT_EQ(patched(document(), replace("$.a", text_value)),
            R"({"a": "it", "b": [1, 2, 3], "cc": {"d": "x"}})");
  EXPECT_EQ(patched(document(), replace("$.b[1]", null_value)),
            R"({"a": 1, "b": [1, null, 3], "cc": {"d": "x"}})");
  EXPECT_EQ(patched(document(), replace("$.b[last]", seven)),
            R"({"a": 1, "b": [1, 2, 7], "cc": {"d": "x"}})");
  EXPECT_EQ(patched(document(), replace("$.cc.d", document())),
            R"({"a": 1, "b": [1, 2, 3], "cc": {"d": {"a": 1, "b": [1, 2, 3], "cc": {"d": "x"}}}})");
  // A container that was taken apart before.
  EXPECT_EQ(patched(document(), replace("$.b[0]", seven) + replace("$.b", null_value)),
            R"({"a": 1, "b": null, "cc": {"d": "x"}})");
}

TEST(JsonDiff, InsertsMembersInTheServersOrder) {
  EXPECT_EQ(patched(document(), insert("$.aa", seven)),
            R"({"a": 1, "b": [1, 2, 3], "aa": 7, "cc": {"d": "x"}})");
  EXPECT_EQ(patched(document(), insert("$.\"\"", seven) + insert("$.c", null_value)),
            R"({"": 7, "a": 1, "b": [1, 2, 3], "c": null, "cc": {"d": "x"}})");
  EXPECT_EQ(patched(document(), insert(R"($."q\"\n")", seven)),
            R"({"a": 1, "b": [1, 2, 3], "cc": {"d": "x"}, "q\"\n": 7})");
}

TEST(JsonDiff, InsertedCellsMoveWhatComesBehindAndGoToTheEndAtMost) {
  EXPECT_EQ(patched(document(), insert("$.b[0]", seven)),
            R"({"a": 1, "b": [7, 1, 2, 3], "cc": {"d": "x"}})");
  EXPECT_EQ(patched(document(), insert("$.b[3]", seven)),
            R"({"a": 1, "b": [1, 2, 3, 7], "cc": {"d": "x"}})");
  EXPECT_EQ(patched(document(), insert("$.b[99]", seven)),
            R"({"a": 1, "b": [1, 2, 3, 7], "cc": {"d": "x"}})");
  EXPECT_EQ(patched(document(), insert("$.b[last]", seven)),
            R"({"a": 1, "b": [1, 2, 7, 3], "cc": {"d": "x"}})");
}

TEST(JsonDiff, Removes) {
  EXPECT_EQ(patched(document(), remove("$.b[0]") + remove("$.b[0]") + remove("$.cc")),
            R"({"a": 1, "b": [3]})");
  EXPECT_EQ(patched(document(), remove("$.a") + remove("$.b") + remove("$.cc")), "{}");
}

TEST(JsonDiff, LaterDiffsSeeWhatEarlierOnesMade) {
  EXPECT_EQ(
      patched(document(), insert("$.z", document()) + remove("$.z.b[1]") +
                              replace("$.z.cc.d", null_value) + insert("$.z.b[0]", text_value)),
      R"({"a": 1, "b": [1, 2, 3], "z": {"a": 1, "b": ["it", 1, 3], "cc": {"d": null}}, )"
      R"("cc": {"d": "x"}})");
}

TEST(JsonDiff, WhatDoesNotFitIsRefused) {
  for (const std::string& diff : {replace("$", seven),
                                  insert("$", seven),
                                  remove("$"),
                                  replace("$.x", seven),
                                  replace("$.b[3]", seven),
                                  replace("$.b.x", seven),
                                  replace("$.cc[0]", seven),
                                  insert("$.a", seven),
                                  insert("$.a[0]", seven),
                                  insert("$.a.b", seven),
                                  insert("$.b.x", seven),
                                  insert("$.x.y", seven),
                                  remove("$.x"),
                                  remove("$.b[3]"),
                                  remove("$.b[last-3]"),
                                  remove("$.a[0]"),
                                  replace("$.*", seven),
                                  replace("a", seven),
                                  std::string("\x03", 1),
                                  replace("$.a", unhex("0d"))})
    EXPECT_EQ(patched(document(), diff), "<refused>") << expression(diff);
  EXPECT_EQ(patched("", remove("$.a")), "<refused>");
  EXPECT_EQ(patched(unhex("0d"), ""), "<refused>");
}

TEST(JsonDiff, ManyPathsIntoBytesThatAreSharedAreRefused) {
  // An array of 200 arrays that are all the array itself: each path takes another one apart.
  std::string shared = unhex("02c8005c02");
  for (int i = 0; i < 200; ++i) shared += unhex("020000");
  std::string diffs;
  for (int i = 0; i < 200; ++i) diffs += replace("$[" + std::to_string(i) + "][0]", seven);
  EXPECT_EQ(patched(shared, diffs), "<refused>");
}

TEST(JsonDiff, NestsAHundredDeepAndNoDeeper) {
  std::string document = unhex("0200000400");
  std::string path = "$";
  std::string diffs;
  for (int depth = 1; depth < 100; ++depth) {
    diffs += insert(path + "[0]", unhex("0200000400"));
    path += "[0]";
  }
  EXPECT_EQ(patched(document, diffs), std::string(100, '[') + std::string(100, ']'));
  diffs += insert(path + "[0]", unhex("0200000400"));
  EXPECT_EQ(patched(document, diffs), "<refused>");
}

TEST(JsonDiff, SurvivesACutAndAChangeAtEveryByte) {
  const std::string diffs = replace("$.a", text_value) + insert(R"($."q\n")", seven) +
                            remove("$.b[0]") + insert("$.b[1]", null_value);
  const std::string whole = patched(document(), diffs);
  EXPECT_EQ(whole, R"({"a": "it", "b": [2, null, 3], "cc": {"d": "x"}, "q\n": 7})");
  for (std::size_t n = 1; n < diffs.size(); ++n) {
    // Between two diffs the shorter bytes are valid.
    const std::string cut = diffs.substr(0, n);
    EXPECT_NE(patched(document(), cut), whole) << n;
    EXPECT_NE(patched(document(), cut), "<refused, but wrote>") << n;
    EXPECT_NE(expression(cut), "<refused, but wrote>") << n;
  }
  EXPECT_EQ(patched(document(), replace("$.a", text_value).substr(0, 7)), "<refused>");
  const std::string doc = document();
  for (std::size_t n = 1; n < doc.size(); ++n)
    EXPECT_EQ(patched(std::string_view(doc).substr(0, n), diffs), "<refused>") << n;
  for (const int flip : {0x01, 0x80, 0xFF}) {
    for (std::size_t i = 0; i < diffs.size(); ++i) {
      std::string bad = diffs;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      EXPECT_NE(patched(doc, bad), "<refused, but wrote>");
      EXPECT_NE(expression(bad), "<refused, but wrote>");
    }
    for (std::size_t i = 0; i < doc.size(); ++i) {
      std::string bad = doc;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      EXPECT_NE(patched(bad, diffs), "<refused, but wrote>");
    }
  }
}

// mysqlbinlog 9.7 -v, on one line.
TEST(JsonDiffText, IsWhatMysqlbinlogPrints) {
  EXPECT_EQ(expression(""), "@");
  EXPECT_EQ(expression(replace("$.a", seven)), "JSON_REPLACE(@, '$.a', 7)");
  EXPECT_EQ(expression(replace("$.a", null_value) + replace("$.b[0]", unhex("0401"))),
            "JSON_REPLACE(@, '$.a', null, '$.b[0]', true)");
  EXPECT_EQ(expression(remove("$.s[0]") + remove("$.c")), "JSON_REMOVE(@, '$.s[0]', '$.c')");
  EXPECT_EQ(
      expression(replace(R"($."quo\"ted".x)",
                         "\x0c\x05"
                         "a'\\\n\t") +
                 insert("$.b[5]", seven) + insert("$.new", unhex("0ff6070b028000000132")) +
                 remove("$.b[0]")),
      R"(JSON_REMOVE(JSON_INSERT(JSON_ARRAY_INSERT(JSON_REPLACE(@, '$."quo\\"ted".x', 'a\'\\\n\t'), )"
      R"('$.b[5]', 7), '$.new', 1.50), '$.b[0]'))");
  // DATE 2020-01-02, and two bytes of BINARY.
  EXPECT_EQ(expression(replace("$.a", unhex("0f0a08000000000044a519"))),
            "JSON_REPLACE(@, '$.a', '2020-01-02')");
  EXPECT_EQ(expression(replace("$.a", unhex("0f0f020001"))),
            "JSON_REPLACE(@, '$.a', 'base64:type15:AAE=')");
  EXPECT_EQ(
      expression(replace("$.a", document())),
      R"(JSON_REPLACE(@, '$.a', CAST('{"a": 1, "b": [1, 2, 3], "cc": {"d": "x"}}' AS JSON)))");
}

// mysqlbinlog prints -0.0, which the server reads as the DECIMAL 0.0.
TEST(JsonDiffText, NegativeZeroStaysADouble) {
  EXPECT_EQ(expression(replace("$.a", unhex("0b0000000000000080"))),
            "JSON_REPLACE(@, '$.a', -0e0)");
  EXPECT_EQ(expression(replace("$.a", unhex("0b0000000000000000"))), "JSON_REPLACE(@, '$.a', 0.0)");
}

TEST(JsonDiffText, RefusesBytesThatAreNoDiff) {
  EXPECT_EQ(expression(std::string("\x03", 1)), "<refused>");
  EXPECT_EQ(expression(replace("$.a", unhex("0d"))), "<refused>");
  EXPECT_EQ(expression(replace("$.a", unhex("0c05"))), "<refused>");
  EXPECT_EQ(expression(remove("$.a").substr(0, 3)), "<refused>");
}

}  // namespace
}  // namespace sluice::event::test
