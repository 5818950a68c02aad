#include "sluice/config/pattern.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <re2/re2.h>

namespace sluice {
namespace {

RE2::Options re2_options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);  // a name may hold a line feed; .* means all names
  return options;
}

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(std::string_view pattern)
      : text(pattern), re2(re2::StringPiece(text.data(), text.size()), re2_options()) {}
  std::string text;
  RE2 re2;
};

Pattern::Pattern(std::string_view text) : compiled_(std::make_shared<const Compiled>(text)) {
  if (compiled_->re2.ok()) return;
  std::fprintf(stderr, "bug: pattern %s: %s\n", compiled_->text.c_str(),
               compiled_->re2.error().c_str());
  std::abort();
}

Result<Pattern> Pattern::compile(std::string_view text) {
  auto compiled = std::make_shared<const Compiled>(text);
  if (compiled->re2.ok()) return Pattern(std::move(compiled));
  return fatal(Errc::config_invalid, "bad pattern: " + compiled->re2.error());
}

bool Pattern::matches(std::string_view text) const {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), compiled_->re2);
}

bool Pattern::may_match_prefix(std::string_view prefix) const {
  // RE2 gives the first and last text that fits, cut; what lies outside cannot fit.
  std::string first, last;
  if (!compiled_->re2.PossibleMatchRange(&first, &last, 64)) return true;
  const std::string from(prefix), to = from + "\xFF";
  return first <= to && last >= from;
}

const std::string& Pattern::text() const noexcept {
  return compiled_->text;
}

PatternList::PatternList(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) patterns_.emplace_back(text);
}

bool PatternList::matches(std::string_view text) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [text](const Pattern& pattern) { return pattern.matches(text); });
}

bool PatternList::may_match_prefix(std::string_view prefix) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [prefix](const Pattern& pattern) { return pattern.may_match_prefix(prefix); });
}

}  // namespace sluice
