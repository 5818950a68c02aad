#pragma once
#include "sluice/config/options.h"

#include "config/reader.h"

namespace sluice::config {

// What no option can tell alone: problems of values, and of values that do not go together.
void check_together(const Options& options, Reader& reader);

}  // namespace sluice::config
