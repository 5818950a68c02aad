#include "event/json_binary.h"

#include <algorithm>
#include <array>

#include "sluice/base/base64.h"
#include "sluice/base/json_text.h"
#include "sluice/binlog/table_map.h"
#include "sluice/binlog/value_text.h"

namespace sluice::event {
namespace {

using binlog::ColumnType;

// The server's base64 breaks its lines after this many characters.
constexpr std::size_t kBase64Line = 76;
constexpr std::size_t kBase64LineBytes = kBase64Line / 4 * 3;

constexpr bool is_small(JsonType t) noexcept {
  return t == JsonType::small_object || t == JsonType::small_array;
}

constexpr bool is_inline(JsonType type, std::size_t offset_size) noexcept {
  return type == JsonType::literal || type == JsonType::int16 || type == JsonType::uint16 ||
         (offset_size == 4 && (type == JsonType::int32 || type == JsonType::uint32));
}

}  // namespace

JsonValue json_root(Bytes document) noexcept {
  static constexpr std::array<std::byte, 1> kNull{};
  if (document.empty()) return {JsonType::literal, kNull};
  return {static_cast<JsonType>(document[0]), document.subspan(1)};
}

Bytes take_json_string(ByteReader& in) noexcept {
  std::uint64_t size = 0;
  for (unsigned i = 0; i < 5; ++i) {
    const std::uint64_t b = in.u8();
    size |= (b & 0x7F) << (7 * i);
    if ((b & 0x80) == 0) return in.take(size);
  }
  return in.take(in.remaining() + 1);  // latches failure
}

JsonMembers::JsonMembers(JsonValue container) noexcept
    : offset_size_(is_small(container.type) ? 2 : 4), object_(is_object(container.type)) {
  if (!object_ && !is_array(container.type)) return;
  ByteReader head(container.data);
  count_ = offset(head);
  const std::uint64_t size = offset(head);
  if (!head.ok() || size > container.data.size()) return;
  data_ = container.data.first(static_cast<std::size_t>(size));
  const std::size_t key_entry = object_ ? offset_size_ + 2 : 0;
  const std::size_t value_entry = 1 + offset_size_;
  if (2 * offset_size_ + count_ * (key_entry + value_entry) > size) return;
  const auto keys = static_cast<std::size_t>(count_) * key_entry;
  keys_ = ByteReader(data_.subspan(2 * offset_size_, keys));
  values_ = ByteReader(data_.subspan(2 * offset_size_ + keys));
  ok_ = true;
}

bool JsonMembers::next(std::string_view& key, JsonValue& value) noexcept {
  key = {};
  if (object_) {
    const std::uint64_t at = offset(keys_);
    const std::uint16_t length = keys_.u16();
    if (at > data_.size() || length > data_.size() - at) return false;
    key = as_chars(data_.subspan(static_cast<std::size_t>(at), length));
  }
  value.type = static_cast<JsonType>(values_.u8());
  value.data = values_.take(offset_size_);
  if (!values_.ok()) return false;
  if (is_inline(value.type, offset_size_)) return true;
  ByteReader where(value.data);
  const std::uint64_t at = offset(where);
  if (at > data_.size()) return false;
  value.data = data_.subspan(static_cast<std::size_t>(at));
  return true;
}

bool JsonPrinter::spend(std::size_t bytes) noexcept {
  if (bytes > budget_) return false;
  budget_ -= bytes;
  return true;
}

void JsonPrinter::quoted(std::string_view s) {
  out_->push_back('"');
  append_json_text(*out_, s);
  out_->push_back('"');
}

bool JsonPrinter::member(bool first, bool object, std::string_view key) {
  if (!first) out_->append(", ");
  if (!spend(1 + key.size())) return false;
  if (object) {
    quoted(key);
    out_->append(": ");
  }
  return true;
}

bool JsonPrinter::value(JsonValue value, int depth) {
  ByteReader in(value.data);
  switch (value.type) {
    case JsonType::small_object:
    case JsonType::large_object:
    case JsonType::small_array:
    case JsonType::large_array: return container(value, depth);
    case JsonType::literal: return literal(in);
    case JsonType::int16:
    case JsonType::uint16:
    case JsonType::int32:
    case JsonType::uint32:
    case JsonType::int64:
    case JsonType::uint64: return integer(value.type, in);
    case JsonType::real: return real(in);
    case JsonType::string: {
      const Bytes s = take_json_string(in);
      if (!in.ok() || !spend(s.size())) return false;
      quoted(as_chars(s));
      return true;
    }
    case JsonType::opaque: return opaque(in);
  }
  return false;
}

bool JsonPrinter::container(JsonValue value, int depth) {
  JsonMembers members(value);
  if (depth >= kMaxDepth || !members.ok()) return false;
  const bool object = is_object(value.type);
  open(object);
  for (std::uint64_t i = 0; i < members.size(); ++i) {
    std::string_view key;
    JsonValue inner;
    if (!members.next(key, inner) || !member(i == 0, object, key) || !this->value(inner, depth + 1))
      return false;
  }
  close(object);
  return true;
}

bool JsonPrinter::literal(ByteReader& in) {
  const std::uint8_t which = in.u8();
  if (!in.ok() || which > 2) return false;
  out_->append(which == 0 ? "null" : which == 1 ? "true" : "false");
  return true;
}

bool JsonPrinter::integer(JsonType type, ByteReader& in) {
  std::int64_t v = 0;
  switch (type) {
    case JsonType::int16: v = static_cast<std::int16_t>(in.u16()); break;
    case JsonType::uint16: v = in.u16(); break;
    case JsonType::int32: v = static_cast<std::int32_t>(in.u32()); break;
    case JsonType::uint32: v = in.u32(); break;
    default: v = static_cast<std::int64_t>(in.u64()); break;
  }
  if (!in.ok()) return false;
  if (type == JsonType::uint64)
    out_->append_uint(static_cast<std::uint64_t>(v));
  else
    out_->append_int(v);
  return true;
}

// A double without point or exponent would read back as an integer: the server adds ".0".
bool JsonPrinter::real(ByteReader& in) {
  const std::size_t start = out_->size();
  if (!binlog::append_double(in.take(8), *out_)) return false;
  if (out_->view().substr(start).find_first_of(".e") == std::string_view::npos) out_->append(".0");
  return true;
}

bool JsonPrinter::opaque(ByteReader& in) {
  const auto type = static_cast<ColumnType>(in.u8());
  const Bytes data = take_json_string(in);
  if (!in.ok() || !spend(data.size())) return false;
  if (type == ColumnType::newdecimal) {
    ByteReader d(data);
    const unsigned precision = d.u8();
    const unsigned scale = d.u8();
    return binlog::append_decimal(d.rest(), precision, scale, *out_);
  }
  if (type == ColumnType::date || type == ColumnType::time || type == ColumnType::datetime ||
      type == ColumnType::timestamp) {
    if (data.size() != 8) return false;
    const auto packed = static_cast<std::int64_t>(ByteReader(data).u64());
    out_->push_back('"');
    const bool ok = type == ColumnType::date   ? binlog::append_packed_date(packed, *out_)
                    : type == ColumnType::time ? binlog::append_packed_time(packed, *out_)
                                               : binlog::append_packed_datetime(packed, *out_);
    out_->push_back('"');
    return ok;
  }
  out_->append("\"base64:type");
  out_->append_uint(static_cast<std::uint8_t>(type));
  out_->push_back(':');
  for (std::size_t i = 0; i < data.size(); i += kBase64LineBytes) {
    if (i != 0) out_->append("\\n");
    append_base64(*out_, as_chars(data.subspan(i, std::min(kBase64LineBytes, data.size() - i))));
  }
  out_->push_back('"');
  return true;
}

bool append_json_document(Bytes document, TextBuffer& out) {
  const std::size_t start = out.size();
  JsonPrinter printer(document.size(), out);
  if (printer.value(json_root(document), 0)) return true;
  out.truncate(start);
  return false;
}

}  // namespace sluice::event
