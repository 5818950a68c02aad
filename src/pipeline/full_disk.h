#pragma once
#include <chrono>
#include <optional>

#include "sluice/base/clock.h"
#include "sluice/base/result.h"

#include "pipeline/health.h"

namespace sluice::pipeline {

// A position that cannot be saved because the disk is full ends nothing: rows go on, and should the
// process end meanwhile, those since the saved position are sent again and left out as repeats.
// What must be on disk before anything is sent (a new epoch, the schema history, rows of XA
// transactions too large for memory) is not looked at here: it ends the process.  Belongs to one
// thread.
class FullDisk {
 public:
  FullDisk(Health& health, const Clock& clock) : health_(&health), clock_(&clock) {}
  ~FullDisk() { health_->disk_full.store(false); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

  // What an attempt to save came to, the next one being sure to come.  Lack of space is said once,
  // and its end; other errors are returned.
  Status look_at(Status saved);

 private:
  Health* health_;
  const Clock* clock_;
  std::optional<std::chrono::steady_clock::time_point> since_;
};

}  // namespace sluice::pipeline
