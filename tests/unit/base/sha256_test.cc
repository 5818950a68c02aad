#include "sluice/base/sha256.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string sha256(std::string_view text) {
  const auto hex = Sha256().update(text).hex();
  return {hex.begin(), hex.end()};
}

// FIPS 180-4 and NIST's example values.
TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Lengths around the end of a block are where the padding is easily wrong.
TEST(Sha256, IsTheSameHoweverTheBytesCome) {
  const std::string text(200, 'x');
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string whole = sha256(text.substr(0, size));
    for (const std::size_t cut : {std::size_t{1}, std::size_t{55}, std::size_t{64}}) {
      Sha256 hash;
      for (std::size_t at = 0; at < size; at += cut)
        hash.update(std::string_view(text).substr(at, std::min(cut, size - at)));
      const auto hex = hash.hex();
      EXPECT_EQ(std::string(hex.begin(), hex.end()), whole) << size << ' ' << cut;
    }
  }
  EXPECT_EQ(sha256(std::string(55, 'x')),
            "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  EXPECT_EQ(sha256(std::string(56, 'x')),
            "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
}

TEST(Sha256, ACopyGoesOnByItself) {
  Sha256 salt;
  salt.update("salt");
  Sha256 a = salt, b = salt;
  EXPECT_EQ(a.update("x").hex(), Sha256().update("saltx").hex());
  EXPECT_EQ(b.update("y").hex(), Sha256().update("salty").hex());
  EXPECT_EQ(salt.hex(), Sha256().update("salt").hex());
}

}  // namespace
}  // namespace sluice
