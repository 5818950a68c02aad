#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::binlog {

// A piece of SQL.  Views into the statement.
struct SqlToken {
  enum class Kind : std::uint8_t {
    end,
    word,    // keyword, unquoted name, number
    quoted,  // `name` or "name" (a string without ANSI_QUOTES, but never where a name is expected),
             // quotes included
    string,  // 'text', quotes included
    symbol,  // any other single character
  };
  Kind kind = Kind::end;
  std::string_view text;

  // A word, whatever its case; `upper` in capitals.
  bool is(std::string_view upper) const noexcept;
  bool symbol(char c) const noexcept { return kind == Kind::symbol && text[0] == c; }
  // May stand where a name is expected.
  bool names() const noexcept { return kind == Kind::word || kind == Kind::quoted; }
  // The name meant: without quotes, doubled ones made single.
  std::string name() const;
};

// Cuts a statement into tokens, as far as telling statements apart needs it.  Comments are passed
// over, but the insides of /*!50000 ... */ and /*M! ... */ count, as they do for the server that
// logged them.  Any bytes are taken; a quote or comment without its end reaches to the end of the
// text.  The text must be of a character set that has ASCII as it is.
class SqlLexer {
 public:
  // `sql_mode`: the session's; it decides what a backslash and a double quote mean.
  SqlLexer(std::string_view text, std::uint64_t sql_mode) noexcept
      : text_(text),
        backslash_((sql_mode & kNoBackslashEscapes) == 0),
        ansi_quotes_((sql_mode & kAnsiQuotes) != 0) {}
  SqlToken next() noexcept;

 private:
  static constexpr std::uint64_t kAnsiQuotes = 0x4;
  static constexpr std::uint64_t kNoBackslashEscapes = 0x100000;

  void skip_blanks() noexcept;
  SqlToken quoted(SqlToken::Kind kind, char quote, bool backslash) noexcept;
  std::string_view text_;
  bool backslash_, ansi_quotes_;
  std::size_t at_ = 0;
  bool in_conditional_ = false;  // within a comment that counts
};

}  // namespace sluice::binlog
