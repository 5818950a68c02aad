#pragma once
// What a Lua file makes of row changes.  docs/scripts.md is what its author reads.

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/model/change_view.h"

namespace sluice::script {

struct Limits {
  std::uint64_t memory = 64U << 20U;        // bytes; also of the commands of one row
  std::uint64_t instructions = 10'000'000;  // for one row
  std::chrono::milliseconds time{5000};     // for one row; looked at every 100 instructions
};

// What a column's values are in Lua.
enum class ValueKind : std::uint8_t { text, integer, real };
struct Column {
  std::string name;
  ValueKind kind = ValueKind::text;
};

// A row as it was or is, by number of its columns; null where the event does not carry one.
using Image = std::span<const ChangeView::Field* const>;
struct Change {
  const ChangeView& view;
  const ChangeView::Row& row;
  Image before, after;  // empty: there was, or is, none
};

struct WrittenKey {
  std::string key;
  std::string_view type;  // what TYPE must call it; empty: any will do
};

// Where to what a script writes goes.
struct Output {
  TextBuffer* commands = nullptr;  // null: they are not asked for
  std::uint64_t* count = nullptr;  // of commands; with them
  std::vector<WrittenKey>* keys = nullptr;
  // Without what may not be done twice: sums, lists, streams, channels.
  bool repeatable_only = false;
  // That is an error, for it may come again: on a cluster.
  bool refuses_once = false;
};

// One file, compiled, with the tables whose rows it is given.  Runs text chunks of Lua 5.4 that
// reach nothing but their arguments and keep nothing from row to row.  Thread-compatible.
class Script {
 public:
  // `name`: of the file, for messages.  Errors: fatal/config_invalid as "NAME:LINE: ...".
  static Result<Script> load(std::string_view name, std::string_view text, const Limits& limits);
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  Script(Script&&) noexcept;
  Script& operator=(Script&&) noexcept;
  ~Script();

  // A number for run().  Errors: fatal/config_invalid: no memory left.
  Result<std::size_t> add_table(const std::vector<Column>& columns);
  // Calls on_row(change, out).  Errors: poison/config_invalid as "NAME:LINE: ...": what was written
  // is taken back.
  Status run(std::size_t table, const Change& change, const Output& output);

 private:
  struct Impl;
  explicit Script(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::script
