#include "sluice/schema/map_schema.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "sluice/base/charset.h"

#include "schema/ddl/cursor.h"
#include "schema/fit.h"
#include "schema/type_match.h"

namespace sluice::schema {
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
    column.hidden = logged.of_index;
    if (is_text(column.type)) column.charset = map_charset(map, i);
    table.columns.push_back(std::move(column));
  }
  if (map.has_primary_key)
    for (const binlog::TableMap::KeyPart& part : map.primary_key)
      if (part.column < table.columns.size())
        table.primary_key.push_back(static_cast<std::uint16_t>(part.column));
  return table;
}

}  // namespace sluice::schema
