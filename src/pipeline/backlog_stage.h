#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "sluice/base/mutex.h"
#include "sluice/ops/counters.h"
#include "sluice/queue/connection.h"

namespace sluice::pipeline {

// Asks the broker now and then how many messages wait in our queues, and how many dead letters
// there are, for the status line.
class BacklogStage {
 public:
  BacklogStage(std::function<Result<std::unique_ptr<queue::Admin>>()> connect, queue::Names names,
               std::chrono::milliseconds interval, const ops::Counters& counters)
      : connect_(std::move(connect)),
        names_(std::move(names)),
        interval_(interval),
        counters_(&counters) {}
  // Until `st` is stopped.  A broker that does not answer is no error here: the backlog is unknown
  // then.
  void run(const std::stop_token& st);
  // Messages ready; nothing when unknown.  Any thread.
  std::optional<std::uint64_t> latest() const;
  // Dead letters: what the broker last said, and what was written since; nothing until it has said
  // something.  Any thread.
  std::optional<std::uint64_t> dead() const;

 private:
  Result<std::uint64_t> count(queue::Admin& admin);
  Status count_dead(queue::Admin& admin);
  std::function<Result<std::unique_ptr<queue::Admin>>()> connect_;
  const queue::Names names_;
  const std::chrono::milliseconds interval_;
  const ops::Counters* counters_;
  mutable Mutex mu_;
  std::optional<std::uint64_t> latest_ GUARDED_BY(mu_);
  std::optional<std::uint64_t> dead_ GUARDED_BY(mu_);
  std::uint64_t written_before_ GUARDED_BY(mu_) = 0;  // letters of ours that dead_ may hold
};

}  // namespace sluice::pipeline
