#pragma once
// Reading DDL token by token.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/binlog/sql_lexer.h"
#include "sluice/schema/create_table.h"

namespace sluice::schema::ddl {

// Of a character in a text, both from 1.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;  // in characters
};
// Where `text`, which begins at `from`, ends.
Place after(Place from, std::string_view text) noexcept;
std::string to_string(Place place);

binlog::SqlServer server_of(const DdlContext& context) noexcept;

// Capitals of the Latin, Greek, Cyrillic and Armenian alphabets as small letters: how both servers
// compare names of columns and keys, and of tables where they do not keep capitals apart.
std::string lowered(std::string_view text);
bool same_name(std::string_view a, std::string_view b);

// Walks over one statement with one token of look-ahead.  Views into the statement, which it must
// not outlive.  Errors of all: fatal/schema_statement at the place of the token.
class Cursor {
 public:
  // `place`: where the statement begins in what the user sees.
  Cursor(std::string_view statement, const DdlContext& context, Place place = {});

  const DdlContext& context() const noexcept { return *context_; }
  const binlog::SqlToken& now() const noexcept { return now_; }
  const binlog::SqlToken& ahead() const noexcept { return ahead_; }
  // End of the statement, or the ';' that ends it.
  bool at_end() const noexcept;
  // Where the token before now() ends, and now() begins; offsets into the statement.
  std::size_t offset() const noexcept { return offset_of(now_); }
  // True when now() follows the token before it without a blank.
  bool adjacent() const noexcept { return offset() == last_end_; }
  void step();

  bool is(std::string_view word) const noexcept { return now_.is(word); }
  bool is(char symbol) const noexcept { return now_.symbol(symbol); }
  bool is_any(std::initializer_list<std::string_view> words) const noexcept;
  bool eat(std::string_view word);
  bool eat(char symbol);
  // Both or neither.
  bool eat(std::string_view first, std::string_view second);
  Status want(std::string_view word);
  Status want(char symbol);

  // A string literal; "..." is one without ANSI_QUOTES.
  bool is_string() const noexcept { return is_string(now_); }
  bool is_string(const binlog::SqlToken& token) const noexcept;
  // May stand where a name is expected.
  bool is_name() const noexcept { return now_.names() && !is_string(); }
  // `what` it is, for the error: "a table".
  Result<std::string> want_name(std::string_view what);
  // Its value, escapes undone.
  Result<std::string> want_string(std::string_view what);
  Result<std::uint64_t> want_number(std::string_view what);
  // From "(" to behind the ")" that closes it.
  Status skip_parentheses();

  // "3:14: `what`, at "VARCHR""
  Error error(std::string_view what) const { return error_at(offset(), what); }
  Error error_at(std::size_t offset, std::string_view what) const;

 private:
  std::size_t offset_of(const binlog::SqlToken& token) const noexcept;
  Error unclosed(std::string_view what) const;

  std::string_view statement_;
  const DdlContext* context_;
  Place place_;
  binlog::SqlLexer lexer_;
  binlog::SqlToken now_, ahead_;
  std::size_t last_end_ = 0;
};

}  // namespace sluice::schema::ddl
