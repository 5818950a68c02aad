#include "expr/like.h"

#include <cstddef>

namespace sluice::expr {
namespace {

std::size_t next_character(std::string_view text, std::size_t at, bool bytes) noexcept {
  ++at;
  while (!bytes && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U)
    ++at;
  return at;
}

}  // namespace

bool like(std::string_view text, std::string_view pattern, bool bytes) noexcept {
  std::size_t t = 0, p = 0;
  // The last % seen: where the pattern goes on behind it, and how far its text reaches.
  std::size_t resume = 0, reach = 0;
  bool any = false;
  while (t < text.size()) {
    if (p < pattern.size()) {
      if (pattern[p] == '%') {
        any = true;
        resume = ++p;
        reach = t;
        continue;
      }
      if (pattern[p] == '_') {
        t = next_character(text, t, bytes);
        ++p;
        continue;
      }
      const bool escaped = pattern[p] == '\\' && p + 1 < pattern.size();
      if (text[t] == pattern[p + (escaped ? 1 : 0)]) {
        ++t;
        p += escaped ? 2 : 1;
        continue;
      }
    }
    if (!any) return false;
    reach = next_character(text, reach, bytes);
    t = reach;
    p = resume;
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace sluice::expr
