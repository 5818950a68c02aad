#pragma once
#include <array>
#include <string_view>

namespace sluice {

// SHA-1 (FIPS 180-4) of `bytes` in lower case hexadecimal digits: a short name for a text, no
// protection.  Allocates nothing.
std::array<char, 40> sha1_hex(std::string_view bytes) noexcept;

}  // namespace sluice
