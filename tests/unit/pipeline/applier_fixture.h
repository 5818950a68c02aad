#pragma once
// An applier between a broker, a Redis and a queue of dead letters, all in memory.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/applier.h"
#include "unit/pipeline/fake_redis.h"
#include "unit/pipeline/fakes.h"
#include "unit/pipeline/lines.h"

namespace sluice::pipeline::testing {

inline constexpr std::uint32_t kPartitions = 2;

// Queues of a broker; what is delivered and not acked comes back, in order, when its channel ends.
struct FakeBroker {
  struct Queued {
    Message message;
    bool redelivered = false;
    std::optional<Error> unreadable;  // as the consumer says it
  };
  struct Partition {
    std::deque<Queued> ready;
    std::deque<std::pair<std::uint64_t, Queued>> unacked;
    bool consumed = false;
    int starts = 0, stops = 0, acks = 0;
  };
  std::vector<Partition> partitions{kPartitions};
  std::uint64_t next_tag = 1;
  int connected = 0, served = 0;
  FakeClock* clock = nullptr;
  std::stop_source stop;
  std::function<void()> before_next;         // lets a test meddle between two deliveries
  std::chrono::milliseconds patience{1000};  // idle for so long: the test is over
  std::chrono::milliseconds look_takes{0};   // looking whether there is one, in vain
  std::chrono::milliseconds idle{0};
  int lose_at_next = 0;  // counts down; at 1 the connection is lost

  void put(std::uint32_t p, Message m) { partitions[p].ready.push_back({std::move(m), false, {}}); }
  void give_back(Partition& p) {
    while (!p.unacked.empty()) {
      p.ready.push_front(std::move(p.unacked.back().second));
      p.ready.front().redelivered = true;
      p.unacked.pop_back();
    }
    p.consumed = false;
  }
};

class FakeConsumer final : public queue::Consumer {
 public:
  explicit FakeConsumer(FakeBroker& broker) : broker_(&broker) { ++broker.connected; }
  FakeConsumer(const FakeConsumer&) = delete;
  FakeConsumer& operator=(const FakeConsumer&) = delete;
  ~FakeConsumer() override {
    for (auto& p : broker_->partitions) broker_->give_back(p);
  }
  Status start(std::uint32_t n) override {
    auto& p = broker_->partitions[n];
    EXPECT_FALSE(p.consumed) << "one active consumer";
    p.consumed = true;
    ++p.starts;
    return {};
  }
  Status stop(std::uint32_t n) override {
    auto& p = broker_->partitions[n];
    ++p.stops;
    broker_->give_back(p);
    return {};
  }
  bool started(std::uint32_t n) const noexcept override { return broker_->partitions[n].consumed; }
  Result<std::optional<queue::Delivery>> next(std::chrono::milliseconds timeout, Wakeup&) override {
    if (broker_->before_next) broker_->before_next();
    if (broker_->lose_at_next > 0 && --broker_->lose_at_next == 0)
      return retry(Errc::queue_lost, "the fake hung up");
    for (std::uint32_t i = 0; i < kPartitions; ++i) {
      const std::uint32_t n = (turn_ + i) % kPartitions;
      auto& p = broker_->partitions[n];
      if (!p.consumed || p.ready.empty()) continue;
      turn_ = n + 1;
      broker_->idle = {};
      auto owner = std::make_shared<Message>(p.ready.front().message);
      queue::Delivery d;
      d.partition = n;
      d.tag = broker_->next_tag++;
      d.redelivered = p.ready.front().redelivered;
      d.headers = owner->headers;
      d.body = owner->body;
      d.unreadable = p.ready.front().unreadable;
      p.unacked.emplace_back(d.tag, std::move(p.ready.front()));
      p.ready.pop_front();
      d.owner = std::move(owner);
      return std::optional(std::move(d));
    }
    broker_->clock->go(timeout + broker_->look_takes);
    broker_->idle += timeout;
    if (broker_->idle >= broker_->patience) broker_->stop.request_stop();
    return std::optional<queue::Delivery>();
  }
  Status serve() override {
    ++broker_->served;
    return {};
  }
  Status ack(std::uint32_t n, std::uint64_t tag) override {
    auto& p = broker_->partitions[n];
    while (!p.unacked.empty() && p.unacked.front().first <= tag) {
      p.unacked.pop_front();
      ++p.acks;
    }
    return {};
  }

 private:
  FakeBroker* broker_;
  std::uint32_t turn_ = 0;
};

// The queue of dead letters.
struct FakeDeadQueue {
  std::vector<queue::Letter> letters;
  int connected = 0;
  // What is to go wrong, so many times: the connection, a nack, a return.
  int lose = 0, nack = 0, come_back = 0;
  int declared = 0;
  std::function<void()> before_confirm;
  std::function<void(std::chrono::milliseconds)> silent;  // set: so long nothing is confirmed
  std::chrono::milliseconds confirm_takes{0};
  FakeClock* clock = nullptr;
};

class FakeLetterSender final : public queue::LetterSender {
 public:
  explicit FakeLetterSender(FakeDeadQueue& queue) : queue_(&queue) { ++queue.connected; }
  Status send(std::span<const queue::Letter> letters, std::vector<Fate>& fates,
              const std::stop_token& st, std::chrono::milliseconds limit,
              const std::function<Status()>& serve) override {
    fates.resize(letters.size(), Fate::unknown);
    if (st.stop_requested()) return stopped();
    for (auto left = queue_->confirm_takes; left.count() > 0;
         left -= std::chrono::milliseconds(100)) {
      queue_->clock->go(std::chrono::milliseconds(100));
      SLUICE_TRY(serve());
    }
    if (queue_->silent) {
      queue_->silent(limit);
      return retry(Errc::queue_lost, "the fake is silent");
    }
    for (std::size_t i = 0; i < letters.size(); ++i) {
      if (fates[i] == Fate::confirmed) continue;
      if (queue_->lose > 0) {
        --queue_->lose;
        return retry(Errc::queue_lost, "the fake hung up");
      }
      fates[i] = Fate::confirmed;
      if (queue_->nack > 0) {
        --queue_->nack;
        fates[i] = Fate::nacked;
      } else if (queue_->come_back > 0) {
        --queue_->come_back;
        fates[i] = Fate::returned;
      } else {
        queue_->letters.push_back(letters[i]);
      }
    }
    if (queue_->before_confirm) queue_->before_confirm();
    return {};
  }

 private:
  FakeDeadQueue* queue_;
};

class ApplierTest : public ::testing::Test {
 protected:
  ApplierTest() {
    broker_.clock = &clock_;
    redis_.clock = &clock_;
    dead_.clock = &clock_;
    settings_.options = &options_;
    settings_.instance = "main";
    settings_.partitions = kPartitions;
    settings_.layout = "l1";
    shares_.spread(1);
    settings_.gap_patience = std::chrono::seconds(3);
    settings_.reconnect_max = std::chrono::milliseconds(1);
  }
  // Until nothing is left to do, or an error.  An applier of the same process as the one before,
  // unless die() comes between.
  Status run() {
    broker_.stop = {};
    broker_.idle = {};
    Applier applier(
        settings_,
        {[this]() -> Result<std::unique_ptr<queue::Consumer>> {
           return std::unique_ptr<queue::Consumer>(std::make_unique<FakeConsumer>(broker_));
         },
         [this]() -> Result<std::unique_ptr<redis::Connection>> {
           return std::unique_ptr<redis::Connection>(std::make_unique<FakeRedisConnection>(redis_));
         },
         {[this]() -> Result<std::unique_ptr<queue::LetterSender>> {
            return std::unique_ptr<queue::LetterSender>(std::make_unique<FakeLetterSender>(dead_));
          },
          [this]() -> Status {
            ++dead_.declared;
            return {};
          }},
         [this](const RewindRequest& request, const std::stop_token&) -> Status {
           if (ask_fails_ > 0) {
             --ask_fails_;
             return retry(Errc::queue_lost, "the fake hung up");
           }
           asked_.push_back(request);
           return {};
         }},
        shares_, *unsettled_, counters_, health_, clock_);
    return applier.run(broker_.stop.get_token());
  }
  void run_to_the_end() {
    const Status s = run();
    ASSERT_FALSE(s.ok());
    EXPECT_EQ(s.error().cls, ErrorClass::stopped) << to_string(s.error());
    EXPECT_EQ(health_.appliers_up.load(), 0u);
    EXPECT_EQ(health_.waiting_gaps.load(), 0u);
    EXPECT_EQ(health_.rewinding.load(), 0u);
  }
  Error run_to_an_error() {
    const Status s = run();
    if (s.ok()) return fatal(Errc::internal, "ended without an error");
    EXPECT_EQ(health_.waiting_gaps.load(), 0u);
    return s.error();
  }
  void die() { unsettled_ = std::make_unique<Unsettled>(); }
  static EventId id(std::uint64_t pos, std::uint64_t event = 0, std::uint64_t row = 0) {
    return {1, 1, pos, event, row, 0};
  }
  static std::string key(std::uint32_t n) { return position::applied_key("main", kPartitions, n); }
  position::AppliedRecord record(std::uint32_t n) {
    auto r = position::parse_applied(redis_.text(key(n)));
    EXPECT_TRUE(r.ok()) << redis_.text(key(n));
    return r.ok() ? *r : position::AppliedRecord{};
  }
  void applied_before(std::uint32_t n, const EventId& up_to) {
    position::AppliedRecord r;
    r.id = up_to;
    r.layout = settings_.layout;
    TextBuffer text;
    position::append(text, r);
    redis_.put(key(n), std::string(text.view()));
  }
  std::size_t left(std::uint32_t n) const {
    return broker_.partitions[n].ready.size() + broker_.partitions[n].unacked.size();
  }

  FakeClock clock_;
  FakeBroker broker_;
  FakeRedis redis_;
  FakeDeadQueue dead_;
  std::vector<RewindRequest> asked_;
  int ask_fails_ = 0;  // so many times
  ops::Counters counters_;
  Health health_;
  Options options_;
  ApplierSettings settings_;
  Shares shares_{kPartitions};
  std::unique_ptr<Unsettled> unsettled_ = std::make_unique<Unsettled>();
};

}  // namespace sluice::pipeline::testing
