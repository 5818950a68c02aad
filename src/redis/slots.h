#pragma once
#include <cstdint>
#include <string_view>

namespace sluice::redis {

// A cluster's keys are spread over so many slots, and the slots over its nodes.
inline constexpr std::uint16_t kSlots = 16384;

// CRC-16/XMODEM (src/crc16.c of Redis).
std::uint16_t crc16(std::string_view bytes) noexcept;
// The slot of a key: of what stands between its first { and the next }, unless there is nothing,
// else of all of it (src/cluster.c keyHashSlot()).
std::uint16_t slot_of(std::string_view key) noexcept;

}  // namespace sluice::redis
