#pragma once
#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "sluice/base/result.h"
#include "sluice/config/options.h"

namespace sluice::app {

// `sluice script test`.  Arguments as those of add_decode_command().
void add_script_command(CLI::App& app,
                        std::function<std::unique_ptr<Options>(const std::string&)> load,
                        std::function<int(const Status&)> finish, int& code);

}  // namespace sluice::app
