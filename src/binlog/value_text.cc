#include "sluice/binlog/value_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace sluice::binlog {
namespace {

// Digits of DECIMAL are packed by nine into four bytes; what is left over takes this many
// (mysql-server: strings/decimal.cc).
constexpr std::array<std::uint8_t, 10> kLeftoverBytes = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
constexpr std::array<std::uint32_t, 10> kPowers = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
constexpr unsigned kMaxPrecision = 65;
constexpr unsigned kMaxScale = 30;

// Big-endian groups of a packed decimal, its sign taken off.
class DecimalGroups {
 public:
  DecimalGroups(Bytes bytes, bool negative) noexcept : bytes_(bytes), flip_(negative ? 0xFF : 0) {}
  std::uint32_t next(std::size_t size) noexcept {
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < size; ++i, ++at_) {
      unsigned b = std::to_integer<unsigned>(bytes_[at_]);
      if (at_ == 0) b ^= 0x80;  // the sign bit
      v = v << 8 | (b ^ flip_);
    }
    return v;
  }

 private:
  Bytes bytes_;
  unsigned flip_;
  std::size_t at_ = 0;
};

template <class Float>
bool append_shortest(Float v, TextBuffer& out) {
  if (!std::isfinite(v)) return false;
  std::array<char, 40> digits{};
  char* to = out.room(64);
  if (std::signbit(v)) {
    *to++ = '-';
    v = -v;
  }
  if (v == 0) {
    *to++ = '0';
    out.commit_to(to);
    return true;
  }
  // d[.ddd]e[+-]xx, the shortest digits.
  const auto [end, err] =
      std::to_chars(digits.data(), digits.data() + digits.size(), v, std::chars_format::scientific);
  const char* const e = std::find(digits.data(), end, 'e');
  int exponent = 0;
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, exponent);
  std::array<char, 24> d{};
  unsigned n = 0;
  for (const char* p = digits.data(); p != e; ++p)
    if (*p != '.') d[n++] = *p;
  // mysql-server: strings/dtoa.cc, my_gcvt(): plain digits while the point lies within 15 places,
  // else an exponent.
  if (exponent < -15 || exponent > 14) {
    *to++ = d[0];
    if (n > 1) {
      *to++ = '.';
      to = std::copy_n(d.data() + 1, n - 1, to);
    }
    *to++ = 'e';
    to = write_int(to, exponent);
  } else if (exponent < 0) {
    *to++ = '0';
    *to++ = '.';
    to = std::fill_n(to, -exponent - 1, '0');
    to = std::copy_n(d.data(), n, to);
  } else {
    const auto whole = static_cast<unsigned>(exponent) + 1;
    to = std::copy_n(d.data(), std::min(n, whole), to);
    if (n < whole) to = std::fill_n(to, whole - n, '0');
    if (n > whole) {
      *to++ = '.';
      to = std::copy_n(d.data() + whole, n - whole, to);
    }
  }
  out.commit_to(to);
  return true;
}

struct DateTime {
  std::uint64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  bool date_ok() const noexcept { return year <= 9999 && month <= 12 && day <= 31; }
  bool time_ok() const noexcept { return hour <= 23 && minute <= 59 && second <= 59; }
};

char* write_date(char* to, const DateTime& t) noexcept {
  to = write_padded(to, t.year, 4);
  *to++ = '-';
  to = write_padded(to, t.month, 2);
  *to++ = '-';
  return write_padded(to, t.day, 2);
}

char* write_time(char* to, std::uint64_t hour, std::uint64_t minute,
                 std::uint64_t second) noexcept {
  to = write_padded(to, hour, hour > 99 ? 3 : 2);
  *to++ = ':';
  to = write_padded(to, minute, 2);
  *to++ = ':';
  return write_padded(to, second, 2);
}

char* write_datetime(char* to, const DateTime& t) noexcept {
  to = write_date(to, t);
  *to++ = ' ';
  return write_time(to, t.hour, t.minute, t.second);
}

// `micros`: millionths of a second, of which the first `digits` are written.
char* write_fraction(char* to, std::uint64_t micros, unsigned digits) noexcept {
  if (digits == 0) return to;
  *to++ = '.';
  return write_padded(to, micros / kPowers[6 - digits], digits);
}

// The fraction of a *2 temporal in its own units (1/100, 1/10000, 1/1000000 s) -> microseconds.
constexpr std::array<std::uint32_t, 4> kFractionUnit = {0, 10000, 100, 1};

// Days since 1970-01-01 -> date (proleptic Gregorian).
DateTime civil(std::int64_t days) noexcept {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto doe = static_cast<std::uint64_t>(days - era * 146097);
  const std::uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const std::uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::uint64_t mp = (5 * doy + 2) / 153;
  DateTime t;
  t.day = doy - (153 * mp + 2) / 5 + 1;
  t.month = mp < 10 ? mp + 3 : mp - 9;
  t.year = yoe + static_cast<std::uint64_t>(era) * 400 + (t.month <= 2 ? 1 : 0);
  return t;
}

bool append_seconds(std::uint64_t seconds, std::uint64_t micros, unsigned digits,
                    std::int32_t zone_seconds, TextBuffer& out) {
  char* to = out.room(32);
  DateTime t;
  // Zero is not 1970 but the zero date: no zone shifts it.
  if (seconds != 0) {
    const std::int64_t local = static_cast<std::int64_t>(seconds) + zone_seconds;
    const std::int64_t days = (local >= 0 ? local : local - 86399) / 86400;
    const auto rest = static_cast<std::uint64_t>(local - days * 86400);
    t = civil(days);
    t.hour = rest / 3600;
    t.minute = rest / 60 % 60;
    t.second = rest % 60;
  }
  to = write_datetime(to, t);
  out.commit_to(write_fraction(to, micros, digits));
  return true;
}

bool append_signed_time(bool negative, std::uint64_t hour, std::uint64_t minute,
                        std::uint64_t second, std::uint64_t micros, unsigned digits,
                        TextBuffer& out) {
  if (hour > 838 || minute > 59 || second > 59 || micros > 999999) return false;
  char* to = out.room(32);
  if (negative) *to++ = '-';
  to = write_time(to, hour, minute, second);
  out.commit_to(write_fraction(to, micros, digits));
  return true;
}

constexpr std::size_t fraction_bytes(unsigned digits) noexcept {
  return (digits + 1) / 2;
}

std::uint64_t big_endian(Bytes bytes) noexcept {
  std::uint64_t v = 0;
  for (const std::byte b : bytes) v = v << 8 | std::to_integer<unsigned>(b);
  return v;
}

template <std::size_t N>
std::uint64_t little_endian(Bytes bytes) noexcept {
  return ByteReader(bytes).le<N>();
}

DateTime unpack_date(std::uint64_t ymd) noexcept {
  DateTime t;
  t.day = ymd & 31;
  const std::uint64_t ym = ymd >> 5;
  t.year = ym / 13;
  t.month = ym % 13;
  return t;
}

// The 40 bits of DATETIME2 above its fraction: year and month 17, day 5, hour 5, minute 6,
// second 6.
DateTime unpack_datetime(std::uint64_t v) noexcept {
  DateTime t = unpack_date(v >> 17);
  t.hour = v >> 12 & 31;
  t.minute = v >> 6 & 63;
  t.second = v & 63;
  return t;
}

// The given bytes and as many zero ones as are missing at the end; false when there are too many.
template <std::size_t N>
bool pad(Bytes bytes, std::array<unsigned, N>& out) noexcept {
  if (bytes.size() > N) return false;
  out.fill(0);
  std::transform(bytes.begin(), bytes.end(), out.begin(),
                 [](std::byte b) { return std::to_integer<unsigned>(b); });
  return true;
}

char* write_ipv4(char* to, const unsigned* bytes) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    if (i != 0) *to++ = '.';
    to = write_uint(to, bytes[i]);
  }
  return to;
}

constexpr std::string_view kHex = "0123456789abcdef";

}  // namespace

std::size_t packed_decimal_size(unsigned precision, unsigned scale) noexcept {
  if (precision == 0 || precision > kMaxPrecision || scale > kMaxScale || scale > precision)
    return 0;
  const unsigned whole = precision - scale;
  return whole / 9 * 4 + kLeftoverBytes[whole % 9] + scale / 9 * 4 + kLeftoverBytes[scale % 9];
}

bool append_decimal(Bytes bytes, unsigned precision, unsigned scale, TextBuffer& out) {
  const std::size_t size = packed_decimal_size(precision, scale);
  if (size == 0 || bytes.size() != size) return false;
  const bool negative = (std::to_integer<unsigned>(bytes[0]) & 0x80) == 0;
  DecimalGroups groups(bytes, negative);
  const unsigned whole = precision - scale;
  char* to = out.room(kMaxPrecision + 3);
  char* const minus = to;
  if (negative) *to++ = '-';
  char* const first = to;
  bool any = false;  // a digit that is not zero
  const auto group = [&](unsigned digits, bool fraction) {
    const std::uint32_t v = groups.next(digits == 9 ? 4 : kLeftoverBytes[digits]);
    if (v >= kPowers[digits]) return false;
    any = any || v != 0;
    if (fraction || to != first) {
      to = write_padded(to, v, digits);
    } else if (v != 0) {
      to = write_uint(to, v);
    }
    return true;
  };
  bool ok = whole % 9 == 0 || group(whole % 9, false);
  for (unsigned i = 0; ok && i < whole / 9; ++i) ok = group(9, false);
  if (to == first) *to++ = '0';
  if (scale != 0) *to++ = '.';
  for (unsigned i = 0; ok && i < scale / 9; ++i) ok = group(9, true);
  ok = ok && (scale % 9 == 0 || group(scale % 9, true));
  if (!ok) return false;
  if (negative && !any) {
    std::memmove(minus, first, static_cast<std::size_t>(to - first));
    --to;
  }
  out.commit_to(to);
  return true;
}

bool append_double(double v, TextBuffer& out) {
  return append_shortest(v, out);
}
bool append_float(float v, TextBuffer& out) {
  return append_shortest(v, out);
}

bool append_double(Bytes bytes, TextBuffer& out) {
  return bytes.size() == 8 && append_shortest(std::bit_cast<double>(little_endian<8>(bytes)), out);
}

bool append_float(Bytes bytes, TextBuffer& out) {
  return bytes.size() == 4 &&
         append_shortest(std::bit_cast<float>(static_cast<std::uint32_t>(little_endian<4>(bytes))),
                         out);
}

bool append_bit(Bytes bytes, TextBuffer& out) {
  if (bytes.empty() || bytes.size() > 8) return false;
  out.append_uint(big_endian(bytes));
  return true;
}

bool append_date(Bytes bytes, TextBuffer& out) {
  if (bytes.size() != 3) return false;
  const std::uint64_t v = little_endian<3>(bytes);
  DateTime t;
  t.day = v & 31;
  t.month = v >> 5 & 15;
  t.year = v >> 9;
  if (!t.date_ok()) return false;
  out.commit_to(write_date(out.room(10), t));
  return true;
}

bool append_year(Bytes bytes, TextBuffer& out) {
  if (bytes.size() != 1) return false;
  const auto v = std::to_integer<std::uint64_t>(bytes[0]);
  out.commit_to(write_padded(out.room(4), v == 0 ? 0 : 1900 + v, 4));
  return true;
}

bool append_old_time(Bytes bytes, TextBuffer& out) {
  if (bytes.size() != 3) return false;
  auto v = static_cast<std::int64_t>(little_endian<3>(bytes));
  if (v >= 0x800000) v -= 0x1000000;
  const auto u = static_cast<std::uint64_t>(v < 0 ? -v : v);
  return append_signed_time(v < 0, u / 10000, u / 100 % 100, u % 100, 0, 0, out);
}

bool append_old_datetime(Bytes bytes, TextBuffer& out) {
  if (bytes.size() != 8) return false;
  const std::uint64_t v = little_endian<8>(bytes);
  const std::uint64_t date = v / 1000000;
  const std::uint64_t time = v % 1000000;
  DateTime t;
  t.year = date / 10000;
  t.month = date / 100 % 100;
  t.day = date % 100;
  t.hour = time / 10000;
  t.minute = time / 100 % 100;
  t.second = time % 100;
  if (!t.date_ok() || !t.time_ok()) return false;
  out.commit_to(write_datetime(out.room(19), t));
  return true;
}

bool append_old_timestamp(Bytes bytes, std::int32_t zone_seconds, TextBuffer& out) {
  return bytes.size() == 4 && append_seconds(little_endian<4>(bytes), 0, 0, zone_seconds, out);
}

// mysql-server: mysys/my_time.cc, my_time_packed_from_binary(): the whole is one offset-binary
// number, so a negative value with a fraction borrows from the seconds.
bool append_time(Bytes bytes, unsigned digits, TextBuffer& out) {
  if (digits > 6 || bytes.size() != 3 + fraction_bytes(digits)) return false;
  const std::size_t extra = fraction_bytes(digits);
  const auto shift = static_cast<unsigned>(8 * extra);
  const std::int64_t v =
      static_cast<std::int64_t>(big_endian(bytes)) - (std::int64_t{0x800000} << shift);
  const auto u = static_cast<std::uint64_t>(v < 0 ? -v : v);
  const std::uint64_t hms = u >> shift;
  const std::uint64_t micros = (u & ((std::uint64_t{1} << shift) - 1)) * kFractionUnit[extra];
  return append_signed_time(v < 0, hms >> 12, hms >> 6 & 63, hms & 63, micros, digits, out);
}

bool append_datetime(Bytes bytes, unsigned digits, TextBuffer& out) {
  if (digits > 6 || bytes.size() != 5 + fraction_bytes(digits)) return false;
  const std::uint64_t v = big_endian(bytes.first(5));
  if (v < 0x8000000000) return false;
  const DateTime t = unpack_datetime(v - 0x8000000000);
  const std::uint64_t micros = big_endian(bytes.subspan(5)) * kFractionUnit[fraction_bytes(digits)];
  if (!t.date_ok() || !t.time_ok() || micros > 999999) return false;
  out.commit_to(write_fraction(write_datetime(out.room(32), t), micros, digits));
  return true;
}

bool append_timestamp(Bytes bytes, unsigned digits, std::int32_t zone_seconds, TextBuffer& out) {
  if (digits > 6 || bytes.size() != 4 + fraction_bytes(digits)) return false;
  const std::uint64_t micros = big_endian(bytes.subspan(4)) * kFractionUnit[fraction_bytes(digits)];
  return micros <= 999999 &&
         append_seconds(big_endian(bytes.first(4)), micros, digits, zone_seconds, out);
}

bool append_packed_date(std::int64_t packed, TextBuffer& out) {
  if (packed < 0) return false;
  const DateTime t = unpack_date(static_cast<std::uint64_t>(packed) >> 41);
  if (!t.date_ok()) return false;
  out.commit_to(write_date(out.room(10), t));
  return true;
}

bool append_packed_datetime(std::int64_t packed, TextBuffer& out) {
  if (packed < 0) return false;
  const auto u = static_cast<std::uint64_t>(packed);
  const DateTime t = unpack_datetime(u >> 24);
  if (!t.date_ok() || !t.time_ok() || (u & 0xFFFFFF) > 999999) return false;
  out.commit_to(write_fraction(write_datetime(out.room(32), t), u & 0xFFFFFF, 6));
  return true;
}

bool append_packed_time(std::int64_t packed, TextBuffer& out) {
  const std::uint64_t u =
      packed < 0 ? 0 - static_cast<std::uint64_t>(packed) : static_cast<std::uint64_t>(packed);
  const std::uint64_t hms = u >> 24;
  return append_signed_time(packed < 0, hms >> 12, hms >> 6 & 63, hms & 63, u & 0xFFFFFF, 6, out);
}

bool append_inet4(Bytes bytes, TextBuffer& out) {
  std::array<unsigned, 4> b{};
  if (!pad(bytes, b)) return false;
  out.commit_to(write_ipv4(out.room(16), b.data()));
  return true;
}

// MariaDB: plugin/type_inet/sql_type_inet.cc, Inet6::to_string(): the first longest run of zero
// words becomes "::", even a run of one; ::a.b.c.d and ::ffff:a.b.c.d end in IPv4 form.
bool append_inet6(Bytes bytes, TextBuffer& out) {
  std::array<unsigned, 16> b{};
  if (!pad(bytes, b)) return false;
  std::array<unsigned, 8> words{};
  for (std::size_t i = 0; i < 8; ++i) words[i] = b[2 * i] << 8 | b[2 * i + 1];
  std::size_t gap = 8;
  std::size_t length = 0;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && words[end] == 0) ++end;
    if (end - i > length) {
      gap = i;
      length = end - i;
    }
    i = std::max(end, i + 1);
  }
  const bool ipv4 = gap == 0 && (length == 6 || (length == 5 && words[5] == 0xFFFF));
  char* to = out.room(48);
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      if (i == 0) *to++ = ':';
      *to++ = ':';
      i += length - 1;
    } else if (ipv4 && i == 6) {
      to = write_ipv4(to, &b[12]);
      break;
    } else {
      to = std::to_chars(to, to + 4, words[i], 16).ptr;
      if (i != 7) *to++ = ':';
    }
  }
  out.commit_to(to);
  return true;
}

bool append_uuid(Bytes bytes, TextBuffer& out) {
  std::array<unsigned, 16> b{};
  if (!pad(bytes, b)) return false;
  char* to = out.room(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    *to++ = kHex[b[i] >> 4];
    *to++ = kHex[b[i] & 15];
  }
  out.commit_to(to);
  return true;
}

bool append_vector(Bytes bytes, TextBuffer& out) {
  if (bytes.size() % 4 != 0) return false;
  const std::size_t start = out.size();
  out.push_back('[');
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    const auto v =
        std::bit_cast<float>(static_cast<std::uint32_t>(little_endian<4>(bytes.subspan(i, 4))));
    if (!std::isfinite(v)) {
      out.truncate(start);
      return false;
    }
    if (i != 0) out.push_back(',');
    char* to = out.room(32);
    out.commit_to(std::to_chars(to, to + 32, v).ptr);
  }
  out.push_back(']');
  return true;
}

}  // namespace sluice::binlog
