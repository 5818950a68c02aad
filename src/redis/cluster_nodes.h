#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "sluice/base/mutex.h"
#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/redis/connection.h"

#include "redis/slots.h"
#include "redis/stream_connection.h"

namespace sluice::redis {

// Which master serves which slot, as one node says it.  A value.
struct SlotMap {
  static constexpr std::uint16_t kNobody = 0xFFFF;
  std::vector<HostPort> masters;                  // that serve slots
  std::array<std::uint16_t, kSlots> master_of{};  // index in masters, or kNobody
  std::uint32_t served = 0;                       // slots that have a master
  std::uint64_t epoch = 0;                        // of the cluster; grows with each failover
  bool ok = false;                                // the node calls the cluster so
  bool has(const HostPort& node) const noexcept;
};
// Asks one node.  `asked` is its address: what has no name of its own is there.  Errors:
// retry/redis_lost; retry/redis_unavailable (LOADING); fatal/redis_denied;
// fatal/redis_preflight (no cluster).
Result<SlotMap> ask_slots(Connection& node, const HostPort& asked);

// "MOVED 3999 127.0.0.1:6381", "ASK ..." and TRYAGAIN: the command is to be sent elsewhere, or
// once more.
struct Redirect {
  enum class Kind : std::uint8_t { moved, ask, try_again };
  Kind kind = Kind::try_again;
  HostPort to;  // not of try_again
};
// Of an error reply of the node at `asked`; nothing when it is another one.
std::optional<Redirect> redirect_of(std::string_view error, const HostPort& asked);

// The nodes of a cluster, and what is known of their slots.  Thread-safe.
class ClusterNodes {
 public:
  struct Dial {
    // To ask it for its slots.
    std::function<Result<std::unique_ptr<Connection>>(const HostPort& at)> ask;
    // To work with.  The connection breaks when the node serves no slots any more.
    std::function<Result<std::unique_ptr<Connection>>(
        const HostPort& at, std::shared_ptr<const std::atomic<bool>> replaced)>
        work;
  };
  static constexpr std::chrono::milliseconds kAskEvery{500};
  ClusterNodes(std::vector<HostPort> seeds, Dial dial,
               std::chrono::milliseconds ask_every = kAskEvery);

  using Map = std::shared_ptr<const SlotMap>;
  // What is known; asked for when nothing is, or when it is doubted.  Errors: that of a node,
  // when none has an answer; retry/redis_unavailable while the cluster does not serve.
  Result<Map> map();
  // What is known, as it is; null: nothing.
  Map known() const;
  // A node said where a slot is.
  void moved(std::uint16_t slot, const HostPort& to);
  // Something was not as the map has it: it is asked for before it is used once more.
  void doubt();
  // To a node, to work with.  Errors: those of a connection.
  Result<std::unique_ptr<Connection>> connect(const HostPort& at);
  // Asks a node about twice a second.
  Status watch(const std::stop_token& st);

 private:
  std::vector<HostPort> order();
  Result<SlotMap> ask(const HostPort& node);
  // Asks one node after the other until one knows no less than we do; `line` is kept.
  using Line = std::pair<HostPort, std::unique_ptr<Connection>>;
  Result<Map> refresh(Line& line);
  Map take(SlotMap map);
  void put(Map map) REQUIRES_LOCK(mu_);

  const std::vector<HostPort> seeds_;
  const Dial dial_;
  const std::chrono::milliseconds ask_every_;
  Mutex asking_;  // one asks, the others wait for what it hears
  mutable Mutex mu_;
  Map map_ GUARDED_BY(mu_);
  bool doubted_ GUARDED_BY(mu_) = true;
  std::vector<std::pair<HostPort, std::shared_ptr<std::atomic<bool>>>> replaced_ GUARDED_BY(mu_);
  std::minstd_rand random_ GUARDED_BY(mu_);
};

}  // namespace sluice::redis
