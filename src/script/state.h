#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <lua.hpp>

#include "sluice/base/text_buffer.h"
#include "sluice/script/script.h"

namespace sluice::script {

// Lua's errors are long jumps: whatever stands between lua_pcall() and a function that may raise
// one has nothing to destroy.

// A value as Redis gets it.
struct Text {
  std::string_view text;  // Lua's, or, when there are digits, nothing
  std::array<char, 32> digits{};
  std::uint8_t count = 0;
  std::string_view view() const noexcept {
    return count == 0 ? text : std::string_view(digits.data(), count);
  }
};
struct NamedText {
  std::string_view name;
  Text value;
};

// What the functions that Lua calls share.  One for each lua_State, which knows it.
struct State {
  explicit State(const Limits& l) : limits(l) {}

  const Limits limits;
  lua_State* lua = nullptr;
  // Memory.
  std::uint64_t used = 0;
  int refused_line = 0;  // of the script, when memory was refused last
  // Of the row at hand.
  std::uint64_t instructions_left = 0;
  std::chrono::steady_clock::time_point deadline{};  // begins with the first look at the clock
  const Change* change = nullptr;
  std::size_t table = 0;
  Output output;
  std::uint64_t written = 0;  // bytes

  struct Table {
    int names = 0;  // in the registry: an array
    std::vector<ValueKind> kinds;
  };
  std::vector<Table> tables;
  // Kept from call to call.
  std::vector<NamedText> fields;
  std::vector<std::string_view> names;
  TextBuffer work;
  // In the registry.
  int chunk = 0, environment = 0, library = 0, frozen = 0, out = 0;
};

inline State& state_of(lua_State* lua) noexcept {
  return **static_cast<State**>(lua_getextraspace(lua));
}

inline void push(lua_State* lua, std::string_view text) {
  lua_pushlstring(lua, text.data(), text.size());
}
inline std::string_view text_at(lua_State* lua, int index) {  // of a string
  std::size_t size = 0;
  const char* const text = lua_tolstring(lua, index, &size);
  return {text, size};
}

// Raises an error at the script's line that called.
template <class... Parts>
[[noreturn]] void fail(lua_State* lua, const Parts&... parts) {
  luaL_where(lua, 1);
  (push(lua, parts), ...);
  lua_concat(lua, 1 + static_cast<int>(sizeof...(parts)));
  lua_error(lua);
  __builtin_unreachable();
}

// Counts work; raises an error beyond the limits.
void spend(lua_State* lua, std::uint64_t instructions);
[[noreturn]] void fail_beyond_instructions(lua_State* lua);

// What a script may use: left at the top, as a table.
void push_library(lua_State* lua);
void add_strings(lua_State* lua);  // to the string library at the top
void add_json(lua_State* lua);     // to the table at the top, as `json`
void push_out(lua_State* lua);
void push_change(lua_State* lua);  // that of the State

// The text of a string or a number; false: it is neither, or no finite number.
bool read_text(lua_State* lua, int index, Text& out);
// Appends the value as JSON; raises errors in the name of `function`.
void append_json(lua_State* lua, int index, const char* function, TextBuffer& out);

}  // namespace sluice::script
