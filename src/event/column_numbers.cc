// Columns of numbers, dates and times.
#include <type_traits>

#include "sluice/binlog/value_text.h"

#include "event/column_kinds.h"

namespace sluice::event {
namespace {

using binlog::ColumnType;

template <std::size_t N, bool kUnsigned>
Rendered integer(const ColumnPlan&, Bytes b, TextBuffer& out) {
  if (b.size() != N) return Rendered::bad_value;
  const std::uint64_t v = ByteReader(b).le<N>();
  if constexpr (kUnsigned) {
    out.append_uint(v);
  } else {
    constexpr unsigned kUnused = 64 - 8 * N;  // sign extension
    out.append_int(static_cast<std::int64_t>(v << kUnused) >> kUnused);
  }
  return Rendered::ok;
}
template <std::size_t N>
void set_integer(ColumnPlan& plan, bool is_unsigned) {
  set_renderer(plan, is_unsigned ? integer<N, true> : integer<N, false>);
}

Rendered decimal(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return rendered(binlog::append_decimal(b, c.length, c.scale, out));
}
template <bool (*kAppend)(Bytes, unsigned, TextBuffer&)>
Rendered with_digits(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return rendered(kAppend(b, c.length, out));
}
template <bool (*kAppend)(Bytes, unsigned, std::int32_t, TextBuffer&)>
Rendered in_zone(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return rendered(kAppend(b, c.length, c.zone_seconds, out));
}

// `map.length`: fractional digits.
Status plan_temporal(ColumnPlan& plan, const binlog::MapColumn& map, RenderFn render) {
  if (map.length > 6) return fatal(Errc::binlog_malformed, "more than 6 fractional digits");
  plan.length = map.length;
  set_renderer(plan, render);
  return {};
}

Status plan_decimal(ColumnPlan& plan, const binlog::MapColumn& map) {
  if (binlog::packed_decimal_size(map.length, map.scale) == 0)
    return fatal(Errc::binlog_malformed, "there is no DECIMAL(" + std::to_string(map.length) + "," +
                                             std::to_string(map.scale) + ")");
  plan.length = map.length;
  plan.scale = map.scale;
  set_renderer(plan, decimal);
  return {};
}

}  // namespace

Result<bool> plan_number(ColumnPlan& plan, const binlog::MapColumn& map,
                         const ColumnSchema& schema) {
  Status planned;
  switch (map.type) {
    case ColumnType::tiny: set_integer<1>(plan, schema.is_unsigned); break;
    case ColumnType::short_: set_integer<2>(plan, schema.is_unsigned); break;
    case ColumnType::int24: set_integer<3>(plan, schema.is_unsigned); break;
    case ColumnType::long_: set_integer<4>(plan, schema.is_unsigned); break;
    case ColumnType::longlong: set_integer<8>(plan, schema.is_unsigned); break;
    case ColumnType::float_: set_renderer(plan, plain_value<binlog::append_float>); break;
    case ColumnType::double_: set_renderer(plan, plain_value<binlog::append_double>); break;
    case ColumnType::bit: set_renderer(plan, plain_value<binlog::append_bit>); break;
    case ColumnType::date:
    case ColumnType::newdate: set_renderer(plan, plain_value<binlog::append_date>); break;
    case ColumnType::year: set_renderer(plan, plain_value<binlog::append_year>); break;
    case ColumnType::newdecimal: planned = plan_decimal(plan, map); break;
    case ColumnType::time:
      planned = plan_temporal(plan, map, with_digits<binlog::append_old_time>);
      break;
    case ColumnType::datetime:
      planned = plan_temporal(plan, map, with_digits<binlog::append_old_datetime>);
      break;
    case ColumnType::timestamp:
      planned = plan_temporal(plan, map, in_zone<binlog::append_old_timestamp>);
      break;
    case ColumnType::time2:
      planned = plan_temporal(plan, map, with_digits<binlog::append_time>);
      break;
    case ColumnType::datetime2:
      planned = plan_temporal(plan, map, with_digits<binlog::append_datetime>);
      break;
    case ColumnType::timestamp2:
      planned = plan_temporal(plan, map, in_zone<binlog::append_timestamp>);
      break;
    default: return false;
  }
  if (!planned.ok()) return std::move(planned).error();
  return true;
}

}  // namespace sluice::event
