#include "sluice/base/text_buffer.h"

#include <algorithm>

namespace sluice {
namespace {

inline char* write_four(char* to, std::uint32_t v) noexcept {
  return write_two(write_two(to, v / 100), v % 100);
}

// v < 10000, without zeros in front.
inline char* write_up_to_four(char* to, std::uint32_t v) noexcept {
  if (v >= 1000) return write_four(to, v);
  if (v >= 100) {
    *to++ = static_cast<char>('0' + v / 100);
    return write_two(to, v % 100);
  }
  if (v >= 10) return write_two(to, v);
  *to++ = static_cast<char>('0' + v);
  return to;
}

}  // namespace

char* write_padded(char* to, std::uint64_t v, unsigned digits) noexcept {
  char* p = to + digits;
  while (p - to >= 2) {
    p -= 2;
    write_two(p, v % 100);
    v /= 100;
  }
  if (p > to) *to = static_cast<char>('0' + v % 10);
  return to + digits;
}

char* write_uint(char* to, std::uint64_t v) noexcept {
  constexpr std::uint64_t kEight = 100000000;
  if (v >= kEight) {
    to = write_uint(to, v / kEight);
    const auto low = static_cast<std::uint32_t>(v % kEight);
    return write_four(write_four(to, low / 10000), low % 10000);
  }
  const auto low = static_cast<std::uint32_t>(v);
  if (low < 10000) return write_up_to_four(to, low);
  return write_four(write_up_to_four(to, low / 10000), low % 10000);
}

char* write_int(char* to, std::int64_t v) noexcept {
  auto u = static_cast<std::uint64_t>(v);
  if (v < 0) {
    *to++ = '-';
    u = 0 - u;
  }
  return write_uint(to, u);
}

void TextBuffer::append_uint(std::uint64_t v) {
  commit_to(write_uint(room(20), v));
}
void TextBuffer::append_int(std::int64_t v) {
  commit_to(write_int(room(20), v));
}

void TextBuffer::grow(std::size_t n) {
  const std::size_t want = std::max<std::size_t>({size_ + n, cap_ * 2, 256});
  // Not value-initialised: the bytes are written before they are read.
  std::unique_ptr<char[]> bigger(new char[want]);
  if (size_ != 0) std::memcpy(bigger.get(), data_.get(), size_);
  data_ = std::move(bigger);
  cap_ = want;
}

}  // namespace sluice
