// Every decoder on every cut and every flipped byte of valid bytes: a Result either way, never a
// crash, a hang, or a read past the end (the copy is exactly as long as what is decoded, so
// sanitizers see one).
#include <array>
#include <filesystem>
#include <functional>
#include <memory>

#include "sluice/base/files.h"
#include "sluice/binlog/control_events.h"
#include "sluice/binlog/rows.h"

#include "unit/binlog/map_builder.h"

namespace sluice::binlog {
namespace {

using testing::header_of;
using testing::hex;
using testing::MapBuilder;
using testing::mariadb_format;
using testing::mysql_format;

using Decode = std::function<bool(Bytes)>;  // true: it was decoded

bool run(const Decode& decode, std::string_view bytes) {
  const auto copy = std::make_unique<std::byte[]>(bytes.size());
  std::transform(bytes.begin(), bytes.end(), copy.get(),
                 [](char c) { return static_cast<std::byte>(c); });
  return decode(Bytes(copy.get(), bytes.size()));
}

// `needed`: a shorter body must be refused.
void torture(const Decode& decode, const std::string& body, std::size_t needed) {
  EXPECT_TRUE(run(decode, body));
  for (std::size_t n = 0; n < body.size(); ++n) {
    const bool ok = run(decode, std::string_view(body).substr(0, n));
    EXPECT_FALSE(ok && n < needed) << n;
  }
  for (std::size_t i = 0; i < body.size(); ++i)
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string bad = body;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      run(decode, bad);
    }
}
void torture(const Decode& decode, const std::string& body) {
  torture(decode, body, body.size());
}

TEST(Hostile, FormatDescription) {
  // A cut one can look like one without checksums; the framer compares sizes before it comes to
  // that.
  for (const bool verify : {false, true})
    torture([&](Bytes b) { return FormatDescription::decode(b, verify).ok(); },
            testing::make_format(), 19 + 57 + 5);
}

TEST(Hostile, Framer) {
  const std::string format = testing::make_format();
  const std::string event =
      testing::make_event({.type = EventType::xid, .body = "abcdefgh", .checksum = true});
  torture(
      [&](Bytes b) {
        EventFramer framer(ChecksumAlg::crc32, true);
        return framer.frame(as_bytes(format)).ok() && framer.frame(b).ok();
      },
      event);
}

TEST(Hostile, EveryFlippedByteOfAnEventIsFoundByItsChecksum) {
  const std::string event =
      testing::make_event({.type = EventType::xid, .body = "abcdefgh", .checksum = true});
  for (std::size_t i = 0; i < event.size() * 8; ++i) {
    std::string bad = event;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ 1 << (i % 8));
    EventFramer framer(ChecksumAlg::crc32, true);
    EXPECT_FALSE(framer.frame(as_bytes(bad)).ok()) << i;
  }
}

TEST(Hostile, SmallControlEvents) {
  torture([](Bytes b) { return RotateEvent::decode(b).ok(); },
          hex("0400000000000000") + "binlog.000002", 9);
  torture([](Bytes b) { return XidEvent::decode(b).ok(); }, "abcdefgh");
  torture([](Bytes b) { return IncidentEvent::decode(b).ok(); }, hex("0100 04") + "lost", 2);
  torture([](Bytes b) { return XaPrepareEvent::decode(b).ok(); },
          hex("00 07000000 03000000 02000000 747278 00ff"));
  torture(
      [](Bytes b) { return HeartbeatEvent::decode(header_of(EventType::heartbeat, 0), b).ok(); },
      hex("0000000001000000") + "binlog.000002", 0);
  torture(
      [](Bytes b) { return HeartbeatEvent::decode(header_of(EventType::heartbeat_v2), b).ok(); },
      hex("01 04") + "b.01" + hex("02 03 fc0001 00"), 0);
}

TEST(Hostile, Query) {
  const auto format = mysql_format();
  torture([&](Bytes b) { return QueryEvent::decode(b, format).ok(); },
          hex("01000000 00000000 04 0000 1a00 01 0400000000000000 04 2d002e002f00 0c 01 6100 0b 01 "
              "61 01 62") +
              "shop" + hex("00") + "BEGIN",
          13 + 26 + 5);
}

TEST(Hostile, Gtids) {
  const auto mysql = mysql_format();
  const auto mariadb = mariadb_format();
  const std::string sid = "3e11fa4771ca11e19e33c80aa9429562";
  torture([&](Bytes b) { return GtidEvent::decode(header_of(EventType::gtid), b, mysql).ok(); },
          hex("00" + sid +
              "0500000000000000 02 0100000000000000 0200000000000000 40420f00000080 80841e00000000 "
              "fc2c01"),
          25);
  torture(
      [&](Bytes b) { return GtidEvent::decode(header_of(EventType::gtid_tagged), b, mysql).ok(); },
      hex("02 3a 00 00 00 02 02020202020202020202020202020202 04 04 06 0274 0c 08"));
  torture(
      [&](Bytes b) {
        return GtidEvent::decode(header_of(EventType::mariadb_gtid), b, mariadb).ok();
      },
      hex("0900000000000000 05000000 42 0102030405060708 11000000 04 02 786964316271"));
  torture(
      [&](Bytes b) { return decode_gtid_set_event(header_of(EventType::previous_gtids), b).ok(); },
      hex("0100000000000000" + sid +
          "0200000000000000 0100000000000000 0600000000000000"
          "0900000000000000 0a00000000000000"));
  torture(
      [&](Bytes b) { return decode_gtid_set_event(header_of(EventType::previous_gtids), b).ok(); },
      hex("0101000000000001" + sid +
          "0a 6d79746167 0100000000000000 0100000000000000 0300000000000000"));
  torture([&](Bytes b) { return decode_gtid_set_event(header_of(EventType::gtid_list), b).ok(); },
          hex("01000000 00000000 01000000 0500000000000000"));
}

MapBuilder many_columns() {
  MapBuilder b;
  b.column(ColumnType::long_, "", false)
      .column(ColumnType::varchar, hex("2c01"))
      .column(ColumnType::string, hex("f701"))
      .column(ColumnType::newdecimal, hex("0a03"))
      .column(ColumnType::blob, hex("02"))
      .column(ColumnType::json, hex("04"))
      .column(ColumnType::datetime2, hex("03"))
      .column(ColumnType::bit, hex("0101"))
      .column(ColumnType::vector, hex("04"));
  return b;
}

TEST(Hostile, TableMap) {
  const auto format = mysql_format();
  const std::string plain = many_columns().body();
  // Cut behind the types a body of 2006 is whole; behind the null bitmap the optional part begins.
  torture([&](Bytes b) { return TableMap::decode(b, format).ok(); }, plain, plain.size());
  MapBuilder full = many_columns();
  full.field(1, hex("80"))
      .field(2, hex("2d 01 3f 02 3f"))
      .names({"a", "b", "c", "d", "e", "f", "g", "h", "i"})
      .field(6, hex("02 0161 0162"))
      .field(8, hex("00"))
      .field(9, hex("0000 010a"))
      .field(10, hex("2d"))
      .field(12, hex("ff80"))
      .field(13, hex("03"));
  torture([&](Bytes b) { return TableMap::decode(b, format).ok(); }, full.body(), plain.size());
}

// A row of the nine columns, none of them NULL, with its null bitmap.
std::string one_row() {
  return hex(
      "0000 07000000 0200 6162 01 800000010203 0300 616263 02000000 0000 8000000000 0102 0101 "
      "04000000 0000803f");
}

TEST(Hostile, Rows) {
  const auto format = mysql_format();
  const TableMap map = many_columns().map();
  const auto decode = [&](EventType type) {
    return [&, type](Bytes b) {
      auto event = RowsEvent::decode(type, b, format);
      if (!event.ok()) return false;
      auto cursor = RowCursor::open(map, *event);
      if (!cursor.ok()) return false;
      RowImages images;
      std::size_t rows = 0;
      for (;;) {
        auto more = cursor->next(images);
        if (!more.ok()) return false;
        if (!*more) break;
        if (++rows > b.size()) ADD_FAILURE() << "more rows than bytes";
      }
      return rows != 0;
    };
  };
  const std::string head = hex("2a0000000000 0100 0500 01 0300 09");
  // A cut between two rows is an event with one row less.
  torture(decode(EventType::write_rows), head + hex("ff01") + one_row() + one_row(),
          head.size() + 2 + one_row().size());
  torture(decode(EventType::update_rows), head + hex("ff01 ff01") + one_row() + one_row());
  torture(decode(EventType::partial_update_rows),
          head + hex("ff01 ff01") + one_row() + hex("01 01") + one_row());
}

TEST(Hostile, RecordedFilesWithFlippedBytes) {
  for (const char* name : {"mysql-9.7.binlog", "mariadb-10.11.binlog"}) {
    auto file = read_file(std::filesystem::path(SLUICE_TEST_DATA) / "binlog" / name);
    ASSERT_TRUE(file.ok());
    std::size_t refused = 0;
    for (std::size_t at = 150; at < file->size(); at += 3) {
      std::string bytes = *file;
      bytes[at] = static_cast<char>(bytes[at] ^ 0xFF);
      EventFramer framer(ChecksumAlg::off, true);
      Bytes left = as_bytes(bytes).subspan(4);
      while (!left.empty()) {
        ByteReader r(left);
        r.take(9);
        const std::size_t size = r.u32();
        const auto view = framer.frame(left.first(std::min(size, left.size())));
        if (!view.ok()) {
          ++refused;
          break;
        }
        left = left.subspan(size);
      }
    }
    EXPECT_EQ(refused, (file->size() - 150 + 2) / 3) << name;
  }
}

}  // namespace
}  // namespace sluice::binlog
