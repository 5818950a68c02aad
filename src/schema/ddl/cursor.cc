#include "schema/ddl/cursor.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "sluice/base/charset.h"

namespace sluice::schema::ddl {
namespace {

using binlog::SqlToken;

constexpr std::uint32_t kLatestMysql = 99999, kLatestMariadb = 129999;
constexpr std::size_t kShown = 40;  // bytes of the statement that an error shows

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Capitals in a row and how far their small letters are; `step` 2: every second one is a capital.
struct Capitals {
  char32_t first, last;
  unsigned step, distance;
};
constexpr std::array kCapitals = {
    Capitals{U'A', U'Z', 1, 32},   Capitals{0xC0, 0xD6, 1, 32},   Capitals{0xD8, 0xDE, 1, 32},
    Capitals{0x100, 0x136, 2, 1},  Capitals{0x139, 0x147, 2, 1},  Capitals{0x14A, 0x176, 2, 1},
    Capitals{0x179, 0x17D, 2, 1},  Capitals{0x386, 0x386, 1, 38}, Capitals{0x388, 0x38A, 1, 37},
    Capitals{0x38C, 0x38C, 1, 64}, Capitals{0x38E, 0x38F, 1, 63}, Capitals{0x391, 0x3AB, 1, 32},
    Capitals{0x400, 0x40F, 1, 80}, Capitals{0x410, 0x42F, 1, 32}, Capitals{0x460, 0x480, 2, 1},
    Capitals{0x48A, 0x4BE, 2, 1},  Capitals{0x4D0, 0x52E, 2, 1},  Capitals{0x531, 0x556, 1, 48},
};

char32_t lower(char32_t c) noexcept {
  for (const Capitals& row : kCapitals)
    if (c >= row.first && c <= row.last)
      return (c - row.first) % row.step == 0 ? c + row.distance : c;
  return c;
}

// Of two bytes: what has capitals above ASCII.
char32_t scalar(std::string_view character) noexcept {
  return static_cast<char32_t>(static_cast<unsigned char>(character[0]) & 0x1FU) << 6 |
         static_cast<char32_t>(static_cast<unsigned char>(character[1]) & 0x3FU);
}

bool continues_character(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// What a backslash makes of the character behind it (mysql-server: sql/sql_lex.cc get_text); '%'
// and '_' keep their backslash, since LIKE reads them.
void append_escaped(char c, std::string& out) {
  switch (c) {
    case 'n': out += '\n'; break;
    case 't': out += '\t'; break;
    case 'r': out += '\r'; break;
    case 'b': out += '\b'; break;
    case '0': out += '\0'; break;
    case 'Z': out += '\x1A'; break;
    case '%':
    case '_':
      out += '\\';
      out += c;
      break;
    default: out += c;
  }
}

}  // namespace

Place after(Place from, std::string_view text) noexcept {
  for (const char c : text) {
    if (c == '\n') {
      ++from.line;
      from.column = 1;
    } else if (!continues_character(c)) {
      ++from.column;
    }
  }
  return from;
}

std::string to_string(Place place) {
  return std::to_string(place.line) + ":" + std::to_string(place.column);
}

binlog::SqlServer server_of(const DdlContext& context) noexcept {
  const std::uint32_t latest = context.flavor == Flavor::mysql ? kLatestMysql : kLatestMariadb;
  return {context.flavor, context.version == 0 ? latest : context.version};
}

std::string lowered(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::array<char, 4> small{};
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
    if (length == 1) {
      out += lower(text[0]);
    } else if (length == 2) {
      out.append(small.data(), write_utf8(small.data(), lower(scalar(text))));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) { return lower(x) == lower(y); };
  if (std::equal(a.begin(), a.end(), b.begin(), b.end(), same)) return true;
  const auto plain = [](std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; });
  };
  return !plain(a) && !plain(b) && lowered(a) == lowered(b);
}

Cursor::Cursor(std::string_view statement, const DdlContext& context, Place place)
    : statement_(statement),
      context_(&context),
      place_(place),
      lexer_(statement, context.sql_mode, server_of(context)),
      now_(lexer_.next()),
      ahead_(lexer_.next()) {}

bool Cursor::at_end() const noexcept {
  return now_.kind == SqlToken::Kind::end ||
         (now_.symbol(';') && ahead_.kind == SqlToken::Kind::end);
}

void Cursor::step() {
  last_end_ = offset() + now_.text.size();
  now_ = ahead_;
  ahead_ = lexer_.next();
}

bool Cursor::is_any(std::initializer_list<std::string_view> words) const noexcept {
  return std::any_of(words.begin(), words.end(),
                     [this](std::string_view word) { return now_.is(word); });
}

bool Cursor::eat(std::string_view word) {
  if (!now_.is(word)) return false;
  step();
  return true;
}

bool Cursor::eat(char symbol) {
  if (!now_.symbol(symbol)) return false;
  step();
  return true;
}

bool Cursor::eat(std::string_view first, std::string_view second) {
  if (!now_.is(first) || !ahead_.is(second)) return false;
  step();
  step();
  return true;
}

Status Cursor::want(std::string_view word) {
  if (eat(word)) return {};
  return error(std::string(word) + " expected");
}

Status Cursor::want(char symbol) {
  if (eat(symbol)) return {};
  return error(std::string("\"") + symbol + "\" expected");
}

bool Cursor::is_string(const SqlToken& token) const noexcept {
  return token.kind == SqlToken::Kind::string ||
         (token.kind == SqlToken::Kind::quoted && token.text[0] == '"' &&
          (context_->sql_mode & binlog::sql_mode::kAnsiQuotes) == 0);
}

Result<std::string> Cursor::want_name(std::string_view what) {
  if (!is_name()) return error(std::string(what) + " expected");
  if (!now_.closed) return unclosed("name");
  std::string name = now_.name();
  if (name.empty()) return error(std::string(what) + " expected");
  step();
  return name;
}

Result<std::string> Cursor::want_string(std::string_view what) {
  if (!is_string()) return error(std::string(what) + " expected");
  if (!now_.closed) return unclosed("string");
  const bool backslash = (context_->sql_mode & binlog::sql_mode::kNoBackslashEscapes) == 0;
  const char quote = now_.text[0];
  const std::string_view inner = now_.text.substr(1, now_.text.size() - 2);
  std::string out;
  out.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (backslash && inner[i] == '\\' && i + 1 < inner.size()) {
      append_escaped(inner[++i], out);
    } else {
      out += inner[i];
      if (inner[i] == quote) ++i;  // doubled
    }
  }
  step();
  return out;
}

Result<std::uint64_t> Cursor::want_number(std::string_view what) {
  std::uint64_t value = 0;
  const char* const end = now_.text.data() + now_.text.size();
  const bool word = now_.kind == SqlToken::Kind::word;
  if (!word) return error(std::string(what) + " expected");
  const auto [rest, err] = std::from_chars(now_.text.data(), end, value);
  if (err != std::errc{} || rest != end) return error(std::string(what) + " expected");
  step();
  return value;
}

Status Cursor::skip_parentheses() {
  const std::size_t from = offset();
  SLUICE_TRY(want('('));
  for (std::size_t depth = 1; depth != 0; step()) {
    if (now_.kind == SqlToken::Kind::end) return error_at(from, "a \")\" is missing for the \"(\"");
    if (!now_.closed) return unclosed(is_string() ? "string" : "name");
    if (now_.symbol('(')) ++depth;
    if (now_.symbol(')')) --depth;
  }
  return {};
}

std::size_t Cursor::offset_of(const SqlToken& token) const noexcept {
  return static_cast<std::size_t>(token.text.data() - statement_.data());
}

Error Cursor::unclosed(std::string_view what) const {
  return error("the " + std::string(what) + " has no end");
}

Error Cursor::error_at(std::size_t offset, std::string_view what) const {
  const std::string_view left = statement_.substr(offset);
  std::string_view shown = left.substr(0, std::min(left.find('\n'), kShown));
  while (!shown.empty() && shown.size() < left.size() && continues_character(left[shown.size()]))
    shown.remove_suffix(1);
  std::string message = to_string(after(place_, statement_.substr(0, offset))) + ": ";
  message += what;
  message += shown.empty() ? std::string(", at the end") : ", at \"" + std::string(shown) + "\"";
  return fatal(Errc::schema_statement, std::move(message));
}

}  // namespace sluice::schema::ddl
