// What on_row() is given to write with: `out:hash(key, fields)` and the like.  Every call appends
// whole commands, as the mappings of the same name would.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "sluice/redis/resp.h"

#include "script/state.h"

namespace sluice::script {
namespace {

constexpr std::string_view kOwnPrefix = "sluice:";
constexpr lua_Integer kLongestTtl = 315'360'000'000;  // ms: ten years
constexpr lua_Integer kLongestLog = 1'000'000'000;
constexpr double kNorthmost = 85.05112878;  // of Redis' index
constexpr std::uint64_t kWordCost = 32;     // bytes that a word takes beside its own

// One call of a method, at the script's line.  Nothing to destroy.
class Call {
 public:
  Call(lua_State* lua, const char* name, int least, int most) : lua_(lua), name_(name) {
    const State& state = state_of(lua);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, state.out);
    const bool method = lua_rawequal(lua, 1, -1) != 0;
    lua_pop(lua, 1);
    if (!method) refuse("is called with a colon: out:", name);
    const int given = lua_gettop(lua) - 1;
    if (given < least || (most >= 0 && given > most))
      refuse("it is called with another number of arguments");
  }

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(lua_, name_, ": ", parts...);
  }

  // Argument n, from 1: a text, or a number as text.
  Text text(int n, const char* what) const {
    Text out;
    if (!read_text(lua_, n + 1, out)) refuse_type(n, what, "text or a number");
    return out;
  }
  Text key(int n = 1) const {
    const Text out = text(n, "the key");
    if (out.view().empty()) refuse("the key is empty");
    if (out.view().starts_with(kOwnPrefix))
      refuse("the key begins with sluice:, as Sluice's own do");
    return out;
  }
  lua_Integer integer(int n, const char* what) const {
    int good = 0;
    const lua_Integer out = lua_tointegerx(lua_, n + 1, &good);
    if (good == 0 || lua_type(lua_, n + 1) != LUA_TNUMBER) refuse_type(n, what, "a whole number");
    return out;
  }
  // A number, or the text of one, such as a DECIMAL's; its digits as they are.
  Text number(int n, const char* what, double most) const {
    const Text out = text(n, what);
    const std::string_view digits = out.view();
    double value = 0;
    const bool decimal = digits.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
    const auto [at, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (!decimal || failed != std::errc{} || at != digits.data() + digits.size())
      refuse_type(n, what, "a number");
    if (std::abs(value) > most) refuse(what, " is out of range");
    return out;
  }
  // The one option that the table at argument n may have; 0: it is not given.
  lua_Integer option(int n, const char* option, lua_Integer most) const {
    if (lua_isnoneornil(lua_, n + 1)) return 0;
    if (!lua_istable(lua_, n + 1)) refuse_type(n, "the last argument", "a table of options");
    lua_pushnil(lua_);
    while (lua_next(lua_, n + 1) != 0) {
      lua_pop(lua_, 1);
      if (lua_type(lua_, -1) != LUA_TSTRING || text_at(lua_, -1) != option)
        refuse("the only option is ", option);
    }
    lua_getfield(lua_, n + 1, option);
    int good = 0;
    const lua_Integer out = lua_tointegerx(lua_, -1, &good);
    if (lua_isnil(lua_, -1)) return 0;
    if (good == 0 || lua_type(lua_, -1) != LUA_TNUMBER || out < 1 || out > most)
      refuse(option, " is no whole number above 0, or too large");
    lua_pop(lua_, 1);
    return out;
  }
  // The members of the table at argument n, in the order of their names.
  const std::vector<NamedText>& fields(int n) const {
    if (!lua_istable(lua_, n + 1)) refuse_type(n, "the second argument", "a table of fields");
    auto& out = state_of(lua_).fields;
    out.clear();
    lua_pushnil(lua_);
    while (lua_next(lua_, n + 1) != 0) {
      NamedText field;
      if (lua_type(lua_, -2) != LUA_TSTRING)
        refuse("a field's name is a ", luaL_typename(lua_, -2), ", not text");
      field.name = text_at(lua_, -2);
      if (!read_text(lua_, -1, field.value))
        refuse("field ", field.name, " is a ", luaL_typename(lua_, -1), ", not text or a number");
      out.push_back(field);
      lua_pop(lua_, 1);
    }
    if (out.empty()) refuse("there are no fields");
    std::sort(out.begin(), out.end(),
              [](const NamedText& a, const NamedText& b) { return a.name < b.name; });
    return out;
  }

  // Whether what twice would be wrong is to be done now.
  bool may_do_once() const {
    const Output& output = state_of(lua_).output;
    if (output.refuses_once)
      refuse(
          "Redis may be told so twice after a failure (a Redis Cluster, or applier.on_refused: "
          "stop); script_inexact: true of the table's entry takes it all the same");
    return !output.repeatable_only;
  }
  // A key that is written to.  `once`: twice would be wrong; false then, where it may be.
  bool writes(std::string_view key, std::string_view type, bool once = false) const {
    const Output& output = state_of(lua_).output;
    if (once && !may_do_once()) return false;
    if (output.keys != nullptr) {
      cost(key.size());
      output.keys->push_back({std::string(key), type});
    }
    return output.commands != nullptr;
  }
  void begin(std::size_t words, std::string_view command) const {
    const Output& output = state_of(lua_).output;
    TextBuffer& out = *output.commands;
    out.commit_to(redis::write_head(out.room(redis::kHeadRoom), '*', words));
    ++*output.count;
    word(command);
  }
  void word(std::string_view text) const {
    cost(text.size());
    TextBuffer& out = *state_of(lua_).output.commands;
    out.commit_to(redis::write_bulk(out.room(text.size() + redis::kBulkRoom), text));
  }
  void command(std::initializer_list<std::string_view> words) const {
    begin(words.size(), *words.begin());
    for (const auto* w = words.begin() + 1; w != words.end(); ++w) word(*w);
  }
  // The texts from argument n to the last.
  void words(int n) const {
    for (const int last = lua_gettop(lua_) - 1; n <= last; ++n) word(text(n, "a member").view());
  }
  std::size_t arguments() const { return static_cast<std::size_t>(lua_gettop(lua_)) - 1; }
  lua_State* lua() const { return lua_; }

 private:
  [[noreturn]] void refuse_type(int n, const char* what, const char* wanted) const {
    refuse(what, " is ", lua_isnoneornil(lua_, n + 1) ? "nil" : luaL_typename(lua_, n + 1),
           ", not ", wanted);
  }
  void cost(std::size_t bytes) const {
    State& state = state_of(lua_);
    state.written += bytes + kWordCost;
    if (state.written > state.limits.memory)
      refuse("the row's commands are longer than limits.script_memory");
  }
  lua_State* lua_;
  const char* name_;
};

// A number as a word.
class Digits {
 public:
  explicit Digits(lua_Integer n)
      : size_(static_cast<std::size_t>(write_int(text_.data(), n) - text_.data())) {}
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, 24> text_{};
  std::size_t size_;
};

int out_hash(lua_State* lua) {
  const Call call(lua, "hash", 2, 2);
  const Text key = call.key();
  const auto& fields = call.fields(2);
  if (!call.writes(key.view(), "hash")) return 0;
  call.begin(2 + 2 * fields.size(), "HSET");
  call.word(key.view());
  for (const NamedText& field : fields) {
    call.word(field.name);
    call.word(field.value.view());
  }
  return 0;
}

int out_string(lua_State* lua) {
  const Call call(lua, "string", 2, 3);
  const Text key = call.key();
  const Text value = call.text(2, "the value");
  const lua_Integer ttl = call.option(3, "ttl", kLongestTtl);
  if (!call.writes(key.view(), "")) return 0;  // SET takes every type
  if (ttl == 0)
    call.command({"SET", key.view(), value.view()});
  else
    call.command({"SET", key.view(), value.view(), "PX", Digits(ttl).view()});
  return 0;
}

int out_json(lua_State* lua) {
  const Call call(lua, "json", 2, 2);
  const Text key = call.key();
  TextBuffer& document = state_of(lua).work;
  document.clear();
  append_json(lua, 3, "json", document);
  if (call.writes(key.view(), "ReJSON-RL"))
    call.command({"JSON.SET", key.view(), "$", document.view()});
  return 0;
}

int out_set_add(lua_State* lua) {
  const Call call(lua, "set_add", 2, 2);
  const Text key = call.key();
  const Text member = call.text(2, "the member");
  if (call.writes(key.view(), "set")) call.command({"SADD", key.view(), member.view()});
  return 0;
}

int out_zset_add(lua_State* lua) {
  const Call call(lua, "zset_add", 3, 3);
  const Text key = call.key();
  const Text member = call.text(2, "the member");
  const Text score = call.number(3, "the score", HUGE_VAL);
  if (call.writes(key.view(), "zset"))
    call.command({"ZADD", key.view(), score.view(), member.view()});
  return 0;
}

int out_geo_add(lua_State* lua) {
  const Call call(lua, "geo_add", 4, 4);
  const Text key = call.key();
  const Text member = call.text(2, "the member");
  const Text longitude = call.number(3, "the longitude", 180);
  const Text latitude = call.number(4, "the latitude", kNorthmost);
  if (call.writes(key.view(), "zset"))
    call.command({"GEOADD", key.view(), longitude.view(), latitude.view(), member.view()});
  return 0;
}

// Members or fields of a key: all arguments behind it.
int remove(lua_State* lua, const char* name, std::string_view command, std::string_view type) {
  const Call call(lua, name, 2, -1);
  const Text key = call.key();
  if (!call.writes(key.view(), type)) return 0;
  call.begin(1 + call.arguments(), command);
  call.word(key.view());
  call.words(2);
  return 0;
}
int out_hash_remove(lua_State* lua) {
  return remove(lua, "hash_remove", "HDEL", "hash");
}
int out_set_remove(lua_State* lua) {
  return remove(lua, "set_remove", "SREM", "set");
}
int out_zset_remove(lua_State* lua) {
  return remove(lua, "zset_remove", "ZREM", "zset");
}
int out_geo_remove(lua_State* lua) {
  return remove(lua, "geo_remove", "ZREM", "zset");
}

int out_list_push(lua_State* lua) {
  const Call call(lua, "list_push", 2, 3);
  const Text key = call.key();
  const Text element = call.text(2, "the element");
  const lua_Integer most = call.option(3, "max_length", kLongestLog);
  if (!call.writes(key.view(), "list", true)) return 0;
  call.command({"LPUSH", key.view(), element.view()});
  if (most != 0) call.command({"LTRIM", key.view(), "0", Digits(most - 1).view()});
  return 0;
}

int out_stream_add(lua_State* lua) {
  const Call call(lua, "stream_add", 2, 3);
  const Text key = call.key();
  const lua_Integer most = call.option(3, "max_length", kLongestLog);
  const auto& fields = call.fields(2);
  if (!call.writes(key.view(), "stream", true)) return 0;
  call.begin(3 + (most == 0 ? 0U : 3U) + 2 * fields.size(), "XADD");
  call.word(key.view());
  if (most != 0) {
    call.word("MAXLEN");
    call.word("~");
    call.word(Digits(most).view());
  }
  call.word("*");
  for (const NamedText& field : fields) {
    call.word(field.name);
    call.word(field.value.view());
  }
  return 0;
}

int out_count(lua_State* lua) {
  const Call call(lua, "count", 2, 2);
  const Text key = call.key();
  const lua_Integer by = call.integer(2, "the amount");
  if (call.writes(key.view(), "string", true) && by != 0)
    call.command({"INCRBY", key.view(), Digits(by).view()});
  return 0;
}

int out_count_field(lua_State* lua) {
  const Call call(lua, "count_field", 3, 3);
  const Text key = call.key();
  const Text field = call.text(2, "the field");
  const lua_Integer by = call.integer(3, "the amount");
  if (call.writes(key.view(), "hash", true) && by != 0)
    call.command({"HINCRBY", key.view(), field.view(), Digits(by).view()});
  return 0;
}

int out_publish(lua_State* lua) {
  const Call call(lua, "publish", 2, 2);
  const Text channel = call.text(1, "the channel");
  const Text message = call.text(2, "the message");
  const Output& output = state_of(lua).output;
  if (call.may_do_once() && output.commands != nullptr)
    call.command({"PUBLISH", channel.view(), message.view()});
  return 0;
}

int out_expire(lua_State* lua) {
  const Call call(lua, "expire", 2, 2);
  const Text key = call.key();
  const lua_Integer ttl = call.integer(2, "the time");
  if (ttl < 1 || ttl > kLongestTtl)
    call.refuse("the time is not above 0, or longer than ten years");
  if (call.writes(key.view(), "")) call.command({"PEXPIRE", key.view(), Digits(ttl).view()});
  return 0;
}

int remove_key(lua_State* lua, const char* name) {
  const Call call(lua, name, 1, 1);
  const Text key = call.key();
  if (call.writes(key.view(), "")) call.command({"UNLINK", key.view()});
  return 0;
}
int out_delete(lua_State* lua) {
  return remove_key(lua, "delete");
}
int out_invalidate(lua_State* lua) {
  return remove_key(lua, "invalidate");
}

}  // namespace

void push_out(lua_State* lua) {
  constexpr std::array<luaL_Reg, 19> kMethods{{{"hash", out_hash},
                                               {"hash_remove", out_hash_remove},
                                               {"string", out_string},
                                               {"json", out_json},
                                               {"set_add", out_set_add},
                                               {"set_remove", out_set_remove},
                                               {"zset_add", out_zset_add},
                                               {"zset_remove", out_zset_remove},
                                               {"geo_add", out_geo_add},
                                               {"geo_remove", out_geo_remove},
                                               {"list_push", out_list_push},
                                               {"stream_add", out_stream_add},
                                               {"count", out_count},
                                               {"count_field", out_count_field},
                                               {"publish", out_publish},
                                               {"expire", out_expire},
                                               {"delete", out_delete},
                                               {"invalidate", out_invalidate},
                                               {nullptr, nullptr}}};
  lua_newuserdatauv(lua, 0, 0);
  lua_createtable(lua, 0, 2);
  lua_createtable(lua, 0, static_cast<int>(kMethods.size()));
  luaL_setfuncs(lua, kMethods.data(), 0);
  lua_setfield(lua, -2, "__index");
  lua_pushboolean(lua, 0);
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
}

}  // namespace sluice::script
