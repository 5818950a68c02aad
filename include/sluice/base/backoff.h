#pragma once
#include <chrono>
#include <cstdint>
#include <random>
#include <stop_token>

namespace sluice {

// Exponential backoff with full jitter: each delay is drawn from [cap/2, cap], cap doubling from
// `first` to `most`.  Thread-compatible.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds most,
          std::uint64_t seed = std::random_device{}())
      : first_(first), most_(most), cap_(first), rng_(seed) {}
  // The next delay to wait; counts an attempt.
  std::chrono::milliseconds next();
  // After success: start over.
  void reset() noexcept {
    cap_ = first_;
    attempts_ = 0;
  }
  unsigned attempts() const noexcept { return attempts_; }

 private:
  std::chrono::milliseconds first_, most_, cap_;
  unsigned attempts_ = 0;
  std::mt19937_64 rng_;
};

// Waits, or returns early when stop is requested.  True when the whole time has passed.
bool wait_for(std::chrono::milliseconds time, const std::stop_token& st);

}  // namespace sluice
