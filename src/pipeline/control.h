#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/wakeup.h"
#include "sluice/model/event_id.h"
#include "sluice/queue/consumer.h"
#include "sluice/queue/publisher.h"

namespace sluice::pipeline {

// What an applier asks of who publishes, through the control queue: send again what this partition
// has behind `applied`.
struct RewindRequest {
  std::uint32_t partitions = 0;  // the layout that `partition` is of
  std::uint32_t partition = 0;
  EventId applied;  // as the record in Redis said
  // Errors: poison/queue_message.
  static Result<RewindRequest> read(const queue::Delivery& delivery);
  MessageHeaders headers() const;
  std::string body() const;
  friend bool operator==(const RewindRequest&, const RewindRequest&) = default;
};

// Returns when the broker has confirmed it.  `publisher` is one of Names::for_control().  Errors:
// retry/queue_lost when the broker is silent for `limit`; retry/queue_returned when it refuses the
// message or has no such queue; stopped; the publisher's.
Status send_request(queue::Publisher& publisher, const RewindRequest& request,
                    const std::stop_token& st, std::chrono::milliseconds limit);

// The leader's end of the control queue: collects requests and keeps them unacknowledged until they
// have been met.
class ControlStage {
 public:
  using Connect = std::function<Result<std::unique_ptr<queue::Consumer>>()>;
  // `connect`: a consumer of Names::for_control().  Requests are together when each of `partitions`
  // has asked, or none has for `quiet`.  `changed` is called when one comes.
  ControlStage(Connect connect, std::uint32_t partitions, std::chrono::milliseconds quiet,
               std::function<void()> changed, const Clock& clock)
      : connect_(std::move(connect)),
        partitions_(partitions),
        quiet_(quiet),
        changed_(std::move(changed)),
        clock_(&clock) {}

  // Until `st` is stopped (stopped), or an error that must end the process.
  Status run(const std::stop_token& st);
  // There are some, and they are together.  Any thread.
  bool together() const;

  // When run() has ended.
  std::vector<RewindRequest> requests() const;
  // They have been met.  Errors: retry/queue_lost: they come again.
  Status done();

 private:
  Status session(const std::stop_token& st);
  Status take(const queue::Delivery& delivery);

  const Connect connect_;
  const std::uint32_t partitions_;
  const std::chrono::milliseconds quiet_;
  const std::function<void()> changed_;
  const Clock* clock_;
  Wakeup wakeup_;
  std::unique_ptr<queue::Consumer> consumer_;
  std::uint64_t tag_ = 0;  // of the last one
  mutable Mutex mu_;
  std::vector<RewindRequest> requests_ GUARDED_BY(mu_);
  std::chrono::steady_clock::time_point last_ GUARDED_BY(mu_){};
};

}  // namespace sluice::pipeline
