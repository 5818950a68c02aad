#include "event/json_binary.h"

#include <cstdint>

#include "sluice/binlog/table_map.h"
#include "sluice/binlog/value_text.h"

#include "event/base64.h"
#include "event/json_escape.h"

namespace sluice::event {
namespace {

using binlog::ColumnType;

enum Type : std::uint8_t {
  small_object = 0,
  large_object = 1,
  small_array = 2,
  large_array = 3,
  literal = 4,
  int16 = 5,
  uint16 = 6,
  int32 = 7,
  uint32 = 8,
  int64 = 9,
  uint64 = 10,
  real = 11,
  string = 12,
  opaque = 15,
};

constexpr int kMaxDepth = 100;  // the server's own limit
constexpr std::size_t kBase64Line =
    76;  // characters after which the server's base64 breaks the line

class Printer {
 public:
  Printer(std::size_t document_size, TextBuffer& out) : out_(out), budget_(document_size) {}

  // `data`: from the value's first byte (after its type byte) to the end of what encloses it.
  bool value(std::uint8_t type, Bytes data, int depth) {
    ByteReader in(data);
    switch (type) {
      case small_object: return container(data, true, 2, depth);
      case large_object: return container(data, true, 4, depth);
      case small_array: return container(data, false, 2, depth);
      case large_array: return container(data, false, 4, depth);
      case literal: return print_literal(in);
      case int16: return print_int(in, static_cast<std::int16_t>(in.u16()));
      case int32: return print_int(in, static_cast<std::int32_t>(in.u32()));
      case int64: return print_int(in, static_cast<std::int64_t>(in.u64()));
      case uint16: return print_uint(in, in.u16());
      case uint32: return print_uint(in, in.u32());
      case uint64: return print_uint(in, in.u64());
      case real: return print_double(in);
      case string: return print_string(in);
      case opaque: return print_opaque(in);
      default: return false;
    }
  }

 private:
  // No two values share bytes in a document the server wrote; a made-up one whose offsets all point
  // at one place would otherwise print more than memory holds.
  bool spend(std::size_t bytes) noexcept {
    if (bytes > budget_) return false;
    budget_ -= bytes;
    return true;
  }

  static std::uint64_t offset(ByteReader& in, std::size_t size) noexcept {
    return size == 2 ? in.u16() : in.u32();
  }
  static bool is_inline(std::uint8_t type, std::size_t offset_size) noexcept {
    return type == literal || type == int16 || type == uint16 ||
           (offset_size == 4 && (type == int32 || type == uint32));
  }

  bool container(Bytes data, bool object, std::size_t offset_size, int depth) {
    if (depth >= kMaxDepth) return false;
    ByteReader head(data);
    const std::uint64_t count = offset(head, offset_size);
    const std::uint64_t size = offset(head, offset_size);
    if (!head.ok() || size > data.size()) return false;
    data = data.first(static_cast<std::size_t>(size));
    const std::size_t key_entry = object ? offset_size + 2 : 0;
    const std::size_t value_entry = 1 + offset_size;
    if (2 * offset_size + count * (key_entry + value_entry) > size) return false;
    ByteReader keys(data.subspan(2 * offset_size, static_cast<std::size_t>(count) * key_entry));
    ByteReader values(data.subspan(2 * offset_size + static_cast<std::size_t>(count) * key_entry));
    out_.push_back(object ? '{' : '[');
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i != 0) out_.append(", ");
      if (object) {
        const std::uint64_t at = offset(keys, offset_size);
        const std::uint16_t length = keys.u16();
        if (at > size || length > size - at || !spend(length)) return false;
        quoted(as_chars(data.subspan(static_cast<std::size_t>(at), length)));
        out_.append(": ");
      }
      const std::uint8_t type = values.u8();
      const Bytes inlined = values.take(offset_size);
      if (!values.ok() || !spend(1)) return false;
      if (is_inline(type, offset_size)) {
        if (!value(type, inlined, depth + 1)) return false;
        continue;
      }
      ByteReader where(inlined);
      const std::uint64_t at = offset(where, offset_size);
      if (at > size || !value(type, data.subspan(static_cast<std::size_t>(at)), depth + 1))
        return false;
    }
    out_.push_back(object ? '}' : ']');
    return true;
  }

  bool print_literal(ByteReader& in) {
    const std::uint8_t which = in.u8();
    if (!in.ok() || which > 2) return false;
    out_.append(which == 0 ? "null" : which == 1 ? "true" : "false");
    return true;
  }
  // `v` was read from `in`, which tells whether it was there.
  bool print_int(const ByteReader& in, std::int64_t v) {
    if (in.ok()) out_.append_int(v);
    return in.ok();
  }
  bool print_uint(const ByteReader& in, std::uint64_t v) {
    if (in.ok()) out_.append_uint(v);
    return in.ok();
  }
  // A double without point or exponent would read back as an integer: the server adds ".0".
  bool print_double(ByteReader& in) {
    const std::size_t start = out_.size();
    if (!binlog::append_double(in.take(8), out_)) return false;
    if (out_.view().substr(start).find_first_of(".e") == std::string_view::npos) out_.append(".0");
    return true;
  }
  // Seven bits a byte, lowest first, at most five bytes.
  static std::uint64_t varlen(ByteReader& in) noexcept {
    std::uint64_t v = 0;
    for (unsigned i = 0; i < 5; ++i) {
      const std::uint64_t b = in.u8();
      v |= (b & 0x7F) << (7 * i);
      if ((b & 0x80) == 0) return v;
    }
    in.take(in.remaining() + 1);  // latches failure
    return 0;
  }
  void quoted(std::string_view s) {
    out_.push_back('"');
    append_json_text(out_, s);
    out_.push_back('"');
  }
  bool print_string(ByteReader& in) {
    const Bytes s = in.take(varlen(in));
    if (!in.ok() || !spend(s.size())) return false;
    quoted(as_chars(s));
    return true;
  }

  bool print_opaque(ByteReader& in) {
    const auto type = static_cast<ColumnType>(in.u8());
    const Bytes data = in.take(varlen(in));
    if (!in.ok() || !spend(data.size())) return false;
    if (type == ColumnType::newdecimal) {
      ByteReader d(data);
      const unsigned precision = d.u8();
      const unsigned scale = d.u8();
      return binlog::append_decimal(d.rest(), precision, scale, out_);
    }
    if (type == ColumnType::date || type == ColumnType::time || type == ColumnType::datetime ||
        type == ColumnType::timestamp) {
      if (data.size() != 8) return false;
      const auto packed = static_cast<std::int64_t>(ByteReader(data).u64());
      out_.push_back('"');
      const bool ok = type == ColumnType::date   ? binlog::append_packed_date(packed, out_)
                      : type == ColumnType::time ? binlog::append_packed_time(packed, out_)
                                                 : binlog::append_packed_datetime(packed, out_);
      out_.push_back('"');
      return ok;
    }
    out_.append("\"base64:type");
    out_.append_uint(static_cast<std::uint8_t>(type));
    out_.push_back(':');
    TextBuffer text;
    append_base64(text, as_chars(data));
    for (std::size_t i = 0; i < text.size(); i += kBase64Line) {
      if (i != 0) out_.append("\\n");
      out_.append(text.view().substr(i, kBase64Line));
    }
    out_.push_back('"');
    return true;
  }

  TextBuffer& out_;
  std::size_t budget_;
};

}  // namespace

bool append_json_document(Bytes document, TextBuffer& out) {
  // Written by INSERT IGNORE for a missing value; the server reads it as null.
  if (document.empty()) {
    out.append("null");
    return true;
  }
  const std::size_t start = out.size();
  ByteReader in(document);
  const std::uint8_t type = in.u8();
  Printer printer(document.size(), out);
  if (printer.value(type, in.rest(), 0)) return true;
  out.truncate(start);
  return false;
}

}  // namespace sluice::event
