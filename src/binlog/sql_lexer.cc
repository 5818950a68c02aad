#include "sluice/binlog/sql_lexer.h"

#include <algorithm>

namespace sluice::binlog {
namespace {

bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

}  // namespace

bool SqlToken::is(std::string_view upper) const noexcept {
  if (kind != Kind::word || text.size() != upper.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c =
        text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - ('a' - 'A')) : text[i];
    if (c != upper[i]) return false;
  }
  return true;
}

std::string SqlToken::name() const {
  if (kind != Kind::quoted) return std::string(text);
  const char quote = text[0];
  std::string_view inner = text.substr(1);
  if (!inner.empty() && inner.back() == quote) inner.remove_suffix(1);
  std::string out;
  out.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size(); ++i) {
    out.push_back(inner[i]);
    if (inner[i] == quote) ++i;
  }
  return out;
}

std::size_t quoted_length(std::string_view text, bool backslash, bool& closed,
                          bool (*lead)(unsigned char)) noexcept {
  const char quote = text[0];
  closed = true;
  for (std::size_t at = 1; at < text.size(); ++at) {
    const bool takes_next = (lead != nullptr && lead(static_cast<unsigned char>(text[at]))) ||
                            (backslash && text[at] == '\\');
    if (takes_next) {
      ++at;
    } else if (text[at] == quote) {
      if (at + 1 == text.size() || text[at + 1] != quote) return at + 1;
      ++at;
    }
  }
  closed = false;
  return text.size();
}

std::size_t comment_length(std::string_view text) noexcept {
  if (text.starts_with('#') ||
      (text.starts_with("--") && (text.size() == 2 || is_space(text[2]) || text[2] == '\0')))
    return std::min(text.find('\n'), text.size());
  if (!text.starts_with("/*")) return 0;
  const auto close = text.find("*/", 2);
  return close == std::string_view::npos ? text.size() : close + 2;
}

// At "/*!" or "/*M!": steps behind the head when the inside counts, else behind the whole comment
// (mysql-server, MariaDB: sql/sql_lex.cc lex_one_token, MY_LEX_LONG_COMMENT).
void SqlLexer::enter_conditional() noexcept {
  const bool mariadb_only = text_[at_ + 2] == 'M';
  std::size_t at = at_ + (mariadb_only ? 4 : 3);
  // Five digits or six; five alone before MySQL 8.0.
  const bool six = !server_ || server_->flavor == Flavor::mariadb || server_->version >= 80000;
  std::uint32_t version = 0;
  std::size_t digits = 0;
  while (at + digits < text_.size() && digits < (six ? 6 : 5) && is_digit(text_[at + digits]))
    version = version * 10 + static_cast<std::uint32_t>(text_[at + digits++] - '0');
  if (digits < 5) version = 0;
  bool counts = true;
  if (server_ && server_->flavor == Flavor::mysql)
    counts = !mariadb_only && version <= server_->version;
  // MariaDB leaves out what only MySQL since 5.7 has.
  if (server_ && server_->flavor == Flavor::mariadb)
    counts = version <= server_->version && (mariadb_only || version < 50700 || version > 99999);
  if (counts) {
    at_ = digits < 5 ? at : at + digits;
    in_conditional_ = true;
    return;
  }
  // A comment may stand inside.
  at_ = at;
  while (at_ < text_.size() && !text_.substr(at_).starts_with("*/"))
    at_ += std::max<std::size_t>(
        text_.substr(at_).starts_with("/*") ? comment_length(text_.substr(at_)) : 1, 1);
  at_ = std::min(at_ + 2, text_.size());
}

void SqlLexer::skip_blanks() noexcept {
  while (at_ < text_.size()) {
    const std::string_view left = text_.substr(at_);
    if (is_space(left[0]) || left[0] == '\0') {
      ++at_;
    } else if (left.starts_with("/*!") || left.starts_with("/*M!")) {
      enter_conditional();
    } else if (const std::size_t comment = comment_length(left); comment != 0) {
      at_ += comment;
    } else if (in_conditional_ && left.starts_with("*/")) {
      at_ += 2;
      in_conditional_ = false;
    } else {
      return;
    }
  }
}

SqlToken SqlLexer::quoted(SqlToken::Kind kind, bool backslash) noexcept {
  SqlToken token{kind, {}, true};
  const std::size_t from = at_;
  at_ += quoted_length(text_.substr(from), backslash, token.closed);
  token.text = text_.substr(from, at_ - from);
  return token;
}

SqlToken SqlLexer::next() noexcept {
  skip_blanks();
  if (at_ >= text_.size()) return {SqlToken::Kind::end, text_.substr(text_.size()), true};
  const char c = text_[at_];
  if (c == '`') return quoted(SqlToken::Kind::quoted, false);
  if (c == '"') return quoted(SqlToken::Kind::quoted, backslash_ && !ansi_quotes_);
  if (c == '\'') return quoted(SqlToken::Kind::string, backslash_);
  const std::size_t from = at_++;
  if (!is_word(c)) return {SqlToken::Kind::symbol, text_.substr(from, 1), true};
  while (at_ < text_.size() && is_word(text_[at_])) ++at_;
  return {SqlToken::Kind::word, text_.substr(from, at_ - from), true};
}

}  // namespace sluice::binlog
