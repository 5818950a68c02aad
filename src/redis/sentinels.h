#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/redis/connection.h"

namespace sluice::redis {

// Whether the server that connections were made to has been replaced; shared with them, so that
// they see it without asking anybody.
using Replaced = std::atomic<bool>;

// What a Sentinel says of the master.
struct MasterView {
  HostPort address;
  // Grows with each failover; the greater one is the newer one, whichever Sentinel says it.
  std::uint64_t epoch = 0;
};
// Asks one.  Errors: retry/redis_lost; fatal/redis_denied; fatal/redis_preflight (no such master
// there, no Sentinel).
Result<MasterView> ask_master(Connection& sentinel, const std::string& name);
// Whether this server says of itself that it is the master.  Errors: retry/redis_unavailable when
// it is not; fatal/redis_denied; retry/redis_lost.
Status require_master(Connection& server);

// The Sentinels of the options, and what is known of the master from all of them.  Thread-safe.
class Sentinels {
 public:
  struct Dial {
    std::function<Result<std::unique_ptr<Connection>>(const HostPort& at)> sentinel;
    // The connection breaks when the server is replaced.
    std::function<Result<std::unique_ptr<Connection>>(const HostPort& at,
                                                      std::shared_ptr<const Replaced> replaced)>
        server;
  };
  // Asking beats a subscription to +switch-master: that is silent both when nothing happens and
  // when its Sentinel is cut off, and what is said while nobody listens has to be asked for all the
  // same.
  static constexpr std::chrono::milliseconds kAskEvery{500};
  // `clock` must outlive this.
  Sentinels(std::vector<HostPort> at, std::string master, Dial dial, const Clock& clock,
            std::chrono::milliseconds ask_every = kAskEvery);

  // To the master, asking one Sentinel after the other until one leads to it: the one that did last
  // time first, the others in random order.
  Result<std::unique_ptr<Connection>> connect();
  // One after the other is asked again and again, on a connection that is kept.
  Status watch(const std::stop_token& st);

 private:
  struct Line {
    HostPort at;
    std::unique_ptr<Connection> connection;
    std::chrono::steady_clock::time_point next_try{};
  };
  struct Known {
    MasterView view;
    std::shared_ptr<Replaced> replaced;
  };
  std::vector<HostPort> order();
  // On a new connection.
  Result<MasterView> ask(const HostPort& sentinel);
  // On the kept one.
  std::optional<MasterView> ask(Line& line);
  // The master, as known with what this one says.
  Known learn(const MasterView& view);
  // All have said what they know.
  void settle(const std::vector<MasterView>& views);
  void follow(const MasterView& view) REQUIRES_LOCK(mu_);
  Error nobody(std::vector<Error> errors) const;

  const std::vector<HostPort> at_;
  const std::string master_;
  const Dial dial_;
  const Clock* clock_;
  const std::chrono::milliseconds ask_every_;
  mutable Mutex mu_;
  std::optional<Known> known_ GUARDED_BY(mu_);
  std::optional<HostPort> good_ GUARDED_BY(mu_);
  std::minstd_rand random_ GUARDED_BY(mu_);
};

}  // namespace sluice::redis
