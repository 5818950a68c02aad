#include "mysql/show_create.h"

#include <cstddef>

namespace sluice::mysql {
namespace {

// Walks over a statement; strings and quoted names are stepped over whole, since either may hold
// anything.
class Walker {
 public:
  explicit Walker(std::string_view text) noexcept : text_(text) {}
  bool at_end() const noexcept { return at_ >= text_.size(); }
  char peek() const noexcept { return text_[at_]; }
  bool starts_with(std::string_view word) const noexcept {
    return text_.substr(at_, word.size()) == word;
  }
  void skip(std::size_t n) noexcept { at_ += n; }
  void skip_blanks() noexcept {
    while (!at_end() && (peek() == ' ' || peek() == '\n')) ++at_;
  }
  // From an opening quote to behind the closing one; the inside with doubled quotes undone.
  std::string quoted() {
    const char quote = text_[at_++];
    std::string out;
    while (!at_end()) {
      char c = text_[at_++];
      if (c == quote) {
        if (at_end() || peek() != quote) break;
        ++at_;
      } else if (c == '\\' && quote == '\'' && !at_end()) {
        c = text_[at_++];
      }
      out.push_back(c);
    }
    return out;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

constexpr std::string_view kUniqueKey = "UNIQUE KEY `";

}  // namespace

std::vector<std::string> unique_keys_in_order(std::string_view create_table) {
  std::vector<std::string> names;
  Walker in(create_table);
  int depth = 0;
  while (!in.at_end()) {
    const char c = in.peek();
    if (c == '`' || c == '\'' || c == '"') {
      in.quoted();
      continue;
    }
    in.skip(1);
    if (c == ')') --depth;
    const bool item_begins = (c == '(' && ++depth == 1) || (c == ',' && depth == 1);
    if (!item_begins) continue;
    in.skip_blanks();
    if (!in.starts_with(kUniqueKey)) continue;
    in.skip(kUniqueKey.size() - 1);
    names.push_back(in.quoted());
  }
  return names;
}

std::string quote_name(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

}  // namespace sluice::mysql
