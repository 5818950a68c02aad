#include <gmock/gmock.h>

#include "scripts.h"

namespace sluice::script::testing {
namespace {

// "key=type:value" of a row, in the order of the names.
constexpr const char* kShow = R"(
local function show(row)
  if row == nil then return 'nil' end
  local names = {}
  for name in pairs(row) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do names[i] = name .. '=' .. (math.type(row[name]) or type(row[name])) .. ':' .. row[name] end
  return table.concat(names, ' ')
end
function on_row(change, out)
  out:publish(change.type, show(change.row))
  out:publish('old', show(change.old))
  out:publish('from', change.schema .. ' ' .. change.table .. ' ' .. change.id .. ' ' .. change.ts)
end
)";

const std::vector<Column>& columns() {
  static const std::vector<Column> all{{"n", ValueKind::integer}, {"r", ValueKind::real}, {"t"}};
  return all;
}
Table table() {
  return Table({{"n", "bigint unsigned"}, {"r", "double"}, {"t", "varbinary(9)"}}, {"n"});
}

TEST(ScriptRow, OfAnInsert) {
  Scripted script(kShow, {}, columns());
  EXPECT_EQ(script(table().insert({"7", "1.5", "x"})),
            (Commands{{"PUBLISH", "insert", "n=integer:7 r=float:1.5 t=string:x"},
                      {"PUBLISH", "old", "nil"},
                      {"PUBLISH", "from", "shop user 1.2.3.4.7.0 1700000000123"}}));
}

TEST(ScriptRow, OfAnUpdateHasTheWholeOldRow) {
  Scripted script(kShow, {}, columns());
  const Commands out = script(table().update({"7", "1.5", "x"}, {"7", "1.5", "y"}));
  EXPECT_EQ(out[0], (Command{"PUBLISH", "update", "n=integer:7 r=float:1.5 t=string:y"}));
  EXPECT_EQ(out[1], (Command{"PUBLISH", "old", "n=integer:7 r=float:1.5 t=string:x"}));
}

TEST(ScriptRow, OfADeleteIsTheOneThatIsGone) {
  Scripted script(kShow, {}, columns());
  const Commands out = script(table().remove({"7", "1.5", "x"}));
  EXPECT_EQ(out[0], (Command{"PUBLISH", "delete", "n=integer:7 r=float:1.5 t=string:x"}));
  EXPECT_EQ(out[1], (Command{"PUBLISH", "old", "n=integer:7 r=float:1.5 t=string:x"}));
}

TEST(ScriptRow, ValuesAreExact) {
  Scripted script(kShow, {}, columns());
  const auto shown = [&](const std::vector<Value>& values) {
    return script(table().insert(values))[0][2];
  };
  EXPECT_EQ(shown({"9223372036854775807", "0", ""}),
            "n=integer:9223372036854775807 r=float:0.0 t=string:");
  EXPECT_EQ(shown({"18446744073709551615", "-1e300", "a"}),
            "n=string:18446744073709551615 r=float:-1e+300 t=string:a");
  EXPECT_EQ(shown({"-9223372036854775808", std::nullopt, std::nullopt}),
            "n=integer:-9223372036854775808");
  EXPECT_EQ(shown({"007", "12abc", std::string("\0\xff\n", 3)}),
            "n=integer:7 r=string:12abc t=string:" + std::string("\0\xff\n", 3));
}

TEST(ScriptRow, NullIsNil) {
  Scripted script(
      "function on_row(change, out)\n  out:publish('c', tostring(change.row.t == nil))\nend", {},
      columns());
  EXPECT_EQ(script(table().insert({"1", "1", std::nullopt})), (Commands{{"PUBLISH", "c", "true"}}));
  EXPECT_EQ(script(table().insert({"1", "1", ""})), (Commands{{"PUBLISH", "c", "false"}}));
}

TEST(ScriptRow, TablesHaveTheirOwnColumns) {
  auto script =
      Script::load("rule.lua",
                   "function on_row(change, out)\n"
                   "  for name, value in pairs(change.row) do out:hash('k', {[name] = value}) end\n"
                   "end\n",
                   {})
          .value();
  const std::size_t one = script.add_table({{"a", ValueKind::integer}}).value();
  const std::size_t two = script.add_table({{"b"}}).value();
  const Table table({{"a", "int"}}, {});
  const ChangeView view = table.insert({"07"});
  const std::vector<const ChangeView::Field*> image{&view.fields[0]};
  TextBuffer text;
  std::uint64_t count = 0;
  Output output;
  output.commands = &text;
  output.count = &count;
  ASSERT_TRUE(script.run(one, {view, view.rows[0], {}, image}, output).ok());
  ASSERT_TRUE(script.run(two, {view, view.rows[0], {}, image}, output).ok());
  EXPECT_EQ(mapping::testing::commands_of(text.view()),
            (Commands{{"HSET", "k", "a", "7"}, {"HSET", "k", "b", "07"}}));
}

}  // namespace
}  // namespace sluice::script::testing
