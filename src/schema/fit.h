#pragma once
#include <string>
#include <vector>

#include "sluice/schema/catalog.h"

namespace sluice::schema {

// fit(), and into `notes` what was taken from the map because the schema says otherwise: "price:
// decimal(12,2)".
Result<TableSchema> fit_noting(const binlog::TableMap& map, const TableSchema& schema,
                               Flavor flavor, std::vector<std::string>& notes);

// "shop.orders"
std::string table_name(const binlog::TableMap& map);

}  // namespace sluice::schema
