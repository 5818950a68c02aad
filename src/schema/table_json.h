#pragma once
#include <nlohmann/json.hpp>

#include "sluice/model/table_schema.h"
#include "sluice/schema/schema_json.h"

namespace sluice::schema {

// What encode_schema() writes.
nlohmann::json table_json(const TableSchema& schema);
// Throws nlohmann's exceptions and std::out_of_range for what is no such thing: the caller is where
// they end.
TableSchema table_of(const nlohmann::json& json);

}  // namespace sluice::schema
