#pragma once
#include <cstdint>

#include "sluice/binlog/event.h"

namespace sluice::fuzz {

// A server whose events are laid out as they are today.
inline binlog::FormatDescription format_of(bool mariadb) {
  binlog::FormatDescription format;
  format.flavor = mariadb ? Flavor::mariadb : Flavor::mysql;
  return format;
}

// The same, but for one type's fixed part, which older servers had of another length.
inline binlog::FormatDescription format_of(bool mariadb, binlog::EventType type,
                                           std::uint8_t fixed) {
  binlog::FormatDescription format = format_of(mariadb);
  format.post_header_len.assign(static_cast<std::size_t>(type), 0);  // 0: as it is today
  format.post_header_len.back() = fixed;
  return format;
}

}  // namespace sluice::fuzz
