#include "pipeline/table_emptier.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"
#include "sluice/position/shared_keys.h"

#include "pipeline/mapping_check.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr std::string_view kKeysAtOnce = "500";
constexpr milliseconds kSlotsPause{500};
constexpr std::string_view kOwnPrefix = "sluice:";

Error unsupported(const std::string& table, const std::string& why) {
  return fatal(Errc::pipeline_unsupported,
               table + " is emptied or dropped, but " + why +
                   ". Remove its keys by hand and go on behind the statement with `sluice position "
                   "set`, or set applier.on_truncate: ignore");
}

bool is_or_is_in(const TableSchema& table, const std::vector<TableEmptier::TableName>& names) {
  return std::any_of(names.begin(), names.end(), [&table](const auto& n) {
    return n.first == table.database && (n.second.empty() || n.second == table.name);
  });
}

bool overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

}  // namespace

Result<TableEmptier::Victim> TableEmptier::victim_of(const TableSchema& table) const {
  const ShownSchema shown = shown_schema(*filter_, table);
  Victim out;
  out.name = full_name(shown.schema.database, shown.schema.name);
  SLUICE_TRY_ASSIGN(out.patterns,
                    mapping::key_patterns(*options_, shown.entry, shown.schema, shown.hidden));
  out.scripted = shown.entry && !options_->tables()[*shown.entry].script().empty();
  return out;
}

Result<std::vector<TableEmptier::Victim>> TableEmptier::victims_of(
    const std::vector<TableName>& tables) const {
  std::vector<Victim> out;
  for (const auto& [database, table] : tables)
    if (!table.empty() && catalog_->tables().is_lost(database, table))
      return unsupported(full_name(database, table), "its columns are not known");
  for (const auto& [name, table] : catalog_->tables().tables()) {
    if (!is_or_is_in(table, tables) || !filter_->takes(table.database, table.name)) continue;
    SLUICE_TRY_ASSIGN(Victim victim, victim_of(table));
    SLUICE_TRY(check_alone(victim, tables));
    out.push_back(std::move(victim));
  }
  return out;
}

// No other table's keys are taken with it.
Status TableEmptier::check_alone(const Victim& victim,
                                 const std::vector<TableName>& emptied) const {
  for (const mapping::KeyPattern& p : victim.patterns)
    if (overlap(p.prefix, kOwnPrefix))  // an empty one overlaps with all
      return unsupported(victim.name,
                         p.mapping + ": its keys begin with no text that tells them from others");
  for (const auto& [name, table] : catalog_->tables().tables()) {
    if (is_or_is_in(table, emptied) || !filter_->takes(table.database, table.name)) continue;
    SLUICE_TRY_ASSIGN(const Victim other, victim_of(table));
    if (other.name == victim.name)
      return unsupported(victim.name, "rows of " + full_name(table.database, table.name) +
                                          ", which is there still, go by the same name");
    for (const mapping::KeyPattern& p : victim.patterns)
      for (const mapping::KeyPattern& q : other.patterns)
        if (overlap(p.prefix, q.prefix))
          return unsupported(victim.name, "its keys " + p.glob + " (" + p.mapping +
                                              ") cannot be told from those of " + other.name +
                                              ", " + q.glob + " (" + q.mapping + ")");
  }
  return {};
}

Status TableEmptier::empty(const std::vector<TableName>& tables, const TransactionId& at,
                           const std::string& gtid, const std::stop_token& st) const {
  SLUICE_TRY_ASSIGN(const auto victims, victims_of(tables));
  const std::string mark = EventId{at.epoch, at.file, at.pos, 0, 0, 0}.to_string();
  Backoff backoff(milliseconds(100), options_->redis.reconnect_max());
  for (const Victim& victim : victims) {
    for (;;) {
      Status s = empty(victim, mark, gtid, st);
      if (s.ok()) break;
      if (s.error().cls != ErrorClass::retry) return s;
      if (backoff.attempts() == 0)
        log::get("pipeline")
            .warn("Redis is away, the table is not empty yet table={} error=\"{}\"", victim.name,
                  to_string(s.error()));
      if (!wait_for(backoff.next(), st)) return stopped();
    }
    backoff.reset();
  }
  return {};
}

Status TableEmptier::empty(const Victim& victim, const std::string& mark, const std::string& gtid,
                           const std::stop_token& st) const {
  const std::string done = mark + " " + gtid;
  const std::string key = position::emptied_key(options_->instance());
  SLUICE_TRY_ASSIGN(const auto redis, connect_());
  SLUICE_TRY_ASSIGN(const redis::Reply before, redis->command({"HGET", key, victim.name}));
  if (before.kind == redis::Reply::Kind::error) return redis::error_of_reply(before.text);
  // The same one, by its place or, after a failover, by its GTID.
  const bool again = before.kind == redis::Reply::Kind::string &&
                     (before.text == done || (!gtid.empty() && before.text.ends_with(" " + gtid)));
  if (again) {
    log::get("pipeline")
        .info("the table was emptied before, it is not again table={} id={}", victim.name, mark);
    return {};
  }
  log::get("pipeline")
      .info("the source emptied a table: its keys are removed table={} id={}", victim.name, mark);
  if (victim.scripted)
    log::get("pipeline")
        .warn(
            "what the table's script has written stays in Redis: only the script knows its keys "
            "table={} id={}",
            victim.name, mark);
  const auto began = steady_clock::now();
  std::uint64_t removed = 0;
  for (const mapping::KeyPattern& p : victim.patterns) {
    SLUICE_TRY_ASSIGN(const std::uint64_t n, remove(*redis, p.glob, st));
    removed += n;
  }
  SLUICE_TRY_ASSIGN(const redis::Reply noted, redis->command({"HSET", key, victim.name, done}));
  if (noted.kind == redis::Reply::Kind::error) return redis::error_of_reply(noted.text);
  log::get("pipeline")
      .info("the table is empty in Redis, reading goes on table={} keys={} took_ms={}", victim.name,
            removed, std::chrono::duration_cast<milliseconds>(steady_clock::now() - began).count());
  return {};
}

// A key that goes from a node not looked at yet to one that has been is met in the next round.
Result<std::uint64_t> TableEmptier::remove(redis::Connection& redis, const std::string& glob,
                                           const std::stop_token& st) const {
  std::uint64_t removed = 0;
  bool said = false;
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto before, redis.placement());
    SLUICE_TRY_ASSIGN(const auto nodes, redis.nodes());
    for (redis::Connection* node : nodes) {
      SLUICE_TRY_ASSIGN(const std::uint64_t n, sweep(redis, *node, glob, st));
      removed += n;
    }
    SLUICE_TRY_ASSIGN(const auto after, redis.placement());
    if (before && before == after) return removed;
    if (!std::exchange(said, true))
      log::get("pipeline")
          .warn(
              "slots of the cluster move, keys are looked for until they have come to rest keys={}",
              glob);
    if (!wait_for(kSlotsPause, st)) return stopped();
  }
}

// Others get at least half of Redis' time.
Result<std::uint64_t> TableEmptier::sweep(redis::Connection& redis, redis::Connection& node,
                                          const std::string& glob, const std::stop_token& st) {
  std::uint64_t removed = 0;
  std::string cursor = "0";
  TextBuffer command;
  do {
    const auto began = steady_clock::now();
    SLUICE_TRY_ASSIGN(const redis::Reply page,
                      node.command({"SCAN", cursor, "MATCH", glob, "COUNT", kKeysAtOnce}));
    if (page.kind == redis::Reply::Kind::error) return redis::error_of_reply(page.text);
    if (page.items.size() != 2 || page.items[1].kind != redis::Reply::Kind::array)
      return fatal(Errc::internal, "SCAN answered something else than a page");
    cursor = page.items[0].text;
    command.clear();
    const std::size_t keys = page.items[1].items.size();
    for (const redis::Reply& key : page.items[1].items)
      redis::append_command(command, {"UNLINK", key.text});
    SLUICE_TRY(redis.send(command.view()));
    std::vector<std::pair<std::size_t, std::string>> errors;
    SLUICE_TRY(redis.receive_checked(keys, errors));
    if (!errors.empty()) return redis::error_of_reply(errors.front().second);
    removed += keys;
    if (!wait_for(std::chrono::ceil<milliseconds>(steady_clock::now() - began), st))
      return stopped();
  } while (cursor != "0");
  return removed;
}

}  // namespace sluice::pipeline
