#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "sluice/base/checksum.h"
#include "sluice/binlog/event.h"

#include "binlog/errors.h"

namespace sluice::binlog {
namespace {

constexpr std::string_view kName = "FORMAT_DESCRIPTION";
constexpr std::size_t kVersionSize = 50;
constexpr std::size_t kFlagsAt = 17;  // in the common header
constexpr std::size_t kCreatedAt = EventHeader::kSize + 2 + kVersionSize;

using Version = std::tuple<unsigned, unsigned, unsigned>;

// The leading "X.Y.Z" of a server version; 0 for what is missing.
Version parse_version(std::string_view text) {
  std::array<unsigned, 3> part{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (unsigned& p : part) {
    const auto [next, err] = std::from_chars(at, end, p);
    if (err != std::errc{}) break;
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  return {part[0], part[1], part[2]};
}

bool contains_no_case(std::string_view text, std::string_view lower) {
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(),
                     [&](char a, char b) { return fold(a) == b; }) != text.end();
}

// CRC of a FORMAT_DESCRIPTION as its writer saw it: the in-use flag is patched in place afterwards
// (mysql-server: libs/mysql/binlog/event/event_reader.cpp, "clear the flag for checksum
// calculation").
std::uint32_t checksum_of(Bytes without_checksum) {
  std::array<std::byte, 2> flags{without_checksum[kFlagsAt] & ~std::byte{EventHeader::kFlagInUse},
                                 without_checksum[kFlagsAt + 1]};
  std::uint32_t crc = crc32(without_checksum.first(kFlagsAt));
  crc = crc32(flags, crc);
  return crc32(without_checksum.subspan(kFlagsAt + 2), crc);
}

// Post-header lengths of types a server did not list, by MySQL 8.0 and MariaDB 10.11.
std::size_t default_post_header(EventType type) noexcept {
  switch (type) {
    case EventType::query:
    case EventType::query_compressed: return 13;
    case EventType::rotate:
    case EventType::table_map:
    case EventType::pre_ga_write_rows:
    case EventType::pre_ga_update_rows:
    case EventType::pre_ga_delete_rows:
    case EventType::write_rows_v1:
    case EventType::update_rows_v1:
    case EventType::delete_rows_v1:
    case EventType::write_rows_compressed_v1:
    case EventType::update_rows_compressed_v1:
    case EventType::delete_rows_compressed_v1: return 8;
    case EventType::write_rows:
    case EventType::update_rows:
    case EventType::delete_rows:
    case EventType::partial_update_rows:
    case EventType::write_rows_compressed:
    case EventType::update_rows_compressed:
    case EventType::delete_rows_compressed: return 10;
    case EventType::append_block:
    case EventType::delete_file:
    case EventType::begin_load_query:
    case EventType::binlog_checkpoint:
    case EventType::gtid_list: return 4;
    case EventType::execute_load_query: return 26;
    case EventType::incident: return 2;
    case EventType::mariadb_gtid: return 19;
    case EventType::gtid:
    case EventType::anonymous_gtid: return 42;
    case EventType::transaction_context: return 18;
    case EventType::view_change: return 52;
    default: return 0;
  }
}

}  // namespace

Result<FormatDescription> FormatDescription::decode(Bytes event, bool verify_checksum) {
  SLUICE_TRY_ASSIGN(const EventHeader header, EventHeader::decode(event));
  ByteReader r(event.subspan(EventHeader::kSize));
  FormatDescription f;
  f.timestamp = header.timestamp;
  f.binlog_version = r.u16();
  const std::string_view version = as_chars(r.take(kVersionSize));
  f.server_version = version.substr(0, std::min(version.find('\0'), version.size()));
  f.created = r.u32();
  f.header_len = r.u8();
  if (!r.ok()) return truncated(kName, event);
  if (f.binlog_version != 4)
    return unsupported(kName, "binlog version " + std::to_string(f.binlog_version) +
                                  "; version 4 (MySQL 5.0+) is needed");
  if (f.header_len < EventHeader::kSize)
    return malformed(kName, "header length " + std::to_string(f.header_len));
  // Trees of 2005-2007 with other event numbers (mysql-server: event_type_permutation in
  // control_events.cpp of 8.0).
  if (f.server_version.find("-a_drop") != std::string::npos)
    return unsupported(kName, "server " + f.server_version + " numbers its events in another way");

  f.flavor = contains_no_case(f.server_version, "mariadb") ? Flavor::mariadb : Flavor::mysql;
  f.has_checksum_field = parse_version(f.server_version) >=
                         (f.flavor == Flavor::mariadb ? Version{5, 3, 0} : Version{5, 6, 1});
  Bytes lengths = r.rest();
  Bytes covered = event;  // by the checksum
  if (f.has_checksum_field) {
    if (lengths.size() < 5) return truncated(kName, event);
    ByteReader tail(lengths.last(5));
    f.checksum = static_cast<ChecksumAlg>(tail.u8());
    const std::uint32_t written = tail.u32();
    lengths = lengths.first(lengths.size() - 5);
    covered = event.first(event.size() - 4);
    if (f.checksum != ChecksumAlg::off && f.checksum != ChecksumAlg::crc32 &&
        f.checksum != ChecksumAlg::undefined)
      return unsupported(kName,
                         "checksum algorithm " + std::to_string(static_cast<unsigned>(f.checksum)));
    // With checksums off the file's own event has a valid CRC too, but a server that rewrites it
    // for a dump from the middle does not renew it (mysql-server: sql/rpl_binlog_sender.cc
    // send_format_description_event).
    if (verify_checksum && f.checksum == ChecksumAlg::crc32 && written != checksum_of(covered))
      return fatal(Errc::binlog_checksum,
                   std::string(kName) + ", " + std::to_string(event.size()) +
                       " bytes: the CRC32 does not match; the binlog or the connection to the "
                       "source is damaged");
  }
  f.post_header_len.reserve(lengths.size());
  for (const std::byte b : lengths) f.post_header_len.push_back(std::to_integer<std::uint8_t>(b));

  // timestamp, then server_id, then the body around `created`; neither the checksum nor its
  // algorithm.
  std::uint32_t crc = crc32(event.first(4));
  crc = crc32(event.subspan(5, 4), crc);
  crc = crc32(event.subspan(EventHeader::kSize, kCreatedAt - EventHeader::kSize), crc);
  crc = crc32(event.subspan(kCreatedAt + 4, 1), crc);
  f.fingerprint = crc32(lengths, crc);
  return f;
}

std::uint32_t FormatDescription::version_number() const noexcept {
  const auto [major, minor, patch] = parse_version(server_version);
  return major * 10000 + minor * 100 + patch;
}

std::size_t FormatDescription::post_header(EventType type) const noexcept {
  // TRANSACTION_PAYLOAD is listed with its event number as the length, and has none (mysql-server:
  // codecs/binary.cpp).
  if (type == EventType::transaction_payload) return 0;
  const auto index = static_cast<std::size_t>(type) - 1;
  if (type == EventType::unknown || index >= post_header_len.size())
    return default_post_header(type);
  const std::size_t listed = post_header_len[index];
  // MySQL 8.3+ lists 0 for the version 1 ROWS events it no longer writes, but may still pass on.
  return listed != 0 ? listed : default_post_header(type);
}

}  // namespace sluice::binlog
