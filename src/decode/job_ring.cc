#include "decode/job_ring.h"

#include <pthread.h>

namespace sluice::decode {

JobRing::JobRing(const DecodeOptions& options, Done done)
    : options_(&options), done_(std::move(done)) {
  const unsigned workers = options.workers;
  // One is being filled, one is with each worker, and as many wait so that no one has to.
  const std::size_t count = workers == 0 ? 1 : 2 * std::size_t{workers} + 2;
  for (std::size_t i = 0; i < count; ++i) jobs_.push_back(std::make_unique<Job>());
  ready_.resize(count);
  if (workers == 0) own_ = std::make_unique<JobEncoder>(options);
  for (unsigned i = 0; i < workers; ++i) {
    workers_.emplace_back([this] { work(); });
    ::pthread_setname_np(workers_.back().native_handle(), "encode");
  }
}

JobRing::~JobRing() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  to_encode_.notify_all();
}

void JobRing::work() {
  JobEncoder encoder(*options_);
  std::unique_lock lock(mutex_);
  for (;;) {
    to_encode_.wait(lock, [this] { return stop_ || taken_ != filled_; });
    if (stop_) return;
    const std::size_t at = taken_++ % jobs_.size();
    lock.unlock();
    encoder.run(*jobs_[at]);
    lock.lock();
    ready_[at] = true;
    encoded_.notify_one();
  }
}

Status JobRing::retire_oldest() {
  const std::size_t at = retired_ % jobs_.size();
  if (!own_) {
    std::unique_lock lock(mutex_);
    encoded_.wait(lock, [&] { return bool{ready_[at]}; });
    ready_[at] = false;
  }
  ++retired_;
  Job& job = *jobs_[at];
  Status s = failure_ ? Status{stopped()} : done_(job);
  if (s.ok() && !job.status.ok()) {
    failure_ = std::move(job.status).error();
    s = stopped();
  }
  job.reset();
  return s;
}

Status JobRing::submit() {
  if (own_) {
    own_->run(current());
    ++filled_;
    return retire_oldest();
  }
  {
    const std::lock_guard lock(mutex_);
    ++filled_;
  }
  to_encode_.notify_one();
  if (filled_ - retired_ == jobs_.size()) return retire_oldest();
  return {};
}

Status JobRing::drain() {
  while (retired_ != filled_) SLUICE_TRY(retire_oldest());
  return {};
}

}  // namespace sluice::decode
