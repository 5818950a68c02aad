#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace sluice {

using Bytes = std::span<const std::byte>;

// Unsigned little-endian integer of N bytes (1..8) at a place that the type of `in` says is there.
template <std::size_t N, std::size_t At = 0, std::size_t Size>
std::uint64_t load_le(std::span<const std::byte, Size> in) noexcept {
  static_assert(N >= 1 && N <= 8 && Size != std::dynamic_extent && At + N <= Size);
  static_assert(std::endian::native == std::endian::little, "x86-64 and arm64 only");
  if constexpr (std::has_single_bit(N)) {
    using Integer = std::conditional_t<
        N == 1, std::uint8_t,
        std::conditional_t<N == 2, std::uint16_t,
                           std::conditional_t<N == 4, std::uint32_t, std::uint64_t>>>;
    Integer v = 0;
    std::memcpy(&v, in.data() + At, N);  // checked above; the one place that reads integers
    return v;
  } else {
    // In registers: bytes gathered in memory and read back as one word cost a dozen cycles more.
    constexpr std::size_t kLow = std::bit_floor(N);
    return load_le<kLow, At>(in) | load_le<N - kLow, At + kLow>(in) << (8 * kLow);
  }
}

// Forward-only little-endian reader over one binlog event body.  Views into the
// input: valid as long as the input is.  A read past the end yields 0 / an empty
// view and latches failure; test ok() once, after a group of reads.
class ByteReader {
 public:
  explicit ByteReader(Bytes in) noexcept : in_(in) {}

  bool ok() const noexcept { return ok_; }
  std::size_t remaining() const noexcept { return in_.size(); }

  // Unsigned little-endian integer of N bytes (1..8), as the binlog stores them.
  template <std::size_t N>
  std::uint64_t le() noexcept {
    static_assert(N >= 1 && N <= 8);
    if (in_.size() < N) {
      fail();
      return 0;
    }
    const std::uint64_t v = load_le<N>(in_.first<N>());
    in_ = in_.subspan(N);
    return v;
  }
  // Unsigned big-endian integer of N bytes (1..8): temporal fractions, BIT, packed decimals.
  template <std::size_t N>
  std::uint64_t be() noexcept {
    return __builtin_bswap64(le<N>()) >> (64 - 8 * N);
  }
  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(le<1>()); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(le<2>()); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(le<4>()); }
  std::uint64_t u64() noexcept { return le<8>(); }
  // All that is left.
  Bytes rest() noexcept { return take(in_.size()); }
  // Length-encoded integer (protocol "int<lenenc>"); 0xFB and 0xFF are failures.
  std::uint64_t lenenc() noexcept {
    const auto first = le<1>();
    switch (first) {
      case 0xFC: return le<2>();
      case 0xFD: return le<3>();
      case 0xFE: return le<8>();
      case 0xFB:
      case 0xFF: fail(); return 0;
      default: return first;
    }
  }
  // Next n bytes; n comes from the wire, so it is checked, never trusted.
  Bytes take(std::uint64_t n) noexcept {
    if (n > in_.size()) {
      fail();
      return {};
    }
    const Bytes out = in_.first(static_cast<std::size_t>(n));
    in_ = in_.subspan(static_cast<std::size_t>(n));
    return out;
  }

 private:
  void fail() noexcept {
    ok_ = false;
    in_ = {};
  }
  Bytes in_;
  bool ok_ = true;
};

// All of at most eight bytes as one unsigned integer.
inline std::uint64_t little_endian(Bytes bytes) noexcept {
  std::uint64_t v = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) v = v << 8 | std::to_integer<unsigned>(bytes[i]);
  return v;
}
inline std::uint64_t big_endian(Bytes bytes) noexcept {
  std::uint64_t v = 0;
  for (const std::byte b : bytes) v = v << 8 | std::to_integer<unsigned>(b);
  return v;
}

// The same memory, seen as characters / as bytes.
inline std::string_view as_chars(Bytes b) noexcept {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

inline Bytes as_bytes(std::string_view s) noexcept {
  return std::as_bytes(std::span<const char>(s.data(), s.size()));
}

}  // namespace sluice
