#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/model/flavor.h"

namespace sluice::binlog {

// Bits of sql_mode that decide how a statement is read (mysql-server: sql/system_variables.h
// MODE_*; MariaDB has the same).
namespace sql_mode {
inline constexpr std::uint64_t kRealAsFloat = 0x1;
inline constexpr std::uint64_t kAnsiQuotes = 0x4;
inline constexpr std::uint64_t kOracle = 0x200;  // MariaDB: other meanings of a few types
inline constexpr std::uint64_t kMaxdb = 0x1000;  // TIMESTAMP is DATETIME
inline constexpr std::uint64_t kNoBackslashEscapes = 0x100000;
inline constexpr std::uint64_t kStrictTransTables = 0x200000;
inline constexpr std::uint64_t kStrictAllTables = 0x400000;
// POSTGRESQL, ORACLE, MSSQL, DB2, MAXDB, ANSI: what the server prints of a table has no options.
inline constexpr std::uint64_t kForeign = 0x100 | 0x200 | 0x400 | 0x800 | 0x1000 | 0x40000;
}  // namespace sql_mode

// The server a text is written for.
struct SqlServer {
  Flavor flavor = Flavor::mysql;
  std::uint32_t version = 0;  // 80034, 101106
};

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
  std::string_view text;  // of the end: empty, at the end of the statement
  bool closed = true;     // false for a quote without its end

  // A word, whatever its case; `upper` in capitals.
  bool is(std::string_view upper) const noexcept;
  bool symbol(char c) const noexcept { return kind == Kind::symbol && text[0] == c; }
  // May stand where a name is expected.
  bool names() const noexcept { return kind == Kind::word || kind == Kind::quoted; }
  // The name meant: without quotes, doubled ones made single.
  std::string name() const;
};

// Length of the quoted text at the head of `text`, both quotes included; all of it when there is no
// end.  `backslash`: it takes the next character with it.  `closed`: whether there was an end.
// `lead`: tells bytes that take the next byte with them, for character sets whose second bytes may
// look like a quote or a backslash.
std::size_t quoted_length(std::string_view text, bool backslash, bool& closed,
                          bool (*lead)(unsigned char) = nullptr) noexcept;
// Length of the comment at the head of `text` ("-- ...", "# ..." without its line's end, or
// "/* ... */"); 0 when none begins there, all of it when it has no end.  The head of /*! counts as
// a comment here, too.
std::size_t comment_length(std::string_view text) noexcept;

// Cuts a statement into tokens.  Comments are passed over, but the insides of /*!50000 ... */ and
// /*M! ... */ count: all of them, as they do for the server that logged them, or those that
// `server` reads.  Any bytes are taken; a quote or comment without its end reaches to the end of
// the text.  The text must be of a character set that has ASCII as it is.
class SqlLexer {
 public:
  // `sql_mode`: the session's; it decides what a backslash and a double quote mean.
  SqlLexer(std::string_view text, std::uint64_t sql_mode,
           std::optional<SqlServer> server = std::nullopt) noexcept
      : text_(text),
        server_(server),
        backslash_((sql_mode & sql_mode::kNoBackslashEscapes) == 0),
        ansi_quotes_((sql_mode & sql_mode::kAnsiQuotes) != 0) {}
  SqlToken next() noexcept;

 private:
  void skip_blanks() noexcept;
  void enter_conditional() noexcept;
  SqlToken quoted(SqlToken::Kind kind, bool backslash) noexcept;
  std::string_view text_;
  std::optional<SqlServer> server_;
  bool backslash_, ansi_quotes_;
  std::size_t at_ = 0;
  bool in_conditional_ = false;  // within a comment that counts
};

}  // namespace sluice::binlog
