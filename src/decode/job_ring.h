#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "sluice/base/result.h"

#include "decode/job.h"

namespace sluice::decode {

// Jobs are filled by one thread, encoded by some, and handed on in the order they were filled.
// All but the encoding happens on the owner's thread; with no workers that does, too.
class JobRing {
 public:
  using Done = std::function<Status(Job&)>;
  // `done` gets each finished job, in order.
  JobRing(const DecodeOptions& options, Done done);
  JobRing(const JobRing&) = delete;
  JobRing& operator=(const JobRing&) = delete;
  ~JobRing();

  // The job that is being filled.
  Job& current() noexcept { return *jobs_[filled_ % jobs_.size()]; }
  // Hands the current job over; waits for the oldest one when all are in use.  Errors: of `done`;
  // stopped when a job has failed.  Jobs behind that one are dropped.
  Status submit();
  // Waits for all that were handed over.  Errors: as submit().
  Status drain();
  // Of the first job that failed, with its place.
  const std::optional<Error>& failure() const noexcept { return failure_; }

 private:
  void work();
  Status retire_oldest();

  const DecodeOptions* options_;
  Done done_;
  std::optional<Error> failure_;
  std::unique_ptr<JobEncoder> own_;  // without workers
  std::vector<std::unique_ptr<Job>> jobs_;
  // Numbers of jobs, ever growing: retired_ <= encoded <= taken_ <= filled_.
  std::uint64_t retired_ = 0;
  std::mutex mutex_;
  std::condition_variable to_encode_, encoded_;
  std::uint64_t filled_ = 0, taken_ = 0;  // guarded when there are workers
  std::vector<bool> ready_;               // by job; guarded
  bool stop_ = false;                     // guarded
  std::vector<std::jthread> workers_;
};

}  // namespace sluice::decode
