#include "pipeline/control.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLookAround{100};  // whether somebody wants us to stop
constexpr std::string_view kVerb = "rewind ";

}  // namespace

MessageHeaders RewindRequest::headers() const {
  MessageHeaders h;
  h.prev = h.first = h.last = applied;
  return h;
}

// "rewind PARTITION/PARTITIONS"
std::string RewindRequest::body() const {
  return std::string(kVerb) + std::to_string(partition) + "/" + std::to_string(partitions);
}

Result<RewindRequest> RewindRequest::read(const queue::Delivery& delivery) {
  if (delivery.unreadable) return *delivery.unreadable;
  RewindRequest out;
  out.applied = delivery.headers.last;
  std::string_view text = delivery.body;
  const bool verb = text.substr(0, kVerb.size()) == kVerb;
  if (verb) text.remove_prefix(kVerb.size());
  const char* const end = text.data() + text.size();
  const auto [slash, bad] = std::from_chars(text.data(), end, out.partition);
  bool good = verb && bad == std::errc() && slash != end && *slash == '/';
  if (good) {
    const auto [rest, error] = std::from_chars(slash + 1, end, out.partitions);
    good = error == std::errc() && rest == end;
  }
  if (good) return out;
  return Error{ErrorClass::poison, Errc::queue_message, "not a request of sluice"};
}

Status send_request(queue::Publisher& publisher, const RewindRequest& request,
                    const std::stop_token& st, milliseconds limit) {
  const auto deadline = system_clock().steady() + limit;
  SLUICE_TRY(publisher.publish(0, request.headers(), request.body()));
  Wakeup nobody;
  std::vector<queue::Outcome> outcomes;
  while (!st.stop_requested()) {
    SLUICE_TRY(publisher.wait(kLookAround, nobody, outcomes));
    if (!outcomes.empty()) {
      if (outcomes.front().kind == queue::Outcome::Kind::confirmed) return {};
      return retry(Errc::queue_returned,
                   outcomes.front().kind == queue::Outcome::Kind::nacked
                       ? "the control queue refuses a message (full?)"
                       : "the control queue is gone: " + outcomes.front().reason);
    }
    if (system_clock().steady() >= deadline)
      return retry(Errc::queue_lost, publisher.blocked()
                                         ? "the broker blocks publishing"
                                         : "the control queue does not confirm a message");
  }
  return stopped();
}

Status ControlStage::run(const std::stop_token& st) {
  Backoff backoff(milliseconds(200), milliseconds(5000));
  while (!st.stop_requested()) {
    Status s = session(st);
    // Those that were collected stay unacknowledged with the connection.
    if (st.stop_requested()) break;
    consumer_.reset();
    {
      const Lock lock(mu_);
      requests_.clear();
    }
    if (s.error().cls != ErrorClass::retry) return s;
    // The publisher says that the broker is away.
    log::get("queue").debug("control queue lost error=\"{}\"", to_string(s.error()));
    if (!wait_for(backoff.next(), st)) break;
  }
  return stopped();
}

Status ControlStage::session(const std::stop_token& st) {
  SLUICE_TRY_ASSIGN(consumer_, connect_());
  const std::stop_callback wake(st, [this] { wakeup_.notify(); });
  while (!st.stop_requested()) {
    if (!consumer_->started(0)) {
      {
        const Lock lock(mu_);
        requests_.clear();  // its channel is gone, they come again
      }
      SLUICE_TRY(consumer_->start(0));
    }
    SLUICE_TRY_ASSIGN(const auto delivery, consumer_->next(milliseconds(1000), wakeup_));
    if (delivery) SLUICE_TRY(take(*delivery));
  }
  return stopped();
}

Status ControlStage::take(const queue::Delivery& delivery) {
  auto request = RewindRequest::read(delivery);
  bool first = false;
  {
    const Lock lock(mu_);
    first = requests_.empty();
    if (request) {
      requests_.push_back(*request);
      last_ = clock_->steady();
      tag_ = delivery.tag;
    }
  }
  if (request) {
    log::get("app").info("rows are asked for again partition={} applied={}", request->partition,
                         request->applied.to_string());
    changed_();
    return {};
  }
  if (request.error().cls != ErrorClass::poison) return request.error();
  log::get("queue").warn("control queue: a message is passed over error=\"{}\"",
                         to_string(request.error()));
  // An ack takes along what came before: behind a request it waits with it.
  return first ? consumer_->ack(0, delivery.tag) : Status();
}

bool ControlStage::together() const {
  const Lock lock(mu_);
  if (requests_.empty()) return false;
  std::set<std::uint32_t> asked;
  for (const RewindRequest& r : requests_) asked.insert(r.partition);
  return asked.size() >= partitions_ || clock_->steady() - last_ >= quiet_;
}

std::vector<RewindRequest> ControlStage::requests() const {
  const Lock lock(mu_);
  return requests_;
}

Status ControlStage::done() {
  if (!consumer_) return retry(Errc::queue_lost, "the control queue is gone");
  return consumer_->ack(0, tag_);
}

}  // namespace sluice::pipeline
