#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/binlog/event.h"

namespace sluice::decode {

// What an event says, as names and values in the order they are shown.
struct EventField {
  std::string_view name;  // static storage
  std::string text;
  bool number = false;
};
using EventFields = std::vector<EventField>;

// Decodes the event's body.  Nothing for events that say nothing, or nothing of interest.  Errors:
// those of the event's decoder.
Result<EventFields> event_fields(const binlog::EventView& event,
                                 const binlog::FormatDescription& format);

}  // namespace sluice::decode
