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
constexpr unsigned kMaxScale = 38;  // MariaDB: DECIMAL_MAX_SCALE; MySQL has 30

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
  // mysql-server: strings/dtoa.cc, my_gcvt(): plain digits while the point lies within 15 places or
  // there are digits behind it, else an exponent.
  if (exponent < -15 || (exponent > 14 && static_cast<int>(n) <= exponent + 1)) {
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
  return bytes.size() == 8 && append_shortest(std::bit_cast<double>(little_endian(bytes)), out);
}

bool append_float(Bytes bytes, TextBuffer& out) {
  return bytes.size() == 4 &&
         append_shortest(std::bit_cast<float>(static_cast<std::uint32_t>(little_endian(bytes))),
                         out);
}

bool append_bit(Bytes bytes, TextBuffer& out) {
  if (bytes.empty() || bytes.size() > 8) return false;
  out.append_uint(big_endian(bytes));
  return true;
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
        std::bit_cast<float>(static_cast<std::uint32_t>(little_endian(bytes.subspan(i, 4))));
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
