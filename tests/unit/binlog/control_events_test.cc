#include "sluice/binlog/control_events.h"

#include "unit/binlog/builder.h"

namespace sluice::binlog {
namespace {

using testing::header_of;
using testing::hex;

TEST(RotateEvent, ReadsPositionAndName) {
  const std::string body = hex("04000000 01000000") + "binlog.000002";
  const auto e = RotateEvent::decode(as_bytes(body));
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->pos, 0x100000004U);
  EXPECT_EQ(e->next_file, "binlog.000002");
}

TEST(RotateEvent, RefusesANameThatIsNone) {
  EXPECT_EQ(RotateEvent::decode(as_bytes(hex("0400000000000000"))).error().code,
            Errc::binlog_truncated);
  // The bytes of a checksum that was taken for a part of the name.
  const std::string junk = hex("0400000000000000") + "binlog.000002" + std::string("\0x", 2);
  EXPECT_EQ(RotateEvent::decode(as_bytes(junk)).error().code, Errc::binlog_malformed);
}

TEST(XidEvent, ReadsTheXid) {
  const auto e = XidEvent::decode(as_bytes(hex("0100000000000080")));
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->xid, 0x8000000000000001U);
  EXPECT_EQ(XidEvent::decode(as_bytes("1234567")).error().code, Errc::binlog_truncated);
}

TEST(HeartbeatEvent, TakesThePositionFromTheHeader) {
  const auto e =
      HeartbeatEvent::decode(header_of(EventType::heartbeat, 4711), as_bytes("binlog.000002"));
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->file, "binlog.000002");
  EXPECT_EQ(e->pos, 4711U);
}

TEST(HeartbeatEvent, ReadsMariadbsPositionAboveFourGigabytes) {
  const std::string body = hex("0000000001000000") + "binlog.000002";
  const auto e = HeartbeatEvent::decode(header_of(EventType::heartbeat, 0), as_bytes(body));
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->file, "binlog.000002");
  EXPECT_EQ(e->pos, 0x100000000U);
  const auto name =
      HeartbeatEvent::decode(header_of(EventType::heartbeat, 0), as_bytes("binlog.000002"));
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->file, "binlog.000002");
}

TEST(HeartbeatEvent, Version2PassesOverFieldsOfLaterServers) {
  const std::string body =
      hex("63 02 abcd 01 04") + "b.01" + hex("02 09 fe0000000001000000 00 ffff");
  const auto e = HeartbeatEvent::decode(header_of(EventType::heartbeat_v2), as_bytes(body));
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->file, "b.01");
  EXPECT_EQ(e->pos, 0x100000000U);
  EXPECT_FALSE(
      HeartbeatEvent::decode(header_of(EventType::heartbeat_v2), as_bytes(hex("01 05 61"))).ok());
  EXPECT_FALSE(
      HeartbeatEvent::decode(header_of(EventType::heartbeat_v2), as_bytes(hex("02 01 fe"))).ok());
}

TEST(IncidentEvent, ReadsNumberAndMessage) {
  const std::string body = hex("0100 04") + "lost";
  const auto e = IncidentEvent::decode(as_bytes(body));
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->number, 1U);
  EXPECT_EQ(e->message, "lost");
  EXPECT_TRUE(IncidentEvent::decode(as_bytes(hex("0100"))).ok());
  EXPECT_FALSE(IncidentEvent::decode(as_bytes(hex("0100 05") + "lost")).ok());
}

TEST(XaPrepareEvent, WritesTheXidAsTheServersQueriesDo) {
  const auto e = XaPrepareEvent::decode(as_bytes(hex("00 07000000 03000000 02000000 747278 00ff")));
  ASSERT_TRUE(e.ok());
  EXPECT_FALSE(e->one_phase);
  EXPECT_EQ(e->xid, "X'747278',X'00ff',7");
  const auto one = XaPrepareEvent::decode(as_bytes(hex("01 01000000 01000000 00000000 61")));
  ASSERT_TRUE(one.ok());
  EXPECT_TRUE(one->one_phase);
  EXPECT_EQ(one->xid, "X'61',X'',1");
}

TEST(XaStatement, ReadsWhatServersLog) {
  using Verb = XaStatement::Verb;
  const auto read = [](std::string_view text) {
    auto s = XaStatement::read(text);
    EXPECT_TRUE(s.ok()) << text;
    return s.ok() ? std::pair(s->verb, s->xid) : std::pair(Verb::start, std::string());
  };
  EXPECT_EQ(read("XA START X'747278',X'00ff',7"),
            std::pair(Verb::start, std::string("X'747278',X'00ff',7")));
  EXPECT_EQ(read("XA END X'61',X'',1"), std::pair(Verb::end, std::string("X'61',X'',1")));
  EXPECT_EQ(read("XA PREPARE X'61',X'',1"), std::pair(Verb::prepare, std::string("X'61',X'',1")));
  EXPECT_EQ(read("XA COMMIT X'61',X'',1"), std::pair(Verb::commit, std::string("X'61',X'',1")));
  EXPECT_EQ(read("XA COMMIT X'61',X'',1 ONE PHASE"),
            std::pair(Verb::commit, std::string("X'61',X'',1")));
  EXPECT_EQ(read("xa  rollback x'AbCd' , X'' , 01 -- why"),
            std::pair(Verb::rollback, std::string("X'abcd',X'',1")));
  EXPECT_EQ(read("XA BEGIN X'61',X'',4294967295"),
            std::pair(Verb::start, std::string("X'61',X'',4294967295")));
}

// MySQL's text has the 64 bits it was given, the event 32 of them.
TEST(XaStatement, FormatIdsAreThoseOfTheEvent) {
  const auto text = XaStatement::read("XA COMMIT X'61',X'',18446744073709551615");
  const auto event = XaPrepareEvent::decode(as_bytes(hex("00 ffffffff 01000000 00000000 61")));
  ASSERT_TRUE(text.ok() && event.ok());
  EXPECT_EQ(text->xid, event->xid);
}

TEST(XaStatement, RefusesWhatNoServerLogs) {
  for (const std::string& text :
       {std::string("XA"), std::string("XA COMMIT"), std::string("XA COMMIT 'a'"),
        std::string("XA COMMIT X'61'"), std::string("XA COMMIT X'61',X''"),
        std::string("XA COMMIT X'61',X'',"), std::string("XA COMMIT X'61',X'',x"),
        std::string("XA COMMIT X'61',X'',1x"), std::string("XA COMMIT X'6',X'',1"),
        std::string("XA COMMIT X'6g',X'',1"), std::string("XA COMMIT X'61',X'',-1"),
        std::string("XA COMMIT X'61"), std::string("XA RECOVER"), std::string("COMMIT"),
        "XA COMMIT X'" + std::string(130, '6') + "',X'',1", std::string()}) {
    const auto s = XaStatement::read(text);
    ASSERT_FALSE(s.ok()) << text;
    EXPECT_EQ(s.error().code, Errc::binlog_malformed);
  }
}

TEST(XaPrepareEvent, RefusesPartsOverTheirLimit) {
  const auto e =
      XaPrepareEvent::decode(as_bytes(hex("00 07000000 41000000 00000000") + std::string(65, 'x')));
  ASSERT_FALSE(e.ok());
  EXPECT_EQ(e.error().code, Errc::binlog_malformed);
}

}  // namespace
}  // namespace sluice::binlog
