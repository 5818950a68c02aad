#include "sluice/position/state_file.h"

#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sluice/base/checksum.h"

#include "sample_state.h"

namespace sluice::position {
namespace {

using ::testing::HasSubstr;

// Changes members of an encoded state and puts the right checksum in: what another program of ours
// could have written.
template <class Change>
std::string rewritten(Change change) {
  auto json = nlohmann::json::parse(encode(sample_state()));
  change(json);
  json.erase("crc");
  std::array<char, 9> hex{};
  std::snprintf(hex.data(), hex.size(), "%08x", crc32(as_bytes(json.dump())));
  json["crc"] = hex.data();
  return json.dump();
}

TEST(StateFile, HasTheDocumentedShape) {
  EXPECT_EQ(encode(sample_state()),
            R"({
  "version": 1,
  "instance": "main",
  "epoch": 2,
  "file": "binlog.000003",
  "pos": 5000000000,
  "gtid_set": "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7",
  "updated_at": "2023-11-14T22:13:20.123456Z",
  "updated_at_us": 1700000000123456,
  "source": {"binlog_base":"binlog","domain_id":0,"file_fingerprint":3735928559,"file_timestamp":1700000000,"flavor":"mysql","server_id":97,"server_uuid":"3e11fa47-71ca-11e1-9e33-c80aa9429562"},
  "layout": {"fingerprint":"00c0ffee00c0ffee","partitions":3},
  "last": ["2.3.4711.1.9.1","0.0.0.0.0.0","1.2.4.0.0.0"],
  "crc": "a8ad8726"
}
)");
}

TEST(StateFile, ComesBackAsItWas) {
  const auto back = decode(encode(sample_state()));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(*back, sample_state());
}

TEST(StateFile, KeepsExtremeNumbersAndAnyByteInNames) {
  State s = sample_state();
  s.position = {"b\"\\\n\xE9\xFF\x01.000001", UINT64_MAX};
  s.epoch = UINT32_MAX;
  s.updated_at_us = -1;
  s.last[0] = EventId{UINT32_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 1};
  const auto back = decode(encode(s));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(*back, s);
}

TEST(StateFile, ReadsTheSameValuesInOtherWhiteSpaceAndOrder) {
  const auto back = decode(nlohmann::json::parse(encode(sample_state())).dump(4));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(*back, sample_state());
}

TEST(StateFile, KeepsAnOverlap) {
  State s = sample_state();
  s.overlap_pending = true;
  auto back = decode(encode(s));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(*back, s);
  s.overlap_pending = false;
  s.overlap = {OverlapMark{"0-1-12", 7}, std::nullopt, OverlapMark{"0-1-11", UINT64_MAX}};
  back = decode(encode(s));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(*back, s);
}

TEST(StateFile, KeepsTermAndLineage) {
  State s = sample_state();
  s.term = UINT64_MAX;
  s.lineage = "0011223344556677";
  const auto back = decode(encode(s));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(*back, s);
  for (const char* bad : {"\"7\"", "-1", "null"}) {
    const auto r = decode(rewritten([&](auto& j) {
      j["lineage"] = "x";
      j["term"] = nlohmann::json::parse(bad);
    }));
    ASSERT_FALSE(r.ok()) << bad;
    EXPECT_THAT(r.error().what, HasSubstr("term")) << bad;
  }
}

TEST(StateFile, KeepsATrailAndRefusesWhatIsNone) {
  State s = sample_state();
  for (std::uint64_t i = 1; i <= Trail::kLongest + 5; ++i)
    s.trail.add(UINT64_MAX - i, 1'700'000'000'000);
  EXPECT_EQ(s.trail.prints.size(), Trail::kLongest);
  EXPECT_EQ(s.trail.prints.front(), UINT64_MAX - 6);
  const auto back = decode(encode(s));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(*back, s);
  for (const char* trail :
       {"1", "{}", "{\"commit_ms\": 1, \"prints\": [\"x\"]}", "{\"prints\": [1]}"}) {
    const auto r = decode(rewritten([&](auto& j) { j["trail"] = nlohmann::json::parse(trail); }));
    ASSERT_FALSE(r.ok()) << trail;
    EXPECT_THAT(r.error().what, HasSubstr("trail")) << trail;
  }
}

TEST(StateFile, RefusesAnOverlapThatIsNone) {
  for (const char* overlap : {"1", "\"settled\"", "[]", "[null, null]", "[null, null, 5]",
                              "[null, null, {\"gtid\": \"0-1-1\"}]"}) {
    const auto r =
        decode(rewritten([&](auto& j) { j["overlap"] = nlohmann::json::parse(overlap); }));
    ASSERT_FALSE(r.ok()) << overlap;
    EXPECT_EQ(r.error().code, Errc::position_damaged);
    EXPECT_THAT(r.error().what, HasSubstr("overlap")) << overlap;
  }
}

TEST(StateFile, RefusesEveryPrefix) {
  const std::string whole = encode(sample_state());
  const std::string json =
      whole.substr(0, whole.size() - 1);  // the last line feed is not part of the value
  for (std::size_t n = 0; n < json.size(); ++n) {
    const auto r = decode(std::string_view(json).substr(0, n));
    ASSERT_FALSE(r.ok()) << n;
    EXPECT_EQ(r.error().code, Errc::position_damaged) << n;
    EXPECT_EQ(r.error().cls, ErrorClass::fatal) << n;
  }
}

TEST(StateFile, RefusesEverySingleBitFlip) {
  const std::string whole = encode(sample_state());
  for (std::size_t i = 0; i < whole.size() - 1; ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string bad = whole;
      bad[i] = static_cast<char>(static_cast<unsigned char>(bad[i]) ^ (1U << bit));
      EXPECT_FALSE(decode(bad).ok()) << "byte " << i << " bit " << bit << ": " << bad;
    }
  }
}

TEST(StateFile, RefusesNulBytesAndSaysSo) {
  std::string bad = encode(sample_state());
  bad.assign(bad.size(), '\0');
  const auto all = decode(bad);
  ASSERT_FALSE(all.ok());
  EXPECT_THAT(all.error().what, HasSubstr("NUL"));
  std::string tail = encode(sample_state());
  for (std::size_t i = tail.size() / 2; i < tail.size(); ++i) tail[i] = '\0';
  ASSERT_FALSE(decode(tail).ok());
  EXPECT_THAT(decode(tail).error().what, HasSubstr("NUL"));
}

TEST(StateFile, RefusesAnEmptyFile) {
  const auto r = decode("");
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::position_damaged);
  EXPECT_THAT(r.error().what, HasSubstr("empty"));
}

TEST(StateFile, RefusesALaterVersion) {
  const auto r = decode(rewritten([](auto& j) { j["version"] = 2; }));
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::position_mismatch);
  EXPECT_THAT(r.error().what, HasSubstr("version 2"));
}

TEST(StateFile, RefusesMembersThatAreMissingOrOfAnotherType) {
  for (const char* name : {"instance", "layout", "source", "epoch", "file", "pos", "gtid_set",
                           "last", "updated_at_us"}) {
    const auto gone = decode(rewritten([&](auto& j) { j.erase(name); }));
    ASSERT_FALSE(gone.ok()) << name;
    EXPECT_THAT(gone.error().what, HasSubstr(name));
    const auto other = decode(rewritten([&](auto& j) { j[name] = true; }));
    ASSERT_FALSE(other.ok()) << name;
    EXPECT_EQ(other.error().code, Errc::position_damaged);
    EXPECT_THAT(other.error().what, HasSubstr(name));
  }
  EXPECT_FALSE(decode(rewritten([](auto& j) { j["pos"] = -1; })).ok());
  EXPECT_FALSE(decode(rewritten([](auto& j) { j["pos"] = 1.5; })).ok());
  EXPECT_FALSE(decode(rewritten([](auto& j) { j["epoch"] = 4294967296; })).ok());
  EXPECT_FALSE(decode(rewritten([](auto& j) { j["source"].erase("server_uuid"); })).ok());
  EXPECT_FALSE(decode(rewritten([](auto& j) { j["file"] = "\u20ac"; })).ok());
  EXPECT_FALSE(decode(rewritten([](auto& j) { j["last"][1] = "1.2.3"; })).ok());
  EXPECT_FALSE(decode(rewritten([](auto& j) { j["last"][1] = 5; })).ok());
  EXPECT_TRUE(decode(rewritten([](auto&) {})).ok());
}

TEST(StateFile, RefusesAChainThatDoesNotFitThePartitions) {
  const auto r = decode(rewritten([](auto& j) { j["last"].erase(0); }));
  ASSERT_FALSE(r.ok());
  EXPECT_THAT(r.error().what, HasSubstr("2 entries for 3 partitions"));
}

TEST(StateFile, RefusesJsonThatIsNotAnObject) {
  for (const char* text : {"[]", "1", "null", "\"x\"", "[[[[", "{}", "nonsense"})
    EXPECT_FALSE(decode(text).ok()) << text;
}

}  // namespace
}  // namespace sluice::position
