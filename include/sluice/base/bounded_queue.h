#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <optional>
#include <stop_token>
#include <utility>

#include "sluice/base/mutex.h"

namespace sluice {

// Blocking FIFO between two stages.  Its capacity, in bytes as the caller counts them, is the
// back-pressure; an item larger than the capacity passes when the queue is empty.  Thread-safe.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity_bytes) : cap_(capacity_bytes) {}
  // False if stop was requested before there was room.
  bool push(T v, std::size_t bytes, const std::stop_token& st) {
    Lock l(mu_);
    if (!cv_.wait(l.native(), st, [this, bytes]() REQUIRES_LOCK(mu_) {
          return q_.empty() || used_ + bytes <= cap_;
        }))
      return false;
    q_.emplace_back(std::move(v), bytes);
    used_ += bytes;
    cv_.notify_all();
    return true;
  }
  // Nothing if stop was requested before there was an item.
  std::optional<T> pop(const std::stop_token& st) {
    Lock l(mu_);
    if (!cv_.wait(l.native(), st, [this]() REQUIRES_LOCK(mu_) { return !q_.empty(); }))
      return std::nullopt;
    auto [v, bytes] = std::move(q_.front());
    q_.pop_front();
    used_ -= bytes;
    cv_.notify_all();
    return std::optional<T>(std::move(v));
  }

 private:
  const std::size_t cap_;
  Mutex mu_;
  std::condition_variable_any cv_;
  std::deque<std::pair<T, std::size_t>> q_ GUARDED_BY(mu_);
  std::size_t used_ GUARDED_BY(mu_) = 0;
};

}  // namespace sluice
