#pragma once
#include <cstdint>
#include <string_view>

#include "sluice/base/byte_reader.h"
#include "sluice/base/text_buffer.h"

// A MySQL JSON column's bytes (mysql-server: sql-common/json_binary.h).
namespace sluice::event {

// Type byte of a value.
enum class JsonType : std::uint8_t {
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
constexpr bool is_object(JsonType t) noexcept {
  return t == JsonType::small_object || t == JsonType::large_object;
}
constexpr bool is_array(JsonType t) noexcept {
  return t == JsonType::small_array || t == JsonType::large_array;
}

// A value inside a document: from its first byte (after its type byte) to the end of what encloses
// it.  View into the document.
struct JsonValue {
  JsonType type = JsonType::literal;
  Bytes data;
};
// The value a document is.  One of no bytes, which INSERT IGNORE writes for a missing value, is
// null, as the server reads it.
JsonValue json_root(Bytes document) noexcept;

// A string's bytes: seven bits of its length a byte, lowest first, at most five of them; then
// itself.  Latches failure in `in`.
Bytes take_json_string(ByteReader& in) noexcept;

// Reads the members of an object or array, in their order.  Whatever the offsets say, no byte
// outside the container is read.
class JsonMembers {
 public:
  // Test ok() before anything else.
  explicit JsonMembers(JsonValue container) noexcept;
  bool ok() const noexcept { return ok_; }
  std::uint64_t size() const noexcept { return count_; }
  // Precondition: fewer than size() calls before.  `key` is empty in arrays.  False when the bytes
  // contradict themselves.
  bool next(std::string_view& key, JsonValue& value) noexcept;

 private:
  std::uint64_t offset(ByteReader& in) const noexcept {
    return offset_size_ == 2 ? in.u16() : in.u32();
  }
  Bytes data_;
  ByteReader keys_{Bytes()}, values_{Bytes()};
  std::uint64_t count_ = 0;
  std::size_t offset_size_ = 2;
  bool object_ = false;
  bool ok_ = false;
};

// Writes values as the server prints them.  `budget`: how many bytes they may take in all where
// they are stored; no two values share bytes in a document the server wrote, while a made-up one
// whose offsets all point at one place would print more than memory holds.
class JsonPrinter {
 public:
  static constexpr int kMaxDepth = 100;  // containers in containers: the server's own limit

  JsonPrinter(std::size_t budget, TextBuffer& out) noexcept : out_(&out), budget_(budget) {}
  // `depth`: containers around it.  False when the bytes contradict themselves or nest too deep;
  // a part of the value may have been written.
  bool value(JsonValue value, int depth);
  // The parts of a container whose members are written one by one.
  void open(bool object) { out_->push_back(object ? '{' : '['); }
  void close(bool object) { out_->push_back(object ? '}' : ']'); }
  // In front of a member: its separator, and its key in an object.
  bool member(bool first, bool object, std::string_view key);

 private:
  bool spend(std::size_t bytes) noexcept;
  bool container(JsonValue value, int depth);
  bool literal(ByteReader& in);
  bool integer(JsonType type, ByteReader& in);
  bool real(ByteReader& in);
  bool opaque(ByteReader& in);
  void quoted(std::string_view s);

  TextBuffer* out_;
  std::size_t budget_;
};

// The text the server prints.  False when the bytes contradict themselves or nest deeper than the
// server allows; `out` is then as it was.  Strings are copied as they are: whether they are UTF-8
// is for the caller to check.
bool append_json_document(Bytes document, TextBuffer& out);

}  // namespace sluice::event
