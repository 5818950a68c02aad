#pragma once
#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/model/table_schema.h"

#include "pipeline/table_filter.h"

namespace sluice::pipeline {

// Whether the mappings of a table's rows can be made of its columns, and let no older row overwrite
// a newer one; a table that the filter does not take is fine.  `schema`: the table as the source
// calls it.  Errors: fatal/config_invalid.
Status check_mappings(const Options& options, const TableFilter& filter, TableSchema schema);

}  // namespace sluice::pipeline
