#pragma once
#include <chrono>

#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

// An eventfd: lets any thread end another thread's poll().  notify() and clear() are thread-safe.
class Wakeup {
 public:
  Wakeup();
  // Readable after notify() until clear().
  int fd() const noexcept { return fd_.get(); }
  void notify() noexcept;
  void clear() noexcept;
  // Waits until it is notified, or for `timeout`, and clears it.
  void wait(std::chrono::milliseconds timeout) noexcept;

 private:
  UniqueFd fd_;
};

}  // namespace sluice
