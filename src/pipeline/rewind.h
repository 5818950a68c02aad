#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sluice/config/options.h"
#include "sluice/model/gtid.h"
#include "sluice/ops/counters.h"
#include "sluice/position/applied_record.h"
#include "sluice/position/state_file.h"
#include "sluice/redis/servers.h"

#include "pipeline/control.h"
#include "pipeline/remedies.h"
#include "pipeline/state_hold.h"

namespace sluice::pipeline {

// How the leader goes back to rows that Redis does not have any more (docs/design.md 6).
struct RewindPlan {
  position::State state;                  // to be saved, and gone on from
  std::vector<std::uint32_t> partitions;  // that are behind
  // Of the one whose place was taken; nullopt: the saved place was before all of them.
  std::optional<std::uint32_t> furthest;
};
// Nullopt: nobody who asked is behind any more.  `records`: what Redis has, by partition.
// `gtids_at` tells the set executed at a place where no record does.  Changes nothing.  Errors:
// fatal/pipeline_gap when a record is of an epoch that is over; those of `gtids_at`.
Result<std::optional<RewindPlan>> plan_rewind(
    const position::State& saved, const std::vector<RewindRequest>& requests,
    const std::vector<std::optional<position::AppliedRecord>>& records,
    const std::function<Result<GtidSet>(BinlogPosition&)>& gtids_at);

// Saves the place that meets the requests: the next start goes on from there.  Nobody publishes.
// Errors: those of plan_rewind; fatal/mysql_binlog_purged when the source does not have it any
// more; those of StateHold, Redis and the source (also retry: nothing was done).
Status rewind(const Options& options, redis::Servers& servers, StateHold& hold,
              const std::vector<RewindRequest>& requests, ops::Counters& counters);

}  // namespace sluice::pipeline
