#include "pipeline/schema_start.h"

#include <string>
#include <utility>

#include "sluice/base/log.h"

namespace sluice::pipeline {
namespace {

// Named in one line.
constexpr std::size_t kMostNamed = 5;

// Tables that are taken, and were there at the baseline's place but other than now.
std::string unknown_tables(const mysql::SchemaBaseline& read, const TableFilter& filter) {
  std::string names;
  std::size_t count = 0;
  for (const auto& [name, touch] : read.altered) {
    if (name.second.empty() ? !filter.may_take_from(name.first)
                            : !filter.takes(name.first, name.second))
      continue;
    if (++count > kMostNamed) continue;
    if (!names.empty()) names += ", ";
    names += name.second.empty() ? "all" : full_name(name.first, name.second);
    names += " (at " + touch.to_string() + ")";
  }
  if (count > kMostNamed) names += " and " + std::to_string(count - kMostNamed) + " more";
  return names;
}

// Tables of other databases are not followed: with another filter the history is of other tables.
std::string scope_of(const Options& options) {
  std::string out;
  for (const auto* list : {&options.filter.include(), &options.filter.exclude()}) {
    for (const Pattern& pattern : *list)
      out += std::to_string(pattern.text().size()) + ":" + pattern.text();
    out += "/";
  }
  return out;
}

}  // namespace

std::filesystem::path history_file(const Options& options) {
  return std::filesystem::path(options.state_dir()) / "schema.log";
}

mysql::SourceSchemas::Settings schema_settings(const mysql::Hosts& hosts,
                                               const mysql::ReplicaIdentity& replica,
                                               const TableFilter& filter, std::stop_token stop) {
  return {&hosts, mysql::second_identity(replica),
          [&filter](std::string_view database) { return filter.may_take_from(database); },
          std::move(stop)};
}

Status prepare_history(const Options& options, const TableFilter& filter, bool full_metadata,
                       StartPlan& plan, mysql::SourceSchemas& source, schema::History& history) {
  schema::Place place(plan.state.epoch, plan.state.position);
  const std::string scope = scope_of(options);
  if (plan.jumped)
    SLUICE_TRY(history.add_break(place, "the binlog before it was purged"));
  else if (history.scope(place).value_or(scope) != scope)
    SLUICE_TRY(history.add_break(place, "the filter takes from other databases"));
  if (history.covers(place)) return {};
  const bool at_the_end = plan.first && options.source.start().kind == StartPosition::Kind::latest;
  SLUICE_TRY_ASSIGN(
      auto read, source.baseline(plan.state.epoch,
                                 at_the_end ? std::nullopt : std::optional(plan.state.position)));
  const std::string unknown = unknown_tables(read, filter);
  if (!unknown.empty() && !full_metadata && !options.schema.assume_current())
    return fatal(
        Errc::schema_unknown,
        "tables were changed since " + place.to_string() + ": " + unknown +
            ". What their columns were there is not known, and the binlog does not name them "
            "(binlog_row_metadata is not FULL). Start behind these statements, or set "
            "schema.assume_current: true to take the tables as they are now, where they fit");
  if (at_the_end) {
    place = read.place;
    plan.state.position = place.position();
    plan.state.gtid_set = read.gtids.to_string();
    plan.gtids = std::move(read.gtids);
  }
  SLUICE_TRY(history.add_snapshot(place, read.tables, scope));
  for (const auto& [since, table] : read.later) SLUICE_TRY(history.add_table(since, table));
  log::get("schema").info("tables read from the source pos={} tables={} changed_since={}",
                          place.to_string(), read.tables.tables().size() + read.later.size(),
                          read.later.size());
  return {};
}

Status skip_statements(const Options& options, const mysql::SourceSchemas::Settings& settings,
                       const schema::Place& from, const schema::Place& to,
                       schema::History& history) {
  if (!history.covers(from)) return history.add_break(to, "nothing was known before");
  mysql::SourceSchemas source(settings);
  schema::Catalog catalog(source, {false, settings.wanted});
  SLUICE_TRY(catalog.follow(history, from));
  Status kept;
  Status s =
      mysql::scan_statements(options.source, settings.hosts->current(), settings.identity, from, to,
                             settings.stop, [&](const schema::DdlStatement& statement) {
                               if (auto done = catalog.apply(statement); !done)
                                 kept = std::move(done).error();
                               return kept;
                             });
  if (s.ok() || !kept.ok() || s.error().cls != ErrorClass::fatal) return s;
  log::get("schema").warn(
      "the binlog between the two places cannot be read: tables are read anew at the next start "
      "from={} to={} error=\"{}\"",
      from.to_string(), to.to_string(), to_string(s.error()));
  return history.add_break(to, to_string(s.error()));
}

}  // namespace sluice::pipeline
