#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "sluice/base/mutex.h"
#include "sluice/position/state_file.h"

#include "pipeline/mirror.h"

namespace sluice::pipeline {

// Keeps the copy of the position behind the position: a thread, so that a Redis that hangs holds up
// nothing but what must have it.  Thread-safe.
class MirrorStage {
 public:
  // `superseded`: somebody else goes on with the instance; called once, by run().
  MirrorStage(Mirror mirror, std::chrono::milliseconds reconnect_max,
              std::function<void()> superseded)
      : mirror_(std::move(mirror)),
        reconnect_max_(reconnect_max),
        superseded_(std::move(superseded)) {}

  // What is to be there from now on; nullopt: nothing to go on from.  The latest counts.
  void put(std::optional<position::State> state);
  // What was put last is in Redis.  Errors: stopped, also when it will never be.
  Status wait(const std::stop_token& st);
  // The same, for so long at the most; false: not yet.
  bool wait_for(std::chrono::milliseconds limit);

  // Until `st` is stopped (stopped), or an error that must end the process.
  Status run(const std::stop_token& st);
  // When run() has ended, for who goes on with it.
  Mirror release() { return std::move(mirror_); }

 private:
  Status session(const std::stop_token& st);

  Mirror mirror_;  // of the thread
  const std::chrono::milliseconds reconnect_max_;
  const std::function<void()> superseded_;
  Mutex mu_;
  std::condition_variable_any changed_;
  std::optional<position::State> state_ GUARDED_BY(mu_);
  std::uint64_t put_ GUARDED_BY(mu_) = 0, done_ GUARDED_BY(mu_) = 0;
  bool over_ GUARDED_BY(mu_) = false;
};

}  // namespace sluice::pipeline
