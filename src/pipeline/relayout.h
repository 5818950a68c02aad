#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

#include "sluice/config/options.h"
#include "sluice/position/state_file.h"
#include "sluice/queue/connection.h"
#include "sluice/redis/connection.h"

#include "pipeline/state_hold.h"

namespace sluice::pipeline {

// What was asked of the daemon by `sluice repartition`: a file in the state folder, there until the
// old queues are gone.
struct RepartitionRequest {
  std::uint32_t partitions = 0;
  std::uint32_t leftover = 0;  // this number's queues and records are to be removed; 0: not yet

  static std::filesystem::path file(const Options& options);
  // Nullopt: there is none.  Errors of all: fatal/io; fatal/usage for a file that is not ours.
  static Result<std::optional<RepartitionRequest>> read(const Options& options);
  Status write(const Options& options) const;
  static Status remove(const Options& options);
};

// Takes `is` for the layout of the saved state; what it was.  All that was sent must be in Redis:
// fatal/position_mismatch when it is not.  Errors: those of StateHold, of the
// broker and of Redis.
Result<position::Layout> relayout(const Options& options, StateHold& hold,
                                  const position::Layout& is);

// Removes what a repartition left when it was interrupted.
Status finish_repartition(const Options& options, queue::Admin& admin, redis::Connection& redis);

}  // namespace sluice::pipeline
