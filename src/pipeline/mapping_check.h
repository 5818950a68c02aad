#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/model/table_schema.h"

#include "pipeline/table_filter.h"

namespace sluice::pipeline {

// A table as its lines show it.
struct ShownSchema {
  std::optional<std::size_t> entry;  // of `tables`, that rules it
  event::TableRules rules;
  TableSchema schema;               // under the names its rows go by, masked columns as texts
  std::vector<std::string> hidden;  // columns that lines do not show
};
// `schema`: the table as the source calls it.
ShownSchema shown_schema(const TableFilter& filter, TableSchema schema);

// Whether the mappings of a table's rows can be made of its columns, and let no older row overwrite
// a newer one; a table that the filter does not take is fine.  `schema`: the table as the source
// calls it.  Errors: fatal/config_invalid.
Status check_mappings(const Options& options, const TableFilter& filter, const TableSchema& schema);

}  // namespace sluice::pipeline
