#include "binlog/sql_lexer.h"

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

void SqlLexer::skip_blanks() noexcept {
  while (at_ < text_.size()) {
    const std::string_view left = text_.substr(at_);
    if (is_space(left[0]) || left[0] == '\0') {
      ++at_;
    } else if (left[0] == '#' ||
               (left.starts_with("--") && (left.size() == 2 || is_space(left[2])))) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (left.starts_with("/*!") || left.starts_with("/*M!")) {
      at_ += left[2] == '!' ? std::size_t{3} : std::size_t{4};
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      in_conditional_ = true;
    } else if (left.starts_with("/*")) {
      const auto close = text_.find("*/", at_ + 2);
      at_ = close == std::string_view::npos ? text_.size() : close + 2;
    } else if (in_conditional_ && left.starts_with("*/")) {
      at_ += 2;
      in_conditional_ = false;
    } else {
      return;
    }
  }
}

SqlToken SqlLexer::quoted(SqlToken::Kind kind, char quote, bool backslash) noexcept {
  const std::size_t from = at_++;
  while (at_ < text_.size()) {
    if (backslash && text_[at_] == '\\') {
      at_ = std::min(at_ + 2, text_.size());
    } else if (text_[at_++] == quote) {
      if (at_ == text_.size() || text_[at_] != quote) break;
      ++at_;
    }
  }
  return {kind, text_.substr(from, at_ - from)};
}

SqlToken SqlLexer::next() noexcept {
  skip_blanks();
  if (at_ >= text_.size()) return {};
  const char c = text_[at_];
  if (c == '`') return quoted(SqlToken::Kind::quoted, c, false);
  if (c == '"') return quoted(SqlToken::Kind::quoted, c, backslash_ && !ansi_quotes_);
  if (c == '\'') return quoted(SqlToken::Kind::string, c, backslash_);
  const std::size_t from = at_++;
  if (!is_word(c)) return {SqlToken::Kind::symbol, text_.substr(from, 1)};
  while (at_ < text_.size() && is_word(text_[at_])) ++at_;
  return {SqlToken::Kind::word, text_.substr(from, at_ - from)};
}

}  // namespace sluice::binlog
