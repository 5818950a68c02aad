#include "app/dead_command.h"

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "sluice/config/codec.h"
#include "sluice/pipeline/commands.h"

namespace sluice::app {
namespace {

// What the four commands are told.
struct Arguments {
  pipeline::LetterChoice choice;
  bool yes = false;
  std::string timeout = "60s";
};

void add_choice(CLI::App* command, Arguments& arguments) {
  command->add_option("--table", arguments.choice.table, "pattern for the whole of DB.TABLE")
      ->type_name("RE");
  command
      ->add_option("--reason", arguments.choice.reason,
                   "WRONGTYPE, oversize, no_key, script, unreadable")
      ->type_name("WORD");
  command->add_option("--id", arguments.choice.id, "one letter, by its id")->type_name("ID");
  command->add_option("--limit", arguments.choice.limit, "the oldest N of them")->type_name("N");
}

}  // namespace

void add_dead_command(
    CLI::App& app, const std::function<CLI::App*(CLI::App*)>& needs_config,
    const std::function<std::function<void()>(std::function<int(const Options&)>)>& with_options,
    const std::function<int(const Status&)>& finish) {
  auto* dead = app.add_subcommand("dead", "rows that are not in Redis: dead letters");
  dead->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* what) {
    auto* command = needs_config(dead->add_subcommand(name, what));
    add_choice(command, *arguments);
    return command;
  };
  add("list", "one line a letter, the oldest first")
      ->callback(with_options([arguments, finish](const Options& o) {
        return finish(pipeline::dead_list(o, arguments->choice, std::cout));
      }));
  add("show", "headers and body of letters")
      ->callback(with_options([arguments, finish](const Options& o) {
        return finish(pipeline::dead_show(o, arguments->choice, std::cout));
      }));
  auto* drop = add("drop", "remove letters; Redis stays as it is");
  drop->add_flag("--yes", arguments->yes, "do it; without it only tells");
  drop->callback(with_options([arguments, finish](const Options& o) {
    return finish(pipeline::dead_drop(o, arguments->choice, arguments->yes, std::cout));
  }));
  auto* replay = add("replay",
                     "bring Redis to what the source has now, and remove the letters "
                     "(the daemon runs)");
  replay->add_option("--timeout", arguments->timeout, "longest wait for the daemon")
      ->type_name("TIME")
      ->capture_default_str();
  replay->callback(with_options([arguments, finish](const Options& o) {
    const auto timeout = Codec<Duration>::parse(arguments->timeout);
    if (!timeout) throw CLI::ValidationError("--timeout", timeout.error().what);
    return finish(pipeline::dead_replay(o, arguments->choice, *timeout, std::cout));
  }));
}

}  // namespace sluice::app
