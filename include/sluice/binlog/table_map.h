#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/binlog/event.h"

namespace sluice::binlog {

// Column type bytes (mysql-server: include/field_types.h; MariaDB: include/mysql_com.h).
enum class ColumnType : std::uint8_t {
  decimal_old = 0,
  tiny = 1,
  short_ = 2,
  long_ = 3,
  float_ = 4,
  double_ = 5,
  null = 6,
  timestamp = 7,
  longlong = 8,
  int24 = 9,
  date = 10,
  time = 11,
  datetime = 12,
  year = 13,
  newdate = 14,
  varchar = 15,
  bit = 16,
  timestamp2 = 17,
  datetime2 = 18,
  time2 = 19,
  typed_array = 20,
  blob_compressed = 140,
  varchar_compressed = 141,  // MariaDB
  vector = 242,
  invalid = 243,
  bool_ = 244,
  json = 245,
  newdecimal = 246,
  enum_ = 247,
  set = 248,
  tiny_blob = 249,
  medium_blob = 250,
  long_blob = 251,
  blob = 252,
  var_string = 253,
  string = 254,
  geometry = 255,
};
std::string_view column_type_name(ColumnType type) noexcept;

// One column as TABLE_MAP tells it.  For STRING (254) the real type is already worked out: string,
// enum_ or set.
struct MapColumn {
  ColumnType type = ColumnType::null;
  // By type: maximum bytes (varchar, string), bytes of the length prefix (blobs, json, geometry,
  // vector), bytes of the value (enum_, set, float_, double_), bits (bit), fractional digits (*2
  // temporals), precision (newdecimal).
  std::uint32_t length = 0;
  std::uint8_t scale = 0;  // newdecimal
  bool nullable = true;
  // Optional metadata; meaningful when the TableMap flag beside it says so.
  bool is_unsigned = false;     // has_signedness
  std::uint32_t collation = 0;  // has_charsets; 0 for columns without one, 63 = binary
  std::string name;             // has_names
  // has_names: a column that MySQL 8.0.13 to 8.0.17 makes for a functional index and logs, which
  // neither SELECT nor SHOW CREATE TABLE shows.
  bool of_index = false;
  std::vector<std::string>
      labels;           // has_labels; ENUM and SET, in the bytes of the column's character set
  bool visible = true;  // has_visibility
  std::uint32_t dimensions = 0;  // VECTOR
  std::uint8_t geometry_type =
      0;  // GEOMETRY: 0 any, 1 point, 2 linestring, 3 polygon, 4-6 multi-..., 7 collection
};

// TABLE_MAP: gives a table_id meaning until the end of the statement's ROWS events.
struct TableMap {
  static constexpr std::uint64_t kDummyId =
      0xFFFFFF;  // "dummy rows event": carries no rows, only the statement's end

  std::uint64_t table_id = 0;  // 48 bits on the wire
  std::uint16_t flags = 0;
  std::string database;
  std::string table;
  std::vector<MapColumn> columns;
  bool has_signedness = false, has_charsets = false, has_names = false, has_labels = false,
       has_visibility = false;
  bool has_label_charsets = false;  // collation of ENUM and SET columns is known too
  struct KeyPart {
    std::uint32_t column = 0;
    std::uint32_t prefix = 0;  // characters; 0 = the whole column
  };
  std::vector<KeyPart> primary_key;  // has_primary_key; on MariaDB it may be a promoted unique key:
                                     // never partition by it
  bool has_primary_key = false;

  // Errors: fatal/binlog_truncated, binlog_malformed, binlog_unsupported (a column type of a later
  // server).
  static Result<TableMap> decode(Bytes body, const FormatDescription& format);
};

// The table id at the head of a TABLE_MAP or ROWS event's body.  Errors: fatal/binlog_truncated.
Result<std::uint64_t> table_id_of(EventType type, Bytes body, const FormatDescription& format);

}  // namespace sluice::binlog
