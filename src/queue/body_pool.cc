#include "queue/body_pool.h"

#include <utility>

namespace sluice::queue {

std::shared_ptr<TextBuffer> BodyPool::take() {
  std::unique_ptr<TextBuffer> buffer;
  {
    const Lock lock(mutex_);
    if (!free_.empty()) {
      buffer = std::move(free_.back());
      free_.pop_back();
      kept_ -= buffer->capacity();
    }
  }
  if (!buffer) buffer = std::make_unique<TextBuffer>();
  return {buffer.release(), [pool = shared_from_this()](TextBuffer* b) {
            pool->give_back(std::unique_ptr<TextBuffer>(b));
          }};
}

void BodyPool::give_back(std::unique_ptr<TextBuffer> buffer) {
  buffer->clear();
  const Lock lock(mutex_);
  if (kept_ + buffer->capacity() > keep_bytes_) return;
  kept_ += buffer->capacity();
  free_.push_back(std::move(buffer));
}

std::size_t BodyPool::kept_bytes() const {
  const Lock lock(mutex_);
  return kept_;
}

}  // namespace sluice::queue
