#include <gmock/gmock.h>

#include "scripts.h"

namespace sluice::script::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Command command_of(const std::string& body) {
  const Commands out = commands_of_body(body);
  EXPECT_EQ(out.size(), 1U) << body;
  return out.empty() ? Command() : out.front();
}

TEST(ScriptOut, WritesEachType) {
  EXPECT_EQ(command_of("out:hash('u:1', {name = 'ann', id = 1, half = 0.5})"),
            (Command{"HSET", "u:1", "half", "0.5", "id", "1", "name", "ann"}));
  EXPECT_EQ(command_of("out:hash_remove('u:1', 'a', 'b')"), (Command{"HDEL", "u:1", "a", "b"}));
  EXPECT_EQ(command_of("out:string('k', 'v')"), (Command{"SET", "k", "v"}));
  EXPECT_EQ(command_of("out:string('k', 2.0, {ttl = 1500})"),
            (Command{"SET", "k", "2", "PX", "1500"}));
  EXPECT_EQ(command_of("out:json('k', {b = {1, 'x', true}, a = 1.5, e = {}})"),
            (Command{"JSON.SET", "k", "$", R"({"a":1.5,"b":[1,"x",true],"e":{}})"}));
  EXPECT_EQ(command_of("out:set_add('k', 7)"), (Command{"SADD", "k", "7"}));
  EXPECT_EQ(command_of("out:set_remove('k', 7)"), (Command{"SREM", "k", "7"}));
  EXPECT_EQ(command_of("out:zset_add('k', 'm', 1.25)"), (Command{"ZADD", "k", "1.25", "m"}));
  EXPECT_EQ(command_of("out:zset_add('k', 'm', '12.50')"), (Command{"ZADD", "k", "12.50", "m"}));
  EXPECT_EQ(command_of("out:zset_remove('k', 'm')"), (Command{"ZREM", "k", "m"}));
  EXPECT_EQ(command_of("out:geo_add('k', 'm', 9.5, '48.1')"),
            (Command{"GEOADD", "k", "9.5", "48.1", "m"}));
  EXPECT_EQ(command_of("out:geo_remove('k', 'm')"), (Command{"ZREM", "k", "m"}));
  EXPECT_EQ(command_of("out:list_push('k', 'v')"), (Command{"LPUSH", "k", "v"}));
  EXPECT_EQ(command_of("out:stream_add('k', {b = 1, a = 2})"),
            (Command{"XADD", "k", "*", "a", "2", "b", "1"}));
  EXPECT_EQ(command_of("out:stream_add('k', {a = 2}, {max_length = 9})"),
            (Command{"XADD", "k", "MAXLEN", "~", "9", "*", "a", "2"}));
  EXPECT_EQ(command_of("out:count('k', -3)"), (Command{"INCRBY", "k", "-3"}));
  EXPECT_EQ(command_of("out:count_field('k', 'f', 3)"), (Command{"HINCRBY", "k", "f", "3"}));
  EXPECT_EQ(command_of("out:publish('c', 'm')"), (Command{"PUBLISH", "c", "m"}));
  EXPECT_EQ(command_of("out:expire('k', 1000)"), (Command{"PEXPIRE", "k", "1000"}));
  EXPECT_EQ(command_of("out:delete('k')"), (Command{"UNLINK", "k"}));
  EXPECT_EQ(command_of("out:invalidate('k')"), (Command{"UNLINK", "k"}));
}

TEST(ScriptOut, FansOutInOrder) {
  EXPECT_EQ(commands_of_body("out:list_push('k', 'v', {max_length = 5})\nout:count('n', 1)"),
            (Commands{{"LPUSH", "k", "v"}, {"LTRIM", "k", "0", "4"}, {"INCRBY", "n", "1"}}));
}

TEST(ScriptOut, MayWriteNothing) {
  EXPECT_TRUE(commands_of_body("if change.row.id > 0 then return end\nout:delete('k')").empty());
  EXPECT_TRUE(commands_of_body("out:count('k', 0)\nout:count_field('k', 'f', 0)").empty());
}

TEST(ScriptOut, TakesBytesAsTheyAre) {
  EXPECT_EQ(command_of("out:string('k\\0\\xff', '\\r\\n')"),
            (Command{"SET", std::string("k\0\xff", 3), "\r\n"}));
}

TEST(ScriptOut, NumbersAreAsShortAsTheyAreExact) {
  EXPECT_EQ(command_of("out:string('k', 9007199254740993)")[2], "9007199254740993");
  EXPECT_EQ(command_of("out:string('k', 0.1)")[2], "0.1");
  EXPECT_EQ(command_of("out:string('k', 1e100)")[2], "1e+100");
  EXPECT_EQ(command_of("out:string('k', math.mininteger)")[2], "-9223372036854775808");
}

TEST(ScriptOut, RefusesWhatFitsNot) {
  const auto refused = [](const std::string& body) { return error_of(body).substr(12); };
  EXPECT_EQ(refused("out:hash(nil, {a = 1})"), "hash: the key is nil, not text or a number");
  EXPECT_EQ(refused("out:hash('', {a = 1})"), "hash: the key is empty");
  EXPECT_EQ(refused("out:hash('sluice:main:p4:0', {a = 1})"),
            "hash: the key begins with sluice:, as Sluice's own do");
  EXPECT_EQ(refused("out:hash('k', 'v')"),
            "hash: the second argument is string, not a table of fields");
  EXPECT_EQ(refused("out:hash('k', {})"), "hash: there are no fields");
  EXPECT_EQ(refused("out:hash('k', {1})"), "hash: a field's name is a number, not text");
  EXPECT_EQ(refused("out:hash('k', {a = true})"),
            "hash: field a is a boolean, not text or a number");
  EXPECT_EQ(refused("out:hash('k')"), "hash: it is called with another number of arguments");
  EXPECT_EQ(refused("out.hash('k', {a = 1})"), "hash: is called with a colon: out:hash");
  EXPECT_EQ(refused("out:string('k', change.row.nothing)"),
            "string: the value is nil, not text or a number");
  EXPECT_EQ(refused("out:string('k', {})"), "string: the value is table, not text or a number");
  EXPECT_EQ(refused("out:string('k', 0/0)"), "string: the value is number, not text or a number");
  EXPECT_EQ(refused("out:string('k', 'v', {tll = 5})"), "string: the only option is ttl");
  EXPECT_EQ(refused("out:string('k', 'v', {ttl = 0})"),
            "string: ttl is no whole number above 0, or too large");
  EXPECT_EQ(refused("out:string('k', 'v', {ttl = '5'})"),
            "string: ttl is no whole number above 0, or too large");
  EXPECT_EQ(refused("out:string('k', 'v', 5)"),
            "string: the last argument is number, not a table of options");
  EXPECT_EQ(refused("out:zset_add('k', 'm', 'high')"),
            "zset_add: the score is string, not a number");
  EXPECT_EQ(refused("out:zset_add('k', 'm', 'inf')"),
            "zset_add: the score is string, not a number");
  EXPECT_EQ(refused("out:zset_add('k', 'm', '0x10')"),
            "zset_add: the score is string, not a number");
  EXPECT_EQ(refused("out:geo_add('k', 'm', 181, 0)"), "geo_add: the longitude is out of range");
  EXPECT_EQ(refused("out:geo_add('k', 'm', 0, -86)"), "geo_add: the latitude is out of range");
  EXPECT_EQ(refused("out:count('k', 1.5)"), "count: the amount is number, not a whole number");
  EXPECT_EQ(refused("out:count('k', '1')"), "count: the amount is string, not a whole number");
  EXPECT_EQ(refused("out:count('k', nil)"), "count: the amount is nil, not a whole number");
  EXPECT_EQ(refused("out:set_remove('k', 'a', {})"),
            "set_remove: a member is table, not text or a number");
  EXPECT_EQ(refused("out:expire('k', 0)"),
            "expire: the time is not above 0, or longer than ten years");
  EXPECT_EQ(refused("out:json('k', {a = out})"), "json: JSON has no userdata");
  EXPECT_EQ(refused("out:json('k', {1, a = 2})"),
            "json: a table for JSON has names, or the indexes 1 to n, not both or holes");
  EXPECT_EQ(refused("out:json('k', '\\xff')"), "json: bytes that are no text in UTF-8");
}

TEST(ScriptOut, OfARowIsWholeOrNothing) {
  EXPECT_EQ(error_of("out:count('n', 1)\nout:hash('k', {a = 1})\nerror('late')"),
            "rule.lua:4: late");
  EXPECT_EQ(error_of("out:count('n', 1)\nout:set_remove('k', 'a', false)"),
            "rule.lua:3: set_remove: a member is boolean, not text or a number");
}

constexpr const char* kAll = R"(
function on_row(change, out)
  out:hash('h', {a = 1})
  out:string('s', 1)
  out:zset_add('z', 'm', 1)
  out:delete('d')
  out:list_push('l', 1, {max_length = 2})
  out:stream_add('x', {a = 1})
  out:count('c', 1)
  out:count_field('cf', 'f', 1)
  out:publish('p', 1)
end
)";

TEST(ScriptOut, WritesOnceMoreOnlyWhatMayBe) {
  const Table table = user_table();
  Scripted script(kAll);
  EXPECT_EQ(
      script.again(table.insert({"1", "a"})),
      (Commands{
          {"HSET", "h", "a", "1"}, {"SET", "s", "1"}, {"ZADD", "z", "1", "m"}, {"UNLINK", "d"}}));
}

TEST(ScriptOut, RefusesOnAClusterWhatMayNotBeDoneTwice) {
  const Table table = user_table();
  for (const std::string call : {"list_push('l', 1)", "stream_add('x', {a = 1})", "count('c', 1)",
                                 "count_field('cf', 'f', 1)", "publish('p', 1)"}) {
    Scripted script("function on_row(change, out)\nout:set_add('s', 1)\nout:" + call + "\nend\n");
    const std::string name = call.substr(0, call.find('('));
    EXPECT_THAT(script.error_on_cluster(table.insert({"1", "a"})),
                HasSubstr("rule.lua:3: " + name + ": Redis may be told so twice"));
    EXPECT_EQ(script(table.insert({"1", "a"})).size(), 2u) << call;
  }
}

TEST(ScriptOut, TellsItsKeysAndTheirTypes) {
  const Table table = user_table();
  Scripted script(kAll);
  EXPECT_THAT(
      script.keys(table.insert({"1", "a"})),
      ElementsAre("hash h", " s", "zset z", " d", "list l", "stream x", "string c", "hash cf"));
}

TEST(ScriptJson, Encodes) {
  EXPECT_EQ(value_of("json.encode({name = 'a\"b', list = {1, 2.5, 'x'}, none = {}, yes = true})"),
            R"({"list":[1,2.5,"x"],"name":"a\"b","none":{},"yes":true})");
  EXPECT_EQ(value_of("json.encode(nil)"), "null");
  EXPECT_EQ(value_of("json.encode({{{a = {}}}})"), R"([[{"a":{}}]])");
}

}  // namespace
}  // namespace sluice::script::testing
