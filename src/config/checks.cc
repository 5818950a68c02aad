#include "config/checks.h"

#include <algorithm>
#include <set>

namespace sluice::config {
namespace {

// It becomes a part of queue names, Redis keys and unit names.
bool is_instance_name(std::string_view name) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr std::size_t kLongest = 64;
  return !name.empty() && name.size() <= kLongest &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

void check_tls(const TlsOptions& tls, const std::string& path, Reader& reader) {
  if (!tls.cert().empty() && tls.key().empty())
    reader.problem(reader.place_of(tls.cert), path + ".cert: is given without key");
  if (tls.cert().empty() && !tls.key().empty())
    reader.problem(reader.place_of(tls.key), path + ".key: is given without cert");
}

void check_preferred(const TlsOptions& tls, const std::string& path, const std::string& who_cannot,
                     Reader& reader) {
  if (tls.mode() == TlsOptions::Mode::preferred)
    reader.problem(reader.place_of(tls.mode),
                   path + ".mode: " + who_cannot + " has TLS: required, or disabled");
}

void check_host(const Option<std::string>& host, const std::string& socket, const std::string& path,
                Reader& reader) {
  if (host().empty() && socket.empty())
    reader.problem(reader.place_of(host), path + ".host: is empty");
}

void check_cluster(const RedisOptions& redis, Reader& reader) {
  const auto refuse = [&reader](const OptionBase& option) {
    reader.problem(reader.place_of(option),
                   "redis." + std::string(option.name()) + ": does not go with cluster");
  };
  if (!redis.socket().empty()) refuse(redis.socket);
  if (!redis.sentinels().empty()) refuse(redis.sentinels);
  if (redis.host.yaml() != redis.host.default_yaml()) refuse(redis.host);
  if (redis.port.yaml() != redis.port.default_yaml()) refuse(redis.port);
  if (redis.database() != 0)
    reader.problem(reader.place_of(redis.database), "redis.database: a cluster has only 0");
}

void check_redis(const RedisOptions& redis, Reader& reader) {
  if (!redis.cluster().empty()) check_cluster(redis, reader);
  check_host(redis.host, redis.socket(), "redis", reader);
  const bool sentinels = !redis.sentinels().empty();
  if (sentinels && redis.sentinel_master().empty())
    reader.problem(reader.place_of(redis.sentinels),
                   "redis.sentinels: need sentinel_master, the name by which they know the master");
  if (!sentinels && !redis.sentinel_master().empty())
    reader.problem(reader.place_of(redis.sentinel_master),
                   "redis.sentinel_master: is given without sentinels");
  if (sentinels && !redis.socket().empty())
    reader.problem(reader.place_of(redis.socket), "redis.socket: does not go with sentinels");
  check_tls(redis.tls, "redis.tls", reader);
  check_preferred(redis.tls, "redis.tls", "Redis cannot be asked whether it", reader);
  if (redis.tls.mode() != TlsOptions::Mode::disabled && !redis.socket().empty())
    reader.problem(reader.place_of(redis.tls.mode),
                   "redis.tls.mode: a unix socket is not encrypted: disabled, or host instead of "
                   "socket");
}

void check_rules(const TableOptions& table, const std::string& path, Reader& reader) {
  const LogicalTable& logical = table.logical();
  for (const std::string& name : {logical.database, logical.table})
    if (const Status s = table.match().check_rewrite(name); !s.ok())
      reader.problem(reader.place_of(table.logical), path + ".logical: " + s.error().what);
  if (const Operations& all = table.operations(); !all.insert && !all.update && !all.remove)
    reader.problem(reader.place_of(table.operations),
                   path + ".operations: is empty; filter.exclude leaves a table out");
  const auto& masks = table.mask();
  const bool hashes = std::any_of(masks.begin(), masks.end(),
                                  [](const Mask& mask) { return mask.kind == Mask::Kind::sha256; });
  if (hashes && table.mask_salt().empty()) {
    const Place place = reader.place_of(table.mask);
    reader.warnings.push_back(
        {reader.file(), place.line, place.column,
         path + ".mask: sha256 without mask_salt: who guesses a value can tell that it is there"});
  }
}

void check_table(const TableOptions& table, const std::string& path, Reader& reader) {
  const auto& columns = table.partition_by();
  if (!columns.empty() && table.single_partition())
    reader.problem(reader.place_of(table.partition_by),
                   path + ".partition_by: does not go with single_partition: true");
  std::set<std::string_view> seen;
  for (const std::string& column : columns) {
    if (column.empty())
      reader.problem(reader.place_of(table.partition_by),
                     path + ".partition_by: a column's name is empty");
    if (seen.insert(column).second) continue;
    std::string problem = path;
    problem.append(".partition_by: column ").append(column).append(" is there twice");
    reader.problem(reader.place_of(table.partition_by), problem);
  }
  if (!table.script_key_columns().empty() && table.script().empty())
    reader.problem(reader.place_of(table.script_key_columns),
                   path + ".script_key_columns: is given without script");
  if (table.script_inexact() && table.script().empty())
    reader.problem(reader.place_of(table.script_inexact),
                   path + ".script_inexact: is given without script");
  check_rules(table, path, reader);
}

}  // namespace

void check_together(const Options& options, Reader& reader) {
  if (!is_instance_name(options.instance()))
    reader.problem(reader.place_of(options.instance),
                   "instance: 1 to 64 letters, digits, - and _ are expected");
  if (options.state_dir().empty())
    reader.problem(reader.place_of(options.state_dir), "state_dir: is empty");
  check_host(options.source.host, options.source.socket(), "source", reader);
  check_host(options.queue.host, "", "queue", reader);
  check_redis(options.redis, reader);
  check_tls(options.source.tls, "source.tls", reader);
  check_tls(options.queue.tls, "queue.tls", reader);
  check_preferred(options.queue.tls, "queue.tls", "AMQP cannot ask whether the broker", reader);
  if (options.applier.min() > options.applier.max())
    reader.problem(reader.place_of(options.applier.min), "applier.min: is above applier.max");
  for (std::size_t i = 0; i < options.tables.size(); ++i) {
    const TableOptions& table = options.tables()[i];
    const std::string path = "tables[" + std::to_string(i) + "]";
    check_table(table, path, reader);
    for (std::size_t n = 0; n < table.mappings.size(); ++n)
      check_mapping(table.mappings()[n], path + ".mappings[" + std::to_string(n) + "]", options,
                    reader);
    if (!table.when().empty() && options.source.row_image() == SourceOptions::RowImage::any)
      reader.problem(reader.place_of(table.when),
                     path + ".when: needs whole rows; it does not go with source.row_image: any");
  }
  check_shared_keys(options, reader);
}

}  // namespace sluice::config
