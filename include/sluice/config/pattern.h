#pragma once
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"

namespace sluice {

// A regular expression (RE2's syntax) that has to fit the whole of a text, such as
// "database.table".  Beyond RE2: {00..63} is any of the numbers from 00 to 63, written with as many
// digits; \\ is one backslash, as in canal's property files, so that a backslash itself is \x5C.
// A value; copies share the compiled form, which never changes.  matches() is thread-safe.
class Pattern {
 public:
  // For patterns that stand in our own code: a bad one is a bug and ends the process.
  explicit Pattern(std::string_view text);
  // Errors: fatal/config_invalid with RE2's reason.
  static Result<Pattern> compile(std::string_view text);
  // One pattern or several with commas between them, as in canal's filter.regex.  Commas inside
  // brackets and behind a backslash belong to a pattern; blanks around patterns and empty ones mean
  // nothing.  Errors: as compile(), saying which of several it is.
  static Result<std::vector<Pattern>> compile_list(std::string_view text);

  bool matches(std::string_view text) const;
  // The same pattern, to which letters are equal whatever their case.
  Pattern ignoring_case() const;
  // What `to` becomes with \1 .. \9 replaced by the parts of `text` that the pattern's parentheses
  // fit, \0 by all of it.  Nothing when it does not fit.
  std::optional<std::string> rewrite(std::string_view text, std::string_view to) const;
  // Errors: fatal/config_invalid when rewrite() could not do with `to`.
  Status check_rewrite(std::string_view to) const;
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
  static Result<Pattern> compile(std::string_view text, bool ignore_case);
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
  PatternList ignoring_case() const;
  bool empty() const noexcept { return patterns_.empty(); }
  std::size_t size() const noexcept { return patterns_.size(); }
  auto begin() const noexcept { return patterns_.begin(); }
  auto end() const noexcept { return patterns_.end(); }
  friend bool operator==(const PatternList&, const PatternList&) = default;

 private:
  std::vector<Pattern> patterns_;
};

}  // namespace sluice
