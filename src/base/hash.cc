#include "sluice/base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace sluice {

std::uint64_t xxh64(std::string_view bytes, std::uint64_t seed) noexcept {
  return XXH64(bytes.data(), bytes.size(), seed);
}

}  // namespace sluice
