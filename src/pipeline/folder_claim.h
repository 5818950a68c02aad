#pragma once
#include <chrono>
#include <optional>

#include "sluice/base/clock.h"

#include "pipeline/state_hold.h"

namespace sluice::pipeline {

// The state folder, for a process that has come to lead.  Belongs to one thread.
class FolderClaim {
 public:
  // All must outlive it.
  FolderClaim(const Options& options, redis::Servers* servers, const Clock& clock)
      : options_(&options), servers_(servers), clock_(&clock) {}

  // Nullopt: another process has it, and this is to be called again soon.  A command has it for a
  // moment.  Who led before, on this host, has up to a heartbeat to notice that it does not any
  // more, and keeps the folder while it is frozen: with `succeeds` that is waited for without an
  // end.  Errors: fatal/position_locked, somebody has it who did not lead; those of
  // StateHold::open.
  Result<std::optional<StateHold>> attempt(bool succeeds);
  // The one that led before has it.
  bool waits() const noexcept { return waits_; }
  // The folder is not wanted any more.
  void drop();

 private:
  const Options* options_;
  redis::Servers* servers_;
  const Clock* clock_;
  std::optional<std::chrono::steady_clock::time_point> since_;  // somebody else has it
  bool waits_ = false, said_ = false;
};

}  // namespace sluice::pipeline
