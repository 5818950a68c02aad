#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/byte_reader.h"
#include "sluice/base/checksum.h"
#include "sluice/base/result.h"
#include "sluice/model/flavor.h"

namespace sluice::binlog {

// Event type codes of both families (mysql-server: libs/mysql/binlog/event/binlog_event.h; MariaDB:
// sql/log_event.h).
enum class EventType : std::uint8_t {
  unknown = 0,
  start_v3 = 1,
  query = 2,
  stop = 3,
  rotate = 4,
  intvar = 5,
  load = 6,
  slave = 7,
  create_file = 8,
  append_block = 9,
  exec_load = 10,
  delete_file = 11,
  new_load = 12,
  rand = 13,
  user_var = 14,
  format_description = 15,
  xid = 16,
  begin_load_query = 17,
  execute_load_query = 18,
  table_map = 19,
  pre_ga_write_rows = 20,
  pre_ga_update_rows = 21,
  pre_ga_delete_rows = 22,
  write_rows_v1 = 23,
  update_rows_v1 = 24,
  delete_rows_v1 = 25,
  incident = 26,
  heartbeat = 27,
  ignorable = 28,
  rows_query = 29,
  write_rows = 30,
  update_rows = 31,
  delete_rows = 32,
  gtid = 33,
  anonymous_gtid = 34,
  previous_gtids = 35,
  transaction_context = 36,
  view_change = 37,
  xa_prepare = 38,
  partial_update_rows = 39,
  transaction_payload = 40,
  heartbeat_v2 = 41,
  gtid_tagged = 42,
  large_transaction_header = 43,
  annotate_rows = 160,
  binlog_checkpoint = 161,
  mariadb_gtid = 162,
  gtid_list = 163,
  start_encryption = 164,
  query_compressed = 165,
  write_rows_compressed_v1 = 166,
  update_rows_compressed_v1 = 167,
  delete_rows_compressed_v1 = 168,
  write_rows_compressed = 169,
  update_rows_compressed = 170,
  delete_rows_compressed = 171,
  partial_row_data = 172,
};
// "TABLE_MAP", "WRITE_ROWS_V1"; "UNKNOWN" for a code that is none of them.  Static storage.
std::string_view event_type_name(EventType type) noexcept;

enum class ChecksumAlg : std::uint8_t { off = 0, crc32 = 1, undefined = 255 };

struct EventHeader {
  static constexpr std::size_t kSize = 19;
  static constexpr std::uint16_t kFlagInUse = 0x1;
  static constexpr std::uint16_t kFlagArtificial = 0x20;
  static constexpr std::uint16_t kFlagIgnorable = 0x80;

  std::uint32_t timestamp = 0;  // seconds since the epoch: when the statement began
  EventType type = EventType::unknown;
  std::uint32_t server_id = 0;
  std::uint32_t event_size = 0;  // header and checksum included
  std::uint32_t log_pos =
      0;  // end of the event in its file, modulo 2^32; 0 in artificial and some inner events
  std::uint16_t flags = 0;
  bool artificial() const noexcept { return (flags & kFlagArtificial) != 0; }
  bool ignorable() const noexcept { return (flags & kFlagIgnorable) != 0; }
  // Errors: fatal/binlog_truncated.
  static Result<EventHeader> decode(Bytes event);
  // Precondition: event.size() >= kSize.
  static EventHeader read(Bytes event) noexcept {
    const auto in = event.first<kSize>();
    return {.timestamp = static_cast<std::uint32_t>(load_le<4>(in)),
            .type = static_cast<EventType>(load_le<1, 4>(in)),
            .server_id = static_cast<std::uint32_t>(load_le<4, 5>(in)),
            .event_size = size_of(event),
            .log_pos = static_cast<std::uint32_t>(load_le<4, 13>(in)),
            .flags = static_cast<std::uint16_t>(load_le<2, 17>(in))};
  }
  // event_size alone, for whoever only goes from event to event.  Precondition: event.size() >=
  // kSize.
  static std::uint32_t size_of(Bytes event) noexcept {
    return static_cast<std::uint32_t>(load_le<4, 9>(event.first<kSize>()));
  }
};

// FORMAT_DESCRIPTION: how the events that follow are laid out.
struct FormatDescription {
  std::uint16_t binlog_version = 4;
  std::string server_version;
  std::uint32_t timestamp = 0;  // of the event's header
  std::uint32_t created = 0;    // 0 in a repeated one
  std::uint8_t header_len = EventHeader::kSize;
  std::vector<std::uint8_t> post_header_len;  // [type - 1]
  // True when the event ends in algorithm and CRC, which it does whatever the algorithm
  // (MySQL 5.6.1+, MariaDB 5.3+).
  bool has_checksum_field = false;
  ChecksumAlg checksum = ChecksumAlg::off;
  Flavor flavor = Flavor::mysql;
  // CRC-32 of timestamp, server_id and body without `created` and the checksum field: the same
  // whether the event is read at the head of the file or repeated in the middle of a dump, so it
  // tells one binlog file from another of the same name.
  std::uint32_t fingerprint = 0;

  // Decodes the whole event, header and checksum included (its checksum is verified when it has
  // one).  Errors: fatal/ binlog_truncated, binlog_malformed, binlog_checksum, binlog_unsupported
  // (before binlog version 4).
  static Result<FormatDescription> decode(Bytes event, bool verify_checksum);
  // 80034, 101119; 0 when server_version begins with no number.
  std::uint32_t version_number() const noexcept;
  // Length of the fixed part of an event's body; the built-in value for types the server did not
  // list.
  std::size_t post_header(EventType type) const noexcept;
};

// One event cut out of the stream.  Views into the bytes handed to EventFramer::frame(), or into an
// EventUnpacker's.
struct EventView {
  EventHeader header;
  Bytes body;           // without common header and checksum
  Bytes whole;          // as it came
  bool nested = false;  // out of another event: log_pos tells nothing, and no place is its own
};

// Cuts events: checks sizes and checksums, follows FORMAT_DESCRIPTION.  Thread-compatible.
class EventFramer {
 public:
  // `announced`: what we told the server we understand; rules until the first FORMAT_DESCRIPTION
  // (the artificial ROTATE before it carries a checksum when CRC32 was announced).
  EventFramer(ChecksumAlg announced, bool verify_checksum)
      : checksum_(announced), verify_(verify_checksum) {}
  // `event`: exactly one event.  Errors: fatal/binlog_truncated, binlog_malformed, binlog_checksum,
  // binlog_unsupported (MySQL 4.x, an encrypted file); all name the type, and the size where it is
  // to blame.
  Result<EventView> frame(Bytes event) {
    EventView view;
    if (frame_plain(event, view)) return view;
    return frame_other(event);
  }
  // The same into `out`, for whoever frames millions of them.
  Status frame(Bytes event, EventView& out) {
    if (frame_plain(event, out)) return {};
    auto view = frame_other(event);
    if (!view) return std::move(view).error();
    out = *view;
    return {};
  }
  // The latest FORMAT_DESCRIPTION, or null before the first.
  const FormatDescription* format() const noexcept { return format_ ? &*format_ : nullptr; }

 private:
  // What almost every event is: of a type without rules of its own, and whole.  False: look closer.
  bool frame_plain(Bytes event, EventView& out) const noexcept {
    constexpr std::size_t kChecksumSize = 4;
    if (!format_ || event.size() < EventHeader::kSize) return false;
    out.header = EventHeader::read(event);
    const std::size_t head = format_->header_len;
    const std::size_t tail = checksum_ == ChecksumAlg::crc32 ? kChecksumSize : 0;
    switch (out.header.type) {
      case EventType::start_v3:
      case EventType::rotate:
      case EventType::format_description:
      case EventType::start_encryption: return false;
      default: break;
    }
    if (out.header.event_size != event.size() || event.size() < head + tail) return false;
    if (tail != 0 && verify_) {
      ByteReader sum(event.last(kChecksumSize));
      if (sum.u32() != crc32(event.first(event.size() - kChecksumSize))) return false;
    }
    out.body = event.subspan(head, event.size() - head - tail);
    out.whole = event;
    out.nested = false;
    return true;
  }
  Result<EventView> frame_other(Bytes event);

  ChecksumAlg checksum_;
  bool verify_;
  std::optional<FormatDescription> format_;
};

}  // namespace sluice::binlog
