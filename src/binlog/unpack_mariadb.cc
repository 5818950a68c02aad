#include "binlog/unpack_mariadb.h"

#include "sluice/base/checksum.h"
#include "sluice/binlog/control_events.h"
#include "sluice/binlog/inflate.h"
#include "sluice/binlog/rows.h"

#include "binlog/errors.h"

namespace sluice::binlog {
namespace {

// A buffer that a large event left behind is kept up to this size.
constexpr std::size_t kKeep = 16U << 20;
constexpr std::size_t kChecksumSize = 4;

EventType plain_type(EventType type) noexcept {
  switch (type) {
    case EventType::query_compressed: return EventType::query;
    case EventType::write_rows_compressed_v1: return EventType::write_rows_v1;
    case EventType::update_rows_compressed_v1: return EventType::update_rows_v1;
    case EventType::delete_rows_compressed_v1: return EventType::delete_rows_v1;
    case EventType::write_rows_compressed: return EventType::write_rows;
    case EventType::update_rows_compressed: return EventType::update_rows;
    case EventType::delete_rows_compressed: return EventType::delete_rows;
    default: return EventType::unknown;
  }
}

// What follows the part that stays clear: the text, or the rows.
Result<Bytes> compressed_part(EventType plain, Bytes body, const FormatDescription& format) {
  if (plain == EventType::query) {
    SLUICE_TRY_ASSIGN(const auto query, QueryEvent::decode(body, format));
    return as_bytes(query.statement);
  }
  SLUICE_TRY_ASSIGN(const auto rows, RowsEvent::decode(plain, body, format));
  return rows.rows;
}

void reuse(TextBuffer& buffer) noexcept {
  if (buffer.capacity() > kKeep)
    buffer.release();
  else
    buffer.clear();
}

}  // namespace

bool is_compressed_event(EventType type) noexcept {
  return plain_type(type) != EventType::unknown;
}

// A byte of 0x80 + algorithm (3 bits) + size of the length, the length in big-endian, then the
// stream (MariaDB: sql/log_event.cc binlog_buf_compress).
Status inflate_event(EventView& event, const FormatDescription& format, std::uint64_t event_bytes,
                     TextBuffer& buffer) {
  const std::string_view name = event_type_name(event.header.type);
  const EventType plain = plain_type(event.header.type);
  SLUICE_TRY_ASSIGN(const Bytes packed, compressed_part(plain, event.body, format));
  const Bytes clear = event.body.first(event.body.size() - packed.size());
  ByteReader r(packed);
  const unsigned head = r.u8();
  if (!r.ok()) return truncated(name, event.body);
  if ((head & 0x80U) == 0) return malformed(name, "what is to be compressed is not");
  if ((head & 0x70U) != 0)
    return unsupported(name, "compression algorithm " + std::to_string(head >> 4 & 7U));
  const std::size_t length_size = head & 7U;
  if (length_size == 0 || length_size > 4)
    return malformed(name, "a length of " + std::to_string(length_size) + " bytes");
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < length_size; ++i) size = size << 8 | r.u8();
  if (!r.ok()) return truncated(name, event.body);
  if (size + event.body.size() > event_bytes)
    return unsupported(name, std::to_string(size) + " bytes inflated, more than the " +
                                 std::to_string(event_bytes) + " an event may have");
  reuse(buffer);
  buffer.append(as_chars(clear));
  const Bytes deflated = r.rest();
  if (!inflate(deflated, InflateFormat::zlib, size, buffer))
    return malformed(name, std::to_string(deflated.size()) +
                               " bytes that are no zlib stream of the " + std::to_string(size) +
                               " that are told");
  event.header.type = plain;
  event.body = as_bytes(buffer.view());
  return {};
}

void FragmentReader::reset() noexcept {
  due_ = count_ = 0;
  size_ = 0;
  reuse(gathered_);
}

// The head of a piece: the count of pieces and the piece's number, from 1, in an order that
// MariaDB's protocol pages and the comment in its source (sql/log_event.h, Partial_rows_log_event)
// tell differently; flags; in the first piece the event's size.  The first piece shows the order:
// its number is 1, and nothing is cut into one piece.
Status FragmentReader::begin(std::uint32_t a, std::uint32_t b, std::uint64_t size,
                             std::uint64_t event_bytes) {
  constexpr std::string_view kName = "PARTIAL_ROW_DATA";
  if (a != 1 && b != 1)
    return malformed(
        kName, "piece " + std::to_string(a) + "/" + std::to_string(b) + " without the first one");
  if (size > event_bytes)
    return unsupported(kName, "a ROWS event of " + std::to_string(size) + " bytes, more than the " +
                                  std::to_string(event_bytes) + " an event may have");
  reset();
  number_first_ = a == 1;
  count_ = number_first_ ? b : a;
  if (count_ == 0) return malformed(kName, "a ROWS event of no pieces");
  size_ = size;
  due_ = 1;
  return {};
}

Result<bool> FragmentReader::take(Bytes body, std::uint64_t event_bytes) {
  constexpr std::string_view kName = "PARTIAL_ROW_DATA";
  constexpr unsigned kHasSize = 0x1;
  ByteReader r(body);
  const std::uint32_t a = r.u32();
  const std::uint32_t b = r.u32();
  const unsigned flags = r.u8();
  if ((flags & ~kHasSize) != 0)
    return unsupported(kName, "flags " + std::to_string(flags) + ", of a later server");
  const bool first = (flags & kHasSize) != 0;
  const std::uint64_t size = first ? r.u64() : 0;
  if (!r.ok()) return truncated(kName, body);
  if (first != !pending())
    return malformed(kName, "piece " + std::to_string(a) + "/" + std::to_string(b) +
                                (first ? " begins an event, others of the last one are due"
                                       : " of an event that has not begun"));
  if (first) SLUICE_TRY(begin(a, b, size, event_bytes));
  const std::uint32_t number = number_first_ ? a : b;
  const std::uint32_t count = number_first_ ? b : a;
  if (number != due_ || count != count_)
    return malformed(kName, "piece " + std::to_string(number) + " of " + std::to_string(count) +
                                ", due was " + std::to_string(due_) + " of " +
                                std::to_string(count_));
  const Bytes piece = r.rest();
  if (piece.size() > size_ - gathered_.size())
    return malformed(kName, "more bytes than the " + std::to_string(size_) + " that are told");
  gathered_.append(as_chars(piece));
  if (number != count_) {
    ++due_;
    return false;
  }
  if (gathered_.size() != size_)
    return malformed(
        kName, std::to_string(gathered_.size()) + " bytes, " + std::to_string(size_) + " are told");
  due_ = 0;
  return true;
}

Result<bool> FragmentReader::add(Bytes body, std::uint64_t event_bytes) {
  auto whole = take(body, event_bytes);
  if (!whole.ok()) reset();
  return whole;
}

Result<EventView> FragmentReader::event(const FormatDescription& format) const {
  constexpr std::string_view kName = "ROWS event of PARTIAL_ROW_DATA";
  EventView view;
  view.whole = as_bytes(gathered_.view());
  view.nested = true;
  SLUICE_TRY_ASSIGN(view.header, EventHeader::decode(view.whole));
  if (view.header.event_size != view.whole.size() || view.whole.size() < format.header_len)
    return malformed(kName, std::to_string(view.whole.size()) + " bytes, its header says " +
                                std::to_string(view.header.event_size));
  const EventType type = view.header.type;
  if (!is_rows_event(type) || type == EventType::partial_row_data)
    return malformed(kName, "it is a " + std::string(event_type_name(type)));
  view.body = view.whole.subspan(format.header_len);
  // Each piece has its own checksum.  One of the whole is not told of; if there is one, it is
  // right.
  if (format.checksum == ChecksumAlg::crc32 && view.body.size() >= kChecksumSize &&
      ByteReader(view.whole.last(kChecksumSize)).u32() ==
          crc32(view.whole.first(view.whole.size() - kChecksumSize)))
    view.body = view.body.first(view.body.size() - kChecksumSize);
  return view;
}

}  // namespace sluice::binlog
