#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "sluice/base/mutex.h"
#include "sluice/base/text_buffer.h"

namespace sluice::queue {

// Keeps the memory of message bodies for the next ones, up to `keep_bytes`.  Thread-safe; what is
// handed out outlives the pool.
class BodyPool : public std::enable_shared_from_this<BodyPool> {
 public:
  explicit BodyPool(std::size_t keep_bytes) : keep_bytes_(keep_bytes) {}
  // An empty buffer; returns to the pool when its last owner is gone.
  std::shared_ptr<TextBuffer> take();
  std::size_t kept_bytes() const;

 private:
  void give_back(std::unique_ptr<TextBuffer> buffer);
  const std::size_t keep_bytes_;
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<TextBuffer>> free_ GUARDED_BY(mutex_);
  std::size_t kept_ GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::queue
