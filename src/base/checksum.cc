#include "sluice/base/checksum.h"

#include <string_view>

#include <libdeflate.h>

namespace sluice {

std::uint32_t crc32(Bytes bytes, std::uint32_t seed) noexcept {
  return libdeflate_crc32(seed, bytes.data(), bytes.size());
}

std::string hex32(std::uint32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(8, '0');
  for (std::size_t i = out.size(); i-- > 0; value >>= 4U) out[i] = kDigits[value & 0xFU];
  return out;
}

}  // namespace sluice
