#include "pipeline/publish_stage.h"

#include <algorithm>
#include <utility>

#include "sluice/base/log.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kTickEvery{1000};
constexpr milliseconds kRefusedFirst{20};
constexpr milliseconds kRefusedMost{2000};
// A message the broker could not route even after the topology was looked at this often.
constexpr std::uint32_t kMaxReturns = 3;
// A queue that has refused a message this often in a row (about a third of a second) is full.
constexpr std::uint32_t kFullAfter = 5;

}  // namespace

std::string PublishStage::lane_name(std::uint32_t lane) const {
  if (lane < row_partitions_) return "partition " + std::to_string(lane);
  return lane == outbox_->letters_lane() ? "the queue of dead letters" : "the queue for DDL";
}

std::vector<bool> PublishStage::sent_partitions() const {
  std::vector<bool> sent;
  for (const EventId& last : outbox_->chain()) sent.push_back(!last.is_zero());
  return sent;
}

Status PublishStage::run(const std::stop_token& st, const std::stop_token& drain) {
  bool was_up = false;
  while (!st.stop_requested()) {
    auto publisher = deps_.connect();
    Status s = publisher.ok() ? Status{} : Status(publisher.error());
    if (s.ok() && was_up) s = deps_.check_topology(sent_partitions());
    if (s.ok()) {
      if (backoff_.attempts() != 0) {
        counters_->reconnects.fetch_add(1, std::memory_order_relaxed);
        log::get("queue").info("publisher connected again attempt={}", backoff_.attempts());
      }
      health_->queue = Health::Link::up;
      was_up = true;
      backoff_.reset();
      s = session(**publisher, st, drain);
      if (s.ok()) return {};
    }
    health_->queue = Health::Link::lost;
    health_->broker_blocked = false;
    if (s.error().cls != ErrorClass::retry) return s;
    for (Partition& p : partitions_) p.in_flight = false;
    const auto pause = backoff_.next();
    if (backoff_.attempts() == 1)
      log::get("queue").warn("publisher lost, reconnecting wait_ms={} error=\"{}\"", pause.count(),
                             to_string(s.error()));
    if (!wait_for(pause, st)) break;
  }
  return stopped();
}

Status PublishStage::session(queue::Publisher& publisher, const std::stop_token& st,
                             const std::stop_token& drain) {
  // What was unconfirmed on the connection before is of unknown fate: again, first of all.
  waiting_ = 0;
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    Partition& lane = partitions_[p];
    lane.in_flight = lane.waiting = false;
    lane.returns = 0;
    lane.refused_since.reset();
    if (publisher.blocked()) {
      wait_until(partitions_[p], clock_->steady());
    } else if (const OutgoingMessage* m = outbox_->unconfirmed(p)) {
      counters_->publish_resends.fetch_add(1, std::memory_order_relaxed);
      SLUICE_TRY(send(publisher, p, *m));
    } else if (const OutgoingMessage* next = outbox_->take(p)) {
      SLUICE_TRY(send(publisher, p, *next));
    }
  }
  while (!st.stop_requested()) {
    if (drain.stop_requested() && outbox_->drained()) return {};
    if (!drain.stop_requested()) tick_if_due();
    SLUICE_TRY(pump(publisher));
    // A blocking broker says when it is over.
    milliseconds timeout =
        waiting_ != 0 && !publisher.blocked() ? kRefusedFirst : milliseconds(200);
    if (!drain.stop_requested())
      timeout = std::clamp(std::chrono::duration_cast<milliseconds>(next_tick_ - clock_->steady()),
                           milliseconds(1), timeout);
    outcomes_.clear();
    SLUICE_TRY(publisher.wait(timeout, *wakeup_, outcomes_));
    health_->broker_blocked = publisher.blocked();  // the connection says why, and until when
    for (const queue::Outcome& outcome : outcomes_) SLUICE_TRY(settle(publisher, outcome));
  }
  return stopped();
}

void PublishStage::tick_if_due() {
  const auto now = clock_->steady();
  if (now < next_tick_) return;
  next_tick_ = now + kTickEvery;
  outbox_->tick(clock_->wall_us() / 1000);
}

Status PublishStage::pump(queue::Publisher& publisher) {
  if (publisher.blocked()) return {};
  outbox_->ready(ready_);
  const auto now = clock_->steady();
  for (const std::uint32_t p : ready_) {
    if (publisher.blocked())
      wait_until(partitions_[p], now);
    else if (const OutgoingMessage* m = outbox_->take(p))
      SLUICE_TRY(send(publisher, p, *m));
  }
  if (waiting_ == 0 || (held_back_ && !deps_.may_send())) return {};
  for (std::uint32_t p = 0; p < partitions_.size(); ++p) {
    if (publisher.blocked()) break;
    if (!partitions_[p].waiting || now < partitions_[p].retry_at) continue;
    partitions_[p].waiting = false;
    --waiting_;
    if (partitions_[p].in_flight) continue;
    if (const OutgoingMessage* m = outbox_->unconfirmed(p)) {
      counters_->publish_resends.fetch_add(1, std::memory_order_relaxed);
      SLUICE_TRY(send(publisher, p, *m));
    } else if (const OutgoingMessage* next = outbox_->take(p)) {
      SLUICE_TRY(send(publisher, p, *next));
    }
  }
  return {};
}

Status PublishStage::send(queue::Publisher& publisher, std::uint32_t partition,
                          const OutgoingMessage& message) {
  if (!deps_.may_send()) {
    if (!std::exchange(held_back_, true))
      log::get("queue").warn(
          "nothing was heard of the leadership for a heartbeat, nothing is sent: another process "
          "may have it");
    wait_until(partitions_[partition], clock_->steady() + kRefusedFirst);
    return {};
  }
  if (std::exchange(held_back_, false)) log::get("queue").info("the leadership is ours, sending");
  partitions_[partition].in_flight = true;
  SLUICE_TRY(message.letter ? publisher.publish_letter(*message.letter, message.body.view())
                            : publisher.publish(partition, message.headers, message.body.view()));
  counters_->messages_published.fetch_add(1, std::memory_order_relaxed);
  if (partition < row_partitions_)
    counters_->rows_published.fetch_add(message.headers.rows, std::memory_order_relaxed);
  counters_->body_bytes_published.fetch_add(message.body.size(), std::memory_order_relaxed);
  return {};
}

void PublishStage::wait_until(Partition& p, std::chrono::steady_clock::time_point at) {
  p.retry_at = at;
  if (!p.waiting) ++waiting_;
  p.waiting = true;
}

// After a refusal.
void PublishStage::taken(std::uint32_t lane, Partition& p) {
  p.refusals = 0;
  p.refused_since.reset();
  if (lane == outbox_->letters_lane()) {
    health_->letters_refused = false;
    log::get("queue").info("dead letters of rows are taken again");
  } else if (lane >= row_partitions_) {
    health_->ddl_refused = false;
    log::get("queue").info("the queue for DDL takes statements again");
  } else if (p.full) {
    p.full = false;
    --health_->refused_partitions;
    log::get("queue").info("the queue takes messages again partition={}", lane);
  }
  if (std::all_of(partitions_.begin(), partitions_.end(),
                  [](const Partition& other) { return other.refusals == 0; }))
    reopen_after_ = kReopenFirst;
}

void PublishStage::say_refused(std::uint32_t lane, const Partition& p) {
  if (lane < row_partitions_) {
    if (p.refusals == 0)
      log::get("queue").warn("message refused by the broker (nack), sending again partition={}",
                             lane);
    return;
  }
  if (p.refusals != 0) return;
  if (lane == outbox_->letters_lane()) {
    health_->letters_refused = true;
    log::get("queue").warn(
        "the queue of dead letters refuses one of a row (nack), sending again; what comes behind "
        "that row in its partition waits: see `sluice dead list`, or raise the queue's limit");
    return;
  }
  health_->ddl_refused = true;
  log::get("queue").warn(
      "the queue for DDL refuses a statement (nack), sending again; rows go on, but the saved "
      "position stays before that statement: have the queue consumed, or set queue.publish_ddl: "
      "false and start again");
}

// Errors: the connection is to be opened anew.
Status PublishStage::refused(std::uint32_t lane, Partition& p) {
  const auto now = clock_->steady();
  if (!p.refused_since) p.refused_since = now;
  say_refused(lane, p);
  if (lane < row_partitions_ && !p.full && p.refusals >= kFullAfter) {
    p.full = true;
    ++health_->refused_partitions;
  }
  if (now - *p.refused_since < reopen_after_) return {};
  const auto patience = std::exchange(reopen_after_, std::min(kReopenMost, 2 * reopen_after_));
  return retry(Errc::queue_lost,
               lane_name(lane) + ": the broker has refused every message for " +
                   std::to_string(patience.count()) +
                   " ms (nack): trying on a new connection, in case the queue's leader has moved");
}

Status PublishStage::settle(queue::Publisher& publisher, const queue::Outcome& outcome) {
  if (outcome.partition >= partitions_.size() || !partitions_[outcome.partition].in_flight)
    return fatal(Errc::internal, "an outcome for partition " + std::to_string(outcome.partition) +
                                     ", which has no message on its way");
  Partition& p = partitions_[outcome.partition];
  p.in_flight = false;
  if (outcome.kind == queue::Outcome::Kind::confirmed) {
    if (p.refusals != 0) taken(outcome.partition, p);
    p.returns = 0;
    if (outcome.partition == outbox_->letters_lane())
      counters_->dead_letters.fetch_add(1, std::memory_order_relaxed);
    counters_->messages_confirmed.fetch_add(1, std::memory_order_relaxed);
    counters_->rows_confirmed.fetch_add(outbox_->confirmed(outcome.partition),
                                        std::memory_order_relaxed);
    // The next message goes out at once: this is the partition's own pace.
    if (publisher.blocked()) return {};
    if (const OutgoingMessage* m = outbox_->take(outcome.partition))
      return send(publisher, outcome.partition, *m);
    return {};
  }
  if (outcome.kind == queue::Outcome::Kind::returned) {
    counters_->returned.fetch_add(1, std::memory_order_relaxed);
    if (++p.returns >= kMaxReturns)
      return fatal(Errc::queue_returned,
                   lane_name(outcome.partition) + ": the broker cannot route our message (" +
                       outcome.reason +
                       ") although exchange, queue and binding were declared again: something "
                       "removes them; with queue.type existing: bind the queue to the exchange, "
                       "routing key = the queue's name");
    log::get("queue").warn("message returned, looking at the topology lane=\"{}\" reason=\"{}\"",
                           lane_name(outcome.partition), outcome.reason);
    SLUICE_TRY(deps_.check_topology(sent_partitions()));
  } else {
    counters_->nacked.fetch_add(1, std::memory_order_relaxed);
    SLUICE_TRY(refused(outcome.partition, p));
  }
  const auto pause = std::min(kRefusedMost, kRefusedFirst * (1 << std::min(p.refusals, 10u)));
  ++p.refusals;
  wait_until(p, clock_->steady() + pause);
  return {};
}

}  // namespace sluice::pipeline
