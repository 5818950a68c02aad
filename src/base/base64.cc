#include "sluice/base/base64.h"

#include <array>
#include <cstdint>

namespace sluice {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xFF;
constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> t{};
  t.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    t[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return t;
}();

}  // namespace

void append_base64(TextBuffer& out, std::string_view bytes) {
  char* to = out.room((bytes.size() + 2) / 3 * 4);
  const auto at = [&bytes](std::size_t i) -> std::uint32_t {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t v = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    *to++ = kAlphabet[v >> 18];
    *to++ = kAlphabet[v >> 12 & 63];
    *to++ = i + 1 < bytes.size() ? kAlphabet[v >> 6 & 63] : '=';
    *to++ = i + 2 < bytes.size() ? kAlphabet[v & 63] : '=';
  }
  out.commit_to(to);
}

bool append_base64_decoded(TextBuffer& out, std::string_view text) {
  if (text.size() % 4 != 0) return false;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  char* to = out.room(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::size_t digits = i + 4 == text.size() ? 4 - padding : 4;
    std::uint32_t v = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::uint8_t d =
          k < digits ? kValues[static_cast<unsigned char>(text[i + k])] : std::uint8_t{0};
      if (d == kNone) return false;
      v = v << 6 | d;
    }
    for (std::size_t k = 0; k + 1 < digits; ++k)
      *to++ = static_cast<char>(v >> (16 - 8 * k) & 0xFF);
  }
  out.commit_to(to);
  return true;
}

}  // namespace sluice
