#include "schema/fit.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/charset.h"
#include "sluice/base/text_buffer.h"

#include "schema/type_match.h"

namespace sluice::schema {
namespace {

using binlog::MapColumn;
using binlog::TableMap;

constexpr std::string_view kNameRemedy =
    "SET GLOBAL binlog_row_metadata = 'FULL'; and binlog_row_metadata = FULL in my.cnf, then start "
    "from a position after "
    "the last ALTER of this table";
constexpr std::string_view kAlteredRemedy =
    "start from a position after the last ALTER of this table";

Error mismatch(const TableMap& map, std::string what, std::string_view remedy) {
  return fatal(Errc::schema_mismatch,
               table_name(map) + ": " + std::move(what) + "; " + std::string(remedy));
}

std::string to_utf8(std::string_view bytes, const Charset* charset) {
  if (charset == nullptr) return std::string(bytes);
  TextBuffer out;
  // A label with bytes that are none of its character set gets U+FFFD: so the server shows it, too.
  const bool valid = charset->to_utf8(bytes, out);
  return valid || !out.empty() ? std::string(out.view()) : std::string(bytes);
}

// Sign, character set and NULL as the map has them at this place of the binlog.
void take_from_map(const TableMap& map, std::size_t index, ColumnSchema& column) {
  column.nullable = map.columns[index].nullable;
  if (!is_text(column.type)) return;
  if (const std::string_view charset = map_charset(map, index); !charset.empty())
    column.charset = charset;
}

// Columns by the map's names.
Result<std::vector<ColumnSchema>> columns_by_name(const TableMap& map, const TableSchema& schema,
                                                  Flavor flavor, std::vector<std::string>& notes) {
  std::vector<ColumnSchema> out;
  out.reserve(map.columns.size());
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const MapColumn& logged = map.columns[i];
    const int at = schema.find(logged.name);
    const ColumnSchema* declared = at < 0 ? nullptr : &schema.columns[static_cast<std::size_t>(at)];
    const auto labels = labels_of(map, i, declared == nullptr ? "" : declared->charset);
    if (declared != nullptr && declaration_fits(map, i, *declared, labels, flavor)) {
      out.push_back(*declared);
    } else {
      auto column = declare(map, i, labels, flavor);
      if (!column)
        return mismatch(map,
                        "column `" + logged.name + "` is " + describe(logged) +
                            " in the binlog and " +
                            (declared == nullptr ? "not in the table now"
                                                 : declared->mysql_type + " in the table now") +
                            ", and the binlog alone does not tell how to read it",
                        kAlteredRemedy);
      column->name = logged.name;
      column->invisible = map.has_visibility && !logged.visible;
      column->hidden = logged.of_index;
      if (!column->hidden) notes.push_back(logged.name + ": " + column->mysql_type);
      out.push_back(std::move(*column));
    }
    take_from_map(map, i, out.back());
  }
  return out;
}

// Columns by their place: nothing in the map names them, so every one of them must fit.
Result<std::vector<ColumnSchema>> columns_by_place(const TableMap& map, const TableSchema& schema,
                                                   Flavor flavor) {
  if (map.columns.size() != schema.columns.size())
    return mismatch(map,
                    "the binlog has " + std::to_string(map.columns.size()) +
                        " columns, the table now has " + std::to_string(schema.columns.size()) +
                        ", and the binlog does not name them",
                    kNameRemedy);
  std::vector<ColumnSchema> out = schema.columns;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto labels = labels_of(map, i, out[i].charset);
    if (!declaration_fits(map, i, out[i], labels, flavor))
      return mismatch(map,
                      "column " + std::to_string(i + 1) + " is " + describe(map.columns[i]) +
                          (map.has_signedness && map.columns[i].is_unsigned ? " unsigned" : "") +
                          " in the binlog, `" + out[i].name + "` " + out[i].mysql_type +
                          " in the table now, and the binlog does not name its columns",
                      kNameRemedy);
    take_from_map(map, i, out[i]);
  }
  return out;
}

// Index in `columns` of each of the schema's key columns; nullopt when one is not there, with its
// name in `missing`.
std::optional<std::vector<std::uint16_t>> translate(const std::vector<std::uint16_t>& key,
                                                    const TableSchema& schema,
                                                    const TableSchema& result,
                                                    std::string& missing) {
  std::vector<std::uint16_t> out;
  for (const std::uint16_t c : key) {
    const int at = result.find(schema.columns[c].name);
    if (at < 0) {
      missing = schema.columns[c].name;
      return std::nullopt;
    }
    out.push_back(static_cast<std::uint16_t>(at));
  }
  return out;
}

bool any_nullable(const std::vector<std::uint16_t>& key, const TableSchema& table) {
  return std::any_of(key.begin(), key.end(),
                     [&table](std::uint16_t c) { return table.columns[c].nullable; });
}

// The key that MySQL logs with FULL metadata, as it is at this place.  A table without a primary
// key logs the unique key that the server promotes in its stead (mysql-server:sql/table.cc,
// prepare_share), MariaDB likewise: so rows are never keyed by it, it only tells of a change.
std::optional<std::vector<std::uint16_t>> logged_primary_key(const TableMap& map, Flavor flavor) {
  if (flavor != Flavor::mysql || !map.has_primary_key) return std::nullopt;
  std::vector<std::uint16_t> out;
  for (const TableMap::KeyPart& part : map.primary_key) {
    if (part.column >= map.columns.size()) return std::nullopt;
    out.push_back(static_cast<std::uint16_t>(part.column));
  }
  return out;
}

std::string missing_key(std::string_view key, std::string_view column) {
  return "the table now has " + std::string(key) + " on `" + std::string(column) +
         "`, which is not a column of it at this place of the binlog";
}

Status set_keys(const TableMap& map, const TableSchema& schema, Flavor flavor,
                TableSchema& result) {
  std::string missing;
  auto primary = translate(schema.primary_key, schema, result, missing);
  if (!primary) return mismatch(map, missing_key("its primary key", missing), kAlteredRemedy);
  result.primary_key = std::move(*primary);
  const auto logged = logged_primary_key(map, flavor);
  if (flavor == Flavor::mysql && map.has_names && !result.primary_key.empty()) {
    if (!logged)
      return mismatch(map,
                      "the table has a primary key now and had none at this place of the binlog",
                      kAlteredRemedy);
    if (*logged != result.primary_key)
      return mismatch(map,
                      "the table's primary key is not the one it had at this place of the binlog",
                      kAlteredRemedy);
  }
  const bool needed = result.primary_key.empty();  // a unique key may be what identifies a row
  for (const UniqueKey& key : schema.unique_keys) {
    auto columns = translate(key.columns, schema, result, missing);
    if (!columns) {
      if (needed && !key.nullable && !key.prefix)
        return mismatch(map, missing_key("unique key `" + key.name + "`", missing), kAlteredRemedy);
      continue;
    }
    const bool nullable = any_nullable(*columns, result);
    result.unique_keys.push_back(UniqueKey{key.name, std::move(*columns), nullable, key.prefix});
  }
  const auto is_logged = [&logged](const UniqueKey& key) { return key.columns == *logged; };
  if (logged && needed &&
      std::none_of(result.unique_keys.begin(), result.unique_keys.end(), is_logged))
    return mismatch(map, "the table had a primary key at this place of the binlog and has none now",
                    kAlteredRemedy);
  return {};
}

}  // namespace

std::string table_name(const TableMap& map) {
  return map.database + "." + map.table;
}

std::vector<std::string> labels_of(const TableMap& map, std::size_t index,
                                   std::string_view declared_charset) {
  const std::string_view told = map_charset(map, index);
  const Charset* charset = Charset::by_name(told.empty() ? declared_charset : told);
  std::vector<std::string> out;
  out.reserve(map.columns[index].labels.size());
  for (const std::string& label : map.columns[index].labels) out.push_back(to_utf8(label, charset));
  return out;
}

Result<TableSchema> fit_noting(const TableMap& map, const TableSchema& schema, Flavor flavor,
                               std::vector<std::string>& notes) {
  TableSchema result;
  result.database = map.database;
  result.name = map.table;
  auto columns = map.has_names ? columns_by_name(map, schema, flavor, notes)
                               : columns_by_place(map, schema, flavor);
  if (!columns) return std::move(columns).error();
  result.columns = std::move(columns).value();
  SLUICE_TRY(set_keys(map, schema, flavor, result));
  return result;
}

Result<TableSchema> fit(const TableMap& map, const TableSchema& schema, Flavor flavor) {
  std::vector<std::string> notes;
  return fit_noting(map, schema, flavor, notes);
}

}  // namespace sluice::schema
