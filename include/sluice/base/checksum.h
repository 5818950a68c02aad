#pragma once
#include <cstdint>
#include <string>

#include "sluice/base/byte_reader.h"

namespace sluice {

// zlib's CRC-32 (the binlog's checksum), by libdeflate.
std::uint32_t crc32(Bytes bytes, std::uint32_t seed = 0) noexcept;
// Eight digits, small letters.
std::string hex32(std::uint32_t value);

}  // namespace sluice
