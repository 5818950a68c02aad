#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/mapping/mapper.h"
#include "sluice/model/change_view.h"

#include "mapping/columns.h"
#include "mapping/image.h"
#include "mapping/text_template.h"

namespace sluice::mapping {

// What happened to a row, as one mapping sees it: a row that its condition leaves out is not there.
struct Change {
  const ChangeView& view;
  const ChangeView::Row& row;
  bool was = false, is = false;  // at least one
  Image before, after;           // of what was and is

  // The id of the row's change.
  EventId id() const { return view.seq.with_row(row.index); }
  // Whether one of the columns has another value now.  Both was and is.
  bool differs(const std::vector<std::uint16_t>& columns) const noexcept;
};

// A name that a row has: a key, and a member or field of it.  Views into Memory.
struct Entry {
  std::string_view key, member;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// What actions write to, and the memory they need for one row.  Kept from row to row.
struct Memory {
  TextBuffer work, value, text, old_text;
  std::vector<Entry> entries, old_entries;
  std::vector<std::string> parts, old_parts;
  std::vector<std::array<std::size_t, 3>> places;  // of entries: begin, member, end
};
struct Sink {
  TextBuffer* out = nullptr;
  CommandCounts* counts = nullptr;
  Memory* memory = nullptr;
  std::string_view invalidations;  // the zset of keys that are to be deleted once more
  const Clock* clock = nullptr;

  void command(std::initializer_list<std::string_view> words) const;
  // The head of a command that is written by hand.
  void begin(std::size_t words) const;
  void word(std::string_view word) const;
};

// What one mapping does about a change.  Immutable.
class Action {
 public:
  Action() = default;
  virtual ~Action() = default;
  Action(const Action&) = delete;
  Action& operator=(const Action&) = delete;

  // Errors: poison/queue_message; what was appended is then void.
  virtual Status apply(const Change& change, const Sink& sink) const = 0;
  // The keys whose type matters.
  virtual Status touch(const Change& change, const Sink& sink,
                       std::vector<TouchedKey>& keys) const = 0;
};

// Appends `text` of the row to `out`; false: a column is NULL, so there is none.  Errors:
// poison/queue_message when the row lacks a column.
Result<bool> append_text(const TextTemplate& text, const Change& change, Image row,
                         std::string_view part, TextBuffer& out, TextBuffer& work);
// `text` of the row, at the end of `out`; nothing when there is none.  Errors: as append_text().
Result<std::optional<std::string_view>> text_of(const TextTemplate& text, const Change& change,
                                                Image row, TextBuffer& out, TextBuffer& work);
// What is wrong with the row of `change`.
Error row_error(const Change& change, const std::string& what);

// Keys of rows that have one Redis key each.
class KeyOfRow {
 public:
  explicit KeyOfRow(TextTemplate key) : key_(std::move(key)) {}
  struct Keys {
    std::optional<std::string_view> before, after;  // in Memory::old_text and Memory::text
    bool same() const noexcept { return before && after && *before == *after; }
  };
  Result<Keys> keys(const Change& change, const Sink& sink) const;
  // The key that is written to.
  Status touch(const Change& change, const Sink& sink, std::string_view type,
               std::vector<TouchedKey>& keys) const;

 private:
  TextTemplate key_;
};

// "PEXPIRE" of the key; nothing when `ttl` is zero.
void expire(std::string_view key, std::chrono::milliseconds ttl, const Sink& sink);

// How actions are made; `options` is of the action's own type.  Errors: fatal/config_invalid with
// the option's name in front.
Result<std::unique_ptr<Action>> make_hash(const MappingOptions& options, const Columns& columns);
Result<std::unique_ptr<Action>> make_document(const MappingOptions& options,
                                              const Columns& columns);
Result<std::unique_ptr<Action>> make_members(const MappingOptions& options, const Columns& columns);
Result<std::unique_ptr<Action>> make_log(const MappingOptions& options, const Columns& columns);
Result<std::unique_ptr<Action>> make_counter(const MappingOptions& options, const Columns& columns);
Result<std::unique_ptr<Action>> make_invalidate(const MappingOptions& options,
                                                const Columns& columns);

// The template of an option, made for the table.  Errors carry the option's name.
Result<TextTemplate> make_text(const Option<expr::Template>& option, const Columns& columns,
                               TextTemplate::Use use);
// That of `key`, with its default.
Result<TextTemplate> make_key(const MappingOptions& options, const Columns& columns);
// Which columns are chosen, by their number.
Result<std::vector<bool>> make_choice(const MappingOptions& options, const Columns& columns);

}  // namespace sluice::mapping
