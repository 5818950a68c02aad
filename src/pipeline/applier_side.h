#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "sluice/base/mutex.h"
#include "sluice/base/wakeup.h"
#include "sluice/config/options.h"
#include "sluice/redis/servers.h"

#include "pipeline/applier_pool.h"
#include "pipeline/members.h"

namespace sluice::pipeline {

// From the queues to Redis: this process' appliers, and its part in sharing the partitions with
// those on other hosts.  Its number of partitions is that of the options at the beginning.
class ApplierSide {
 public:
  struct Surroundings {
    FailureBox* failures = nullptr;
    redis::Servers* redis = nullptr;
    ops::Counters* counters = nullptr;
    Health* health = nullptr;
    const Clock* clock = nullptr;
    std::function<PoolSize::Load()> load;
    std::function<void()> changed;  // what seen() tells, or ended(); called by several threads
  };
  ApplierSide(const Options& options, Surroundings surroundings);
  ~ApplierSide();
  ApplierSide(const ApplierSide&) = delete;
  ApplierSide& operator=(const ApplierSide&) = delete;

  // Any thread, all of them.
  // The queues are there, and the layout is the one in use: the appliers begin.
  void allow();
  // Each applier ends after the step it is in; then this process says that it is gone.
  void request_stop();
  bool ended() const noexcept { return ended_.load(); }
  // What Redis said last; nullopt: nothing yet.
  std::optional<Members::View> seen() const;
  // How many appliers there are to be; 0 before they begin.
  std::uint32_t wanted() const noexcept { return started_.load() ? pool_.wanted() : 0; }

 private:
  Status run(const std::stop_token& st);
  Status session(const std::stop_token& st);
  void share(const Members::View& view);
  void end();

  const Options& options_;
  const Surroundings around_;
  Wakeup wakeup_;
  std::stop_source stop_;
  Members members_;
  ApplierPool pool_;
  std::unique_ptr<redis::Connection> redis_;
  std::vector<bool> ours_;
  std::size_t hosts_ = 1;
  bool was_lost_ = false;
  std::atomic<bool> allowed_{false}, started_{false}, ended_{false};
  mutable Mutex mu_;
  std::optional<Members::View> seen_ GUARDED_BY(mu_);
  std::vector<std::jthread> thread_;  // last: it uses the others
};

}  // namespace sluice::pipeline
