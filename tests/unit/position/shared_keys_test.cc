#include "sluice/position/shared_keys.h"

#include <gtest/gtest.h>

namespace sluice::position {
namespace {

TEST(LayoutRecord, ComesBackAsItWas) {
  const Layout layout{16, "0123456789abcdef"};
  const auto read = parse_layout(encode(layout));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, layout);
}

TEST(LayoutRecord, OfAnotherShapeIsRefused) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"v":0,"partitions":1,"fingerprint":""})",
        R"({"v":1,"partitions":0,"fingerprint":""})",
        R"({"v":1,"partitions":"1","fingerprint":""})", R"({"v":1,"partitions":1})"}) {
    const auto read = parse_layout(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, Errc::position_damaged) << text;
  }
  EXPECT_EQ(parse_layout(R"({"v":2})").error().code, Errc::position_mismatch);
}

TEST(SharedKeys, AreOfTheInstance) {
  EXPECT_EQ(layout_key("main"), "sluice:main:layout");
  EXPECT_EQ(members_key("main"), "sluice:main:members");
}

}  // namespace
}  // namespace sluice::position
