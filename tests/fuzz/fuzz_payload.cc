// Any bytes as a stream of events that hold others: each is unpacked or an error, never a crash,
// and nothing comes out that breaks the limits.  Input: events one after the other, without
// checksums, each as long as its header says; FORMAT_DESCRIPTION first.
#include <algorithm>
#include <cstdint>
#include <span>

#include "sluice/base/checksum.h"
#include "sluice/binlog/control_events.h"
#include "sluice/binlog/rows.h"
#include "sluice/binlog/unpacker.h"

#include "fuzz/require.h"

namespace {

using namespace sluice;
using namespace sluice::binlog;
using sluice::fuzz::require;

constexpr UnpackLimits kLimits{.event_bytes = 1U << 20, .transaction_bytes = 4U << 20};

void look_at(const EventView& packed, const EventView& inner, const FormatDescription& format) {
  require(inner.body.size() <= kLimits.event_bytes);
  require(!EventUnpacker::is_packed(inner.header.type));
  if (packed.header.type == EventType::transaction_payload) {
    require(inner.nested && inner.header.event_size == inner.whole.size());
    require(inner.header.type != EventType::format_description &&
            inner.header.type != EventType::rotate);
  }
  (void)crc32(inner.body);  // reads to the last byte
  if (inner.header.type == EventType::query) {
    const auto query = QueryEvent::decode(inner.body, format);
    require(!query.ok() || query->statement.size() <= inner.body.size());
  } else if (is_rows_event(inner.header.type)) {
    const auto rows = RowsEvent::decode(inner.header.type, inner.body, format);
    require(!rows.ok() || rows->rows.size() <= inner.body.size());
  }
}

void unpack(EventUnpacker& unpacker, const EventView& packed, const FormatDescription& format) {
  if (!unpacker.open(packed, format).ok()) return;
  std::uint64_t bytes = 0;
  for (EventView inner;;) {
    const auto more = unpacker.next(inner);
    if (!more.ok() || !*more) break;
    look_at(packed, inner, format);
    bytes += inner.whole.size();
    require(packed.header.type != EventType::transaction_payload ||
            bytes <= kLimits.transaction_bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes left = std::as_bytes(std::span(data, size));
  EventFramer framer(ChecksumAlg::off, false);
  EventUnpacker unpacker(kLimits);
  while (!left.empty()) {
    const auto header = EventHeader::decode(left);
    if (!header.ok()) break;
    const std::size_t take = std::min<std::size_t>(
        std::max<std::size_t>(header->event_size, EventHeader::kSize), left.size());
    const auto view = framer.frame(left.first(take));
    left = left.subspan(take);
    if (view.ok() && framer.format() != nullptr && EventUnpacker::is_packed(view->header.type))
      unpack(unpacker, *view, *framer.format());
  }
  return 0;
}
