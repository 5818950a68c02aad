#include "pipeline/applier_side.h"

#include <algorithm>
#include <utility>

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"
#include "sluice/mapping/mapper.h"

#include "pipeline/stage.h"
#include "pipeline/start.h"
#include "pipeline/wiring.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
// A step takes milliseconds, unless Redis hangs.
constexpr milliseconds kPatience{5000};
constexpr milliseconds kLookEvery{1000};

}  // namespace

ApplierSide::ApplierSide(const Options& options, Surroundings surroundings)
    : options_(options),
      around_(std::move(surroundings)),
      members_(options.instance(), member_id()),
      pool_(pool_settings(options),
            pool_dependencies(options, *around_.redis, stop_.get_token(), around_.load,
                              [this] {
                                wakeup_.notify();
                                around_.changed();
                              }),
            *around_.counters, *around_.health, *around_.failures, *around_.clock),
      ours_(options.queue.partitions(), true) {
  thread_.push_back(
      start_stage("appliers", *around_.failures, [this] { return run(stop_.get_token()); }));
}

ApplierSide::~ApplierSide() {
  request_stop();
}

void ApplierSide::allow() {
  if (!allowed_.exchange(true)) wakeup_.notify();
}

void ApplierSide::request_stop() {
  stop_.request_stop();
  wakeup_.notify();
}

std::optional<Members::View> ApplierSide::seen() const {
  const Lock lock(mu_);
  return seen_;
}

Status ApplierSide::run(const std::stop_token& st) {
  Backoff backoff(milliseconds(100), options_.redis.reconnect_max());
  Status out = stopped();
  while (!st.stop_requested()) {
    Status s = session(st);
    if (st.stop_requested()) break;
    if (s.error().cls != ErrorClass::retry) {
      out = std::move(s);
      break;
    }
    was_lost_ = true;
    // The appliers say that Redis is away; here it only means that hosts come and go unseen.
    log::get("redis").debug("members unknown error=\"{}\"", to_string(s.error()));
    if (started_) pool_.look();
    if (!wait_for(backoff.next(), st)) break;
  }
  end();
  return out;
}

Status ApplierSide::session(const std::stop_token& st) {
  SLUICE_TRY_ASSIGN(redis_, around_.redis->connect());
  SLUICE_TRY(mapping::check_server(*redis_, options_));
  const std::stop_callback interrupt(st, [this] { redis_->interrupt(); });
  auto next_beat = steady_clock::now();
  while (!st.stop_requested()) {
    const auto now = steady_clock::now();
    if (now >= next_beat) {
      SLUICE_TRY_ASSIGN(const Members::View view, members_.beat(*redis_));
      next_beat = now + Members::kBeat;
      // After a loss of Redis, or of its data, the others have yet to say that they are there.
      if (!std::exchange(was_lost_, false)) share(view);
    }
    if (started_) {
      pool_.look();
    } else if (allowed_ && seen()) {
      pool_.start(ours_);
      started_ = true;
      around_.changed();
    }
    wakeup_.wait(kLookEvery);
  }
  return stopped();
}

void ApplierSide::share(const Members::View& view) {
  {
    const Lock lock(mu_);
    seen_ = view;
  }
  around_.changed();
  auto ours = share_of(members_.id(), view.ids, static_cast<std::uint32_t>(ours_.size()));
  if (ours == ours_ && view.ids.size() == hosts_) return;
  ours_ = std::move(ours);
  hosts_ = view.ids.size();
  log::get("applier").info("partitions of this host={} of={} hosts={}",
                           std::count(ours_.begin(), ours_.end(), true), ours_.size(), hosts_);
  if (started_) pool_.take(ours_);
}

void ApplierSide::end() {
  if (started_) {
    pool_.request_stop();
    const auto deadline = steady_clock::now() + kPatience;
    while (!pool_.ended() && steady_clock::now() < deadline) wakeup_.wait(milliseconds(100));
    pool_.join();
  }
  // The connection was interrupted, perhaps.
  if (auto redis = around_.redis->connect()) {
    if (Status s = members_.leave(**redis); !s.ok())
      log::get("redis").debug("not said that this host goes error=\"{}\"", to_string(s.error()));
  }
  ended_ = true;
  around_.changed();
}

}  // namespace sluice::pipeline
