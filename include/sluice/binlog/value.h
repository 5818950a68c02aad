#pragma once
#include <bit>
#include <cstdint>

#include "sluice/base/byte_reader.h"
#include "sluice/binlog/table_map.h"

namespace sluice::binlog {

enum class ValueKind : std::uint8_t {
  invalid,       // the bytes cannot be a value of that type
  signed_int,    // as_signed()
  unsigned_int,  // as_unsigned(); BIT, YEAR (0 or 1901..2155), ENUM's index and SET's bits too
  single,        // as_float()
  double_,       // as_double()
  decimal,       // bytes: packed; precision and scale beside them
  date,          // as_signed(): packed, see below; `scale` is the number of fractional digits
  time,
  datetime,
  timestamp,
  bytes,  // text in the column's character set, binary strings, JSON, GEOMETRY, VECTOR, compressed
};

// A column's value without its text: what a row holds, for consumers other than JSON lines.
//
// Temporal values are packed as the server packs them in memory (mysql-server: mysys/my_time.cc,
// TIME_to_longlong_datetime_packed()):
//   date, datetime  ((((year * 13 + month) << 5 | day) << 17 | hour << 12 | minute << 6 | second)
//                   << 24) + microseconds
//   time            (hour << 12 | minute << 6 | second) << 24 + microseconds, negative as a whole
//   timestamp       (seconds since the epoch << 24) + microseconds; 0 is the zero date
// Fields are as stored: zero and partial dates occur, and nothing says that a day exists.
struct Value {
  ValueKind kind = ValueKind::invalid;
  std::uint8_t precision = 0;  // decimal
  std::uint8_t scale = 0;      // decimal; temporal types
  std::uint64_t bits = 0;
  Bytes bytes;  // view into the row

  std::int64_t as_signed() const noexcept { return static_cast<std::int64_t>(bits); }
  std::uint64_t as_unsigned() const noexcept { return bits; }
  double as_double() const noexcept { return std::bit_cast<double>(bits); }
  float as_float() const noexcept { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); }
};

// The value of a cell with CellState::value.  `column` tells the sign of integers by is_unsigned.
Value decode_value(const MapColumn& column, Bytes bytes) noexcept;

}  // namespace sluice::binlog
