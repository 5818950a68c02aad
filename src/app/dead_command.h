#pragma once
#include <functional>

#include <CLI/CLI.hpp>

#include "sluice/base/result.h"
#include "sluice/config/options.h"

namespace sluice::app {

// `sluice dead list|show|replay|drop`.  `needs_config` gives a command its --config; `with_options`
// makes a callback of what is done with the options; `finish` says how it ended, gives the exit
// code.
void add_dead_command(
    CLI::App& app, const std::function<CLI::App*(CLI::App*)>& needs_config,
    const std::function<std::function<void()>(std::function<int(const Options&)>)>& with_options,
    const std::function<int(const Status&)>& finish);

}  // namespace sluice::app
