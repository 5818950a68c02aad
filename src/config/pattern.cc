#include "sluice/config/pattern.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <re2/re2.h>

namespace sluice {
namespace {

constexpr std::uint32_t kMostInRange = 4096;
constexpr int kCaptures = 10;  // \0 .. \9

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

std::size_t end_of_digits(std::string_view text, std::size_t from) {
  return std::min(text.find_first_not_of("0123456789", from), text.size());
}

// {00..63} at the start of `text`.
struct NumberRange {
  std::uint32_t first = 0, last = 0;
  std::size_t width = 0;  // digits of `first`
  std::size_t size = 0;   // characters of the whole
};
std::optional<NumberRange> range_at(std::string_view text) {
  if (!text.starts_with('{')) return std::nullopt;
  const std::size_t dots = end_of_digits(text, 1);
  if (text.substr(dots, 2) != "..") return std::nullopt;
  const std::size_t end = end_of_digits(text, dots + 2);
  if (text.substr(end, 1) != "}") return std::nullopt;
  const char* const s = text.data();
  NumberRange out;
  out.width = dots - 1;
  out.size = end + 1;
  if (std::from_chars(s + 1, s + dots, out.first).ec != std::errc{} ||
      std::from_chars(s + dots + 2, s + end, out.last).ec != std::errc{})
    return std::nullopt;
  return out;
}

// (?:00|01|..|63)
void append_range(const NumberRange& range, std::string& out) {
  std::string before = "(?:";
  for (std::uint32_t n = range.first; n <= range.last; ++n) {
    std::string digits = std::to_string(n);
    if (digits.size() < range.width) digits.insert(0, range.width - digits.size(), '0');
    out += std::exchange(before, "|") + digits;
  }
  out += ')';
}

// The pattern in RE2's words.  Errors: a range that is none.
Result<std::string> re2_text(std::string_view written) {
  std::string text;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written.substr(i, 2) == R"(\\)") ++i;
    text += written[i];
  }
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view left = std::string_view(text).substr(i);
    const auto range = range_at(left);
    if (!range) {
      const std::size_t n = left.front() == '\\' ? 2 : 1;  // \{ begins no range
      out += left.substr(0, n);
      i += n;
      continue;
    }
    if (range->last < range->first || range->last - range->first >= kMostInRange)
      return fatal(Errc::config_invalid,
                   "bad pattern: " + std::string(left.substr(0, range->size)) +
                       " is no range of 1 to " + std::to_string(kMostInRange) + " numbers");
    append_range(*range, out);
    i += range->size;
  }
  return out;
}

// The parts of a list: commas inside brackets and behind a backslash do not end one.
std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> out;
  const auto add = [&out](std::string_view part) {
    const std::size_t first = part.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos)
      out.push_back(part.substr(first, part.find_last_not_of(" \t\r\n") + 1 - first));
  };
  std::size_t begin = 0;
  int depth = 0;
  bool in_class = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      if (text.substr(i + 1, 1) == "]") ++i;  // []a] is a class of two
    } else if (c == '(' || c == '{') {
      ++depth;
    } else if (c == ')' || c == '}') {
      --depth;
    } else if (c == ',' && depth <= 0) {
      add(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  add(text.substr(std::min(begin, text.size())));
  if (out.empty()) out.push_back(text);
  return out;
}

RE2::Options re2_options(bool ignore_case) {
  RE2::Options options;
  options.set_case_sensitive(!ignore_case);
  options.set_log_errors(false);
  options.set_dot_nl(true);  // a name may hold a line feed; .* means all names
  return options;
}

}  // namespace

struct Pattern::Compiled {
  Compiled(std::string_view written, const std::string& pattern, bool ignore_case)
      : text(written), re2(piece(pattern), re2_options(ignore_case)) {}
  std::string text;  // as it was given
  RE2 re2;
};

Pattern::Pattern(std::string_view text) {
  auto compiled = compile(text);
  if (!compiled) {
    std::fprintf(stderr, "bug: pattern %s: %s\n", std::string(text).c_str(),
                 compiled.error().what.c_str());
    std::abort();
  }
  *this = std::move(compiled).value();
}

Result<Pattern> Pattern::compile(std::string_view text, bool ignore_case) {
  SLUICE_TRY_ASSIGN(const std::string pattern, re2_text(text));
  auto compiled = std::make_shared<const Compiled>(text, pattern, ignore_case);
  if (compiled->re2.ok()) return Pattern(std::move(compiled));
  std::string what = "bad pattern: " + compiled->re2.error();
  if (compiled->re2.error_code() == RE2::ErrorBadPerlOp)
    what += " (RE2 cannot look ahead or behind; leave tables out with filter.exclude)";
  return fatal(Errc::config_invalid, std::move(what));
}

Result<Pattern> Pattern::compile(std::string_view text) {
  return compile(text, false);
}

Result<std::vector<Pattern>> Pattern::compile_list(std::string_view text) {
  const std::vector<std::string_view> parts = parts_of(text);
  std::vector<Pattern> out;
  for (const std::string_view part : parts) {
    auto pattern = compile(part);
    if (!pattern) {
      if (parts.size() == 1) return std::move(pattern).error();
      return std::move(pattern).error().at("pattern " + std::to_string(out.size() + 1) + " of " +
                                           std::to_string(parts.size()));
    }
    out.push_back(std::move(pattern).value());
  }
  return out;
}

Pattern Pattern::ignoring_case() const {
  return compile(text(), true).value();  // what compiles does so either way
}

bool Pattern::matches(std::string_view text) const {
  return RE2::FullMatch(piece(text), compiled_->re2);
}

std::optional<std::string> Pattern::rewrite(std::string_view text, std::string_view to) const {
  std::array<re2::StringPiece, kCaptures> parts;
  const int wanted = std::min(kCaptures, 1 + compiled_->re2.NumberOfCapturingGroups());
  std::string out;
  if (!compiled_->re2.Match(piece(text), 0, text.size(), RE2::ANCHOR_BOTH, parts.data(), wanted) ||
      !compiled_->re2.Rewrite(&out, piece(to), parts.data(), wanted))
    return std::nullopt;
  return out;
}

Status Pattern::check_rewrite(std::string_view to) const {
  std::string error;
  if (compiled_->re2.CheckRewriteString(piece(to), &error)) return {};
  return fatal(Errc::config_invalid, error);
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

PatternList PatternList::ignoring_case() const {
  std::vector<Pattern> out;
  for (const Pattern& pattern : patterns_) out.push_back(pattern.ignoring_case());
  return PatternList(std::move(out));
}

bool PatternList::may_match_prefix(std::string_view prefix) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [prefix](const Pattern& pattern) { return pattern.may_match_prefix(prefix); });
}

}  // namespace sluice
