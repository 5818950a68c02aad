#include <string>

#include <gtest/gtest.h>

#include "sluice/redis/connection.h"

namespace sluice::redis {
namespace {

using namespace std::string_view_literals;

TEST(Resp, CommandsAreArraysOfBulkStrings) {
  TextBuffer out;
  append_command(out, {"SET", "k", "value"});
  append_command(out, {"EXEC"});
  EXPECT_EQ(out.view(), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*1\r\n$4\r\nEXEC\r\n");
}

TEST(Resp, WordsMayBeEmptyOrHoldAnyByte) {
  TextBuffer out;
  append_command(out, {"", "\r\n\0\xFF"sv});
  EXPECT_EQ(out.view(), "*2\r\n$0\r\n\r\n$4\r\n\r\n\0\xFF\r\n"sv);
}

TEST(Resp, LengthsHaveAsManyDigitsAsTheyNeed) {
  TextBuffer out;
  const std::string big(12345, 'x');
  append_command(out, {big});
  EXPECT_EQ(out.view(), "*1\r\n$12345\r\n" + big + "\r\n");
}

}  // namespace
}  // namespace sluice::redis
