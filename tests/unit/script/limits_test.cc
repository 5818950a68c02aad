#include <chrono>

#include <gmock/gmock.h>

#include "scripts.h"

namespace sluice::script::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Limits kSmall{4U << 20U, 100'000, milliseconds(60'000)};

TEST(ScriptLimits, EndAnEndlessLoop) {
  const std::string text = "it takes more than 100000 instructions (limits.script_instructions)";
  EXPECT_EQ(error_of("while true do end", kSmall), "rule.lua:2: " + text);
  EXPECT_EQ(error_of("local function f() return f() end\nf()", kSmall), "rule.lua:2: " + text);
  EXPECT_EQ(error_of("for i = 1, math.huge do local x = i end", kSmall), "rule.lua:2: " + text);
  EXPECT_EQ(error_of("table.sort({3, 2, 1}, function() while true do end end)", kSmall),
            "rule.lua:2: " + text);
}

TEST(ScriptLimits, EndAFileThatDoesNotEnd) {
  EXPECT_THAT(load_error("while true do end", kSmall),
              StartsWith("rule.lua:1: it takes more than"));
}

TEST(ScriptLimits, CountForEachRowAnew) {
  const Table table = user_table();
  Scripted script("function on_row(change, out)\n  for i = 1, 20000 do end\nend\n", kSmall);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(script(table.insert({"1", "a"})).empty());
}

TEST(ScriptLimits, EndWhatTakesTooMuchMemory) {
  const std::string text = "it takes more than 4194304 bytes of memory (limits.script_memory)";
  Limits limits = kSmall;
  limits.instructions = 100'000'000;
  EXPECT_EQ(error_of("local s = ('x'):rep(1 << 30)", limits), "rule.lua:2: " + text);
  EXPECT_EQ(error_of("local s = 'x'\n\nwhile true do s = s .. s end", limits),
            "rule.lua:4: " + text);
  EXPECT_EQ(error_of("local t = {}\nfor i = 1, 1e9 do\nt[i] = i end", limits),
            "rule.lua:4: " + text);
  EXPECT_EQ(error_of("local t = {}\nfor i = 1, 1e9 do t[#t + 1] = {t} end", limits),
            "rule.lua:3: " + text);
  EXPECT_EQ(error_of("string.format('%s', ('x'):rep(3 << 20))", limits), "rule.lua:2: " + text);
}

TEST(ScriptLimits, LeaveMemoryForTheNextRow) {
  const Table table = user_table();
  Scripted script(
      "function on_row(change, out)\n"
      "  local s = ('x'):rep(change.row.id == 1 and 1 << 30 or 1000)\n"
      "  out:publish('c', #s)\n"
      "end\n",
      kSmall);
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(script.error(table.insert({"1", "a"})), HasSubstr("limits.script_memory"));
    EXPECT_EQ(script(table.insert({"2", "a"})), (Commands{{"PUBLISH", "c", "1000"}}));
  }
}

TEST(ScriptLimits, GarbageOfManyRowsIsCollected) {
  const Table table = user_table();
  Scripted script("function on_row(change, out)\n  local s = ('x'):rep(100000)\nend\n", kSmall);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(script(table.insert({"1", "a"})).empty());
}

TEST(ScriptLimits, EndWhatWritesTooMuch) {
  const std::string text = "publish: the row's commands are longer than limits.script_memory";
  EXPECT_EQ(
      error_of("local s = ('x'):rep(100000)\nfor i = 1, 1e9 do out:publish('c', s) end", kSmall),
      "rule.lua:3: " + text);
}

TEST(ScriptLimits, EndDeepRecursion) {
  EXPECT_THAT(error_of("local function f(n) return 1 + f(n + 1) end\nf(1)", kSmall),
              StartsWith("rule.lua:2: "));
  Limits large;
  large.memory = 512U << 20U;
  EXPECT_THAT(error_of("local function f(n) return 1 + f(n + 1) end\nf(1)", large),
              HasSubstr("stack overflow"));
  EXPECT_THAT(load_error("x = " + std::string(10'000, '(')),
              StartsWith("rule.lua: C stack overflow"));
  EXPECT_THAT(error_of("local t = {}\nfor i = 1, 100 do t = {t} end\njson.encode(t)"),
              StartsWith("rule.lua:4: json.encode: tables within each other"));
  EXPECT_THAT(error_of("local t = {}\nt.t = t\njson.encode(t)"),
              StartsWith("rule.lua:4: json.encode: tables within each other"));
}

TEST(ScriptLimits, EndWhatTakesTooLong) {
  Limits limits;
  limits.instructions = 1'000'000'000'000;
  limits.time = milliseconds(50);
  EXPECT_EQ(error_of("while true do end", limits),
            "rule.lua:2: it takes longer than 50 ms (limits.script_time)");
  EXPECT_EQ(error_of("local a = ('x'):rep(1 << 20)\nwhile true do local b = a:upper() end", limits),
            "rule.lua:3: it takes longer than 50 ms (limits.script_time)");
}

TEST(ScriptLimits, HoldForPatterns) {
  const std::string text = "it takes more than 100000 instructions (limits.script_instructions)";
  EXPECT_EQ(error_of("local s = ('a'):rep(10000)\ns:find('.-.-.-.-b')", kSmall),
            "rule.lua:3: " + text);
  EXPECT_EQ(error_of("local s = ('a'):rep(10000)\ns:match('(a*)*(a*)*b')", kSmall),
            "rule.lua:3: " + text);
  EXPECT_EQ(error_of("local s = ('a'):rep(10000)\ns:gsub('a*a*a*b', '')", kSmall),
            "rule.lua:3: " + text);
  EXPECT_EQ(error_of("local s = ('a'):rep(10000)\nfor x in s:gmatch('a*a*a*b') do end", kSmall),
            "rule.lua:3: " + text);
  EXPECT_EQ(
      error_of("local s = ('a'):rep(200000)\ns:find(('a'):rep(100000) .. 'b', 1, true)", kSmall),
      "rule.lua:3: " + text);
}

TEST(ScriptLimits, HoldForWhatComesToNothing) {
  EXPECT_EQ(value_of("#(''):rep(1 << 60)"), "0");
  EXPECT_EQ(value_of("#(''):rep(1 << 60, '')"), "0");
  EXPECT_EQ(value_of("('a'):rep(3, '-')"), "a-a-a");
  EXPECT_EQ(value_of("(''):rep(3, '-')"), "--");
  EXPECT_EQ(value_of("('a'):rep(-1)"), "");
}

TEST(ScriptLimits, CannotBeCaught) {
  // No pcall, no coroutine; a comparison or a replacement that fails ends all of it.
  EXPECT_THAT(
      error_of("('aa'):gsub('a', function() while true do end end)\nout:publish('c', 1)", kSmall),
      HasSubstr("limits.script_instructions"));
}

TEST(ScriptLimits, TakeNothingFromAScriptThatHasNoRoomAtAll) {
  Limits none;
  none.memory = 1000;
  EXPECT_THAT(load_error("function on_row() end", none), HasSubstr("memory"));
  none.memory = 12'000;
  EXPECT_THAT(load_error("function on_row() end", none), HasSubstr("memory"));
}

}  // namespace
}  // namespace sluice::script::testing
