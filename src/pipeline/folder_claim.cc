#include "pipeline/folder_claim.h"

#include <utility>

#include "sluice/base/log.h"

namespace sluice::pipeline {

using std::chrono::milliseconds;

Result<std::optional<StateHold>> FolderClaim::attempt(bool succeeds) {
  constexpr milliseconds kPatience{3000};
  auto hold = StateHold::open(*options_, servers_);
  if (hold.ok()) {
    if (said_) log::get("app").info("the state folder is free, going on");
    drop();
    return std::optional(std::move(hold).value());
  }
  if (hold.error().code != Errc::position_locked) return std::move(hold).error();
  const auto now = clock_->steady();
  if (!since_) since_ = now;
  waits_ = succeeds;
  if (now - *since_ < options_->queue.heartbeat() + kPatience) return std::optional<StateHold>();
  if (!succeeds) return std::move(hold).error();
  if (!std::exchange(said_, true))
    log::get("app").warn(
        "the process that led before still has the state folder, nothing is published until it "
        "lets go: it is frozen, or hangs; end it (kill -KILL) error=\"{}\"",
        to_string(hold.error()));
  return std::optional<StateHold>();
}

void FolderClaim::drop() {
  since_.reset();
  waits_ = said_ = false;
}

}  // namespace sluice::pipeline
