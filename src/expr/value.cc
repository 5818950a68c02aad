#include "sluice/expr/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace sluice::expr {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// An exact number cut at its point.  No leading zeros before it, no trailing ones behind it.
struct Digits {
  bool negative = false;
  std::string_view whole, fraction;
};

Digits cut(std::string_view text) noexcept {
  Digits out;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  out.whole = text.substr(0, point);
  out.whole.remove_prefix(std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  if (point < text.size()) {
    out.fraction = text.substr(point + 1);
    out.fraction = out.fraction.substr(0, out.fraction.find_last_not_of('0') + 1);
  }
  if (out.whole.empty() && out.fraction.empty()) out.negative = false;
  return out;
}

using NumberText = std::array<char, 20>;

// An integer's magnitude needs a place to stand.
Digits digits_of(const Value& v, NumberText& room) noexcept {
  if (v.kind == Value::Kind::decimal) return cut(v.text);
  const auto end = std::to_chars(room.data(), room.data() + room.size(), v.magnitude).ptr;
  Digits out = cut({room.data(), static_cast<std::size_t>(end - room.data())});
  out.negative = v.negative;
  return out;
}

int sign(bool below, bool above) noexcept {
  return below ? -1 : above ? 1 : 0;
}

template <class T>
int order(T a, T b) noexcept {
  return sign(a < b, b < a);
}

int compare_magnitude(const Digits& a, const Digits& b) noexcept {
  if (a.whole.size() != b.whole.size()) return order(a.whole.size(), b.whole.size());
  if (const int whole = order(a.whole, b.whole); whole != 0) return whole;
  return order(a.fraction, b.fraction);  // without trailing zeros: as text
}

std::optional<Value> read_integer(std::string_view text) noexcept {
  Value out;
  out.kind = Value::Kind::integer;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out.magnitude);
  if (error != std::errc{} || stop != end) return std::nullopt;
  if (out.magnitude == 0) out.negative = false;
  return out;
}

std::optional<Value> read_decimal(std::string_view text) noexcept {
  std::string_view digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const auto points = std::count(digits.begin(), digits.end(), '.');
  if (points > 1 || digits.size() == static_cast<std::size_t>(points) ||
      !std::all_of(digits.begin(), digits.end(), [](char c) { return is_digit(c) || c == '.'; }))
    return std::nullopt;
  Value out = Value::of_text(text);
  out.kind = Value::Kind::decimal;
  return out;
}

std::optional<Value> read_real(std::string_view text) noexcept {
  Value out;
  out.kind = Value::Kind::real;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out.real);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return out;
}

// Reads numbers and what stands between them; latches failure.
class Fields {
 public:
  explicit Fields(std::string_view text) noexcept : left_(text) {}
  bool done() const noexcept { return left_.empty(); }
  bool ok() const noexcept { return ok_; }
  bool took(char c) noexcept {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  void demand(char c) noexcept { ok_ = took(c) && ok_; }
  // `least` to `most` digits; at most `limit`.
  std::int64_t number(std::size_t least, std::size_t most, std::int64_t limit) noexcept {
    std::int64_t out = 0;
    std::size_t n = 0;
    for (; n < most && n < left_.size() && is_digit(left_[n]); ++n)
      out = out * 10 + (left_[n] - '0');
    left_.remove_prefix(n);
    ok_ = ok_ && n >= least && out <= limit;
    return out;
  }
  // What follows a second: nothing, or a point and up to six digits.
  std::int64_t microseconds() noexcept {
    if (!took('.')) return 0;
    std::int64_t out = 0;
    std::size_t n = 0;
    for (; n < left_.size() && is_digit(left_[n]); ++n)
      if (n < 6) out = out * 10 + (left_[n] - '0');
    ok_ = ok_ && n >= 1 && n <= 6;
    left_.remove_prefix(n);
    for (; n < 6; ++n) out *= 10;
    return out;
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

std::optional<Value> moment(const Fields& fields, std::int64_t at) noexcept {
  if (!fields.ok() || !fields.done()) return std::nullopt;
  Value out;
  out.kind = Value::Kind::moment;
  out.moment = at;
  return out;
}

std::int64_t clock(std::int64_t hour, std::int64_t minute, std::int64_t second,
                   std::int64_t micros) noexcept {
  return ((hour * 60 + minute) * 60 + second) * kMicroseconds + micros;
}

// 2024-01-31, 2024-01-31 23:59:59.5.  Zero and partial dates have their place, too.
std::optional<Value> read_datetime(std::string_view text) noexcept {
  Fields f(text);
  const std::int64_t year = f.number(4, 4, 9999);
  f.demand('-');
  const std::int64_t month = f.number(2, 2, 12);
  f.demand('-');
  const std::int64_t day = (year * 13 + month) * 32 + f.number(2, 2, 31);
  std::int64_t hour = 0, minute = 0, second = 0, micros = 0;
  if (!f.done()) {
    f.demand(' ');
    hour = f.number(2, 2, 23);
    f.demand(':');
    minute = f.number(2, 2, 59);
    f.demand(':');
    second = f.number(2, 2, 59);
    micros = f.microseconds();
  }
  return moment(f, clock(day * 24 + hour, minute, second, micros));
}

// -838:59:59.5
std::optional<Value> read_time(std::string_view text) noexcept {
  Fields f(text);
  const bool negative = f.took('-');
  const std::int64_t hour = f.number(2, 3, 838);
  f.demand(':');
  const std::int64_t minute = f.number(2, 2, 59);
  f.demand(':');
  const std::int64_t second = f.number(2, 2, 59);
  const std::int64_t at = clock(hour, minute, second, f.microseconds());
  return moment(f, negative ? -at : at);
}

}  // namespace

Type type_of(DeclaredType type) noexcept {
  switch (type) {
    case DeclaredType::tinyint:
    case DeclaredType::smallint:
    case DeclaredType::mediumint:
    case DeclaredType::int_:
    case DeclaredType::bigint:
    case DeclaredType::bit:
    case DeclaredType::year: return Type::integer;
    case DeclaredType::decimal: return Type::decimal;
    case DeclaredType::float_:
    case DeclaredType::double_: return Type::real;
    case DeclaredType::date: return Type::date;
    case DeclaredType::time: return Type::time;
    case DeclaredType::datetime:
    case DeclaredType::timestamp: return Type::datetime;
    case DeclaredType::char_:
    case DeclaredType::varchar:
    case DeclaredType::tinytext:
    case DeclaredType::text:
    case DeclaredType::mediumtext:
    case DeclaredType::longtext:
    case DeclaredType::enum_:
    case DeclaredType::set:
    case DeclaredType::inet4:
    case DeclaredType::inet6:
    case DeclaredType::uuid: return Type::text;
    case DeclaredType::binary:
    case DeclaredType::varbinary:
    case DeclaredType::tinyblob:
    case DeclaredType::blob:
    case DeclaredType::mediumblob:
    case DeclaredType::longblob: return Type::bytes;
    case DeclaredType::json:
    case DeclaredType::geometry:
    case DeclaredType::vector:
    case DeclaredType::unknown: break;
  }
  return Type::opaque;
}

std::string_view type_name(Type type) noexcept {
  switch (type) {
    case Type::integer: return "a whole number";
    case Type::decimal:
    case Type::real: return "a number";
    case Type::text: return "text";
    case Type::bytes: return "bytes";
    case Type::date: return "a date";
    case Type::datetime: return "a date with a time";
    case Type::time: return "a time";
    case Type::opaque: break;
  }
  return "of a type that can only be asked for null";
}

std::optional<Value> read_value(Type type, std::string_view text) noexcept {
  switch (type) {
    case Type::integer: return read_integer(text);
    case Type::decimal: return read_decimal(text);
    case Type::real: return read_real(text);
    case Type::text:
    case Type::bytes: return Value::of_text(text);
    case Type::date:
    case Type::datetime: return read_datetime(text);
    case Type::time: return read_time(text);
    case Type::opaque: break;
  }
  return Value::opaque();
}

int compare_exact(const Value& a, const Value& b) noexcept {
  if (a.kind == Value::Kind::integer && b.kind == Value::Kind::integer) {
    if (a.negative != b.negative) return a.negative ? -1 : 1;
    const int magnitude = order(a.magnitude, b.magnitude);
    return a.negative ? -magnitude : magnitude;
  }
  NumberText room_a{}, room_b{};
  const Digits x = digits_of(a, room_a), y = digits_of(b, room_b);
  if (x.negative != y.negative) return x.negative ? -1 : 1;
  const int magnitude = compare_magnitude(x, y);
  return x.negative ? -magnitude : magnitude;
}

double to_double(const Value& number) noexcept {
  switch (number.kind) {
    case Value::Kind::real: return number.real;
    case Value::Kind::integer: {
      const auto magnitude = static_cast<double>(number.magnitude);
      return number.negative ? -magnitude : magnitude;
    }
    case Value::Kind::decimal:
      if (const auto value = read_real(number.text)) return value->real;
      break;
    default: break;
  }
  return 0;
}

}  // namespace sluice::expr
