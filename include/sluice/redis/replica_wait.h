#pragma once
#include <cstdint>
#include <string>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/config/options.h"
#include "sluice/redis/connection.h"

namespace sluice::redis {

// Who else must have what was written before it counts.  A value.
struct ReplicaWait {
  std::uint32_t replicas = 0;
  bool aof = false;  // on disk, at the master as well
  Duration timeout{1000};

  // No single wait is longer than half of `patience`, and of redis.timeout.
  static ReplicaWait of(const RedisOptions& options, Duration patience);
  // Anybody at all.
  bool wanted() const noexcept { return replicas != 0 || aof; }
};

// How far it got.
struct Reached {
  std::uint32_t replicas = 0;
  bool on_disk = true;  // the master's own, when that is asked for
  bool enough = false;
};

// The command that waits for what this connection has written: WAIT, or WAITAOF.
void append_wait(TextBuffer& out, const ReplicaWait& wait);
// Its reply.  Errors: retry/redis_unavailable when the server is no master any more;
// fatal/redis_preflight when it has no WAITAOF, or no append-only file; those of error_of_reply().
Result<Reached> reached(const Reply& reply, const ReplicaWait& wait);
// For all that this server, or each master of a cluster, was sent before, by whomever: a write of
// our own (`key`, or one that begins so, is set and removed), and the wait.  Errors: the same,
// retry/redis_lost.
Result<Reached> reach_replicas(Connection& connection, const std::string& key,
                               const ReplicaWait& wait);
// retry/redis_unavailable when it was not enough.
Status require(const Reached& reached, const ReplicaWait& wait);

}  // namespace sluice::redis
