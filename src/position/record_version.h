#pragma once
#include <string_view>

#include "sluice/base/result.h"

#include "json_members.h"

namespace sluice::position {

// Of the records in Redis.
Error damaged_record(std::string_view what, std::string_view problem);
// Checks that it is an object of a version we know.  Errors: fatal/position_damaged,
// fatal/position_mismatch.
Status check_record_version(std::string_view what, Members& members);

}  // namespace sluice::position
