// Columns of text and of bytes.
#include <algorithm>

#include "sluice/base/base64.h"
#include "sluice/base/json_text.h"
#include "sluice/binlog/inflate.h"
#include "sluice/binlog/value_text.h"

#include "event/column_kinds.h"

namespace sluice::event {
namespace {

using binlog::ColumnType;

constexpr std::string_view kZeros("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);

// Character sets that are UTF-8 already need no detour.
Rendered text_raw(const ColumnPlan& c, Bytes b, TextBuffer& out) {
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

// Nobody told whether it is text, and in which character set.
Rendered guessed_raw(const ColumnPlan&, Bytes b, TextBuffer& out) {
  if (is_utf8(as_chars(b)))
    out.append(as_chars(b));
  else
    append_latin1_as_utf8(as_chars(b), out);
  return Rendered::ok;
}
Rendered guessed_json(const ColumnPlan&, Bytes b, TextBuffer& out) {
  if (!append_json_utf8(out, as_chars(b))) append_json_latin1(out, as_chars(b));
  return Rendered::ok;
}

// Bytes.
Rendered binary_raw(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (c.length != 0 && b.size() > c.length) return Rendered::bad_value;
  append_latin1_as_utf8(as_chars(b), out);
  for (std::size_t n = b.size(); n < c.length; n += kZeros.size())
    out.append(kZeros.substr(0, c.length - n));
  return Rendered::ok;
}
Rendered binary_json(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (c.length != 0 && b.size() > c.length) return Rendered::bad_value;
  append_json_latin1(out, as_chars(b));
  for (std::size_t n = b.size(); n < c.length; n += kZeros.size())
    append_json_latin1(out, kZeros.substr(0, c.length - n));
  return Rendered::ok;
}
Rendered binary_base64(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (c.length != 0 && b.size() > c.length) return Rendered::bad_value;
  if (c.length <= b.size()) {
    append_base64(out, as_chars(b));
  } else {
    thread_local TextBuffer padded;
    padded.clear();
    padded.append(as_chars(b));
    while (padded.size() < c.length) padded.append(kZeros.substr(0, c.length - padded.size()));
    append_base64(out, padded.view());
  }
  return Rendered::ok;
}

// MariaDB COMPRESSED columns (MariaDB: sql/field_comp.h and field_comp.cc): one byte that says how,
// a length of so many bytes, big-endian, and a stream; no bytes at all for an empty value.
constexpr unsigned kPlain = 0;
constexpr unsigned kZlib = 8;
constexpr unsigned kRawStream = 0x08;  // no zlib header
constexpr unsigned kLengthBytes = 0x07;
constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

// `value`: what `b` holds, as a view into it or into `plain`.
bool inflate_value(Bytes b, TextBuffer& plain, Bytes& value) {
  value = {};
  if (b.empty()) return true;
  const auto head = std::to_integer<unsigned>(b[0]);
  ByteReader in(b.subspan(1));
  if (head >> 4 == kPlain) {
    value = in.rest();
    return true;
  }
  if (head >> 4 != kZlib || (head & kLengthBytes) > 4) return false;
  const std::uint64_t size = big_endian(in.take(head & kLengthBytes));
  const auto format =
      (head & kRawStream) != 0 ? binlog::InflateFormat::raw : binlog::InflateFormat::zlib;
  if (!in.ok() || !binlog::inflate(in.rest(), format, static_cast<std::size_t>(size), plain))
    return false;
  value = as_bytes(plain.view());
  return true;
}

template <RenderFn ColumnPlan::*kRender>
Rendered compressed(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  thread_local TextBuffer plain;
  plain.clear();
  Bytes value;
  const Rendered r =
      inflate_value(b, plain, value) ? (c.*kRender)(c, value, out) : Rendered::bad_value;
  if (plain.capacity() > kKeptBytes) plain.release();
  return r;
}

// The character set that the schema tells, else the map; null when neither does.
Result<const Charset*> charset_of(const binlog::MapColumn& map, bool map_has_charsets,
                                  const ColumnSchema& schema) {
  if (!schema.charset.empty()) {
    if (const Charset* c = Charset::by_name(schema.charset)) return c;
    return fatal(Errc::binlog_unsupported, "character set " + schema.charset + " is not known");
  }
  if (!map_has_charsets || map.collation == 0) return static_cast<const Charset*>(nullptr);
  const Charset* c = Charset::by_collation(map.collation);
  if (c != nullptr || schema.type == DeclaredType::unknown) return c;
  return fatal(Errc::binlog_unsupported,
               "collation " + std::to_string(map.collation) + " is not known");
}

Status plan_plain(ColumnPlan& plan, const binlog::MapColumn& map, bool map_has_charsets,
                  const ColumnSchema& schema, const RenderOptions& options) {
  switch (schema.type) {
    case DeclaredType::inet4: set_renderer(plan, plain_value<binlog::append_inet4>); return {};
    case DeclaredType::inet6: set_renderer(plan, plain_value<binlog::append_inet6>); return {};
    case DeclaredType::uuid: set_renderer(plan, plain_value<binlog::append_uuid>); return {};
    case DeclaredType::vector: set_renderer(plan, plain_value<binlog::append_vector>); return {};
    default: break;
  }
  const std::uint32_t fixed = map.type == ColumnType::string ? map.length : 0;
  if (is_binary(schema.type)) {
    plan_binary(plan, options, fixed);
    return {};
  }
  SLUICE_TRY_ASSIGN(plan.charset, charset_of(map, map_has_charsets, schema));
  if (plan.charset == nullptr) {
    if (schema.type != DeclaredType::unknown)
      return fatal(Errc::schema_mismatch,
                   "the character set is not known: neither the binlog nor the schema tells it "
                   "(set binlog_row_metadata=FULL)");
    set_renderers(plan, guessed_json, guessed_raw);
    return {};
  }
  if (plan.charset->kind() == CharsetKind::binary) {
    plan_binary(plan, options, fixed);
    return {};
  }
  SLUICE_TRY(plan.charset->prepare());
  const bool utf8 = plan.charset->kind() == CharsetKind::utf8;
  set_renderers(plan,
                !utf8                        ? converted_json
                : plan.charset->ascii_only() ? ascii_json
                                             : utf8_json,
                text_raw);
  return {};
}

}  // namespace

void plan_binary(ColumnPlan& plan, const RenderOptions& options, std::uint32_t fixed) {
  plan.length = fixed;
  set_renderers(plan, options.binary_base64 ? binary_base64 : binary_json, binary_raw);
}

Status plan_string(ColumnPlan& plan, const binlog::MapColumn& map, bool map_has_charsets,
                   const ColumnSchema& schema, const RenderOptions& options) {
  SLUICE_TRY(plan_plain(plan, map, map_has_charsets, schema, options));
  if (map.type == ColumnType::blob_compressed || map.type == ColumnType::varchar_compressed) {
    plan.plain_json = plan.json;
    plan.plain_raw = plan.raw;
    set_renderers(plan, compressed<&ColumnPlan::plain_json>, compressed<&ColumnPlan::plain_raw>);
  }
  return {};
}

namespace {

template <bool kBinary>
Rendered hashed_json(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  const std::size_t start = out.size();
  const Rendered r = c.raw(c, b, out);
  if (r != Rendered::ok && r != Rendered::replaced) return r;
  if constexpr (kBinary) latin1_to_bytes(out, start);
  const auto hex = Sha256(*c.hashed).update(out.view().substr(start)).hex();
  out.truncate(start);
  out.append({hex.data(), hex.size()});
  return r;
}

}  // namespace

void mask_with_hash(ColumnPlan& plan, const Sha256& salted, bool binary) {
  plan.hashed = salted;
  plan.json = binary ? hashed_json<true> : hashed_json<false>;
}

}  // namespace sluice::event
