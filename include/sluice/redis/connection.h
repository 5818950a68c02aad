#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/config/options.h"

namespace sluice::redis {

// Appends one command in RESP to `out`.  Binary-safe.
void append_command(TextBuffer& out, std::initializer_list<std::string_view> words);

// A reply as a value, for the few commands whose answer is looked at whole.
struct Reply {
  enum class Kind : std::uint8_t { status, error, integer, string, nil, array };
  Kind kind = Kind::nil;
  std::string text;  // status, error, string
  std::int64_t integer = 0;
  std::vector<Reply> items;  // array
};

// What EXEC answered.
struct ExecResult {
  // A watched key was changed by somebody else: nothing was done.
  bool aborted = false;
  // EXEC's own error reply (EXECABORT after a refused command, LOADING, ...): nothing was done.
  // Empty: none.
  std::string refused;
  // How many commands were executed; 0 when aborted or refused.
  std::uint64_t count = 0;
  // Commands that failed, by their index in the transaction from 0; the others were done all the
  // same.
  std::vector<std::pair<std::size_t, std::string>> errors;
  bool done() const noexcept { return !aborted && refused.empty(); }
};

struct ReplicaWait;
struct Reached;

// One connection to one Redis server (TCP, TLS or unix socket), or to all nodes of a cluster, after
// AUTH and SELECT.  Belongs to one thread.  After retry/redis_lost it is of no use any more: every
// later call gives the same error; open another.
class Connection {
 public:
  // To the server of the options, the master that their Sentinels name now, or their cluster; who
  // keeps connections for long connects by Servers.  `options` outlives it.  Errors:
  // retry/redis_lost, retry/redis_unavailable (LOADING, a failover under way), fatal/redis_denied
  // (also TLS), fatal/redis_preflight (no such database, no such master).
  static Result<std::unique_ptr<Connection>> open(const RedisOptions& options);
  virtual ~Connection() = default;
  // Writes all of `bytes`.  Replies that come meanwhile are kept for receive*(), so a pipeline of
  // any length cannot block both sides.  Waits at most the configured timeout without progress.
  // Errors: retry/redis_lost, stopped.
  virtual Status send(std::string_view bytes) = 0;
  // Reads one whole reply; waits at most the configured timeout.  An error reply is a Reply, not an
  // Error.  Errors: retry/redis_lost, stopped.
  virtual Result<Reply> receive() = 0;
  // Reads `count` top-level replies and keeps only error replies: (index among these `count` from
  // 0, text).  An error inside an array counts as one of the top-level reply that holds it; for
  // EXEC use receive_exec().  The timeout is for each reply.  Allocates nothing for the others.
  // `errors` is appended to.
  virtual Status receive_checked(std::size_t count,
                                 std::vector<std::pair<std::size_t, std::string>>& errors) = 0;
  // Reads the reply of EXEC.  Allocates nothing but for errors.  Errors: retry/redis_lost, also
  // when it is no reply EXEC can give.
  virtual Result<ExecResult> receive_exec() = 0;
  // For who holds something of somebody else while it waits here: no wait without progress is
  // longer than `limit`, and `serve` is called about once a second of waiting.  An error of it ends
  // the wait; it is returned, and by every later call as well.
  virtual void set_wait(Duration limit, std::function<Status()> serve) = 0;
  // Ends the wait in progress and every later one with `stopped`.  The only method for other
  // threads.
  virtual void interrupt() noexcept {}
  // send + receive of one command.
  Result<Reply> command(std::initializer_list<std::string_view> words);

  // The next four tell a cluster from a server alone; no reply may be waited for.
  // The masters, each by a connection of its own, for what is said to a node and not to a key's
  // (SCAN, INFO): this one, of a server alone.  Valid until the next call.
  virtual Result<std::vector<Connection*>> nodes();
  // Which node serves which slots, so that two of them can be told to be the same; "" for a server
  // alone, nothing while slots move from one to another.
  virtual Result<std::optional<std::string>> placement();
  // Keys that begin with `key`, one on each node: `key` alone, of a server alone.
  virtual Result<std::vector<std::string>> spread(const std::string& key);
  // Waits for what this connection has written, on each node that it has written to; of several
  // the one that got least far tells.  Errors: those of reached(), retry/redis_lost.
  virtual Result<Reached> wait_written(const ReplicaWait& wait);
};

// What an error reply means for the pipeline: retry/redis_unavailable (LOADING, READONLY, OOM,
// MASTERDOWN, BUSY, CLUSTERDOWN, MISCONF ...), fatal/redis_denied (NOAUTH, NOPERM, WRONGPASS),
// fatal/redis_preflight (MOVED and its kin: a cluster that redis.cluster does not name),
// poison/redis_refused (WRONGTYPE and the rest).  Arguments that the server repeats in its text are
// cut off.  EXECABORT because of "previous errors" is retry/redis_unavailable: look at the replies
// to the queued commands first, they say why.
Error error_of_reply(std::string_view text);

// Server settings we cannot work with: an allkeys-* eviction policy unless options.is_cache(), a
// server that is a replica or older than 4.0 (UNLINK), a node of a cluster without
// options.cluster() or none with it, or one without WAITAOF when options.wait_aof().  Of a cluster
// each master, and that every slot has one.  Errors: fatal/redis_preflight with the remedy;
// retry/redis_lost, redis_unavailable.
struct RedisInfo {
  std::string product;  // "Redis" or "Valkey"
  std::string version;  // "" when INFO is forbidden
  std::string eviction_policy;
  std::vector<std::string> warnings;  // what could not be found out
};
Result<RedisInfo> preflight(Connection& connection, const RedisOptions& options);

}  // namespace sluice::redis
