#pragma once
#include <condition_variable>
#include <optional>

#include "sluice/base/mutex.h"
#include "sluice/base/result.h"
#include "sluice/base/wakeup.h"

namespace sluice::pipeline {

// Where stages put the error that must end the process; the first one counts.  Thread-safe.
class FailureBox {
 public:
  // `wakeup` is notified at the first failure; it must outlive the box.
  explicit FailureBox(Wakeup& wakeup) : wakeup_(&wakeup) {}
  void put(Error error) {
    {
      const Lock lock(mu_);
      if (failure_) return;
      failure_ = std::move(error);
      if (failure_->code == Errc::no_space)
        failure_->what +=
            "; make room there and start again: nothing is lost, rows since the saved position are "
            "sent again and left out as repeats";
    }
    wakeup_->notify();
  }
  std::optional<Error> get() {
    const Lock lock(mu_);
    return failure_;
  }

 private:
  Wakeup* wakeup_;
  Mutex mu_;
  std::optional<Error> failure_ GUARDED_BY(mu_);
};

}  // namespace sluice::pipeline
