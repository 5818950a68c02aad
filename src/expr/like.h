#pragma once
#include <string_view>

namespace sluice::expr {

// SQL's LIKE: % is any text, _ one character (of UTF-8; with `bytes` one byte), a backslash takes
// the next character for itself.  Letters match themselves only.
bool like(std::string_view text, std::string_view pattern, bool bytes) noexcept;

}  // namespace sluice::expr
