#include "pipeline/mirror_stage.h"

#include <utility>

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"

namespace sluice::pipeline {

using std::chrono::milliseconds;

void MirrorStage::put(std::optional<position::State> state) {
  const Lock lock(mu_);
  state_ = std::move(state);
  ++put_;
  changed_.notify_all();
}

Status MirrorStage::wait(const std::stop_token& st) {
  Lock lock(mu_);
  const std::uint64_t wanted = put_;
  changed_.wait(lock.native(), st,
                [this, wanted]() REQUIRES_LOCK(mu_) { return over_ || done_ >= wanted; });
  return done_ >= wanted ? Status() : stopped();
}

bool MirrorStage::wait_for(milliseconds limit) {
  Lock lock(mu_);
  const std::uint64_t wanted = put_;
  changed_.wait_for(lock.native(), limit,
                    [this, wanted]() REQUIRES_LOCK(mu_) { return over_ || done_ >= wanted; });
  return done_ >= wanted;
}

Status MirrorStage::session(const std::stop_token& st) {
  std::optional<position::State> state;
  std::uint64_t number = 0;
  {
    Lock lock(mu_);
    if (!changed_.wait(lock.native(), st, [this]() REQUIRES_LOCK(mu_) { return done_ != put_; }))
      return stopped();
    state = state_;
    number = put_;
  }
  SLUICE_TRY(state ? mirror_.save(*state) : mirror_.forget());
  const Lock lock(mu_);
  done_ = number;
  changed_.notify_all();
  return {};
}

Status MirrorStage::run(const std::stop_token& st) {
  Backoff backoff(milliseconds(100), reconnect_max_);
  Status out = stopped();
  while (!st.stop_requested()) {
    Status s = session(st);
    if (s.ok()) {
      if (backoff.attempts() != 0)
        log::get("app").info("the position's copy in Redis is up to date again");
      backoff.reset();
      continue;
    }
    if (st.stop_requested()) break;
    if (s.error().code == Errc::position_superseded) {
      log::get("app").error("publishing ends here error=\"{}\"", to_string(s.error()));
      superseded_();
      break;
    }
    if (s.error().cls != ErrorClass::retry) {
      out = std::move(s);
      break;
    }
    const bool first = backoff.attempts() == 0;
    const auto pause = backoff.next();
    if (first)
      log::get("app").warn(
          "the position's copy in Redis is not up to date, trying again wait_ms={} error=\"{}\"",
          pause.count(), to_string(s.error()));
    if (!sluice::wait_for(pause, st)) break;
  }
  const Lock lock(mu_);
  over_ = true;
  changed_.notify_all();
  return out;
}

}  // namespace sluice::pipeline
