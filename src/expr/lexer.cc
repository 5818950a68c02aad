#include "expr/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::expr {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
// Letters of other scripts are bytes above ASCII.
bool starts_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool in_word(char c) {
  return starts_word(c) || is_digit(c);
}

template <class Test>
std::size_t run_of(std::string_view text, std::size_t from, Test test) {
  while (from < text.size() && test(text[from])) ++from;
  return from;
}

// Longest first.
constexpr std::array<std::string_view, 11> kSymbols{"<=", ">=", "<>", "!=", "=", "<",
                                                    ">",  "(",  ")",  ",",  "-"};

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool Token::is_keyword(std::string_view keyword) const {
  return kind == Kind::word && lower(text) == keyword;
}

std::string Token::shown() const {
  switch (kind) {
    case Kind::end: return "the end";
    case Kind::name: return "`" + text + "`";
    case Kind::text: return "'" + text + "'";
    case Kind::word:
    case Kind::number:
    case Kind::symbol: break;
  }
  return text;
}

Error error_at(Place place, const std::string& what) {
  return fatal(Errc::config_invalid,
               std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + what);
}

void Lexer::skip(std::size_t bytes) {
  for (const char c : left_.substr(0, bytes)) {
    if (c == '\n') {
      ++place_.line;
      place_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++place_.column;  // not the middle of a character
    }
  }
  left_.remove_prefix(bytes);
}

// Doubled quotes stand for one; nothing else is special.
Result<Token> Lexer::quoted(char quote, Token::Kind kind) {
  Token token{kind, place_, {}};
  std::size_t at = 1;
  for (;; ++at) {
    const std::size_t end = left_.find(quote, at);
    if (end == std::string_view::npos)
      return error_at(place_, std::string("the ") + quote + " here is not closed");
    token.text.append(left_.substr(at, end - at));
    at = end + 1;
    if (at >= left_.size() || left_[at] != quote) break;
    token.text += quote;
  }
  skip(at);
  return token;
}

// 12, 12.5, .5, 1e3
Token Lexer::number() {
  std::size_t end = run_of(left_, 0, is_digit);
  if (end < left_.size() && left_[end] == '.') end = run_of(left_, end + 1, is_digit);
  if (end < left_.size() && (left_[end] == 'e' || left_[end] == 'E')) {
    std::size_t exponent = end + 1;
    if (exponent < left_.size() && (left_[exponent] == '+' || left_[exponent] == '-')) ++exponent;
    const std::size_t after = run_of(left_, exponent, is_digit);
    if (after > exponent) end = after;
  }
  Token token{Token::Kind::number, place_, std::string(left_.substr(0, end))};
  skip(end);
  return token;
}

Result<Token> Lexer::next() {
  skip(run_of(left_, 0, is_space));
  if (left_.empty()) return Token{Token::Kind::end, place_, {}};
  const char c = left_.front();
  if (c == '\'') return quoted(c, Token::Kind::text);
  if (c == '`') return quoted(c, Token::Kind::name);
  if (c == '"')
    return error_at(place_, "write text between single quotes and names between backquotes");
  if (is_digit(c) || (c == '.' && left_.size() > 1 && is_digit(left_[1]))) {
    Token token = number();
    if (!left_.empty() && in_word(left_.front()))
      return error_at(token.place,
                      "this is no number; a name that begins with a digit goes "
                      "between backquotes");
    return token;
  }
  if (starts_word(c)) {
    const std::size_t end = run_of(left_, 0, in_word);
    Token token{Token::Kind::word, place_, std::string(left_.substr(0, end))};
    skip(end);
    return token;
  }
  const auto* const symbol =
      std::find_if(kSymbols.begin(), kSymbols.end(),
                   [this](std::string_view s) { return left_.starts_with(s); });
  if (symbol == kSymbols.end())
    return error_at(place_, std::string("the character ") + c + " means nothing here");
  Token token{Token::Kind::symbol, place_, *symbol == "!=" ? "<>" : std::string(*symbol)};
  skip(symbol->size());
  return token;
}

}  // namespace sluice::expr
