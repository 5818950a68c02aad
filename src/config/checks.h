#pragma once
#include "sluice/config/options.h"

#include "config/reader.h"

namespace sluice::config {

// What no option can tell alone: problems of values, and of values that do not go together.
void check_together(const Options& options, Reader& reader);
// Of check_together(): one entry of `mappings`; `path` names it.
void check_mapping(const MappingOptions& mapping, const std::string& path, const Options& options,
                   Reader& reader);
// Of check_together(): mappings that would overwrite each other, as far as their templates tell.
void check_shared_keys(const Options& options, Reader& reader);

}  // namespace sluice::config
