#include "sluice/base/json_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "sluice/base/charset.h"

namespace sluice {
namespace {

enum class High { copy, utf8, refuse, latin1 };  // what becomes of bytes above 0x7F

// Copies a word of 8 or 4 bytes; returns how many of its bytes, from the first on, can stay as they
// are.
template <High kHigh, class Word>
std::size_t copy_clean_word(const char* from, char* to) noexcept {
  Word v = 0;
  std::memcpy(&v, from, sizeof v);
  std::memcpy(to, &v, sizeof v);
  constexpr auto kOnes = static_cast<Word>(0x0101010101010101);
  constexpr auto kTops = static_cast<Word>(0x8080808080808080);
  // Bytes below n: exact for the lowest set one, which is all that is used.
  const auto below = [](Word x, Word n) { return (x - kOnes * n) & ~x & kTops; };
  Word dirty = below(v, 0x20) | below(v ^ kOnes * '"', 1) | below(v ^ kOnes * '\\', 1);
  if constexpr (kHigh != High::copy) dirty |= v & kTops;
  return dirty == 0 ? sizeof v : static_cast<std::size_t>(std::countr_zero(dirty)) / 8;
}

#if defined(__SSE2__)
constexpr std::size_t kBlock = 16;
// The same of a block.
template <High kHigh>
std::size_t copy_clean(const char* from, char* to) noexcept {
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), v);
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
  const __m128i special =
      _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
  __m128i dirty = _mm_or_si128(control, special);
  if constexpr (kHigh != High::copy)
    dirty = _mm_or_si128(dirty, v);  // movemask reads the high bits
  const auto mask = static_cast<unsigned>(_mm_movemask_epi8(dirty));
  return mask == 0 ? kBlock : static_cast<std::size_t>(std::countr_zero(mask));
}
#else
constexpr std::size_t kBlock = 8;
template <High kHigh>
std::size_t copy_clean(const char* from, char* to) noexcept {
  return copy_clean_word<kHigh, std::uint64_t>(from, to);
}
#endif

// Of the `left` < kBlock last bytes, when there are four of them at least: two words that overlap.
template <High kHigh, class Word>
std::size_t copy_clean_words(const char* from, std::size_t left, char* to) noexcept {
  const std::size_t first = copy_clean_word<kHigh, Word>(from, to);
  if (first != sizeof(Word)) return first;
  const std::size_t second = left - sizeof(Word);
  return second + copy_clean_word<kHigh, Word>(from + second, to + second);
}
template <High kHigh>
std::size_t copy_clean_end(const char* from, std::size_t left, char* to) noexcept {
  if (left >= 8) return copy_clean_words<kHigh, std::uint64_t>(from, left, to);
  return left >= 4 ? copy_clean_words<kHigh, std::uint32_t>(from, left, to) : 0;
}

// What follows the backslash: 'u' for the long form, 0 for what stays as it is.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> t{};
  for (std::size_t i = 0; i < 0x20; ++i) t[i] = 'u';
  t['\b'] = 'b';
  t['\f'] = 'f';
  t['\n'] = 'n';
  t['\r'] = 'r';
  t['\t'] = 't';
  t['"'] = '"';
  t['\\'] = '\\';
  return t;
}();

template <High kHigh>
bool stays(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return kEscapes[u] == 0 && (kHigh == High::copy || u < 0x80);
}

char* write_escape(char* to, unsigned char c, char form) noexcept {
  constexpr std::string_view kHex = "0123456789abcdef";
  *to++ = '\\';
  *to++ = form;
  if (form == 'u') {
    *to++ = '0';
    *to++ = '0';
    *to++ = kHex[c >> 4];
    *to++ = kHex[c & 15];
  }
  return to;
}

constexpr std::size_t kMaxPerByte = 6;  // \u001f
constexpr std::size_t kPiece = 4096;    // so that room for the worst case stays small

template <High kHigh>
bool escape(TextBuffer& out, std::string_view s) {
  const std::size_t start = out.size();
  const char* at = s.data();
  const char* const end = at + s.size();
  while (at < end) {
    // A character may run past the end of the piece by three bytes; a block's copy past what is
    // kept by its size.
    const char* const piece_end =
        at + std::min<std::size_t>(static_cast<std::size_t>(end - at), kPiece);
    char* to =
        out.room(kPiece < s.size() ? kPiece * kMaxPerByte + 32 : s.size() * kMaxPerByte + 32);
    while (at < piece_end) {
      const auto left = static_cast<std::size_t>(end - at);
      const std::size_t n =
          left >= kBlock ? copy_clean<kHigh>(at, to) : copy_clean_end<kHigh>(at, left, to);
      at += n;
      to += n;
      if (n == kBlock) continue;
      // What cannot stay often comes in runs: umlauts hardly, Chinese always.
      while (at < piece_end && (end - at < 4 || !stays<kHigh>(*at))) {
        const auto c = static_cast<unsigned char>(*at);
        if (c >= 0x80 && kHigh != High::copy) {
          if constexpr (kHigh == High::latin1) {
            to = write_utf8(to, c);
            ++at;
          } else {
            const std::size_t size =
                kHigh == High::utf8
                    ? utf8_length(std::string_view(at, static_cast<std::size_t>(end - at)))
                    : 0;
            if (size == 0) {
              out.truncate(start);
              return false;
            }
            if (end - at >= 4)  // all of it at once; there is room for what is too much
              std::memcpy(to, at, 4);
            else
              std::copy_n(at, size, to);
            to += size;
            at += size;
          }
        } else if (const char form = kEscapes[c]; form != 0) {
          to = write_escape(to, c, form);
          ++at;
        } else {
          *to++ = *at++;
        }
      }
    }
    out.commit_to(to);
  }
  return true;
}

}  // namespace

void append_json_text(TextBuffer& out, std::string_view s) {
  escape<High::copy>(out, s);
}
bool append_json_utf8(TextBuffer& out, std::string_view s) {
  return escape<High::utf8>(out, s);
}
bool append_json_ascii(TextBuffer& out, std::string_view s) {
  return escape<High::refuse>(out, s);
}
void append_json_latin1(TextBuffer& out, std::string_view s) {
  escape<High::latin1>(out, s);
}

}  // namespace sluice
