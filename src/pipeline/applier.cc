#include "pipeline/applier.h"

#include <algorithm>

#include "sluice/base/log.h"

#include "pipeline/replicas.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kIdleWait{250};
// Another writer of our record may win a few times while a partition changes hands; not for ever.
constexpr int kMaxAborts = 50;
// Rows that no transaction guards are not sent later than this after the record was read: the
// broker gives a partition to nobody else before we have been silent for longer.
constexpr milliseconds kFresh{1000};

}  // namespace

std::string Applier::describe(const MessageHeaders& h) {
  return "prev=" + h.prev.to_string() + " first=" + h.first.to_string() +
         " last=" + h.last.to_string() + " rows=" + std::to_string(h.rows);
}

Applier::Applier(ApplierSettings settings, Dependencies dependencies, Shares& shares,
                 Unsettled& unsettled, ops::Counters& counters, Health& health, const Clock& clock)
    : settings_(std::move(settings)),
      deps_(std::move(dependencies)),
      shares_(&shares),
      unsettled_(&unsettled),
      counters_(&counters),
      health_(&health),
      clock_(&clock),
      backoff_(milliseconds(100), settings_.reconnect_max),
      mapper_(*settings_.options),
      reader_(settings_.binary_base64),
      refusals_(
          {settings_.options, settings_.on_refused, settings_.binary_base64,
           settings_.reconnect_max, settings_.stall_after},
          deps_.refusals, [this] { return serve_broker(); }, counters, health, clock) {}

Applier::Partition& Applier::partition(std::uint32_t number) {
  return *std::find_if(partitions_.begin(), partitions_.end(),
                       [number](const Partition& p) { return p.number == number; });
}

Status Applier::run(const std::stop_token& st) {
  bool lost = false;
  Status out = stopped();
  stop_ = st;
  while (!st.stop_requested()) {
    Status s = session(st, lost);
    fetched_.clear();
    consumer_.reset();
    step_.reset();
    guard_.reset();
    redis_.reset();
    refusals_.disconnect();
    for (Partition& p : partitions_) {
      forget_gap(p);
      p.known = false;
      p.seen.clear();
    }
    fenced_.reset();
    if (!std::exchange(gave_up_on_replicas_, false)) end_short();
    if (s.ok() || s.error().cls == ErrorClass::stopped) break;
    if (s.error().cls != ErrorClass::retry) {
      out = std::move(s);
      break;
    }
    if (!lost) health_->appliers_lost.fetch_add(1);
    lost = true;
    const auto pause = backoff_.next();
    if (backoff_.attempts() == 1) say_lost(pause, s.error());
    counters_->reconnects.fetch_add(1, std::memory_order_relaxed);
    if (!wait_for(pause, st)) break;
    // Its channels are gone: what another is to have can go as well.
    if (!follow_shares().ok()) break;
  }
  if (lost) health_->appliers_lost.fetch_sub(1);
  end_short();
  let_go_of_all();
  return out;
}

// Both connections are closed by now, so what was delivered and not acked is in its queue again.
void Applier::say_lost(milliseconds pause, const Error& error) {
  lost_at_ = clock_->steady();
  if (error.code == Errc::redis_lost || error.code == Errc::redis_unavailable) {
    log::get("applier").warn(
        "Redis does not serve, its messages are back in their queues until it does "
        "state={} partitions={} wait_ms={} error=\"{}\"",
        short_since_ ? "REPLICAS_MISSING" : "REDIS_LOST", partitions_.size(), pause.count(),
        to_string(error));
    return;
  }
  log::get("applier").warn("connection lost, reconnecting partitions={} wait_ms={} error=\"{}\"",
                           partitions_.size(), pause.count(), to_string(error));
}

// A Redis whose writes are paused (CLIENT PAUSE WRITE), whose memory is full, or that is a replica
// by now, answers PING all the same: only a write that needs memory tells.
Status Applier::probe_redis() {
  if (settings_.wait.wanted()) return probe_replicas();
  SLUICE_TRY_ASSIGN(const auto keys, redis_->spread(probe_key(settings_.instance)));
  commands_.clear();
  for (const std::string& key : keys)
    redis::append_command(commands_, {"SET", key, "1", "PX", "1"});
  SLUICE_TRY(redis_->send(commands_.view()));
  std::vector<std::pair<std::size_t, std::string>> errors;
  SLUICE_TRY(redis_->receive_checked(keys.size(), errors));
  if (!errors.empty()) return redis::error_of_reply(errors.front().second).at("a probe");
  return {};
}

Status Applier::session(const std::stop_token& st, bool& lost) {
  SLUICE_TRY_ASSIGN(redis_, deps_.redis());
  const std::stop_callback hard_stop(abort_.get_token(), [this] { redis_->interrupt(); });
  redis_->set_wait(settings_.stall_after, [this] { return serve_broker(); });
  guard_.emplace(*redis_);
  if (settings_.cluster)
    step_ = std::make_unique<ClusterStep>(*redis_, *guard_, [this] { return await_written(); });
  else
    step_ = std::make_unique<TransactionStep>(*redis_, settings_.wait);
  if (lost) SLUICE_TRY(probe_redis());
  SLUICE_TRY_ASSIGN(consumer_, deps_.consumer());
  SLUICE_TRY(follow_shares());
  SLUICE_TRY(start_partitions());
  if (lost) health_->appliers_lost.fetch_sub(1);
  lost = false;
  health_->appliers_up.fetch_add(1);
  const auto down = [this](const void*) { health_->appliers_up.fetch_sub(1); };
  const std::unique_ptr<const void, decltype(down)> up(this, down);
  bool settled = false;
  auto next_look = clock_->steady() + kIdleWait;
  while (!st.stop_requested()) {
    SLUICE_TRY_ASSIGN(std::optional<queue::Delivery> delivery, next_delivery());
    if (delivery) SLUICE_TRY(process(*delivery));
    if (delivery && !settled) {
      if (backoff_.attempts() != 0)
        log::get("applier").info(
            "connected again, messages are applied partitions={} away_ms={}", partitions_.size(),
            std::chrono::duration_cast<milliseconds>(clock_->steady() - lost_at_).count());
      backoff_.reset();
      settled = true;
    }
    const auto now = clock_->steady();
    if (shares_->version() != shares_seen_) {
      SLUICE_TRY(follow_shares());
    } else if (now < next_look) {
      continue;
    }
    next_look = now + kIdleWait;
    SLUICE_TRY(start_partitions());
  }
  return stopped();
}

Status Applier::follow_shares() {
  shares_seen_ = shares_->version();
  for (const std::uint32_t n : shares_->unwanted(settings_.thread)) SLUICE_TRY(let_go(n));
  for (const std::uint32_t n : shares_->claim(settings_.thread)) {
    Partition p;
    p.number = n;
    p.key = position::applied_key(settings_.instance, settings_.partitions, n);
    partitions_.push_back(std::move(p));
  }
  if (partitions_.empty() && shares_->retired(settings_.thread)) return stopped();
  return {};
}

// Between two steps: what was applied is acked.  The channel is closed before anybody else may open
// one, so that what was fetched from it goes back to the queue, in order.
Status Applier::let_go(std::uint32_t number) {
  forget_gap(partition(number));
  Status closed = consumer_ ? consumer_->stop(number) : Status();
  std::erase_if(fetched_, [number](const auto& d) { return d.partition == number; });
  if (closed.ok() && redis_) closed = drop_fence();
  std::erase_if(partitions_, [number](const Partition& other) { return other.number == number; });
  shares_->release(number);
  return closed;
}

// Its connections are closed.
void Applier::let_go_of_all() {
  for (const Partition& p : partitions_) shares_->release(p.number);
  partitions_.clear();
}

Result<std::optional<queue::Delivery>> Applier::next_delivery() {
  if (!fetched_.empty()) {
    std::optional<queue::Delivery> d(std::move(fetched_.front()));
    fetched_.pop_front();
    return d;
  }
  return consumer_->next(kIdleWait, wakeup_);
}

// Also brings back channels that the server closed and partitions that paused for a gap.
Status Applier::start_partitions() {
  const auto now = clock_->steady();
  for (Partition& p : partitions_) {
    if (consumer_->started(p.number) || (p.gap && now < p.retry_at)) continue;
    p.known = false;
    SLUICE_TRY(consumer_->start(p.number));
  }
  return {};
}

Status Applier::take_record(Partition& p, const redis::Reply& reply) {
  if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  if (reply.kind == redis::Reply::Kind::nil) {
    p.seen.clear();
    p.record = {};
    p.record.layout = settings_.layout;
    p.known = true;
    return {};
  }
  if (reply.kind != redis::Reply::Kind::string)
    return fatal(Errc::position_damaged, p.key + " is not a string: not written by sluice");
  if (!p.known || reply.text != p.seen) {
    auto record = position::parse_applied(reply.text);
    if (!record) return std::move(record).error().at(p.key);
    p.record = std::move(record).value();
    p.seen = reply.text;
    p.known = true;
  }
  if (p.record.layout != settings_.layout)
    return fatal(Errc::position_mismatch, p.key + " was written under other rules (layout " +
                                              p.record.layout + ", now " + settings_.layout +
                                              "): changed rules must not meet old messages");
  return {};
}

Status Applier::fence(Partition& p) {
  fenced_.reset();
  fenced_at_ = clock_->steady();
  SLUICE_TRY_ASSIGN(const redis::Reply record, guard_->fence(p.key));
  SLUICE_TRY(take_record(p, record));
  fenced_ = p.number;
  return {};
}

// A partition that goes to another thread changes its record there: the WATCH would undo a step of
// ours.
Status Applier::drop_fence() {
  if (!fenced_) return {};
  fenced_.reset();
  return guard_->drop();
}

Applier::Verdict Applier::judge(const Partition& p, const MessageHeaders& headers) const {
  if (headers.prev > p.record.id) return Verdict::gap;
  if (headers.rows != 0 && headers.last <= p.record.id) return Verdict::repeat;
  return Verdict::apply;
}

Status Applier::process(queue::Delivery& delivery) {
  Partition& p = partition(delivery.partition);
  if (p.gap && !consumer_->started(p.number)) return {};  // fetched before its channel was closed
  refused_.clear();
  unreadable_.reset();
  if (delivery.unreadable) return on_unreadable(p, delivery);
  std::optional<EventId> wrote_above;  // rows, and then no record
  for (int attempt = 0; attempt < kMaxAborts; ++attempt) {
    if (fenced_ != p.number) SLUICE_TRY(fence(p));
    if (wrote_above && *wrote_above != p.record.id) say_written_late(*wrote_above, p);
    wrote_above.reset();
    const Verdict verdict = judge(p, delivery.headers);
    if (verdict == Verdict::gap) return on_gap(p, delivery);
    if (p.gap) {
      log::get("applier").info("the chain fits again partition={} applied={} discarded={}",
                               p.number, p.record.id.to_string(), p.discarded);
      forget_gap(p);
    }
    if (verdict == Verdict::repeat) {
      SLUICE_TRY(recall(p, delivery));
      SLUICE_TRY(await_repeat());
      counters_->repeats_skipped.fetch_add(1, std::memory_order_relaxed);
      return finish(p, delivery);
    }
    position::AppliedRecord next = p.record;
    commands_.clear();
    step_->begin(commands_);
    if (Status s = build(p, delivery, next); !s.ok()) {
      Error error = std::move(s).error();
      if (error.cls == ErrorClass::poison) error.cls = ErrorClass::fatal;
      return std::move(error).at("partition " + std::to_string(p.number) + ", " +
                                 describe(delivery.headers));
    }
    if (next == p.record) return finish(p, delivery);  // a tick known already
    record_text_.clear();
    position::append(record_text_, next);
    // What asks for the record of the next message rides behind this one.
    if (fetched_.empty()) {
      SLUICE_TRY_ASSIGN(auto ahead, consumer_->next(milliseconds(0), wakeup_));
      if (ahead) fetched_.push_back(std::move(*ahead));
    }
    Partition& then = fetched_.empty() ? p : partition(fetched_.front().partition);
    if (settings_.cluster && clock_->steady() - fenced_at_ > kFresh) {
      // It took long to make the commands; made anew they would take as long.
      const position::AppliedRecord was = p.record;
      SLUICE_TRY(fence(p));
      if (p.record != was) continue;
    }
    fenced_.reset();
    SLUICE_TRY_ASSIGN(const ApplierStep::Output done,
                      step_->run({&commands_, counts_.commands, p.key, record_text_.view(),
                                  then.key, refusals_.stops()}));
    if (done.aborted) {
      if (done.failed) return *done.failed;
      if (done.wrote_rows) wrote_above = p.record.id;
      p.known = false;  // somebody else wrote the record: look again
      continue;
    }
    if (!done.errors.empty()) SLUICE_TRY(on_errors(p, delivery, done));
    unsettled_->keep(p.number, delivery.headers, {refused_, unreadable_});
    if (done.failed) return *done.failed;
    if (delivery.headers.rows != 0 && delivery.headers.first <= p.record.id)
      counters_->messages_overlapping.fetch_add(1, std::memory_order_relaxed);
    p.record = std::move(next);
    p.seen.assign(record_text_.view());
    if (done.next_record) {
      SLUICE_TRY(take_record(then, *done.next_record));
      fenced_ = then.number;
    }
    count(delivery);
    if (done.reached) SLUICE_TRY(await(*done.reached));
    return finish(p, delivery);
  }
  return fatal(Errc::position_mismatch,
               "partition " + std::to_string(p.number) + ": " + p.key +
                   " is written by somebody else all the time: another sluice of this instance?");
}

void Applier::count(const queue::Delivery& delivery) {
  // What is mapped to nothing at all counts as applied; what was refused does not.
  if (const std::uint64_t rows = rows_in_step_ - refused_.size(); rows != 0) {
    counters_->rows_applied.fetch_add(rows, std::memory_order_relaxed);
    const std::int64_t lag = clock_->wall_us() - delivery.headers.commit_us;
    counters_->commit_to_redis.record(std::max<std::int64_t>(lag, 0), rows);
  }
  counters_->messages_applied.fetch_add(1, std::memory_order_relaxed);
  counters_->redis_commands.fetch_add(counts_.commands, std::memory_order_relaxed);
}

// On a cluster nothing holds rows back that come late.
void Applier::say_written_late(const EventId& was, const Partition& p) const {
  log::get("applier").error(
      "rows were written while another applier went on with their partition: keys of it may hold "
      "older values until their rows change; `sluice position set` to a place before sends them "
      "again partition={} above={} applied={}",
      p.number, was.to_string(), p.record.id.to_string());
}

Status Applier::build(Partition& p, const queue::Delivery& delivery,
                      position::AppliedRecord& next) {
  counts_ = {};
  rows_in_step_ = 0;
  refused_.clear();
  unreadable_.reset();
  EventId first = delivery.headers.prev, last = first;
  std::uint64_t rows = 0;
  reader_.open(delivery.body);
  for (;;) {
    auto line = reader_.next();
    if (!line) return step_over_unreadable(delivery.headers, std::move(line).error(), next);
    const ChangeView* view = *line;
    if (view == nullptr) break;
    if (view->kind == ChangeKind::tick) {
      position::TickMark tick{view->seq.epoch,         view->seq.file,          view->pos,
                              std::string(view->file), std::string(view->gtid), view->es_ms};
      if (!tick.before(next.tick)) next.tick = std::move(tick);
      continue;
    }
    if (view->kind == ChangeKind::ddl) continue;
    for (const ChangeView::Row& row : view->rows) {
      const EventId id = view->seq.with_row(row.index);
      if (id <= last)
        return fatal(Errc::queue_message, "row " + id.to_string() + " follows " + last.to_string() +
                                              ": rows out of order");
      if (rows == 0) first = id;
      last = id;
      ++rows;
      if (id <= p.record.id) continue;  // applied before
      if (Status s = mapper_.append(*view, row, commands_, counts_); !s.ok()) {
        if (s.error().cls != ErrorClass::poison || refusals_.stops()) return s;
        refused_.push_back(refusal_of(id, std::move(s).error()));
      }
      ++rows_in_step_;
      // Of a transaction that two servers brought, each a part, the count goes on.
      const bool same =
          id.transaction() == next.id.transaction() ||
          (id.epoch != next.id.epoch && !view->gtid.empty() && view->gtid == next.gtid);
      next.ordinal = same ? next.ordinal + 1 : 1;
      next.id = id;
      if (next.gtid != view->gtid) next.gtid = view->gtid;
    }
  }
  if (rows != delivery.headers.rows || first != delivery.headers.first ||
      last != delivery.headers.last)
    return fatal(Errc::queue_message, "the body holds " + std::to_string(rows) + " rows from " +
                                          first.to_string() + " to " + last.to_string() +
                                          ", the headers say otherwise");
  return {};
}

// The rows before stand, the message as a whole becomes a letter, and the chain goes on behind it.
Status Applier::step_over_unreadable(const MessageHeaders& headers, Error error,
                                     position::AppliedRecord& next) {
  if (error.cls != ErrorClass::poison || refusals_.stops()) return error;
  unreadable_ = std::move(error);
  if (headers.last <= next.id) return {};
  // How many rows of the transaction were in what cannot be read is not known: one too few only
  // sends some of them again after a failover.
  if (next.id.transaction() != headers.last.transaction()) next.ordinal = 0;
  next.id = headers.last;
  next.gtid = headers.gtid;
  return {};
}

}  // namespace sluice::pipeline
