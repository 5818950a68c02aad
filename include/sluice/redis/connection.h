#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
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

// One connection to one Redis server (TCP, TLS or unix socket), after AUTH and SELECT.  Belongs to
// one thread.  After retry/redis_lost it is of no use any more: every later call gives the same
// error; open another.
class Connection {
 public:
  // To the server of the options, or the master that their Sentinels name now; who keeps
  // connections for long connects by Servers.  Errors: retry/redis_lost, retry/redis_unavailable
  // (LOADING, a failover under way), fatal/redis_denied (also TLS), fatal/redis_preflight (no such
  // database, no such master).
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
};

// What an error reply means for the pipeline: retry/redis_unavailable (LOADING, READONLY, OOM,
// MASTERDOWN, BUSY, CLUSTERDOWN, MISCONF ...), fatal/redis_denied (NOAUTH, NOPERM, WRONGPASS),
// fatal/redis_preflight (MOVED and its kin: a cluster), poison/redis_refused (WRONGTYPE and the
// rest).  Arguments that the server repeats in its text are cut off.  EXECABORT because of
// "previous errors" is retry/redis_unavailable: look at the replies to the queued commands first,
// they say why.
Error error_of_reply(std::string_view text);

// Server settings we cannot work with: an allkeys-* eviction policy unless options.is_cache(), a
// server that is a replica or part of a cluster, or older than 4.0 (UNLINK), or without WAITAOF
// when options.wait_aof().  Errors: fatal/redis_preflight with the remedy; retry/redis_lost,
// redis_unavailable.
struct RedisInfo {
  std::string product;  // "Redis" or "Valkey"
  std::string version;  // "" when INFO is forbidden
  std::string eviction_policy;
  std::vector<std::string> warnings;  // what could not be found out
};
Result<RedisInfo> preflight(Connection& connection, const RedisOptions& options);

}  // namespace sluice::redis
