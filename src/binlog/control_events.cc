#include "sluice/binlog/control_events.h"

#include "binlog/errors.h"
#include "binlog/xid.h"

namespace sluice::binlog {
namespace {

std::string hex(Bytes bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const std::byte b : bytes) {
    out.push_back(kHex[std::to_integer<unsigned>(b >> 4)]);
    out.push_back(kHex[std::to_integer<unsigned>(b & std::byte{0xF})]);
  }
  return out;
}

}  // namespace

Result<RotateEvent> RotateEvent::decode(Bytes body) {
  ByteReader r(body);
  RotateEvent event;
  event.pos = r.u64();
  if (!r.ok()) return truncated("ROTATE", body);
  event.next_file = as_chars(r.rest());
  if (event.next_file.empty()) return truncated("ROTATE", body);
  if (event.next_file.find('\0') != std::string_view::npos)
    return malformed("ROTATE", "a NUL in the file name");
  return event;
}

Result<XidEvent> XidEvent::decode(Bytes body) {
  ByteReader r(body);
  const XidEvent event{r.u64()};
  if (!r.ok()) return truncated("XID", body);
  return event;
}

Result<HeartbeatEvent> HeartbeatEvent::decode(const EventHeader& header, Bytes body) {
  ByteReader r(body);
  HeartbeatEvent event;
  const std::string_view name = event_type_name(header.type);
  if (header.type == EventType::heartbeat) {
    event.pos = header.log_pos;
    // Above 4 GiB MariaDB says 0 in the header and puts 64 bits before the name (MariaDB:
    // sql/sql_repl.cc send_heartbeat_event, HB_SUB_HEADER_LEN); the top byte of a position is 0, a
    // character of a name is not.
    if (header.log_pos == 0 && body.size() > 8 && body[7] == std::byte{0}) event.pos = r.u64();
    event.file = as_chars(r.rest());
    return event;
  }
  // Fields of type, length, value; 0 ends them (mysql-server:
  // libs/mysql/binlog/event/codecs/binary.cpp).
  while (r.remaining() != 0) {
    const std::uint64_t field = r.lenenc();
    if (field == 0) break;
    const Bytes value = r.take(r.lenenc());
    ByteReader in(value);
    if (field == 1) event.file = as_chars(value);
    if (field == 2) event.pos = in.lenenc();
    if (!in.ok()) return malformed(name, "the position's length");
  }
  if (!r.ok()) return truncated(name, body);
  return event;
}

Result<IncidentEvent> IncidentEvent::decode(Bytes body) {
  ByteReader r(body);
  IncidentEvent event;
  event.number = r.u16();
  if (r.remaining() != 0) event.message = as_chars(r.take(r.u8()));
  if (!r.ok()) return truncated("INCIDENT", body);
  return event;
}

Result<XaPrepareEvent> XaPrepareEvent::decode(Bytes body) {
  ByteReader r(body);
  XaPrepareEvent event;
  event.one_phase = r.u8() != 0;
  const std::uint32_t format_id = r.u32();
  const std::uint32_t gtrid_size = r.u32();
  const std::uint32_t bqual_size = r.u32();
  if (!r.ok()) return truncated("XA_PREPARE", body);
  if (gtrid_size > kMaxXidPart || bqual_size > kMaxXidPart)
    return malformed("XA_PREPARE", "parts of " + std::to_string(gtrid_size) + " and " +
                                       std::to_string(bqual_size) + " bytes; 64 is the most");
  const std::string gtrid = hex(r.take(gtrid_size));
  event.xid = xid_text(gtrid, hex(r.take(bqual_size)), format_id);
  if (!r.ok()) return truncated("XA_PREPARE", body);
  return event;
}

}  // namespace sluice::binlog
