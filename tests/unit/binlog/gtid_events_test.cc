#include "sluice/binlog/control_events.h"

#include "unit/binlog/builder.h"

namespace sluice::binlog {
namespace {

using testing::header_of;
using testing::hex;
using testing::mariadb_format;
using testing::mysql_format;

constexpr const char* kUuidHex = "3e11fa4771ca11e19e33c80aa9429562";
constexpr const char* kUuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

// GTID of number 5 with `tail` behind it.
std::string gtid_body(std::string_view tail, int gno = 5) {
  return std::move(ByteWriter()
                       .le<1>(1)
                       .bytes(hex(kUuidHex))
                       .le<8>(static_cast<std::uint64_t>(gno))
                       .bytes(tail))
      .str();
}
Result<GtidEvent> decode_gtid(const std::string& body, EventType type = EventType::gtid) {
  return GtidEvent::decode(header_of(type), as_bytes(body), mysql_format());
}

TEST(GtidEvent, ReadsEveryLengthServersHaveWritten) {
  const std::string clock = hex("02 0100000000000000 0200000000000000");
  struct Case {
    std::string tail;
    std::int64_t immediate, original;
  };
  for (const Case& k : {
           Case{"", 0, 0},                                         // 5.6
           Case{clock, 0, 0},                                      // 5.7
           Case{clock + hex("40420f00000000"), 1000000, 1000000},  // 8.0
           Case{clock + hex("40420f00000080 80841e00000000"), 1000000,
                2000000},  // from another source
           Case{clock + hex("40420f00000000 fc2c01 e8400100 07"), 1000000,
                1000000},  // length, version
           Case{hex("01 0100000000000000 0200000000000000 40420f00000000"), 0,
                0},  // another clock: not read
       }) {
    const auto e = decode_gtid(gtid_body(k.tail));
    ASSERT_TRUE(e.ok());
    EXPECT_EQ(gtid_to_string(e->gtid), std::string(kUuid) + ":5");
    EXPECT_EQ(e->immediate_commit_us, k.immediate);
    EXPECT_EQ(e->original_commit_us, k.original);
  }
  EXPECT_FALSE(decode_gtid(gtid_body(clock + hex("40420f00000080 80841e"))).ok());
}

TEST(GtidEvent, AnAnonymousOneHasNoGtid) {
  const auto e = decode_gtid(gtid_body("", 0), EventType::anonymous_gtid);
  ASSERT_TRUE(e.ok());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(e->gtid));
  EXPECT_EQ(decode_gtid(gtid_body("", 0)).error().code, Errc::binlog_malformed);
  EXPECT_EQ(decode_gtid(gtid_body("", -1)).error().code, Errc::binlog_malformed);
}

// A tagged GTID as MySQL 9.7 wrote it, but for uuid and times.
std::string tagged(std::string_view fields, std::string_view head = {}) {
  const std::string h = head.empty() ? hex("02") : std::string(head);
  const std::size_t size = h.size() + 2 + fields.size();
  return h + static_cast<char>(size << 1) + std::string(1, '\0') + std::string(fields);
}
// Bytes from 0x80 on take two.
std::string uuid_field() {
  std::string out = hex("02");
  for (const char c : hex(kUuidHex)) {
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x80) {
      out.push_back(static_cast<char>(b << 1));
    } else {
      const unsigned v = static_cast<unsigned>(b) << 2 | 1U;
      out.push_back(static_cast<char>(v & 0xFF));
      out.push_back(static_cast<char>(v >> 8));
    }
  }
  return out;
}

TEST(GtidEvent, ReadsATaggedOne) {
  const std::string body = tagged(hex("00 00") + uuid_field() + hex("04 04") + hex("06 0a") +
                                  "mytag" + hex("08 00 0a 04") + hex("0c 03127a 0e 0324f4 10 08"));
  const auto e = decode_gtid(body, EventType::gtid_tagged);
  ASSERT_TRUE(e.ok()) << e.error().what;
  EXPECT_EQ(gtid_to_string(e->gtid), std::string(kUuid) + ":mytag:1");
  EXPECT_EQ(e->immediate_commit_us, 1000000);
  EXPECT_EQ(e->original_commit_us, 2000000);
}

TEST(GtidEvent, OriginalCommitOfATaggedOneDefaultsToTheImmediate) {
  const std::string body =
      tagged(hex("00 00") + uuid_field() + hex("04 04 06 0274") + hex("0c 08"));
  const auto e = decode_gtid(body, EventType::gtid_tagged);
  ASSERT_TRUE(e.ok()) << e.error().what;
  EXPECT_EQ(e->immediate_commit_us, 4);
  EXPECT_EQ(e->original_commit_us, 4);
}

TEST(GtidEvent, PassesOverIgnorableFieldsOfLaterServersOnly) {
  const std::string fields = hex("00 00") + uuid_field() + hex("04 0c 06 0274");
  const auto later = decode_gtid(tagged(fields + hex("28 abcdef")), EventType::gtid_tagged);
  ASSERT_TRUE(later.ok()) << later.error().what;
  EXPECT_EQ(gtid_to_string(later->gtid), std::string(kUuid) + ":t:3");
  std::string needed = tagged(fields);
  needed[2] = 40;
  EXPECT_EQ(decode_gtid(needed, EventType::gtid_tagged).error().code, Errc::binlog_unsupported);
  EXPECT_EQ(decode_gtid(tagged(fields, hex("04")), EventType::gtid_tagged).error().code,
            Errc::binlog_unsupported);
}

TEST(GtidEvent, RefusesTaggedOnesThatContradictThemselves) {
  const std::string fields = hex("00 00") + uuid_field() + hex("04 04 06 0274");
  EXPECT_EQ(decode_gtid(tagged(fields) + "x", EventType::gtid_tagged).error().code,
            Errc::binlog_malformed);
  EXPECT_EQ(
      decode_gtid(tagged(uuid_field() + hex("00 00 04 04")), EventType::gtid_tagged).error().code,
      Errc::binlog_malformed);
  EXPECT_EQ(decode_gtid(tagged(hex("00 00") + uuid_field() + hex("04 0a")), EventType::gtid_tagged)
                .error()
                .code,
            Errc::binlog_malformed);  // number -3
  // A tag that is no tag would make a set that cannot be read back.
  for (const char* tag : {"06 0441 62", "06 04613a", "06 043161"})
    EXPECT_EQ(decode_gtid(tagged(uuid_field() + hex("04 04") + hex(tag)), EventType::gtid_tagged)
                  .error()
                  .code,
              Errc::binlog_malformed)
        << tag;
  const std::string long_tag = hex("06 42") + std::string(33, 'a');
  EXPECT_FALSE(
      decode_gtid(tagged(uuid_field() + hex("04 04") + long_tag), EventType::gtid_tagged).ok());
}

Result<GtidEvent> decode_mariadb(std::string_view digits) {
  return GtidEvent::decode(header_of(EventType::mariadb_gtid), as_bytes(hex(digits)),
                           mariadb_format());
}

TEST(GtidEvent, ReadsMariadbsFlags) {
  const auto plain = decode_mariadb("0900000000000000 05000000 00 000000000000");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(gtid_to_string(plain->gtid), "5-7-9");
  EXPECT_FALSE(plain->standalone || plain->ddl || plain->prepared_xa || plain->completed_xa);
  const auto ddl = decode_mariadb("0900000000000000 05000000 29 000000000000");
  ASSERT_TRUE(ddl.ok());
  EXPECT_TRUE(ddl->standalone && ddl->ddl);
  const auto xa = decode_mariadb("ffffffffffffffff ffffffff 4c 11000000 04 02 786964316271 00");
  ASSERT_TRUE(xa.ok());
  EXPECT_EQ(gtid_to_string(xa->gtid), "4294967295-7-18446744073709551615");
  EXPECT_TRUE(xa->prepared_xa);
  const auto done =
      decode_mariadb("0900000000000000 05000000 82 0102030405060708 11000000 01 00 78");
  ASSERT_TRUE(done.ok());
  EXPECT_TRUE(done->completed_xa);
}

TEST(GtidEvent, RefusesMariadbsThatEndTooEarly) {
  for (const char* body :
       {"0900000000000000 05000000", "0900000000000000 05000000 02 01020304050607",
        "0900000000000000 05000000 40 11000000 04 02 7869643162"}) {
    const auto e = decode_mariadb(body);
    ASSERT_FALSE(e.ok()) << body;
    EXPECT_EQ(e.error().code, Errc::binlog_truncated);
  }
}

TEST(GtidEvent, RefusesOneOfTheOtherFamily) {
  EXPECT_FALSE(
      GtidEvent::decode(header_of(EventType::gtid), as_bytes(gtid_body("")), mariadb_format())
          .ok());
  EXPECT_FALSE(GtidEvent::decode(header_of(EventType::mariadb_gtid),
                                 as_bytes(std::string(19, '\1')), mysql_format())
                   .ok());
}

Result<GtidSet> decode_set(EventType type, std::string_view digits) {
  return decode_gtid_set_event(header_of(type), as_bytes(hex(digits)));
}
const std::string kSid = kUuidHex;

TEST(PreviousGtids, ReadsIntervalsWhoseEndIsNotIncluded) {
  const auto s =
      decode_set(EventType::previous_gtids, "0100000000000000" + kSid +
                                                "0200000000000000 0100000000000000 0600000000000000"
                                                "0900000000000000 0a00000000000000");
  ASSERT_TRUE(s.ok());
  EXPECT_EQ(s->to_string(), std::string(kUuid) + ":1-5:9");
  EXPECT_TRUE(decode_set(EventType::previous_gtids, "0000000000000000")->empty());
}

TEST(PreviousGtids, ReadsTheTaggedFormat) {
  const auto s = decode_set(EventType::previous_gtids,
                            "0102000000000001" + kSid +
                                "00 0100000000000000 0100000000000000 0e00000000000000" + kSid +
                                "0a 6d79746167 0100000000000000 0100000000000000 0300000000000000");
  ASSERT_TRUE(s.ok()) << s.error().what;
  EXPECT_EQ(s->to_string(), std::string(kUuid) + ":1-13:mytag:1-2");
}

TEST(PreviousGtids, AreWrittenAsTheyAreRead) {
  const std::string other = "ffffffff-71ca-11e1-9e33-c80aa9429562";
  for (const std::string& text :
       {std::string(), std::string(kUuid) + ":1-5:9", std::string(kUuid) + ":1-13:mytag:1-2:zz:5",
        std::string(kUuid) + ":" + std::string(32, 'a') + ":7," + other + ":3-4"}) {
    const std::string bytes = encode_gtid_set(*MysqlGtidSet::parse(text));
    const auto back = decode_gtid_set_event(header_of(EventType::previous_gtids), as_bytes(bytes));
    ASSERT_TRUE(back.ok()) << text << ": " << back.error().what;
    EXPECT_EQ(back->to_string(), text);
  }
  // Servers before 8.3 know the format without tags only.
  EXPECT_EQ(encode_gtid_set(*MysqlGtidSet::parse(std::string(kUuid) + ":1-5")),
            hex("0100000000000000" + kSid + "0100000000000000 0100000000000000 0600000000000000"));
}

TEST(PreviousGtids, RefusesATagThatIsNone) {
  const auto s = decode_set(
      EventType::previous_gtids,
      "0101000000000001" + kSid + "04 3a61 0100000000000000 0100000000000000 0300000000000000");
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::binlog_malformed);
}

TEST(PreviousGtids, RefusesBadCountsAndIntervals) {
  for (const std::string& body :
       {"ffffffffffffff00" + kSid,
        "0100000000000000" + kSid + "ffffffffffffffff 0100000000000000 0600000000000000",
        "0100000000000000" + kSid + "0100000000000000 0000000000000000 0600000000000000",
        "0100000000000000" + kSid + "0100000000000000 0600000000000000 0600000000000000",
        "0100000000000000" + kSid + "0100000000000000 0100000000000000 0000000000000080",
        "0100000000000002" + kSid, "0002000000000001" + kSid, std::string("0000000000000000 00")})
    EXPECT_FALSE(decode_set(EventType::previous_gtids, body).ok()) << body;
}

TEST(GtidList, KeepsTheLastOfEachDomain) {
  const auto s =
      decode_set(EventType::gtid_list,
                 "03000010 00000000 01000000 0500000000000000  00000000 02000000 0900000000000000"
                 "07000000 01000000 ffffffffffffffff");
  ASSERT_TRUE(s.ok());
  EXPECT_EQ(s->flavor(), Flavor::mariadb);
  EXPECT_EQ(s->to_string(), "0-2-9,7-1-18446744073709551615");
  EXPECT_FALSE(
      decode_set(EventType::gtid_list, "ffffff0f 00000000 01000000 0500000000000000").ok());
  EXPECT_FALSE(decode_set(EventType::xid, "00000000").ok());
}

}  // namespace
}  // namespace sluice::binlog
