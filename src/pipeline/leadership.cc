#include "pipeline/leadership.h"

#include "sluice/base/log.h"

namespace sluice::pipeline {

using std::chrono::milliseconds;

Status Leadership::run(const std::stop_token& st) {
  const std::stop_callback stop(st, [this] { wake(); });
  while (!st.stop_requested()) {
    Status s = session(st);
    const bool led = turn_.load() != 0;
    lost();
    if (s.ok() || st.stop_requested()) break;
    if (s.error().cls != ErrorClass::retry) return s;
    const auto pause = backoff_.next();
    if (led)
      log::get("app").warn("leadership lost, publishing ends wait_ms={} error=\"{}\"",
                           pause.count(), to_string(s.error()));
    else if (backoff_.attempts() == 1)
      log::get("app").warn("no leadership without the broker, reconnecting wait_ms={} error=\"{}\"",
                           pause.count(), to_string(s.error()));
    if (!wait_for(pause, st)) break;
  }
  return stopped();
}

void Leadership::lost() {
  turn_.store(0);
  standing_by_.store(false);
  changed_->notify();
}

Status Leadership::session(const std::stop_token& st) {
  constexpr milliseconds kLook{250};
  // The message comes at once unless somebody else holds it.
  constexpr milliseconds kInLine{1000};
  SLUICE_TRY_ASSIGN(const auto baton, connect_());
  const auto since = clock_->steady();
  given_up_.store(false);
  while (!st.stop_requested()) {
    if (given_up_.load()) return retry(Errc::position_superseded, "given up");
    SLUICE_TRY_ASSIGN(const bool held, baton->wait(kLook, wakeup_));
    if (held) {
      safe_until_.store(baton->safe_until().time_since_epoch().count());
      if (turn_.load() != 0) continue;
      backoff_.reset();
      standing_by_.store(false);
      turn_.store(++turns_);
      changed_->notify();
    } else if (!standing_by_.load() && clock_->steady() - since >= kInLine) {
      backoff_.reset();
      stood_by_.store(true);
      standing_by_.store(true);
      log::get("app").info("standing by: another process publishes for this instance");
      changed_->notify();
    }
  }
  return {};
}

}  // namespace sluice::pipeline
