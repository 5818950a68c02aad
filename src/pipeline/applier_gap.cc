// What an applier does about a hole in the chain: docs/design.md, "Redis came back older".
#include <algorithm>
#include <string>
#include <utility>

#include "sluice/base/log.h"

#include "pipeline/applier.h"
#include "pipeline/remedies.h"
#include "pipeline/watermark_stage.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kGapRetry{300};
// A request may be lost with the leader that took it; each that is not costs another way back.
constexpr milliseconds kAskAgainFirst{60000}, kAskAgainMost{3600000};

}  // namespace

void Applier::forget_gap(Partition& p) {
  if (p.asked) health_->rewinding.fetch_sub(1);
  if (p.gap) health_->waiting_gaps.fetch_sub(1);
  p.gap = false;
  p.asked.reset();
  p.discarded = 0;
}

Status Applier::on_gap(Partition& p, const queue::Delivery& delivery) {
  const auto now = clock_->steady();
  if (!p.gap) {
    p.gap = true;
    p.gap_since = now;
    health_->waiting_gaps.fetch_add(1);
    log::get("applier").warn("the chain does not fit, looking again partition={} applied={} {}",
                             p.number, p.record.id.to_string(), describe(delivery.headers));
    return look_again(p);
  }
  if (p.asked == p.record.id && now < p.ask_again) return discard(p, delivery);
  if (!p.asked && now - p.gap_since < settings_.gap_patience) return look_again(p);
  if (p.seen.empty()) {
    counters_->gaps.fetch_add(1, std::memory_order_relaxed);
    return lost_data(p, delivery.headers);
  }
  if (!settings_.rewind) {
    counters_->gaps.fetch_add(1, std::memory_order_relaxed);
    return fatal(Errc::pipeline_gap,
                 "GAP in partition " + std::to_string(p.number) + ": Redis holds rows up to " +
                     p.record.id.to_string() + ", the next message follows " +
                     delivery.headers.prev.to_string() +
                     ". The rows between are gone from the queue, or Redis came back older. Set "
                     "applier.on_rewind: rewind to have them sent again. " +
                     std::string(kRebuild));
  }
  if (Status s = ask(p, delivery.headers); !s.ok()) {
    if (s.error().cls != ErrorClass::retry) return s;
    log::get("applier").warn("rows could not be asked for again yet partition={} error=\"{}\"",
                             p.number, to_string(s.error()));
    return look_again(p);
  }
  return discard(p, delivery);
}

// Unacked messages return to the queue, in order.
Status Applier::look_again(Partition& p) {
  SLUICE_TRY(consumer_->stop(p.number));
  std::erase_if(fetched_, [&p](const queue::Delivery& d) { return d.partition == p.number; });
  p.retry_at = clock_->steady() + kGapRetry;
  p.known = false;
  fenced_.reset();
  return {};
}

Status Applier::ask(Partition& p, const MessageHeaders& headers) {
  SLUICE_TRY(deps_.ask({settings_.partitions, p.number, p.record.id}, stop_));
  const auto now = clock_->steady();
  if (p.asked == p.record.id) {
    p.ask_pause = std::min(2 * p.ask_pause, kAskAgainMost);
  } else {
    p.ask_pause = kAskAgainFirst;
    counters_->gaps.fetch_add(1, std::memory_order_relaxed);
  }
  if (!p.asked) health_->rewinding.fetch_add(1);
  p.asked = p.record.id;
  p.ask_again = now + p.ask_pause;
  log::get("applier").warn(
      "rows are missing in Redis and in the queue, asked for them again state=REWIND partition={} "
      "applied={} {}",
      p.number, p.record.id.to_string(), describe(headers));
  return {};
}

// What it holds comes again behind what is missing: the request is confirmed.  The record is read
// anew for the next one, should Redis have become another once more.
Status Applier::discard(Partition& p, const queue::Delivery& delivery) {
  ++p.discarded;
  counters_->messages_discarded.fetch_add(1, std::memory_order_relaxed);
  fenced_.reset();
  return consumer_->ack(p.number, delivery.tag);
}

Error Applier::lost_data(const Partition& p, const MessageHeaders& headers) {
  const auto records = read_applied(*redis_, settings_.instance, settings_.partitions);
  const auto left = records ? std::count_if(records->begin(), records->end(),
                                            [](const auto& r) { return r && !r->id.is_zero(); })
                            : 0;
  const std::string what =
      left == 0 ? "Redis has lost its data set (emptied, or started without its files): there is "
                  "no record of any partition's rows"
                : "Redis has lost the record of this partition (deleted, or evicted?): those of " +
                      std::to_string(left) + " others are there, but keys may be gone as well";
  return fatal(Errc::pipeline_gap,
               "GAP in partition " + std::to_string(p.number) + ": " + what + ". " + p.key +
                   " does not exist, and rows up to " + headers.prev.to_string() +
                   " were sent. If there is a copy, put it back: what is missing behind it is sent "
                   "again. " +
                   std::string(kRebuild));
}

}  // namespace sluice::pipeline
