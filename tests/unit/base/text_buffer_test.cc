#include "sluice/base/text_buffer.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string uint_text(std::uint64_t v) {
  TextBuffer b;
  b.append_uint(v);
  return std::string(b.view());
}
std::string int_text(std::int64_t v) {
  TextBuffer b;
  b.append_int(v);
  return std::string(b.view());
}

TEST(TextBuffer, WritesDigitsAtEveryLength) {
  std::uint64_t v = 1;
  for (int digits = 1; digits <= 20; ++digits) {
    EXPECT_EQ(uint_text(v), std::to_string(v));
    EXPECT_EQ(uint_text(v - 1), std::to_string(v - 1));
    if (digits < 20) v *= 10;
  }
  EXPECT_EQ(uint_text(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(int_text(-1), "-1");
  EXPECT_EQ(int_text(0), "0");
  EXPECT_EQ(int_text(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(int_text(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
}

TEST(TextBuffer, PadsWithZerosOnTheLeft) {
  std::string out(8, '?');
  EXPECT_EQ(write_padded(out.data(), 42, 5), out.data() + 5);
  EXPECT_EQ(out, "00042???");
  EXPECT_EQ(write_padded(out.data(), 123456, 6), out.data() + 6);
  EXPECT_EQ(out, "123456??");
  EXPECT_EQ(write_padded(out.data(), 7, 0), out.data());
  EXPECT_EQ(out, "123456??");
}

TEST(TextBuffer, KeepsWhatItHoldsWhileItGrows) {
  TextBuffer b;
  std::string want;
  for (int i = 0; i < 1000; ++i) {
    b.append("ab");
    b.push_back('c');
    b.append("");
    want += "abc";
  }
  EXPECT_EQ(b.view(), want);
}

TEST(TextBuffer, RoomAndCommitAddWhatWasWritten) {
  TextBuffer b;
  char* at = b.room(10);
  at[0] = 'x';
  at[1] = 'y';
  b.commit(1);
  EXPECT_EQ(b.view(), "x");
  at = b.room(4);
  at[0] = 'z';
  b.commit_to(at + 1);
  EXPECT_EQ(b.view(), "xz");
}

TEST(TextBuffer, ClearKeepsTheMemoryAndReleaseFreesIt) {
  TextBuffer b;
  b.append(std::string(1000, 'x'));
  const std::size_t capacity = b.capacity();
  b.truncate(2000);
  EXPECT_EQ(b.size(), 1000U);
  b.truncate(3);
  EXPECT_EQ(b.view(), "xxx");
  b.clear();
  EXPECT_TRUE(b.empty());
  EXPECT_EQ(b.capacity(), capacity);
  b.release();
  EXPECT_EQ(b.capacity(), 0U);
  b.append("again");
  EXPECT_EQ(b.view(), "again");
}

TEST(TextBuffer, MovingLeavesAnEmptyOneBehind) {
  TextBuffer a;
  a.append("text");
  TextBuffer b(std::move(a));
  EXPECT_EQ(b.view(), "text");
  a = TextBuffer();
  a.append("new");
  EXPECT_EQ(a.view(), "new");
  a = std::move(b);
  EXPECT_EQ(a.view(), "text");
}

}  // namespace
}  // namespace sluice
