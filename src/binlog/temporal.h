#pragma once
#include <array>
#include <cstdint>

#include "sluice/base/byte_reader.h"

// Temporal columns as a row stores them -> packed as Value has them.  Each returns false when the
// bytes are of another length; fields that are out of range are found by whoever takes them apart.
namespace sluice::binlog {

// What a time is made of.
struct TimeFields {
  std::uint32_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0;
  bool negative = false;  // times only
};

inline constexpr unsigned kFractionBits = 24;
inline constexpr unsigned kMaxDigits = 6;
inline constexpr std::array<std::uint32_t, 7> kTens = {1, 10, 100, 1000, 10000, 100000, 1000000};

constexpr std::int64_t pack_fields(std::uint64_t year, std::uint64_t month, std::uint64_t day,
                                   std::uint64_t hour, std::uint64_t minute, std::uint64_t second,
                                   std::uint64_t micros) noexcept {
  const std::uint64_t date = (year * 13 + month) << 5 | day;
  return static_cast<std::int64_t>(
      ((date << 17 | hour << 12 | minute << 6 | second) << kFractionBits) + micros);
}
constexpr TimeFields unpack_datetime(std::int64_t packed) noexcept {
  const auto v = static_cast<std::uint64_t>(packed);
  const auto bits = [v](unsigned from, unsigned count) {
    return static_cast<std::uint32_t>(v >> from & ((1U << count) - 1));
  };
  const auto year_month = static_cast<std::uint32_t>(v >> 46);
  return {year_month / 13, year_month % 13, bits(41, 5), bits(36, 5),
          bits(30, 6),     bits(24, 6),     bits(0, 24), false};
}
constexpr TimeFields unpack_time(std::int64_t packed) noexcept {
  const bool negative = packed < 0;
  const std::uint64_t v =
      negative ? 0 - static_cast<std::uint64_t>(packed) : static_cast<std::uint64_t>(packed);
  const std::uint64_t hms = v >> kFractionBits;
  TimeFields t;
  t.hour = static_cast<std::uint32_t>(hms >> 12);
  t.minute = static_cast<std::uint32_t>(hms >> 6 & 63);
  t.second = static_cast<std::uint32_t>(hms & 63);
  t.micros = static_cast<std::uint32_t>(v & 0xFFFFFF);
  t.negative = negative;
  return t;
}

bool read_date(Bytes bytes, std::int64_t& packed) noexcept;  // DATE, NEWDATE

// TIME2, DATETIME2, TIMESTAMP2 with `digits` fractional digits.
bool read_time2(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept;
bool read_datetime2(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept;
bool read_timestamp2(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept;

// TIME, DATETIME, TIMESTAMP from before them; with fractional digits only MariaDB has them.
bool read_old_time(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept;
bool read_old_datetime(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept;
bool read_old_timestamp(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept;

// Bytes of an old one by its digits (MariaDB: sql/field.h Field_temporal_hires, sec_part_bytes()).
inline constexpr std::array<std::uint8_t, 7> kOldTimeBytes = {3, 4, 4, 5, 5, 5, 6};
inline constexpr std::array<std::uint8_t, 7> kOldDatetimeBytes = {8, 6, 6, 7, 7, 7, 8};
inline constexpr std::array<std::uint8_t, 7> kOldTimestampBytes = {4, 5, 5, 6, 6, 7, 7};

}  // namespace sluice::binlog
