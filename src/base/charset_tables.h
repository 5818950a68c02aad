#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

// What the servers say of their character sets; the tables are made by
// scripts/make_charset_tables.py.
namespace sluice::charset_tables {

// The 256 characters of a set with one byte a character; 0xFFFD where it has none.
struct SingleByte {
  std::string_view name;
  std::array<char16_t, 256> characters;
};

// From code `first` on, `count` codes stand for the characters from `character` on; 0: for none at
// all.
struct Override {
  std::uint32_t first = 0;  // the code's bytes, big-endian
  std::uint16_t count = 0;
  char16_t character = 0;
};

// A set with several bytes a character: the C library's converter, and where the servers differ
// from it.
struct MultiByte {
  std::string_view name;
  const char* iconv_name;
  std::span<const Override> overrides;
};

struct CollationRange {
  std::uint16_t first = 0, last = 0;
  std::string_view charset;
};

inline constexpr std::size_t kSingleByteSets = 24;
inline constexpr std::size_t kMultiByteSets = 9;
extern const std::array<SingleByte, kSingleByteSets> single_byte;
extern const std::array<MultiByte, kMultiByteSets> multi_byte;
// Below 2048; ascending.
std::span<const CollationRange> collations() noexcept;

}  // namespace sluice::charset_tables
