// MariaDB's compressed events and events in pieces.
#include <cstring>

#include <gmock/gmock.h>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/rows.h"

#include "unit/binlog/packing.h"

namespace sluice::binlog {
namespace {

using testing::fragments;
using ::testing::HasSubstr;
using testing::hex;
using testing::inner_event;
using testing::mariadb_format;
using testing::mariadb_packed;
using testing::unpack;
using testing::Unpacked;

constexpr EventType kPiece = EventType::partial_row_data;

std::string text(std::size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i)
    out += "insert into t values (" + std::to_string(i) + ");";
  out.resize(size);
  return out;
}

const std::string kQueryHead =
    hex("01000000 00000000 04 0000 0900 01 0400000000000000") + "shop" + hex("00");
// Version 1: table id, flags, three columns, their bitmap.
const std::string kRowsHead = hex("2a0000000000 0100 03 07");

class Unpack : public ::testing::Test {
 protected:
  Result<std::vector<Unpacked>> read(EventType type, const std::string& body) {
    return unpack(unpacker_, type, body, format_);
  }
  Errc refused(EventType type, const std::string& body) {
    const auto r = read(type, body);
    EXPECT_FALSE(r.ok());
    return r.ok() ? Errc::stopped : r.error().code;
  }
  void expect(EventType packed, const std::string& body, EventType plain,
              const std::string& plain_body) {
    auto r = read(packed, body);
    ASSERT_TRUE(r.ok()) << r.error().what;
    EXPECT_EQ(*r, (std::vector<Unpacked>{{plain, plain_body, false}}));
  }

  const FormatDescription format_ = mariadb_format();
  EventUnpacker unpacker_{{.event_bytes = 1U << 20}};
};

TEST_F(Unpack, CompressedQueryBecomesAQuery) {
  for (const std::size_t size : {0U, 1U, 255U, 256U, 70'000U})
    expect(EventType::query_compressed, kQueryHead + mariadb_packed(text(size)), EventType::query,
           kQueryHead + text(size));
}

TEST_F(Unpack, CompressedRowsBecomeRows) {
  const std::string rows = text(3000);
  using enum EventType;
  expect(write_rows_compressed_v1, kRowsHead + mariadb_packed(rows), write_rows_v1,
         kRowsHead + rows);
  expect(delete_rows_compressed_v1, kRowsHead + mariadb_packed(rows), delete_rows_v1,
         kRowsHead + rows);
  const std::string two = kRowsHead + hex("05");
  expect(update_rows_compressed_v1, two + mariadb_packed(rows), update_rows_v1, two + rows);
  // Version 2, which MariaDB defines and does not write: with extra row info.
  const std::string head = hex("2a0000000000 0100 0500 01 0300 03 07");
  expect(write_rows_compressed, head + mariadb_packed(rows), write_rows, head + rows);
  expect(delete_rows_compressed, head + mariadb_packed(rows), delete_rows, head + rows);
  expect(update_rows_compressed, head + hex("07") + mariadb_packed(rows), update_rows,
         head + hex("07") + rows);
}

TEST_F(Unpack, HeaderAndBytesStayThoseOfTheCompressedEvent) {
  const std::string body = kRowsHead + mariadb_packed(text(3000));
  const std::string event = testing::make_event(
      {.type = EventType::write_rows_compressed_v1, .body = body, .log_pos = 4711, .flags = 8});
  EventFramer framer(ChecksumAlg::off, false);
  const auto packed = framer.frame(as_bytes(event));
  ASSERT_TRUE(packed.ok());
  ASSERT_TRUE(unpacker_.open(*packed, format_).ok());
  EventView view;
  auto more = unpacker_.next(view);
  ASSERT_TRUE(more.ok() && *more);
  EXPECT_EQ(view.header.type, EventType::write_rows_v1);
  EXPECT_EQ(view.header.log_pos, 4711U);
  EXPECT_EQ(view.header.flags, 8U);
  EXPECT_EQ(view.header.event_size, event.size());
  EXPECT_EQ(as_chars(view.whole), event);
  EXPECT_FALSE(view.nested);
  more = unpacker_.next(view);
  EXPECT_TRUE(more.ok() && !*more);
}

TEST_F(Unpack, AnotherLengthThanToldIsRefused) {
  std::string packed = mariadb_packed(text(200));
  for (const int size : {0, 1, 199, 201, 255}) {
    packed[1] = static_cast<char>(size);
    EXPECT_EQ(refused(EventType::write_rows_compressed_v1, kRowsHead + packed),
              Errc::binlog_malformed)
        << size;
  }
  // Nothing is reserved for a length that so few bytes cannot make.
  EXPECT_EQ(refused(EventType::write_rows_compressed_v1,
                    kRowsHead + hex("84 00080000") + packed.substr(2)),
            Errc::binlog_malformed);
  EXPECT_LT(unpacker_.buffered(), 400U << 10);
}

TEST_F(Unpack, MoreThanAnEventMayHaveIsRefused) {
  const std::string most = text((1U << 20) - 2000);
  EXPECT_TRUE(
      read(EventType::query_compressed, kQueryHead + mariadb_packed(std::string(most.size(), 'x')))
          .ok());
  EXPECT_EQ(
      refused(EventType::query_compressed, kQueryHead + mariadb_packed(std::string(1U << 20, 'x'))),
      Errc::binlog_unsupported);
}

TEST_F(Unpack, AlgorithmsThatAreNotKnownAreRefused) {
  const std::string packed = mariadb_packed(text(200));
  for (const int head : {0x91, 0xA1, 0xF1})
    EXPECT_EQ(refused(EventType::query_compressed,
                      kQueryHead + static_cast<char>(head) + packed.substr(1)),
              Errc::binlog_unsupported);
  for (const int head : {0x01, 0x80, 0x85, 0x87})
    EXPECT_EQ(refused(EventType::query_compressed,
                      kQueryHead + static_cast<char>(head) + packed.substr(1)),
              Errc::binlog_malformed);
}

TEST_F(Unpack, EveryCutOfACompressedEventIsAnErrorAndEveryFlipSafe) {
  for (const auto& [type, body] :
       {std::pair(EventType::query_compressed, kQueryHead + mariadb_packed(text(300))),
        std::pair(EventType::update_rows_compressed_v1,
                  kRowsHead + hex("07") + mariadb_packed(text(300)))}) {
    ASSERT_TRUE(read(type, body).ok());
    for (std::size_t n = 0; n < body.size(); ++n)
      EXPECT_FALSE(read(type, std::string(body.data(), n)).ok()) << n;
    for (std::size_t i = 0; i < body.size(); ++i)
      for (const int flip : {0x01, 0x80, 0xFF}) {
        std::string bad = body;
        bad[i] = static_cast<char>(bad[i] ^ flip);
        auto r = read(type, bad);
        EXPECT_TRUE(!r.ok() || r->size() == 1U) << i;
      }
  }
}

TEST_F(Unpack, AnEventThatHoldsNoneIsAnErrorOfOurs) {
  EXPECT_EQ(refused(EventType::xid, "12345678"), Errc::internal);
  EXPECT_FALSE(EventUnpacker::is_packed(EventType::xid));
  EXPECT_FALSE(EventUnpacker::is_packed(EventType::write_rows_v1));
  EXPECT_TRUE(EventUnpacker::is_packed(kPiece));
}

// PARTIAL_ROW_DATA, in both orders of the two numbers.
class Pieces : public Unpack, public ::testing::WithParamInterface<bool> {
 protected:
  std::vector<std::string> pieces(const std::string& event, std::size_t bytes) {
    return fragments(event, bytes, GetParam());
  }
  // Feeds them; what the last of them gives.
  Result<std::vector<Unpacked>> feed(const std::vector<std::string>& all) {
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      SLUICE_TRY_ASSIGN(const auto none, read(kPiece, all[i]));
      EXPECT_TRUE(none.empty()) << i;
      EXPECT_TRUE(unpacker_.in_fragments()) << i;
    }
    auto last = read(kPiece, all.back());
    EXPECT_TRUE(!last.ok() || !unpacker_.in_fragments());
    return last;
  }
  const std::string rows_ = inner_event(EventType::write_rows_v1, kRowsHead + text(5000));
  const std::vector<Unpacked> whole_{{EventType::write_rows_v1, kRowsHead + text(5000), true}};
};

TEST_P(Pieces, MakeTheRowsEventWithTheLast) {
  for (const std::size_t bytes : {1000U, 17U, 5000U, 4U}) {
    auto r = feed(pieces(rows_, bytes));
    ASSERT_TRUE(r.ok()) << r.error().what;
    EXPECT_EQ(*r, whole_);
  }
}

TEST_P(Pieces, MayMakeACompressedEvent) {
  const std::string packed =
      inner_event(EventType::write_rows_compressed_v1, kRowsHead + mariadb_packed(text(5000)));
  auto r = feed(pieces(packed, 100));
  ASSERT_TRUE(r.ok()) << r.error().what;
  EXPECT_EQ(*r, whole_);
}

TEST_P(Pieces, AChecksumOfTheWholeIsNoRow) {
  ASSERT_EQ(format_.checksum, ChecksumAlg::crc32);
  auto r = feed(pieces(
      testing::make_event(
          {.type = EventType::write_rows_v1, .body = kRowsHead + text(5000), .checksum = true}),
      1000));
  ASSERT_TRUE(r.ok()) << r.error().what;
  EXPECT_EQ(*r, whole_);
}

TEST_P(Pieces, AreRefusedOutOfOrder) {
  const auto all = pieces(rows_, 1000);
  const std::size_t n = all.size();
  ASSERT_EQ(n, 6U);
  EXPECT_EQ(refused(kPiece, all[1]), Errc::binlog_malformed);  // the first is missing
  for (std::size_t skip = 1; skip + 1 < n; ++skip) {
    auto some = all;
    some.erase(some.begin() + static_cast<std::ptrdiff_t>(skip));
    unpacker_.reset();
    for (std::size_t i = 0; i < skip; ++i) ASSERT_TRUE(read(kPiece, some[i]).ok());
    EXPECT_EQ(refused(kPiece, some[skip]), Errc::binlog_malformed) << skip;
    EXPECT_FALSE(unpacker_.in_fragments());
  }
  ASSERT_TRUE(read(kPiece, all[0]).ok());
  EXPECT_EQ(refused(kPiece, all[0]), Errc::binlog_malformed);  // begun twice
  ASSERT_TRUE(read(kPiece, all[0]).ok());
  EXPECT_EQ(refused(kPiece, pieces(rows_, 2000)[1]), Errc::binlog_malformed);  // of another event
  EXPECT_TRUE(feed(all).ok());
}

TEST_P(Pieces, AreRefusedWithAnotherSizeThanTold) {
  for (const int change : {-1, 1}) {
    auto all = pieces(rows_, 1000);
    std::uint64_t size = rows_.size() + static_cast<std::uint64_t>(change);
    std::memcpy(all[0].data() + 9, &size, sizeof size);
    const auto r = feed(all);
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.error().code, Errc::binlog_malformed);
  }
  // The event's own header says another size than all the pieces have.
  std::string longer = rows_ + "x";
  const auto r = feed(pieces(longer, 1000));
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, Errc::binlog_malformed);
}

TEST_P(Pieces, AreRefusedAboveTheLimitBeforeTheyCome) {
  auto all = pieces(rows_, 1000);
  const std::uint64_t size = (1U << 20) + 1;
  std::memcpy(all[0].data() + 9, &size, sizeof size);
  EXPECT_EQ(refused(kPiece, all[0]), Errc::binlog_unsupported);
  EXPECT_LT(unpacker_.buffered(), 1U << 20);
}

TEST_P(Pieces, MakeRowsAndNothingElse) {
  for (const EventType type : {EventType::xid, EventType::query, EventType::partial_row_data,
                               EventType::transaction_payload}) {
    const auto r = feed(pieces(inner_event(type, text(500)), 100));
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.error().code, Errc::binlog_malformed);
  }
}

TEST_P(Pieces, StandTogether) {
  ASSERT_TRUE(read(kPiece, pieces(rows_, 1000)[0]).ok());
  EXPECT_EQ(refused(EventType::query_compressed, kQueryHead + mariadb_packed("x")),
            Errc::binlog_malformed);
  unpacker_.reset();
  EXPECT_FALSE(unpacker_.in_fragments());
  EXPECT_TRUE(read(EventType::query_compressed, kQueryHead + mariadb_packed("x")).ok());
}

TEST_P(Pieces, EveryCutIsAnErrorAndEveryFlipSafe) {
  const std::string event = inner_event(EventType::write_rows_v1, kRowsHead + "some rows");
  const auto all = pieces(event, event.size() / 2 + 1);
  ASSERT_EQ(all.size(), 2U);
  ASSERT_TRUE(feed(all).ok());
  for (std::size_t which = 0; which < 2; ++which) {
    for (std::size_t n = 0; n < all[which].size(); ++n) {
      unpacker_.reset();
      auto bad = all;
      bad[which].resize(n);
      const auto first = read(kPiece, bad[0]);
      EXPECT_FALSE(first.ok() && read(kPiece, bad[1]).ok()) << which << " " << n;
    }
    for (std::size_t i = 0; i < all[which].size(); ++i)
      for (const int flip : {0x01, 0x80, 0xFF}) {
        unpacker_.reset();
        auto bad = all;
        bad[which][i] = static_cast<char>(bad[which][i] ^ flip);
        if (!read(kPiece, bad[0]).ok()) continue;
        const auto r = read(kPiece, bad[1]);
        EXPECT_TRUE(!r.ok() || r->size() <= 1U);
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, Pieces, ::testing::Bool(), [](const auto& param) {
  return param.param ? "number_first" : "count_first";
});

}  // namespace
}  // namespace sluice::binlog
