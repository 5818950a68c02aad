#include "binlog/temporal.h"

namespace sluice::binlog {
namespace {

// The fraction of a *2 temporal in its own units (1/100, 1/10000, 1/1000000 s) -> microseconds.
constexpr std::array<std::uint32_t, 4> kFractionUnit = {0, 10000, 100, 1};
constexpr std::size_t fraction_bytes(unsigned digits) noexcept {
  return (digits + 1) / 2;
}

// 838:59:59 and the second after it: MariaDB's old TIME with fractions counts from its negative
// (MariaDB: sql/field.cc Field_time_hires).
constexpr std::int64_t kOldTimeZero = 3020400;

}  // namespace

bool read_date(Bytes bytes, std::int64_t& packed) noexcept {
  if (bytes.size() != 3) return false;
  const std::uint64_t v = ByteReader(bytes).le<3>();
  packed = pack_fields(v >> 9, v >> 5 & 15, v & 31, 0, 0, 0, 0);
  return (v >> 5 & 15) <= 12;  // packed, a month 13 would be the next year's 0
}

// mysql-server: mysys/my_time.cc, my_time_packed_from_binary(): the whole is one offset-binary
// number, so a negative value with a fraction borrows from the seconds.
bool read_time2(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept {
  if (digits > kMaxDigits || bytes.size() != 3 + fraction_bytes(digits)) return false;
  const std::size_t extra = fraction_bytes(digits);
  const auto shift = static_cast<unsigned>(8 * extra);
  const std::int64_t v =
      static_cast<std::int64_t>(big_endian(bytes)) - (std::int64_t{0x800000} << shift);
  const auto u = static_cast<std::uint64_t>(v < 0 ? -v : v);
  const std::uint64_t micros = (u & ((std::uint64_t{1} << shift) - 1)) * kFractionUnit[extra];
  const auto size = static_cast<std::int64_t>(((u >> shift) << kFractionBits) + micros);
  packed = v < 0 ? -size : size;
  return micros <= 999999;
}

bool read_datetime2(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept {
  if (digits > kMaxDigits || bytes.size() != 5 + fraction_bytes(digits)) return false;
  ByteReader in(bytes);
  const std::uint64_t v = in.be<5>();
  const std::uint64_t micros = big_endian(in.rest()) * kFractionUnit[fraction_bytes(digits)];
  constexpr std::uint64_t kZero = 0x8000000000;
  packed = static_cast<std::int64_t>(((v - kZero) << kFractionBits) + micros);
  return v >= kZero && micros <= 999999;
}

bool read_timestamp2(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept {
  if (digits > kMaxDigits || bytes.size() != 4 + fraction_bytes(digits)) return false;
  ByteReader in(bytes);
  const std::uint64_t seconds = in.be<4>();
  const std::uint64_t micros = big_endian(in.rest()) * kFractionUnit[fraction_bytes(digits)];
  packed = static_cast<std::int64_t>((seconds << kFractionBits) + micros);
  return micros <= 999999;
}

bool read_old_time(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept {
  if (digits > kMaxDigits || bytes.size() != kOldTimeBytes[digits]) return false;
  std::uint64_t seconds = 0;
  std::uint64_t micros = 0;
  bool negative = false;
  if (digits == 0) {
    auto v = static_cast<std::int64_t>(ByteReader(bytes).le<3>());
    if (v >= 0x800000) v -= 0x1000000;
    negative = v < 0;
    const auto u = static_cast<std::uint64_t>(negative ? -v : v);
    if (u / 100 % 100 > 59 || u % 100 > 59) return false;
    seconds = u / 10000 * 3600 + u / 100 % 100 * 60 + u % 100;
  } else {
    const std::int64_t tens = kTens[digits];
    const std::int64_t v = static_cast<std::int64_t>(big_endian(bytes)) - kOldTimeZero * tens;
    negative = v < 0;
    const auto u = static_cast<std::uint64_t>(negative ? -v : v);
    seconds = u / kTens[digits];
    micros = u % kTens[digits] * kTens[kMaxDigits - digits];
  }
  const std::uint64_t hms = seconds / 3600 << 12 | seconds / 60 % 60 << 6 | seconds % 60;
  const auto size = static_cast<std::int64_t>((hms << kFractionBits) + micros);
  packed = negative ? -size : size;
  return seconds / 3600 <= 838;
}

bool read_old_datetime(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept {
  if (digits > kMaxDigits || bytes.size() != kOldDatetimeBytes[digits]) return false;
  if (digits == 0) {
    const std::uint64_t v = ByteReader(bytes).le<8>();
    const std::uint64_t date = v / 1000000;
    const std::uint64_t time = v % 1000000;
    packed = pack_fields(date / 10000, date / 100 % 100, date % 100, time / 10000, time / 100 % 100,
                         time % 100, 0);
    return date <= 99991231 && date / 100 % 100 <= 12 && date % 100 <= 31 && time / 10000 <= 23 &&
           time / 100 % 100 <= 59 && time % 100 <= 59;
  }
  std::uint64_t v = big_endian(bytes);
  const auto next = [&v](std::uint64_t base) {
    const std::uint64_t digit = v % base;
    v /= base;
    return digit;
  };
  const std::uint64_t micros = next(kTens[digits]) * kTens[kMaxDigits - digits];
  const std::uint64_t second = next(60);
  const std::uint64_t minute = next(60);
  const std::uint64_t hour = next(24);
  const std::uint64_t day = next(32);
  const std::uint64_t month = next(13);
  packed = pack_fields(v, month, day, hour, minute, second, micros);
  return v <= 9999;
}

bool read_old_timestamp(Bytes bytes, unsigned digits, std::int64_t& packed) noexcept {
  if (digits > kMaxDigits || bytes.size() != kOldTimestampBytes[digits]) return false;
  ByteReader in(bytes);
  const std::uint64_t seconds = digits == 0 ? in.le<4>() : in.be<4>();
  const std::uint64_t micros = big_endian(in.rest()) * kTens[kMaxDigits - digits];
  packed = static_cast<std::int64_t>((seconds << kFractionBits) + micros);
  return micros <= 999999;
}

}  // namespace sluice::binlog
