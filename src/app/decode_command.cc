#include "app/decode_command.h"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <thread>
#include <utility>
#include <vector>

#include "sluice/config/codec.h"
#include "sluice/config/pattern.h"
#include "sluice/decode/decoder.h"
#include "sluice/mysql/preflight.h"
#include "sluice/schema/schema_file.h"

#include "app/terminal.h"

namespace sluice::app {
namespace {

constexpr int kBadConfig = 3;

struct Arguments {
  std::vector<std::string> files;
  std::string format = "canal";
  std::string schema_file, source_config;
  std::string table;
  std::string time_zone = "+00:00";
  std::string binary = "latin1";
  std::string invalid_text = "stop";
  std::string workers = "auto";
  std::string inflated_limit = "16GiB";
  bool json = false, verify = false, no_checksums = false, follow = false, no_progress = false;
  std::uint64_t start_pos = 0;
  std::uint64_t rows_per_line = 0;
  std::uint32_t partitions = 0;
};

template <class T>
T parsed(const char* option, const std::string& text) {
  auto value = Codec<T>::parse(text);
  if (!value) throw CLI::ValidationError(option, value.error().what);
  return *value;
}

unsigned worker_count(const std::string& text) {
  const unsigned cores = std::max(std::thread::hardware_concurrency(), 1U);
  // One thread reads and checks; on a single core it encodes as well.
  if (text == "auto") return cores == 1 ? 0 : cores;
  return parsed<std::uint32_t>("--workers", text);
}

decode::DecodeOptions options_of(const Arguments& a) {
  using decode::OutputFormat;
  decode::DecodeOptions o;
  o.format = a.verify               ? OutputFormat::none
             : a.format == "rows"   ? OutputFormat::rows
             : a.format == "events" ? OutputFormat::events
                                    : OutputFormat::canal;
  o.json_events = a.json;
  o.verify_checksums = !a.no_checksums;
  o.follow = a.follow;
  o.start_pos = a.start_pos;
  if (!a.table.empty()) {
    auto pattern = Pattern::compile(a.table);
    if (!pattern) throw CLI::ValidationError("--table", pattern.error().what);
    o.tables = *pattern;
  }
  o.partitions = a.partitions;
  o.rows_per_line = a.rows_per_line;
  o.workers = worker_count(a.workers);
  o.render.time_zone_seconds = parsed<TimeZoneOffset>("--time-zone", a.time_zone).seconds();
  o.render.binary_base64 = a.binary == "base64";
  o.render.invalid_text =
      a.invalid_text == "replace" ? event::InvalidText::replace : event::InvalidText::stop;
  o.render.json_diff_text = true;
  o.unpack.transaction_bytes = parsed<ByteSize>("--inflated-limit", a.inflated_limit).bytes();
  return o;
}

// Where tables' schemas come from: a file of CREATE TABLE statements, the source, or nowhere.
decode::SchemaOpener schema_opener(const Arguments& a, const Options* config) {
  using Opened = Result<std::unique_ptr<schema::SchemaSource>>;
  if (!a.schema_file.empty())
    return [path = a.schema_file](const binlog::FormatDescription& format) -> Opened {
      schema::DdlContext context;
      context.flavor = format.flavor;
      context.version = format.version_number();
      SLUICE_TRY_ASSIGN(schema::SchemaFile file, schema::SchemaFile::open(path, context));
      return std::unique_ptr<schema::SchemaSource>(
          std::make_unique<schema::SchemaFile>(std::move(file)));
    };
  if (config != nullptr)
    return [hosts = std::make_shared<mysql::Hosts>(config->source)](
               const binlog::FormatDescription&) -> Opened {
      return std::unique_ptr<schema::SchemaSource>(
          std::make_unique<mysql::MysqlSchemaSource>(*hosts));
    };
  return {};
}

Status run(const Arguments& a, const decode::DecodeOptions& options, const Options* config) {
  std::signal(SIGPIPE, SIG_IGN);  // write() says it, and `| head` is no error
  Terminal terminal(!a.no_progress && !a.follow);
  auto totals = decode::decode(a.files, options, schema_opener(a, config), terminal);
  terminal.end();
  if (!totals)
    return totals.error().cls == ErrorClass::stopped ? Status{} : Status{std::move(totals).error()};
  if (totals->replaced_texts != 0)
    std::cerr << "sluice: " << totals->replaced_texts
              << " values had bytes that are no text, each written as U+FFFD\n";
  if (a.verify)
    std::cout << "ok: " << totals->files << (totals->files == 1 ? " file, " : " files, ")
              << totals->events << " events, " << totals->rows << " rows, " << totals->bytes
              << " bytes" << (a.no_checksums ? ", checksums not looked at" : "") << '\n';
  return {};
}

}  // namespace

void add_decode_command(CLI::App& app,
                        std::function<std::unique_ptr<Options>(const std::string&)> load,
                        std::function<int(const Status&)> finish, int& code) {
  auto arguments = std::make_shared<Arguments>();
  Arguments& a = *arguments;
  CLI::App* command =
      app.add_subcommand("decode", "binlog files to JSON or readable lines, without a server");
  command->add_option("FILE", a.files, "binlog files, - for standard input")->required();
  command
      ->add_option(
          "--format", a.format,
          "canal: FlatMessage lines; rows: one JSON line per row, both images; events: one "
          "line per event")
      ->check(CLI::IsMember({"canal", "rows", "events"}))
      ->capture_default_str();
  command->add_flag("--json", a.json, "format events: JSON lines instead of columns");
  auto* schema_file =
      command
          ->add_option("--schema", a.schema_file,
                       "CREATE TABLE statements, as mysqldump --no-data writes them: names, signs, "
                       "character sets and types where the binlog does not tell them")
          ->type_name("FILE");
  command
      ->add_option("--source-config", a.source_config,
                   "Sluice configuration whose source is asked for the tables as they are now")
      ->type_name("FILE")
      ->excludes(schema_file);
  command
      ->add_option("--start-pos", a.start_pos,
                   "begin here in the first file: where an event begins")
      ->type_name("N");
  command
      ->add_option("--table", a.table,
                   "only tables whose database.table fits this regular expression")
      ->type_name("REGEX");
  command->add_flag("--verify", a.verify,
                    "print nothing: only check sums and structure, every row cut into its columns");
  command->add_flag("--no-checksums", a.no_checksums, "do not verify the events' CRC32");
  command->add_flag("--follow,-f", a.follow,
                    "at the end of a file wait for more, until the server closes it");
  command
      ->add_option("--partitions", a.partitions,
                   "format canal: lines as the queue's partitions get them; 0: one line per event")
      ->capture_default_str();
  command
      ->add_option("--rows-per-line", a.rows_per_line,
                   "format canal: most rows of a line; 0: no limit")
      ->capture_default_str();
  command->add_option("--time-zone", a.time_zone, "offset TIMESTAMP values are shown in")
      ->capture_default_str();
  command
      ->add_option("--binary", a.binary,
                   "BINARY and BLOB values: latin1 (as U+0000..U+00FF) or base64")
      ->check(CLI::IsMember({"latin1", "base64"}))
      ->capture_default_str();
  command
      ->add_option("--invalid-text", a.invalid_text,
                   "bytes that are no text in their character set: stop, or replace each by U+FFFD")
      ->check(CLI::IsMember({"stop", "replace"}))
      ->capture_default_str();
  command
      ->add_option("--workers", a.workers, "threads that encode; 0: none beside the one that reads")
      ->type_name("auto|N")
      ->capture_default_str();
  command
      ->add_option("--inflated-limit", a.inflated_limit,
                   "most bytes a compressed transaction may inflate to; 0: no limit")
      ->capture_default_str();
  command->add_flag("--no-progress", a.no_progress, "no progress line on the terminal");
  command->callback([arguments, load = std::move(load), finish = std::move(finish), &code] {
    const decode::DecodeOptions options = options_of(*arguments);
    std::unique_ptr<Options> config;
    if (!arguments->source_config.empty() && (config = load(arguments->source_config)) == nullptr) {
      code = kBadConfig;
      return;
    }
    code = finish(run(*arguments, options, config.get()));
  });
}

}  // namespace sluice::app
