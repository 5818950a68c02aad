#include "pipeline/mapping_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "sluice/base/names.h"
#include "sluice/mapping/mapper.h"

namespace sluice::pipeline {
namespace {

bool is_named(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](const std::string& n) { return same_ascii_name(n, name); });
}

std::string entry_name(std::optional<std::size_t> entry) {
  return entry ? "tables[" + std::to_string(*entry) + "]" : "no entry of tables";
}

}  // namespace

Status check_mappings(const Options& options, const TableFilter& filter, TableSchema schema) {
  if (!filter.takes(schema.database, schema.name)) return {};
  const std::string name = full_name(schema.database, schema.name);
  const auto entry = filter.entry_of(schema.database, schema.name);
  const event::TableRules rules = filter.rules(schema.database, schema.name);
  if (!rules.database.empty()) schema.database = rules.database;
  if (!rules.table.empty()) schema.name = rules.table;
  const auto mapped_by = mapping::rules_of(options, schema.database, schema.name);
  const auto maps = [&options](std::optional<std::size_t> n) {
    return n && options.tables()[*n].mappings.size() != 0;
  };
  if (entry != mapped_by && (maps(entry) || maps(mapped_by)))
    return fatal(Errc::config_invalid,
                 name + " is ruled by " + entry_name(entry) + ", but its rows go by " +
                     full_name(schema.database, schema.name) + ", which " + entry_name(mapped_by) +
                     " maps first: one of the two must say it all (docs/mapping.md)");
  std::vector<std::string> partition;
  if (rules.partition.by == event::PartitionRule::By::key)
    partition = schema.row_key_names();
  else if (rules.partition.by == event::PartitionRule::By::columns)
    partition = rules.partition.columns;
  const auto shown = [&rules](const ColumnSchema& c) {
    return !c.hidden && (rules.shown_columns.empty() || is_named(rules.shown_columns, c.name)) &&
           !is_named(rules.hidden_columns, c.name);
  };
  // As lines show it.
  for (ColumnSchema& c : schema.columns)
    if (std::any_of(rules.masks.begin(), rules.masks.end(),
                    [&c](const auto& mask) { return same_ascii_name(mask.column, c.name); })) {
      c.mysql_type = "char(64)";
      c.type = DeclaredType::char_;
    }
  std::vector<std::string> hidden;
  for (const ColumnSchema& c : schema.columns)
    if (!shown(c)) hidden.push_back(c.name);
  return mapping::check(options, entry, schema, hidden, partition);
}

}  // namespace sluice::pipeline
