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
  iconv,   // the rest
};

// A MySQL character set by its name ("latin1", "gbk").  Immutable; lives as long as the program.
class Charset {
 public:
  // Null for a name that neither MySQL nor MariaDB has.
  static const Charset* by_name(std::string_view name);
  // By collation id, as TABLE_MAP metadata and the handshake carry it.  Null when unknown.
  static const Charset* by_collation(std::uint32_t collation_id);
  static const Charset& utf8mb4();
  static const Charset& binary();

  const std::string& name() const noexcept { return name_; }
  CharsetKind kind() const noexcept { return kind_; }
  unsigned max_bytes_per_char() const noexcept { return max_bytes_; }

  // Appends `bytes` converted to UTF-8.  False when a byte sequence is invalid in this character set; `out` then holds
  // what came before it and U+FFFD for each bad byte, through to the end.  Thread-safe.
  bool to_utf8(std::string_view bytes, TextBuffer& out) const;

  Charset(std::string name, CharsetKind kind, unsigned max_bytes, std::string iconv_name);

 private:
  std::string name_, iconv_name_;
  CharsetKind kind_;
  unsigned max_bytes_;
};

// True when s is valid UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view s) noexcept;

}  // namespace sluice
