#include "sluice/model/gtid.h"

#include <limits>

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr const char* kA = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
constexpr const char* kB = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

Uuid uuid(std::string_view text) {
  auto u = parse_uuid(text);
  EXPECT_TRUE(u.ok());
  return u.ok() ? *u : Uuid{};
}
MysqlGtidSet set(const std::string& text) {
  auto s = MysqlGtidSet::parse(text);
  EXPECT_TRUE(s.ok()) << text;
  return s.ok() ? *s : MysqlGtidSet{};
}
std::string with_uuid(const std::string& numbers) {
  return std::string(kA) + ":" + numbers;
}

TEST(Uuid, ReadsBothCasesAndTheFormWithoutDashes) {
  EXPECT_EQ(uuid_to_string(uuid(kA)), kA);
  EXPECT_EQ(uuid("3E11FA47-71CA-11E1-9E33-C80AA9429562"), uuid(kA));
  EXPECT_EQ(uuid("3e11fa4771ca11e19e33c80aa9429562"), uuid(kA));
  for (const char* text :
       {"", "3e11fa47-71ca-11e1-9e33-c80aa942956", "3e11fa47x71ca-11e1-9e33-c80aa9429562",
        "3e11fa47-71ca-11e1-9e33-c80aa942956g", "3e11fa4771ca11e19e33c80aa94295621"})
    EXPECT_EQ(parse_uuid(text).error().code, Errc::usage) << text;
}

TEST(Gtid, IsWrittenAsItsServerWritesIt) {
  EXPECT_EQ(gtid_to_string(MysqlGtid{uuid(kA), "", 5}), with_uuid("5"));
  EXPECT_EQ(gtid_to_string(MysqlGtid{uuid(kA), "tag", 5}), with_uuid("tag:5"));
  EXPECT_EQ(gtid_to_string(MariadbGtid{4294967295, 1, 18446744073709551615U}),
            "4294967295-1-18446744073709551615");
  EXPECT_EQ(gtid_to_string(Gtid{}), "");
}

TEST(MysqlGtidSet, MergesAndSortsWhatItReads) {
  struct Case {
    const char* text;
    const char* normal;
  };
  for (const Case& k :
       {Case{"1", "1"}, Case{"1-5", "1-5"}, Case{"7:1-5", "1-5:7"}, Case{"1-5:6", "1-6"},
        Case{"6:1-5", "1-6"}, Case{"1-5:3-9", "1-9"}, Case{"1-3:7-9:5:4", "1-5:7-9"},
        Case{"10:8:6:7:9", "6-10"}, Case{"1:3:5:2-4", "1-5"}, Case{"1:5:1-9", "1-9"},
        Case{"2-3:1-1", "1-3"}, Case{"1-2:Tag:1-3", "1-2:tag:1-3"},
        Case{"b:1:a:2:b:2", "a:2:b:1-2"}, Case{"9223372036854775806", "9223372036854775806"}})
    EXPECT_EQ(set(with_uuid(k.text)).to_string(), with_uuid(k.normal)) << k.text;
}

TEST(MysqlGtidSet, TakesWhiteSpaceAndEmptyPartsAnywhere) {
  EXPECT_EQ(set(std::string(" \n") + kB + " : 1 - 3 : 5 ,\r\n,\t" + kA + ":tag : 7,").to_string(),
            with_uuid("tag:7") + "," + kB + ":1-3:5");
  EXPECT_TRUE(set("").empty());
  EXPECT_TRUE(set(" \n, ").empty());
}

TEST(MysqlGtidSet, RefusesWhatIsNone) {
  for (const std::string& text :
       {std::string("x"), std::string(kA), with_uuid(""), with_uuid("0"), with_uuid("5-3"),
        with_uuid("-5"), with_uuid("1-"), with_uuid("1-2-3"), with_uuid("1:"), with_uuid("tag"),
        with_uuid("tag:"), with_uuid("1:tag"), with_uuid("1 2"), with_uuid("tag-x:1"),
        with_uuid(std::string(33, 'a') + ":1"), with_uuid("9223372036854775807"),
        with_uuid("99999999999999999999"), std::string("0-1-100"),
        with_uuid("1") + ";" + with_uuid("2")}) {
    const auto s = MysqlGtidSet::parse(text);
    ASSERT_FALSE(s.ok()) << text;
    EXPECT_EQ(s.error().code, Errc::usage);
  }
}

TEST(MysqlGtidSet, AddsOneByOneInAnyOrder) {
  MysqlGtidSet s;
  for (const int n : {5, 1, 3, 2, 9, 4, 7, 8}) s.add(MysqlGtid{uuid(kA), "", n});
  EXPECT_EQ(s.to_string(), with_uuid("1-5:7-9"));
  s.add(MysqlGtid{uuid(kA), "", 3});
  EXPECT_EQ(s.to_string(), with_uuid("1-5:7-9"));
  s.add(uuid(kA), "", {2, 100});
  EXPECT_EQ(s.to_string(), with_uuid("1-100"));
}

// Against a plain array of flags: every add in a small space gives what the flags say.
TEST(MysqlGtidSet, AddAgreesWithAModel) {
  for (unsigned pattern = 0; pattern < 256; ++pattern)
    for (int first = 1; first <= 8; ++first)
      for (int last = first; last <= 8; ++last) {
        MysqlGtidSet s;
        unsigned flags = pattern;
        for (int n = 8; n >= 1; --n)
          if ((pattern >> (n - 1) & 1U) != 0) s.add(MysqlGtid{uuid(kA), "", n});
        s.add(uuid(kA), "", {first, last});
        for (int n = first; n <= last; ++n) flags |= 1U << (n - 1);
        std::size_t runs = 0;
        for (int n = 1; n <= 8; ++n) {
          const bool in = (flags >> (n - 1) & 1U) != 0;
          ASSERT_EQ(s.contains(MysqlGtid{uuid(kA), "", n}), in)
              << pattern << " " << first << "-" << last;
          if (in && (n == 1 || (flags >> (n - 2) & 1U) == 0)) ++runs;
        }
        ASSERT_EQ(s.sets().begin()->second.size(), runs) << pattern << " " << first << "-" << last;
      }
}

TEST(MysqlGtidSet, HoldsIntervalsAtTheEndsOfTheNumbers) {
  MysqlGtidSet s;
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  s.add(uuid(kA), "", {most, most});
  s.add(uuid(kA), "", {1, 1});
  s.add(uuid(kA), "", {most - 1, most - 1});
  EXPECT_TRUE(s.contains(MysqlGtid{uuid(kA), "", most}));
  s.add(uuid(kA), "", {1, most});
  EXPECT_EQ(s.sets().begin()->second.size(), 1U);
}

TEST(MysqlGtidSet, ContainsSetsBySourceAndTag) {
  const MysqlGtidSet s = set(with_uuid("1-5:8-9:tag:1-3"));
  EXPECT_TRUE(s.contains(s));
  EXPECT_TRUE(s.contains(set("")));
  EXPECT_TRUE(s.contains(set(with_uuid("2-4:9:tag:1"))));
  EXPECT_FALSE(s.contains(set(with_uuid("5-8"))));
  EXPECT_FALSE(s.contains(set(with_uuid("tag:4"))));
  EXPECT_FALSE(s.contains(set(with_uuid("other:1"))));
  EXPECT_FALSE(s.contains(set(std::string(kB) + ":1")));
  EXPECT_FALSE(set("").contains(s));
  EXPECT_FALSE(s.contains(MysqlGtid{uuid(kA), "tag", 4}));
}

// Against plain flags: every pair of sets in a small space.
TEST(MysqlGtidSet, MinusAgreesWithAModel) {
  const auto of = [](unsigned flags) {
    MysqlGtidSet s;
    for (int n = 1; n <= 6; ++n)
      if ((flags >> (n - 1) & 1U) != 0) s.add(MysqlGtid{uuid(kA), "", n});
    return s;
  };
  for (unsigned a = 0; a < 64; ++a)
    for (unsigned b = 0; b < 64; ++b) ASSERT_EQ(of(a).minus(of(b)), of(a & ~b)) << a << " " << b;
}

TEST(MysqlGtidSet, MinusKeepsSourcesAndTagsApart) {
  const MysqlGtidSet s = set(with_uuid("1-5:tag:1-3") + "," + kB + ":7");
  EXPECT_EQ(s.minus(set(with_uuid("2-3:other:1-3"))).to_string(),
            with_uuid("1:4-5:tag:1-3") + "," + kB + ":7");
  EXPECT_TRUE(s.minus(s).empty());
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() - 1;
  MysqlGtidSet all;
  all.add(uuid(kA), "", {1, most});
  EXPECT_TRUE(all.minus(all).empty());
}

TEST(MariadbGtidSet, MinusKeepsWhatTheOtherHasNotReached) {
  const auto s = *MariadbGtidSet::parse("0-1-100,2-3-4,5-1-9");
  EXPECT_EQ(s.minus(*MariadbGtidSet::parse("0-2-99,2-9-4")).to_string(), "0-1-100,5-1-9");
  EXPECT_EQ(GtidSet(s).minus(GtidSet(Flavor::mysql)).to_string(), s.to_string());
}

TEST(MysqlGtidSet, AddsSets) {
  MysqlGtidSet s = set(with_uuid("1-3"));
  s.add(set(with_uuid("4-5:tag:1") + "," + kB + ":7"));
  EXPECT_EQ(s.to_string(), with_uuid("1-5:tag:1") + "," + kB + ":7");
  const MysqlGtidSet before = s;
  s.add(before);
  EXPECT_EQ(s, before);
}

TEST(MariadbGtidSet, ReadsWhatItWrites) {
  const auto s = MariadbGtidSet::parse(" 2-3-4 ,\n0 - 1 - 100");
  ASSERT_TRUE(s.ok());
  EXPECT_EQ(s->to_string(), "0-1-100,2-3-4");
  EXPECT_TRUE(MariadbGtidSet::parse(" ")->empty());
  for (const char* text : {"0-1", "0-1-", "0-1-2,", ",0-1-2", "0-1-2,0-2-3", "0-1-2 3",
                           "4294967296-1-1", "0-1-18446744073709551616", "0--1", "x"})
    EXPECT_EQ(MariadbGtidSet::parse(text).error().code, Errc::usage) << text;
}

TEST(MariadbGtidSet, AGtidReplacesItsDomainsAndASetKeepsTheHigher) {
  MariadbGtidSet s;
  s.add(MariadbGtid{0, 1, 100});
  s.add(MariadbGtid{0, 2, 50});  // the binlog's order is the truth
  EXPECT_EQ(s.to_string(), "0-2-50");
  s.add(*MariadbGtidSet::parse("0-3-49,1-1-1"));
  EXPECT_EQ(s.to_string(), "0-2-50,1-1-1");
  s.add(*MariadbGtidSet::parse("0-3-51"));
  EXPECT_EQ(s.to_string(), "0-3-51,1-1-1");
}

TEST(MariadbGtidSet, ContainsBySequenceWithinTheDomain) {
  const auto s = *MariadbGtidSet::parse("0-1-100,2-3-4");
  EXPECT_TRUE(s.contains(MariadbGtid{0, 9, 100}));
  EXPECT_FALSE(s.contains(MariadbGtid{0, 1, 101}));
  EXPECT_FALSE(s.contains(MariadbGtid{1, 1, 1}));
  EXPECT_TRUE(s.contains(*MariadbGtidSet::parse("2-1-3")));
  EXPECT_FALSE(s.contains(*MariadbGtidSet::parse("2-1-3,5-1-1")));
}

TEST(GtidSet, ParseAnyTellsTheFamilyByTheText) {
  const auto mysql = GtidSet::parse_any(with_uuid("1-5"));
  ASSERT_TRUE(mysql.ok());
  EXPECT_EQ(mysql->flavor(), Flavor::mysql);
  const auto mariadb = GtidSet::parse_any("0-1-100");
  ASSERT_TRUE(mariadb.ok());
  EXPECT_EQ(mariadb->flavor(), Flavor::mariadb);
  EXPECT_EQ(mariadb->to_string(), "0-1-100");
  EXPECT_TRUE(GtidSet::parse_any(" \n")->empty());
  EXPECT_FALSE(GtidSet::parse_any("nonsense").ok());
}

TEST(GtidSet, AddsAndContainsItsOwnFamilyOnly) {
  GtidSet s(Flavor::mariadb);
  s.add(Gtid{});
  s.add(GtidSet(Flavor::mysql));
  EXPECT_TRUE(s.empty());
  s.add(MariadbGtid{0, 1, 5});
  EXPECT_TRUE(s.contains(Gtid(MariadbGtid{0, 1, 5})));
  EXPECT_FALSE(s.contains(Gtid(MysqlGtid{uuid(kA), "", 1})));
  EXPECT_FALSE(s.contains(Gtid{}));
  EXPECT_TRUE(s.contains(GtidSet(Flavor::mysql)));
  EXPECT_FALSE(s.contains(*GtidSet::parse_any(with_uuid("1"))));
  EXPECT_THROW(s.add(MysqlGtid{uuid(kA), "", 1}), std::bad_variant_access);
}

}  // namespace
}  // namespace sluice
