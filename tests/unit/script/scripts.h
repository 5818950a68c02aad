#pragma once
// Scripts and what they make of a row.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/script/script.h"

#include "unit/mapping/maps.h"

namespace sluice::script::testing {

using mapping::testing::Command;
using mapping::testing::Commands;
using mapping::testing::Table;
using mapping::testing::Value;

// Runs a script on rows of one table.
class Scripted {
 public:
  explicit Scripted(const std::string& text, const Limits& limits = {},
                    const std::vector<Column>& columns = {{"id", ValueKind::integer}, {"name"}})
      : columns_(columns.size()) {
    auto made = Script::load("rule.lua", text, limits);
    if (!made) {
      ADD_FAILURE() << to_string(made.error());
      return;
    }
    script_.emplace(std::move(made).value());
    table_ = script_->add_table(columns).value();
  }

  Commands operator()(const ChangeView& view) {
    const auto [status, commands] = run(view);
    EXPECT_TRUE(status.ok()) << to_string(status.error());
    return commands;
  }
  // Its text, when nothing was written.
  std::string error(const ChangeView& view) {
    const auto [status, commands] = run(view);
    EXPECT_TRUE(commands.empty());
    if (status.ok()) return "it went well";
    EXPECT_EQ(status.error().cls, ErrorClass::poison);
    EXPECT_EQ(status.error().code, Errc::config_invalid);
    return status.error().what;
  }
  Commands again(const ChangeView& view) {
    repeatable_only_ = true;
    Commands out = (*this)(view);
    repeatable_only_ = false;
    return out;
  }
  // Its text, on a cluster.
  std::string error_on_cluster(const ChangeView& view) {
    refuses_once_ = true;
    std::string out = error(view);
    refuses_once_ = false;
    return out;
  }
  // "TYPE KEY"
  std::vector<std::string> keys(const ChangeView& view) {
    std::vector<WrittenKey> keys;
    Output output;
    output.keys = &keys;
    EXPECT_TRUE(run(view, output).ok());
    std::vector<std::string> out;
    for (const WrittenKey& k : keys) out.push_back(std::string(k.type) + " " + k.key);
    return out;
  }

 private:
  Status run(const ChangeView& view, const Output& output) {
    std::vector<const ChangeView::Field*> after(columns_), before(columns_);
    const ChangeView::Row& row = view.rows.front();
    for (const auto& f : view.data(row)) after[f.column] = before[f.column] = &f;
    for (const auto& f : view.old(row)) before[f.column] = &f;
    const bool was = view.kind != ChangeKind::insert;
    const bool is = view.kind != ChangeKind::remove;
    return script_->run(
        table_, {view, row, was ? Image(before) : Image(), is ? Image(after) : Image()}, output);
  }
  std::pair<Status, Commands> run(const ChangeView& view) {
    TextBuffer out;
    std::uint64_t count = 3;
    out.append("before");
    Output output;
    output.commands = &out;
    output.count = &count;
    output.repeatable_only = repeatable_only_;
    output.refuses_once = refuses_once_;
    Status status = run(view, output);
    EXPECT_TRUE(out.view().starts_with("before"));
    Commands commands = mapping::testing::commands_of(out.view().substr(6));
    EXPECT_EQ(count, 3 + commands.size());
    return {std::move(status), std::move(commands)};
  }
  std::size_t columns_;
  std::optional<Script> script_;
  std::size_t table_ = 0;
  bool repeatable_only_ = false, refuses_once_ = false;
};

inline Table user_table() {
  return Table({{"id", "int"}, {"name", "varchar(20)"}}, {"id"});
}
// What on_row() with this body says of a row (1, "ann"): its error.
inline std::string error_of(const std::string& body, const Limits& limits = {}) {
  const Table table = user_table();
  return Scripted("function on_row(change, out)\n" + body + "\nend\n", limits)
      .error(table.insert({"1", "ann"}));
}
// What it writes.
inline Commands commands_of_body(const std::string& body) {
  const Table table = user_table();
  return Scripted("function on_row(change, out)\n" + body + "\nend\n")(table.insert({"1", "ann"}));
}
// The text that an expression is.
inline std::string value_of(const std::string& expression) {
  const Commands out = commands_of_body("out:publish('c', tostring(" + expression + "))");
  return out.empty() ? "nothing" : out.front().back();
}
inline std::string load_error(const std::string& text, const Limits& limits = {}) {
  const auto made = Script::load("rule.lua", text, limits);
  if (made.ok()) return "it was taken";
  EXPECT_EQ(made.error().cls, ErrorClass::fatal);
  EXPECT_EQ(made.error().code, Errc::config_invalid);
  return made.error().what;
}

}  // namespace sluice::script::testing
