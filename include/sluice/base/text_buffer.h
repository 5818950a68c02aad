#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace sluice {

// A growing character buffer for hot paths: reserve once, write without checks, keep the memory.
// Never shrinks by itself.  Thread-compatible.
class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(TextBuffer&& o) noexcept
      : data_(std::move(o.data_)),
        size_(std::exchange(o.size_, 0)),
        cap_(std::exchange(o.cap_, 0)) {}
  TextBuffer& operator=(TextBuffer&& o) noexcept {
    data_ = std::move(o.data_);
    size_ = std::exchange(o.size_, 0);
    cap_ = std::exchange(o.cap_, 0);
    return *this;
  }
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;
  ~TextBuffer() = default;

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t capacity() const noexcept { return cap_; }
  std::string_view view() const noexcept { return {data_.get(), size_}; }
  char* data() noexcept { return data_.get(); }
  const char* data() const noexcept { return data_.get(); }
  void clear() noexcept { size_ = 0; }
  // Cuts back to an earlier size; n <= size().
  void truncate(std::size_t n) noexcept { size_ = n < size_ ? n : size_; }
  // Frees the memory.
  void release() noexcept {
    data_.reset();
    size_ = cap_ = 0;
  }

  // Room for n more characters; returns where they go.  Follow with commit() of how many were
  // written.
  char* room(std::size_t n) {
    if (cap_ - size_ < n) grow(n);
    return data_.get() + size_;
  }
  void commit(std::size_t n) noexcept { size_ += n; }
  void commit_to(const char* end) noexcept { size_ = static_cast<std::size_t>(end - data_.get()); }

  void append(std::string_view s) {
    if (s.empty()) return;
    std::memcpy(room(s.size()), s.data(), s.size());
    size_ += s.size();
  }
  void push_back(char c) {
    *room(1) = c;
    ++size_;
  }
  // Decimal digits.
  void append_uint(std::uint64_t v);
  void append_int(std::int64_t v);

 private:
  void grow(std::size_t n);
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0, cap_ = 0;
};

// "00", "01" ... "99": two digits at a time.
inline constexpr std::array<char, 200> kDigitPairs = [] {
  std::array<char, 200> t{};
  for (std::size_t i = 0; i < 100; ++i) {
    t[2 * i] = static_cast<char>('0' + i / 10);
    t[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return t;
}();
// Writes v < 100 as two digits; returns the end.
inline char* write_two(char* to, std::size_t v) noexcept {
  std::memcpy(to, &kDigitPairs[2 * v], 2);
  return to + 2;
}

// Writes v in decimal at `to` (room for 20 characters), two digits at a time; returns the end.
char* write_uint(char* to, std::uint64_t v) noexcept;
char* write_int(char* to, std::int64_t v) noexcept;  // room for 20
// Writes exactly `digits` digits, zero-padded on the left.
char* write_padded(char* to, std::uint64_t v, unsigned digits) noexcept;

}  // namespace sluice
