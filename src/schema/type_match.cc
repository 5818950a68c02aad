#include "schema/type_match.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/charset.h"

namespace sluice::schema {
namespace {

using binlog::ColumnType;
using binlog::MapColumn;
using binlog::TableMap;

constexpr std::uint32_t kBinaryCollation = 63;
constexpr std::uint32_t kVectorFloat = 4;  // bytes of one dimension

// Whether TABLE_MAP's character sets speak of this column: ENUM and SET have a list of their own.
bool charset_known(const TableMap& map, std::size_t index) noexcept {
  const MapColumn& c = map.columns[index];
  const bool labelled = c.type == ColumnType::enum_ || c.type == ColumnType::set;
  return (labelled ? map.has_label_charsets : map.has_charsets) && c.collation != 0;
}

// Bytes a character of this column may take; 0 when nobody knows its character set.
unsigned max_char_bytes(const TableMap& map, std::size_t index, std::string_view declared_charset) {
  const Charset* charset = charset_known(map, index)
                               ? Charset::by_collation(map.columns[index].collation)
                               : Charset::by_name(declared_charset);
  return charset == nullptr ? 0 : charset->max_bytes_per_char();
}

bool is_blob(const MapColumn& c, std::uint32_t prefix_bytes, bool compressed) noexcept {
  if (compressed) return c.type == ColumnType::blob_compressed && c.length == prefix_bytes;
  switch (c.type) {
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob: return c.length == prefix_bytes;
    default: return false;
  }
}

// CHAR and BINARY: `bytes` is the declared length; 0 with `unknown` when the character set is not
// known.
bool is_fixed(const MapColumn& c, std::uint64_t bytes, bool unknown) noexcept {
  return (c.type == ColumnType::string || c.type == ColumnType::var_string) &&
         (unknown || c.length == bytes);
}

bool is_varying(const MapColumn& c, std::uint64_t bytes, bool unknown, bool compressed) noexcept {
  // A compressed value carries one byte more: how it is compressed (MariaDB: sql/field.h
  // Field_varstring_compressed).
  if (compressed)
    return c.type == ColumnType::varchar_compressed && (unknown || c.length == bytes + 1);
  return (c.type == ColumnType::varchar || c.type == ColumnType::var_string) &&
         (unknown || c.length == bytes);
}

// `with_fraction` has its digits in the metadata; the old types do not: there MariaDB writes any
// number of digits (mysql56_temporal_format=OFF), MySQL only none.
bool is_temporal(const MapColumn& c, ColumnType with_fraction, ColumnType old, unsigned digits,
                 Flavor flavor) noexcept {
  if (c.type == with_fraction) return c.length == digits;
  return c.type == old && (digits == 0 || flavor == Flavor::mariadb);
}

std::uint32_t set_bytes(std::size_t labels) noexcept {
  const auto bytes = static_cast<std::uint32_t>((labels + 7) / 8);
  return bytes > 4 ? 8 : bytes;
}

bool is_vector(const MapColumn& c, std::uint32_t dimensions, Flavor flavor) noexcept {
  if (flavor == Flavor::mariadb)
    return c.type == ColumnType::varchar && c.length == dimensions * kVectorFloat;
  return c.type == ColumnType::vector && (c.dimensions == 0 || c.dimensions == dimensions);
}

// Types with a sign in the metadata.  YEAR has a bit there too, which means nothing.
bool has_sign(ColumnType type) noexcept {
  switch (type) {
    case ColumnType::tiny:
    case ColumnType::short_:
    case ColumnType::int24:
    case ColumnType::long_:
    case ColumnType::longlong:
    case ColumnType::float_:
    case ColumnType::double_:
    case ColumnType::newdecimal: return true;
    default: return false;
  }
}

std::string with_length(std::string_view name, std::uint64_t n) {
  return std::string(name) + "(" + std::to_string(n) + ")";
}

std::string with_fraction(std::string_view name, unsigned digits) {
  return digits == 0 ? std::string(name) : with_length(name, digits);
}

struct IntegerType {
  ColumnType logged;
  DeclaredType declared;
  std::string_view name;
  unsigned width, unsigned_width;  // display width MariaDB prints by default
};
constexpr std::array kIntegers = {
    IntegerType{ColumnType::tiny, DeclaredType::tinyint, "tinyint", 4, 3},
    IntegerType{ColumnType::short_, DeclaredType::smallint, "smallint", 6, 5},
    IntegerType{ColumnType::int24, DeclaredType::mediumint, "mediumint", 9, 8},
    IntegerType{ColumnType::long_, DeclaredType::int_, "int", 11, 10},
    IntegerType{ColumnType::longlong, DeclaredType::bigint, "bigint", 20, 20},
};

// TINYTEXT .. LONGTEXT and their BLOBs, by bytes of the length prefix.
struct BlobType {
  DeclaredType text, blob;
  std::string_view text_name, blob_name;
};
constexpr std::array kBlobs = {
    BlobType{DeclaredType::tinytext, DeclaredType::tinyblob, "tinytext", "tinyblob"},
    BlobType{DeclaredType::text, DeclaredType::blob, "text", "blob"},
    BlobType{DeclaredType::mediumtext, DeclaredType::mediumblob, "mediumtext", "mediumblob"},
    BlobType{DeclaredType::longtext, DeclaredType::longblob, "longtext", "longblob"},
};

void set_type(ColumnSchema& out, DeclaredType type, std::string text) {
  out.type = type;
  out.mysql_type = std::move(text);
}

// CHAR, VARCHAR, BINARY, VARBINARY.  False where MariaDB hides other types behind the same bytes.
bool declare_string(const TableMap& map, std::size_t index, Flavor flavor, ColumnSchema& out) {
  const MapColumn& c = map.columns[index];
  const bool fixed = c.type == ColumnType::string;
  out.compressed = c.type == ColumnType::varchar_compressed;
  const std::uint32_t bytes = out.compressed && c.length > 0 ? c.length - 1 : c.length;
  if (c.collation == kBinaryCollation) {
    // INET4 is STRING(4) there, INET6 and UUID are STRING(16): nothing in the event tells them from
    // BINARY.
    if (fixed && flavor == Flavor::mariadb && (bytes == 4 || bytes == 16)) return false;
    out.length = bytes;
    if (fixed)
      set_type(out, DeclaredType::binary, with_length("binary", bytes));
    else
      set_type(out, DeclaredType::varbinary, with_length("varbinary", bytes));
    return true;
  }
  const unsigned per_char = max_char_bytes(map, index, "");
  if (per_char == 0) return false;
  out.length = bytes / per_char;
  if (fixed)
    set_type(out, DeclaredType::char_, with_length("char", out.length));
  else
    set_type(out, DeclaredType::varchar, with_length("varchar", out.length));
  return true;
}

bool declare_temporal(const MapColumn& c, Flavor flavor, ColumnSchema& out) {
  const bool old = c.type == ColumnType::time || c.type == ColumnType::datetime ||
                   c.type == ColumnType::timestamp;
  if (old && flavor == Flavor::mariadb)
    return false;  // how many digits there are is in the schema only
  out.scale = old ? std::uint8_t{0} : static_cast<std::uint8_t>(c.length);
  if (c.type == ColumnType::time || c.type == ColumnType::time2)
    set_type(out, DeclaredType::time, with_fraction("time", out.scale));
  else if (c.type == ColumnType::datetime || c.type == ColumnType::datetime2)
    set_type(out, DeclaredType::datetime, with_fraction("datetime", out.scale));
  else
    set_type(out, DeclaredType::timestamp, with_fraction("timestamp", out.scale));
  return true;
}

void declare_number(const MapColumn& c, Flavor flavor, ColumnSchema& out) {
  for (const IntegerType& i : kIntegers) {
    if (i.logged != c.type) continue;
    const unsigned width = c.is_unsigned ? i.unsigned_width : i.width;
    set_type(out, i.declared,
             flavor == Flavor::mariadb ? with_length(i.name, width) : std::string(i.name));
  }
  if (c.type == ColumnType::float_) set_type(out, DeclaredType::float_, "float");
  if (c.type == ColumnType::double_) set_type(out, DeclaredType::double_, "double");
  if (c.type == ColumnType::newdecimal) {
    out.precision = static_cast<std::uint8_t>(c.length);
    out.scale = c.scale;
    set_type(out, DeclaredType::decimal,
             "decimal(" + std::to_string(c.length) + "," + std::to_string(c.scale) + ")");
  }
  out.is_unsigned = c.is_unsigned;
  if (c.is_unsigned) out.mysql_type += " unsigned";
}

// By the number in WKB, which the metadata has (mysql-server: libs/mysql/binlog/event/rows_event.h
// GEOMETRY_TYPE).
std::string geometry_name(std::uint8_t type, Flavor flavor) {
  constexpr std::array<std::string_view, 8> kNames = {
      "geometry",   "point",           "linestring",   "polygon",
      "multipoint", "multilinestring", "multipolygon", "geometrycollection"};
  if (type == kNames.size() - 1 && flavor == Flavor::mysql) return "geomcollection";
  return std::string(type < kNames.size() ? kNames[type] : kNames[0]);
}

}  // namespace

unsigned default_width(std::string_view integer_type, bool is_unsigned) noexcept {
  for (const IntegerType& i : kIntegers)
    if (i.name == integer_type) return is_unsigned ? i.unsigned_width : i.width;
  return 0;
}

// As the servers print labels (sql/sql_show.cc append_unescaped).
std::string with_labels(std::string_view name, const std::vector<std::string>& labels) {
  std::string out(name);
  char separator = '(';
  for (const std::string& label : labels) {
    out += separator;
    out += '\'';
    for (const char c : label) {
      switch (c) {
        case '\'': out += "''"; break;
        case '\\': out += "\\\\"; break;
        case '\0': out += "\\0"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        default: out += c;
      }
    }
    out += '\'';
    separator = ',';
  }
  return out + ")";
}

unsigned large_type_rank(DeclaredType type) noexcept {
  switch (type) {
    case DeclaredType::tinytext:
    case DeclaredType::tinyblob: return 1;
    case DeclaredType::text:
    case DeclaredType::blob: return 2;
    case DeclaredType::mediumtext:
    case DeclaredType::mediumblob: return 3;
    case DeclaredType::longtext:
    case DeclaredType::longblob: return 4;
    default: return 0;
  }
}

bool is_text(DeclaredType type) noexcept {
  switch (type) {
    case DeclaredType::char_:
    case DeclaredType::varchar:
    case DeclaredType::tinytext:
    case DeclaredType::text:
    case DeclaredType::mediumtext:
    case DeclaredType::longtext:
    case DeclaredType::enum_:
    case DeclaredType::set: return true;
    default: return false;
  }
}

bool type_fits(const TableMap& map, std::size_t index, const ColumnSchema& declared,
               Flavor flavor) {
  const MapColumn& c = map.columns[index];
  const auto chars = [&] {
    return std::uint64_t{declared.length} * max_char_bytes(map, index, declared.charset);
  };
  const auto no_charset = [&] { return max_char_bytes(map, index, declared.charset) == 0; };
  switch (declared.type) {
    case DeclaredType::tinyint: return c.type == ColumnType::tiny;
    case DeclaredType::smallint: return c.type == ColumnType::short_;
    case DeclaredType::mediumint: return c.type == ColumnType::int24;
    case DeclaredType::int_: return c.type == ColumnType::long_;
    case DeclaredType::bigint: return c.type == ColumnType::longlong;
    case DeclaredType::decimal:
      return c.type == ColumnType::newdecimal && c.length == declared.precision &&
             c.scale == declared.scale;
    case DeclaredType::float_: return c.type == ColumnType::float_;
    case DeclaredType::double_: return c.type == ColumnType::double_;
    case DeclaredType::bit: return c.type == ColumnType::bit && c.length == declared.length;
    case DeclaredType::date: return c.type == ColumnType::date || c.type == ColumnType::newdate;
    case DeclaredType::time:
      return is_temporal(c, ColumnType::time2, ColumnType::time, declared.scale, flavor);
    case DeclaredType::datetime:
      return is_temporal(c, ColumnType::datetime2, ColumnType::datetime, declared.scale, flavor);
    case DeclaredType::timestamp:
      return is_temporal(c, ColumnType::timestamp2, ColumnType::timestamp, declared.scale, flavor);
    case DeclaredType::year: return c.type == ColumnType::year;
    case DeclaredType::char_: return is_fixed(c, chars(), no_charset());
    case DeclaredType::varchar: return is_varying(c, chars(), no_charset(), declared.compressed);
    case DeclaredType::binary: return is_fixed(c, declared.length, false);
    case DeclaredType::varbinary: return is_varying(c, declared.length, false, declared.compressed);
    case DeclaredType::tinytext:
    case DeclaredType::tinyblob: return is_blob(c, 1, declared.compressed);
    case DeclaredType::text:
    case DeclaredType::blob: return is_blob(c, 2, declared.compressed);
    case DeclaredType::mediumtext:
    case DeclaredType::mediumblob: return is_blob(c, 3, declared.compressed);
    case DeclaredType::longtext:
    case DeclaredType::longblob: return is_blob(c, 4, declared.compressed);
    case DeclaredType::enum_:
      return c.type == ColumnType::enum_ && c.length == (declared.labels.size() < 256 ? 1U : 2U);
    case DeclaredType::set:
      return c.type == ColumnType::set && c.length == set_bytes(declared.labels.size());
    case DeclaredType::json: return c.type == ColumnType::json;
    case DeclaredType::geometry: return c.type == ColumnType::geometry;
    case DeclaredType::vector: return is_vector(c, declared.length, flavor);
    case DeclaredType::inet4: return is_fixed(c, 4, false);
    case DeclaredType::inet6:
    case DeclaredType::uuid: return is_fixed(c, 16, false);
    case DeclaredType::unknown: return false;
  }
  return false;
}

bool declaration_fits(const TableMap& map, std::size_t index, const ColumnSchema& declared,
                      const std::vector<std::string>& labels, Flavor flavor) {
  const MapColumn& c = map.columns[index];
  if (!type_fits(map, index, declared, flavor)) return false;
  if (map.has_signedness && has_sign(c.type) && c.is_unsigned != declared.is_unsigned) return false;
  const bool labelled = declared.type == DeclaredType::enum_ || declared.type == DeclaredType::set;
  if (labelled) return !map.has_labels || labels == declared.labels;
  // JSON, GEOMETRY and VECTOR are never text, whatever collation stands beside them.
  const bool bytes_or_text = is_text(declared.type) ||
                             (is_binary(declared.type) && declared.type != DeclaredType::geometry);
  if (bytes_or_text && charset_known(map, index))
    return (c.collation == kBinaryCollation) == !is_text(declared.type);
  return true;
}

std::optional<ColumnSchema> declare(const TableMap& map, std::size_t index,
                                    const std::vector<std::string>& labels, Flavor flavor) {
  const MapColumn& c = map.columns[index];
  ColumnSchema out;
  bool known = true;
  switch (c.type) {
    case ColumnType::tiny:
    case ColumnType::short_:
    case ColumnType::int24:
    case ColumnType::long_:
    case ColumnType::longlong:
      known = map.has_signedness;
      declare_number(c, flavor, out);
      break;
    case ColumnType::float_:
    case ColumnType::double_:
    case ColumnType::newdecimal: declare_number(c, flavor, out); break;
    case ColumnType::time:
    case ColumnType::time2:
    case ColumnType::datetime:
    case ColumnType::datetime2:
    case ColumnType::timestamp:
    case ColumnType::timestamp2: known = declare_temporal(c, flavor, out); break;
    case ColumnType::string:
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::varchar_compressed:
      known = charset_known(map, index) && declare_string(map, index, flavor, out);
      break;
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::blob_compressed: {
      known = charset_known(map, index) && c.length >= 1 && c.length <= kBlobs.size();
      if (!known) break;
      const BlobType& blob = kBlobs[c.length - 1];
      const bool text = c.collation != kBinaryCollation;
      out.compressed = c.type == ColumnType::blob_compressed;
      set_type(out, text ? blob.text : blob.blob,
               std::string(text ? blob.text_name : blob.blob_name));
      break;
    }
    case ColumnType::bit:
      out.length = c.length;
      set_type(out, DeclaredType::bit, with_length("bit", c.length));
      break;
    case ColumnType::date:
    case ColumnType::newdate: set_type(out, DeclaredType::date, "date"); break;
    case ColumnType::year:
      set_type(out, DeclaredType::year, flavor == Flavor::mariadb ? "year(4)" : "year");
      break;
    case ColumnType::enum_:
    case ColumnType::set: {
      known = map.has_labels;
      const bool set = c.type == ColumnType::set;
      out.labels = labels;
      set_type(out, set ? DeclaredType::set : DeclaredType::enum_,
               with_labels(set ? "set" : "enum", labels));
      break;
    }
    case ColumnType::json: set_type(out, DeclaredType::json, "json"); break;
    case ColumnType::geometry:
      set_type(out, DeclaredType::geometry, geometry_name(c.geometry_type, flavor));
      break;
    case ColumnType::vector:
      out.length = c.dimensions;
      set_type(out, DeclaredType::vector,
               c.dimensions == 0 ? "vector" : with_length("vector", c.dimensions));
      break;
    default: known = false;
  }
  if (!known) return std::nullopt;
  return out;
}

std::string describe(const MapColumn& c) {
  std::string out(binlog::column_type_name(c.type));
  switch (c.type) {
    case ColumnType::newdecimal:
      return out + "(" + std::to_string(c.length) + "," + std::to_string(c.scale) + ")";
    case ColumnType::bit:
    case ColumnType::time2:
    case ColumnType::datetime2:
    case ColumnType::timestamp2: return with_length(out, c.length);
    case ColumnType::string:
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::varchar_compressed: return out + " of " + std::to_string(c.length) + " bytes";
    case ColumnType::blob:
    case ColumnType::blob_compressed:
    case ColumnType::enum_:
    case ColumnType::set: return out + " with a length of " + std::to_string(c.length) + " bytes";
    default: return out;
  }
}

std::string_view map_charset(const TableMap& map, std::size_t index) noexcept {
  if (!charset_known(map, index)) return {};
  const Charset* charset = Charset::by_collation(map.columns[index].collation);
  return charset == nullptr ? std::string_view() : std::string_view(charset->name());
}

}  // namespace sluice::schema
