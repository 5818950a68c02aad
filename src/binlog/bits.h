#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

#include "sluice/base/byte_reader.h"

namespace sluice::binlog {

// Bytes of a bitmap of n bits.
constexpr std::size_t bitmap_bytes(std::size_t n) noexcept {
  return (n + 7) / 8;
}

// Bit i, counted from the low end of each byte.  i < 8 * bitmap.size().
inline bool bit_lsb(Bytes bitmap, std::size_t i) noexcept {
  return (std::to_integer<unsigned>(bitmap[i / 8]) >> (i % 8) & 1U) != 0;
}
// Bit i, counted from the high end of each byte.  i < 8 * bitmap.size().
inline bool bit_msb(Bytes bitmap, std::size_t i) noexcept {
  return (std::to_integer<unsigned>(bitmap[i / 8]) >> (7 - i % 8) & 1U) != 0;
}
// How many of the first n bits are set; what pads the last byte does not count.  n <= 8 *
// bitmap.size().
inline std::size_t count_bits(Bytes bitmap, std::size_t n) noexcept {
  // Almost every bitmap has them all, and where the processor's own instruction must not be taken
  // for granted counting is a call: only what is missing is counted.
  std::size_t missing = 0;
  const auto look_at = [&missing](std::byte b, unsigned mask) {
    const unsigned clear = ~std::to_integer<unsigned>(b) & mask;
    if (clear != 0) missing += static_cast<std::size_t>(std::popcount(clear));
  };
  for (std::size_t i = 0; i < n / 8; ++i) look_at(bitmap[i], 0xFF);
  if (n % 8 != 0) look_at(bitmap[n / 8], (1U << (n % 8)) - 1);
  return n - missing;
}

}  // namespace sluice::binlog
