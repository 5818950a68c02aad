#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sluice/base/backoff.h"
#include "sluice/base/clock.h"
#include "sluice/base/wakeup.h"
#include "sluice/ops/counters.h"
#include "sluice/queue/publisher.h"

#include "pipeline/failure.h"
#include "pipeline/health.h"
#include "pipeline/outbox.h"

namespace sluice::pipeline {

// The publisher's thread: sends what the outbox has, one unconfirmed message per partition;
// whatever is nacked, returned or of unknown fate is sent again.  Ticks once a second.
class PublishStage {
 public:
  struct Dependencies {
    // Connects; called again after every lost connection.
    std::function<Result<std::unique_ptr<queue::Publisher>>()> connect;
    // Looks at exchange and queues again and mends what may be mended; `sent` tells which
    // partitions were sent to.
    std::function<Status(const std::vector<bool>& sent)> check_topology;
    // False: another process may be publishing now, nothing is sent until it is true again.
    std::function<bool()> may_send;
  };
  PublishStage(Dependencies dependencies, Outbox& outbox, Wakeup& wakeup, ops::Counters& counters,
               Health& health, const Clock& clock, std::chrono::milliseconds reconnect_max)
      : deps_(std::move(dependencies)),
        outbox_(&outbox),
        wakeup_(&wakeup),
        counters_(&counters),
        health_(&health),
        clock_(&clock),
        backoff_(std::chrono::milliseconds(100), reconnect_max),
        row_partitions_(static_cast<std::uint32_t>(outbox.chain().size())),
        partitions_(outbox.lanes()),
        reopen_after_(kReopenFirst) {}

  // Until `st` is stopped, or an error that must end the process.  After `drain` is stopped it ends
  // by itself once the outbox is empty.
  Status run(const std::stop_token& st, const std::stop_token& drain);

 private:
  // A channel that published while its queue had no leader does not find the one elected later:
  // RabbitMQ 3.10 refuses all that is sent on it from then on.  A full queue refuses, too, so the
  // patience doubles each time.
  static constexpr std::chrono::milliseconds kReopenFirst{1000}, kReopenMost{300000};

  struct Partition {
    bool in_flight = false;                            // on this connection
    std::uint32_t returns = 0;                         // of the same message
    std::chrono::steady_clock::time_point retry_at{};  // nacked or returned: not before
    bool waiting = false;                              // retry_at is set
    // In a row, over connections, too.
    std::uint32_t refusals = 0;
    std::optional<std::chrono::steady_clock::time_point> refused_since{};  // on this connection
    bool full = false;  // counted in Health::refused_partitions
  };

  Status session(queue::Publisher& publisher, const std::stop_token& st,
                 const std::stop_token& drain);
  Status send(queue::Publisher& publisher, std::uint32_t partition, const OutgoingMessage& message);
  Status settle(queue::Publisher& publisher, const queue::Outcome& outcome);
  Status pump(queue::Publisher& publisher);
  void tick_if_due();
  void wait_until(Partition& p, std::chrono::steady_clock::time_point at);
  void taken(std::uint32_t lane, Partition& p);
  Status refused(std::uint32_t lane, Partition& p);
  void say_refused(std::uint32_t lane, const Partition& p);
  std::string lane_name(std::uint32_t lane) const;
  std::vector<bool> sent_partitions() const;

  Dependencies deps_;
  Outbox* outbox_;
  Wakeup* wakeup_;
  ops::Counters* counters_;
  Health* health_;
  const Clock* clock_;
  Backoff backoff_;
  std::uint32_t row_partitions_;
  std::vector<Partition> partitions_;  // those of rows, then DDL's
  std::vector<std::uint32_t> ready_;
  std::vector<queue::Outcome> outcomes_;
  std::chrono::steady_clock::time_point next_tick_{};
  std::uint32_t waiting_ = 0;  // partitions with retry_at set
  bool held_back_ = false;     // may_send() was false at the last attempt
  // How long a lane may be refused until the connection is opened anew.
  std::chrono::milliseconds reopen_after_;
};

}  // namespace sluice::pipeline
