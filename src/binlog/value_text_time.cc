// Dates and times of value_text.h.
#include "sluice/binlog/value_text.h"

#include "binlog/temporal.h"

namespace sluice::binlog {
namespace {

constexpr std::uint32_t kMaxHours = 838;  // of a TIME
constexpr std::size_t kRoom = 32;         // for any of them

bool date_ok(const TimeFields& t) noexcept {
  return t.year <= 9999 && t.month <= 12 && t.day <= 31;
}
bool clock_ok(const TimeFields& t) noexcept {
  return t.minute <= 59 && t.second <= 59 && t.micros <= 999999;
}

char* write_date(char* to, const TimeFields& t) noexcept {
  to = write_two(to, t.year / 100);
  to = write_two(to, t.year % 100);
  *to++ = '-';
  to = write_two(to, t.month);
  *to++ = '-';
  return write_two(to, t.day);
}

char* write_clock(char* to, const TimeFields& t) noexcept {
  if (t.hour > 99) *to++ = static_cast<char>('0' + t.hour / 100);
  to = write_two(to, t.hour % 100);
  *to++ = ':';
  to = write_two(to, t.minute);
  *to++ = ':';
  return write_two(to, t.second);
}

// The first `digits` of the millionths.
char* write_fraction(char* to, std::uint32_t micros, unsigned digits) noexcept {
  if (digits == 0) return to;
  *to++ = '.';
  char* const end = to + digits;  // what is written behind it is in the room, and cut off
  to = write_two(to, micros / 10000);
  to = write_two(to, micros / 100 % 100);
  write_two(to, micros % 100);
  return end;
}

bool append_date_of(std::int64_t packed, TextBuffer& out) {
  const TimeFields t = unpack_datetime(packed);
  if (packed < 0 || !date_ok(t)) return false;
  out.commit_to(write_date(out.room(kRoom), t));
  return true;
}

bool append_datetime_of(std::int64_t packed, unsigned digits, TextBuffer& out) {
  const TimeFields t = unpack_datetime(packed);
  if (packed < 0 || !date_ok(t) || t.hour > 23 || !clock_ok(t)) return false;
  char* to = write_date(out.room(kRoom), t);
  *to++ = ' ';
  out.commit_to(write_fraction(write_clock(to, t), t.micros, digits));
  return true;
}

bool append_time_of(std::int64_t packed, unsigned digits, TextBuffer& out) {
  const TimeFields t = unpack_time(packed);
  if (t.hour > kMaxHours || !clock_ok(t)) return false;
  char* to = out.room(kRoom);
  if (t.negative) *to++ = '-';
  out.commit_to(write_fraction(write_clock(to, t), t.micros, digits));
  return true;
}

// Days since 1970-01-01 -> date (proleptic Gregorian).
void set_date(std::int64_t days, TimeFields& t) noexcept {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto doe = static_cast<std::uint32_t>(days - era * 146097);
  const std::uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const std::uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::uint32_t mp = (5 * doy + 2) / 153;
  t.day = doy - (153 * mp + 2) / 5 + 1;
  t.month = mp < 10 ? mp + 3 : mp - 9;
  t.year = yoe + static_cast<std::uint32_t>(era) * 400 + (t.month <= 2 ? 1 : 0);
}

bool append_timestamp_of(std::int64_t packed, unsigned digits, std::int32_t zone_seconds,
                         TextBuffer& out) {
  const std::int64_t seconds = packed >> kFractionBits;
  TimeFields t;
  t.micros = static_cast<std::uint32_t>(packed & 0xFFFFFF);
  // Zero is not 1970 but the zero date: no zone shifts it.
  if (seconds != 0) {
    const std::int64_t local = seconds + zone_seconds;
    const std::int64_t days = (local >= 0 ? local : local - 86399) / 86400;
    const auto rest = static_cast<std::uint32_t>(local - days * 86400);
    set_date(days, t);
    t.hour = rest / 3600;
    t.minute = rest / 60 % 60;
    t.second = rest % 60;
  }
  char* to = write_date(out.room(kRoom), t);
  *to++ = ' ';
  out.commit_to(write_fraction(write_clock(to, t), t.micros, digits));
  return true;
}

}  // namespace

bool append_date(Bytes bytes, TextBuffer& out) {
  std::int64_t packed = 0;
  return read_date(bytes, packed) && append_date_of(packed, out);
}

bool append_year(Bytes bytes, TextBuffer& out) {
  if (bytes.size() != 1) return false;
  const auto v = std::to_integer<std::size_t>(bytes[0]);
  const std::size_t year = v == 0 ? 0 : 1900 + v;
  out.commit_to(write_two(write_two(out.room(4), year / 100), year % 100));
  return true;
}

bool append_old_time(Bytes bytes, unsigned digits, TextBuffer& out) {
  std::int64_t packed = 0;
  return read_old_time(bytes, digits, packed) && append_time_of(packed, digits, out);
}

bool append_old_datetime(Bytes bytes, unsigned digits, TextBuffer& out) {
  std::int64_t packed = 0;
  return read_old_datetime(bytes, digits, packed) && append_datetime_of(packed, digits, out);
}

bool append_old_timestamp(Bytes bytes, unsigned digits, std::int32_t zone_seconds,
                          TextBuffer& out) {
  std::int64_t packed = 0;
  return read_old_timestamp(bytes, digits, packed) &&
         append_timestamp_of(packed, digits, zone_seconds, out);
}

bool append_time(Bytes bytes, unsigned digits, TextBuffer& out) {
  std::int64_t packed = 0;
  return read_time2(bytes, digits, packed) && append_time_of(packed, digits, out);
}

bool append_datetime(Bytes bytes, unsigned digits, TextBuffer& out) {
  std::int64_t packed = 0;
  return read_datetime2(bytes, digits, packed) && append_datetime_of(packed, digits, out);
}

bool append_timestamp(Bytes bytes, unsigned digits, std::int32_t zone_seconds, TextBuffer& out) {
  std::int64_t packed = 0;
  return read_timestamp2(bytes, digits, packed) &&
         append_timestamp_of(packed, digits, zone_seconds, out);
}

bool append_packed_date(std::int64_t packed, TextBuffer& out) {
  return append_date_of(packed, out);
}
bool append_packed_datetime(std::int64_t packed, TextBuffer& out) {
  return append_datetime_of(packed, kMaxDigits, out);
}
bool append_packed_time(std::int64_t packed, TextBuffer& out) {
  return append_time_of(packed, kMaxDigits, out);
}

}  // namespace sluice::binlog
