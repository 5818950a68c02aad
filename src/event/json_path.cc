#include "event/json_path.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "sluice/base/charset.h"

namespace sluice::event {
namespace {

constexpr bool is_blank(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
void skip_blanks(std::string_view& s) noexcept {
  while (!s.empty() && is_blank(s.front())) s.remove_prefix(1);
}
bool take(std::string_view& s, std::string_view what) noexcept {
  if (s.substr(0, what.size()) != what) return false;
  s.remove_prefix(what.size());
  return true;
}
// What an unquoted key is made of, as far as ASCII goes; the server takes letters of other scripts,
// too, and quotes what it is in doubt about.
constexpr bool in_identifier(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool take_number(std::string_view& s, std::uint32_t& out) noexcept {
  const auto [end, err] = std::from_chars(s.data(), s.data() + s.size(), out);
  if (err != std::errc{}) return false;
  s.remove_prefix(static_cast<std::size_t>(end - s.data()));
  return true;
}

// Four hexadecimal digits.
bool take_hex(std::string_view& s, char32_t& out) noexcept {
  if (s.size() < 4) return false;
  std::uint32_t v = 0;
  const auto [end, err] = std::from_chars(s.data(), s.data() + 4, v, 16);
  if (err != std::errc{} || end != s.data() + 4) return false;
  out = v;
  s.remove_prefix(4);
  return true;
}

// What follows the backslash of an escape.
bool append_escape(std::string_view& s, std::string& out) {
  if (s.empty()) return false;
  const char c = s.front();
  s.remove_prefix(1);
  constexpr std::string_view kForms = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  if (const std::size_t at = kForms.find(c); at != std::string_view::npos) {
    out.push_back(kMeant[at]);
    return true;
  }
  char32_t u = 0;
  if (c != 'u' || !take_hex(s, u)) return false;
  if (u >= 0xD800 && u < 0xDC00) {
    char32_t low = 0;
    if (!take(s, "\\u") || !take_hex(s, low) || low < 0xDC00 || low > 0xDFFF) return false;
    u = 0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00);
  } else if (u >= 0xDC00 && u < 0xE000) {
    return false;
  }
  std::array<char, 4> bytes{};
  out.append(bytes.data(), write_utf8(bytes.data(), u));
  return true;
}

}  // namespace

// mysql-server: sql-common/json_path.h, Json_array_index.
JsonPath::Leg::Place JsonPath::Leg::place(std::size_t array_size) const noexcept {
  const bool exists = index < array_size;
  if (from_end) return {exists ? array_size - index - 1 : 0, exists};
  return {std::min<std::size_t>(index, array_size), exists};
}

// mysql-server: sql-common/json_path.cc, parse_path().
bool JsonPath::parse(std::string_view path) {
  legs_.clear();
  skip_blanks(path);
  if (!take(path, "$")) return false;
  for (;;) {
    skip_blanks(path);
    if (path.empty()) return true;
    if (take(path, ".") ? !parse_member(path) : !take(path, "[") || !parse_cell(path)) return false;
  }
}

bool JsonPath::parse_member(std::string_view& rest) {
  skip_blanks(rest);
  if (rest.empty()) return false;
  const bool quoted = take(rest, "\"");
  std::size_t end = 0;
  while (end < rest.size() && (quoted ? rest[end] != '"' : in_identifier(rest[end])))
    end += rest[end] == '\\' ? 2U : 1U;
  if (quoted ? end >= rest.size() : end == 0) return false;
  Leg leg;
  leg.member = true;
  if (!decode_key(rest.substr(0, end), leg.key)) return false;
  rest.remove_prefix(quoted ? end + 1 : end);
  legs_.push_back(leg);
  return true;
}

bool JsonPath::decode_key(std::string_view quoted, std::string_view& key) {
  key = quoted;
  if (quoted.find('\\') == std::string_view::npos) return true;
  std::string& plain = keys_.emplace_back();
  while (!quoted.empty()) {
    const std::size_t n = std::min(quoted.find('\\'), quoted.size());
    plain.append(quoted.substr(0, n));
    quoted.remove_prefix(n);
    if (take(quoted, "\\") && !append_escape(quoted, plain)) return false;
  }
  key = plain;
  return true;
}

bool JsonPath::parse_cell(std::string_view& rest) {
  Leg leg;
  skip_blanks(rest);
  leg.from_end = take(rest, "last");
  if (leg.from_end) skip_blanks(rest);
  const bool minus = leg.from_end && take(rest, "-");
  if (minus) skip_blanks(rest);
  if ((!leg.from_end || minus) && !take_number(rest, leg.index)) return false;
  skip_blanks(rest);
  if (!take(rest, "]")) return false;
  legs_.push_back(leg);
  return true;
}

}  // namespace sluice::event
