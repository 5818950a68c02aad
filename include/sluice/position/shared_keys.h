#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/position/state_file.h"

namespace sluice::position {

// What processes of one instance on several hosts tell each other through Redis.
std::string layout_key(std::string_view instance);   // sluice:<instance>:layout
std::string members_key(std::string_view instance);  // sluice:<instance>:members
std::string mirror_key(std::string_view instance);   // sluice:<instance>:mirror
// sluice:<instance>:emptied: of each table that a statement emptied last, which one it was.
std::string emptied_key(std::string_view instance);

// The layout that the publisher works with; compact JSON, version 1.
std::string encode(const Layout& layout);
// Errors: fatal/position_damaged; fatal/position_mismatch for a later version.
Result<Layout> parse_layout(std::string_view text);

}  // namespace sluice::position
