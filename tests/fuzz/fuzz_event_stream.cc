// Any bytes as a stream of events: each is an event or an error, never a crash, and no decoder
// gives more than it was given. Input: one byte of options, then events one after the other, each
// as long as its header says.
#include <algorithm>
#include <cstdint>
#include <span>
#include <unordered_map>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/rows.h"

#include "fuzz/require.h"

namespace {

using namespace sluice;
using namespace sluice::binlog;
using sluice::fuzz::require;

using Maps = std::unordered_map<std::uint64_t, TableMap>;

void walk_rows(EventType type, Bytes body, const FormatDescription& format, const Maps& maps) {
  const auto event = RowsEvent::decode(type, body, format);
  if (!event.ok()) return;
  const auto map = maps.find(event->table_id);
  if (map == maps.end()) return;
  auto cursor = RowCursor::open(map->second, *event);
  if (!cursor.ok()) return;
  RowImages images;
  std::size_t rows = 0;
  for (;;) {
    const auto more = cursor->next(images);
    if (!more.ok() || !*more) return;
    require(++rows <= event->rows.size() + 1);
    for (const auto* image : {&images.before, &images.after})
      for (const Cell& cell : *image) require(cell.bytes.size() <= event->rows.size());
  }
}

void check_set(const Result<GtidSet>& set) {
  if (!set.ok()) return;
  const auto back = GtidSet::parse(set->flavor(), set->to_string());
  require(back.ok() && *back == *set);
}

void decode(const EventView& view, const FormatDescription& format, Maps& maps) {
  const EventType type = view.header.type;
  if (is_rows_event(type)) {
    walk_rows(type, view.body, format, maps);
    return;
  }
  switch (type) {
    case EventType::table_map: {
      auto map = TableMap::decode(view.body, format);
      if (!map.ok()) return;
      require(map->columns.size() <= view.body.size());
      if (maps.size() < 64) maps.insert_or_assign(map->table_id, std::move(map).value());
      return;
    }
    case EventType::query: {
      const auto query = QueryEvent::decode(view.body, format);
      if (query.ok()) (void)classify_statement(query->statement, query->sql_mode).kind;
      return;
    }
    case EventType::previous_gtids:
    case EventType::gtid_list: check_set(decode_gtid_set_event(view.header, view.body)); return;
    case EventType::rotate: {
      const auto rotate = RotateEvent::decode(view.body);
      require(!rotate.ok() ||
              (!rotate->next_file.empty() && rotate->next_file.size() < view.body.size()));
      return;
    }
    case EventType::xid: (void)XidEvent::decode(view.body).ok(); return;
    case EventType::incident: (void)IncidentEvent::decode(view.body).ok(); return;
    case EventType::xa_prepare: (void)XaPrepareEvent::decode(view.body).ok(); return;
    case EventType::heartbeat:
    case EventType::heartbeat_v2: (void)HeartbeatEvent::decode(view.header, view.body).ok(); return;
    default: (void)GtidEvent::decode(view.header, view.body, format).ok(); return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes left = std::as_bytes(std::span(data, size));
  if (left.empty()) return 0;
  const auto options = std::to_integer<unsigned>(left[0]);
  left = left.subspan(1);
  // Checksums are seldom right in made-up input: they are verified only when asked for.
  EventFramer framer((options & 1U) != 0 ? ChecksumAlg::crc32 : ChecksumAlg::off,
                     (options & 2U) != 0);
  Maps maps;
  while (!left.empty()) {
    const auto header = EventHeader::decode(left);
    if (!header.ok()) break;
    const std::size_t take = std::min<std::size_t>(
        std::max<std::size_t>(header->event_size, EventHeader::kSize), left.size());
    const auto view = framer.frame(left.first(take));
    left = left.subspan(take);
    if (view.ok() && framer.format() != nullptr) decode(*view, *framer.format(), maps);
  }
  return 0;
}
