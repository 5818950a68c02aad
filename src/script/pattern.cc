#include "script/pattern.h"

namespace sluice::script {
namespace {

constexpr int kDeepest = 200;  // as Lua's

// Of ASCII, whatever the locale.
bool is_lower(unsigned char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(unsigned char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(unsigned char c) {
  return c >= '0' && c <= '9';
}
bool is_graph(unsigned char c) {
  return c > ' ' && c < 0x7f;
}
bool is_letter(unsigned char c) {
  return is_lower(c) || is_upper(c);
}

// The class that %x names; the letter itself where x is none.
bool in_class(unsigned char c, unsigned char name) {
  bool in = false;
  switch (static_cast<char>(name | 0x20U)) {
    case 'a': in = is_letter(c); break;
    case 'c': in = c < ' ' || c == 0x7f; break;
    case 'd': in = is_digit(c); break;
    case 'g': in = is_graph(c); break;
    case 'l': in = is_lower(c); break;
    case 'p': in = is_graph(c) && !is_letter(c) && !is_digit(c); break;
    case 's': in = c == ' ' || (c >= '\t' && c <= '\r'); break;
    case 'u': in = is_upper(c); break;
    case 'w': in = is_letter(c) || is_digit(c); break;
    case 'x': in = is_digit(c) || ((c | 0x20U) >= 'a' && (c | 0x20U) <= 'f'); break;
    default: return c == name;
  }
  return in != is_upper(name);
}

}  // namespace

std::size_t Matcher::match_at(std::size_t at) noexcept {
  level_ = 0;
  return match(at, 0);
}

std::size_t Matcher::match(std::size_t s, std::size_t p) noexcept {
  if (depth_ == kDeepest) return fail("pattern too complex");
  ++depth_;
  const std::size_t out = match_here(s, p);
  --depth_;
  return out;
}

std::size_t Matcher::match_here(std::size_t s, std::size_t p) noexcept {
  using Kind = Capture::Kind;
  while (step()) {
    if (p == pattern_.size()) return s;
    const char c = pattern_[p];
    const char next = pattern_at(p + 1);
    if (c == '(')
      return next == ')' && p + 1 < pattern_.size() ? open(s, p + 2, Kind::position)
                                                    : open(s, p + 1, Kind::open);
    if (c == ')') return close(s, p + 1);
    if (c == '$' && p + 1 == pattern_.size()) return s == subject_.size() ? s : kNone;
    if (c == '%' && next == 'b') {
      s = balance(s, p + 2);
      if (s == kNone) return kNone;
      p += 4;
      continue;
    }
    if (c == '%' && next == 'f') {
      p += 2;
      if (pattern_at(p) != '[') return fail("missing '[' after '%f' in pattern");
      const std::size_t end = single_end(p);
      if (end == kNone) return kNone;
      const char before = s == 0 ? '\0' : subject_[s - 1];
      const char here = s < subject_.size() ? subject_[s] : '\0';
      if (in_set(static_cast<unsigned char>(before), p, end - 1) ||
          !in_set(static_cast<unsigned char>(here), p, end - 1))
        return kNone;
      p = end;
      continue;
    }
    if (c == '%' && is_digit(static_cast<unsigned char>(next))) {
      s = back(s, next);
      if (s == kNone) return kNone;
      p += 2;
      continue;
    }
    const std::size_t end = single_end(p);
    if (end == kNone) return kNone;
    const char how = pattern_at(end);
    if (how == '*') return expand_most(s, p, end);
    if (how == '-') return expand_least(s, p, end);
    const bool fits = single(s, p, end);
    if (how == '+') return fits ? expand_most(s + 1, p, end) : kNone;
    if (how == '?') {
      if (fits) {
        const std::size_t out = match(s + 1, end + 1);
        if (out != kNone || failed()) return out;
      }
      p = end + 1;
      continue;
    }
    if (!fits) return kNone;
    ++s;
    p = end;
  }
  return kNone;
}

std::size_t Matcher::open(std::size_t s, std::size_t p, Capture::Kind kind) noexcept {
  if (level_ == kMostCaptures) return fail("too many captures");
  captures_[level_++] = {s, 0, kind};
  const std::size_t out = match(s, p);
  if (out == kNone) --level_;
  return out;
}

std::size_t Matcher::close(std::size_t s, std::size_t p) noexcept {
  std::size_t n = level_;
  while (n > 0 && captures_[n - 1].kind != Capture::Kind::open) --n;
  if (n == 0) return fail("invalid pattern capture");
  Capture& capture = captures_[n - 1];
  capture.kind = Capture::Kind::closed;
  capture.size = s - capture.begin;
  const std::size_t out = match(s, p);
  if (out == kNone) capture.kind = Capture::Kind::open;
  return out;
}

std::size_t Matcher::balance(std::size_t s, std::size_t p) noexcept {
  if (p + 1 >= pattern_.size()) return fail("malformed pattern (missing arguments to '%b')");
  if (s >= subject_.size() || subject_[s] != pattern_[p]) return kNone;
  std::size_t deep = 1;
  for (++s; s < subject_.size() && step(); ++s) {
    if (subject_[s] == pattern_[p + 1]) {
      if (--deep == 0) return s + 1;
    } else if (subject_[s] == pattern_[p]) {
      ++deep;
    }
  }
  return kNone;
}

std::size_t Matcher::back(std::size_t s, char digit) noexcept {
  const auto n = static_cast<std::size_t>(digit - '1');
  if (digit == '0' || n >= level_ || captures_[n].kind == Capture::Kind::open)
    return fail("invalid capture index in pattern");
  const Capture& capture = captures_[n];
  if (!step(capture.size / 16)) return kNone;
  const bool same =
      subject_.size() - s >= capture.size &&
      subject_.substr(s, capture.size) == subject_.substr(capture.begin, capture.size);
  return same ? s + capture.size : kNone;
}

std::size_t Matcher::expand_most(std::size_t s, std::size_t p, std::size_t end) noexcept {
  std::size_t n = 0;
  while (step() && single(s + n, p, end)) ++n;
  for (; !failed(); --n) {
    const std::size_t out = match(s + n, end + 1);
    if (out != kNone || n == 0) return out;
  }
  return kNone;
}

std::size_t Matcher::expand_least(std::size_t s, std::size_t p, std::size_t end) noexcept {
  for (;; ++s) {
    const std::size_t out = match(s, end + 1);
    if (out != kNone || failed()) return out;
    if (!step() || !single(s, p, end)) return kNone;
  }
}

// Behind the class, set or character at p.
std::size_t Matcher::single_end(std::size_t p) noexcept {
  const char c = pattern_[p++];
  if (c == '%') {
    if (p == pattern_.size()) return fail("malformed pattern (ends with '%')");
    return p + 1;
  }
  if (c != '[') return p;
  if (pattern_at(p) == '^') ++p;
  do {
    if (p >= pattern_.size()) return fail("malformed pattern (missing ']')");
    if (pattern_[p++] == '%') ++p;
  } while (p >= pattern_.size() || pattern_[p] != ']');
  return p + 1;
}

bool Matcher::single(std::size_t s, std::size_t p, std::size_t end) const noexcept {
  if (s >= subject_.size()) return false;
  const auto c = static_cast<unsigned char>(subject_[s]);
  switch (pattern_[p]) {
    case '.': return true;
    case '%': return in_class(c, static_cast<unsigned char>(pattern_[p + 1]));
    case '[': return in_set(c, p, end - 1);
    default: return subject_[s] == pattern_[p];
  }
}

// `last`: where its ']' is.
bool Matcher::in_set(unsigned char c, std::size_t p, std::size_t last) const noexcept {
  const bool inverted = pattern_[p + 1] == '^';
  if (inverted) ++p;
  while (++p < last) {
    const auto from = static_cast<unsigned char>(pattern_[p]);
    if (from == '%') {
      if (in_class(c, static_cast<unsigned char>(pattern_[++p]))) return !inverted;
    } else if (pattern_[p + 1] == '-' && p + 2 < last) {
      p += 2;
      if (from <= c && c <= static_cast<unsigned char>(pattern_[p])) return !inverted;
    } else if (from == c) {
      return !inverted;
    }
  }
  return inverted;
}

}  // namespace sluice::script
