#pragma once
#include <string>
#include <string_view>

#include "sluice/config/options.h"
#include "sluice/event/table_plan.h"

namespace sluice::pipeline {

// "database.table", as patterns and messages for people have it.
std::string full_name(std::string_view database, std::string_view table);

// Which tables are taken, and how they are partitioned.  Views `options`; immutable, thread-safe.
class TableFilter {
 public:
  explicit TableFilter(const Options& options) : options_(&options) {}
  // System databases are never taken.
  bool takes(std::string_view database, std::string_view table) const;
  // False only when no table of this database can be taken.
  bool may_take_from(std::string_view database) const;
  event::PartitionRule rule(std::string_view database, std::string_view table) const;

 private:
  const Options* options_;
};

}  // namespace sluice::pipeline
