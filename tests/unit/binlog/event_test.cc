#include "sluice/binlog/event.h"

#include <set>

#include "unit/binlog/builder.h"

namespace sluice::binlog {
namespace {

using testing::EventParts;
using testing::make_event;
using testing::make_format;

std::string rotate_body() {
  return std::move(ByteWriter().le<8>(4).bytes("binlog.000002")).str();
}

TEST(EventHeader, ReadsEveryField) {
  const auto h = EventHeader::decode(as_bytes(
      make_event({EventType::xid, "12345678", 0x01020304, 0x11121314, 0x21222324, 0x00A1})));
  ASSERT_TRUE(h.ok());
  EXPECT_EQ(h->timestamp, 0x01020304U);
  EXPECT_EQ(h->type, EventType::xid);
  EXPECT_EQ(h->server_id, 0x11121314U);
  EXPECT_EQ(h->event_size, 27U);
  EXPECT_EQ(h->log_pos, 0x21222324U);
  EXPECT_TRUE(h->artificial());
  EXPECT_TRUE(h->ignorable());
}

TEST(EventTypeName, IsDifferentForEveryKnownType) {
  std::set<std::string_view> names;
  int known = 0;
  for (int code = 0; code < 256; ++code) {
    const std::string_view name = event_type_name(static_cast<EventType>(code));
    if (name == "UNKNOWN") continue;
    ++known;
    names.insert(name);
  }
  EXPECT_EQ(known, 43 + 13);  // 1..43 and 160..172
  EXPECT_EQ(names.size(), static_cast<std::size_t>(known));
}

TEST(EventFramer, CutsHeaderAndChecksumOffTheBody) {
  EventFramer framer(ChecksumAlg::off, true);
  ASSERT_TRUE(framer.frame(as_bytes(make_format())).ok());
  ASSERT_NE(framer.format(), nullptr);
  const std::string event =
      make_event({.type = EventType::xid, .body = "abcdefgh", .checksum = true});
  const auto view = framer.frame(as_bytes(event));
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(as_chars(view->body), "abcdefgh");
  EXPECT_EQ(view->whole.size(), event.size());
  EXPECT_EQ(view->header.type, EventType::xid);
}

TEST(EventFramer, TakesTheAnnouncedChecksumBeforeTheFirstFormat) {
  for (const bool crc : {false, true}) {
    EventFramer framer(crc ? ChecksumAlg::crc32 : ChecksumAlg::off, true);
    const std::string rotate = make_event({.type = EventType::rotate,
                                           .body = rotate_body(),
                                           .timestamp = 0,
                                           .flags = EventHeader::kFlagArtificial,
                                           .checksum = crc});
    EXPECT_EQ(rotate.size(), crc ? 44U : 40U);
    const auto view = framer.frame(as_bytes(rotate));
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(as_chars(view->body), rotate_body());
    EXPECT_EQ(framer.format(), nullptr);
  }
}

TEST(EventFramer, FollowsTheChecksumOfEveryFormat) {
  EventFramer framer(ChecksumAlg::crc32, true);
  ASSERT_TRUE(framer.frame(as_bytes(make_format({.alg = 0}))).ok());
  const auto plain =
      framer.frame(as_bytes(make_event({.type = EventType::xid, .body = "abcdefgh"})));
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->body.size(), 8U);
  ASSERT_TRUE(framer.frame(as_bytes(make_format({.alg = 1}))).ok());
  const auto sum = framer.frame(
      as_bytes(make_event({.type = EventType::xid, .body = "abcdefgh", .checksum = true})));
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(sum->body.size(), 8U);
}

TEST(EventFramer, RefusesAWrongChecksumNamingTheEvent) {
  std::string event = make_event({.type = EventType::xid, .body = "abcdefgh", .checksum = true});
  event[20] = static_cast<char>(event[20] ^ 1);
  for (const bool verify : {true, false}) {
    EventFramer framer(ChecksumAlg::crc32, verify);
    const auto view = framer.frame(as_bytes(event));
    ASSERT_EQ(view.ok(), !verify);
    if (verify) {
      EXPECT_EQ(view.error().code, Errc::binlog_checksum);
      EXPECT_EQ(view.error().cls, ErrorClass::fatal);
      EXPECT_NE(view.error().what.find("XID, 31 bytes"), std::string::npos) << view.error().what;
    }
  }
}

TEST(EventFramer, RefusesASizeThatIsNotTheEventsOwn) {
  const std::string event = make_event({.type = EventType::xid, .body = "abcdefgh"});
  EventFramer framer(ChecksumAlg::off, true);
  for (std::size_t n = 0; n < event.size(); ++n) {
    const auto cut = framer.frame(as_bytes(event).first(n));
    ASSERT_FALSE(cut.ok()) << n;
    EXPECT_EQ(cut.error().code, Errc::binlog_truncated) << n;
  }
  const auto longer = framer.frame(as_bytes(event + "x"));
  ASSERT_FALSE(longer.ok());
  EXPECT_EQ(longer.error().code, Errc::binlog_malformed);
}

TEST(EventFramer, SkipsALongerCommonHeaderExceptOnRotate) {
  EventFramer framer(ChecksumAlg::off, true);
  ASSERT_TRUE(framer.frame(as_bytes(make_format({.header_len = 21, .alg = 0}))).ok());
  const std::string xid_event = make_event({.type = EventType::xid, .body = "..abcdefgh"});
  const auto xid = framer.frame(as_bytes(xid_event));
  ASSERT_TRUE(xid.ok());
  EXPECT_EQ(as_chars(xid->body), "abcdefgh");
  const std::string rotate_event = make_event({.type = EventType::rotate, .body = rotate_body()});
  const auto rotate = framer.frame(as_bytes(rotate_event));
  ASSERT_TRUE(rotate.ok());
  EXPECT_EQ(as_chars(rotate->body), rotate_body());
  const auto small = framer.frame(as_bytes(make_event({.type = EventType::stop, .body = "x"})));
  ASSERT_FALSE(small.ok());
  EXPECT_EQ(small.error().code, Errc::binlog_truncated);
}

TEST(EventFramer, RefusesBinlogsOfMysql4) {
  EventFramer framer(ChecksumAlg::off, true);
  const auto view = framer.frame(
      as_bytes(make_event({.type = EventType::start_v3, .body = std::string(56, '\0')})));
  ASSERT_FALSE(view.ok());
  EXPECT_EQ(view.error().code, Errc::binlog_unsupported);
}

TEST(EventFramer, RefusesAnEncryptedFileButNotOneTheServerDecrypted) {
  EventFramer framer(ChecksumAlg::off, true);
  const std::string body(17, '\1');
  const auto file =
      framer.frame(as_bytes(make_event({.type = EventType::start_encryption, .body = body})));
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, Errc::binlog_unsupported);
  EXPECT_TRUE(framer
                  .frame(as_bytes(make_event({.type = EventType::start_encryption,
                                              .body = body,
                                              .flags = EventHeader::kFlagIgnorable})))
                  .ok());
}

}  // namespace
}  // namespace sluice::binlog
