#include "pipeline/full_disk.h"

#include "sluice/base/log.h"

namespace sluice::pipeline {

Status FullDisk::look_at(Status saved) {
  if (!saved.ok() && saved.error().code != Errc::no_space) return saved;
  if (saved.ok() != since_.has_value()) return {};
  health_->disk_full.store(!saved.ok());
  if (!saved.ok()) {
    since_ = clock_->steady();
    log::get("app").error(
        "position not saved, tried again until there is room; rows go on, make room before the "
        "source purges what was read since error=\"{}\"",
        to_string(saved.error()));
    return {};
  }
  const auto lasted = clock_->steady() - *since_;
  since_.reset();
  log::get("app").info("position saved again unsaved_ms={}",
                       std::chrono::duration_cast<std::chrono::milliseconds>(lasted).count());
  return {};
}

}  // namespace sluice::pipeline
