#include "sluice/position/applied_record.h"

#include <string>

#include <gmock/gmock.h>

namespace sluice::position {
namespace {

using ::testing::HasSubstr;

AppliedRecord sample() {
  AppliedRecord r;
  r.id = EventId{1, 3, 4711, 0, 2, 1};
  r.gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:23";
  r.ordinal = 7;
  r.layout = "00c0ffee00c0ffee";
  r.tick = {1,
            3,
            5000000000,
            "binlog.000003",
            "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-22",
            1700000000123};
  return r;
}

std::string text_of(const AppliedRecord& r) {
  TextBuffer out;
  append(out, r);
  return std::string(out.view());
}

TEST(AppliedRecord, HasTheDocumentedShape) {
  EXPECT_EQ(
      text_of(sample()),
      R"({"v":1,"id":"1.3.4711.0.2.1","gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:23","ordinal":7,)"
      R"("layout":"00c0ffee00c0ffee","tick":{"epoch":1,"file_number":3,"pos":5000000000,)"
      R"("file":"binlog.000003","gtid_set":"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-22","es":1700000000123}})");
}

TEST(AppliedRecord, ComesBackAsItWas) {
  const auto back = parse_applied(text_of(sample()));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(*back, sample());
  const auto zero = parse_applied(text_of(AppliedRecord{}));
  ASSERT_TRUE(zero.ok()) << to_string(zero.error());
  EXPECT_EQ(*zero, AppliedRecord{});
}

TEST(AppliedRecord, KeepsEveryByteOfItsTexts) {
  AppliedRecord r = sample();
  r.gtid.clear();
  for (int c = 0; c < 256; ++c) r.gtid.push_back(static_cast<char>(c));
  r.tick.file = "a\"b\\c\n.000001";
  r.tick.gtid_set = "uuid:1-2,\nuuid:3";
  r.ordinal = UINT64_MAX;
  r.tick.es_ms = INT64_MIN;
  const auto back = parse_applied(text_of(r));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(*back, r);
}

TEST(AppliedRecord, AppendsBehindWhatIsThereAndReusesTheBuffer) {
  TextBuffer out;
  out.append("before ");
  append(out, sample());
  EXPECT_EQ(out.view(), "before " + text_of(sample()));
  const auto* memory = out.data();
  out.clear();
  append(out, sample());
  EXPECT_EQ(out.data(), memory);
}

TEST(AppliedRecord, RefusesDamageAndLaterVersions) {
  const std::string good = text_of(sample());
  for (std::size_t n = 0; n < good.size(); ++n) {
    const auto r = parse_applied(std::string_view(good).substr(0, n));
    ASSERT_FALSE(r.ok()) << n;
    EXPECT_EQ(r.error().code, Errc::position_damaged);
  }
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string s = good;
    s.replace(s.find(from), from.size(), to);
    return parse_applied(s);
  };
  EXPECT_EQ(changed("\"v\":1", "\"v\":2").error().code, Errc::position_mismatch);
  EXPECT_EQ(changed("\"v\":1", "\"v\":0").error().code, Errc::position_damaged);
  EXPECT_EQ(changed("1.3.4711.0.2.1", "1.3.4711.0.2").error().code, Errc::position_damaged);
  EXPECT_EQ(changed("\"ordinal\":7", "\"ordinal\":-7").error().code, Errc::position_damaged);
  EXPECT_THAT(changed("\"file\":\"binlog.000003\",", "").error().what,
              HasSubstr("tick: member \"file\""));
  EXPECT_FALSE(parse_applied("hello").ok());
  EXPECT_FALSE(parse_applied("[]").ok());
}

TEST(TickMark, IsOrderedByEpochThenFileNumberThenPosition) {
  const TickMark base{2, 10, 500, "x.000010", "", 0};
  const auto with = [](std::uint32_t epoch, std::uint64_t file, std::uint64_t pos) {
    return TickMark{epoch, file, pos, "other name", "other set", 99};
  };
  EXPECT_TRUE(with(1, 99, 900).before(base));
  EXPECT_TRUE(with(2, 9, 900).before(base));
  EXPECT_TRUE(with(2, 10, 499).before(base));
  EXPECT_FALSE(with(2, 10, 500).before(base));
  EXPECT_FALSE(base.before(with(2, 10, 500)));
  EXPECT_TRUE(base.before(with(2, 10, 501)));
  EXPECT_TRUE(base.before(with(2, 11, 0)));
  EXPECT_TRUE(base.before(with(3, 0, 0)));
}

TEST(Watermark, ComesBackAsItWas) {
  const Watermark w{sample().tick, 1700000000999};
  EXPECT_EQ(
      encode(w),
      R"({"v":1,"updated_at_ms":1700000000999,"tick":{"epoch":1,"file_number":3,"pos":5000000000,)"
      R"("file":"binlog.000003","gtid_set":"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-22","es":1700000000123}})");
  const auto back = parse_watermark(encode(w));
  ASSERT_TRUE(back.ok()) << to_string(back.error());
  EXPECT_EQ(back->tick, w.tick);
  EXPECT_EQ(back->updated_at_ms, w.updated_at_ms);
  EXPECT_FALSE(parse_watermark("{}").ok());
}

TEST(RedisKeys, NameInstanceLayoutAndPartition) {
  EXPECT_EQ(applied_key("main", 16, 3), "sluice:main:p16:3");
  EXPECT_EQ(watermark_key("main"), "sluice:main:watermark");
}

}  // namespace
}  // namespace sluice::position
