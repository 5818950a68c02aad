#pragma once
#include <cstdint>

#include "sluice/base/byte_reader.h"
#include "sluice/base/text_buffer.h"

namespace sluice::binlog {

// Column bytes of a row image -> the text the server prints.  Each appends to `out` and returns
// true, or appends nothing and returns false when the bytes cannot be a value of that type (wrong
// length, a field out of its range).

// The bytes of a DECIMAL(precision, scale) in a row image; 0 for a precision or scale that does not
// exist.
std::size_t packed_decimal_size(unsigned precision, unsigned scale) noexcept;
// All digits of the scale: "5.00", "-0.50", "0.00" (never "-0.00").
bool append_decimal(Bytes bytes, unsigned precision, unsigned scale, TextBuffer& out);

// FLOAT and DOUBLE: the shortest decimal that reads back as the same value, laid out as MySQL
// prints doubles (123.5, 1e100, -0). False for infinities and NaN.
bool append_double(double v, TextBuffer& out);
bool append_float(float v, TextBuffer& out);
bool append_double(Bytes bytes, TextBuffer& out);  // 8 bytes
bool append_float(Bytes bytes, TextBuffer& out);   // 4 bytes

// BIT(n), 1..8 bytes big-endian: unsigned decimal.
bool append_bit(Bytes bytes, TextBuffer& out);

// Zero and partial dates as they are stored.
bool append_date(Bytes bytes, TextBuffer& out);  // DATE, NEWDATE: 3 bytes
bool append_year(Bytes bytes, TextBuffer& out);

// TIME, DATETIME, TIMESTAMP (types 11, 12, 7) as MySQL 5.5 stored them, without fractional digits,
// and as MariaDB stores them with `digits` (0..6) and mysql56_temporal_format=OFF.  `zone_seconds`:
// offset, east positive.
bool append_old_time(Bytes bytes, unsigned digits, TextBuffer& out);
bool append_old_datetime(Bytes bytes, unsigned digits, TextBuffer& out);
bool append_old_timestamp(Bytes bytes, unsigned digits, std::int32_t zone_seconds, TextBuffer& out);

// TIME2, DATETIME2, TIMESTAMP2 (types 19, 18, 17) with `digits` (0..6) fractional digits.
bool append_time(Bytes bytes, unsigned digits, TextBuffer& out);
bool append_datetime(Bytes bytes, unsigned digits, TextBuffer& out);
bool append_timestamp(Bytes bytes, unsigned digits, std::int32_t zone_seconds, TextBuffer& out);

// Temporal values in the server's in-memory packing, as JSON documents hold them; times with six
// fractional digits.
bool append_packed_date(std::int64_t packed, TextBuffer& out);
bool append_packed_datetime(std::int64_t packed, TextBuffer& out);
bool append_packed_time(std::int64_t packed, TextBuffer& out);

// MariaDB's INET4 (4 bytes), INET6 and UUID (16 bytes), whose trailing zero bytes the binlog leaves
// out.
bool append_inet4(Bytes bytes, TextBuffer& out);
bool append_inet6(Bytes bytes, TextBuffer& out);
bool append_uuid(Bytes bytes, TextBuffer& out);

// VECTOR: float32 little-endian, as "[1,2.5,-3e-05]".
bool append_vector(Bytes bytes, TextBuffer& out);

}  // namespace sluice::binlog
