// The part of the assembler that looks at what DDL does to rows that Redis has already.
#include <algorithm>

#include "sluice/base/log.h"
#include "sluice/base/names.h"

#include "pipeline/assembler.h"

namespace sluice::pipeline {
namespace {

using Kind = schema::TableEffect::Kind;

bool names(const std::vector<std::string>& list, std::string_view column) {
  return std::any_of(list.begin(), list.end(),
                     [column](const std::string& name) { return same_ascii_name(name, column); });
}

// What of it shows in rows of a table with these rules.
std::string shown(const std::vector<schema::ContentChange>& content,
                  const event::TableRules& rules) {
  std::string out;
  for (const schema::ContentChange& c : content) {
    if (!c.column.empty() &&
        ((!rules.shown_columns.empty() && !names(rules.shown_columns, c.column)) ||
         names(rules.hidden_columns, c.column)))
      continue;
    if (!out.empty()) out += ", ";
    if (!c.column.empty()) out += "column " + c.column + " ";
    out += c.what;
  }
  return out;
}

bool moves_partitions(const std::vector<schema::ContentChange>& content,
                      const event::TableRules& rules) {
  if (rules.partition.by != event::PartitionRule::By::columns) return false;
  return std::any_of(content.begin(), content.end(), [&rules](const schema::ContentChange& c) {
    return names(rules.partition.columns, c.column);
  });
}

// What rows of a table go by.
std::string logical_name(const event::TableRules& rules, std::string_view database,
                         std::string_view table) {
  return full_name(rules.database.empty() ? database : std::string_view(rules.database),
                   rules.table.empty() ? table : std::string_view(rules.table));
}

}  // namespace

Status Assembler::on_effects(const std::vector<schema::TableEffect>& effects, bool rows_seen_to) {
  for (const schema::TableEffect& e : effects) {
    if (e.kind == Kind::renamed) {
      SLUICE_TRY(on_renamed(e));
      continue;
    }
    const std::string name = full_name(e.database.empty() ? "*" : e.database,
                                       e.table.empty() ? "*" : std::string_view(e.table));
    const bool taken = e.table.empty() ? e.database.empty() || filter_->may_take_from(e.database)
                                       : filter_->takes(e.database, e.table);
    if (!taken) continue;
    const event::TableRules rules =
        e.table.empty() ? event::TableRules() : filter_->rules(e.database, e.table);
    if (const std::string what = shown(e.content, rules); !what.empty() && !rows_seen_to)
      SLUICE_TRY(content_changed(name, what));
    if (e.other_key || moves_partitions(e.content, rules)) SLUICE_TRY(wait_until_applied(name));
  }
  return {};
}

// Tables of a shard may change places: all of them have one name.
Status Assembler::on_renamed(const schema::TableEffect& effect) {
  const bool leaves = filter_->takes(effect.database, effect.table);
  const bool comes = filter_->takes(effect.new_database, effect.new_table);
  const auto logical = [this](const std::string& database, const std::string& table) {
    return logical_name(filter_->rules(database, table), database, table);
  };
  if (leaves && comes &&
      logical(effect.database, effect.table) == logical(effect.new_database, effect.new_table))
    return {};
  const std::string before = full_name(effect.database, effect.table);
  const std::string now = full_name(effect.new_database, effect.new_table);
  if (leaves) SLUICE_TRY(content_changed(before, "renamed to " + now));
  if (comes) SLUICE_TRY(content_changed(now, "its rows are now those that " + before + " had"));
  return comes && effect.other_key ? wait_until_applied(now) : Status();
}

Status Assembler::content_changed(const std::string& table, const std::string& what) const {
  if (settings_.stop_at_content_ddl)
    return unsupported(table + ": " + what +
                       " by DDL, which has no row events: Redis would keep what it has. Set "
                       "applier.on_content_ddl: warn to go on, and bring its rows up to date "
                       "(an UPDATE that changes each of them does), or see to them first and go "
                       "on behind it with `sluice position set`");
  log::get("pipeline")
      .warn(
          "DDL changed rows without row events, Redis keeps what it has until they are written "
          "again table={} pos={} change=\"{}\"",
          table, here().to_string(), what);
  return {};
}

// Rows of one key go through one queue, and the key is another from here on.
Status Assembler::wait_until_applied(const std::string& table) const {
  if (!barrier_) return {};
  spdlog::logger& log = log::get("pipeline");
  log.info("DDL changed what identifies a row: what was sent before is waited for table={} pos={}",
           table, here().to_string());
  SLUICE_TRY(barrier_());
  log.info("Redis has all that was sent, reading goes on table={} pos={}", table,
           here().to_string());
  return {};
}

}  // namespace sluice::pipeline
