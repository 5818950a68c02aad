#include "sluice/model/table_schema.h"

#include <string_view>

namespace sluice {

int sql_type_of(DeclaredType type, bool is_unsigned) noexcept {
  switch (type) {
    case DeclaredType::tinyint: return is_unsigned ? 5 : -6;
    case DeclaredType::smallint: return is_unsigned ? 4 : 5;
    case DeclaredType::mediumint: return 4;
    case DeclaredType::int_: return is_unsigned ? -5 : 4;
    case DeclaredType::bigint: return is_unsigned ? 3 : -5;
    case DeclaredType::decimal: return 3;
    case DeclaredType::float_: return 7;
    case DeclaredType::double_: return 8;
    case DeclaredType::bit: return -7;
    case DeclaredType::date: return 91;
    case DeclaredType::time: return 92;
    case DeclaredType::datetime:
    case DeclaredType::timestamp: return 93;
    case DeclaredType::char_:
    case DeclaredType::inet4:
    case DeclaredType::inet6:
    case DeclaredType::uuid: return 1;
    case DeclaredType::tinytext:
    case DeclaredType::text:
    case DeclaredType::mediumtext:
    case DeclaredType::longtext: return 2005;
    case DeclaredType::binary:
    case DeclaredType::varbinary:
    case DeclaredType::tinyblob:
    case DeclaredType::blob:
    case DeclaredType::mediumblob:
    case DeclaredType::longblob:
    case DeclaredType::geometry: return 2004;
    case DeclaredType::year:
    case DeclaredType::varchar:
    case DeclaredType::enum_:
    case DeclaredType::set:
    case DeclaredType::json:
    case DeclaredType::vector:
    case DeclaredType::unknown: return 12;
  }
  return 12;
}

bool is_binary(DeclaredType type) noexcept {
  return sql_type_of(type, false) == 2004;
}

const std::vector<std::uint16_t>& TableSchema::row_key() const noexcept {
  static const std::vector<std::uint16_t> none;
  if (!primary_key.empty()) return primary_key;
  for (const UniqueKey& k : unique_keys)
    if (!k.nullable && !k.prefix) return k.columns;
  return none;
}

std::vector<std::string> TableSchema::row_key_names() const {
  std::vector<std::string> out;
  for (const std::uint16_t c : row_key()) out.push_back(columns[c].name);
  return out;
}

int TableSchema::find(std::string_view column) const noexcept {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == column) return static_cast<int>(i);
  return -1;
}

}  // namespace sluice
