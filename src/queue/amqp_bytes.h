#pragma once
#include <string_view>

#include <amqp.h>

namespace sluice::queue {

// rabbitmq-c's byte strings.  Views both ways: they live as long as what they were made of.
inline std::string_view view(const amqp_bytes_t& b) noexcept {
  if (b.len == 0) return {};
  return {static_cast<const char*>(b.bytes), b.len};
}

// rabbitmq-c takes void* where it only reads; hence the const_cast.
inline amqp_bytes_t amqp_bytes(std::string_view s) noexcept {
  return {s.size(), const_cast<char*>(s.data())};
}

inline amqp_table_entry_t text_entry(std::string_view key, std::string_view value) noexcept {
  amqp_table_entry_t e{};
  e.key = amqp_bytes(key);
  e.value.kind = AMQP_FIELD_KIND_UTF8;
  e.value.value.bytes = amqp_bytes(value);
  return e;
}

inline amqp_table_entry_t flag_entry(std::string_view key, bool value) noexcept {
  amqp_table_entry_t e{};
  e.key = amqp_bytes(key);
  e.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  e.value.value.boolean = value ? 1 : 0;
  return e;
}

inline amqp_table_entry_t int_entry(std::string_view key, std::int64_t value) noexcept {
  amqp_table_entry_t e{};
  e.key = amqp_bytes(key);
  e.value.kind = AMQP_FIELD_KIND_I64;
  e.value.value.i64 = value;
  return e;
}

}  // namespace sluice::queue
