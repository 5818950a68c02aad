#include "schema/ddl/splitter.h"

#include <algorithm>
#include <utility>

#include "sluice/binlog/sql_lexer.h"

namespace sluice::schema::ddl {
namespace {

bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

// First bytes of a character whose second byte may look like ASCII.
bool leads(unsigned char c) noexcept {
  return c >= 0x81 && c <= 0xFE;
}
bool leads_sjis(unsigned char c) noexcept {
  return (c >= 0x81 && c <= 0x9F) || (c >= 0xE0 && c <= 0xFC);
}
auto lead_of(const Charset& client) noexcept -> bool (*)(unsigned char) {
  const std::string_view name = client.name();
  if (name == "sjis" || name == "cp932") return leads_sjis;
  if (name == "gbk" || name == "big5" || name == "gb18030") return leads;
  return nullptr;
}

// `text` begins with this word, whatever its case, and a blank.
bool begins_with_word(std::string_view text, std::string_view word) noexcept {
  return text.size() > word.size() && same_name(text.substr(0, word.size()), word) &&
         is_space(text[word.size()]);
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view line_of(std::string_view text) noexcept {
  return text.substr(0, text.find('\n'));
}

}  // namespace

// The inside of /*! ... */ belongs to the statement; MySQL does not read MariaDB's.
bool StatementSplitter::conditional() const noexcept {
  return left().starts_with("/*!") || (flavor_ == Flavor::mariadb && left().starts_with("/*M!"));
}

Place StatementSplitter::place_of(std::size_t at) noexcept {
  mark_ = after(mark_, script_.substr(marked_, at - marked_));
  marked_ = at;
  return mark_;
}

Error StatementSplitter::endless(std::string_view what) {
  return fatal(Errc::schema_statement, to_string(place_of(at_)) + ": the " + std::string(what) +
                                           " that begins here has no end");
}

std::optional<ScriptStatement> StatementSplitter::cut(std::size_t begin, std::size_t end) noexcept {
  return ScriptStatement{script_.substr(begin, end - begin), place_of(begin)};
}

// DELIMITER is a command of the client and ends with its line.
bool StatementSplitter::take_delimiter_command() {
  constexpr std::string_view kWord = "DELIMITER";
  if (!begins_with_word(left(), kWord)) return false;
  const std::string_view line = line_of(left());
  const std::string_view wanted = trimmed(line.substr(kWord.size()));
  if (wanted.empty()) return false;
  delimiter_ = wanted.substr(0, std::min(wanted.find(' '), wanted.find('\t')));
  at_ += line.size();
  return true;
}

// USE is one as well, but may end with the delimiter.
bool StatementSplitter::take_use_command() {
  if (!begins_with_word(left(), "USE")) return false;
  const std::string_view line = line_of(left());
  if (line.find(delimiter_) != std::string_view::npos) return false;
  at_ += line.size();
  return true;
}

// Over one character, comment or quoted text.
Status StatementSplitter::step(std::uint64_t sql_mode, bool (*lead)(unsigned char)) {
  const char c = left()[0];
  if (conditional()) {
    blank_ = false;
    at_ += left()[2] == '!' ? 3U : 4U;
    return {};
  }
  if (const std::size_t comment = binlog::comment_length(left()); comment != 0) {
    const bool closed = c != '/' || (comment >= 4 && left().substr(0, comment).ends_with("*/"));
    if (!closed) return endless("comment");
    at_ += comment;
    return {};
  }
  if (c == '\'' || c == '"' || c == '`') {
    const bool backslash = c != '`' && (sql_mode & binlog::sql_mode::kNoBackslashEscapes) == 0 &&
                           (c == '\'' || (sql_mode & binlog::sql_mode::kAnsiQuotes) == 0);
    bool closed = false;
    const std::size_t length = binlog::quoted_length(left(), backslash, closed, lead);
    if (!closed) return endless(c == '`' ? "name" : "string");
    at_ += length;
    blank_ = false;
    return {};
  }
  blank_ = blank_ && is_space(c);
  const bool two = lead != nullptr && lead(static_cast<unsigned char>(c));
  at_ = std::min(at_ + (two ? 2U : 1U), script_.size());
  return {};
}

Result<std::optional<ScriptStatement>> StatementSplitter::next(std::uint64_t sql_mode,
                                                               const Charset& client) {
  const auto lead = lead_of(client);
  std::size_t begin = at_;
  blank_ = true;
  while (at_ < script_.size()) {
    if (blank_) {
      if (take_delimiter_command()) {
        begin = at_;
        continue;
      }
      const std::size_t use = at_;
      if (take_use_command()) return cut(use, at_);
    }
    if (!at_delimiter()) {
      SLUICE_TRY(step(sql_mode, lead));
      continue;
    }
    const std::size_t end = at_;
    at_ += delimiter_.size();
    if (!blank_) return cut(begin, end);
    begin = at_;
  }
  if (blank_) return std::optional<ScriptStatement>();
  return cut(begin, at_);
}

}  // namespace sluice::schema::ddl
