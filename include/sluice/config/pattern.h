#pragma once
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"

namespace sluice {

// A regular expression (RE2's syntax) that has to fit the whole of a text, such as
// "database.table".  A value; copies share the compiled form, which never changes.  matches() is
// thread-safe.
class Pattern {
 public:
  // For patterns that stand in our own code: a bad one is a bug and ends the process.
  explicit Pattern(std::string_view text);
  // Errors: fatal/config_invalid with RE2's reason.
  static Result<Pattern> compile(std::string_view text);

  bool matches(std::string_view text) const;
  // False only when no text that begins with `prefix` can fit.
  bool may_match_prefix(std::string_view prefix) const;
  const std::string& text() const noexcept;
  friend bool operator==(const Pattern& a, const Pattern& b) noexcept {
    return a.text() == b.text();
  }

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) noexcept
      : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

// Patterns of which one must fit; none fits when the list is empty.
class PatternList {
 public:
  PatternList() = default;
  // For lists that stand in our own code.
  PatternList(std::initializer_list<std::string_view> texts);
  explicit PatternList(std::vector<Pattern> patterns) noexcept : patterns_(std::move(patterns)) {}

  bool matches(std::string_view text) const;
  bool may_match_prefix(std::string_view prefix) const;
  bool empty() const noexcept { return patterns_.empty(); }
  std::size_t size() const noexcept { return patterns_.size(); }
  auto begin() const noexcept { return patterns_.begin(); }
  auto end() const noexcept { return patterns_.end(); }
  friend bool operator==(const PatternList&, const PatternList&) = default;

 private:
  std::vector<Pattern> patterns_;
};

}  // namespace sluice
