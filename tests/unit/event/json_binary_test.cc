#include "event/json_binary.h"

#include <array>

#include <gtest/gtest.h>

#include "unit/event/fixture.h"

namespace sluice::event::test {
namespace {

std::string text_of(std::string_view bytes) {
  TextBuffer out;
  out.append("before:");
  if (append_json_document(as_bytes(bytes), out)) return std::string(out.view().substr(7));
  return out.view() == "before:" ? "<refused>" : "<refused, but wrote>";
}

struct Golden {
  std::string_view hex, text;
};

// What a MySQL 9.7 server wrote to its binlog and printed.
constexpr std::array kGolden = std::to_array<Golden>({
    {"0400", R"json(null)json"},
    {"0401", R"json(true)json"},
    {"0402", R"json(false)json"},
    {"0000000400", R"json({})json"},
    {"0200000400", R"json([])json"},
    {"020b00510005010005ffff05ff7f050080072500072900072d000931000a39000941000a4900ffff0000ffffff7f0"
     "0000080ffffffff00"
     "000000ffffffffffffff7f0000000000000080ffffffffffffffff",
     R"json([1, -1, 32767, -32768, 65535, 2147483647, -2147483648, 4294967295, 9223372036854775807, -9223372036854775808, 18446744073709551615])json"},
    {"000400570020000000200001002100010022000800002a00050100022e00004b0061626c6f6e67206b65790000040"
     "003001d000501000b"
     "0d000c15000000000000000440077822795c7a0a0101000c000b0001000400006e",
     R"json({"": {}, "a": 1, "b": [1, 2.5, "x\"y\\z\n\u0001"], "long key": {"n": null}})json"},
    {"0c107465787420c3a420e6bca220f09f9880", R"json("text ä 漢 😀")json"},
    {"0b000000000000f03f", R"json(1.0)json"},
    {"0b0000000000000080", R"json(-0.0)json"},
    {"0b7dc39425ad49b254", R"json(1e100)json"},
    {"0b691d554d1075ef3e", R"json(0.000015)json"},
    {"02050045000f13000f1d000f27000f31000f3b000c0820a10719761f95190a0800000000001e95190b08402bfee68"
     "9feffff0b08000000"
     "fb6e3400000c08000000464186a519",
     R"json(["2015-01-15 23:24:25.500000", "2015-01-15", "-23:24:25.120000", "838:59:59.000000", "2020-02-03 04:05:06.000000"])json"},
    {"02030028000f0d000f17000f2000f6080d04800030391a85f6070b027fffffffcdf606090080000000",
     R"json([12345.6789, -0.50, 0])json"},
    {"0204007d000f10000f76000f7a0006e4070f647878787878787878787878787878787878787878787878787878787"
     "87878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787"
     "87878787878787878"
     "7878787878787878780f0200ff0f0105",
     R"json(["base64:type15:eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\neHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA==", "base64:type15:AP8=", "base64:type15:BQ==", 2020])json"},
    {"02030016000c0d000c0f000c1100012f017f04080c090d", "[\"/\", \"\x7F\", \"\\b\\f\\t\\r\"]"},
    {"0201009f0000070003009800190003001c00040020000b00002b000c7800027e0063727374797065636f6f7264696"
     "e6174657302004d00"
     "1200040016000a000c20000025007479706570726f70657274696573046e616d65010028000b0004000c0f006e616"
     "d651875726e3a6f67"
     "633a6465663a6372733a4d7953514c3a3a3005506f696e7402001a000b0a000b1200000000000000f03f000000000"
     "0000040",
     R"json([{"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:MySQL::0"}}, "type": "Point", "coordinates": [1.0, 2.0]}])json"},
    {"050300", R"json(3)json"},
    {"02010019000207000100120002070001000b0002070000000400", R"json([[[[]]]])json"},
});

TEST(JsonBinary, PrintsWhatTheServerPrints) {
  for (const Golden& g : kGolden) EXPECT_EQ(text_of(unhex(g.hex)), g.text) << g.hex;
}

TEST(JsonBinary, AMissingValueIsNull) {
  EXPECT_EQ(text_of(""), "null");
}

TEST(JsonBinary, SurvivesACutAtEveryByte) {
  for (const Golden& g : kGolden) {
    const std::string bytes = unhex(g.hex);
    for (std::size_t n = 1; n < bytes.size(); ++n)
      EXPECT_EQ(text_of(bytes.substr(0, n)), "<refused>") << g.hex << " cut at " << n;
  }
}

TEST(JsonBinary, SurvivesEveryByteChanged) {
  for (const Golden& g : kGolden) {
    const std::string bytes = unhex(g.hex);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xFF}) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ flip);
        EXPECT_NE(text_of(changed), "<refused, but wrote>");
      }
    }
  }
}

// 2 large strings behind 4-byte offsets, an inlined int32 and a nested small array.
TEST(JsonBinary, ReadsLargeContainers) {
  const std::string a(70000, 'a');
  std::string doc;
  const auto le = [&doc](std::uint64_t v, int n) {
    for (int i = 0; i < n; ++i) doc.push_back(static_cast<char>(v >> (8 * i) & 0xFF));
  };
  const std::size_t header = 8 + 3 * 5;
  const std::size_t size = header + 3 + a.size() + 4;
  doc.push_back(3);  // large array
  le(3, 4);
  le(size, 4);
  doc.push_back(12);
  le(header, 4);
  doc.push_back(7);
  le(static_cast<std::uint32_t>(-70000), 4);
  doc.push_back(2);
  le(header + 3 + a.size(), 4);
  doc += unhex("f0a204");  // varlen 70000
  doc += a;
  doc += unhex("00000400");
  EXPECT_EQ(text_of(doc), "[\"" + a + "\", -70000, []]");
}

TEST(JsonBinary, HolesBetweenValuesAreNotRead) {
  // ["ab"] after an in-place update from a longer string: the size still counts the hole.
  EXPECT_EQ(text_of(unhex("0201000f000c0700"
                          "026162"
                          "7a7a7a7a7a")),
            R"(["ab"])");
}

std::string nested(int depth) {
  std::string doc = unhex("00000400").substr(0, 4);  // the insides of []
  for (int i = 1; i < depth; ++i) {
    const std::size_t size = doc.size() + 7;
    std::string outer = unhex("0100");
    outer.push_back(static_cast<char>(size & 0xFF));
    outer.push_back(static_cast<char>(size >> 8));
    outer += unhex("020700");
    doc = outer + doc;
  }
  return "\x02" + doc;
}

TEST(JsonBinary, NestsAHundredDeepAndNoDeeper) {
  EXPECT_EQ(text_of(nested(100)), std::string(100, '[') + std::string(100, ']'));
  EXPECT_EQ(text_of(nested(101)), "<refused>");
}

TEST(JsonBinary, OffsetsThatPointAtThemselvesEnd) {
  // An array of 200 arrays that are all the array itself.
  std::string doc = unhex(
      "02"
      "c800"
      "5c02");
  for (int i = 0; i < 200; ++i) doc += unhex("020000");
  EXPECT_EQ(text_of(doc), "<refused>");
}

TEST(JsonBinary, ManyEntriesThatShareOneStringAreRefused) {
  std::string doc = unhex(
      "02"
      "c800"
      "c002");
  for (int i = 0; i < 200; ++i) doc += unhex("0c5c02");
  doc += "\x63" + std::string(99, 'x');
  EXPECT_EQ(text_of(doc), "<refused>");
}

TEST(JsonBinary, UnknownTypesAreRefused) {
  EXPECT_EQ(text_of(unhex("0d00000000")), "<refused>");
  EXPECT_EQ(text_of(unhex("0403")), "<refused>");
  EXPECT_EQ(text_of(unhex("0b000000000000f07f")), "<refused>");  // infinity
}

}  // namespace
}  // namespace sluice::event::test
