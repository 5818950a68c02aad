#pragma once
// What can be said about a configuration, and about configurations in general.
#include <string>

#include "sluice/config/options.h"

namespace sluice {

// The whole configuration in force as YAML; loads back to the same, but for secrets, which are
// "***".
std::string print_effective(const Options& options);

// config/sluice.example.yaml: every option with its sentence, range and default, as a comment.
// Loads as it is and gives the defaults.
std::string example_yaml();

// docs/configuration.md.
std::string reference_markdown();

// 16 hex digits that change when the meaning of messages does: which tables are taken, how their
// rows are partitioned and how values are written.  The number of partitions is not in it.  The
// same over versions and machines.
std::string layout_fingerprint(const Options& options);

}  // namespace sluice
