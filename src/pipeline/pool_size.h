#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sluice::pipeline {

// How many applier threads there are to be: more while the backlog or the lag stays above what is
// tolerated, fewer when there has been neither for long.  A value without clock or I/O.
class PoolSize {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Settings {
    std::uint32_t min = 1, max = 1;
    std::uint64_t grow_backlog = 32;  // messages ready in all queues
    std::chrono::milliseconds grow_lag{5000}, grow_after{5000}, shrink_after{60000};
  };
  struct Load {
    std::optional<std::uint64_t> backlog;  // messages ready; nothing: the broker did not say
    std::chrono::milliseconds lag{0};      // commit time read last, less commit time applied last
  };
  struct Decision {
    std::uint32_t threads = 0;
    std::string why;  // "backlog_messages=120 lag_s=7.5 for_s=5.0"
  };

  explicit PoolSize(Settings settings) : settings_(settings), threads_(settings.min) {}
  std::uint32_t threads() const noexcept { return threads_; }
  // What `load` at `now` makes of it; nothing when all stays as it is.  Growing doubles, shrinking
  // takes one away.
  std::optional<Decision> look(Time now, const Load& load);

 private:
  Decision to(std::uint32_t threads, const Load& load, Time now, Time since);
  Settings settings_;
  std::uint32_t threads_;
  std::optional<Time> busy_since_, quiet_since_;
};

}  // namespace sluice::pipeline
