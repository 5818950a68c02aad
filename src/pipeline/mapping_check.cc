#include "pipeline/mapping_check.h"

#include <algorithm>
#include <string>
#include <utility>
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

ShownSchema shown_schema(const TableFilter& filter, TableSchema schema) {
  ShownSchema out;
  out.entry = filter.entry_of(schema.database, schema.name);
  out.rules = filter.rules(schema.database, schema.name);
  out.schema = std::move(schema);
  if (!out.rules.database.empty()) out.schema.database = out.rules.database;
  if (!out.rules.table.empty()) out.schema.name = out.rules.table;
  for (ColumnSchema& c : out.schema.columns) {
    const bool shown =
        !c.hidden &&
        (out.rules.shown_columns.empty() || is_named(out.rules.shown_columns, c.name)) &&
        !is_named(out.rules.hidden_columns, c.name);
    if (!shown) out.hidden.push_back(c.name);
    if (std::any_of(out.rules.masks.begin(), out.rules.masks.end(),
                    [&c](const auto& mask) { return same_ascii_name(mask.column, c.name); })) {
      c.mysql_type = "char(64)";
      c.type = DeclaredType::char_;
    }
  }
  return out;
}

Status check_mappings(const Options& options, const TableFilter& filter,
                      const TableSchema& schema) {
  if (!filter.takes(schema.database, schema.name)) return {};
  const ShownSchema shown = shown_schema(filter, schema);
  const auto mapped_by = mapping::rules_of(options, shown.schema.database, shown.schema.name);
  const auto maps = [&options](std::optional<std::size_t> n) {
    return n &&
           (options.tables()[*n].mappings.size() != 0 || !options.tables()[*n].script().empty());
  };
  if (shown.entry != mapped_by && (maps(shown.entry) || maps(mapped_by)))
    return fatal(Errc::config_invalid,
                 full_name(schema.database, schema.name) + " is ruled by " +
                     entry_name(shown.entry) + ", but its rows go by " +
                     full_name(shown.schema.database, shown.schema.name) + ", which " +
                     entry_name(mapped_by) +
                     " maps first: one of the two must say it all (docs/mapping.md)");
  std::vector<std::string> partition;
  if (shown.rules.partition.by == event::PartitionRule::By::key)
    partition = shown.schema.row_key_names();
  else if (shown.rules.partition.by == event::PartitionRule::By::columns)
    partition = shown.rules.partition.columns;
  return mapping::check(options, shown.entry, shown.schema, shown.hidden, partition);
}

}  // namespace sluice::pipeline
