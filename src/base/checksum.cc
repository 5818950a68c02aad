#include "sluice/base/checksum.h"

#include <libdeflate.h>

namespace sluice {

std::uint32_t crc32(Bytes bytes, std::uint32_t seed) noexcept {
  return libdeflate_crc32(seed, bytes.data(), bytes.size());
}

}  // namespace sluice
