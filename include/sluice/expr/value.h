#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sluice/model/table_schema.h"

namespace sluice::expr {

// What a condition may do with a column.
enum class Type : std::uint8_t {
  integer,   // all integers, YEAR, BIT
  decimal,   // DECIMAL
  real,      // FLOAT, DOUBLE
  text,      // CHAR, VARCHAR, TEXT, ENUM, SET, UUID, INET4, INET6
  bytes,     // BINARY, VARBINARY, BLOB
  date,      // DATE
  datetime,  // DATETIME, TIMESTAMP
  time,      // TIME
  opaque,    // JSON, GEOMETRY, VECTOR: can only be NULL or not
};
// "a whole number", "text": for messages.
std::string_view type_name(Type type) noexcept;
// What may be done with a column of this type.
Type type_of(DeclaredType type) noexcept;

// One value of one row, or a literal.  A view: text stays with whoever made it.
struct Value {
  enum class Kind : std::uint8_t {
    null,
    integer,  // negative ? -magnitude : magnitude; 64 bits signed or unsigned, without loss
    decimal,  // text: digits as `-12.340`
    real,
    text,    // text: UTF-8, or bytes
    moment,  // moment: dates and times of a kind in their order
    opaque,  // not NULL, and no more is known
  };
  Kind kind = Kind::null;
  bool negative = false;
  std::uint64_t magnitude = 0;
  std::int64_t moment = 0;
  double real = 0;
  std::string_view text;

  static Value of_signed(std::int64_t v) noexcept {
    Value out;
    out.kind = Kind::integer;
    out.negative = v < 0;
    out.magnitude = v < 0 ? ~static_cast<std::uint64_t>(v) + 1 : static_cast<std::uint64_t>(v);
    return out;
  }
  static Value of_unsigned(std::uint64_t v) noexcept {
    Value out;
    out.kind = Kind::integer;
    out.magnitude = v;
    return out;
  }
  static Value of_text(std::string_view text) noexcept {
    Value out;
    out.kind = Kind::text;
    out.text = text;
    return out;
  }
  static Value opaque() noexcept {
    Value out;
    out.kind = Kind::opaque;
    return out;
  }
};

// The value that a message's text stands for: a column's text as docs/format.md defines it; of
// Type::bytes the bytes themselves.  Nothing when it cannot be of that type.  Views into `text`.
std::optional<Value> read_value(Type type, std::string_view text) noexcept;

// Both exact: integer or decimal.  Below 0, 0, above 0, as memcmp.
int compare_exact(const Value& a, const Value& b) noexcept;
// A number of any kind as the nearest double.
double to_double(const Value& number) noexcept;

}  // namespace sluice::expr
