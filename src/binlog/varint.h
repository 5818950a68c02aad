#pragma once
#include <bit>
#include <cstdint>

#include "sluice/base/byte_reader.h"

namespace sluice::binlog {

// An unsigned integer of MySQL's mysql::serialization (8.3+): as many low 1 bits in the first byte
// as bytes follow it, then a 0, then the value, little-endian (mysql-server:
// libs/mysql/serialization/primitive_type_codec.hpp).  Not the protocol's lenenc.
inline std::uint64_t read_varint(ByteReader& in) noexcept {
  const unsigned first = in.u8();
  const auto more = static_cast<unsigned>(std::countr_one(static_cast<std::uint8_t>(first)));
  if (more == 8) return in.u64();
  std::uint64_t value = first >> (more + 1);
  unsigned shift = 7 - more;
  for (const std::byte b : in.take(more)) {
    value |= std::to_integer<std::uint64_t>(b) << shift;
    shift += 8;
  }
  return value;
}

// A signed one: the sign is the lowest bit.
inline std::int64_t read_signed_varint(ByteReader& in) noexcept {
  const std::uint64_t raw = read_varint(in);
  const auto half = static_cast<std::int64_t>(raw >> 1);
  return (raw & 1) != 0 ? ~half : half;
}

}  // namespace sluice::binlog
