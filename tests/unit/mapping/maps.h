#pragma once
// Rows of one table, and the commands that a configuration makes of them.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/config/load.h"
#include "sluice/mapping/mapper.h"

namespace sluice::mapping::testing {

using Command = std::vector<std::string>;
using Commands = std::vector<Command>;
using Value = std::optional<std::string>;

// The commands in `resp`, word by word.
inline Commands commands_of(std::string_view resp) {
  Commands out;
  const auto number = [&resp](char kind) {
    EXPECT_EQ(resp.front(), kind);
    const std::size_t end = resp.find("\r\n");
    const std::size_t n = std::stoul(std::string(resp.substr(1, end - 1)));
    resp.remove_prefix(end + 2);
    return n;
  };
  while (!resp.empty()) {
    Command command;
    for (std::size_t words = number('*'); words > 0; --words) {
      const std::size_t size = number('$');
      command.emplace_back(resp.substr(0, size));
      EXPECT_EQ(resp.substr(size, 2), "\r\n");
      resp.remove_prefix(size + 2);
    }
    out.push_back(std::move(command));
  }
  return out;
}

// The options of a configuration whose first `tables` entry has these mappings (YAML of a list's
// entries in flow style).
inline std::unique_ptr<Options> options_of(const std::string& mappings,
                                           const std::string& more = "") {
  const std::string text =
      "tables: [{match: 'shop\\.user', mappings: [" + mappings + "]" + more + "}]\n";
  LoadResult loaded = load_text(text, "test.yaml", [](const std::string&) { return std::nullopt; });
  for (const Problem& p : loaded.problems) ADD_FAILURE() << p.to_string();
  return std::move(loaded.options);
}

// shop.user, whose columns are (name, type).
class Table {
 public:
  Table(std::vector<std::pair<std::string, std::string>> columns, std::vector<std::string> key,
        std::uint64_t id = 1)
      : key_(std::move(key)) {
    shown_.id = id;
    for (auto& [name, type] : columns) {
      const bool binary = type.find("binary") != std::string::npos || type == "blob";
      shown_.columns.push_back({std::move(name), std::move(type), binary});
    }
  }
  // A line with one row.  Values as of all columns, in their order.
  ChangeView insert(const std::vector<Value>& values) const {
    return make(ChangeKind::insert, values, nullptr);
  }
  ChangeView remove(const std::vector<Value>& values) const {
    return make(ChangeKind::remove, values, nullptr);
  }
  ChangeView update(const std::vector<Value>& before, const std::vector<Value>& after) const {
    return make(ChangeKind::update, after, &before);
  }

 private:
  ChangeView make(ChangeKind kind, const std::vector<Value>& values,
                  const std::vector<Value>* before) const {
    EXPECT_EQ(values.size(), shown_.columns.size());
    ChangeView v;
    v.kind = kind;
    v.database = "shop";
    v.table = "user";
    v.es_ms = 1'700'000'000'123;
    v.seq = {1, 2, 3, 4, 0};
    v.shown = &shown_;
    v.pk_names.assign(key_.begin(), key_.end());
    ChangeView::Row row;
    row.index = 7;
    for (std::uint16_t n = 0; n < values.size(); ++n) add(v, n, values[n]);
    row.data_end = row.old_begin = static_cast<std::uint32_t>(v.fields.size());
    for (std::uint16_t n = 0; before != nullptr && n < values.size(); ++n)
      if ((*before)[n] != values[n]) add(v, n, (*before)[n]);
    row.old_end = static_cast<std::uint32_t>(v.fields.size());
    v.rows = {row};
    return v;
  }
  // Views into the texts that the test gave: they outlive the view in one expression only, so they
  // are kept.
  void add(ChangeView& v, std::uint16_t n, const Value& value) const {
    texts_.push_back(std::make_unique<std::string>(value.value_or("")));
    v.fields.push_back(
        {shown_.columns[n].name, *texts_.back(), !value, shown_.columns[n].binary, n});
  }
  ChangeView::Shown shown_;
  std::vector<std::string> key_;
  mutable std::vector<std::unique_ptr<std::string>> texts_;
};

// A mapper of one configuration.
class Maps {
 public:
  explicit Maps(const std::string& mappings, const std::string& more = "",
                const Clock& clock = system_clock())
      : Maps(options_of(mappings, more), clock) {}
  explicit Maps(std::unique_ptr<Options> options, const Clock& clock = system_clock())
      : options_(std::move(options)), mapper_(*options_, clock) {}

  Commands operator()(const ChangeView& view) {
    TextBuffer out;
    CommandCounts counts;
    const Status s = mapper_.append(view, view.rows.front(), out, counts);
    EXPECT_TRUE(s.ok()) << to_string(s.error());
    Commands commands = commands_of(out.view());
    EXPECT_EQ(counts.commands, commands.size());
    return commands;
  }
  // The error, and that nothing was appended.
  Error refusal(const ChangeView& view) {
    TextBuffer out;
    CommandCounts counts;
    const Status s = mapper_.append(view, view.rows.front(), out, counts);
    EXPECT_TRUE(out.empty());
    EXPECT_EQ(counts.commands, 0U);
    if (!s.ok()) return s.error();
    ADD_FAILURE() << "it was taken";
    return {};
  }
  // "TYPE KEY" of the keys that the row is written to.
  std::vector<std::string> keys(const ChangeView& view) {
    std::vector<TouchedKey> keys;
    EXPECT_TRUE(mapper_.append_keys(view, view.rows.front(), keys).ok());
    std::vector<std::string> out;
    for (const TouchedKey& k : keys) out.push_back(std::string(k.type) + " " + k.key);
    return out;
  }
  Mapper& mapper() { return mapper_; }

 private:
  std::unique_ptr<Options> options_;
  Mapper mapper_;
};

}  // namespace sluice::mapping::testing
