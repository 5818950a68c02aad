#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "sluice/base/result.h"
#include "sluice/config/options.h"

namespace sluice::pipeline {

// What the program's commands do.  Results for people go to `out`; errors come back.  Each uses the
// main thread, and threads of its own that have ended when it returns.

// Replicates until SIGTERM or SIGINT (then ok) or an error that needs somebody to act.  A second
// signal ends the process at once.
// `options` follows `sluice repartition`.
Status run(Options& options);

// queue.partitions is what a first start takes; from then on the number in the state file counts.
// Puts it into `options`; the number that was there, when it was another one.  A state file that
// cannot be read is for others to complain of.
std::optional<std::uint32_t> take_saved_partitions(Options& options);
// Changes the number of partition queues: by asking the daemon when one runs (then it waits until
// it is done), else by itself, when all that was sent is in Redis.  Errors: fatal/pipeline_timeout
// (the daemon will still do it), those of position_relayout.
Status repartition(const Options& options, std::uint32_t partitions,
                   std::chrono::milliseconds timeout, std::ostream& out);

// Looks at source, broker and Redis as `run` would before it starts, changes nothing.  Says
// everything that is wrong.
Status check(const Options& options, std::ostream& out);

// Waits until all rows up to a place of the source are in Redis.  Exactly one of the two is set.
// `gtid_set`: "uuid:1-5" or "0-1-100". Errors: fatal/pipeline_timeout.
struct WaitTarget {
  std::string position;  // FILE:POS
  std::string gtid_set;
  // That the position is of: files of other epochs have the same names.  Without: the one of the
  // state file, where there is one here, else that of the watermark.
  std::optional<std::uint32_t> epoch;
};
Status wait(const Options& options, const WaitTarget& target, std::chrono::milliseconds timeout,
            std::ostream& out);

// The saved position, the watermark in Redis, and what lies between.
Status position_show(const Options& options, std::ostream& out);
// Takes over changed filter, tables or rendering: everything sent must be applied, the daemon
// stopped.
Status position_relayout(const Options& options, std::ostream& out);
// Moves the saved position on to a place (latest and earliest are none here); the daemon must be
// stopped.  For going on behind a place that it refused.  Errors: fatal/usage when the place is not
// between two transactions, naming the nearest ones, and when it is before the saved one.
Status position_set(const Options& options, const StartPosition& target, std::ostream& out);
// Goes to where source.start is now, forward or back, in an epoch of its own: rows that are sent
// again count as new.  Queues, records and rows stay, and what is queued is applied before.  Takes
// the source as it is.  The daemon must be stopped.  Without `confirmed` it only tells what it
// would do.
Status position_reset(const Options& options, bool confirmed, std::ostream& out);

// What the schema history says at the saved position: of all tables, or of one ("DATABASE.TABLE").
// Reads no server.
Status schema_show(const Options& options, const std::string& table, std::ostream& out);
// Reads a table from the source into the history: as it is since the saved position, or since the
// last statement that has changed it.  The daemon must be stopped.
Status schema_refresh(const Options& options, const std::string& table, std::ostream& out);

// Which dead letters; what is not said fits all.
struct LetterChoice {
  std::string table;        // a pattern that the whole of database.table fits
  std::string reason;       // WRONGTYPE, unreadable, ...
  std::string id;           // an EventId
  std::uint64_t limit = 0;  // the oldest so many; 0: all
};
// One line a letter; the letters stay, in their order.  Errors of all: fatal/queue_topology while
// somebody else looks at them.
Status dead_list(const Options& options, const LetterChoice& choice, std::ostream& out);
// All headers and the body.
Status dead_show(const Options& options, const LetterChoice& choice, std::ostream& out);
// Removes the chosen ones; the others stay, in their order.  Without `confirmed` it only tells.
Status dead_drop(const Options& options, const LetterChoice& choice, bool confirmed,
                 std::ostream& out);
// Reads their rows from the source by key and brings Redis to what they are now, then removes the
// letters.  The daemon must run.  Errors: the first of those for which a letter was kept.
Status dead_replay(const Options& options, const LetterChoice& choice,
                   std::chrono::milliseconds timeout, std::ostream& out);

// Runs a script on the rows of a file of message lines and prints the commands that come of them;
// asks no server.  Of `options` only limits and rendering count; `tables` becomes the script alone.
// Errors: fatal/config_invalid with the line of a script that cannot be read; fatal/usage when it
// failed for a row.
Status script_test(Options& options, const std::string& script, const std::string& input,
                   std::ostream& out);

// Removes this instance's queues, applied records, state file and schema history, so that the next
// start is a first one.  Rows already in Redis stay. Without `confirmed` it only tells what it
// would do.
Status reset(const Options& options, bool confirmed, std::ostream& out);

}  // namespace sluice::pipeline
