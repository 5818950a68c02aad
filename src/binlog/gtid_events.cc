#include <algorithm>
#include <limits>

#include "sluice/base/byte_writer.h"
#include "sluice/binlog/control_events.h"

#include "binlog/errors.h"
#include "binlog/varint.h"

namespace sluice::binlog {
namespace {

// MySQL's GNO_END is the largest int64; no GTID has it.
constexpr std::uint64_t kGnoEnd = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMaxTag = 32;

Uuid read_uuid(ByteReader& in) {
  Uuid out{};
  const Bytes raw = in.take(out.size());
  std::transform(raw.begin(), raw.end(), out.begin(),
                 [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return out;
}

// Length varint, then at most 32 of a-z, 0-9 and _; none for no tag.
Result<std::string> read_tag(ByteReader& in, std::string_view name) {
  const std::uint64_t size = read_varint(in);
  if (size > kMaxTag) return malformed(name, "a tag of " + std::to_string(size) + " characters");
  std::string tag(as_chars(in.take(size)));
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto letter_or_digit = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  if (!tag.empty() && (!letter(tag[0]) || !std::all_of(tag.begin(), tag.end(), letter_or_digit)))
    return malformed(name, "a tag of other characters than a-z, 0-9 and _");
  return tag;
}

Error bad_gno(std::string_view name, std::int64_t gno) {
  return malformed(name, "transaction number " + std::to_string(gno));
}

// mysql-server: libs/mysql/binlog/event/control_events.cpp Gtid_event(const char*, ...): every part
// after the number is there only when bytes are left for it (5.6 has none, 5.7 no timestamps).
Result<GtidEvent> decode_untagged(const EventHeader& header, Bytes body) {
  constexpr std::uint8_t kLogicalTimestamps = 2;
  constexpr std::uint64_t kHasOriginal = std::uint64_t{1} << 55;
  const std::string_view name = event_type_name(header.type);
  ByteReader r(body);
  GtidEvent event;
  r.u8();  // flags: may have statements
  const Uuid uuid = read_uuid(r);
  const auto gno = static_cast<std::int64_t>(r.u64());
  if (!r.ok()) return truncated(name, body);
  if (header.type == EventType::gtid) {
    if (gno < 1) return bad_gno(name, gno);
    event.gtid = MysqlGtid{uuid, {}, gno};
  }
  if (r.remaining() < 1 + 16 || r.u8() != kLogicalTimestamps) return event;
  r.take(16);  // last_committed, sequence_number
  if (r.remaining() < 7) return event;
  const std::uint64_t immediate = r.le<7>();
  event.immediate_commit_us = static_cast<std::int64_t>(immediate & (kHasOriginal - 1));
  event.original_commit_us = event.immediate_commit_us;
  if ((immediate & kHasOriginal) != 0) {
    event.original_commit_us = static_cast<std::int64_t>(r.le<7>());
    if (!r.ok()) return truncated(name, body);
  }
  return event;
}

// mysql-server: Gtid_event::define_fields(); (field, value) pairs, absent ones left out.
Result<GtidEvent> decode_tagged(Bytes body) {
  constexpr std::string_view kName = "GTID_TAGGED";
  enum Field : std::uint8_t {
    flags,
    uuid,
    gno,
    tag,
    last_committed,
    sequence_number,
    immediate_commit,
    original_commit,
    transaction_length,
    immediate_version,
    original_version,
    commit_group_ticket,
    known_fields,
  };
  ByteReader r(body);
  const std::uint64_t version = read_varint(r);
  const std::uint64_t size = read_varint(r);
  const std::uint64_t needed = read_varint(r);
  if (!r.ok()) return truncated(kName, body);
  if (version != 1) return unsupported(kName, "serialization version " + std::to_string(version));
  if (size > body.size()) return truncated(kName, body);
  if (size < body.size())
    return malformed(kName, std::to_string(size) + " bytes of " + std::to_string(body.size()));
  if (needed > known_fields)
    return unsupported(kName, "field " + std::to_string(needed) + " must not be passed over");
  GtidEvent event;
  MysqlGtid gtid;
  bool has_original = false;
  std::uint64_t previous = 0;
  while (r.remaining() != 0) {
    const std::uint64_t field = read_varint(r);
    if (field >= known_fields) break;  // of a later server, and ignorable
    if (field < previous) return malformed(kName, "fields out of order");
    previous = field;
    switch (static_cast<Field>(field)) {
      case uuid:
        for (std::uint8_t& b : gtid.uuid) b = static_cast<std::uint8_t>(read_varint(r));
        break;
      case gno: gtid.gno = read_signed_varint(r); break;
      case tag: {
        SLUICE_TRY_ASSIGN(gtid.tag, read_tag(r, kName));
        break;
      }
      case immediate_commit:
        event.immediate_commit_us = static_cast<std::int64_t>(read_varint(r));
        break;
      case original_commit:
        event.original_commit_us = static_cast<std::int64_t>(read_varint(r));
        has_original = true;
        break;
      default: read_varint(r); break;
    }
  }
  if (!r.ok()) return truncated(kName, body);
  if (gtid.gno < 1) return bad_gno(kName, gtid.gno);
  if (!has_original) event.original_commit_us = event.immediate_commit_us;
  event.gtid = std::move(gtid);
  return event;
}

// MariaDB: sql/log_event.cc Gtid_log_event::Gtid_log_event(const uchar*, ...).
Result<GtidEvent> decode_mariadb(const EventHeader& header, Bytes body) {
  constexpr std::string_view kName = "MARIADB_GTID";
  constexpr unsigned kStandalone = 0x1;
  constexpr unsigned kGroupCommit = 0x2;
  constexpr unsigned kDdl = 0x20;
  constexpr unsigned kPreparedXa = 0x40;
  constexpr unsigned kCompletedXa = 0x80;
  ByteReader r(body);
  MariadbGtid gtid;
  gtid.server_id = header.server_id;
  gtid.sequence = r.u64();
  gtid.domain = r.u32();
  const unsigned flags = r.u8();
  GtidEvent event;
  event.standalone = (flags & kStandalone) != 0;
  event.ddl = (flags & kDdl) != 0;
  event.prepared_xa = (flags & kPreparedXa) != 0;
  event.completed_xa = (flags & kCompletedXa) != 0;
  if ((flags & kGroupCommit) != 0) r.take(8);
  if (event.prepared_xa || event.completed_xa) {
    r.take(4);  // format id
    const std::size_t gtrid_size = r.u8();
    const std::size_t bqual_size = r.u8();
    r.take(gtrid_size + bqual_size);
  }
  // What follows (more flags, ids of a two-phase ALTER, thread id, zeros up to 19 bytes) changes
  // nothing for us.
  if (!r.ok()) return truncated(kName, body);
  event.gtid = gtid;
  return event;
}

Result<GtidSet> decode_previous_gtids(Bytes body) {
  constexpr std::string_view kName = "PREVIOUS_GTIDS";
  ByteReader r(body);
  // Byte 7 tells the format; with tags (8.3+) byte 0 repeats it and the count is between them
  // (mysql-server: sql/rpl_gtid_set.cc Gtid_set::encode).
  const std::uint64_t head = r.u64();
  const bool tagged = head >> 56 == 1;
  if (r.ok() && (head >> 56 > 1 || (tagged && (head & 0xFF) != 1)))
    return unsupported(kName, "format " + std::to_string(head >> 56));
  const std::uint64_t sources = tagged ? head >> 8 & 0xFFFFFFFFFFFF : head;
  MysqlGtidSet set;
  for (std::uint64_t i = 0; i < sources && r.ok(); ++i) {
    const Uuid uuid = read_uuid(r);
    std::string tag;
    if (tagged) {
      SLUICE_TRY_ASSIGN(tag, read_tag(r, kName));
    }
    const std::uint64_t intervals = r.u64();
    for (std::uint64_t k = 0; k < intervals; ++k) {
      const std::uint64_t first = r.u64();
      const std::uint64_t end = r.u64();  // not included
      if (!r.ok()) break;
      if (first < 1 || end <= first || end > kGnoEnd)
        return malformed(kName, "interval " + std::to_string(first) + " to " + std::to_string(end));
      set.add(uuid, tag, {static_cast<std::int64_t>(first), static_cast<std::int64_t>(end - 1)});
    }
  }
  if (!r.ok()) return truncated(kName, body);
  if (r.remaining() != 0)
    return malformed(kName, std::to_string(r.remaining()) + " bytes too many");
  return GtidSet(std::move(set));
}

Result<GtidSet> decode_gtid_list(Bytes body) {
  constexpr std::string_view kName = "GTID_LIST";
  constexpr std::uint32_t kCount = 0x0FFFFFFF;  // the high four bits are flags
  ByteReader r(body);
  const std::uint32_t count = r.u32() & kCount;
  MariadbGtidSet set;
  // One for each domain and server; the last of a domain is the newest.
  for (std::uint32_t i = 0; i < count && r.ok(); ++i) {
    const std::uint32_t domain = r.u32();
    const std::uint32_t server_id = r.u32();
    const std::uint64_t sequence = r.u64();
    if (r.ok()) set.add(MariadbGtid{domain, server_id, sequence});
  }
  if (!r.ok()) return truncated(kName, body);
  return GtidSet(std::move(set));
}

}  // namespace

Result<GtidEvent> GtidEvent::decode(const EventHeader& header, Bytes body,
                                    const FormatDescription& format) {
  const std::string_view name = event_type_name(header.type);
  const bool mariadb = header.type == EventType::mariadb_gtid;
  if (mariadb != (format.flavor == Flavor::mariadb))
    return malformed(name, "in a binlog of " + format.server_version);
  switch (header.type) {
    case EventType::gtid:
    case EventType::anonymous_gtid: return decode_untagged(header, body);
    case EventType::gtid_tagged: return decode_tagged(body);
    case EventType::mariadb_gtid: return decode_mariadb(header, body);
    default: return malformed(name, "not a GTID event");
  }
}

std::string encode_gtid_set(const MysqlGtidSet& set) {
  const bool tagged = std::any_of(set.sets().begin(), set.sets().end(),
                                  [](const auto& entry) { return !entry.first.second.empty(); });
  const std::uint64_t count = set.sets().size();
  ByteWriter out;
  if (tagged)
    out.le<1>(1).le<6>(count).le<1>(1);
  else
    out.le<8>(count);
  for (const auto& [key, intervals] : set.sets()) {
    for (const std::uint8_t b : key.first) out.le<1>(b);
    // A varint of up to seven bits is one byte, shifted by one.
    if (tagged) out.le<1>(key.second.size() << 1).bytes(key.second);
    out.le<8>(intervals.size());
    for (const MysqlGtidSet::Interval& i : intervals)
      out.le<8>(static_cast<std::uint64_t>(i.first)).le<8>(static_cast<std::uint64_t>(i.last) + 1);
  }
  return std::move(out).str();
}

Result<GtidSet> decode_gtid_set_event(const EventHeader& header, Bytes body) {
  switch (header.type) {
    case EventType::previous_gtids: return decode_previous_gtids(body);
    case EventType::gtid_list: return decode_gtid_list(body);
    default: return malformed(event_type_name(header.type), "holds no GTID set");
  }
}

}  // namespace sluice::binlog
