// json.encode: values of Lua as JSON.
#include <algorithm>

#include "sluice/base/json_text.h"

#include "script/state.h"

namespace sluice::script {
namespace {

constexpr int kDeepest = 32;

void append_value(lua_State* lua, int index, const char* function, TextBuffer& out, int depth);

void append_string(lua_State* lua, std::string_view text, const char* function, TextBuffer& out) {
  out.push_back('"');
  if (!append_json_utf8(out, text)) fail(lua, function, ": bytes that are no text in UTF-8");
  out.push_back('"');
}

void append_list(lua_State* lua, int index, const char* function, TextBuffer& out, int depth) {
  const auto size = static_cast<lua_Integer>(lua_rawlen(lua, index));
  lua_Integer members = 0;
  lua_pushnil(lua);
  while (lua_next(lua, index) != 0) {
    lua_pop(lua, 1);
    ++members;
  }
  if (members != size)
    fail(lua, function, ": a table for JSON has names, or the indexes 1 to n, not both or holes");
  out.push_back('[');
  for (lua_Integer n = 1; n <= size; ++n) {
    if (n > 1) out.push_back(',');
    lua_rawgeti(lua, index, n);
    append_value(lua, lua_gettop(lua), function, out, depth);
    lua_pop(lua, 1);
  }
  out.push_back(']');
}

// Members in the order of their names, so that the same table is the same text.
void append_object(lua_State* lua, int index, const char* function, TextBuffer& out, int depth) {
  auto& names = state_of(lua).names;
  const std::size_t begin = names.size();
  lua_pushnil(lua);
  while (lua_next(lua, index) != 0) {
    lua_pop(lua, 1);
    if (lua_type(lua, -1) != LUA_TSTRING)
      fail(lua, function, ": a table for JSON has names, or the indexes 1 to n, not a ",
           luaL_typename(lua, -1));
    names.push_back(text_at(lua, -1));
  }
  std::sort(names.begin() + static_cast<std::ptrdiff_t>(begin), names.end());
  const std::size_t end = names.size();
  out.push_back('{');
  for (std::size_t n = begin; n < end; ++n) {
    if (n > begin) out.push_back(',');
    append_string(lua, names[n], function, out);
    out.push_back(':');
    push(lua, names[n]);
    lua_rawget(lua, index);
    append_value(lua, lua_gettop(lua), function, out, depth);
    lua_pop(lua, 1);
  }
  out.push_back('}');
  names.resize(begin);
}

void append_value(lua_State* lua, int index, const char* function, TextBuffer& out, int depth) {
  spend(lua, 1);
  if (out.size() > state_of(lua).limits.memory)
    fail(lua, function, ": the JSON is longer than limits.script_memory");
  switch (lua_type(lua, index)) {
    case LUA_TNIL: return out.append("null");
    case LUA_TBOOLEAN: return out.append(lua_toboolean(lua, index) != 0 ? "true" : "false");
    case LUA_TSTRING: return append_string(lua, text_at(lua, index), function, out);
    case LUA_TNUMBER: {
      Text number;
      if (!read_text(lua, index, number)) fail(lua, function, ": JSON has no such number");
      return out.append(number.view());
    }
    case LUA_TTABLE: break;
    default: fail(lua, function, ": JSON has no ", luaL_typename(lua, index));
  }
  if (depth == kDeepest) fail(lua, function, ": tables within each other, more than 32 deep");
  luaL_checkstack(lua, 4, "JSON");
  if (lua_rawlen(lua, index) != 0)
    append_list(lua, index, function, out, depth + 1);
  else
    append_object(lua, index, function, out, depth + 1);
}

int json_encode(lua_State* lua) {
  luaL_checkany(lua, 1);
  lua_settop(lua, 1);
  TextBuffer& out = state_of(lua).work;
  out.clear();
  append_json(lua, 1, "json.encode", out);
  push(lua, out.view());
  return 1;
}

}  // namespace

void append_json(lua_State* lua, int index, const char* function, TextBuffer& out) {
  state_of(lua).names.clear();  // an error left them
  append_value(lua, index, function, out, 0);
}

void add_json(lua_State* lua) {
  lua_pushcfunction(lua, json_encode);
  lua_setfield(lua, -2, "encode");
}

}  // namespace sluice::script
