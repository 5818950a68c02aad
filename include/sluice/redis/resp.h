#pragma once
// RESP, the client's half: a command is an array of bulk strings.
//   command = "*" count CRLF count * ("$" length CRLF bytes CRLF)
#include <cstring>
#include <string_view>

#include "sluice/base/text_buffer.h"

namespace sluice::redis {

// Room that a head ("*N\r\n", "$N\r\n") or what surrounds a bulk string takes at most.
inline constexpr std::size_t kHeadRoom = 23;
inline constexpr std::size_t kBulkRoom = kHeadRoom + 2;

inline char* write_bytes(char* to, std::string_view bytes) noexcept {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

inline char* write_crlf(char* to) noexcept {
  *to++ = '\r';
  *to++ = '\n';
  return to;
}

// "*N\r\n" or "$N\r\n".
inline char* write_head(char* to, char kind, std::size_t n) noexcept {
  *to++ = kind;
  return write_crlf(write_uint(to, n));
}

inline char* write_bulk(char* to, std::string_view bytes) noexcept {
  return write_crlf(write_bytes(write_head(to, '$', bytes.size()), bytes));
}

}  // namespace sluice::redis
