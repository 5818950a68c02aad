#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// Appends little-endian integers and bytes to a string: protocol commands, test bodies.
class ByteWriter {
 public:
  template <std::size_t N>
  ByteWriter& le(std::uint64_t v) {
    static_assert(N >= 1 && N <= 8);
    for (std::size_t i = 0; i < N; ++i) out_.push_back(static_cast<char>(v >> (8 * i) & 0xFF));
    return *this;
  }
  template <std::size_t N>
  ByteWriter& be(std::uint64_t v) {
    static_assert(N >= 1 && N <= 8);
    for (std::size_t i = N; i-- > 0;) out_.push_back(static_cast<char>(v >> (8 * i) & 0xFF));
    return *this;
  }
  // Length-encoded integer, shortest form.
  ByteWriter& lenenc(std::uint64_t v) {
    if (v < 0xFB) return le<1>(v);
    if (v <= 0xFFFF) return le<1>(0xFC).le<2>(v);
    if (v <= 0xFFFFFF) return le<1>(0xFD).le<3>(v);
    return le<1>(0xFE).le<8>(v);
  }
  ByteWriter& bytes(std::string_view s) {
    out_.append(s);
    return *this;
  }
  // One length byte, then the text; cut at 255 bytes.
  ByteWriter& short_string(std::string_view s) {
    s = s.substr(0, 255);
    return le<1>(s.size()).bytes(s);
  }
  const std::string& str() const& noexcept { return out_; }
  std::string&& str() && noexcept { return std::move(out_); }
  std::size_t size() const noexcept { return out_.size(); }

 private:
  std::string out_;
};

}  // namespace sluice
