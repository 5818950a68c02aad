#include "sluice/schema/catalog.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sluice/base/log.h"
#include "sluice/binlog/control_events.h"
#include "sluice/schema/map_schema.h"

#include "schema/fit.h"

namespace sluice::schema {
namespace {

using Kind = TableEffect::Kind;

std::string joined(const std::vector<std::string>& words, std::string_view between = ", ") {
  std::string out;
  for (const std::string& w : words) {
    if (!out.empty()) out += between;
    out += w;
  }
  return out;
}

std::string key_text(const std::vector<std::string>& names) {
  return names.empty() ? "nothing (no primary or not-null unique key)" : "(" + joined(names) + ")";
}

std::string id_of(std::string_view database, std::string_view table) {
  std::string id(database);
  id.push_back('\0');
  return id += table;
}
std::string id_of(const binlog::TableMap& map) {
  return id_of(map.database, map.table);
}

// Errors that are no answer to what the table is like.
bool interrupts(const Error& error) noexcept {
  return error.cls == ErrorClass::retry || error.cls == ErrorClass::stopped ||
         error.code == Errc::io || error.code == Errc::no_space ||
         error.code == Errc::schema_history;
}

}  // namespace

Status Catalog::follow(History& history, const Place& place) {
  SLUICE_TRY_ASSIGN(auto tables, history.restore(place));
  if (!tables)
    return fatal(Errc::internal, "the schema history does not reach " + place.to_string());
  SLUICE_TRY_ASSIGN(later_, history.later(place));
  std::reverse(later_.begin(), later_.end());
  tables_ = std::move(*tables);
  history_ = &history;
  seen_ = place;
  return {};
}

void Catalog::take_over(const Place& place, bool inclusive) {
  while (!later_.empty() &&
         (later_.back().place < place || (inclusive && later_.back().place == place))) {
    const bool snapshot = later_.back().snapshot;
    for (TableSchema& table : later_.back().tables)
      if (!snapshot || tables_.find(table.database, table.name) == nullptr)
        tables_.put(std::move(table));
    later_.pop_back();
  }
}

// True unless it speaks of tables alone that nobody wants and nobody knows.
bool Catalog::concerns_us(const DdlStatement& statement) const {
  if (!settings_.wanted) return true;
  const binlog::Statement read =
      binlog::classify_statement(statement.text, statement.context.sql_mode);
  if (!read.tables_known) return true;
  return std::any_of(read.tables.begin(), read.tables.end(), [&](const auto& name) {
    const auto [database, table] =
        tables_.stored(name.first.empty() ? statement.context.database : name.first, name.second);
    return table.empty() || settings_.wanted(database) ||
           tables_.find(database, table) != nullptr || tables_.is_lost(database, table);
  });
}

Result<std::vector<TableEffect>> Catalog::apply(DdlStatement statement) {
  if (statement.place <= seen_) return std::vector<TableEffect>();
  seen_ = statement.place;
  take_over(seen_, false);
  if (!concerns_us(statement)) return std::vector<TableEffect>();
  statement.context.charset = tables_.charset_of(statement.context.database);
  const auto databases = tables_.databases();
  auto effects = tables_.apply(statement.text, statement.context);
  const bool changed = databases != tables_.databases() ||
                       std::any_of(effects.begin(), effects.end(),
                                   [](const TableEffect& e) { return e.kind != Kind::emptied; });
  if (changed) {
    assumed_.clear();
    if (history_ != nullptr) SLUICE_TRY(history_->add(statement));
  }
  for (const TableEffect& e : effects)
    if (e.kind == Kind::not_known)
      log::get("schema").warn(
          "a statement of the binlog cannot be followed: its table is not known from there on, "
          "until it is read from the source table={} pos={} reason=\"{}\"",
          e.table.empty() ? std::string("all") : e.database + "." + e.table,
          statement.place.to_string(), e.why);
  take_over(seen_, true);
  forget_keys(effects);
  return effects;
}

// Rows of these tables may go by other columns from here on: the effects say so.
void Catalog::forget_keys(const std::vector<TableEffect>& effects) {
  for (const TableEffect& e : effects) {
    if (e.kind == Kind::altered && !e.other_key) continue;
    if (e.kind == Kind::emptied) continue;
    if (e.table.empty()) return row_keys_.clear();
    row_keys_.erase(id_of(e.database, e.table));
    if (e.kind == Kind::renamed) row_keys_.erase(id_of(e.new_database, e.new_table));
  }
}

Status Catalog::enter(const Place& place) {
  if (history_ != nullptr)
    SLUICE_TRY(history_->add_snapshot(place, tables_, history_->scope(seen_).value_or("")));
  seen_ = place;
  later_.clear();
  assumed_.clear();
  return {};
}

Result<TableSchema> Catalog::resolve(const binlog::TableMap& map, Flavor flavor,
                                     const Place& place) {
  // Nothing has changed it since the last statement: this is where it is asked for.
  const Place from = std::max(place, seen_);
  take_over(from, true);
  std::vector<std::string> why;
  Fitted fitted;
  if (const TableSchema* known = tables_.find(map.database, map.table)) {
    fitted = fitting(map, *known, flavor, why);
  } else if (const std::string* lost = tables_.why_lost(map.database, map.table)) {
    why.push_back(*lost);
  }
  if (!fitted) {
    SLUICE_TRY_ASSIGN(fitted, from_source(map, flavor, from, why));
  }
  if (!fitted) fitted = from_map(map, flavor);
  if (!fitted && settings_.assume_current) {
    SLUICE_TRY_ASSIGN(fitted, assumed(map, flavor, why));
  }
  if (fitted) return checked(map, std::move(*fitted));
  const std::string name = table_name(map);
  return fatal(Errc::schema_unknown,
               name + ": what its columns are at this place is not known (" + joined(why, "; ") +
                   "), and " +
                   (map.has_names ? "the binlog alone does not tell their types"
                                  : "the binlog does not name them") +
                   ". `sluice schema refresh " + name +
                   "` reads it anew when nothing has changed it since the saved position; "
                   "schema.assume_current: true takes it as it is now, where it fits; or go on "
                   "behind its last ALTER with `sluice position set`");
}

Catalog::Fitted Catalog::fitting(const binlog::TableMap& map, const TableSchema& table,
                                 Flavor flavor, std::vector<std::string>& why) {
  std::vector<std::string> notes;
  auto fitted = fit_noting(map, table, flavor, notes);
  if (!fitted) {
    why.push_back(fitted.error().what);
    return std::nullopt;
  }
  say_notes(map, notes);
  return std::move(fitted).value();
}

Result<Catalog::Fitted> Catalog::from_source(const binlog::TableMap& map, Flavor flavor,
                                             const Place& place, std::vector<std::string>& why) {
  auto read = source_->read_table_at(map.database, map.table, place);
  if (!read) {
    if (interrupts(read.error())) return std::move(read).error().at(table_name(map));
    why.push_back(read.error().what);
    return Fitted();
  }
  Fitted fitted = fitting(map, *read, flavor, why);
  if (!fitted) return fitted;
  if (history_ != nullptr) {
    log::get("schema").info("table read from the source table={} pos={}", table_name(map),
                            place.to_string());
    SLUICE_TRY(history_->add_table(place, *read));
  }
  tables_.put(std::move(read).value());
  return fitted;
}

Catalog::Fitted Catalog::from_map(const binlog::TableMap& map, Flavor flavor) {
  if (!map.has_names) return std::nullopt;
  TableSchema table = schema_from_map(map, flavor);
  if (std::any_of(table.columns.begin(), table.columns.end(),
                  [](const ColumnSchema& c) { return c.type == DeclaredType::unknown; }))
    return std::nullopt;
  if (first_time(map, "map"))
    log::get("schema").warn(
        "columns are taken from the binlog alone until the table is known: display widths are not "
        "told, keys but for the primary one neither table={}",
        table_name(map));
  return table;
}

Result<Catalog::Fitted> Catalog::assumed(const binlog::TableMap& map, Flavor flavor,
                                         std::vector<std::string>& why) {
  const std::string id = id_of(map);
  auto found = assumed_.find(id);
  if (found == assumed_.end()) {
    auto read = source_->read_table(map.database, map.table);
    if (!read) {
      if (interrupts(read.error())) return std::move(read).error().at(table_name(map));
      why.push_back(read.error().what);
      return Fitted();
    }
    found = assumed_.emplace(id, std::move(read).value()).first;
  }
  Fitted fitted = fitting(map, found->second, flavor, why);
  if (fitted && first_time(map, "assumed"))
    log::get("schema").warn(
        "schema.assume_current: columns are named as they are in the table now, though it was "
        "changed since table={}",
        table_name(map));
  return fitted;
}

Result<TableSchema> Catalog::checked(const binlog::TableMap& map, TableSchema fitted) {
  auto names = fitted.row_key_names();
  const auto [first, is_first] = row_keys_.try_emplace(id_of(map), names);
  if (!is_first && first->second != names)
    return fatal(Errc::schema_key_changed,
                 table_name(map) + ": rows were identified by " + key_text(first->second) +
                     ", a DDL made it " + key_text(names) +
                     "; let the queues drain, then start again: the new key is taken at the start");
  return fitted;
}

bool Catalog::first_time(const binlog::TableMap& map, std::string_view what) {
  return said_.insert(id_of(map) + '\0' + std::string(what)).second;
}

void Catalog::say_notes(const binlog::TableMap& map, const std::vector<std::string>& notes) {
  const std::string id = id_of(map);
  if (notes.empty()) {
    differing_.erase(id);
    return;
  }
  std::string text = joined(notes);
  std::string& said = differing_[id];
  if (said == text) return;
  log::get("schema").warn(
      "columns differ from what is known of the table, the binlog's types are taken table={} "
      "columns={}",
      table_name(map), text);
  said = std::move(text);
}

}  // namespace sluice::schema
