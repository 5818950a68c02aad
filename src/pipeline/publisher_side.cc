#include "pipeline/publisher_side.h"

#include <algorithm>
#include <utility>

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"
#include "sluice/ops/service.h"

#include "pipeline/barrier.h"
#include "pipeline/mapping_check.h"
#include "pipeline/relayout.h"
#include "pipeline/replicas.h"
#include "pipeline/schema_start.h"
#include "pipeline/stage.h"
#include "pipeline/table_emptier.h"
#include "pipeline/watermark_stage.h"
#include "pipeline/wiring.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr milliseconds kMirrorPatience{2000};
// Requests to go back come together, for Redis came back older for all partitions.
constexpr milliseconds kTogetherLeast{1000}, kTogetherMost{5000};
// Longer than a login at a server that answers slowly may take; a thread that goes on for longer
// is one for the watchdog.
constexpr milliseconds kEndPatience{60000};

// Says that a thread is at its end, whatever ended it.
class AtEnd {
 public:
  AtEnd(std::atomic<bool>& done, Wakeup& wakeup) : done_(&done), wakeup_(&wakeup) {}
  ~AtEnd() {
    *done_ = true;
    wakeup_->notify();
  }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;

 private:
  std::atomic<bool>* done_;
  Wakeup* wakeup_;
};

TransactionId id_of(const schema::Place& place) {
  return {place.epoch(), place.file(), place.position().pos};
}

}  // namespace

PublisherSide::PublisherSide(const Options& options, Surroundings surroundings, StateHold hold,
                             std::stop_token stop, milliseconds patience)
    : options_(options),
      around_(std::move(surroundings)),
      hold_(std::move(hold)),
      stop_(std::move(stop)),
      look_from_(steady_clock::now() + patience) {}

PublisherSide::~PublisherSide() {
  source_stop_.request_stop();
  publisher_stop_.request_stop();
  publisher_wakeup_.notify();
  mirror_stop_.request_stop();
  control_stop_.request_stop();
}

// At the start the other side may come up later than we do: what can heal is waited for.  Who leads
// by then has what we would take.
template <class T>
Result<T> PublisherSide::patiently(std::string_view what,
                                   const std::function<Result<T>()>& attempt) {
  Backoff backoff(milliseconds(200), milliseconds(5000));
  for (;;) {
    if (!around_.leads()) return stopped();
    auto result = attempt();
    if (result.ok() || result.error().cls != ErrorClass::retry) return result;
    if (backoff.attempts() == 0)
      log::get("app").warn("{} not reachable yet, waiting error=\"{}\"", what,
                           to_string(result.error()));
    if (!wait_for(backoff.next(), stop_)) return stopped();
    ops::notify_watchdog();
  }
}

Result<std::uint32_t> PublisherSide::take_state() {
  SLUICE_TRY_ASSIGN(
      saved_, patiently<std::optional<position::State>>("redis", [this] { return hold_->take(); }));
  return saved_ ? saved_->layout.partitions : options_.queue.partitions();
}

// Before the first declaration: a crash in between must not look like somebody else's queues.
Status PublisherSide::save_first(position::State& state) {
  state.updated_at_us = around_.clock->wall_us();
  const auto saved = patiently<bool>("redis", [this, &state]() -> Result<bool> {
    SLUICE_TRY(hold_->save(state));
    return true;
  });
  return saved ? Status() : Status(saved.error());
}

Checkpoint::Hooks PublisherSide::hooks() {
  Checkpoint::Hooks out;
  out.before = [this](const schema::Place& place) { return held_xa_->persist(id_of(place)); };
  out.after = [this](const schema::Place& place) -> Status {
    SLUICE_TRY(held_xa_->saved(id_of(place)));
    return history_->compact(
        place, std::chrono::duration_cast<std::chrono::seconds>(options_.schema.keep()));
  };
  if (!mirror_) return out;
  out.mirror = [this](const position::State& state) -> Status {
    SLUICE_TRY_ASSIGN(const bool folder, needs_folder(options_, state));
    // The one before stays good, but in an epoch of its own.
    if (!folder)
      mirror_->put(state);
    else if (state.overlap_pending)
      mirror_->put(std::nullopt);
    return {};
  };
  out.mirrored = [this] { return mirror_->wait(source_stop_.get_token()); };
  return out;
}

Status PublisherSide::prepare() {
  auto saved = std::exchange(saved_, std::nullopt);
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
  SLUICE_TRY_ASSIGN(auto redis, patiently<std::unique_ptr<redis::Connection>>(
                                    "redis", [this] { return around_.redis->connect(); }));
  SLUICE_TRY_ASSIGN(const auto redis_info, redis::preflight(*redis, options_.redis));
  log::get("redis").info("redis found version={}", redis_info.version);
  for (const std::string& warning : redis_info.warnings) log::get("redis").warn("{}", warning);
  SLUICE_TRY_ASSIGN(auto admin, patiently<std::unique_ptr<queue::Admin>>(
                                    "broker", [this] { return queue::Admin::connect(brokers_); }));
  log::get("queue").info("broker found product={} version={}", admin->broker().product,
                         admin->broker().version);
  if (!around_.leads()) return stopped();
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
    SLUICE_TRY(save_first(plan.state));
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
  for (const auto& [name, table] : catalog_->tables().tables())
    SLUICE_TRY(check_mappings(options_, *filter_, table));
  outbox_.emplace(
      Outbox::Settings{options_.queue.partitions(), options_.queue.message_bytes().bytes(),
                       options_.limits.in_flight().bytes(), options_.queue.publish_ddl(),
                       options_.queue.max_message_bytes().bytes(), names_of(options_).with_letters},
      RestartPoint{file_of(state), state.position.pos, state.gtid_set, state.last, state.trail},
      std::move(plan.gtids), publisher_wakeup_);
  outbox_->set_stop(source_stop_.get_token());
  assembler_.emplace(assembler_settings(options_), *filter_, *catalog_, *outbox_, *held_xa_,
                     *around_.counters, *around_.clock);
  hold_->stamp(plan.state);
  if (auto mirror = hold_->release_mirror())
    mirror_ = std::make_unique<MirrorStage>(std::move(*mirror), options_.redis.reconnect_max(),
                                            around_.give_up);
  checkpoint_.emplace(hold_->release_store(), std::move(plan.state), *around_.clock, hooks());
  hold_.reset();
  return {};
}

Status PublisherSide::prepare_schemas(mysql::Connection& source, StartPlan& plan) {
  // A start anew may be of another binlog, whose places have the same names.
  if (plan.first) SLUICE_TRY(schema::History::remove(history_file(options_), true));
  SLUICE_TRY_ASSIGN(history_, schema::History::open(history_file(options_), *around_.clock));
  SLUICE_TRY_ASSIGN(const bool full_metadata, mysql::has_full_metadata(source));
  schema_source_.emplace(schema_settings(hosts_, replica_, *filter_, stop_));
  const auto prepared = patiently<bool>("source", [&]() -> Result<bool> {
    SLUICE_TRY(
        prepare_history(options_, *filter_, full_metadata, plan, *schema_source_, *history_));
    return true;
  });
  return prepared ? Status() : Status(prepared.error());
}

void PublisherSide::start() {
  if (mirror_)
    mirror_threads_.push_back(start_stage(
        "mirror", *around_.failures, [this] { return mirror_->run(mirror_stop_.get_token()); }));
  const queue::Names names = names_of(options_);
  const auto applied = [this]() -> Result<std::vector<std::optional<position::AppliedRecord>>> {
    SLUICE_TRY_ASSIGN(const auto redis, around_.redis->connect());
    SLUICE_TRY_ASSIGN(auto records,
                      read_applied(*redis, options_.instance(), options_.queue.partitions()));
    SLUICE_TRY(require_replicas(options_, *redis));
    return records;
  };
  assembler_->set_barrier([barrier = Barrier(*outbox_, applied), st = source_stop_.get_token()] {
    return barrier.pass(st);
  });
  if (options_.applier.on_truncate() == ApplierOptions::OnTruncate::empty)
    assembler_->set_empty(
        [emptier = TableEmptier(options_, *filter_, *catalog_,
                                [this] { return around_.redis->connect(); }),
         st = source_stop_.get_token()](const auto& tables, const auto& at, const auto& gtid) {
          return emptier.empty(tables, at, gtid, st);
        });
  source_stage_.emplace(
      source_dependencies(options_, hosts_, replica_, applied),
      SourceStage::Settings{options_.source.reconnect_max(), options_.source.failover_after()},
      *checkpoint_, *assembler_, *outbox_, *around_.counters, *around_.health);
  publish_stage_.emplace(
      PublishStage::Dependencies{
          [names, brokers = queue::Brokers(options_.queue, publisher_stop_.get_token())]() mutable {
            return queue::Publisher::connect(brokers, names);
          },
          [names, brokers = queue::Brokers(options_.queue, publisher_stop_.get_token())](
              const std::vector<bool>& sent) mutable -> Status {
            SLUICE_TRY_ASSIGN(auto admin, queue::Admin::connect(brokers));
            return admin->declare(names, sent);
          },
          around_.may_send},
      *outbox_, publisher_wakeup_, *around_.counters, *around_.health, *around_.clock,
      options_.queue.reconnect_max());
  publisher_threads_.push_back(start_stage("publisher", *around_.failures, [this]() -> Status {
    const AtEnd end(publisher_done_, *around_.wakeup);
    return publish_stage_->run(publisher_stop_.get_token(), publisher_drain_.get_token());
  }));
  control_ = std::make_unique<ControlStage>(
      [names, brokers = queue::Brokers(options_.queue, control_stop_.get_token())]() mutable {
        return queue::Consumer::connect(brokers, names.for_control());
      },
      options_.queue.partitions(),
      std::clamp<milliseconds>(options_.applier.gap_patience() / 2, kTogetherLeast, kTogetherMost),
      [wakeup = around_.wakeup] { wakeup->notify(); }, *around_.clock);
  control_threads_.push_back(start_stage("control", *around_.failures, [this] {
    const AtEnd end(control_done_, *around_.wakeup);
    return control_->run(control_stop_.get_token());
  }));
  source_threads_.push_back(start_stage("source", *around_.failures, [this] {
    const AtEnd end(source_done_, *around_.wakeup);
    return source_stage_->run(source_stop_.get_token());
  }));
}

Status PublisherSide::look() {
  const auto now = steady_clock::now();
  if (now < next_save_) return {};
  next_save_ = now + options_.limits.save_interval();
  if (now >= look_from_) look_for_request();
  return full_disk_.look_at(save(false));
}

Status PublisherSide::save(bool always) {
  SLUICE_TRY(checkpoint_->save(outbox_->restart_point(), always));
  if (always && mirror_ && !mirror_->wait_for(kMirrorPatience))
    log::get("app").warn(
        "the position's copy in Redis is behind; who takes over on another host sends some rows "
        "again");
  return {};
}

StateHold PublisherSide::release_state() {
  std::optional<Mirror> mirror;
  if (mirror_) {
    mirror_stop_.request_stop();
    mirror_threads_.clear();
    mirror = mirror_->release();
  }
  return {options_, checkpoint_->release_store(), std::move(mirror)};
}

std::unique_ptr<ControlStage> PublisherSide::release_control() {
  control_stop_.request_stop();
  control_threads_.clear();
  return std::move(control_);
}

std::optional<std::uint32_t> PublisherSide::repartition() const {
  return source_stage_->paused() ? asked_ : std::nullopt;
}

void PublisherSide::look_for_request() {
  auto request = RepartitionRequest::read(options_);
  if (!request) {
    around_.failures->put(std::move(request).error());
    return;
  }
  const std::uint32_t now = options_.queue.partitions();
  const std::optional<std::uint32_t> wanted =
      *request ? std::optional((*request)->partitions) : std::nullopt;
  if (!wanted || wanted == asked_) return;
  asked_ = wanted;
  if (wanted == now) {
    if (Status s = RepartitionRequest::remove(options_); !s.ok())
      around_.failures->put(std::move(s).error());
    return;
  }
  log::get("app").info("repartition {} -> {}: reading pauses until Redis has all that was read",
                       now, *wanted);
  source_stage_->pause();
}

void PublisherSide::stop(bool drain, const WaitUntil& wait_until) {
  source_stop_.request_stop();
  wait_until([this] { return source_done_.load(); }, kEndPatience);
  source_threads_.clear();
  if (drain) {
    publisher_drain_.request_stop();
    publisher_wakeup_.notify();
    wait_until([this] { return publisher_done_.load(); }, options_.limits.drain());
    if (!publisher_done_)
      log::get("app").warn(
          "not all messages were confirmed in limits.drain; nothing is lost, they are sent again "
          "at the next start");
  }
  publisher_stop_.request_stop();
  control_stop_.request_stop();
  publisher_wakeup_.notify();
  wait_until([this] { return publisher_done_ && control_done_; }, kEndPatience);
  publisher_threads_.clear();
}

}  // namespace sluice::pipeline
