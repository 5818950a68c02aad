// The matcher beside what Lua's manual and Lua itself say.
#include <gmock/gmock.h>

#include "scripts.h"

namespace sluice::script::testing {
namespace {

using ::testing::HasSubstr;

std::string all(const std::string& call) {
  return value_of(
      "(function(...) local t = {...}; for i = 1, select('#', ...) do t[i] = tostring(t[i]) end; "
      "return table.concat(t, '|') end)(" +
      call + ")");
}

TEST(ScriptPattern, Finds) {
  EXPECT_EQ(all("('hello world'):find('o w')"), "5|7");
  EXPECT_EQ(all("('hello'):find('l+')"), "3|4");
  EXPECT_EQ(all("('hello'):find('x')"), "nil");
  EXPECT_EQ(all("('a.b'):find('.', 1, true)"), "2|2");
  EXPECT_EQ(all("('abc'):find('b', -1)"), "nil");
  EXPECT_EQ(all("('abc'):find('b', -2)"), "2|2");
  EXPECT_EQ(all("('abc'):find('', 10)"), "nil");
  EXPECT_EQ(all("('abc'):find('', 4)"), "4|3");
  EXPECT_EQ(all("(''):find('')"), "1|0");
  EXPECT_EQ(all("('key = value'):find('(%w+)%s*=%s*(%w+)')"), "1|11|key|value");
  EXPECT_EQ(all("('abc'):find('^b')"), "nil");
  EXPECT_EQ(all("('abc'):find('^b', 2)"), "2|2");
  EXPECT_EQ(all("('aXb'):find('%u')"), "2|2");
}

TEST(ScriptPattern, Matches) {
  EXPECT_EQ(all("('2026-11-27'):match('^(%d+)-(%d+)-(%d+)$')"), "2026|11|27");
  EXPECT_EQ(all("('  trim me  '):match('^%s*(.-)%s*$')"), "trim me");
  EXPECT_EQ(all("('abc'):match('()b()')"), "2|3");
  EXPECT_EQ(all("('f(a(b)c)d'):match('%b()')"), "(a(b)c)");
  EXPECT_EQ(all("('THE (quick) fox'):match('%((%a+)%)')"), "quick");
  EXPECT_EQ(all("('\"it\"'):match('([\"\\'])(.-)%1')"), "\"|it");
  EXPECT_EQ(all("('a-b]c'):match('[%]%-]+')"), "-");
  EXPECT_EQ(all("('a]b'):match('[]]')"), "]");
  EXPECT_EQ(all("('xyz'):match('[^a-y]')"), "z");
  EXPECT_EQ(all("('a-z'):match('[a-]+')"), "a-");
  EXPECT_EQ(all("('ab'):match('ac?b?')"), "ab");
  EXPECT_EQ(all("('THE END'):match('%f[%a]%a+%f[%A]', 4)"), "END");
  EXPECT_EQ(all("('price $5'):match('$%d')"), "$5");
  EXPECT_EQ(all("('a.b'):match('%.')"), ".");
  EXPECT_EQ(all("('\xc3\xa4x'):match(utf8.charpattern)"), "\xc3\xa4");
  EXPECT_EQ(all("('aaa'):match('a-', 2)"), "");
  EXPECT_EQ(all("('aaab'):match('a-b')"), "aaab");
}

TEST(ScriptPattern, Replaces) {
  EXPECT_EQ(all("('hello world'):gsub('o', '0')"), "hell0 w0rld|2");
  EXPECT_EQ(all("('hello world'):gsub('o', '0', 1)"), "hell0 world|1");
  EXPECT_EQ(all("('abc'):gsub('%w', '%0%0')"), "aabbcc|3");
  EXPECT_EQ(all("('hello world'):gsub('(%w+) (%w+)', '%2 %1')"), "world hello|1");
  EXPECT_EQ(all("('abc'):gsub('', '-')"), "-a-b-c-|4");
  EXPECT_EQ(all("('abc'):gsub('b*', 'x')"), "xaxcx|3");
  EXPECT_EQ(all("('$name is $age'):gsub('%$(%w+)', {name = 'Ann'})"), "Ann is $age|2");
  EXPECT_EQ(all("('abc'):gsub('%w', function(c) if c ~= 'b' then return c:upper() end end)"),
            "AbC|3");
  EXPECT_EQ(all("('aaa'):gsub('^a', 'b')"), "baa|1");
  EXPECT_EQ(all("('50'):gsub('%d', '%%')"), "%%|2");
  EXPECT_EQ(all("('ab'):gsub('%w', 7)"), "77|2");
}

TEST(ScriptPattern, Iterates) {
  const auto joined = [](const std::string& call) {
    return value_of(
        "(function() local t = {}; for a, b in " + call +
        " do t[#t + 1] = a .. (b and '=' .. b or '') end; return table.concat(t, '|') end)()");
  };
  EXPECT_EQ(joined("('a,b,,c'):gmatch('[^,]+')"), "a|b|c");
  EXPECT_EQ(joined("('a,b,,c'):gmatch('[^,]*')"), "a|b||c");
  EXPECT_EQ(joined("('x=1, y=2'):gmatch('(%w+)=(%w+)')"), "x=1|y=2");
  EXPECT_EQ(joined("('abc'):gmatch('')"), "|||");
  EXPECT_EQ(joined("('abcd'):gmatch('%w', 3)"), "c|d");
}

TEST(ScriptPattern, RefusesWhatIsNone) {
  for (const auto& [pattern, error] :
       std::vector<std::pair<std::string, std::string>>{{"%", "ends with '%'"},
                                                        {"[a", "missing ']'"},
                                                        {"[", "missing ']'"},
                                                        {"[%", "missing ']'"},
                                                        {"[^", "missing ']'"},
                                                        {"%b", "missing arguments to '%b'"},
                                                        {"%bx", "missing arguments to '%b'"},
                                                        {"%f", "missing '['"},
                                                        {"(a", "unfinished capture"},
                                                        {"a)%a", "invalid pattern capture"},
                                                        {"(a)%2", "invalid capture index"},
                                                        {"%0", "invalid capture index"}}) {
    const std::string said = error_of("('aaaa'):find('" + pattern + "')");
    EXPECT_THAT(said, HasSubstr(error)) << pattern;
    EXPECT_EQ(said.substr(0, 12), "rule.lua:2: ") << pattern;
  }
  EXPECT_THAT(error_of("('a'):gsub('a', '%2')"), HasSubstr("invalid capture index"));
  EXPECT_THAT(error_of("('a'):gsub('a', '%x')"), HasSubstr("invalid use of '%'"));
  EXPECT_THAT(error_of("('a'):gsub('a', function() return {} end)"),
              HasSubstr("invalid replacement value (a table)"));
  EXPECT_THAT(error_of("('a'):gsub('a', true)"), HasSubstr("string/function/table expected"));
  EXPECT_THAT(error_of("('a'):rep(40):find(('a*'):rep(300) .. 'b')"),
              HasSubstr("pattern too complex"));
  EXPECT_THAT(error_of("('a'):find(('()'):rep(33))"), HasSubstr("too many captures"));
}

}  // namespace
}  // namespace sluice::script::testing
