#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"

namespace sluice {

// How the bytes of a text column become UTF-8.
enum class CharsetKind : std::uint8_t {
  utf8,    // utf8mb3, utf8mb4, ascii: copied after a check
  binary,  // collation 63: bytes, not text
  single,  // one byte a character: by table
  wide,    // ucs2, utf16, utf16le, utf32: by rule
  multi,   // the East Asian ones: by a table that iconv(3) fills
};

// A MySQL character set by its name ("latin1", "gbk").  Immutable; lives as long as the program.
class Charset {
 public:
  // Null for a name that neither MySQL nor MariaDB has.  "utf8" is utf8mb3.
  static const Charset* by_name(std::string_view name);
  // By collation id, as TABLE_MAP metadata and the handshake carry it.  Null when unknown.
  static const Charset* by_collation(std::uint32_t collation_id);
  static const Charset& utf8mb4();
  static const Charset& binary();

  std::string_view name() const noexcept { return name_; }
  CharsetKind kind() const noexcept { return kind_; }
  unsigned max_bytes_per_char() const noexcept { return max_bytes_; }
  // No byte above 0x7F.
  bool ascii_only() const noexcept { return ascii_only_; }

  // Whether to_utf8() can work: kind multi needs the C library's converter.  Call once before using
  // a character set. Errors: fatal/binlog_unsupported naming it.
  Status prepare() const;

  // Appends `bytes` converted to UTF-8; binary: bytes 00..FF as U+0000..U+00FF.  False when a byte
  // sequence is invalid in this character set; `out` then holds what came before it and U+FFFD for
  // each bad byte, through to the end.  Thread-safe.
  bool to_utf8(std::string_view bytes, TextBuffer& out) const;

  struct Table;  // of one character set; private to base
  Charset(std::string_view name, CharsetKind kind, unsigned max_bytes, const Table* table,
          bool ascii_only);

 private:
  std::string_view name_;
  const Table* table_;
  CharsetKind kind_;
  std::uint8_t max_bytes_;
  bool ascii_only_;
};

// True when s is valid UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view s) noexcept;

// Appends bytes as the characters U+0000..U+00FF (ISO-8859-1).
void append_latin1_as_utf8(std::string_view bytes, TextBuffer& out);

// Writes one character (at most 4 bytes) at `to`; returns the end.  `c` is a scalar value (no
// surrogate, below 0x110000).
inline char* write_utf8(char* to, char32_t c) noexcept {
  const auto put = [&to](char32_t byte) { *to++ = static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
  return to;
}

// Length of the valid UTF-8 character at the head of s (1..4), or 0 when its first byte is bad.  s
// is not empty.
inline std::size_t utf8_length(std::string_view s) noexcept {
  const auto at = [&s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
  const unsigned char b = at(0);
  if (b < 0x80) return 1;
  if (b < 0xC2) return 0;
  if (b < 0xE0) return s.size() >= 2 && tail(1) ? 2 : 0;
  if (b < 0xF0) {
    if (s.size() < 3 || !tail(1) || !tail(2)) return 0;
    if (b == 0xE0 && at(1) < 0xA0) return 0;  // overlong
    if (b == 0xED && at(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (b > 0xF4 || s.size() < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
  if (b == 0xF0 && at(1) < 0x90) return 0;
  if (b == 0xF4 && at(1) > 0x8F) return 0;  // above U+10FFFF
  return 4;
}

// U+FFFD in UTF-8.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

}  // namespace sluice
