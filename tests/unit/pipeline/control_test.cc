#include "pipeline/control.h"

#include <deque>
#include <thread>

#include <gmock/gmock.h>

#include "unit/pipeline/fakes.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The control queue and its one consumer.
struct FakeControl {
  std::deque<std::pair<MessageHeaders, std::string>> ready, unacked;
  std::vector<int> acks;  // messages taken away by each
  int lose = 0;           // counts down; at 1 the connection is lost
  std::function<void()> idle;
};

class FakeConsumer final : public queue::Consumer {
 public:
  explicit FakeConsumer(FakeControl& queue) : queue_(&queue) {}
  FakeConsumer(const FakeConsumer&) = delete;
  FakeConsumer& operator=(const FakeConsumer&) = delete;
  ~FakeConsumer() override {
    while (!queue_->unacked.empty()) {
      queue_->ready.push_front(std::move(queue_->unacked.back()));
      queue_->unacked.pop_back();
    }
  }
  Status start(std::uint32_t n) override {
    EXPECT_EQ(n, 0u);
    started_ = true;
    return {};
  }
  Status stop(std::uint32_t) override { return {}; }
  bool started(std::uint32_t) const noexcept override { return started_; }
  Result<std::optional<queue::Delivery>> next(milliseconds, Wakeup&) override {
    if (queue_->lose > 0 && --queue_->lose == 0) return retry(Errc::queue_lost, "hung up");
    if (queue_->ready.empty()) {
      queue_->idle();
      return std::optional<queue::Delivery>();
    }
    queue_->unacked.push_back(std::move(queue_->ready.front()));
    queue_->ready.pop_front();
    queue::Delivery d;
    d.tag = ++tag_;
    d.headers = queue_->unacked.back().first;
    d.body = queue_->unacked.back().second;
    return std::optional(std::move(d));
  }
  Status serve() override { return {}; }
  Status ack(std::uint32_t, std::uint64_t tag) override {
    int taken = 0;
    for (; acked_ < tag; ++acked_, ++taken) queue_->unacked.pop_front();
    queue_->acks.push_back(taken);
    return {};
  }

 private:
  FakeControl* queue_;
  bool started_ = false;
  std::uint64_t tag_ = 0, acked_ = 0;
};

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() {
    queue_.idle = [this] { stop_.request_stop(); };
  }
  void put(const RewindRequest& r) { queue_.ready.emplace_back(r.headers(), r.body()); }
  static RewindRequest request(std::uint32_t n) { return {2, n, {1, 2, 300 + n, 4, 5, 0}}; }
  // Until the queue is empty.
  void run() {
    const Status s = stage_.run(stop_.get_token());
    ASSERT_FALSE(s.ok());
    EXPECT_EQ(s.error().cls, ErrorClass::stopped) << to_string(s.error());
  }

  testing::FakeClock clock_;
  FakeControl queue_;
  std::stop_source stop_;
  int changes_ = 0;
  ControlStage stage_{
      [this]() -> Result<std::unique_ptr<queue::Consumer>> {
        return std::unique_ptr<queue::Consumer>(std::make_unique<FakeConsumer>(queue_));
      },
      2, milliseconds(3000), [this] { ++changes_; }, clock_};
};

TEST_F(ControlTest, ARequestIsReadAsItWasWritten) {
  const RewindRequest written = request(1);
  queue::Delivery d;
  d.headers = written.headers();
  const std::string body = written.body();
  d.body = body;
  const auto read = RewindRequest::read(d);
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(*read, written);
  EXPECT_EQ(written.headers().rows, 0u);
}

TEST_F(ControlTest, OtherMessagesAreNone) {
  for (const std::string_view text :
       {"", "rewind", "rewind ", "rewind 1", "rewind 1/", "rewind /2", "rewind 1/2x", "rewind -1/2",
        "repartition 1/2", "rewind 99999999999/2"}) {
    queue::Delivery d;
    d.body = text;
    const auto read = RewindRequest::read(d);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().cls, ErrorClass::poison);
  }
}

TEST_F(ControlTest, RequestsAreTogetherWhenNoMoreComeOrAllHaveAsked) {
  EXPECT_FALSE(stage_.together()) << "there are none";
  put(request(0));
  run();
  EXPECT_EQ(changes_, 1);
  EXPECT_FALSE(stage_.together());
  clock_.go(milliseconds(2999));
  EXPECT_FALSE(stage_.together());
  clock_.go(milliseconds(1));
  EXPECT_TRUE(stage_.together());
}

TEST_F(ControlTest, NothingIsWaitedForWhenAllHaveAsked) {
  put(request(0));
  put(request(1));
  run();
  EXPECT_TRUE(stage_.together());
}

TEST_F(ControlTest, RequestsStayInTheQueueUntilTheyAreMet) {
  put(request(0));
  put(request(1));
  run();
  EXPECT_THAT(stage_.requests(), ElementsAre(request(0), request(1)));
  EXPECT_THAT(queue_.acks, IsEmpty());
  EXPECT_EQ(queue_.unacked.size(), 2u);
  ASSERT_TRUE(stage_.done().ok());
  EXPECT_THAT(queue_.acks, ElementsAre(2));
}

TEST_F(ControlTest, ALostConnectionBringsThemAgain) {
  put(request(0));
  put(request(1));
  queue_.lose = 2;
  run();
  EXPECT_THAT(stage_.requests(), ElementsAre(request(0), request(1))) << "each once";
  EXPECT_EQ(changes_, 3);
}

TEST_F(ControlTest, AMessageThatIsNoRequestIsTakenAwayOnceNothingWaitsBeforeIt) {
  queue_.ready.emplace_back(MessageHeaders{}, "hello");
  put(request(0));
  queue_.ready.emplace_back(MessageHeaders{}, "hello");
  run();
  EXPECT_THAT(queue_.acks, ElementsAre(1));
  EXPECT_EQ(queue_.unacked.size(), 2u) << "an ack would have met the request, too";
  ASSERT_TRUE(stage_.done().ok());
  EXPECT_THAT(queue_.acks, ElementsAre(1, 1));
}

class FakePublisher final : public queue::Publisher {
 public:
  using Kind = queue::Outcome::Kind;
  std::optional<Kind> outcome = Kind::confirmed;
  std::vector<std::string> sent;
  Status publish(std::uint32_t n, const MessageHeaders& headers, std::string_view body) override {
    EXPECT_EQ(n, 0u);
    sent.push_back(headers.last.to_string() + " " + std::string(body));
    return {};
  }
  Status publish_letter(const queue::Letter&, std::string_view) override { return {}; }
  Status wait(milliseconds, Wakeup&, std::vector<queue::Outcome>& out) override {
    if (outcome) out.push_back({0, *outcome, "312 NO_ROUTE"});
    return {};
  }
  bool blocked() const noexcept override { return false; }
};

TEST_F(ControlTest, ARequestIsMadeOnceItIsConfirmed) {
  FakePublisher publisher;
  EXPECT_TRUE(send_request(publisher, request(1), {}, milliseconds(10)).ok());
  EXPECT_THAT(publisher.sent, ElementsAre("1.2.301.4.5.0 rewind 1/2"));
}

TEST_F(ControlTest, ARequestThatIsNotConfirmedIsNotMade) {
  FakePublisher publisher;
  for (const auto kind : {FakePublisher::Kind::nacked, FakePublisher::Kind::returned}) {
    publisher.outcome = kind;
    const Status s = send_request(publisher, request(1), {}, milliseconds(10));
    ASSERT_FALSE(s.ok());
    EXPECT_EQ(s.error().cls, ErrorClass::retry);
    EXPECT_EQ(s.error().code, Errc::queue_returned);
  }
  publisher.outcome.reset();
  const Status s = send_request(publisher, request(1), {}, milliseconds(1));
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::queue_lost);
  EXPECT_THAT(s.error().what, HasSubstr("does not confirm"));
  stop_.request_stop();
  EXPECT_EQ(send_request(publisher, request(1), stop_.get_token(), milliseconds(1)).error().cls,
            ErrorClass::stopped);
}

}  // namespace
}  // namespace sluice::pipeline
