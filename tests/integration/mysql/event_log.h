#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/event_source.h"
#include "sluice/binlog/table_map.h"

namespace sluice::mysql {

// An event with bytes of its own.
struct KeptEvent {
  binlog::EventHeader header;
  std::vector<std::byte> body;
};

// Reads and frames events until `last` says so; an error fails the test and ends the reading.
inline std::vector<KeptEvent> read_until(binlog::EventSource& source, binlog::EventFramer& framer,
                                         const std::function<bool(const KeptEvent&)>& last) {
  std::vector<KeptEvent> out;
  do {
    const auto bytes = source.next();
    EXPECT_TRUE(bytes.ok()) << to_string(bytes.error());
    if (!bytes) return out;
    const auto event = framer.frame(*bytes);
    EXPECT_TRUE(event.ok()) << to_string(event.error());
    if (!event) return out;
    out.push_back(KeptEvent{event->header, {event->body.begin(), event->body.end()}});
  } while (!last(out.back()));
  return out;
}

inline bool is(const KeptEvent& event, binlog::EventType type) {
  return event.header.type == type;
}
inline bool is_row_event(const KeptEvent& event) {
  return is(event, binlog::EventType::write_rows) || is(event, binlog::EventType::write_rows_v1);
}

// The table maps among these events.
inline std::vector<binlog::TableMap> maps_of(const std::vector<KeptEvent>& events,
                                             const binlog::FormatDescription& format) {
  std::vector<binlog::TableMap> out;
  for (const KeptEvent& e : events) {
    if (!is(e, binlog::EventType::table_map)) continue;
    auto map = binlog::TableMap::decode(e.body, format);
    EXPECT_TRUE(map.ok()) << to_string(map.error());
    if (map) out.push_back(std::move(map).value());
  }
  return out;
}

}  // namespace sluice::mysql
