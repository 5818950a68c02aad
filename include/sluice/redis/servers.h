#pragma once
#include <memory>
#include <stop_token>

#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/redis/connection.h"

namespace sluice::redis {

class Sentinels;

// Which server is Redis: the one of the options, or the master that the Sentinels name at the
// moment.  One for a process.  Thread-safe.
class Servers {
 public:
  // `options` must outlive this.
  explicit Servers(const RedisOptions& options);
  ~Servers();
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  // A connection to it.  With Sentinels each call asks them, and what it returns is of no use any
  // more (retry/redis_lost) as soon as this object has heard of another master: from a later
  // connect(), or from watch().  Errors: those of Connection::open.
  Result<std::unique_ptr<Connection>> connect();
  // There are Sentinels.
  bool has_sentinels() const noexcept { return sentinels_ != nullptr; }
  // Asks every Sentinel about twice a second which server is the master, until `st` is stopped.
  // For a thread of its own, one; with Sentinels only.
  Status watch(const std::stop_token& st);

 private:
  const RedisOptions* options_;
  std::unique_ptr<Sentinels> sentinels_;  // null: without
};

}  // namespace sluice::redis
