#include "pipeline/table_filter.h"

#include <algorithm>
#include <array>

namespace sluice::pipeline {
namespace {

constexpr std::array<std::string_view, 4> kSystemDatabases = {"mysql", "information_schema",
                                                              "performance_schema", "sys"};

bool is_system(std::string_view database) {
  return std::find(kSystemDatabases.begin(), kSystemDatabases.end(), database) !=
         kSystemDatabases.end();
}

}  // namespace

std::string full_name(std::string_view database, std::string_view table) {
  std::string name(database);
  name += '.';
  name += table;
  return name;
}

bool TableFilter::takes(std::string_view database, std::string_view table) const {
  if (is_system(database)) return false;
  const std::string name = full_name(database, table);
  return options_->filter.include().matches(name) && !options_->filter.exclude().matches(name);
}

bool TableFilter::may_take_from(std::string_view database) const {
  return !is_system(database) &&
         options_->filter.include().may_match_prefix(full_name(database, ""));
}

event::PartitionRule TableFilter::rule(std::string_view database, std::string_view table) const {
  const std::string name = full_name(database, table);
  for (const TableOptions& entry : options_->tables()) {
    if (!entry.match().matches(name)) continue;
    if (entry.single_partition()) return {event::PartitionRule::By::table, {}};
    if (!entry.partition_by().empty())
      return {event::PartitionRule::By::columns, entry.partition_by()};
    break;
  }
  return {};
}

}  // namespace sluice::pipeline
