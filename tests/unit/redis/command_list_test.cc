#include "redis/command_list.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "sluice/redis/connection.h"

namespace sluice::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// (verb, key or "-") of each.
std::vector<std::pair<std::string, std::string>> commands_of(std::string_view pipeline) {
  CommandList list(pipeline);
  std::vector<std::pair<std::string, std::string>> out;
  std::size_t bytes = 0;
  for (;;) {
    CommandList::Command command;
    const auto any = list.next(command);
    EXPECT_TRUE(any.ok()) << to_string(any.error());
    if (!any.ok() || !*any) break;
    EXPECT_EQ(command.bytes.data(), pipeline.data() + bytes);
    bytes += command.bytes.size();
    out.emplace_back(command.verb, command.has_key ? command.key : "-");
  }
  EXPECT_EQ(bytes, pipeline.size());
  return out;
}

TEST(CommandList, GivesEachCommandAndItsKey) {
  TextBuffer pipeline;
  append_command(pipeline, {"HSET", "h", "f", "*1\r\n$4\r\nPING\r\n"});
  append_command(pipeline, {"MULTI"});
  append_command(pipeline, {"UNLINK", ""});
  append_command(pipeline, {"EXEC"});
  append_command(pipeline, {"EVAL", "return 1", "2", "k", "k:refs", "m"});
  append_command(pipeline, {"eval", "return 1", "0", "m"});
  append_command(pipeline, {"XGROUP", "CREATE", "s", "g", "$"});
  append_command(pipeline, {"WAIT", "1", "100"});
  append_command(pipeline, {"CLUSTER", "SLOTS"});
  EXPECT_THAT(commands_of(pipeline.view()),
              ElementsAre(Pair("HSET", "h"), Pair("MULTI", "-"), Pair("UNLINK", ""),
                          Pair("EXEC", "-"), Pair("EVAL", "k"), Pair("eval", "-"),
                          Pair("XGROUP", "s"), Pair("WAIT", "-"), Pair("CLUSTER", "-")));
}

TEST(CommandList, WhatIsCutOffIsNoPipeline) {
  TextBuffer pipeline;
  append_command(pipeline, {"SET", "key", "value"});
  for (std::size_t size = 1; size < pipeline.size(); ++size) {
    CommandList list(pipeline.view().substr(0, size));
    CommandList::Command command;
    const auto any = list.next(command);
    ASSERT_FALSE(any.ok()) << size;
    EXPECT_EQ(any.error().code, Errc::internal);
  }
  CommandList::Command command;
  EXPECT_FALSE(CommandList("PING\r\n").next(command).ok());
  EXPECT_FALSE(CommandList("*0\r\n").next(command).ok());
  EXPECT_FALSE(CommandList("*1\r\n$99999999999999999999\r\n").next(command).ok());
}

}  // namespace
}  // namespace sluice::redis
