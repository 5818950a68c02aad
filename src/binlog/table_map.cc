#include "sluice/binlog/table_map.h"

#include <algorithm>

#include "binlog/bits.h"
#include "binlog/errors.h"
#include "binlog/table_metadata.h"

namespace sluice::binlog {
namespace {

constexpr std::string_view kName = "TABLE_MAP";
constexpr std::uint64_t kMaxColumns = 4096;  // MySQL's and MariaDB's own limit
constexpr std::uint32_t kMaxPrecision = 65;
constexpr std::uint32_t kMaxScale = 38;  // MariaDB: DECIMAL_MAX_SCALE; MySQL has 30
constexpr std::uint32_t kMaxBits = 64;
constexpr std::uint32_t kMaxFraction = 6;

Error bad_column(std::size_t index, ColumnType type, std::string_view why) {
  return malformed(kName, "column " + std::to_string(index) + " (" +
                              std::string(column_type_name(type)) + "): " + std::string(why));
}

// STRING's two bytes hold the real type and the length; CHAR longer than 255 bytes hides two bits
// of its length in the type (mysql-server: sql/field.cc Field_string::do_save_field_metadata).
bool split_string_meta(unsigned first, unsigned second, MapColumn& column) {
  unsigned real = first;
  column.length = second;
  if (first != 0 && (first & 0x30U) != 0x30U) {
    real = first | 0x30U;
    column.length = second | ((first & 0x30U) ^ 0x30U) << 4;
  }
  switch (static_cast<ColumnType>(real)) {
    case ColumnType::enum_:
      column.type = ColumnType::enum_;
      return column.length == 1 || column.length == 2;
    case ColumnType::set:
      column.type = ColumnType::set;
      return column.length >= 1 && column.length <= 8;
    case ColumnType::decimal_old:  // 0: servers that did not write the real type
    case ColumnType::string:
    case ColumnType::var_string: column.type = ColumnType::string; return true;
    default: return false;
  }
}

// Reads one column's metadata.  False when it contradicts the type.
bool read_column_meta(ByteReader& in, MapColumn& column) {
  switch (column.type) {
    case ColumnType::float_:
    case ColumnType::double_: {
      column.length = in.u8();
      return column.length == (column.type == ColumnType::float_ ? 4U : 8U);
    }
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::blob_compressed:
    case ColumnType::json:
    case ColumnType::geometry:
    case ColumnType::vector: {
      column.length = in.u8();
      return column.length >= 1 && column.length <= 4;
    }
    case ColumnType::timestamp2:
    case ColumnType::datetime2:
    case ColumnType::time2: {
      column.length = in.u8();
      return column.length <= kMaxFraction;
    }
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::varchar_compressed: column.length = in.u16(); return true;
    case ColumnType::bit: {
      const unsigned rest = in.u8();
      column.length = in.u8() * 8U + rest;
      return rest < 8 && column.length <= kMaxBits;
    }
    case ColumnType::newdecimal: {
      column.length = in.u8();
      column.scale = in.u8();
      return column.length <= kMaxPrecision && column.scale <= kMaxScale &&
             column.scale <= column.length;
    }
    case ColumnType::enum_:
    case ColumnType::set:
    case ColumnType::string: {
      const unsigned first = in.u8();
      const unsigned second = in.u8();
      return split_string_meta(first, second, column);
    }
    case ColumnType::typed_array: {
      // The element's type and metadata, VARCHAR's with three bytes (mysql-server:
      // sql/rpl_utility.cc read_field_metadata).
      MapColumn element;
      element.type = static_cast<ColumnType>(in.u8());
      if (element.type == ColumnType::typed_array) return false;
      if (element.type == ColumnType::varchar) {
        in.take(3);
        return true;
      }
      return read_column_meta(in, element);
    }
    case ColumnType::decimal_old:
    case ColumnType::tiny:
    case ColumnType::short_:
    case ColumnType::long_:
    case ColumnType::null:
    case ColumnType::timestamp:
    case ColumnType::longlong:
    case ColumnType::int24:
    case ColumnType::date:
    case ColumnType::time:
    case ColumnType::datetime:
    case ColumnType::year:
    case ColumnType::newdate:
    case ColumnType::invalid:
    case ColumnType::bool_: return true;
  }
  return true;  // unknown types are refused before
}

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

// Later versions do not log them: there a column of such a name is the user's own, for nobody
// forbids it.
void mark_index_columns(const FormatDescription& format, TableMap& map) {
  constexpr std::uint32_t kFirst = 80013;
  constexpr std::uint32_t kLast = 80017;
  const std::uint32_t version = format.version_number();
  if (version < kFirst || version > kLast) return;
  for (MapColumn& column : map.columns) column.of_index = is_index_column(column.name);
}

}  // namespace

std::string_view column_type_name(ColumnType type) noexcept {
  switch (type) {
    case ColumnType::decimal_old: return "DECIMAL";
    case ColumnType::tiny: return "TINY";
    case ColumnType::short_: return "SHORT";
    case ColumnType::long_: return "LONG";
    case ColumnType::float_: return "FLOAT";
    case ColumnType::double_: return "DOUBLE";
    case ColumnType::null: return "NULL";
    case ColumnType::timestamp: return "TIMESTAMP";
    case ColumnType::longlong: return "LONGLONG";
    case ColumnType::int24: return "INT24";
    case ColumnType::date: return "DATE";
    case ColumnType::time: return "TIME";
    case ColumnType::datetime: return "DATETIME";
    case ColumnType::year: return "YEAR";
    case ColumnType::newdate: return "NEWDATE";
    case ColumnType::varchar: return "VARCHAR";
    case ColumnType::bit: return "BIT";
    case ColumnType::timestamp2: return "TIMESTAMP2";
    case ColumnType::datetime2: return "DATETIME2";
    case ColumnType::time2: return "TIME2";
    case ColumnType::typed_array: return "TYPED_ARRAY";
    case ColumnType::blob_compressed: return "BLOB_COMPRESSED";
    case ColumnType::varchar_compressed: return "VARCHAR_COMPRESSED";
    case ColumnType::vector: return "VECTOR";
    case ColumnType::invalid: return "INVALID";
    case ColumnType::bool_: return "BOOL";
    case ColumnType::json: return "JSON";
    case ColumnType::newdecimal: return "NEWDECIMAL";
    case ColumnType::enum_: return "ENUM";
    case ColumnType::set: return "SET";
    case ColumnType::tiny_blob: return "TINY_BLOB";
    case ColumnType::medium_blob: return "MEDIUM_BLOB";
    case ColumnType::long_blob: return "LONG_BLOB";
    case ColumnType::blob: return "BLOB";
    case ColumnType::var_string: return "VAR_STRING";
    case ColumnType::string: return "STRING";
    case ColumnType::geometry: return "GEOMETRY";
  }
  return "UNKNOWN";
}

Result<std::uint64_t> table_id_of(EventType type, Bytes body, const FormatDescription& format) {
  ByteReader r(body);
  // 6: trees before 5.1.4 with a table id of four bytes.
  const std::uint64_t id = format.post_header(type) == 6 ? r.le<4>() : r.le<6>();
  if (!r.ok()) return truncated(event_type_name(type), body);
  return id;
}

Result<TableMap> TableMap::decode(Bytes body, const FormatDescription& format) {
  ByteReader r(body);
  TableMap map;
  SLUICE_TRY_ASSIGN(map.table_id, table_id_of(EventType::table_map, body, format));
  r.take(format.post_header(EventType::table_map) == 6 ? 4 : 6);
  map.flags = r.u16();
  map.database = as_chars(r.take(r.lenenc()));
  r.take(1);  // NUL
  map.table = as_chars(r.take(r.lenenc()));
  r.take(1);
  const std::uint64_t count = r.lenenc();
  if (r.ok() && count > kMaxColumns) return malformed(kName, std::to_string(count) + " columns");
  const Bytes types = r.take(count);
  if (!r.ok()) return truncated(kName, body);
  map.columns.resize(types.size());

  // Trees of 2006 end here.
  const bool bare = r.ok() && r.remaining() == 0;
  ByteReader meta(bare ? Bytes{} : r.take(r.lenenc()));
  const Bytes nullable = bare ? Bytes{} : r.take(bitmap_bytes(types.size()));
  if (!r.ok()) return truncated(kName, body);
  for (std::size_t i = 0; i < types.size(); ++i) {
    MapColumn& column = map.columns[i];
    column.type = static_cast<ColumnType>(types[i]);
    if (column_type_name(column.type) == "UNKNOWN")
      return unsupported(kName, map.database + "." + map.table + " column " + std::to_string(i) +
                                    " has type " +
                                    std::to_string(std::to_integer<unsigned>(types[i])) +
                                    ", which this version does not know");
    if (!read_column_meta(meta, column))
      return bad_column(i, column.type, "metadata out of range").at(map.database + "." + map.table);
    if (!meta.ok()) return bad_column(i, column.type, "metadata ends too early");
    column.nullable = nullable.empty() || bit_lsb(nullable, i);
  }
  if (meta.remaining() != 0) return malformed(kName, "more metadata than columns");
  SLUICE_TRY(read_optional_metadata(r, format.flavor, map));
  mark_index_columns(format, map);
  return map;
}

}  // namespace sluice::binlog
