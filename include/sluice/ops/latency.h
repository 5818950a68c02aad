#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace sluice::ops {

// Counts durations in buckets of about 4 % width from 1 us to hours.  record() is wait-free; thread-safe.
class LatencyHistogram {
 public:
  void record(std::int64_t microseconds, std::uint64_t times = 1) noexcept;
  // Moves what was recorded since the last call into `into` (plain counts), for one reader.
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
