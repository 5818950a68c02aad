#pragma once
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "sluice/event/table_plan.h"

namespace sluice::pipeline::testing {

// A plan for `database`.`table` (id INT PRIMARY KEY), as a TABLE_MAP without optional metadata
// gives it.
inline std::shared_ptr<const event::TablePlan> simple_plan(const std::string& database,
                                                           const std::string& table) {
  binlog::TableMap map;
  map.table_id = 1;
  map.database = database;
  map.table = table;
  binlog::MapColumn column;
  column.type = binlog::ColumnType::long_;
  column.nullable = false;
  map.columns.push_back(column);
  TableSchema schema;
  schema.database = database;
  schema.name = table;
  ColumnSchema id;
  id.name = "id";
  id.mysql_type = "int(11)";
  id.type = DeclaredType::int_;
  id.nullable = false;
  schema.columns.push_back(id);
  schema.primary_key = {0};
  auto plan = event::TablePlan::make(std::move(map), std::move(schema), {}, {});
  EXPECT_TRUE(plan.ok());
  return std::move(plan).value();
}

}  // namespace sluice::pipeline::testing
