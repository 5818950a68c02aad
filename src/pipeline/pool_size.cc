#include "pipeline/pool_size.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sluice::pipeline {
namespace {

std::string seconds(std::chrono::milliseconds ms) {
  std::array<char, 32> text{};
  const int n =
      std::snprintf(text.data(), text.size(), "%.1f", static_cast<double>(ms.count()) / 1e3);
  return {text.data(), static_cast<std::size_t>(std::max(n, 0))};
}

}  // namespace

PoolSize::Decision PoolSize::to(std::uint32_t threads, const Load& load, Time now, Time since) {
  threads_ = threads;
  busy_since_.reset();
  quiet_since_.reset();
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return {threads, "backlog_messages=" + (load.backlog ? std::to_string(*load.backlog) : "?") +
                       " lag_s=" + seconds(load.lag) +
                       " for_s=" + seconds(duration_cast<milliseconds>(now - since))};
}

std::optional<PoolSize::Decision> PoolSize::look(Time now, const Load& load) {
  const bool busy =
      (load.backlog && *load.backlog > settings_.grow_backlog) || load.lag > settings_.grow_lag;
  // Between the two thresholds nothing changes.  Without the broker's word nothing shrinks.
  const bool quiet = load.backlog && *load.backlog <= settings_.grow_backlog / 4 &&
                     load.lag <= settings_.grow_lag / 4;
  if (!busy)
    busy_since_.reset();
  else if (!busy_since_)
    busy_since_ = now;
  if (!quiet)
    quiet_since_.reset();
  else if (!quiet_since_)
    quiet_since_ = now;
  if (busy_since_ && threads_ < settings_.max && now - *busy_since_ >= settings_.grow_after)
    return to(std::min(settings_.max, threads_ * 2), load, now, *busy_since_);
  if (quiet_since_ && threads_ > settings_.min && now - *quiet_since_ >= settings_.shrink_after)
    return to(threads_ - 1, load, now, *quiet_since_);
  return std::nullopt;
}

}  // namespace sluice::pipeline
