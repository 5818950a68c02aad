#include "sluice/schema/map_schema.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/charset.h"

#include "schema/ddl/cursor.h"
#include "schema/fit.h"
#include "schema/type_match.h"

namespace sluice::schema {
namespace {

// !hidden!INDEX!PART!NUMBER (mysql-server: sql/sql_table.cc make_functional_index_column_name()).
bool is_index_column(std::string_view name) noexcept {
  constexpr std::string_view kHead = "!hidden!";
  if (!name.starts_with(kHead)) return false;
  name.remove_prefix(kHead.size());
  for (int numbers = 0; numbers < 2; ++numbers) {
    const std::size_t mark = name.find_last_of('!');
    if (mark == std::string_view::npos || mark + 1 == name.size() ||
        name.find_first_not_of("0123456789", mark + 1) != std::string_view::npos)
      return false;
    name = name.substr(0, mark);
  }
  return !name.empty();
}

}  // namespace

TableSchema schema_from_map(const binlog::TableMap& map, Flavor flavor) {
  TableSchema table;
  table.database = map.database;
  table.name = map.table;
  table.columns.reserve(map.columns.size());
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const binlog::MapColumn& logged = map.columns[i];
    const auto labels = labels_of(map, i, "");
    // Bytes of a character set that nobody tells.
    const bool readable = std::all_of(labels.begin(), labels.end(),
                                      [](const std::string& label) { return is_utf8(label); });
    auto declared = readable ? declare(map, i, labels, flavor) : std::nullopt;
    ColumnSchema column = declared ? std::move(*declared) : ColumnSchema();
    if (!declared) column.mysql_type = ddl::lowered(binlog::column_type_name(logged.type));
    column.name = map.has_names ? logged.name : "@" + std::to_string(i + 1);
    column.nullable = logged.nullable;
    column.invisible = map.has_visibility && !logged.visible;
    if (is_text(column.type)) column.charset = map_charset(map, i);
    table.columns.push_back(std::move(column));
  }
  if (map.has_primary_key)
    for (const binlog::TableMap::KeyPart& part : map.primary_key)
      if (part.column < table.columns.size())
        table.primary_key.push_back(static_cast<std::uint16_t>(part.column));
  return table;
}

void hide_index_columns(std::uint32_t server_version, const TableSchema* declared,
                        TableSchema& table) {
  constexpr std::uint32_t kFirst = 80013;
  constexpr std::uint32_t kLast = 80017;
  if (server_version < kFirst || server_version > kLast) return;
  for (ColumnSchema& column : table.columns)
    column.hidden =
        is_index_column(column.name) && (declared == nullptr || declared->find(column.name) < 0);
}

}  // namespace sluice::schema
