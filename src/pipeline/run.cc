#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <poll.h>

#include "sluice/base/log.h"
#include "sluice/mysql/gtid_state.h"
#include "sluice/ops/service.h"
#include "sluice/pipeline/commands.h"

#include "pipeline/applier_pool.h"
#include "pipeline/assembler.h"
#include "pipeline/backlog_stage.h"
#include "pipeline/barrier.h"
#include "pipeline/checkpoint.h"
#include "pipeline/failure.h"
#include "pipeline/held_xa.h"
#include "pipeline/outbox.h"
#include "pipeline/publish_stage.h"
#include "pipeline/relayout.h"
#include "pipeline/schema_start.h"
#include "pipeline/signals.h"
#include "pipeline/source_stage.h"
#include "pipeline/stage.h"
#include "pipeline/start.h"
#include "pipeline/status.h"
#include "pipeline/watermark_stage.h"
#include "pipeline/wiring.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr milliseconds kApplierPatience{5000};
constexpr milliseconds kBacklogEvery{2000};
constexpr milliseconds kStorePatience{3000};
constexpr milliseconds kRepartitionPatience{10000};

TransactionId id_of(const schema::Place& place) {
  return {place.epoch(), place.file(), place.position().pos};
}

class Pipeline {
 public:
  // `store`: the state folder, when it is held already.  What was asked for by `sluice repartition`
  // is not looked at before `patience` is over.
  Pipeline(const Options& options, std::optional<position::Store> store, milliseconds patience)
      : options_(options),
        store_(std::move(store)),
        look_from_(steady_clock::now() + patience),
        clock_(system_clock()),
        failures_(wakeup_),
        signals_([this](int number) {
          log::get("app").info("stopping signal={}", number);
          stop_.request_stop();
          wakeup_.notify();
        }) {}

  Status run();
  // It has ended to go on with so many partitions.
  std::optional<std::uint32_t> repartition() const { return repartition_; }
  position::Store release_store() { return checkpoint_->release_store(); }

 private:
  Status prepare();
  Result<position::Store> open_store();
  Status prepare_schemas(mysql::Connection& source, StartPlan& plan);
  template <class T>
  Result<T> patiently(std::string_view what, const std::function<Result<T>()>& attempt);
  void start_stages();
  void main_loop();
  void stop_stages();
  void wait_until(const std::function<bool()>& holds, milliseconds limit);
  Status save(bool always);
  void look_for_request();
  PoolSize::Load load();
  StatusLine::Inputs inputs();
  void say_status(bool only_on_change);

  const Options& options_;
  std::optional<position::Store> store_;
  const steady_clock::time_point look_from_;
  const Clock& clock_;
  Wakeup wakeup_, publisher_wakeup_;
  std::stop_source stop_;  // asked to end, by a signal
  FailureBox failures_;
  SignalThread signals_;
  ops::Counters counters_;
  Health health_;

  mysql::Hosts hosts_{options_.source};
  queue::Brokers brokers_{options_.queue};  // the main thread's
  std::optional<Checkpoint> checkpoint_;
  mysql::ReplicaIdentity replica_;
  std::optional<TableFilter> filter_;
  std::unique_ptr<schema::History> history_;
  std::optional<mysql::SourceSchemas> schema_source_;
  std::optional<schema::Catalog> catalog_;
  std::optional<Outbox> outbox_;
  std::optional<HeldXa> held_xa_;
  std::optional<Assembler> assembler_;
  std::optional<SourceStage> source_stage_;
  std::optional<PublishStage> publish_stage_;
  std::optional<WatermarkStage> watermark_stage_;
  std::optional<BacklogStage> backlog_stage_;
  std::optional<ApplierPool> appliers_;
  std::optional<StatusLine> status_;
  RunState said_ = RunState::starting;
  bool stopping_ = false;
  std::optional<std::uint32_t> asked_;  // so many partitions, by `sluice repartition`
  std::optional<std::uint32_t> repartition_;

  std::stop_source source_stop_, publisher_stop_, publisher_drain_, pool_stop_, monitor_stop_;
  std::atomic<bool> publisher_done_{false};
  std::vector<std::jthread> source_threads_, publisher_threads_, pool_threads_, monitor_threads_;
};

// At the start the other side may come up later than we do: what can heal is waited for.
template <class T>
Result<T> Pipeline::patiently(std::string_view what, const std::function<Result<T>()>& attempt) {
  Backoff backoff(milliseconds(200), milliseconds(5000));
  for (;;) {
    auto result = attempt();
    if (result.ok() || result.error().cls != ErrorClass::retry) return result;
    if (backoff.attempts() == 0)
      log::get("app").warn("{} not reachable yet, waiting error=\"{}\"", what,
                           to_string(result.error()));
    if (!wait_for(backoff.next(), stop_.get_token())) return stopped();
    ops::notify_watchdog();
  }
}

// Another command may have the folder, for a moment.
Result<position::Store> Pipeline::open_store() {
  const auto deadline = steady_clock::now() + kStorePatience;
  for (;;) {
    auto store = position::Store::open(options_.state_dir());
    if (store.ok() || store.error().code != Errc::position_locked ||
        steady_clock::now() >= deadline)
      return store;
    if (!wait_for(milliseconds(100), stop_.get_token())) return stopped();
  }
}

Status Pipeline::prepare() {
  if (!store_) {
    SLUICE_TRY_ASSIGN(store_, open_store());
  }
  position::Store store = std::move(*std::exchange(store_, std::nullopt));
  SLUICE_TRY_ASSIGN(auto saved, store.load());
  replica_ = replica_identity(options_);
  SLUICE_TRY_ASSIGN(auto source, patiently<mysql::Connection>("source", [this] {
                      return mysql::Connection::open(options_.source);
                    }));
  hosts_.follow(source.endpoint());
  SLUICE_TRY_ASSIGN(const auto identity, mysql::read_source_identity(source));
  log::get("mysql").info("source found flavor={} version={}", flavor_name(source.server().flavor),
                         source.server().version);
  std::optional<BinlogPosition> from;
  if (saved) {
    if (same_source(saved->source, source_state(identity)).ok()) from = saved->position;
  } else if (options_.source.start().kind == StartPosition::Kind::position) {
    from = BinlogPosition{options_.source.start().file, options_.source.start().pos};
  }
  if (saved) SLUICE_TRY(same_flavor(saved->source, source.server()));
  SLUICE_TRY_ASSIGN(const std::uint8_t lower_case, mysql::read_lower_case_table_names(source));
  filter_.emplace(options_, lower_case == 0 ? NameCase::differs : NameCase::is_the_same);
  SLUICE_TRY_ASSIGN(const auto findings,
                    mysql::preflight(source, options_.source, replica_, from, tables_of(*filter_)));
  SLUICE_TRY(require(findings));
  SLUICE_TRY_ASSIGN(auto redis, patiently<std::unique_ptr<redis::Connection>>("redis", [this] {
                      return redis::Connection::open(options_.redis);
                    }));
  SLUICE_TRY_ASSIGN(const auto redis_info, redis::preflight(*redis, options_.redis));
  log::get("redis").info("redis found version={}", redis_info.version);
  for (const std::string& warning : redis_info.warnings) log::get("redis").warn("{}", warning);
  SLUICE_TRY_ASSIGN(auto admin, patiently<std::unique_ptr<queue::Admin>>(
                                    "broker", [this] { return queue::Admin::connect(brokers_); }));
  log::get("queue").info("broker found product={} version={}", admin->broker().product,
                         admin->broker().version);
  SLUICE_TRY(finish_repartition(options_, *admin, *redis));
  SLUICE_TRY_ASSIGN(StartPlan plan, plan_start(options_, std::move(saved), source, *admin, *redis));
  SLUICE_TRY(prepare_schemas(source, plan));
  std::vector<bool> expected;
  for (const EventId& last : plan.state.last) expected.push_back(!last.is_zero());
  const position::State& state = plan.state;
  log::get("app").info("{} position={} epoch={} gtid={}", plan.first ? "first start" : "continuing",
                       state.position.to_string(), state.epoch,
                       state.gtid_set.empty() ? "-" : state.gtid_set);
  if (plan.first) {
    SLUICE_TRY(HeldXa::remove_all(held_xa_folder(options_), true));
    // Before the first declaration: a crash in between must not look like somebody else's queues.
    plan.state.updated_at_us = clock_.wall_us();
    SLUICE_TRY(store.save(state));
  }
  SLUICE_TRY(admin->declare(names_of(options_), expected));

  SLUICE_TRY_ASSIGN(const auto from_file, BinlogFileName::parse(state.position.file));
  held_xa_.emplace(held_xa_folder(options_), options_.limits.transaction_hold().bytes());
  SLUICE_TRY(held_xa_->load({state.epoch, from_file.number, state.position.pos}));
  schema_source_->set_stop(source_stop_.get_token());
  catalog_.emplace(*schema_source_,
                   schema::Catalog::Settings{options_.schema.assume_current(),
                                             [this](std::string_view database) {
                                               return filter_->may_take_from(database);
                                             }});
  SLUICE_TRY(catalog_->follow(*history_, {state.epoch, state.position}));
  outbox_.emplace(
      Outbox::Settings{options_.queue.partitions(), options_.queue.message_bytes().bytes(),
                       options_.limits.in_flight().bytes(), options_.queue.publish_ddl(),
                       options_.queue.max_message_bytes().bytes(), names_of(options_).with_letters},
      RestartPoint{file_of(state), state.position.pos, state.gtid_set, state.last, state.trail},
      std::move(plan.gtids), publisher_wakeup_);
  outbox_->set_stop(source_stop_.get_token());
  assembler_.emplace(assembler_settings(options_), *filter_, *catalog_, *outbox_, *held_xa_,
                     counters_, clock_);
  checkpoint_.emplace(
      std::move(store), std::move(plan.state), clock_,
      Checkpoint::Hooks{
          [this](const schema::Place& place) { return held_xa_->persist(id_of(place)); },
          [this](const schema::Place& place) -> Status {
            SLUICE_TRY(held_xa_->saved(id_of(place)));
            return history_->compact(
                place, std::chrono::duration_cast<std::chrono::seconds>(options_.schema.keep()));
          }});
  return {};
}

Status Pipeline::prepare_schemas(mysql::Connection& source, StartPlan& plan) {
  // A start anew may be of another binlog, whose places have the same names.
  if (plan.first) SLUICE_TRY(schema::History::remove(history_file(options_), true));
  SLUICE_TRY_ASSIGN(history_, schema::History::open(history_file(options_), clock_));
  SLUICE_TRY_ASSIGN(const bool full_metadata, mysql::has_full_metadata(source));
  schema_source_.emplace(schema_settings(hosts_, replica_, *filter_, stop_.get_token()));
  const auto prepared = patiently<bool>("source", [&]() -> Result<bool> {
    SLUICE_TRY(
        prepare_history(options_, *filter_, full_metadata, plan, *schema_source_, *history_));
    return true;
  });
  return prepared ? Status() : Status(prepared.error());
}

void Pipeline::start_stages() {
  const queue::Names names = names_of(options_);
  const auto open_redis = [this] { return redis::Connection::open(options_.redis); };
  const auto applied =
      [this, open_redis]() -> Result<std::vector<std::optional<position::AppliedRecord>>> {
    SLUICE_TRY_ASSIGN(const auto redis, open_redis());
    return read_applied(*redis, options_.instance(), options_.queue.partitions());
  };
  assembler_->set_barrier([barrier = Barrier(*outbox_, applied), st = source_stop_.get_token()] {
    return barrier.pass(st);
  });

  source_stage_.emplace(
      source_dependencies(options_, hosts_, replica_, applied),
      SourceStage::Settings{options_.source.reconnect_max(), options_.source.failover_after()},
      *checkpoint_, *assembler_, *outbox_, counters_, health_);
  publish_stage_.emplace(
      PublishStage::Dependencies{[names, brokers = queue::Brokers(options_.queue)]() mutable {
                                   return queue::Publisher::connect(brokers, names);
                                 },
                                 [names, brokers = queue::Brokers(options_.queue)](
                                     const std::vector<bool>& sent) mutable -> Status {
                                   SLUICE_TRY_ASSIGN(auto admin, queue::Admin::connect(brokers));
                                   return admin->declare(names, sent);
                                 }},
      *outbox_, publisher_wakeup_, counters_, health_, clock_, options_.queue.reconnect_max());
  watermark_stage_.emplace(open_redis, options_.instance(), names.partitions, clock_);
  backlog_stage_.emplace([brokers = queue::Brokers(
                              options_.queue)]() mutable { return queue::Admin::connect(brokers); },
                         names, std::min(options_.log.status_interval(), kBacklogEvery), counters_);
  status_.emplace(counters_, health_, clock_);
  appliers_.emplace(
      pool_settings(options_),
      ApplierPool::Dependencies{
          [names, brokers = queue::Brokers(options_.queue)](std::uint32_t share) mutable {
            return queue::Consumer::connect(brokers, names, share);
          },
          open_redis,
          {[names, brokers = queue::Brokers(options_.queue)]() mutable {
             return queue::LetterSender::connect(brokers, names);
           },
           [names, brokers = queue::Brokers(options_.queue)]() mutable -> Status {
             SLUICE_TRY_ASSIGN(auto admin, queue::Admin::connect(brokers));
             return admin->declare(names, std::vector<bool>(names.partitions, true));
           }},
          [this] { return load(); },
          [this] { wakeup_.notify(); }},
      counters_, health_, failures_, clock_);
  appliers_->start();
  pool_threads_.push_back(start_stage("pool", failures_, [this]() -> Status {
    appliers_->run(pool_stop_.get_token());
    return {};
  }));
  monitor_threads_.push_back(start_stage(
      "watermark", failures_, [this] { return watermark_stage_->run(monitor_stop_.get_token()); }));
  monitor_threads_.push_back(start_stage("backlog", failures_, [this]() -> Status {
    backlog_stage_->run(monitor_stop_.get_token());
    return {};
  }));
  publisher_threads_.push_back(start_stage("publisher", failures_, [this]() -> Status {
    Status s = publish_stage_->run(publisher_stop_.get_token(), publisher_drain_.get_token());
    publisher_done_ = true;
    wakeup_.notify();
    return s;
  }));
  source_threads_.push_back(start_stage(
      "source", failures_, [this] { return source_stage_->run(source_stop_.get_token()); }));
}

PoolSize::Load Pipeline::load() {
  const std::int64_t read_ms = outbox_->status().es_ms;
  const auto watermark = watermark_stage_->latest();
  // A watermark without a time is of a start without a transaction.
  const bool known = read_ms != 0 && watermark && watermark->tick.es_ms != 0;
  return {backlog_stage_->latest(),
          milliseconds(known ? std::max<std::int64_t>(read_ms - watermark->tick.es_ms, 0) : 0)};
}

StatusLine::Inputs Pipeline::inputs() {
  return {outbox_->status(), watermark_stage_->latest(), backlog_stage_->latest(),
          backlog_stage_->dead(), stopping_};
}

void Pipeline::say_status(bool only_on_change) {
  const auto in = inputs();
  const RunState now = status_->state(in);
  if (only_on_change && now == said_) return;
  said_ = now;
  const std::string line = status_->compose(in);
  log::get("status").info("{}", line);
  ops::notify_status(line);
}

Status Pipeline::save(bool always) {
  return checkpoint_->save(outbox_->restart_point(), always);
}

void Pipeline::look_for_request() {
  auto request = RepartitionRequest::read(options_);
  if (!request) {
    failures_.put(std::move(request).error());
    return;
  }
  const std::uint32_t now = options_.queue.partitions();
  const std::optional<std::uint32_t> wanted =
      *request ? std::optional((*request)->partitions) : std::nullopt;
  if (!wanted || wanted == asked_) return;
  asked_ = wanted;
  if (wanted == now) {
    if (Status s = RepartitionRequest::remove(options_); !s.ok())
      failures_.put(std::move(s).error());
    return;
  }
  log::get("app").info("repartition {} -> {}: reading pauses until Redis has all that was read",
                       now, *wanted);
  source_stage_->pause();
}

void Pipeline::main_loop() {
  const auto watchdog = ops::watchdog_interval();
  auto next_save = steady_clock::now(), next_status = next_save + options_.log.status_interval();
  bool ready = false;
  while (!stop_.stop_requested() && !failures_.get()) {
    const auto now = steady_clock::now();
    if (source_stage_->paused()) {
      repartition_ = asked_;
      return;
    }
    if (now >= next_save) {
      next_save = now + options_.limits.save_interval();
      if (now >= look_from_) look_for_request();
      if (Status s = save(false); !s.ok()) failures_.put(std::move(s).error());
    }
    if (!ready && health_.source.load() == Health::Link::up &&
        health_.queue.load() == Health::Link::up &&
        health_.appliers_up.load() >= appliers_->wanted()) {
      ready = true;
      log::get("app").info("running instance={} partitions={} appliers={}", options_.instance(),
                           options_.queue.partitions(), appliers_->wanted());
      ops::notify_ready();
    }
    if (now >= next_status) {
      next_status = now + options_.log.status_interval();
      say_status(false);
    } else {
      say_status(true);
    }
    if (watchdog) ops::notify_watchdog();
    pollfd wait{wakeup_.fd(), POLLIN, 0};
    // Short enough for state changes and the watchdog; a wake-up by a signal or a failure comes at
    // once.
    ::poll(&wait, 1, 200);
    wakeup_.clear();
  }
}

// Until it holds or the time is over; each change of it comes with a wake-up.
void Pipeline::wait_until(const std::function<bool()>& holds, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!holds() && steady_clock::now() < deadline) {
    pollfd wait{wakeup_.fd(), POLLIN, 0};
    ::poll(&wait, 1, 100);
    wakeup_.clear();
    ops::notify_watchdog();
  }
}

// In the order of the data: no more reading, what was read is confirmed, appliers end after the
// step they are in, position.
void Pipeline::stop_stages() {
  stopping_ = !repartition_;
  if (stopping_) ops::notify_stopping();
  source_stop_.request_stop();
  source_threads_.clear();
  publisher_drain_.request_stop();
  publisher_wakeup_.notify();
  wait_until([this] { return publisher_done_.load(); }, options_.limits.drain());
  if (!publisher_done_)
    log::get("app").warn(
        "not all messages were confirmed in limits.drain; nothing is lost, they are sent again at "
        "the next start");
  publisher_stop_.request_stop();
  publisher_wakeup_.notify();
  publisher_threads_.clear();
  pool_stop_.request_stop();
  pool_threads_.clear();
  appliers_->request_stop();
  // A step takes milliseconds, unless Redis hangs.
  wait_until([this] { return appliers_->ended(); }, kApplierPatience);
  appliers_->join();
  monitor_stop_.request_stop();
  monitor_threads_.clear();
}

Status Pipeline::run() {
  if (Status s = prepare(); !s.ok()) {
    if (s.error().cls == ErrorClass::stopped) return {};
    return s;
  }
  start_stages();
  main_loop();
  stop_stages();
  Status saved = save(true);
  if (!saved.ok() || failures_.get() || stop_.stop_requested()) repartition_.reset();
  const position::State state = checkpoint_->state();
  if (saved.ok())
    log::get("app").info("position saved position={} updated={}", state.position.to_string(),
                         state.updated_at_us);
  auto failure = failures_.get();
  if (failure) counters_.errors.fetch_add(1);
  say_status(false);
  if (failure) return std::move(*failure);
  return saved;
}

}  // namespace

Status run(Options& options) {
  try {
    block_signals();
    std::optional<position::Store> store;
    milliseconds patience{0};
    for (;;) {
      std::uint32_t partitions = 0;
      {
        Pipeline pipeline(options, std::exchange(store, std::nullopt), patience);
        SLUICE_TRY(pipeline.run());
        if (!pipeline.repartition()) return {};
        partitions = *pipeline.repartition();
        store = pipeline.release_store();
      }
      const auto was = relayout(options, *store, {partitions, layout_of(options).fingerprint});
      patience = was.ok() ? milliseconds(0) : kRepartitionPatience;
      if (was) {
        options.queue.partitions.set(partitions);
        log::get("app").info("repartition {} -> {} done", was->partitions, partitions);
      } else if (was.error().cls == ErrorClass::retry ||
                 was.error().code == Errc::position_mismatch) {
        log::get("app").warn("repartition not done, trying again later error=\"{}\"",
                             to_string(was.error()));
      } else {
        return was.error();
      }
    }
  } catch (const std::exception& e) {  // no descriptors, no threads
    return fatal(Errc::internal, e.what());
  }
}

}  // namespace sluice::pipeline
