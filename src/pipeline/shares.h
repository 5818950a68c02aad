#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

#include "sluice/base/mutex.h"

namespace sluice::pipeline {

// Which applier thread serves which partition.  What is wanted and what is so are two things: a
// partition changes hands only when the thread that has it has let go, so never two serve it.
// Threads are numbered from 0.  Thread-safe.
class Shares {
 public:
  explicit Shares(std::uint32_t partitions) : places_(partitions), largest_(partitions) {}

  // Which partitions are to be served by this process at all; all of them unless this is called.
  // One per partition; takes effect with the next spread().
  void set_ours(std::vector<bool> ours);
  // From now on threads [0, threads) are to serve the partitions that are ours, as evenly as it
  // goes and with as few of them moved as possible.  How many are to move.
  std::uint32_t spread(std::uint32_t threads);
  // Grows whenever claim() or unwanted() may say something new; cheap.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
  // Partitions that `thread` has, but another is to have: it lets go of each with release().
  std::vector<std::uint32_t> unwanted(std::uint32_t thread) const;
  void release(std::uint32_t partition);
  // Partitions that `thread` is to have and nobody has; it has them from here on.
  std::vector<std::uint32_t> claim(std::uint32_t thread);
  // `thread` has none and is to have none.
  bool retired(std::uint32_t thread) const;
  // How many partitions each thread is to have at most, as the last spread() has it; cheap.
  std::uint32_t largest() const noexcept { return largest_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kNobody = 0xFFFFFFFF;
  struct Place {
    std::uint32_t wanted = kNobody, holder = kNobody;
    bool ours = true;
  };
  mutable Mutex mu_;
  std::vector<Place> places_ GUARDED_BY(mu_);
  std::uint32_t threads_ GUARDED_BY(mu_) = 0;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<std::uint32_t> largest_;
};

}  // namespace sluice::pipeline
