#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/result.h"

#include "expr/node.h"

namespace sluice::expr {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    word,    // bare: a keyword or a name
    name,    // between backquotes
    text,    // between single quotes
    number,  // without sign
    symbol,  // ( ) , - = <> != < <= > >=
  };
  Kind kind = Kind::end;
  Place place;
  std::string text;  // symbols as written, but <> for !=; the others without their quotes

  bool is(Kind k, std::string_view t) const { return kind == k && text == t; }
  // A bare word, whatever the case of its letters; `keyword` is lower case.
  bool is_keyword(std::string_view keyword) const;
  // For messages: `word`, "the end".
  std::string shown() const;
};

// "LINE:COLUMN: what"
Error error_at(Place place, const std::string& what);

// Letters A-Z as small ones.
std::string lower(std::string_view text);

// Cuts a condition's text into tokens.  Views `text`.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : left_(text) {}
  // The next token; `end` for good at the end.  Errors: fatal/config_invalid with the place.
  Result<Token> next();

 private:
  void skip(std::size_t bytes);
  Result<Token> quoted(char quote, Token::Kind kind);
  Token number();
  std::string_view left_;
  Place place_;
};

}  // namespace sluice::expr
