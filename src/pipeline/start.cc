#include "pipeline/start.h"

#include "sluice/base/host.h"
#include "sluice/base/log.h"
#include "sluice/config/show.h"
#include "sluice/position/applied_record.h"
#include "sluice/position/shared_keys.h"

namespace sluice::pipeline {
namespace {

// What an earlier run has left.  The number of partitions may have been another one
// (`sluice repartition`), so what does not depend on it is looked for, too.
Status refuse_traces(const Options& options, queue::Admin& admin, redis::Connection& redis) {
  const queue::Names names = names_of(options);
  std::vector<std::string> queues{names.control()},
      keys{position::layout_key(names.instance), position::watermark_key(names.instance)};
  for (std::uint32_t n = 0; n < names.partitions; ++n) {
    queues.push_back(names.partition(n));
    keys.push_back(position::applied_key(names.instance, names.partitions, n));
  }
  // Made by hand before the first start they say nothing.
  if (options.queue.type() == QueueOptions::Type::existing) queues.clear();
  std::string found;
  for (auto queue = queues.begin(); queue != queues.end() && found.empty(); ++queue) {
    SLUICE_TRY_ASSIGN(const auto info, admin.inspect(*queue));
    if (info) found = "queue " + *queue + " exists";
  }
  for (auto key = keys.begin(); key != keys.end() && found.empty(); ++key) {
    SLUICE_TRY_ASSIGN(const auto reply, redis.command({"EXISTS", *key}));
    if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
    if (reply.integer != 0) found = "Redis holds " + *key;
  }
  if (found.empty()) return {};
  return fatal(Errc::position_missing,
               "no state file in " + options.state_dir() + ", but " + found + ": instance \"" +
                   options.instance() +
                   "\" has run before. Put its state file back, or give this one another instance "
                   "name, or start anew: `sluice reset --config FILE --yes` removes its queues and "
                   "records (rows in Redis stay)");
}

}  // namespace

mysql::ReplicaIdentity replica_identity(const Options& options) {
  mysql::ReplicaIdentity id = mysql::derived_identity(options.instance() + "@" + host_name(), 1);
  if (options.source.server_id() != 0) id.server_id = options.source.server_id();
  return id;
}

position::Layout layout_of(const Options& options) {
  return {options.queue.partitions(), layout_fingerprint(options)};
}

queue::Names names_of(const Options& options) {
  return {options.instance(), options.queue.partitions(), options.queue.publish_ddl(),
          options.queue.oversize() == QueueOptions::Oversize::dead_letter};
}

std::filesystem::path held_xa_folder(const Options& options) {
  return std::filesystem::path(options.state_dir()) / "xa";
}

position::SourceState source_state(const mysql::SourceIdentity& identity) {
  position::SourceState s;
  s.flavor = flavor_name(identity.flavor);
  s.server_uuid = identity.server_uuid;
  s.server_id = identity.server_id;
  s.domain_id = identity.domain_id;
  s.binlog_base = identity.binlog_base;
  return s;
}

Status same_flavor(const position::SourceState& saved, const mysql::ServerInfo& now) {
  const std::string is(flavor_name(now.flavor));
  if (saved.flavor == is) return {};
  return fatal(Errc::mysql_identity,
               "the source is " + is + " " + now.version + ", and this instance followed " +
                   saved.flavor +
                   ": positions and GTIDs of the one mean nothing to the other. Point source.host "
                   "back, or load the data anew and take this server: `sluice position reset "
                   "--config FILE --yes`");
}

mysql::TableTest tables_of(const TableFilter& filter) {
  return [&filter](std::string_view database, std::string_view table) {
    return filter.takes(database, table);
  };
}

bool same_server(const position::SourceState& saved, const position::SourceState& now) {
  return saved.flavor == now.flavor && saved.server_uuid == now.server_uuid &&
         (saved.flavor != flavor_name(Flavor::mariadb) ||
          (saved.server_id == now.server_id && saved.domain_id == now.domain_id));
}

Status same_source(const position::SourceState& saved, const position::SourceState& current) {
  std::string what;
  const auto differs = [&what](std::string_view name, const std::string& was,
                               const std::string& is) {
    if (was != is)
      what +=
          std::string(what.empty() ? "" : ", ") + std::string(name) + " was " + was + ", is " + is;
  };
  differs("flavour", saved.flavor, current.flavor);
  differs("server_uuid", saved.server_uuid, current.server_uuid);
  if (saved.flavor == flavor_name(Flavor::mariadb)) {
    differs("server_id", std::to_string(saved.server_id), std::to_string(current.server_id));
    differs("gtid_domain_id", std::to_string(saved.domain_id), std::to_string(current.domain_id));
  }
  differs("log_bin base name", saved.binlog_base, current.binlog_base);
  if (what.empty()) return {};
  return fatal(
      Errc::mysql_identity,
      "the source is not the server this instance followed (" + what +
          "): its positions mean nothing there, and there are no GTIDs to find the place by. "
          "Point source.host back, or go on with this server as it is: set source.start, "
          "`sluice position reset --config FILE --yes`, and compare the tables");
}

Error other_history(const std::string& what) {
  return fatal(Errc::mysql_identity,
               what +
                   ". Load the data anew: set source.start, `sluice position reset --config "
                   "FILE --yes`, and compare the tables");
}

Error other_file(const std::string& name) {
  return other_history(name +
                       " on the source is not the file that was read before under this name: its "
                       "binlog was reset, or the server was restored");
}

Status require(const std::vector<mysql::Finding>& findings) {
  std::string text;
  for (const mysql::Finding& f : findings) {
    if (f.fatal)
      text += (text.empty() ? "" : "; ") + f.problem + " -> " + f.remedy;
    else
      log::get("mysql").warn("{} -> {}", f.problem, f.remedy);
  }
  if (text.empty()) return {};
  return fatal(Errc::mysql_preflight, std::move(text));
}

namespace {

// Where a first start begins.
Result<Place> first_place(const Options& options, const mysql::ReplicaIdentity& identity,
                          mysql::Connection& source) {
  auto place = find_place(options, identity, source, options.source.start());
  if (place || place.error().code != Errc::mysql_binlog_purged ||
      options.source.on_purged() != SourceOptions::OnPurged::earliest)
    return place;
  StartPosition earliest;
  earliest.kind = StartPosition::Kind::earliest;
  SLUICE_TRY_ASSIGN(auto oldest, find_place(options, identity, source, earliest));
  log::get("mysql").error(
      "source.start is not in the source's binlog any more, rows are lost; beginning at the oldest "
      "place there is (source.on_purged) position={} reason=\"{}\"",
      oldest.position.to_string(), place.error().what);
  return oldest;
}

}  // namespace

Result<StartPlan> plan_start(const Options& options, std::optional<position::State> saved,
                             mysql::Connection& source, queue::Admin& admin,
                             redis::Connection& redis) {
  SLUICE_TRY_ASSIGN(const auto identity, mysql::read_source_identity(source));
  const auto replica = replica_identity(options);
  const position::Layout layout = layout_of(options);
  StartPlan plan;
  if (saved) {
    plan.state = std::move(*saved);
    if (plan.state.instance != options.instance())
      return fatal(Errc::position_mismatch, "the state file in " + options.state_dir() +
                                                " belongs to instance \"" + plan.state.instance +
                                                "\", not to \"" + options.instance() + "\"");
    if (plan.state.layout != layout)
      return fatal(
          Errc::position_mismatch,
          "filter, tables, rendering or partitions differ from what the messages in the queues "
          "were "
          "made with (" +
              std::to_string(plan.state.layout.partitions) + " partitions, layout " +
              plan.state.layout.fingerprint + "; now " + std::to_string(layout.partitions) + ", " +
              layout.fingerprint +
              "). Run with the old settings until `sluice position show` says that all is applied, "
              "stop, then `sluice position relayout --config FILE`");
    SLUICE_TRY_ASSIGN(plan.gtids, GtidSet::parse(identity.flavor, plan.state.gtid_set));
    // Another server's place is looked for by the source's thread.
    if (!same_source(plan.state.source, source_state(identity)).ok()) return plan;
    SLUICE_TRY_ASSIGN(const auto place, place_behind_purged(options, replica, source,
                                                            plan.state.position, plan.gtids));
    if (place) {
      plan.jumped = true;
      plan.state.position = place->position;
      plan.state.source.file_timestamp = plan.state.source.file_fingerprint = 0;
      plan.state.trail = {};  // it led to the old one
      plan.gtids.add(place->gtids);
      plan.state.gtid_set = plan.gtids.to_string();
    }
    return plan;
  }
  SLUICE_TRY(refuse_traces(options, admin, redis));
  plan.first = true;
  plan.gtids = GtidSet(identity.flavor);
  plan.state.instance = options.instance();
  plan.state.layout = layout;
  plan.state.source = source_state(identity);
  plan.state.last.resize(layout.partitions);
  SLUICE_TRY_ASSIGN(Place place, first_place(options, replica, source));
  plan.state.position = std::move(place.position);
  plan.gtids = std::move(place.gtids);
  plan.state.gtid_set = plan.gtids.to_string();
  return plan;
}

}  // namespace sluice::pipeline
