#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace sluice::ops {

// Counts durations in buckets at most 4.2 % wide, from 1 us to 76 hours (longer ones in the last).
// record() is wait-free and thread-safe; take() is for one thread.
class LatencyHistogram {
 public:
  void record(std::int64_t microseconds, std::uint64_t times = 1) noexcept;
  // What was recorded since the last take(), as plain counts.
  struct Snapshot {
    std::array<std::uint64_t, 832> counts{};
    std::uint64_t total = 0;
    // Upper bound of the bucket that holds the p-th part (0..1); 0 when empty.
    std::int64_t percentile(double p) const noexcept;
  };
  Snapshot take() noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, 832> counts_{};
};

}  // namespace sluice::ops
