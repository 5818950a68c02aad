#pragma once
// A table's declared column types against what a TABLE_MAP says of its columns.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/binlog/table_map.h"
#include "sluice/model/flavor.h"
#include "sluice/model/table_schema.h"

namespace sluice::schema {

// True for the types whose values are text in the column's character set, ENUM and SET included.
bool is_text(DeclaredType type) noexcept;
// 1 to 4: which of the TEXT or BLOB types, by size; 0: none of them.
unsigned large_type_rank(DeclaredType type) noexcept;

// True when a column declared like this is logged with this type byte and metadata: width,
// precision, length in bytes. The map's signedness, character set and labels are not looked at, but
// the character set decides the length.
bool type_fits(const binlog::TableMap& map, std::size_t index, const ColumnSchema& declared,
               Flavor flavor);

// The same and the sign, bytes or text, and labels, as far as the map tells them.  `labels` are the
// map's in UTF-8.
bool declaration_fits(const binlog::TableMap& map, std::size_t index, const ColumnSchema& declared,
                      const std::vector<std::string>& labels, Flavor flavor);

// The map's column as a declaration: type, mysql_type, sizes, sign; labels are the caller's
// (UTF-8).  Nullopt where the map does not tell enough to read a value right: it takes signedness
// for integers, character sets for text and labels for ENUM and SET.
std::optional<ColumnSchema> declare(const binlog::TableMap& map, std::size_t index,
                                    const std::vector<std::string>& labels, Flavor flavor);

// Display width that "int" and its kin have when none is said; 0 for other types.
unsigned default_width(std::string_view integer_type, bool is_unsigned) noexcept;

// "enum('a','it''s')", labels as the servers print them.
std::string with_labels(std::string_view name, const std::vector<std::string>& labels);

// "VARCHAR, 40 bytes", "NEWDECIMAL(10,2)": the map's column for people.
std::string describe(const binlog::MapColumn& column);

// The character set's name the map tells for this column; empty when it does not, or for none we
// know.
std::string_view map_charset(const binlog::TableMap& map, std::size_t index) noexcept;

}  // namespace sluice::schema
