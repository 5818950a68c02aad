#pragma once
#include <memory>
#include <stop_token>

#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/redis/connection.h"

namespace sluice::redis {

class ClusterNodes;
class Sentinels;

// Which server is Redis: the one of the options, the master that the Sentinels name at the moment,
// or the nodes of a cluster.  One for a process.  Thread-safe.
class Servers {
 public:
  // `options` must outlive this, and the connections.
  explicit Servers(const RedisOptions& options);
  ~Servers();
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  // A connection to it.  With Sentinels each call asks them, and what it returns is of no use any
  // more (retry/redis_lost) as soon as this object has heard of another master: from a later
  // connect(), or from watch().  Of a cluster it is lost with any node that it uses.  Errors: those
  // of Connection::open.
  Result<std::unique_ptr<Connection>> connect();
  // There are Sentinels, or a cluster.
  bool can_be_watched() const noexcept { return sentinels_ != nullptr || nodes_ != nullptr; }
  // Asks every Sentinel, or a node of the cluster, about twice a second who the masters are, until
  // `st` is stopped.  For a thread of its own, one; when can_be_watched() only.
  Status watch(const std::stop_token& st);

 private:
  const RedisOptions* options_;
  std::unique_ptr<Sentinels> sentinels_;  // null: without
  std::shared_ptr<ClusterNodes> nodes_;   // null: no cluster
};

}  // namespace sluice::redis
