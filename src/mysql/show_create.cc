#include "mysql/show_create.h"

#include <cstddef>
#include <utility>

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

// Calls `item` at the beginning of each column, key and constraint of the definition.
template <class Item>
void for_each_item(std::string_view create_table, const Item& item) {
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
    item(in);
  }
}

// What stands from here to the end of the item, names, strings and lists left out.
std::string rest_of_item(Walker in) {
  std::string out;
  int depth = 0;
  while (!in.at_end()) {
    const char c = in.peek();
    if (c == '`' || c == '\'' || c == '"') {
      in.quoted();
      continue;
    }
    if (depth == 0 && (c == ',' || c == ')')) break;
    if (c == ')') --depth;
    if (c == '(') ++depth;
    if (depth == 0 && c != ')') out.push_back(c);
    in.skip(1);
  }
  return out;
}

constexpr std::string_view kUniqueKey = "UNIQUE KEY `";
constexpr std::string_view kConstraint = "CONSTRAINT `";

}  // namespace

std::vector<std::string> unique_keys_in_order(std::string_view create_table) {
  std::vector<std::string> names;
  for_each_item(create_table, [&names](Walker& in) {
    if (!in.starts_with(kUniqueKey)) return;
    in.skip(kUniqueKey.size() - 1);
    names.push_back(in.quoted());
  });
  return names;
}

std::vector<ActingForeignKey> acting_foreign_keys(std::string_view create_table) {
  std::vector<ActingForeignKey> keys;
  for_each_item(create_table, [&keys](Walker& in) {
    if (!in.starts_with(kConstraint)) return;
    in.skip(kConstraint.size() - 1);
    ActingForeignKey key;
    key.name = in.quoted();
    if (!in.starts_with(" FOREIGN KEY ")) return;
    const std::string text = rest_of_item(in);
    for (const char* action :
         {"ON DELETE CASCADE", "ON DELETE SET NULL", "ON UPDATE CASCADE", "ON UPDATE SET NULL"})
      if (text.find(action) != std::string::npos)
        key.actions += (key.actions.empty() ? "" : " ") + std::string(action);
    if (!key.actions.empty()) keys.push_back(std::move(key));
  });
  return keys;
}

}  // namespace sluice::mysql
