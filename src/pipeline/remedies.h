#pragma once
#include <string_view>

namespace sluice::pipeline {

// What to do when Redis lacks rows that cannot be sent again.
inline constexpr std::string_view kRebuild =
    "Nothing was skipped, and nothing is applied until somebody acts: stop all processes of the "
    "instance, `sluice reset --config FILE --yes` (removes its queues and records; rows in Redis "
    "stay), set source.start to `earliest` where the binlogs go back to the first row, else load "
    "the tables into Redis anew and set it to the place of that copy; then start";

}  // namespace sluice::pipeline
