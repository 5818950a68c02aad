#pragma once
#include <string>
#include <string_view>

#include "sluice/config/options.h"
#include "sluice/redis/replica_wait.h"

namespace sluice::pipeline {

// Set and removed to have something to wait for.
std::string probe_key(std::string_view instance);
// What was read from this server is known to as many replicas as are asked for, so that a failover
// does not take it back; at once when none are.  Errors: retry/redis_unavailable when it is not;
// those of redis::reached().
Status require_replicas(const Options& options, redis::Connection& redis);

}  // namespace sluice::pipeline
