#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/schema/catalog.h"

namespace sluice::schema {

// fit(), and into `notes` what was taken from the map because the schema says otherwise: "price:
// decimal(12,2)".
Result<TableSchema> fit_noting(const binlog::TableMap& map, const TableSchema& schema,
                               Flavor flavor, std::vector<std::string>& notes);

// ENUM and SET labels of one of the map's columns in UTF-8; by `declared_charset` where the map
// does not tell their character set.
std::vector<std::string> labels_of(const binlog::TableMap& map, std::size_t index,
                                   std::string_view declared_charset);

// "shop.orders"
std::string table_name(const binlog::TableMap& map);

}  // namespace sluice::schema
