#include <gmock/gmock.h>

#include "scripts.h"

namespace sluice::script::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ScriptSandbox, LeavesOutWhatReachesOutsideOrEscapesLimits) {
  for (const char* const name :
       {"io",         "os",       "debug",       "package",      "load",
        "loadstring", "loadfile", "dofile",      "require",      "collectgarbage",
        "coroutine",  "pcall",    "xpcall",      "setmetatable", "getmetatable",
        "rawset",     "rawget",   "rawequal",    "rawlen",       "print",
        "warn",       "_G",       "string.dump", "math.random",  "math.randomseed",
        "table.move"})
    EXPECT_EQ(value_of(name), "nil") << name;
}

TEST(ScriptSandbox, HasWhatRowsNeed) {
  for (const char* const name :
       {"assert", "error", "ipairs", "next", "pairs", "select", "tonumber", "tostring", "type",
        "string.format", "table.concat", "table.sort", "math.floor", "utf8.len", "json.encode"})
    EXPECT_EQ(value_of("type(" + std::string(name) + ")"), "function") << name;
  EXPECT_EQ(value_of("_VERSION"), "Lua 5.4");
  EXPECT_EQ(value_of("('%d-%s'):format(7, 'x')"), "7-x");
}

TEST(ScriptSandbox, TakesNoBytecode) {
  EXPECT_THAT(load_error(std::string("\x1bLua\x54\x00", 6)),
              HasSubstr("attempt to load a binary chunk"));
}

TEST(ScriptSandbox, GlobalsCannotBeSetWhileARowIsHandled) {
  EXPECT_EQ(error_of("count = 1"),
            "rule.lua:2: global count is set while a row is handled: use local; nothing is kept "
            "from row to row");
  const Table table = user_table();
  Scripted known("count = 0\nfunction on_row(change, out)\n  count = count + 1\nend\n");
  EXPECT_THAT(known.error(table.insert({"1", "a"})), StartsWith("rule.lua:3: global count is set"));
  EXPECT_THAT(error_of("_ENV.x = 1"), StartsWith("rule.lua:2: global x is set"));
}

TEST(ScriptSandbox, NothingIsKeptFromRowToRow) {
  const Table table = user_table();
  Scripted script(
      "local seen, list = 0, {}\n"
      "names = {}\n"
      "function on_row(change, out)\n"
      "  seen = seen + 1\n"
      "  list[#list + 1] = change.row.name\n"
      "  names[#names + 1] = change.row.name\n"
      "  out:publish('c', seen .. ' ' .. #list .. ' ' .. #names)\n"
      "end\n");
  const Commands once{{"PUBLISH", "c", "1 1 1"}};
  EXPECT_EQ(script(table.insert({"1", "a"})), once);
  EXPECT_EQ(script(table.insert({"2", "b"})), once);
}

TEST(ScriptSandbox, NothingIsKeptInTheLibrary) {
  EXPECT_EQ(error_of("string.format = nil"), "rule.lua:2: the library cannot be changed");
  EXPECT_EQ(error_of("math.x = 1"), "rule.lua:2: the library cannot be changed");
  EXPECT_EQ(error_of("table.insert(table, 1)"), "rule.lua:2: the library cannot be changed");
  EXPECT_EQ(error_of("table.sort(json)\njson.x = 1"), "rule.lua:3: the library cannot be changed");
  EXPECT_EQ(error_of("utf8.x = 1"), "rule.lua:2: the library cannot be changed");
  EXPECT_THAT(error_of("out.x = 1"), StartsWith("rule.lua:2: attempt to index a userdata value"));
  EXPECT_THAT(error_of("local s = 'a'; s.x = 1"),
              StartsWith("rule.lua:2: attempt to index a string"));
  EXPECT_EQ(value_of("next(string) == nil and next(_ENV) == nil"), "true");
}

TEST(ScriptSandbox, RowsCannotReachEachOther) {
  const Table table = user_table();
  Scripted script(
      "function on_row(change, out)\n"
      "  out:publish('c', tostring(change.mark) .. tostring(change.row.mark))\n"
      "  change.mark = 1\n"
      "  change.row.mark = 1\n"
      "end\n");
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(script(table.insert({"1", "a"})), (Commands{{"PUBLISH", "c", "nilnil"}}));
}

TEST(ScriptErrors, OfTheFileNameItsLine) {
  EXPECT_THAT(load_error("function on_row(\n"), StartsWith("rule.lua:2: "));
  EXPECT_THAT(load_error("\nlocal x = nil + 1\n"), StartsWith("rule.lua:2: attempt to perform"));
  EXPECT_EQ(load_error("x = 1\n"), "rule.lua: it defines no function on_row(change, out)");
  EXPECT_EQ(load_error("on_row = 7"), "rule.lua: it defines no function on_row(change, out)");
  EXPECT_EQ(load_error(""), "rule.lua: it defines no function on_row(change, out)");
}

TEST(ScriptErrors, OfARowNameTheirLine) {
  EXPECT_EQ(error_of("\nerror('no such city')"), "rule.lua:3: no such city");
  EXPECT_EQ(error_of("error('anywhere', 0)"), "rule.lua:2: anywhere");
  EXPECT_EQ(error_of("error({1})"), "rule.lua:2: an error that is a table, not text");
  EXPECT_EQ(error_of("error()"), "rule.lua:2: an error that is a nil, not text");
  EXPECT_EQ(error_of("error(7)"), "rule.lua:2: 7");
  EXPECT_EQ(error_of("assert(false)"), "rule.lua:2: assertion failed!");
  EXPECT_EQ(error_of("local x = change.row.nothing.more"),
            "rule.lua:2: attempt to index a nil value (field 'nothing')");
  EXPECT_THAT(error_of("('x'):rep('y')"), StartsWith("rule.lua:2: bad argument #1 to 'rep'"));
  EXPECT_EQ(error_of("table.sort({2, 1}, function() error('deep') end)"), "rule.lua:2: deep");
}

TEST(ScriptErrors, AreShortAndOneLine) {
  EXPECT_EQ(error_of("error('a\\nb\\0c')"), "rule.lua:2: a b c");
  EXPECT_LE(error_of("error(('x'):rep(100000))").size(), 1000U);
  EXPECT_THAT(error_of("error(('\xc3\xa4'):rep(100000), 0)"), ::testing::EndsWith("\xc3\xa4"));
}

TEST(ScriptErrors, LeaveTheScriptAsItWas) {
  const Table table = user_table();
  Scripted script(
      "function on_row(change, out)\n"
      "  out:publish('c', change.row.name)\n"
      "  if change.row.id == 1 then error('one') end\n"
      "end\n");
  EXPECT_EQ(script.error(table.insert({"1", "a"})), "rule.lua:3: one");
  EXPECT_EQ(script(table.insert({"2", "b"})), (Commands{{"PUBLISH", "c", "b"}}));
  EXPECT_EQ(script.error(table.insert({"1", "a"})), "rule.lua:3: one");
}

}  // namespace
}  // namespace sluice::script::testing
