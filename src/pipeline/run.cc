#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"
#include "sluice/mapping/mapper.h"
#include "sluice/ops/service.h"
#include "sluice/pipeline/commands.h"
#include "sluice/redis/servers.h"

#include "pipeline/applier_side.h"
#include "pipeline/backlog_stage.h"
#include "pipeline/failure.h"
#include "pipeline/folder_claim.h"
#include "pipeline/invalidation_stage.h"
#include "pipeline/leadership.h"
#include "pipeline/publisher_side.h"
#include "pipeline/relayout.h"
#include "pipeline/rewind.h"
#include "pipeline/signals.h"
#include "pipeline/stage.h"
#include "pipeline/start.h"
#include "pipeline/status.h"
#include "pipeline/watermark_stage.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr milliseconds kBacklogEvery{2000};
constexpr milliseconds kRepartitionPatience{10000};
// Short enough for state changes and the watchdog; a wake-up by a signal or a failure comes at
// once.
constexpr milliseconds kLookEvery{200};
constexpr milliseconds kEndPatience{10000};
constexpr milliseconds kStartAgain{1000};

// What is watched, for the status line and the appliers' number.
class Monitors {
  std::stop_source stop_;

 public:
  Monitors(const Options& options, redis::Servers& servers, std::function<bool()> publishes,
           FailureBox& failures, const ops::Counters& counters, const Clock& clock)
      : watermark([&servers] { return servers.connect(); }, options.instance(), layout_of(options),
                  publishes, clock),
        invalidations([&servers] { return servers.connect(); }, options, std::move(publishes),
                      clock),
        backlog(
            [brokers = queue::Brokers(options.queue, stop_.get_token())]() mutable {
              return queue::Admin::connect(brokers);
            },
            names_of(options), std::min(options.log.status_interval(), kBacklogEvery), counters) {
    threads_.push_back(
        start_stage("watermark", failures, [this] { return watermark.run(stop_.get_token()); }));
    if (mapping::shortest_again_after(options))
      threads_.push_back(start_stage("invalidations", failures,
                                     [this] { return invalidations.run(stop_.get_token()); }));
    if (servers.can_be_watched())
      threads_.push_back(start_stage(
          "masters", failures, [this, &servers] { return servers.watch(stop_.get_token()); }));
    threads_.push_back(start_stage("backlog", failures, [this]() -> Status {
      backlog.run(stop_.get_token());
      return {};
    }));
  }
  ~Monitors() { stop_.request_stop(); }
  Monitors(const Monitors&) = delete;
  Monitors& operator=(const Monitors&) = delete;

  WatermarkStage watermark;
  InvalidationStage invalidations;
  BacklogStage backlog;

 private:
  std::vector<std::jthread> threads_;  // last: they use the others
};

// The process: the publisher's side while it leads, the appliers' side, and what is said of them.
class Daemon {
 public:
  explicit Daemon(Options& options)
      : options_(options),
        publishes_(options.role() != Options::Role::applier),
        applies_(options.role() != Options::Role::publisher),
        clock_(system_clock()),
        failures_(wakeup_),
        redis_(options.redis),
        signals_([this](int number) {
          log::get("app").info("stopping signal={}", number);
          stop_.request_stop();
          wakeup_.notify();
        }),
        status_(counters_, health_, clock_),
        leadership_(
            [names = names_of(options),
             brokers = queue::Brokers(options.queue, leadership_stop_.get_token())]() mutable {
              return queue::Baton::connect(brokers, names);
            },
            wakeup_, clock_, options.queue.reconnect_max()),
        folder_(options, &redis_, clock_) {}

  Status run();

 private:
  void open_sides();
  void close_sides();
  void close_appliers();
  Status lead();
  Status prepare();
  void step_down();
  Status lay_out(std::uint32_t partitions);
  Status go_back();
  Status follow_layout();
  Status look();
  void look_at_readiness();
  void end();
  PoolSize::Load load() const;
  StatusLine::Inputs inputs() const;
  void say_status(bool only_on_change);
  void wait_until(const std::function<bool()>& holds, milliseconds limit);
  PublisherSide::WaitUntil waiting() {
    return [this](const std::function<bool()>& holds, milliseconds limit) {
      wait_until(holds, limit);
    };
  }

  Options& options_;
  const bool publishes_, applies_;
  const Clock& clock_;
  Wakeup wakeup_;
  std::stop_source stop_;  // asked to end, by a signal
  FailureBox failures_;
  redis::Servers redis_;
  SignalThread signals_;
  ops::Counters counters_;
  Health health_;
  StatusLine status_;
  RunState said_ = RunState::starting;
  bool stopping_ = false, ready_ = false, waits_for_publisher_ = false;

  std::stop_source leadership_stop_;
  Leadership leadership_;
  std::uint64_t turn_ = 0;                // that publisher_ is of
  std::atomic<bool> publishing_{false};   // publisher_ is prepared
  std::atomic<std::int64_t> read_ms_{0};  // commit time of what was read last; 0: not known here
  FolderClaim folder_;
  std::optional<StateHold> state_;  // for the next publisher, while this process leads
  milliseconds patience_{0};
  std::unique_ptr<PublisherSide> publisher_;
  std::unique_ptr<Monitors> monitors_;
  std::unique_ptr<ApplierSide> appliers_;
  std::vector<std::jthread> leadership_thread_;  // last: it uses the others
};

void Daemon::open_sides() {
  if (!monitors_)
    monitors_ = std::make_unique<Monitors>(
        options_, redis_, [this] { return publishing_.load(); }, failures_, counters_, clock_);
  if (applies_ && !appliers_)
    appliers_ = std::make_unique<ApplierSide>(
        options_,
        ApplierSide::Surroundings{&failures_, &redis_, &counters_, &health_, &clock_,
                                  [this] { return load(); }, [this] { wakeup_.notify(); }});
}

void Daemon::close_appliers() {
  if (!appliers_) return;
  appliers_->request_stop();
  wait_until([this] { return appliers_->ended(); }, kEndPatience);
  appliers_.reset();
}

void Daemon::close_sides() {
  close_appliers();
  monitors_.reset();
}

Status Daemon::prepare() {
  SLUICE_TRY_ASSIGN(const std::uint32_t partitions, publisher_->take_state());
  if (partitions != options_.queue.partitions()) {
    log::get("app").info("partitions {} -> {}, as the saved state has it",
                         options_.queue.partitions(), partitions);
    close_sides();
    options_.queue.partitions.set(partitions);
    open_sides();
  }
  return publisher_->prepare();
}

// This process has come to lead.
Status Daemon::lead() {
  if (!state_) {
    SLUICE_TRY_ASSIGN(state_, folder_.attempt(leadership_.succeeds()));
  }
  if (!state_) return {};
  turn_ = leadership_.turn();
  std::stop_source stop;
  const std::stop_callback asked(stop_.get_token(), [&stop] { stop.request_stop(); });
  health_.source = health_.queue = Health::Link::connecting;
  publisher_ = std::make_unique<PublisherSide>(
      options_,
      PublisherSide::Surroundings{&wakeup_, &failures_, &redis_, &counters_, &health_, &clock_,
                                  [this] { return leadership_.turn() == turn_; },
                                  [this] { return leadership_.certain(); },
                                  [this] { leadership_.give_up(); }},
      std::move(*state_), stop.get_token(), patience_);
  state_.reset();
  if (Status s = prepare(); !s.ok()) {
    publisher_.reset();
    if (s.error().cls != ErrorClass::retry) return s;
    // A connection was lost on the way: the next look begins anew.
    log::get("app").warn("start interrupted, beginning again wait_ms={} error=\"{}\"",
                         kStartAgain.count(), to_string(s.error()));
    wait_for(kStartAgain, stop_.get_token());
    return {};
  }
  publisher_->start();
  publishing_ = true;
  health_.going_back = false;
  if (appliers_) appliers_->allow();
  return {};
}

// Another process may lead by now: nothing more is sent or saved.
void Daemon::step_down() {
  publishing_ = false;
  publisher_->stop(false, waiting());
  publisher_.reset();
  turn_ = 0;
  read_ms_ = 0;
  health_.going_back = false;
  health_.source = health_.queue = Health::Link::elsewhere;
}

// All is applied that was sent, and nothing more is read.
Status Daemon::lay_out(std::uint32_t partitions) {
  publishing_ = false;
  publisher_->stop(true, waiting());
  Status saved = publisher_->save(true);
  state_ = publisher_->release_state();
  publisher_.reset();
  turn_ = 0;
  SLUICE_TRY(std::move(saved));
  if (stop_.stop_requested()) return {};
  close_sides();
  const auto was = relayout(options_, *state_, {partitions, layout_of(options_).fingerprint});
  patience_ = was.ok() ? milliseconds(0) : kRepartitionPatience;
  if (was) {
    options_.queue.partitions.set(partitions);
    log::get("app").info("repartition {} -> {} done", was->partitions, partitions);
  } else if (was.error().cls == ErrorClass::retry || was.error().code == Errc::position_mismatch) {
    log::get("app").warn("repartition not done, trying again later error=\"{}\"",
                         to_string(was.error()));
  } else {
    return was.error();
  }
  open_sides();
  return {};
}

// Redis came back older.  The appliers go on: they discard what does not fit any more.
Status Daemon::go_back() {
  health_.going_back = true;
  publishing_ = false;
  publisher_->stop(false, waiting());
  const auto control = publisher_->release_control();
  state_ = publisher_->release_state();
  publisher_.reset();
  const bool leads = leadership_.turn() == turn_;
  turn_ = 0;
  if (!leads) state_.reset();
  Status s = leads ? rewind(options_, redis_, *state_, control->requests(), counters_) : Status();
  if (leads && s.ok() && leadership_.certain()) s = control->done();
  if (s.ok() || s.error().cls != ErrorClass::retry) return s;
  // The requests are in their queue still.
  log::get("app").warn("not gone back yet, trying again wait_ms={} error=\"{}\"",
                       kStartAgain.count(), to_string(s.error()));
  wait_for(kStartAgain, stop_.get_token());
  return {};
}

// Another process publishes: the appliers go by the layout it has written.
Status Daemon::follow_layout() {
  // Who may be about to publish itself does so by its own state: what stands in Redis may be older.
  if (!appliers_ || publisher_ || (publishes_ && !leadership_.standing_by())) return {};
  const auto seen = appliers_->seen();
  if (!seen) return {};
  if (!seen->layout) {
    if (!publishes_ && !std::exchange(waits_for_publisher_, true))
      log::get("app").info("waiting for a publisher of instance {}: none has run yet",
                           options_.instance());
    return {};
  }
  const position::Layout ours = layout_of(options_);
  if (seen->layout->fingerprint != ours.fingerprint)
    return fatal(Errc::position_mismatch,
                 "the publisher of instance \"" + options_.instance() +
                     "\" works with other rules (layout " + seen->layout->fingerprint + ", here " +
                     ours.fingerprint +
                     "): filter, tables and rendering must be the same on all hosts");
  if (seen->layout->partitions == ours.partitions) {
    appliers_->allow();
    return {};
  }
  log::get("app").info("partitions {} -> {}, as the publisher has it", ours.partitions,
                       seen->layout->partitions);
  close_sides();
  options_.queue.partitions.set(seen->layout->partitions);
  open_sides();
  return {};
}

PoolSize::Load Daemon::load() const {
  const std::int64_t read_ms = read_ms_;
  const auto watermark = monitors_->watermark.latest();
  // A watermark without a time is of a start without a transaction.
  const bool known = read_ms != 0 && watermark && watermark->tick.es_ms != 0;
  return {monitors_->backlog.latest(),
          milliseconds(known ? std::max<std::int64_t>(read_ms - watermark->tick.es_ms, 0) : 0)};
}

StatusLine::Inputs Daemon::inputs() const {
  StatusLine::Inputs in;
  if (publisher_) in.outbox = publisher_->status();
  if (monitors_) {
    in.watermark = monitors_->watermark.latest();
    in.backlog = monitors_->backlog.latest();
    in.dead = monitors_->backlog.dead();
  }
  in.stopping = stopping_;
  in.standing_by = leadership_.standing_by() || folder_.waits();
  in.applies = applies_;
  if (appliers_)
    if (const auto seen = appliers_->seen()) in.hosts = seen->ids.size();
  return in;
}

void Daemon::say_status(bool only_on_change) {
  const auto in = inputs();
  const RunState now = status_.state(in);
  if (only_on_change && now == said_) return;
  said_ = now;
  const std::string line = status_.compose(in);
  log::get("status").info("{}", line);
  ops::notify_status(line);
}

void Daemon::look_at_readiness() {
  if (ready_) return;
  const std::uint32_t wanted = appliers_ ? appliers_->wanted() : 0;
  const bool applying = wanted != 0 && health_.appliers_up.load() >= wanted;
  const bool publishing =
      health_.source.load() == Health::Link::up && health_.queue.load() == Health::Link::up;
  // Who waits for others is ready, too: they would take long, and it can do nothing about it.
  const bool waits = waits_for_publisher_ || leadership_.standing_by() || folder_.waits();
  if (!waits && ((applies_ && !applying) || (publishes_ && !publishing))) return;
  ready_ = true;
  log::get("app").info("running instance={} partitions={} appliers={}", options_.instance(),
                       options_.queue.partitions(), wanted);
  ops::notify_ready();
}

Status Daemon::look() {
  if (publisher_ && leadership_.turn() != turn_) step_down();
  if (!publisher_ && leadership_.turn() == 0) {
    state_.reset();
    folder_.drop();
  }
  if (publishes_ && !publisher_ && leadership_.turn() != 0) {
    Status s = lead();
    if (!s.ok() && s.error().cls != ErrorClass::stopped) return s;
  }
  if (publisher_) {
    SLUICE_TRY(publisher_->look());
    read_ms_ = publisher_->status().es_ms;
    if (const auto partitions = publisher_->repartition()) return lay_out(*partitions);
    if (publisher_->rewind_wanted()) return go_back();
  } else if (leadership_.standing_by() && health_.source != Health::Link::elsewhere) {
    health_.source = health_.queue = Health::Link::elsewhere;
  }
  return follow_layout();
}

// Until it holds or the time is over; each change of it comes with a wake-up.
void Daemon::wait_until(const std::function<bool()>& holds, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!holds() && steady_clock::now() < deadline) {
    wakeup_.wait(milliseconds(100));
    ops::notify_watchdog();
  }
}

// In the order of the data: no more reading, what was read is confirmed, appliers end after the
// step they are in, position.
void Daemon::end() {
  stopping_ = true;
  ops::notify_stopping();
  const bool leads = publisher_ && leadership_.turn() == turn_;
  if (publisher_) publisher_->stop(leads, waiting());
  close_appliers();
  if (!leads) return;
  if (Status s = publisher_->save(true); !s.ok()) {
    failures_.put(std::move(s).error());
    return;
  }
  const position::State state = publisher_->state();
  log::get("app").info("position saved position={} updated={}", state.position.to_string(),
                       state.updated_at_us);
}

Status Daemon::run() {
  const bool watchdog = ops::watchdog_interval().has_value();
  if (publishes_)
    leadership_thread_.push_back(start_stage(
        "leadership", failures_, [this] { return leadership_.run(leadership_stop_.get_token()); }));
  else
    health_.source = health_.queue = Health::Link::elsewhere;
  open_sides();
  auto next_status = steady_clock::now() + options_.log.status_interval();
  while (!stop_.stop_requested() && !failures_.get()) {
    if (Status s = look(); !s.ok()) failures_.put(std::move(s).error());
    look_at_readiness();
    const auto now = steady_clock::now();
    const bool due = now >= next_status;
    if (due) next_status = now + options_.log.status_interval();
    say_status(!due);
    if (watchdog) ops::notify_watchdog();
    wakeup_.wait(kLookEvery);
  }
  end();
  const auto failure = failures_.get();
  if (failure) counters_.errors.fetch_add(1);
  say_status(false);
  publisher_.reset();
  // Now the next one may lead.
  leadership_stop_.request_stop();
  leadership_thread_.clear();
  monitors_.reset();
  if (failure) return *failure;
  return {};
}

}  // namespace

Status run(Options& options) {
  try {
    SLUICE_TRY(mapping::check_scripts(options));
    block_signals();
    return Daemon(options).run();
  } catch (const std::exception& e) {  // no descriptors, no threads
    return fatal(Errc::internal, e.what());
  }
}

}  // namespace sluice::pipeline
