// TRANSACTION_PAYLOAD: what MySQL writes, what it could write, and what nobody should.
#include <cstring>

#include <gmock/gmock.h>

#include "unit/binlog/packing.h"

namespace sluice::binlog {
namespace {

using ::testing::HasSubstr;
using testing::inner_event;
using testing::mysql_format;
using testing::payload_body;
using testing::unpack;
using testing::Unpacked;
using testing::zstd;

constexpr EventType kPayload = EventType::transaction_payload;

// A transaction of a few events, the rows of `rows` bytes.
std::vector<Unpacked> transaction(std::size_t rows = 300) {
  std::string bytes;
  for (std::size_t i = 0; i < rows; ++i) bytes.push_back(static_cast<char>(i * i % 251));
  return {{EventType::query, "BEGIN", true},
          {EventType::table_map, "a table", true},
          {EventType::write_rows, bytes, true},
          {EventType::ignorable, "", true},
          {EventType::xid, "12345678", true}};
}

std::string joined(const std::vector<Unpacked>& events) {
  std::string out;
  for (const Unpacked& e : events) out += inner_event(e.type, e.body);
  return out;
}

class Payload : public ::testing::Test {
 protected:
  Result<std::vector<Unpacked>> read(const std::string& body) {
    return unpack(unpacker_, kPayload, body, format_);
  }
  Error refused(const std::string& body) {
    auto r = read(body);
    EXPECT_FALSE(r.ok());
    if (r.ok()) return stopped();
    EXPECT_EQ(r.error().cls, ErrorClass::fatal);
    return std::move(r).error();
  }
  void expect(const std::string& body, const std::vector<Unpacked>& events) {
    auto r = read(body);
    ASSERT_TRUE(r.ok()) << r.error().what;
    EXPECT_EQ(*r, events);
  }

  const FormatDescription format_ = mysql_format();
  EventUnpacker unpacker_{{.event_bytes = 1U << 20, .transaction_bytes = 4U << 20}};
};

TEST_F(Payload, GivesItsEventsInOrder) {
  const std::string plain = joined(transaction());
  expect(payload_body(zstd(plain), {.uncompressed = plain.size()}), transaction());
}

TEST_F(Payload, MayBeUncompressed) {
  const std::string plain = joined(transaction());
  expect(payload_body(plain, {.compression = 255}), transaction());
  expect(payload_body(plain, {.compression = 255, .uncompressed = plain.size()}), transaction());
}

TEST_F(Payload, UncompressedIsNotCopied) {
  const std::string body = payload_body(joined(transaction()), {.compression = 255});
  ASSERT_TRUE(unpacker_.open(testing::view_of(kPayload, body), format_).ok());
  EventView view;
  auto more = unpacker_.next(view);
  ASSERT_TRUE(more.ok() && *more);
  EXPECT_GE(as_chars(view.whole).data(), body.data());
  EXPECT_LE(as_chars(view.whole).data() + view.whole.size(), body.data() + body.size());
}

TEST_F(Payload, EventsKeepTheirHeadersAndBytes) {
  const std::string rows = inner_event(EventType::write_rows, "rows");
  const std::string body = payload_body(zstd(rows));
  ASSERT_TRUE(unpacker_.open(testing::view_of(kPayload, body), format_).ok());
  EventView view;
  auto more = unpacker_.next(view);
  ASSERT_TRUE(more.ok() && *more);
  EXPECT_EQ(as_chars(view.whole), rows);
  EXPECT_EQ(as_chars(view.body), "rows");
  EXPECT_EQ(view.header.timestamp, 1700000000U);
  EXPECT_EQ(view.header.server_id, 7U);
  EXPECT_TRUE(view.nested);
  more = unpacker_.next(view);
  EXPECT_TRUE(more.ok() && !*more);
  more = unpacker_.next(view);
  EXPECT_TRUE(more.ok() && !*more);
}

TEST_F(Payload, FieldsComeInAnyOrder) {
  const std::string plain = joined(transaction());
  const std::string packed = zstd(plain);
  const auto field = [](int type, std::uint64_t v) {
    const std::string value = std::move(ByteWriter().lenenc(v)).str();
    return std::move(ByteWriter().lenenc(static_cast<std::uint64_t>(type)).short_string(value))
        .str();
  };
  std::vector<std::string> fields{field(1, packed.size()), field(2, 0), field(3, plain.size()),
                                  field(200, 7)};
  std::sort(fields.begin(), fields.end());
  do {
    std::string body;
    for (const std::string& f : fields) body += f;
    expect(body + std::string(1, '\0') + packed, transaction());
  } while (std::next_permutation(fields.begin(), fields.end()));
}

TEST_F(Payload, FieldsThatAreNotKnownArePassedOver) {
  const std::string later =
      testing::hex("04 03 616263 fc0003 00 05 fc0001") + std::string(256, '\xFF');
  expect(payload_body(zstd(joined(transaction())), {.before_end = later}), transaction());
}

TEST_F(Payload, MayBeOfSeveralFramesAndSkippedOnes) {
  const std::string plain = joined(transaction(5000));
  std::string packed;
  for (std::size_t at = 0; at < plain.size(); at += 777) {
    packed += zstd(plain.substr(at, 777));
    packed += testing::hex("502a4d18 03000000") + "abc";  // a skippable frame
    packed += zstd("");
  }
  expect(payload_body(packed, {.uncompressed = plain.size()}), transaction(5000));
}

TEST_F(Payload, MayTellNoContentSizeAndALargeWindow) {
  const std::string plain = joined(transaction(100'000));
  for (const int window : {10, 20, 27})
    expect(payload_body(zstd(plain, 3, window)), transaction(100'000));
}

TEST_F(Payload, AWindowThatNoServerUsesIsRefused) {
  const std::string plain = joined(transaction(100'000));
  const Error e = refused(payload_body(zstd(plain, 3, 28)));
  EXPECT_EQ(e.code, Errc::binlog_unsupported) << e.what;
}

TEST_F(Payload, EventsOfAllSizesCrossTheBuffer) {
  std::vector<Unpacked> events;
  std::size_t size = 1;
  for (int i = 0; i < 400; ++i) {
    events.push_back(
        {EventType::write_rows, std::string(size, static_cast<char>('a' + i % 26)), true});
    size = size * 7 % 60'013;
  }
  events.push_back({EventType::write_rows, std::string(900'000, 'L'), true});
  events.push_back({EventType::xid, "12345678", true});
  const std::string plain = joined(events);
  EventUnpacker unpacker;
  auto r = unpack(unpacker, kPayload, payload_body(zstd(plain), {.uncompressed = plain.size()}),
                  format_);
  ASSERT_TRUE(r.ok()) << r.error().what;
  EXPECT_TRUE(*r == events);
}

TEST_F(Payload, IsReadAgainWithTheSameMemory) {
  const std::string plain = joined(transaction(50'000));
  const std::string body = payload_body(zstd(plain));
  expect(body, transaction(50'000));
  const std::size_t before = unpacker_.buffered();
  for (int i = 0; i < 10; ++i) expect(body, transaction(50'000));
  EXPECT_EQ(unpacker_.buffered(), before);
}

TEST_F(Payload, IsDroppedForTheNextOne) {
  const std::string first = payload_body(zstd(joined(transaction(50'000))));
  ASSERT_TRUE(unpacker_.open(testing::view_of(kPayload, first), format_).ok());
  EventView view;
  ASSERT_TRUE(unpacker_.next(view).ok());
  expect(payload_body(zstd(joined(transaction()))), transaction());
}

TEST_F(Payload, AnotherSizeThanToldIsRefused) {
  const std::string plain = joined(transaction());
  for (const std::uint64_t size : {plain.size() - 1, plain.size() + 1, std::size_t{0}})
    EXPECT_THAT(refused(payload_body(zstd(plain), {.uncompressed = size})).what,
                HasSubstr(std::to_string(size) + " are told"));
  EXPECT_EQ(refused(payload_body(plain, {.compression = 255, .uncompressed = 1})).code,
            Errc::binlog_malformed);
}

TEST_F(Payload, WhatStandsOutsideCannotBeInside) {
  for (const EventType type :
       {EventType::unknown, EventType::transaction_payload, EventType::format_description,
        EventType::rotate, EventType::gtid, EventType::anonymous_gtid, EventType::gtid_tagged,
        EventType::mariadb_gtid, EventType::query_compressed, EventType::write_rows_compressed_v1,
        EventType::partial_row_data, EventType::stop, EventType::incident, EventType::heartbeat}) {
    const Error e =
        refused(payload_body(zstd(joined(transaction()) + inner_event(type, "12345678abc"))));
    EXPECT_EQ(e.code, Errc::binlog_malformed);
    EXPECT_THAT(e.what, HasSubstr(std::string(event_type_name(type)) + " in TRANSACTION_PAYLOAD"));
  }
}

TEST_F(Payload, AnUnknownAlgorithmIsUnsupported) {
  EXPECT_EQ(refused(payload_body("abc", {.compression = 1})).code, Errc::binlog_unsupported);
}

TEST_F(Payload, InflatingBeyondTheLimitIsRefused) {
  std::vector<Unpacked> events;
  for (int i = 0; i < 5; ++i)
    events.push_back({EventType::write_rows, std::string(900'000, 'x'), true});
  const std::string plain = joined(events);
  const std::string packed = zstd(plain);
  ASSERT_LT(packed.size(), 10'000U);
  for (const auto& told : {std::optional<std::uint64_t>(), std::optional(plain.size())}) {
    const Error e = refused(payload_body(packed, {.uncompressed = told}));
    EXPECT_EQ(e.code, Errc::binlog_unsupported);
    EXPECT_THAT(e.what, HasSubstr("limits.inflated_transaction"));
  }
  EventUnpacker unlimited({.event_bytes = 1U << 20, .transaction_bytes = 0});
  EXPECT_TRUE(unpack(unlimited, kPayload, payload_body(packed), format_).ok());
}

TEST_F(Payload, AnEventAboveTheLimitIsRefusedBeforeItsBytesCome) {
  std::string event = inner_event(EventType::write_rows, std::string(2000, 'x'));
  const auto claim = [&event](std::uint32_t size) {
    std::memcpy(event.data() + 9, &size, sizeof size);
    return payload_body(zstd(event));
  };
  EXPECT_EQ(refused(claim(0xFFFFFFFF)).code, Errc::binlog_unsupported);
  EXPECT_EQ(refused(claim((1U << 20) + 1)).code, Errc::binlog_unsupported);
  EXPECT_EQ(refused(claim(1U << 20)).code, Errc::binlog_truncated);
  EXPECT_EQ(refused(claim(18)).code, Errc::binlog_malformed);
  EXPECT_EQ(refused(claim(0)).code, Errc::binlog_malformed);
  EventUnpacker larger({.event_bytes = 64U << 20});
  EXPECT_FALSE(unpack(larger, kPayload, claim(64U << 20), format_).ok());
  EXPECT_LT(larger.buffered(), 4U << 20);
}

TEST_F(Payload, AnErrorDoesNotStayForTheNextOne) {
  const std::string body = payload_body(zstd(joined(transaction())));
  EXPECT_FALSE(read(body.substr(0, body.size() - 9)).ok());
  EXPECT_FALSE(read(payload_body(zstd(joined(transaction())).substr(0, 100))).ok());
  expect(body, transaction());
}

TEST_F(Payload, EveryCutIsAnErrorAndEveryFlipSafe) {
  const std::string plain = joined(transaction());
  for (const std::string& body :
       {payload_body(zstd(plain), {.uncompressed = plain.size()}),
        payload_body(plain, {.compression = 255}), payload_body(zstd(plain) + zstd(plain))}) {
    ASSERT_TRUE(read(body).ok());
    for (std::size_t n = 0; n < body.size(); ++n)
      EXPECT_FALSE(read(std::string(body.data(), n)).ok()) << n;
    for (std::size_t i = 0; i < body.size(); ++i)
      for (const int flip : {0x01, 0x80, 0xFF}) {
        std::string bad = body;
        bad[i] = static_cast<char>(bad[i] ^ flip);
        auto r = read(bad);
        EXPECT_TRUE(!r.ok() || r->size() <= 2 * transaction().size()) << i;
      }
  }
}

TEST_F(Payload, EveryCutOfTheStreamIsAnError) {
  const std::string plain = joined(transaction());
  const std::string packed = zstd(plain);
  for (std::size_t n = 1; n < packed.size(); ++n)
    EXPECT_FALSE(read(payload_body(packed.substr(0, n))).ok()) << n;
  for (std::size_t n = 1; n < plain.size(); ++n) {
    const auto r = read(payload_body(plain.substr(0, n), {.compression = 255}));
    // Cut between two events: fewer events, which only the transaction's end tells.
    EXPECT_TRUE(!r.ok() || joined(*r).size() == n) << n;
  }
}

TEST_F(Payload, EmptyHoldsNothing) {
  expect(payload_body(""), {});
  expect(payload_body(zstd("")), {});
  EXPECT_FALSE(read("").ok());
  EXPECT_FALSE(read(std::string(1, '\0')).ok());
}

}  // namespace
}  // namespace sluice::binlog
