#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

// SHA-256 (FIPS 180-4) of bytes that come in pieces.  A value: a copy goes on from where the
// original stands, so a common head (a salt) is hashed once.  Allocates nothing.
class Sha256 {
 public:
  using Hex = std::array<char, 64>;  // lower case

  Sha256& update(std::string_view bytes) noexcept;
  // The hash of all so far; the object stays as it is.
  Hex hex() const noexcept;

 private:
  static constexpr std::size_t kBlock = 64;
  void take(const unsigned char* block) noexcept;

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, kBlock> tail_{};  // of bytes that do not fill a block yet
  std::uint64_t size_ = 0;                    // bytes taken
};

}  // namespace sluice
