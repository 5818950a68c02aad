#pragma once
#include <algorithm>
#include <string_view>

namespace sluice {

// Compares without regard to the case of A-Z: savepoints, names in options.
inline bool same_ascii_name(std::string_view a, std::string_view b) noexcept {
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return fold(x) == fold(y); });
}

}  // namespace sluice
