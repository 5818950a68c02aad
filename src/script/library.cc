// What scripts may use: the parts of Lua's library that reach nothing outside, keep nothing, and
// are bounded by the limits.  Without pcall and coroutines, which would catch the errors of limits;
// metatables, whose __gc runs where no limit holds; load, which takes bytecode; random numbers.
#include <array>

#include "script/state.h"

namespace sluice::script {
namespace {

constexpr std::array<const char*, 11> kBase{"assert", "error",    "ipairs",   "next", "pairs",
                                            "select", "tonumber", "tostring", "type", "_VERSION"};
constexpr std::array<const char*, 6> kTable{"concat", "insert", "pack", "remove", "sort", "unpack"};

int refuse_change(lua_State* lua) {
  fail(lua, "the library cannot be changed");
}

// The table at the top cannot be changed from now on: a stand-in takes its place.
void freeze(lua_State* lua) {
  lua_createtable(lua, 0, 0);
  lua_createtable(lua, 0, 3);
  lua_rotate(lua, -3, -1);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_change);
  lua_setfield(lua, -2, "__newindex");
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
}

// Takes members of the table at `from` into the one at the top.
template <std::size_t kCount>
void take(lua_State* lua, int from, const std::array<const char*, kCount>& names) {
  for (const char* const name : names) {
    if (name == nullptr) continue;
    lua_getfield(lua, from, name);
    lua_setfield(lua, -2, name);
  }
}

void drop(lua_State* lua, const char* name) {
  lua_pushnil(lua);
  lua_setfield(lua, -2, name);
}

}  // namespace

void push_library(lua_State* lua) {
  lua_createtable(lua, 0, 16);
  const int library = lua_gettop(lua);
  luaL_requiref(lua, "_G", luaopen_base, 0);
  lua_pushvalue(lua, library);
  take(lua, -2, kBase);
  lua_settop(lua, library);

  luaL_requiref(lua, "string", luaopen_string, 0);
  drop(lua, "dump");
  add_strings(lua);
  freeze(lua);
  lua_setfield(lua, library, "string");

  luaL_requiref(lua, "table", luaopen_table, 0);
  lua_createtable(lua, 0, 6);
  take(lua, -2, kTable);
  freeze(lua);
  lua_setfield(lua, library, "table");
  lua_settop(lua, library);

  luaL_requiref(lua, "math", luaopen_math, 0);
  drop(lua, "random");
  drop(lua, "randomseed");
  freeze(lua);
  lua_setfield(lua, library, "math");

  luaL_requiref(lua, "utf8", luaopen_utf8, 0);
  freeze(lua);
  lua_setfield(lua, library, "utf8");

  lua_createtable(lua, 0, 1);
  add_json(lua);
  freeze(lua);
  lua_setfield(lua, library, "json");
}

}  // namespace sluice::script
