#pragma once
#include <chrono>
#include <cstdint>

namespace sluice {

// Time comes through this, so that tests hold the clock.  Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic; for intervals.
  virtual std::chrono::steady_clock::time_point steady() const = 0;
  // Microseconds since the Unix epoch, UTC.
  virtual std::int64_t wall_us() const = 0;
};

// The machine's clocks.  Lives as long as the program.
const Clock& system_clock();

}  // namespace sluice
