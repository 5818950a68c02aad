// The functions of Lua's string library that could take for ever, in counted steps.
#include <algorithm>
#include <cstring>

#include "script/pattern.h"
#include "script/state.h"

namespace sluice::script {
namespace {

constexpr std::string_view kSpecials = "^$*+?.([%-";
constexpr std::uint64_t kBytesPerStep = 16;  // that are compared at once

std::string_view text_argument(lua_State* lua, int n) {
  std::size_t size = 0;
  const char* const text = luaL_checklstring(lua, n, &size);
  return {text, size};
}

// A place that is counted from 1, or from the end; as an offset.  More than `size`: behind the end.
std::size_t offset_argument(lua_State* lua, int n, std::size_t size) {
  const lua_Integer at = luaL_optinteger(lua, n, 1);
  if (at > 0) return static_cast<std::size_t>(at) - 1;
  if (at == 0) return 0;
  const auto back = static_cast<std::size_t>(-(at + 1)) + 1;
  return back > size ? 0 : size - back;
}

void check(lua_State* lua, const Matcher& matcher) {
  if (!matcher.failed()) return;
  if (matcher.error() == nullptr) fail_beyond_instructions(lua);
  fail(lua, matcher.error());
}

// Where `what` is in `text`, from `at` on.
std::size_t find_plain(lua_State* lua, std::string_view text, std::string_view what,
                       std::size_t at) {
  if (what.empty()) return at;
  const std::uint64_t cost = 1 + what.size() / kBytesPerStep;
  while (at + what.size() <= text.size()) {
    const std::size_t found = text.find(what.front(), at);
    if (found == std::string_view::npos || found + what.size() > text.size()) break;
    spend(lua, cost);
    if (text.substr(found, what.size()) == what) return found;
    at = found + 1;
  }
  return Matcher::kNone;
}

void push_capture(lua_State* lua, std::string_view subject, const Matcher& matcher, std::size_t n) {
  const Matcher::Capture& c = matcher.capture(n);
  if (c.kind == Matcher::Capture::Kind::open) fail(lua, "unfinished capture");
  if (c.kind == Matcher::Capture::Kind::position)
    lua_pushinteger(lua, static_cast<lua_Integer>(c.begin) + 1);
  else
    push(lua, subject.substr(c.begin, c.size));
}

// All captures; without any, what was matched, where that is `whole`.
int push_captures(lua_State* lua, std::string_view subject, const Matcher& matcher,
                  std::string_view whole, bool with_whole) {
  luaL_checkstack(lua, static_cast<int>(Matcher::kMostCaptures), "too many captures");
  for (std::size_t n = 0; n < matcher.captures(); ++n) push_capture(lua, subject, matcher, n);
  if (matcher.captures() != 0 || !with_whole) return static_cast<int>(matcher.captures());
  push(lua, whole);
  return 1;
}

struct Found {
  std::size_t begin = Matcher::kNone, end = 0;
};
// The first match that begins at `at` or behind.
Found search(lua_State* lua, Matcher& matcher, std::string_view subject, std::size_t at,
             bool anchored) {
  do {
    const std::size_t end = matcher.match_at(at);
    check(lua, matcher);
    if (end != Matcher::kNone) return {at, end};
    ++at;
  } while (at <= subject.size() && !anchored);
  return {};
}

bool take_anchor(std::string_view& pattern) {
  if (!pattern.starts_with('^')) return false;
  pattern.remove_prefix(1);
  return true;
}

int find_or_match(lua_State* lua, bool find) {
  const std::string_view subject = text_argument(lua, 1);
  std::string_view pattern = text_argument(lua, 2);
  const std::size_t at = offset_argument(lua, 3, subject.size());
  luaL_pushfail(lua);
  if (at > subject.size()) return 1;
  Found found;
  Matcher matcher(subject, pattern, state_of(lua).instructions_left);
  if (find &&
      (lua_toboolean(lua, 4) != 0 || pattern.find_first_of(kSpecials) == std::string_view::npos)) {
    found.begin = find_plain(lua, subject, pattern, at);
    found.end = found.begin + pattern.size();
  } else {
    const bool anchored = take_anchor(pattern);
    matcher = Matcher(subject, pattern, state_of(lua).instructions_left);
    found = search(lua, matcher, subject, at, anchored);
  }
  if (found.begin == Matcher::kNone) return 1;
  const std::string_view whole = subject.substr(found.begin, found.end - found.begin);
  if (!find) return push_captures(lua, subject, matcher, whole, true);
  lua_pushinteger(lua, static_cast<lua_Integer>(found.begin) + 1);
  lua_pushinteger(lua, static_cast<lua_Integer>(found.end));
  return 2 + push_captures(lua, subject, matcher, whole, false);
}

int string_find(lua_State* lua) {
  return find_or_match(lua, true);
}
int string_match(lua_State* lua) {
  return find_or_match(lua, false);
}

// Upvalues: subject, pattern, where to go on, where the last match ended (from 1; 0: none yet).
int next_match(lua_State* lua) {
  const std::string_view subject = text_at(lua, lua_upvalueindex(1));
  const std::string_view pattern = text_at(lua, lua_upvalueindex(2));
  auto at = static_cast<std::size_t>(lua_tointeger(lua, lua_upvalueindex(3)));
  const lua_Integer last = lua_tointeger(lua, lua_upvalueindex(4));
  Matcher matcher(subject, pattern, state_of(lua).instructions_left);
  for (; at <= subject.size(); ++at) {
    const Found found = search(lua, matcher, subject, at, false);
    if (found.begin == Matcher::kNone) break;
    at = found.begin;
    if (static_cast<lua_Integer>(found.end) + 1 == last) continue;  // empty, behind the last one
    lua_pushinteger(lua, static_cast<lua_Integer>(found.end));
    lua_replace(lua, lua_upvalueindex(3));
    lua_pushinteger(lua, static_cast<lua_Integer>(found.end) + 1);
    lua_replace(lua, lua_upvalueindex(4));
    return push_captures(lua, subject, matcher,
                         subject.substr(found.begin, found.end - found.begin), true);
  }
  return 0;
}

int string_gmatch(lua_State* lua) {
  const std::size_t size = text_argument(lua, 1).size();
  text_argument(lua, 2);
  const std::size_t at = offset_argument(lua, 3, size);
  lua_settop(lua, 2);
  lua_pushinteger(lua, static_cast<lua_Integer>(std::min(at, size + 1)));
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, next_match, 4);
  return 1;
}

// A replacement's text: %0 to %9 and %%.
void add_template(lua_State* lua, luaL_Buffer& out, std::string_view text, std::string_view subject,
                  const Matcher& matcher, std::string_view whole) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      luaL_addchar(&out, text[i]);
      continue;
    }
    const char c = ++i < text.size() ? text[i] : '\0';
    if (c == '%') {
      luaL_addchar(&out, '%');
    } else if (c == '0' || (c == '1' && matcher.captures() == 0)) {
      luaL_addlstring(&out, whole.data(), whole.size());
    } else if (c >= '1' && c <= '9') {
      const auto n = static_cast<std::size_t>(c - '1');
      if (n >= matcher.captures()) fail(lua, "invalid capture index in replacement string");
      push_capture(lua, subject, matcher, n);
      luaL_addvalue(&out);
    } else {
      fail(lua, "invalid use of '%' in replacement string");
    }
  }
}

// The replacement of `whole`: argument 3, a text, a table, or a function.
void add_replacement(lua_State* lua, luaL_Buffer& out, std::string_view subject,
                     const Matcher& matcher, std::string_view whole) {
  const int type = lua_type(lua, 3);
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(lua, 3);
    const int arguments = push_captures(lua, subject, matcher, whole, true);
    lua_call(lua, arguments, 1);
  } else if (type == LUA_TTABLE) {
    if (matcher.captures() == 0)
      push(lua, whole);
    else
      push_capture(lua, subject, matcher, 0);
    lua_gettable(lua, 3);
  } else {
    return add_template(lua, out, text_at(lua, 3), subject, matcher, whole);
  }
  if (lua_toboolean(lua, -1) == 0) {
    lua_pop(lua, 1);
    luaL_addlstring(&out, whole.data(), whole.size());
  } else if (lua_isstring(lua, -1) != 0) {
    luaL_addvalue(&out);
  } else {
    fail(lua, "invalid replacement value (a ", luaL_typename(lua, -1), ")");
  }
}

int string_gsub(lua_State* lua) {
  const std::string_view subject = text_argument(lua, 1);
  std::string_view pattern = text_argument(lua, 2);
  const int type = lua_type(lua, 3);
  if (type == LUA_TNUMBER)
    lua_tolstring(lua, 3, nullptr);
  else if (type != LUA_TSTRING && type != LUA_TTABLE && type != LUA_TFUNCTION)
    return luaL_typeerror(lua, 3, "string/function/table");
  const lua_Integer most = luaL_optinteger(lua, 4, static_cast<lua_Integer>(subject.size()) + 1);
  const bool anchored = take_anchor(pattern);
  lua_settop(lua, 3);
  Matcher matcher(subject, pattern, state_of(lua).instructions_left);
  luaL_Buffer out;
  luaL_buffinit(lua, &out);
  lua_Integer count = 0;
  std::size_t at = 0;
  std::size_t last = Matcher::kNone;  // where the last match ended
  while (count < most) {
    const std::size_t end = matcher.match_at(at);
    check(lua, matcher);
    if (end != Matcher::kNone && end != last) {
      ++count;
      add_replacement(lua, out, subject, matcher, subject.substr(at, end - at));
      at = last = end;
    } else if (at < subject.size()) {
      luaL_addchar(&out, subject[at]);
      ++at;
    } else {
      break;
    }
    if (anchored) break;
  }
  if (at < subject.size()) luaL_addlstring(&out, subject.data() + at, subject.size() - at);
  luaL_pushresult(&out);
  lua_pushinteger(lua, count);
  return 2;
}

// Lua's own counts to n even where nothing comes of it.  Upvalue: that.
int string_rep(lua_State* lua) {
  const std::string_view text = text_argument(lua, 1);
  luaL_checkinteger(lua, 2);
  if (text.empty() && luaL_optstring(lua, 3, "")[0] == '\0' && lua_rawlen(lua, 3) == 0) {
    push(lua, "");
    return 1;
  }
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, 1);
  return 1;
}

}  // namespace

void add_strings(lua_State* lua) {
  constexpr std::array<luaL_Reg, 5> kFunctions{{{"find", string_find},
                                                {"match", string_match},
                                                {"gmatch", string_gmatch},
                                                {"gsub", string_gsub},
                                                {nullptr, nullptr}}};
  luaL_setfuncs(lua, kFunctions.data(), 0);
  lua_getfield(lua, -1, "rep");
  lua_pushcclosure(lua, string_rep, 1);
  lua_setfield(lua, -2, "rep");
}

}  // namespace sluice::script
