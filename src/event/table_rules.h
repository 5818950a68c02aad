#pragma once
#include "sluice/event/table_rules.h"

#include "event/column_plan.h"

namespace sluice::event {

// Applies all but the partition rule and the names to a plan whose columns are planned.  Errors:
// fatal/config_invalid.
Status apply_rules(TablePlan::Data& data, const TableRules& rules);

}  // namespace sluice::event
