#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/model/event_id.h"

namespace sluice::event {

// The rows of a message's body that have these ids (ascending), in the same order, each as a line
// of its own with the types of its table and a line feed; ids that are not there are passed over.
// For dead letters: it is not made for speed.  Errors: poison/queue_message for a line that cannot
// be read.
Result<std::vector<std::string>> lone_rows(std::string_view body, const std::vector<EventId>& ids);

}  // namespace sluice::event
