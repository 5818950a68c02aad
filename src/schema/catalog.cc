#include "sluice/schema/catalog.h"

#include <string>
#include <utility>
#include <vector>

#include "sluice/base/log.h"

#include "schema/fit.h"

namespace sluice::schema {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) out += (out.empty() ? "" : ", ") + w;
  return out;
}

std::vector<std::string> row_key_names(const TableSchema& table) {
  std::vector<std::string> out;
  for (const std::uint16_t c : table.row_key()) out.push_back(table.columns[c].name);
  return out;
}

std::string key_text(const std::vector<std::string>& names) {
  return names.empty() ? "nothing (no primary or not-null unique key)" : "(" + joined(names) + ")";
}

}  // namespace

Result<TableSchema> Catalog::resolve(const binlog::TableMap& map, Flavor flavor) {
  std::string id = map.database;
  id.push_back('\0');
  id += map.table;

  std::vector<std::string> notes;
  Result<TableSchema> fitted = stopped();
  if (const auto known = tables_.find(id); known != tables_.end())
    fitted = fit_noting(map, known->second, flavor, notes);
  if (!fitted.ok()) {  // not known yet, or altered since it was read
    auto read = source_->read_table(map.database, map.table);
    if (!read) return std::move(read).error().at(table_name(map));
    notes.clear();
    fitted = fit_noting(map, *read, flavor, notes);
    if (!fitted) return fitted;
    tables_.insert_or_assign(id, std::move(read).value());
  }

  auto names = row_key_names(*fitted);
  const auto [first, is_first] = row_keys_.try_emplace(id, names);
  if (!is_first && first->second != names)
    return fatal(Errc::schema_key_changed,
                 table_name(map) + ": rows were identified by " + key_text(first->second) +
                     ", a DDL made it " + key_text(names) +
                     "; let the queues drain, then start again: the new key is taken at the start");
  say(id, map, notes);
  return fitted;
}

void Catalog::say(const std::string& id, const binlog::TableMap& map,
                  const std::vector<std::string>& notes) {
  if (!map.has_names && warned_.insert(id).second)
    log::get("schema").warn(
        "the binlog does not name this table's columns (binlog_row_metadata is not FULL): names "
        "come from the table as it "
        "is now table={}",
        table_name(map));
  if (notes.empty()) {
    differing_.erase(id);
    return;
  }
  std::string text = joined(notes);
  std::string& said = differing_[id];
  if (said == text) return;
  log::get("schema").warn(
      "columns differ from the table as it is now, the binlog's types are taken table={} "
      "columns={}",
      table_name(map), text);
  said = std::move(text);
}

void Catalog::forget() {
  tables_.clear();
}

}  // namespace sluice::schema
