#include <algorithm>
#include <cstring>

#include <iconv.h>

#include "base/charset_decode.h"

namespace sluice {
namespace {

// Converts single codes; the only user of iconv(3).
class Converter {
 public:
  explicit Converter(const char* from) : cd_(iconv_open("UCS-4LE", from)) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() {
    if (ok()) iconv_close(cd_);
  }
  // The failure value of iconv_open is (iconv_t)-1.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  bool ok() const noexcept { return cd_ != reinterpret_cast<iconv_t>(-1); }

  // The character of this code; 0 when it has none of its own, or none in the BMP.
  char16_t operator()(std::uint32_t code) noexcept {
    std::array<char, 4> in{};
    std::size_t size = 0;
    for (int shift = 24; shift >= 0; shift -= 8)
      if (code >> shift != 0 || shift == 0) in[size++] = static_cast<char>(code >> shift & 0xFF);
    std::array<char, 16> out{};
    char* from = in.data();
    char* to = out.data();
    std::size_t left = size;
    std::size_t room = out.size();
    iconv(cd_, nullptr, nullptr, nullptr, nullptr);
    if (iconv(cd_, &from, &left, &to, &room) == static_cast<std::size_t>(-1) || left != 0) return 0;
    iconv(cd_, nullptr, nullptr, &to, &room);
    if (room != out.size() - 4) return 0;
    std::uint32_t c = 0;
    std::memcpy(&c, out.data(), 4);
    return c < 0x10000 ? static_cast<char16_t>(c) : char16_t{0};
  }

 private:
  iconv_t cd_;
};

constexpr std::uint32_t kFourByteBmp = 39420;  // 81308130..8431A439

// The place of a four-byte GB18030 code among all of them.
constexpr std::uint32_t four_index(std::uint32_t a, std::uint32_t b, std::uint32_t c,
                                   std::uint32_t d) noexcept {
  return (((a - 0x81) * 10 + (b - 0x30)) * 126 + (c - 0x81)) * 10 + (d - 0x30);
}

constexpr std::uint32_t four_code(std::uint32_t index) noexcept {
  return (0x81 + index / 12600) << 24 | (0x30 + index / 1260 % 10) << 16 |
         (0x81 + index / 10 % 126) << 8 | (0x30 + index % 10);
}

unsigned byte_at(std::string_view s, std::size_t i) noexcept {
  return static_cast<unsigned char>(s[i]);
}

}  // namespace

std::unique_ptr<const MultiByteTable> MultiByteTable::make(const charset_tables::MultiByte& set) {
  Converter convert(set.iconv_name);
  if (!convert.ok()) return nullptr;
  const bool euc_japan = set.name == "ujis" || set.name == "eucjpms";
  const bool four_byte = set.name == "gb18030";
  auto table = std::make_unique<MultiByteTable>();
  // Only these two have characters in single bytes above 0x7F; the servers take all others for half
  // a character.
  if (set.name == "sjis" || set.name == "cp932")
    for (std::uint32_t b = 0xA1; b <= 0xDF; ++b) table->single_[b - 0x80] = convert(b);
  table->pairs_ = std::make_unique<Pairs>();
  for (std::uint32_t code = 0x8000; code <= 0xFFFF; ++code)
    table->slot(*table->pairs_, code) = convert(code);
  if (euc_japan) {
    table->after_8f_ = std::make_unique<Pairs>();
    for (std::uint32_t code = 0x8000; code <= 0xFFFF; ++code)
      table->slot(*table->after_8f_, code) = convert(0x8F0000 | code);
  }
  if (four_byte) {
    table->four_ = std::make_unique<std::array<char16_t, kFourByteBmp>>();
    for (std::uint32_t i = 0; i < kFourByteBmp; ++i) (*table->four_)[i] = convert(four_code(i));
  }
  for (const charset_tables::Override& o : set.overrides) {
    for (std::uint32_t i = 0; i < o.count; ++i) {
      const std::uint32_t code = o.first + i;
      const auto character =
          o.character == 0 ? char16_t{0} : static_cast<char16_t>(o.character + i);
      if (code <= 0xFFFF) {
        table->slot(*table->pairs_, code) = character;
      } else if (code <= 0xFFFFFF) {
        table->slot(*table->after_8f_, code) = character;
      } else {
        (*table->four_)[four_index(code >> 24, code >> 16 & 0xFF, code >> 8 & 0xFF, code & 0xFF)] =
            character;
      }
    }
  }
  return table;
}

MultiByteTable::Code MultiByteTable::decode_four(std::string_view s) const noexcept {
  const auto within = [&s](std::size_t i, unsigned low, unsigned high) {
    return byte_at(s, i) >= low && byte_at(s, i) <= high;
  };
  if (s.size() < 4 || !within(0, 0x81, 0xFE) || !within(2, 0x81, 0xFE) || !within(3, 0x30, 0x39))
    return {};
  const std::uint32_t index =
      four_index(byte_at(s, 0), byte_at(s, 1), byte_at(s, 2), byte_at(s, 3));
  if (index < kFourByteBmp) return {(*four_)[index], 4};
  // The other planes in one run: 90308130..E3329A35.
  constexpr std::uint32_t kPlanes = four_index(0x90, 0x30, 0x81, 0x30);
  if (index >= kPlanes && index < kPlanes + 0x100000) return {0x10000 + (index - kPlanes), 4};
  return {0, 4};
}

MultiByteTable::Code MultiByteTable::decode(std::string_view s) const noexcept {
  const unsigned lead = byte_at(s, 0);
  if (single_[lead - 0x80] != 0) return {single_[lead - 0x80], 1};
  if (s.size() < 2) return {};
  const unsigned trail = byte_at(s, 1);
  if (four_ && trail >= 0x30 && trail <= 0x39) return decode_four(s);
  if (after_8f_ && lead == 0x8F) {
    if (s.size() < 3) return {};
    const char16_t c = (*after_8f_)[((trail & 0x7F) << 8 | byte_at(s, 2)) & 0x7FFF];
    return {trail < 0x80 ? char16_t{0} : c, c != 0 ? std::size_t{3} : std::size_t{1}};
  }
  const char16_t c = (*pairs_)[(lead & 0x7F) << 8 | trail];
  return {c, c != 0 ? std::size_t{2} : std::size_t{1}};
}

bool MultiByteTable::to_utf8(std::string_view bytes, TextBuffer& out) const {
  bool ok = true;
  while (!bytes.empty()) {
    const auto ascii = static_cast<std::size_t>(
        std::find_if(bytes.begin(), bytes.end(), [](char c) { return (c & 0x80) != 0; }) -
        bytes.begin());
    out.append(bytes.substr(0, ascii));
    bytes.remove_prefix(ascii);
    if (bytes.empty()) break;
    const Code code = decode(bytes);
    if (code.character == 0) {
      append_replacements(out, code.length);
      ok = false;
    } else {
      out.commit_to(write_utf8(out.room(4), code.character));
    }
    bytes.remove_prefix(code.length);
  }
  return ok;
}

}  // namespace sluice
