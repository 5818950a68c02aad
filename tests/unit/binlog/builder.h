#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "sluice/base/byte_writer.h"
#include "sluice/base/checksum.h"
#include "sluice/binlog/event.h"

namespace sluice::binlog::testing {

struct EventParts {
  EventType type = EventType::unknown;
  std::string body;
  std::uint32_t timestamp = 1700000000;
  std::uint32_t server_id = 7;
  std::uint32_t log_pos = 1000;
  std::uint16_t flags = 0;
  bool checksum = false;
};

inline std::string with_crc(std::string event) {
  const std::uint32_t crc = crc32(as_bytes(event));
  return std::move(ByteWriter().bytes(event).le<4>(crc)).str();
}

// A whole event.
inline std::string make_event(const EventParts& p) {
  const std::size_t size = EventHeader::kSize + p.body.size() + (p.checksum ? 4 : 0);
  std::string out = std::move(ByteWriter()
                                  .le<4>(p.timestamp)
                                  .le<1>(static_cast<std::uint64_t>(p.type))
                                  .le<4>(p.server_id)
                                  .le<4>(size)
                                  .le<4>(p.log_pos)
                                  .le<2>(p.flags)
                                  .bytes(p.body))
                        .str();
  return p.checksum ? with_crc(std::move(out)) : out;
}

// Post-header lengths as MySQL 9.7 and MariaDB 10.11 list them.
inline std::string mysql_lengths() {
  std::string out(42, '\0');
  const auto set = [&out](EventType t, int n) {
    out[static_cast<std::size_t>(t) - 1] = static_cast<char>(n);
  };
  set(EventType::query, 13);
  set(EventType::rotate, 8);
  set(EventType::table_map, 8);
  set(EventType::incident, 2);
  set(EventType::write_rows, 10);
  set(EventType::update_rows, 10);
  set(EventType::delete_rows, 10);
  set(EventType::gtid, 42);
  set(EventType::anonymous_gtid, 42);
  set(EventType::partial_update_rows, 10);
  set(EventType::transaction_payload, 40);
  return out;
}
inline std::string mariadb_lengths() {
  std::string out = mysql_lengths();
  out.resize(171, '\0');
  for (const int t : {23, 24, 25, 166, 167, 168}) out[static_cast<std::size_t>(t - 1)] = 8;
  out[161] = 19;
  out[162] = 4;
  return out;
}

struct FormatParts {
  std::string version = "9.7.4";
  std::string lengths = mysql_lengths();
  std::uint16_t binlog_version = 4;
  std::uint32_t created = 0;
  std::uint8_t header_len = 19;
  int alg = 1;  // -1: a server that has no checksum field
  std::uint32_t timestamp = 1700000000;
  std::uint32_t log_pos = 126;
  std::uint16_t flags = 0;
};

// A whole FORMAT_DESCRIPTION; its CRC is right whatever `alg` is, and made without the in-use flag,
// as servers do it.
inline std::string make_format(const FormatParts& p = {}) {
  std::string version = p.version;
  version.resize(50, '\0');
  ByteWriter body;
  body.le<2>(p.binlog_version).bytes(version).le<4>(p.created).le<1>(p.header_len).bytes(p.lengths);
  if (p.alg >= 0) body.le<1>(static_cast<std::uint64_t>(p.alg));
  EventParts e{EventType::format_description,
               body.str(),
               p.timestamp,
               7,
               p.log_pos,
               static_cast<std::uint16_t>(p.flags & ~EventHeader::kFlagInUse),
               p.alg >= 0};
  std::string out = make_event(e);
  out[17] = static_cast<char>(p.flags & 0xFF);
  return out;
}

inline FormatDescription mysql_format() {
  auto f = FormatDescription::decode(as_bytes(make_format()), true);
  EXPECT_TRUE(f.ok());
  return std::move(f).value();
}
inline FormatDescription mariadb_format() {
  auto f = FormatDescription::decode(
      as_bytes(make_format({.version = "10.11.19-MariaDB-log", .lengths = mariadb_lengths()})),
      true);
  EXPECT_TRUE(f.ok());
  return std::move(f).value();
}

inline EventHeader header_of(EventType type, std::uint32_t log_pos = 1000) {
  EventHeader h;
  h.type = type;
  h.server_id = 7;
  h.log_pos = log_pos;
  return h;
}

// "0aff": bytes of hexadecimal digits; blanks are passed over.
inline std::string hex(std::string_view digits) {
  std::string out;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ') continue;
    const int v = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = v;
      continue;
    }
    out.push_back(static_cast<char>(high * 16 + v));
    high = -1;
  }
  return out;
}

}  // namespace sluice::binlog::testing
