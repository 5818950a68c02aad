#include "binlog/table_metadata.h"

#include "binlog/bits.h"
#include "binlog/errors.h"

namespace sluice::binlog {
namespace {

constexpr std::string_view kName = "TABLE_MAP optional metadata";
constexpr std::uint64_t kMaxLabels = 65535;  // of an ENUM

// mysql-server: libs/mysql/binlog/event/rows_event.h Optional_metadata_field_type; MariaDB has 1
// to 11.
enum class Field : std::uint8_t {
  signedness = 1,
  default_charset = 2,
  column_charset = 3,
  column_name = 4,
  set_str_value = 5,
  enum_str_value = 6,
  geometry_type = 7,
  simple_primary_key = 8,
  primary_key_with_prefix = 9,
  enum_and_set_default_charset = 10,
  enum_and_set_column_charset = 11,
  column_visibility = 12,
  vector_dimensionality = 13,
};

// The columns SIGNEDNESS has a bit for.
bool is_numeric(const MapColumn& column) {
  switch (column.type) {
    case ColumnType::tiny:
    case ColumnType::short_:
    case ColumnType::int24:
    case ColumnType::long_:
    case ColumnType::longlong:
    case ColumnType::float_:
    case ColumnType::double_:
    case ColumnType::decimal_old:
    case ColumnType::newdecimal:
    case ColumnType::year: return true;
    default: return false;
  }
}

// The columns the two charset fields count.  MariaDB's INET4, INET6 and UUID are STRING here and
// count with it.
bool has_character_set(const MapColumn& column, Flavor flavor) {
  switch (column.type) {
    case ColumnType::string:
    case ColumnType::var_string:
    case ColumnType::varchar:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::vector: return true;
    case ColumnType::geometry:
    case ColumnType::blob_compressed:
    case ColumnType::varchar_compressed: return flavor == Flavor::mariadb;
    default: return false;
  }
}

bool is_label_type(const MapColumn& column) {
  return column.type == ColumnType::enum_ || column.type == ColumnType::set;
}

template <class Wanted>
std::vector<MapColumn*> select(TableMap& map, Wanted wanted) {
  std::vector<MapColumn*> out;
  for (MapColumn& c : map.columns)
    if (wanted(c)) out.push_back(&c);
  return out;
}

Status read_signedness(Bytes value, TableMap& map) {
  const auto columns = select(map, is_numeric);
  if (value.size() != bitmap_bytes(columns.size()))
    return malformed(kName, "signedness of " + std::to_string(columns.size()) + " columns in " +
                                std::to_string(value.size()) + " bytes");
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i]->is_unsigned = bit_msb(value, i);
  map.has_signedness = true;
  return {};
}

// A default, then (index among these columns, collation) pairs.
Status read_default_collation(ByteReader& in, const std::vector<MapColumn*>& columns) {
  const auto common = static_cast<std::uint32_t>(in.lenenc());
  for (MapColumn* c : columns) c->collation = common;
  while (in.remaining() != 0) {
    const std::uint64_t index = in.lenenc();
    const auto collation = static_cast<std::uint32_t>(in.lenenc());
    if (!in.ok()) break;
    if (index >= columns.size())
      return malformed(kName, "collation of character column " + std::to_string(index) + " of " +
                                  std::to_string(columns.size()));
    columns[static_cast<std::size_t>(index)]->collation = collation;
  }
  return {};
}

void read_collations(ByteReader& in, const std::vector<MapColumn*>& columns) {
  for (MapColumn* c : columns) c->collation = static_cast<std::uint32_t>(in.lenenc());
}

Status read_labels(ByteReader& in, ColumnType type, TableMap& map) {
  for (MapColumn& c : map.columns) {
    if (c.type != type) continue;
    const std::uint64_t count = in.lenenc();
    // Each label takes a byte at least.
    if (count > kMaxLabels || count > in.remaining())
      return malformed(kName, std::to_string(count) + " labels in one column");
    c.labels.clear();
    c.labels.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) c.labels.emplace_back(as_chars(in.take(in.lenenc())));
  }
  map.has_labels = true;
  return {};
}

Status read_primary_key(ByteReader& in, bool prefixes, TableMap& map) {
  map.primary_key.clear();
  while (in.remaining() != 0) {
    const std::uint64_t column = in.lenenc();
    const std::uint64_t prefix = prefixes ? in.lenenc() : 0;
    if (!in.ok()) break;
    if (column >= map.columns.size() || map.primary_key.size() == map.columns.size())
      return malformed(kName, "primary key column " + std::to_string(column) + " of " +
                                  std::to_string(map.columns.size()));
    map.primary_key.push_back(
        {static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(prefix)});
  }
  map.has_primary_key = true;
  return {};
}

Status read_field(Field field, Bytes value, Flavor flavor, TableMap& map) {
  ByteReader in(value);
  const auto character = [flavor](const MapColumn& c) { return has_character_set(c, flavor); };
  switch (field) {
    case Field::signedness: return read_signedness(value, map);
    case Field::default_charset:
      SLUICE_TRY(read_default_collation(in, select(map, character)));
      map.has_charsets = true;
      break;
    case Field::column_charset:
      read_collations(in, select(map, character));
      map.has_charsets = true;
      break;
    case Field::enum_and_set_default_charset:
      SLUICE_TRY(read_default_collation(in, select(map, is_label_type)));
      map.has_label_charsets = true;
      break;
    case Field::enum_and_set_column_charset:
      read_collations(in, select(map, is_label_type));
      map.has_label_charsets = true;
      break;
    case Field::column_name:
      for (MapColumn& c : map.columns) c.name = as_chars(in.take(in.lenenc()));
      map.has_names = true;
      break;
    case Field::set_str_value: SLUICE_TRY(read_labels(in, ColumnType::set, map)); break;
    case Field::enum_str_value: SLUICE_TRY(read_labels(in, ColumnType::enum_, map)); break;
    case Field::geometry_type:
      for (MapColumn& c : map.columns)
        if (c.type == ColumnType::geometry)
          c.geometry_type = static_cast<std::uint8_t>(in.lenenc());
      break;
    case Field::simple_primary_key: SLUICE_TRY(read_primary_key(in, false, map)); break;
    case Field::primary_key_with_prefix: SLUICE_TRY(read_primary_key(in, true, map)); break;
    case Field::column_visibility: {
      const Bytes bits = in.take(bitmap_bytes(map.columns.size()));
      if (!in.ok()) break;
      for (std::size_t i = 0; i < map.columns.size(); ++i)
        map.columns[i].visible = bit_msb(bits, i);
      map.has_visibility = true;
      break;
    }
    case Field::vector_dimensionality:
      for (MapColumn& c : map.columns)
        if (c.type == ColumnType::vector) c.dimensions = static_cast<std::uint32_t>(in.lenenc());
      break;
    default: return {};  // of a later server
  }
  const auto told = [&] {
    return "field " + std::to_string(static_cast<unsigned>(field)) + " of " + map.database + "." +
           map.table;
  };
  if (!in.ok()) return malformed(kName, told() + " ends too early");
  if (in.remaining() != 0) return malformed(kName, told() + " is longer than its columns");
  return {};
}

}  // namespace

Status read_optional_metadata(ByteReader& in, Flavor flavor, TableMap& map) {
  while (in.remaining() != 0) {
    const auto field = static_cast<Field>(in.u8());
    const Bytes value = in.take(in.lenenc());
    if (!in.ok()) return truncated(kName, value);
    SLUICE_TRY(read_field(field, value, flavor, map));
  }
  return {};
}

}  // namespace sluice::binlog
