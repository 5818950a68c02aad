#pragma once
#include <cstdint>
#include <string_view>

namespace sluice {

// XXH64, the published algorithm: stable over versions and machines.
std::uint64_t xxh64(std::string_view bytes, std::uint64_t seed = 0) noexcept;

}  // namespace sluice
