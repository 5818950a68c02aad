#pragma once
#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "sluice/base/result.h"
#include "sluice/config/options.h"

namespace sluice::app {

// `sluice decode`: its options, and what runs when it was chosen.  `load`: reads a configuration
// file, null when it has problems, which are said already.  `finish`: says how it ended, gives the
// exit code.
void add_decode_command(CLI::App& app,
                        std::function<std::unique_ptr<Options>(const std::string&)> load,
                        std::function<int(const Status&)> finish, int& code);

}  // namespace sluice::app
