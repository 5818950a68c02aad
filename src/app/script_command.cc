#include "app/script_command.h"

#include <iostream>
#include <utility>

#include "sluice/pipeline/commands.h"

namespace sluice::app {
namespace {

constexpr int kFailed = 1;

struct Arguments {
  std::string script, input, config;
};

}  // namespace

void add_script_command(CLI::App& app,
                        std::function<std::unique_ptr<Options>(const std::string&)> load,
                        std::function<int(const Status&)> finish, int& code) {
  auto* script = app.add_subcommand("script", "the scripts of tables");
  script->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  auto* test = script->add_subcommand(
      "test", "run a script on message lines and print the commands (exit 1: it failed for a row)");
  test->add_option("script", arguments->script, "the Lua file")->type_name("FILE")->required();
  test->add_option("--input", arguments->input, "file of message lines (docs/format.md)")
      ->type_name("FILE")
      ->required();
  test->add_option("--config,-c", arguments->config, "for its limits and rendering")
      ->type_name("FILE");
  test->callback([arguments, load = std::move(load), finish = std::move(finish), &code] {
    auto options =
        arguments->config.empty() ? std::make_unique<Options>() : load(arguments->config);
    const Status s =
        options ? pipeline::script_test(*options, arguments->script, arguments->input, std::cout)
                : fatal(Errc::config_invalid, "no limits to test with");
    code = finish(s);
    if (!s.ok() && s.error().code == Errc::usage) code = kFailed;
  });
}

}  // namespace sluice::app
