#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "sluice/base/log.h"
#include "sluice/config/load.h"
#include "sluice/config/show.h"
#include "sluice/model/binlog_position.h"
#include "sluice/pipeline/commands.h"
#include "sluice/pipeline/exit_code.h"

#include "app/dead_command.h"
#include "app/decode_command.h"
#include "app/script_command.h"
#include "app/version.h"

namespace sluice::app {
namespace {

constexpr int kUsage = 2;
constexpr int kBadConfig = 3;

int finish(const Status& status) {
  if (status.ok()) return 0;
  std::cerr << "sluice: " << to_string(status.error()) << '\n';
  return pipeline::exit_code(status.error());
}

std::unique_ptr<Options> load(const std::string& path) {
  LoadResult result = load_file(path);
  for (const Problem& warning : result.warnings)
    std::cerr << "warning: " << warning.to_string() << '\n';
  for (const Problem& problem : result.problems) std::cerr << problem.to_string() << '\n';
  if (!result.ok())
    std::cerr << "sluice: " << result.problems.size()
              << (result.problems.size() == 1 ? " problem" : " problems") << " in " << path << '\n';
  return std::move(result.options);
}

Status configure_log(const LogOptions& options) {
  log::Settings settings;
  settings.format =
      options.format() == LogOptions::Format::json ? log::Format::json : log::Format::text;
  switch (options.level()) {
    case LogOptions::Level::trace: settings.level = "trace"; break;
    case LogOptions::Level::debug: settings.level = "debug"; break;
    case LogOptions::Level::info: settings.level = "info"; break;
    case LogOptions::Level::warn: settings.level = "warn"; break;
    case LogOptions::Level::error: settings.level = "error"; break;
  }
  settings.file = options.file();
  settings.rotate_bytes = options.rotate_bytes().bytes();
  settings.rotate_keep = options.rotate_keep();
  return log::configure(settings);
}

int run(Options& options) {
  if (Status s = configure_log(options.log); !s.ok()) return finish(s);
  auto& log = log::get("app");
  log.info("sluice {} starting instance={}", kVersion, options.instance());
  const Status s = pipeline::run(options);
  if (s.ok()) {
    log.info("stopped exit=0");
    log::flush();
    return 0;
  }
  const int code = pipeline::exit_code(s.error());
  log.error("{} exit={}", to_string(s.error()), code);
  log::flush();
  return code;
}

// Reads "30s", "500ms", "2min" as the configuration does.
std::chrono::milliseconds parse_timeout(const std::string& text) {
  const auto time = Codec<Duration>::parse(text);
  if (!time) throw CLI::ValidationError("--timeout", time.error().what);
  return *time;
}

// A place as `position set` is told it; one of the three is given.
struct PlaceArguments {
  std::string position, gtid_set, timestamp;
};
Result<StartPosition> place_of(const PlaceArguments& arguments) {
  StartPosition place;
  if (!arguments.position.empty()) {
    SLUICE_TRY_ASSIGN(BinlogPosition position, BinlogPosition::parse(arguments.position));
    place.kind = StartPosition::Kind::position;
    place.file = std::move(position.file);
    place.pos = position.pos;
  } else if (!arguments.timestamp.empty()) {
    auto seconds = parse_utc_time(arguments.timestamp);
    if (!seconds) return fatal(Errc::usage, seconds.error().what);
    place.kind = StartPosition::Kind::timestamp;
    place.seconds = *seconds;
  } else {
    place.kind = StartPosition::Kind::gtid;
    place.gtid_set = arguments.gtid_set;
  }
  return place;
}

int main_with_arguments(int argc, char** argv) {
  CLI::App app("Sluice keeps Redis in step with MySQL: binlog -> RabbitMQ -> Redis.");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("sluice ") + kVersion);
  std::string config;
  const auto needs_config = [&config](CLI::App* command) {
    command->add_option("--config,-c", config, "configuration file")->required()->type_name("FILE");
    return command;
  };
  int code = 0;
  const auto with_options = [&](const std::function<int(Options&)>& act) {
    return [&config, &code, act] {
      const std::unique_ptr<Options> options = load(config);
      code = options ? act(*options) : kBadConfig;
    };
  };
  // For what deals with an instance that may have run.
  const auto with_instance = [&](const std::function<int(Options&)>& act) {
    return with_options([act](Options& options) {
      if (const auto configured = pipeline::take_saved_partitions(options))
        std::cerr << "sluice: warning: queue.partitions is " << *configured << " in the file and "
                  << options.queue.partitions() << " in use; `sluice repartition " << *configured
                  << "` changes it\n";
      return act(options);
    });
  };

  needs_config(app.add_subcommand("run", "replicate until SIGTERM or SIGINT"))
      ->callback(with_instance(run));

  needs_config(app.add_subcommand(
                   "check", "look at configuration, source, broker and Redis; change nothing"))
      ->callback(
          with_instance([](const Options& o) { return finish(pipeline::check(o, std::cout)); }));

  auto* config_command = app.add_subcommand("config", "show configurations");
  config_command->require_subcommand(1);
  needs_config(
      config_command->add_subcommand("print", "the effective configuration, secrets as ***"))
      ->callback(with_options([](const Options& o) {
        std::cout << print_effective(o);
        return 0;
      }));
  config_command->add_subcommand("example", "every option with its default, as YAML")->callback([] {
    std::cout << example_yaml();
  });
  config_command->add_subcommand("reference", "every option, as Markdown")->callback([] {
    std::cout << reference_markdown();
  });

  pipeline::WaitTarget target;
  std::string timeout = "30s";
  auto* wait = needs_config(
      app.add_subcommand("wait", "wait until Redis holds all rows up to a place of the source"));
  auto* place = wait->add_option_group("place");
  place->add_option("--pos", target.position, "binlog position")->type_name("FILE:POS");
  place->add_option("--gtid", target.gtid_set, "GTID set, of either server family")
      ->type_name("SET");
  place->require_option(1);
  wait->add_option("--epoch", target.epoch,
                   "epoch that the position is of (`sluice position show`); without: the saved one")
      ->type_name("N");
  wait->add_option("--timeout", timeout, "longest wait")->type_name("TIME")->capture_default_str();
  wait->callback(with_instance([&](const Options& o) {
    return finish(pipeline::wait(o, target, parse_timeout(timeout), std::cout));
  }));

  auto* position = app.add_subcommand("position", "the saved position");
  position->require_subcommand(1);
  needs_config(position->add_subcommand("show", "saved position, watermark, and what lies between"))
      ->callback(with_instance(
          [](const Options& o) { return finish(pipeline::position_show(o, std::cout)); }));
  PlaceArguments set_to;
  auto* set = needs_config(position->add_subcommand(
      "set", "go on behind a place that was refused (the daemon is stopped)"));
  auto* goal = set->add_option_group("place");
  goal->add_option("position,--pos", set_to.position, "binlog position, a transaction's end")
      ->type_name("FILE:POS");
  goal->add_option("--gtid", set_to.gtid_set, "behind a GTID set")->type_name("SET");
  goal->add_option("--timestamp", set_to.timestamp,
                   "before the first transaction of that time (UTC) or later")
      ->type_name("TIME");
  goal->require_option(1);
  set->callback(with_instance([&](const Options& o) {
    const auto to = place_of(set_to);
    return finish(to ? pipeline::position_set(o, *to, std::cout) : Status(to.error()));
  }));
  needs_config(position->add_subcommand("relayout",
                                        "take over changed filter, tables or rendering "
                                        "(all applied, daemon stopped)"))
      ->callback(with_instance(
          [](const Options& o) { return finish(pipeline::position_relayout(o, std::cout)); }));

  std::uint32_t partitions = 0;
  std::string patience = "10min";
  auto* repartition = needs_config(app.add_subcommand(
      "repartition", "change the number of partition queues; a running daemon does it by itself"));
  repartition->add_option("partitions", partitions, "how many there are to be")
      ->type_name("N")
      ->required()
      ->check(CLI::Range(1U, 1024U));
  repartition->add_option("--timeout", patience, "longest wait for the daemon")
      ->type_name("TIME")
      ->capture_default_str();
  repartition->callback(with_instance([&](const Options& o) {
    return finish(pipeline::repartition(o, partitions, parse_timeout(patience), std::cout));
  }));

  auto* schema = app.add_subcommand("schema", "the history of table definitions");
  schema->require_subcommand(1);
  std::string table;
  auto* show = needs_config(
      schema->add_subcommand("show", "what is known of the tables at the saved position"));
  show->add_option("table", table, "one table: its columns and keys")->type_name("DB.TABLE");
  show->callback(with_instance(
      [&](const Options& o) { return finish(pipeline::schema_show(o, table, std::cout)); }));
  auto* refresh = needs_config(schema->add_subcommand(
      "refresh", "read a table from the source anew (the daemon is stopped)"));
  refresh->add_option("table", table, "the table")->type_name("DB.TABLE")->required();
  refresh->callback(with_instance(
      [&](const Options& o) { return finish(pipeline::schema_refresh(o, table, std::cout)); }));

  bool yes = false;
  auto* position_reset = needs_config(position->add_subcommand(
      "reset", "go to source.start anew; queues and rows stay (the daemon is stopped)"));
  position_reset->add_flag("--yes", yes, "do it; without it only tells");
  position_reset->callback(with_instance(
      [&](const Options& o) { return finish(pipeline::position_reset(o, yes, std::cout)); }));
  auto* reset = needs_config(
      app.add_subcommand("reset", "forget this instance: its queues, records and state file"));
  reset->add_flag("--yes", yes, "do it; without it only tells");
  reset->callback(
      with_instance([&](const Options& o) { return finish(pipeline::reset(o, yes, std::cout)); }));

  add_dead_command(app, needs_config, with_instance, finish);
  add_decode_command(app, load, finish, code);
  add_script_command(app, load, finish, code);

  app.add_subcommand("version", "print the version")->callback([] {
    std::cout << "sluice " << kVersion << '\n';
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  return code;
}

}  // namespace
}  // namespace sluice::app

int main(int argc, char** argv) {
  try {
    return sluice::app::main_with_arguments(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "sluice: " << e.what() << '\n';
    return 1;
  }
}
