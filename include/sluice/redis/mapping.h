#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/model/change_view.h"

namespace sluice::redis {

// Counts of what a batch of commands does.
struct CommandCounts {
  std::uint64_t commands = 0;  // replies to expect
  std::uint64_t hset = 0, hdel = 0, unlink = 0;
};

// Turns row changes into commands: one row -> one hash `<schema>:<table>:<key>[:<key2>...]`.
// Immutable; thread-safe.
class HashMapping {
 public:
  // Appends the commands of one row of `view` to `out`.  INSERT: HSET of the non-null columns.
  // UPDATE: the same, then HDEL of the columns that became NULL; when a key column changed: UNLINK
  // of the old key, then HSET under the new one.  DELETE: UNLINK. Columns the row does not carry
  // are left as they are.  A table without a primary key is not mapped: nothing is appended, nor
  // for ticks and DDL.  Errors: poison/queue_message when a key column is missing or NULL; nothing
  // is appended then.
  Status append(const ChangeView& view, const ChangeView::Row& row, TextBuffer& out,
                CommandCounts& counts) const;
  // Adds the keys that append() writes a hash to: what TYPE must call "hash" or "none" for the row
  // to be taken.  A DELETE has none: UNLINK takes every type.  Errors: poison/queue_message when a
  // key column of the row is missing or NULL.
  Status append_keys(const ChangeView& view, const ChangeView::Row& row,
                     std::vector<std::string>& keys) const;
};

// `<schema>:<table>:<key>...` with `\` and `:` in values (and names) escaped by a backslash, so
// that (1,23) and (12,3) differ.
void append_key_part(TextBuffer& out, std::string_view value);

}  // namespace sluice::redis
