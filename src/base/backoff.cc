#include "sluice/base/backoff.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace sluice {

std::chrono::milliseconds Backoff::next() {
  ++attempts_;
  const auto cap = cap_.count();
  cap_ = std::min(most_, cap_ * 2);
  return std::chrono::milliseconds(
      std::uniform_int_distribution<std::int64_t>(cap / 2, std::max<std::int64_t>(cap, 1))(rng_));
}

bool wait_for(std::chrono::milliseconds time, const std::stop_token& st) {
  std::mutex mu;
  std::condition_variable_any cv;
  std::unique_lock lock(mu);
  return !cv.wait_for(lock, st, time, [&st] { return st.stop_requested(); });
}

}  // namespace sluice
