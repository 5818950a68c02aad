#pragma once
// What row changes become in Redis, as `mappings` and `script` of the configuration say.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/config/options.h"
#include "sluice/model/change_view.h"
#include "sluice/model/table_schema.h"

namespace sluice::redis {
class Connection;
}

namespace sluice::mapping {

// Counts of what a batch of commands does.
struct CommandCounts {
  std::uint64_t commands = 0;  // replies to expect
};

// A Redis key that a row writes to.
struct TouchedKey {
  std::string key;
  std::string_view type;  // what TYPE must call it, unless there is none; empty: any will do
  // Of a sum: what is added to it.
  std::optional<std::int64_t> added;
  std::string field;     // of a sum: that of the hash; empty: the key is the sum
  std::string_view bad;  // why Redis refuses it whatever the key holds
};

// Turns row changes into commands.  Makes what it needs for a table when it first sees it (or sees
// it changed), and keeps it.  Belongs to one thread; `options` and `clock` outlive it.
class Mapper {
 public:
  explicit Mapper(const Options& options, const Clock& clock = system_clock());
  Mapper(const Mapper&) = delete;
  Mapper& operator=(const Mapper&) = delete;
  Mapper(Mapper&&) noexcept;
  Mapper& operator=(Mapper&&) noexcept;
  ~Mapper();

  // Appends the commands of one row of `view` to `out`; nothing for ticks and DDL.  `view` is of
  // one LineReader always: tables are known by its Shown::id.  Errors: poison/queue_message when
  // a column that a key is made of is missing or NULL where it may not be, or a sum has more than
  // 64 bits; poison/config_invalid when the table's script failed, with its line;
  // fatal/config_invalid when the mappings do not fit the table: nothing is appended then.
  Status append(const ChangeView& view, const ChangeView::Row& row, TextBuffer& out,
                CommandCounts& counts);
  // As append(), but only of mappings for which a change that is written once more changes
  // nothing: not of sums, lists, streams, channels and counted sets, nor what a script says of
  // such.
  Status append_again(const ChangeView& view, const ChangeView::Row& row, TextBuffer& out,
                      CommandCounts& counts);
  // Adds the keys that the row is written to, those of its first mapping first.  Errors: as
  // append().
  Status append_keys(const ChangeView& view, const ChangeView::Row& row,
                     std::vector<TouchedKey>& keys);

 private:
  struct Impl;
  enum class Which : std::uint8_t { all, repeatable };
  Status append(const ChangeView& view, const ChangeView::Row& row, TextBuffer& out,
                CommandCounts& counts, Which which);
  std::unique_ptr<Impl> impl_;
};

// Of invalidate with again_after: the zset of keys that are to be deleted once more.  Score: when,
// Unix ms.  Member: the change's EventId, a blank, the key.
std::string invalidations_key(std::string_view instance);
// The shortest again_after; nothing: no mapping writes there.
std::optional<Duration> shortest_again_after(const Options& options);

// Whether the server has the commands that the mappings need.  Errors: fatal/redis_preflight with
// the mapping; those of the connection.
Status check_server(redis::Connection& connection, const Options& options);

// Whether all scripts can be read, and define on_row.  Errors: fatal/config_invalid with the entry,
// the script's file and line.
Status check_scripts(const Options& options);

// Which entry of `tables` maps the rows that go by these names; nothing: none does.
std::optional<std::size_t> rules_of(const Options& options, std::string_view database,
                                    std::string_view table);

// Whether the mappings of a table can be made, and keep what one Redis key, member or field holds
// in one partition.  `entry`: that of `tables` which rules it.  `schema`: under the names its rows
// go by; `hidden`: columns that their lines do not show.  `partition`: columns whose values choose
// the partition; none: there is only one.  Errors: fatal/config_invalid with the place in the
// configuration and the remedy.
Status check(const Options& options, std::optional<std::size_t> entry, const TableSchema& schema,
             const std::vector<std::string>& hidden, const std::vector<std::string>& partition);

// Where the rows of a table are in Redis, for who removes them all.
struct KeyPattern {
  std::string mapping;  // "tables[0].mappings[1]"
  std::string glob;     // of SCAN
  std::string prefix;   // what all its keys begin with
};
// Of all mappings but those that keep a history or nothing (stream, publish, invalidate); what a
// script writes is not known.  Arguments and errors as check()'s.
Result<std::vector<KeyPattern>> key_patterns(const Options& options,
                                             std::optional<std::size_t> entry,
                                             const TableSchema& schema,
                                             const std::vector<std::string>& hidden);

}  // namespace sluice::mapping
