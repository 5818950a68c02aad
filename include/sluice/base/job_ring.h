#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include "sluice/base/result.h"

namespace sluice {

// Jobs are filled by one thread, worked off by some, and handed on in the order they were filled.
// All but the work happens on the owner's thread; that works, too, when there are no workers and
// whenever it would have to wait for them.  A Job has
//   Status status;   what became of it
//   void reset();    forgets everything
template <class Job>
class JobRing {
 public:
  using Work = std::function<void(Job&)>;
  using Done = std::function<Status(Job&)>;
  // How many jobs there are: one is being filled, one is with each worker, and as many wait so that
  // no one has to.
  static constexpr std::size_t count(unsigned workers) noexcept {
    return workers == 0 ? 1 : 2 * std::size_t{workers} + 2;
  }
  // `make_work`: called once on each thread that works, the owner's among them.  `name`: of these
  // threads, up to 15 characters.  `done`: gets each finished job, in order.
  JobRing(unsigned workers, const char* name, std::function<Work()> make_work, Done done)
      : make_work_(std::move(make_work)), done_(std::move(done)) {
    for (std::size_t i = 0; i < count(workers); ++i) jobs_.push_back(std::make_unique<Job>());
    ready_.resize(jobs_.size());
    own_ = make_work_();
    for (unsigned i = 0; i < workers; ++i) {
      workers_.emplace_back([this] { work(); });
      ::pthread_setname_np(workers_.back().native_handle(), name);
    }
  }
  JobRing(const JobRing&) = delete;
  JobRing& operator=(const JobRing&) = delete;
  ~JobRing() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    to_do_.notify_all();
  }

  // The job that is being filled.
  Job& current() noexcept { return *jobs_[filled_ % jobs_.size()]; }
  // None is handed over that has not come back.
  bool idle() const noexcept { return retired_ == filled_; }
  // Hands the current job over; waits for the oldest one when all are in use.  Errors: of `done`;
  // stopped when a job has failed.  Jobs behind that one are dropped.
  Status submit() {
    if (workers_.empty()) {
      own_(current());
      ++filled_;
      return retire_oldest();
    }
    {
      const std::lock_guard lock(mutex_);
      ++filled_;
    }
    to_do_.notify_one();
    if (filled_ - retired_ == jobs_.size()) return retire_oldest();
    return {};
  }
  // Waits for all that were handed over.  Errors: as submit().
  Status drain() {
    while (!idle()) SLUICE_TRY(retire_oldest());
    return {};
  }
  // Drops all jobs, the current one too, and begins anew.  Waits for those that are being worked
  // on.
  void drop() {
    {
      // Nobody begins with what is forgotten.
      const std::lock_guard lock(mutex_);
      while (taken_ != filled_) ready_[taken_++ % jobs_.size()] = true;
    }
    while (!idle()) take_oldest().reset();
    current().reset();
    failure_.reset();
  }
  // Of the first job that failed.
  const std::optional<Error>& failure() const noexcept { return failure_; }

 private:
  void work() {
    const Work work = make_work_();
    std::unique_lock lock(mutex_);
    for (;;) {
      to_do_.wait(lock, [this] { return stop_ || taken_ != filled_; });
      if (stop_) return;
      work_one(work, lock);
      finished_.notify_one();
    }
  }
  // The next job that nobody has taken; `lock` is not held meanwhile.
  void work_one(const Work& work, std::unique_lock<std::mutex>& lock) {
    const std::size_t at = taken_++ % jobs_.size();
    lock.unlock();
    work(*jobs_[at]);
    lock.lock();
    ready_[at] = true;
  }
  // Waits until the oldest job handed over is worked off.
  Job& take_oldest() {
    const std::size_t at = retired_ % jobs_.size();
    if (!workers_.empty()) {
      std::unique_lock lock(mutex_);
      while (!ready_[at]) {
        if (taken_ != filled_)
          work_one(own_, lock);
        else
          finished_.wait(lock);
      }
      ready_[at] = false;
    }
    ++retired_;
    return *jobs_[at];
  }
  Status retire_oldest() {
    Job& job = take_oldest();
    Status s = failure_ ? Status{stopped()} : done_(job);
    if (s.ok() && !job.status.ok()) {
      failure_ = std::move(job.status).error();
      s = stopped();
    }
    job.reset();
    return s;
  }

  const std::function<Work()> make_work_;
  Done done_;
  std::optional<Error> failure_;
  Work own_;  // of the owner's thread
  std::vector<std::unique_ptr<Job>> jobs_;
  // Numbers of jobs, ever growing: retired_ <= worked off <= taken_ <= filled_.
  std::uint64_t retired_ = 0;
  std::mutex mutex_;
  std::condition_variable to_do_, finished_;
  std::uint64_t filled_ = 0, taken_ = 0;  // guarded when there are workers
  std::vector<bool> ready_;               // by job; guarded
  bool stop_ = false;                     // guarded
  std::vector<std::jthread> workers_;
};

}  // namespace sluice
