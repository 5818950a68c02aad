#pragma once
#include <array>
#include <memory>
#include <mutex>
#include <string_view>

#include "sluice/base/charset.h"

#include "base/charset_tables.h"

namespace sluice {

// The decoding tables of one multi-byte character set, filled by iconv(3) and the servers'
// differences.  Read-only once made.
class MultiByteTable {
 public:
  // Null when the C library has no converter for it.
  static std::unique_ptr<const MultiByteTable> make(const charset_tables::MultiByte& set);
  bool to_utf8(std::string_view bytes, TextBuffer& out) const;

 private:
  // By lead and trail byte, both with the high bit of the lead taken off; 0: no such code.
  using Pairs = std::array<char16_t, std::size_t{128} * 256>;
  char16_t& slot(Pairs& pairs, std::uint32_t code) const noexcept { return pairs[code & 0x7FFF]; }
  struct Code {
    char32_t character = 0;  // 0: invalid
    std::size_t length = 1;  // bytes
  };
  Code decode(std::string_view s) const noexcept;
  Code decode_four(std::string_view s) const noexcept;

  std::array<char16_t, 128> single_{};
  std::unique_ptr<Pairs> pairs_;
  std::unique_ptr<Pairs> after_8f_;  // EUC: three-byte codes
  std::unique_ptr<std::array<char16_t, 39420>>
      four_;  // GB18030: four-byte codes of the BMP, in their order
};

struct Charset::Table {
  const charset_tables::SingleByte* single = nullptr;
  const charset_tables::MultiByte* multi_source = nullptr;
  mutable std::once_flag once;
  mutable std::unique_ptr<const MultiByteTable> multi;  // null after `once`: no converter
  const MultiByteTable* multi_table() const {
    std::call_once(once, [this] { multi = MultiByteTable::make(*multi_source); });
    return multi.get();
  }
};

// Appends U+FFFD `count` times.
void append_replacements(TextBuffer& out, std::size_t count);

}  // namespace sluice
