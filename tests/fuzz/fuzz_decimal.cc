// Any bytes as a DECIMAL of any precision and scale, and as every other packed value: refused, or
// text in its form.  Input: two bytes (precision or digits, scale), then the value.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "sluice/binlog/value.h"
#include "sluice/binlog/value_text.h"

#include "fuzz/require.h"

namespace {

using namespace sluice;
using fuzz::require;

bool digits(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void check_decimal(std::string_view text, unsigned precision, unsigned scale) {
  require(text.find_first_of("123456789") != std::string_view::npos || text[0] != '-');
  if (text[0] == '-') text.remove_prefix(1);
  if (scale != 0) {
    require(text.size() > scale + 1 && text[text.size() - scale - 1] == '.');
    require(digits(text.substr(text.size() - scale)));
    text.remove_suffix(scale + 1);
  }
  require(digits(text) && !text.empty());
  require(text == "0" || (text[0] != '0' && text.size() <= precision - scale));
}

// Every function of value_text.h; the decoder without text must take what they take.
void check_others(Bytes bytes, unsigned n) {
  using binlog::ColumnType;
  const auto run = [&](ColumnType type, auto append) {
    TextBuffer out;
    out.append("before");
    binlog::MapColumn column;
    column.type = type;
    column.length = n;
    const bool ok = append(out);
    require(ok || out.view() == "before");
    require(out.size() <= 64 + bytes.size() * 32);
    if (ok) require(binlog::decode_value(column, bytes).kind != binlog::ValueKind::invalid);
  };
  run(ColumnType::time2, [&](TextBuffer& o) { return binlog::append_time(bytes, n, o); });
  run(ColumnType::datetime2, [&](TextBuffer& o) { return binlog::append_datetime(bytes, n, o); });
  run(ColumnType::timestamp2,
      [&](TextBuffer& o) { return binlog::append_timestamp(bytes, n, -86399, o); });
  run(ColumnType::time, [&](TextBuffer& o) { return binlog::append_old_time(bytes, n, o); });
  run(ColumnType::datetime,
      [&](TextBuffer& o) { return binlog::append_old_datetime(bytes, n, o); });
  run(ColumnType::timestamp,
      [&](TextBuffer& o) { return binlog::append_old_timestamp(bytes, n, 86399, o); });
  run(ColumnType::date, [&](TextBuffer& o) { return binlog::append_date(bytes, o); });
  run(ColumnType::year, [&](TextBuffer& o) { return binlog::append_year(bytes, o); });
  run(ColumnType::bit, [&](TextBuffer& o) { return binlog::append_bit(bytes, o); });
  run(ColumnType::float_, [&](TextBuffer& o) { return binlog::append_float(bytes, o); });
  run(ColumnType::double_, [&](TextBuffer& o) { return binlog::append_double(bytes, o); });
  run(ColumnType::vector, [&](TextBuffer& o) { return binlog::append_vector(bytes, o); });
  run(ColumnType::string, [&](TextBuffer& o) { return binlog::append_inet4(bytes, o); });
  run(ColumnType::string, [&](TextBuffer& o) { return binlog::append_inet6(bytes, o); });
  run(ColumnType::string, [&](TextBuffer& o) { return binlog::append_uuid(bytes, o); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in(std::as_bytes(std::span(data, size)));
  const unsigned precision = in.u8();
  const unsigned scale = in.u8();
  if (!in.ok()) return 0;
  const Bytes bytes = in.rest();
  TextBuffer text;
  if (binlog::append_decimal(bytes, precision, scale, text))
    check_decimal(text.view(), precision, scale);
  else
    require(text.empty());
  check_others(bytes, precision);
  return 0;
}
