#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "sluice/base/backoff.h"
#include "sluice/base/clock.h"
#include "sluice/base/wakeup.h"
#include "sluice/queue/baton.h"

namespace sluice::pipeline {

// Whether this process is the publisher of its instance, or stands by: the thread that holds the
// baton, or waits for it.
class Leadership {
 public:
  using Connect = std::function<Result<std::unique_ptr<queue::Baton>>()>;
  // `changed` is notified when turn() or standing_by() changes.
  Leadership(Connect connect, Wakeup& changed, const Clock& clock,
             std::chrono::milliseconds reconnect_max)
      : connect_(std::move(connect)),
        changed_(&changed),
        clock_(&clock),
        backoff_(std::chrono::milliseconds(100), reconnect_max) {}

  // Until `st` is stopped (stopped), or an error that must end the process.
  Status run(const std::stop_token& st);
  // Ends a wait; any thread.
  void wake() { wakeup_.notify(); }
  // Lets go of it, as after a loss; any thread.
  void give_up() {
    given_up_.store(true);
    wake();
  }

  // Any thread.
  // Not 0: this process leads; another number each time it comes to lead.
  std::uint64_t turn() const noexcept { return turn_.load(); }
  // In line behind another one.
  bool standing_by() const noexcept { return standing_by_.load(); }
  // Another process may have led before, or this one.
  bool succeeds() const noexcept { return stood_by_.load() || turn_.load() > 1; }
  // It leads, and nobody else can do so at this moment: asked before anything is sent.
  bool certain() const noexcept {
    return turn_.load() != 0 && clock_->steady().time_since_epoch().count() < safe_until_.load();
  }

 private:
  Status session(const std::stop_token& st);
  void lost();

  Connect connect_;
  Wakeup* changed_;
  const Clock* clock_;
  Backoff backoff_;
  Wakeup wakeup_;
  std::uint64_t turns_ = 0;
  std::atomic<std::uint64_t> turn_{0};
  std::atomic<bool> standing_by_{false};
  std::atomic<bool> stood_by_{false};  // once
  std::atomic<bool> given_up_{false};
  std::atomic<std::chrono::steady_clock::rep> safe_until_{0};
};

}  // namespace sluice::pipeline
