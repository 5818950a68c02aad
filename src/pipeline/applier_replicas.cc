// What an applier does about redis.wait_replicas: messages are acked when others have their rows.
#include <utility>

#include "sluice/base/log.h"

#include "pipeline/applier.h"
#include "pipeline/replicas.h"

namespace sluice::pipeline {

void Applier::say_short(const redis::Reached& reached) {
  if (short_since_) return;
  short_since_ = clock_->steady();
  health_->appliers_short.fetch_add(1);
  log::get("applier").warn(
      "fewer replicas have the rows than redis.wait_replicas, messages are not acknowledged until "
      "they do state=REPLICAS_MISSING replicas={} wanted={} on_disk={}",
      reached.replicas, settings_.wait.replicas, reached.on_disk);
}

void Applier::end_short() {
  if (!short_since_) return;
  const auto since = clock_->steady() - *std::exchange(short_since_, std::nullopt);
  health_->appliers_short.fetch_sub(1);
  log::get("applier").info("no replica is waited for any more short_ms={}",
                           std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

// WAIT itself takes its time, so asking again and again is no busy loop.
Status Applier::await(redis::Reached reached) {
  const auto since = clock_->steady();
  while (!reached.enough) {
    say_short(reached);
    if (stop_.stop_requested()) return stopped();
    if (clock_->steady() - since >= settings_.stall_after) {
      gave_up_on_replicas_ = true;
      return redis::require(reached, settings_.wait);
    }
    SLUICE_TRY_ASSIGN(reached, redis_->wait_written(settings_.wait));
  }
  end_short();
  return {};
}

Status Applier::await_written() {
  if (!settings_.wait.wanted()) return {};
  SLUICE_TRY_ASSIGN(const redis::Reached reached, redis_->wait_written(settings_.wait));
  return await(reached);
}

// Who wrote the rows may have ended before they were elsewhere.
Status Applier::await_repeat() {
  if (!settings_.wait.wanted()) return {};
  SLUICE_TRY_ASSIGN(const redis::Reached reached,
                    redis::reach_replicas(*redis_, probe_key(settings_.instance), settings_.wait));
  return await(reached);
}

Status Applier::probe_replicas() {
  SLUICE_TRY_ASSIGN(const redis::Reached reached,
                    redis::reach_replicas(*redis_, probe_key(settings_.instance), settings_.wait));
  if (reached.enough) {
    end_short();
  } else {
    say_short(reached);
    gave_up_on_replicas_ = true;
  }
  return redis::require(reached, settings_.wait);
}

}  // namespace sluice::pipeline
