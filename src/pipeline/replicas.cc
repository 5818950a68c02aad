#include "pipeline/replicas.h"

namespace sluice::pipeline {

std::string probe_key(std::string_view instance) {
  return "sluice:" + std::string(instance) + ":probe";
}

Status require_replicas(const Options& options, redis::Connection& redis) {
  const auto wait = redis::ReplicaWait::of(options.redis, options.redis.timeout());
  if (!wait.wanted()) return {};
  SLUICE_TRY_ASSIGN(const redis::Reached reached,
                    redis::reach_replicas(redis, probe_key(options.instance()), wait));
  return redis::require(reached, wait);
}

}  // namespace sluice::pipeline
