#include "pipeline/applier_pool.h"

#include <string>
#include <utility>

#include "sluice/base/log.h"

#include "pipeline/stage.h"

namespace sluice::pipeline {
ApplierPool::ApplierPool(Settings settings, Dependencies dependencies, ops::Counters& counters,
                         Health& health, FailureBox& failures, const Clock& clock)
    : settings_(std::move(settings)),
      deps_(std::move(dependencies)),
      counters_(&counters),
      health_(&health),
      failures_(&failures),
      clock_(&clock),
      size_(settings_.size),
      shares_(settings_.applier.partitions) {
  for (std::uint32_t t = 0; t < settings_.size.max; ++t)
    threads_.push_back(std::make_unique<Thread>());
}

void ApplierPool::start(std::vector<bool> ours) {
  shares_.set_ours(std::move(ours));
  resize(size_.threads());
}

void ApplierPool::take(std::vector<bool> ours) {
  shares_.set_ours(std::move(ours));
  resize(size_.threads());
}

void ApplierPool::look() {
  const std::uint32_t before = size_.threads();
  if (const auto decision = size_.look(clock_->steady(), deps_.load())) {
    log::get("applier").info("threads {} -> {} {}", before, decision->threads, decision->why);
    resize(decision->threads);
  } else {
    start_missing();  // one that was retiring when it was wanted again
  }
}

void ApplierPool::resize(std::uint32_t threads) {
  wanted_.store(threads, std::memory_order_relaxed);
  const std::uint32_t moved = shares_.spread(threads);
  log::get("applier").info("partitions spread threads={} of_each={} moved={}", threads,
                           shares_.largest(), moved);
  start_missing();
}

void ApplierPool::start_missing() {
  for (std::uint32_t t = 0; t < wanted(); ++t) {
    Thread& slot = *threads_[t];
    if (slot.running.load()) continue;
    if (slot.thread.joinable()) slot.thread.join();
    ApplierSettings settings = settings_.applier;
    settings.thread = t;
    slot.applier = std::make_unique<Applier>(
        std::move(settings),
        Applier::Dependencies{[this, connect = deps_.consumer] {
                                return connect([this] { return shares_.largest(); });
                              },
                              deps_.redis, deps_.refusals, deps_.ask},
        shares_, unsettled_, *counters_, *health_, *clock_);
    slot.running.store(true);
    running_.fetch_add(1);
    slot.thread =
        start_stage("applier-" + std::to_string(t), *failures_, [this, &slot]() -> Status {
          Status s = slot.applier->run(stop_.get_token());
          slot.running.store(false);
          running_.fetch_sub(1);
          deps_.ended();
          return s;
        });
  }
}

void ApplierPool::request_stop() {
  stop_.request_stop();
  for (const auto& slot : threads_)
    if (slot->applier) slot->applier->wake();
}

void ApplierPool::join() {
  for (const auto& slot : threads_)
    if (slot->applier) slot->applier->abort();
  for (const auto& slot : threads_)
    if (slot->thread.joinable()) slot->thread.join();
}

}  // namespace sluice::pipeline
