#include "sluice/script/script.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "script/state.h"

namespace sluice::script {
namespace {

constexpr int kLookEvery = 100;  // instructions
constexpr std::size_t kLongestError = 1000;

// The line of the script that is at work; 0: none is.
int line_of(lua_State* lua, lua_Debug& at) {
  for (int level = 0; lua_getstack(lua, level, &at) != 0; ++level)
    if (lua_getinfo(lua, "Sl", &at) != 0 && at.currentline > 0) return at.currentline;
  return 0;
}

// Memory as Lua asks for it, up to the limit.
void* allocate(void* data, void* old, std::size_t old_size, std::size_t size) {
  State& state = *static_cast<State*>(data);
  if (old == nullptr) old_size = 0;  // a kind of object then
  if (size == 0) {
    std::free(old);  // NOLINT(cppcoreguidelines-no-malloc): reallocated below
    state.used -= old_size;
    return nullptr;
  }
  if (size > old_size && size - old_size > state.limits.memory - state.used) {
    // Lua collects its garbage and asks once more; an error that comes of it has no place.
    lua_Debug at;
    if (state.lua != nullptr) state.refused_line = line_of(state.lua, at);
    return nullptr;
  }
  void* const out = std::realloc(old, size);  // NOLINT(cppcoreguidelines-no-malloc): Lua's contract
  if (out != nullptr) state.used = state.used - old_size + size;
  return out;
}

void look(lua_State* lua, lua_Debug*) {
  spend(lua, kLookEvery);
}

// Gives every message its place.
int on_error(lua_State* lua) {
  lua_Debug at;
  const int line = line_of(lua, at);
  if (lua_type(lua, 1) != LUA_TSTRING) {
    if (lua_type(lua, 1) == LUA_TNUMBER) {
      lua_tolstring(lua, 1, nullptr);
    } else {
      lua_pushfstring(lua, "an error that is a %s, not text", luaL_typename(lua, 1));
      lua_replace(lua, 1);
    }
  }
  if (line == 0) return 1;
  const std::string_view place(at.short_src);
  const std::string_view text = text_at(lua, 1);
  if (text.starts_with(place) && text.substr(place.size()).starts_with(':')) return 1;
  lua_pushfstring(lua, "%s:%d: %s", at.short_src, line, lua_tostring(lua, 1));
  return 1;
}

int refuse_global(lua_State* lua) {
  if (lua_type(lua, 2) == LUA_TSTRING)
    fail(lua, "global ", text_at(lua, 2),
         " is set while a row is handled: use local; nothing is kept from row to row");
  fail(lua, "a global is set while a row is handled: use local");
}

// The globals of a row: what the file defines, then the library.  Leaves them at the top.
void push_globals(lua_State* lua, State& state) {
  lua_createtable(lua, 0, 4);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, state.library);
  lua_setmetatable(lua, -2);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, state.environment);
  lua_pushvalue(lua, -2);
  lua_setfield(lua, -2, "__index");
  lua_pushvalue(lua, -2);
  lua_setfield(lua, -2, "__newindex");
  lua_pop(lua, 1);
}

// Runs the file, which defines on_row, and leaves that at the top.  Anew for each row: so there is
// nothing that one row could leave to the next.
void push_on_row(lua_State* lua, State& state) {
  push_globals(lua, state);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, state.chunk);
  lua_call(lua, 0, 0);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, state.environment);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, state.frozen);
  lua_setfield(lua, -2, "__newindex");
  lua_pop(lua, 1);
  push(lua, "on_row");
  lua_rawget(lua, -2);
}

int run_row(lua_State* lua) {
  State& state = state_of(lua);
  push_on_row(lua, state);
  push_change(lua);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, state.out);
  lua_call(lua, 2, 0);
  return 0;
}

int try_file(lua_State* lua) {
  push_on_row(lua, state_of(lua));
  return 1;
}

struct Source {
  std::string name;  // with "@" in front: of a file
  std::string_view text;
};
// Makes all that is kept.
int compile(lua_State* lua) {
  State& state = state_of(lua);
  const auto& source = *static_cast<const Source*>(lua_touserdata(lua, 1));
  push_library(lua);
  lua_createtable(lua, 0, 1);
  lua_insert(lua, -2);
  lua_setfield(lua, -2, "__index");
  state.library = luaL_ref(lua, LUA_REGISTRYINDEX);
  lua_pushcfunction(lua, refuse_global);
  state.frozen = luaL_ref(lua, LUA_REGISTRYINDEX);
  push_out(lua);
  state.out = luaL_ref(lua, LUA_REGISTRYINDEX);
  // "t": no bytecode, which could do anything.
  if (luaL_loadbufferx(lua, source.text.data(), source.text.size(), source.name.c_str(), "t") !=
      LUA_OK)
    return lua_error(lua);
  lua_createtable(lua, 0, 0);  // _ENV, empty always
  lua_createtable(lua, 0, 3);
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_pushvalue(lua, -1);
  state.environment = luaL_ref(lua, LUA_REGISTRYINDEX);
  lua_setmetatable(lua, -2);
  lua_setupvalue(lua, -2, 1);
  state.chunk = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

struct NewTable {
  const std::vector<Column>* columns = nullptr;
  int reference = LUA_NOREF;
};
int make_names(lua_State* lua) {
  auto& table = *static_cast<NewTable*>(lua_touserdata(lua, 1));
  lua_createtable(lua, static_cast<int>(table.columns->size()), 0);
  lua_Integer n = 0;
  for (const Column& c : *table.columns) {
    push(lua, c.name);
    lua_rawseti(lua, -2, ++n);
  }
  table.reference = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

// "rule.lua:7: ..."; what Lua says of its own C stack is without.
bool has_place(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && colon + 1 < text.size() && text[colon + 1] >= '0' &&
         text[colon + 1] <= '9';
}

// Without what would break a line of a log, and short, but for the middle of a character.
std::string clean(std::string_view text) {
  std::size_t size = std::min(text.size(), kLongestError);
  while (size < text.size() && size > 0 &&
         (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
    --size;
  std::string out(text.substr(0, size));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  return out;
}

}  // namespace

void fail_beyond_instructions(lua_State* lua) {
  lua_pushfstring(lua, "it takes more than %I instructions (limits.script_instructions)",
                  static_cast<LUAI_UACINT>(state_of(lua).limits.instructions));
  lua_error(lua);
  __builtin_unreachable();
}

void spend(lua_State* lua, std::uint64_t instructions) {
  State& state = state_of(lua);
  if (state.instructions_left < instructions) {
    state.instructions_left = 0;
    fail_beyond_instructions(lua);
  }
  state.instructions_left -= instructions;
  const auto now = std::chrono::steady_clock::now();
  if (state.deadline == std::chrono::steady_clock::time_point{}) {
    state.deadline = now + state.limits.time;
  } else if (now > state.deadline) {
    lua_pushfstring(lua, "it takes longer than %I ms (limits.script_time)",
                    static_cast<LUAI_UACINT>(state.limits.time.count()));
    lua_error(lua);
  }
}

struct Script::Impl {
  explicit Impl(std::string_view n, const Limits& limits) : name(n), state(limits) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (state.lua != nullptr) lua_close(state.lua);
  }

  // Calls it with `argument`, one result if `results`; nothing: it went well.  Leaves results only.
  std::optional<std::string> call(lua_CFunction function, void* argument, int results) {
    lua_State* const lua = state.lua;
    state.instructions_left = state.limits.instructions;
    state.deadline = {};
    state.refused_line = 0;
    state.written = 0;
    lua_sethook(lua, look, LUA_MASKCOUNT, kLookEvery);
    lua_settop(lua, 0);
    lua_pushcfunction(lua, on_error);
    lua_pushcfunction(lua, function);
    lua_pushlightuserdata(lua, argument);
    const int status = lua_pcall(lua, 1, results, 1);
    if (status == LUA_OK) return std::nullopt;
    std::string text;
    if (status == LUA_ERRMEM) {
      text = name;
      if (state.refused_line != 0) text.append(":").append(std::to_string(state.refused_line));
      text.append(": it takes more than ")
          .append(std::to_string(state.limits.memory))
          .append(" bytes of memory (limits.script_memory)");
    } else if (lua_type(lua, -1) == LUA_TSTRING) {
      text = clean(text_at(lua, -1));
      if (!has_place(text)) text.insert(0, name + ": ");
    } else {
      text = name + ": an error without a text";
    }
    lua_settop(lua, 0);
    if (status == LUA_ERRMEM) lua_gc(lua, LUA_GCCOLLECT);
    return text;
  }

  std::string name;
  State state;
};

Script::Script(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Script::Script(Script&&) noexcept = default;
Script& Script::operator=(Script&&) noexcept = default;
Script::~Script() = default;

Result<Script> Script::load(std::string_view name, std::string_view text, const Limits& limits) {
  auto impl = std::make_unique<Impl>(name, limits);
  impl->state.lua = lua_newstate(allocate, &impl->state);
  if (impl->state.lua == nullptr)
    return fatal(Errc::config_invalid, impl->name + ": no memory for a script");
  *static_cast<State**>(lua_getextraspace(impl->state.lua)) = &impl->state;
  Source source{"@" + impl->name, text};
  if (auto wrong = impl->call(compile, &source, 0))
    return fatal(Errc::config_invalid, std::move(*wrong));
  if (auto wrong = impl->call(try_file, nullptr, 1))
    return fatal(Errc::config_invalid, std::move(*wrong));
  const bool good = lua_isfunction(impl->state.lua, -1);
  lua_settop(impl->state.lua, 0);
  if (!good)
    return fatal(Errc::config_invalid, impl->name + ": it defines no function on_row(change, out)");
  return Script(std::move(impl));
}

Result<std::size_t> Script::add_table(const std::vector<Column>& columns) {
  NewTable table{&columns};
  if (auto wrong = impl_->call(make_names, &table, 0))
    return fatal(Errc::config_invalid, std::move(*wrong));
  State::Table made;
  made.names = table.reference;
  for (const Column& c : columns) made.kinds.push_back(c.kind);
  impl_->state.tables.push_back(std::move(made));
  return impl_->state.tables.size() - 1;
}

Status Script::run(std::size_t table, const Change& change, const Output& output) {
  State& state = impl_->state;
  state.change = &change;
  state.table = table;
  state.output = output;
  const std::size_t size = output.commands == nullptr ? 0 : output.commands->size();
  const std::uint64_t count = output.count == nullptr ? 0 : *output.count;
  const std::size_t keys = output.keys == nullptr ? 0 : output.keys->size();
  auto wrong = impl_->call(run_row, nullptr, 0);
  if (!wrong) return {};
  if (output.commands != nullptr) output.commands->truncate(size);
  if (output.count != nullptr) *output.count = count;
  if (output.keys != nullptr) output.keys->resize(keys);
  return Error{ErrorClass::poison, Errc::config_invalid, std::move(*wrong)};
}

}  // namespace sluice::script
