#include "event/column_plan.h"

#include <algorithm>

#include "sluice/binlog/value_text.h"

#include "event/base64.h"
#include "event/json_binary.h"
#include "event/json_escape.h"

namespace sluice::event {
namespace {

using binlog::ColumnType;

constexpr Rendered result(bool ok) noexcept {
  return ok ? Rendered::ok : Rendered::bad_value;
}

// Values whose text needs no escaping are the same in both forms.

template <std::size_t N, bool kUnsigned>
Rendered integer(const ColumnPlan&, Bytes b, TextBuffer& out) {
  if (b.size() != N) return Rendered::bad_value;
  std::uint64_t v = ByteReader(b).le<N>();
  if constexpr (kUnsigned) {
    out.append_uint(v);
  } else {
    constexpr unsigned kUnused = 64 - 8 * N;  // sign extension
    out.append_int(static_cast<std::int64_t>(v << kUnused) >> kUnused);
  }
  return Rendered::ok;
}

Rendered decimal(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return result(binlog::append_decimal(b, c.length, c.scale, out));
}
Rendered single_precision(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_float(b, out));
}
Rendered double_precision(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_double(b, out));
}
Rendered bit(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_bit(b, out));
}
Rendered date(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_date(b, out));
}
Rendered year(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_year(b, out));
}
Rendered old_time(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_old_time(b, out));
}
Rendered old_datetime(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_old_datetime(b, out));
}
Rendered old_timestamp(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return result(binlog::append_old_timestamp(b, c.zone_seconds, out));
}
Rendered time(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return result(binlog::append_time(b, c.length, out));
}
Rendered datetime(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return result(binlog::append_datetime(b, c.length, out));
}
Rendered timestamp(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return result(binlog::append_timestamp(b, c.length, c.zone_seconds, out));
}
Rendered inet4(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_inet4(b, out));
}
Rendered inet6(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_inet6(b, out));
}
Rendered uuid(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_uuid(b, out));
}
Rendered vector(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return result(binlog::append_vector(b, out));
}

// Character sets that are UTF-8 already.
Rendered utf8_raw(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  const std::size_t start = out.size();
  if (c.charset->to_utf8(as_chars(b), out)) return Rendered::ok;
  if (c.replace_bad_text) return Rendered::replaced;
  out.truncate(start);
  return Rendered::bad_text;
}

// The detour for every other character set, and for bad bytes.
Rendered converted_json(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  thread_local TextBuffer text;
  text.clear();
  const bool ok = c.charset->to_utf8(as_chars(b), text);
  if (!ok && !c.replace_bad_text) return Rendered::bad_text;
  append_json_text(out, text.view());
  return ok ? Rendered::ok : Rendered::replaced;
}

Rendered utf8_json(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return append_json_utf8(out, as_chars(b)) ? Rendered::ok : converted_json(c, b, out);
}
Rendered ascii_json(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  return append_json_ascii(out, as_chars(b)) ? Rendered::ok : converted_json(c, b, out);
}

// Bytes.
Rendered binary_raw(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (c.length != 0 && b.size() > c.length) return Rendered::bad_value;
  append_latin1_as_utf8(as_chars(b), out);
  if (c.length > b.size()) out.append(std::string(c.length - b.size(), '\0'));
  return Rendered::ok;
}
Rendered binary_json(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (c.length != 0 && b.size() > c.length) return Rendered::bad_value;
  append_json_latin1(out, as_chars(b));
  constexpr std::string_view kZero = "\\u0000";
  for (std::size_t i = b.size(); i < c.length; ++i) out.append(kZero);
  return Rendered::ok;
}
Rendered binary_base64(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (c.length != 0 && b.size() > c.length) return Rendered::bad_value;
  if (c.length <= b.size()) {
    append_base64(out, as_chars(b));
  } else {
    std::string padded(as_chars(b));
    padded.resize(c.length, '\0');
    append_base64(out, padded);
  }
  return Rendered::ok;
}

// ENUM and SET: little-endian of the size the map tells.
std::uint64_t little_endian(Bytes b) noexcept {
  std::uint64_t v = 0;
  for (std::size_t i = b.size(); i-- > 0;) v = v << 8 | std::to_integer<unsigned>(b[i]);
  return v;
}
template <std::vector<std::string> ColumnPlan::*kLabels>
Rendered enum_label(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (b.empty() || b.size() > 2) return Rendered::bad_value;
  const std::uint64_t index = little_endian(b);
  const auto& labels = c.*kLabels;
  if (index > labels.size()) return Rendered::bad_value;
  if (index != 0) out.append(labels[index - 1]);
  return Rendered::ok;
}
template <std::vector<std::string> ColumnPlan::*kLabels>
Rendered set_labels(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (b.empty() || b.size() > 8) return Rendered::bad_value;
  const std::uint64_t bits = little_endian(b);
  const auto& labels = c.*kLabels;
  if (labels.size() < 64 && bits >> labels.size() != 0) return Rendered::bad_value;
  bool first = true;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if ((bits >> i & 1) == 0) continue;
    if (!first) out.push_back(',');
    out.append(labels[i]);
    first = false;
  }
  return Rendered::ok;
}

Rendered document_raw(const ColumnPlan&, Bytes b, TextBuffer& out) {
  const std::size_t start = out.size();
  if (!append_json_document(b, out)) return Rendered::bad_value;
  return is_utf8(out.view().substr(start)) ? Rendered::ok : Rendered::bad_text;
}
Rendered document_json(const ColumnPlan&, Bytes b, TextBuffer& out) {
  thread_local TextBuffer text;
  text.clear();
  if (!append_json_document(b, text)) return Rendered::bad_value;
  return append_json_utf8(out, text.view()) ? Rendered::ok : Rendered::bad_text;
}

void set(ColumnPlan& plan, RenderFn json, RenderFn raw) {
  plan.json = json;
  plan.raw = raw;
}
void set(ColumnPlan& plan, RenderFn both) {
  set(plan, both, both);
}

template <std::size_t N>
void set_integer(ColumnPlan& plan, bool is_unsigned) {
  set(plan, is_unsigned ? integer<N, true> : integer<N, false>);
}

// `fixed`: BINARY(n), whose trailing zero bytes the binlog leaves out; 0 for the others.
void set_binary(ColumnPlan& plan, const RenderOptions& options, std::uint32_t fixed) {
  plan.length = fixed;
  set(plan, options.binary_base64 ? binary_base64 : binary_json, binary_raw);
}

Error unsupported(std::string what) {
  return fatal(Errc::binlog_unsupported, std::move(what));
}

// CHAR, VARCHAR, TEXT, their binary kin, and what MariaDB stores like them.
Status plan_string(ColumnPlan& plan, const binlog::MapColumn& map, bool map_has_charsets,
                   const ColumnSchema& schema, const RenderOptions& options) {
  switch (schema.type) {
    case DeclaredType::inet4: set(plan, inet4); return {};
    case DeclaredType::inet6: set(plan, inet6); return {};
    case DeclaredType::uuid: set(plan, uuid); return {};
    case DeclaredType::vector: set(plan, vector); return {};
    default: break;
  }
  const std::uint32_t fixed = map.type == ColumnType::string ? map.length : 0;
  if (is_binary(schema.type)) {
    set_binary(plan, options, fixed);
    return {};
  }
  const Charset* charset = nullptr;
  if (!schema.charset.empty()) {
    charset = Charset::by_name(schema.charset);
    if (charset == nullptr) return unsupported("character set " + schema.charset + " is not known");
  } else if (map_has_charsets && map.collation != 0) {
    charset = Charset::by_collation(map.collation);
    if (charset == nullptr)
      return unsupported("collation " + std::to_string(map.collation) + " is not known");
  } else {
    return fatal(Errc::schema_mismatch,
                 "the character set is not known: neither the binlog nor the schema tells it "
                 "(set binlog_row_metadata=FULL)");
  }
  if (charset->kind() == CharsetKind::binary) {
    set_binary(plan, options, fixed);
    return {};
  }
  SLUICE_TRY(charset->prepare());
  plan.charset = charset;
  if (charset->kind() != CharsetKind::utf8) {
    set(plan, converted_json, utf8_raw);
  } else {
    set(plan, charset->ascii_only() ? ascii_json : utf8_json, utf8_raw);
  }
  return {};
}

Status plan_labels(ColumnPlan& plan, const ColumnSchema& schema) {
  if (schema.labels.empty())
    return fatal(Errc::schema_mismatch, "the labels of this " + schema.mysql_type +
                                            " column are not known (set binlog_row_metadata=FULL)");
  for (const std::string& label : schema.labels) {
    TextBuffer escaped;
    if (!append_json_utf8(escaped, label))
      return fatal(Errc::schema_mismatch, "a label is not valid UTF-8");
    plan.labels.push_back(label);
    plan.json_labels.emplace_back(escaped.view());
  }
  return {};
}

Status choose(ColumnPlan& plan, const binlog::MapColumn& map, bool map_has_charsets,
              const ColumnSchema& schema, const RenderOptions& options) {
  switch (map.type) {
    case ColumnType::tiny: set_integer<1>(plan, schema.is_unsigned); return {};
    case ColumnType::short_: set_integer<2>(plan, schema.is_unsigned); return {};
    case ColumnType::int24: set_integer<3>(plan, schema.is_unsigned); return {};
    case ColumnType::long_: set_integer<4>(plan, schema.is_unsigned); return {};
    case ColumnType::longlong: set_integer<8>(plan, schema.is_unsigned); return {};
    case ColumnType::float_: set(plan, single_precision); return {};
    case ColumnType::double_: set(plan, double_precision); return {};
    case ColumnType::newdecimal:
      plan.length = map.length;
      plan.scale = map.scale;
      if (binlog::packed_decimal_size(map.length, map.scale) == 0)
        return fatal(Errc::binlog_malformed, "there is no DECIMAL(" + std::to_string(map.length) +
                                                 "," + std::to_string(map.scale) + ")");
      set(plan, decimal);
      return {};
    case ColumnType::bit: set(plan, bit); return {};
    case ColumnType::date:
    case ColumnType::newdate: set(plan, date); return {};
    case ColumnType::year: set(plan, year); return {};
    case ColumnType::time:
    case ColumnType::datetime:
    case ColumnType::timestamp:
      // Their length is nowhere in the binlog; MariaDB writes them with
      // mysql56_temporal_format=OFF.
      if (schema.scale != 0)
        return unsupported(
            "fractional seconds in MariaDB's old temporal format: rebuild the table with "
            "mysql56_temporal_format=ON (ALTER TABLE ... FORCE)");
      set(plan, map.type == ColumnType::time       ? old_time
                : map.type == ColumnType::datetime ? old_datetime
                                                   : old_timestamp);
      return {};
    case ColumnType::time2:
    case ColumnType::datetime2:
    case ColumnType::timestamp2:
      if (map.length > 6) return fatal(Errc::binlog_malformed, "more than 6 fractional digits");
      plan.length = map.length;
      set(plan, map.type == ColumnType::time2       ? time
                : map.type == ColumnType::datetime2 ? datetime
                                                    : timestamp);
      return {};
    case ColumnType::enum_:
      set(plan, enum_label<&ColumnPlan::json_labels>, enum_label<&ColumnPlan::labels>);
      return plan_labels(plan, schema);
    case ColumnType::set:
      set(plan, set_labels<&ColumnPlan::json_labels>, set_labels<&ColumnPlan::labels>);
      return plan_labels(plan, schema);
    case ColumnType::json: set(plan, document_json, document_raw); return {};
    case ColumnType::vector: set(plan, vector); return {};
    case ColumnType::geometry: set_binary(plan, options, 0); return {};
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::string:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob: return plan_string(plan, map, map_has_charsets, schema, options);
    case ColumnType::blob_compressed:
    case ColumnType::varchar_compressed:
      return unsupported(
          "MariaDB COMPRESSED column: ALTER TABLE ... MODIFY it without COMPRESSED, or exclude the "
          "table");
    default:
      return unsupported("column type " + std::string(binlog::column_type_name(map.type)) +
                         " cannot be read");
  }
}

}  // namespace

Result<ColumnPlan> plan_column(const binlog::MapColumn& map, bool map_has_charsets,
                               const ColumnSchema& schema, const RenderOptions& options, bool key) {
  ColumnPlan plan;
  plan.zone_seconds = options.time_zone_seconds;
  plan.replace_bad_text = options.invalid_text == InvalidText::replace && !key;
  TextBuffer prefix;
  prefix.append(",\"");
  if (!append_json_utf8(prefix, schema.name))
    return fatal(Errc::schema_mismatch, "the column's name is not valid UTF-8");
  prefix.append("\":\"");
  plan.prefix = prefix.view();
  SLUICE_TRY(choose(plan, map, map_has_charsets, schema, options));
  return plan;
}

Error render_error(Rendered what, const TableSchema& table, std::size_t column) {
  const ColumnSchema& c = table.columns[column];
  const std::string where = table.database + "." + table.name + "." + c.name;
  if (what == Rendered::bad_text)
    return fatal(
        Errc::binlog_malformed,
        where + ": text that is not valid " + (c.charset.empty() ? "UTF-8" : c.charset) +
            " (mend it in the table, or set invalid_text: replace for columns that are no key)");
  return fatal(Errc::binlog_malformed, where + ": bytes that are no value of type " +
                                           (c.mysql_type.empty() ? "this" : c.mysql_type));
}

}  // namespace sluice::event
