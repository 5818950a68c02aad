#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "pipeline/applier.h"
#include "pipeline/failure.h"
#include "pipeline/pool_size.h"
#include "pipeline/shares.h"
#include "pipeline/unsettled.h"

namespace sluice::pipeline {

// The applier threads: as many as the load asks for, each with its share of the partitions.
// All but wanted() and ended() is called by one thread, or by several one after the other.
class ApplierPool {
 public:
  struct Settings {
    ApplierSettings applier;  // of each; `thread` is set here
    PoolSize::Settings size;
  };
  struct Dependencies {
    // `share`: how many partitions it serves, at most.  Each applier has a copy of its own.
    std::function<Result<std::unique_ptr<queue::Consumer>>(queue::Consumer::Share share)> consumer;
    std::function<Result<std::unique_ptr<redis::Connection>>()> redis;
    Refusals::Dependencies refusals;
    // As Applier::Dependencies has it; each applier has a copy of its own.
    std::function<Status(const RewindRequest&, const std::stop_token&)> ask;
    std::function<PoolSize::Load()> load;
    // An applier's thread has ended.
    std::function<void()> ended;
  };
  // `failures` takes what must end the process.
  ApplierPool(Settings settings, Dependencies dependencies, ops::Counters& counters, Health& health,
              FailureBox& failures, const Clock& clock);

  // The smallest number of threads, for the partitions that are this process's (one per partition).
  void start(std::vector<bool> ours);
  // Others are this process's from here on.
  void take(std::vector<bool> ours);
  // Looks at the load, and at what follows from it.  Called about once a second.
  void look();
  // How many threads there are to be.  Any thread.
  std::uint32_t wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }

  // Each ends after the step it is in.
  void request_stop();
  bool ended() const noexcept { return running_.load() == 0; }
  // Ends waits for Redis in the middle of a step, then waits for the threads.
  void join();

 private:
  struct Thread {
    std::unique_ptr<Applier> applier;
    std::atomic<bool> running{false};
    std::jthread thread;  // last: it uses the others
  };
  void resize(std::uint32_t threads);
  void start_missing();

  const Settings settings_;
  Dependencies deps_;
  ops::Counters* counters_;
  Health* health_;
  FailureBox* failures_;
  const Clock* clock_;
  PoolSize size_;
  Shares shares_;
  Unsettled unsettled_;
  std::stop_source stop_;
  std::atomic<std::uint32_t> wanted_{0}, running_{0};
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace sluice::pipeline
