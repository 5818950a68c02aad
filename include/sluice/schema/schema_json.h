#pragma once
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"

namespace sluice::schema {

// A table's schema as compact JSON, all of it, so that decode_schema gives it back; the same schema
// gives the same text.  Errors: fatal/schema_mismatch for a name that is not UTF-8.
Result<std::string> encode_schema(const TableSchema& schema);
// Members that are not known are passed over.  Errors: fatal/position_damaged.
Result<TableSchema> decode_schema(std::string_view text);

}  // namespace sluice::schema
