#include "pipeline/shares.h"

#include <algorithm>

namespace sluice::pipeline {

void Shares::set_ours(std::vector<bool> ours) {
  const Lock lock(mu_);
  for (std::size_t n = 0; n < places_.size(); ++n) places_[n].ours = ours[n];
}

std::uint32_t Shares::spread(std::uint32_t threads) {
  const Lock lock(mu_);
  threads_ = threads;
  if (threads == 0) return 0;
  std::uint32_t given_up = 0;
  for (Place& p : places_) {
    if (p.ours || p.wanted == kNobody) continue;
    p.wanted = kNobody;
    ++given_up;
  }
  const auto count = static_cast<std::uint32_t>(
      std::count_if(places_.begin(), places_.end(), [](const Place& p) { return p.ours; }));
  largest_.store((count + threads - 1) / threads, std::memory_order_relaxed);
  std::vector<std::uint32_t> quota(threads, count / threads);
  std::vector<std::uint32_t> has(threads, 0);
  for (const Place& p : places_)
    if (p.wanted < threads) ++has[p.wanted];
  // The larger shares go to those that have most now.
  std::vector<std::uint32_t> order(threads);
  for (std::uint32_t t = 0; t < threads; ++t) order[t] = t;
  std::stable_sort(order.begin(), order.end(),
                   [&has](std::uint32_t a, std::uint32_t b) { return has[a] > has[b]; });
  for (std::uint32_t i = 0; i < count % threads; ++i) ++quota[order[i]];
  std::vector<std::uint32_t> homeless;
  for (std::uint32_t n = 0; n < places_.size(); ++n) {
    if (!places_[n].ours) continue;
    const std::uint32_t t = places_[n].wanted;
    if (t < threads && quota[t] != 0)
      --quota[t];
    else
      homeless.push_back(n);
  }
  // In turns, so that neighbours come to different threads.
  std::uint32_t next = 0;
  for (const std::uint32_t n : homeless) {
    while (quota[next % threads] == 0) ++next;
    --quota[next % threads];
    places_[n].wanted = next++ % threads;
  }
  version_.fetch_add(1, std::memory_order_release);
  return given_up + static_cast<std::uint32_t>(homeless.size());
}

std::vector<std::uint32_t> Shares::unwanted(std::uint32_t thread) const {
  const Lock lock(mu_);
  std::vector<std::uint32_t> out;
  for (std::uint32_t n = 0; n < places_.size(); ++n)
    if (places_[n].holder == thread && places_[n].wanted != thread) out.push_back(n);
  return out;
}

void Shares::release(std::uint32_t partition) {
  const Lock lock(mu_);
  places_[partition].holder = kNobody;
  version_.fetch_add(1, std::memory_order_release);
}

std::vector<std::uint32_t> Shares::claim(std::uint32_t thread) {
  const Lock lock(mu_);
  std::vector<std::uint32_t> out;
  for (std::uint32_t n = 0; n < places_.size(); ++n) {
    if (places_[n].wanted != thread || places_[n].holder != kNobody) continue;
    places_[n].holder = thread;
    out.push_back(n);
  }
  return out;
}

bool Shares::retired(std::uint32_t thread) const {
  const Lock lock(mu_);
  return thread >= threads_ && std::none_of(places_.begin(), places_.end(), [thread](Place p) {
           return p.holder == thread || p.wanted == thread;
         });
}

}  // namespace sluice::pipeline
