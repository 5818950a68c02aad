// Lua's values as texts.
#include <charconv>
#include <cmath>

#include "script/state.h"

namespace sluice::script {

bool read_text(lua_State* lua, int index, Text& out) {
  out.count = 0;
  switch (lua_type(lua, index)) {
    case LUA_TSTRING: out.text = text_at(lua, index); return true;
    case LUA_TNUMBER: break;
    default: return false;
  }
  const bool whole = lua_isinteger(lua, index) != 0;
  const double number = whole ? 0 : lua_tonumber(lua, index);
  if (!std::isfinite(number)) return false;
  char* const begin = out.digits.data();
  // The shortest that is it.
  const char* const end = whole ? write_int(begin, lua_tointeger(lua, index))
                                : std::to_chars(begin, begin + out.digits.size(), number).ptr;
  out.count = static_cast<std::uint8_t>(end - begin);
  return true;
}

namespace {

// The images of the change, as Lua sees them: numbers where they are exact, text else.
void push_value(lua_State* lua, ValueKind kind, std::string_view text) {
  const char* const end = text.data() + text.size();
  if (kind == ValueKind::integer) {
    lua_Integer number = 0;
    const auto [at, failed] = std::from_chars(text.data(), end, number);
    if (failed == std::errc{} && at == end) return lua_pushinteger(lua, number);
  } else if (kind == ValueKind::real) {
    double number = 0;
    const auto [at, failed] = std::from_chars(text.data(), end, number);
    if (failed == std::errc{} && at == end) return lua_pushnumber(lua, number);
  }
  push(lua, text);
}

void push_image(lua_State* lua, const State::Table& table, Image image) {
  lua_createtable(lua, 0, static_cast<int>(image.size()));
  lua_rawgeti(lua, LUA_REGISTRYINDEX, table.names);
  for (std::size_t n = 0; n < image.size(); ++n) {
    if (image[n] == nullptr || image[n]->is_null) continue;
    lua_rawgeti(lua, -1, static_cast<lua_Integer>(n) + 1);
    push_value(lua, table.kinds[n], image[n]->value);
    lua_rawset(lua, -4);
  }
  lua_pop(lua, 1);
}

}  // namespace

void push_change(lua_State* lua) {
  State& state = state_of(lua);
  const Change& change = *state.change;
  const State::Table& table = state.tables[state.table];
  const auto set = [lua](const char* name, std::string_view text) {
    push(lua, text);
    lua_setfield(lua, -2, name);
  };
  lua_createtable(lua, 0, 7);
  switch (change.view.kind) {
    case ChangeKind::insert: set("type", "insert"); break;
    case ChangeKind::update: set("type", "update"); break;
    default: set("type", "delete"); break;
  }
  set("schema", change.view.database);
  set("table", change.view.table);
  state.work.clear();
  change.view.seq.with_row(change.row.index).append_to(state.work);
  set("id", state.work.view());
  lua_pushinteger(lua, change.view.es_ms);
  lua_setfield(lua, -2, "ts");
  if (!change.before.empty()) {
    push_image(lua, table, change.before);
    lua_setfield(lua, -2, "old");
  }
  if (change.after.empty())
    lua_getfield(lua, -1, "old");
  else
    push_image(lua, table, change.after);
  lua_setfield(lua, -2, "row");
}

}  // namespace sluice::script
