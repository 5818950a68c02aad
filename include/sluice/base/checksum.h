#pragma once
#include <cstdint>

#include "sluice/base/byte_reader.h"

namespace sluice {

// zlib's CRC-32 (the binlog's checksum), by libdeflate.
std::uint32_t crc32(Bytes bytes, std::uint32_t seed = 0) noexcept;

}  // namespace sluice
