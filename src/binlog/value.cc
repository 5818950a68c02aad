#include "sluice/binlog/value.h"

#include "sluice/binlog/value_text.h"

#include "binlog/temporal.h"

namespace sluice::binlog {
namespace {

Value number(ValueKind kind, std::uint64_t bits) noexcept {
  return {kind, 0, 0, bits, {}};
}

template <std::size_t N>
Value integer(Bytes b, bool is_unsigned) noexcept {
  if (b.size() != N) return {};
  const std::uint64_t v = ByteReader(b).le<N>();
  if (is_unsigned) return number(ValueKind::unsigned_int, v);
  constexpr unsigned kUnused = 64 - 8 * N;  // sign extension
  return number(ValueKind::signed_int,
                static_cast<std::uint64_t>(static_cast<std::int64_t>(v << kUnused) >> kUnused));
}

using ReadTemporal = bool (*)(Bytes, unsigned, std::int64_t&) noexcept;
template <ReadTemporal kRead>
Value temporal(ValueKind kind, Bytes b, std::uint32_t digits) noexcept {
  std::int64_t packed = 0;
  if (!kRead(b, digits, packed)) return {};
  return {kind, 0, static_cast<std::uint8_t>(digits), static_cast<std::uint64_t>(packed), {}};
}

bool read_plain_date(Bytes b, unsigned /*digits*/, std::int64_t& packed) noexcept {
  return read_date(b, packed);
}

}  // namespace

Value decode_value(const MapColumn& column, Bytes b) noexcept {
  switch (column.type) {
    case ColumnType::tiny: return integer<1>(b, column.is_unsigned);
    case ColumnType::short_: return integer<2>(b, column.is_unsigned);
    case ColumnType::int24: return integer<3>(b, column.is_unsigned);
    case ColumnType::long_: return integer<4>(b, column.is_unsigned);
    case ColumnType::longlong: return integer<8>(b, column.is_unsigned);
    case ColumnType::float_:
      return b.size() == 4 ? number(ValueKind::single, ByteReader(b).le<4>()) : Value{};
    case ColumnType::double_:
      return b.size() == 8 ? number(ValueKind::double_, ByteReader(b).le<8>()) : Value{};
    case ColumnType::year: {
      if (b.size() != 1) return {};
      const auto v = std::to_integer<std::uint64_t>(b[0]);
      return number(ValueKind::unsigned_int, v == 0 ? 0 : 1900 + v);
    }
    case ColumnType::bit:
      return b.empty() || b.size() > 8 ? Value{} : number(ValueKind::unsigned_int, big_endian(b));
    case ColumnType::enum_:
    case ColumnType::set:
      return b.empty() || b.size() > 8 ? Value{}
                                       : number(ValueKind::unsigned_int, little_endian(b));
    case ColumnType::newdecimal:
      if (b.empty() || b.size() != packed_decimal_size(column.length, column.scale)) return {};
      return {ValueKind::decimal, static_cast<std::uint8_t>(column.length), column.scale, 0, b};
    case ColumnType::date:
    case ColumnType::newdate: return temporal<read_plain_date>(ValueKind::date, b, 0);
    case ColumnType::time: return temporal<read_old_time>(ValueKind::time, b, column.length);
    case ColumnType::datetime:
      return temporal<read_old_datetime>(ValueKind::datetime, b, column.length);
    case ColumnType::timestamp:
      return temporal<read_old_timestamp>(ValueKind::timestamp, b, column.length);
    case ColumnType::time2: return temporal<read_time2>(ValueKind::time, b, column.length);
    case ColumnType::datetime2:
      return temporal<read_datetime2>(ValueKind::datetime, b, column.length);
    case ColumnType::timestamp2:
      return temporal<read_timestamp2>(ValueKind::timestamp, b, column.length);
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::string:
    case ColumnType::varchar_compressed:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::blob_compressed:
    case ColumnType::json:
    case ColumnType::typed_array:
    case ColumnType::geometry:
    case ColumnType::vector: return {ValueKind::bytes, 0, 0, 0, b};
    case ColumnType::null:
    case ColumnType::decimal_old:
    case ColumnType::invalid:
    case ColumnType::bool_: break;
  }
  return {};
}

}  // namespace sluice::binlog
