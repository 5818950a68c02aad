#include "pipeline/publish_stage.h"

#include <algorithm>
#include <functional>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/event/line_encoder.h"

#include "unit/pipeline/fakes.h"
#include "unit/pipeline/plans.h"

namespace sluice::pipeline {
namespace {

using ::testing::HasSubstr;
using Kind = queue::Outcome::Kind;

constexpr std::uint32_t kPartitions = 3;
constexpr std::uint32_t kLetters = kPartitions;  // the lane of dead letters, without one for DDL

// The broker's side: what arrived in each queue, in order.
struct FakeBroker {
  std::vector<std::vector<MessageHeaders>> queues{kPartitions};
  testing::FakeClock* clock = nullptr;
  // Decides the fate of what is unconfirmed, at each wait().  An error ends the connection.
  struct InFlight {
    std::uint32_t partition = 0;
    MessageHeaders headers;
  };
  std::function<Status(std::vector<InFlight>&, std::vector<queue::Outcome>&)> script;
  bool blocked = false;
  int connections = 0, sent_while_blocked = 0;

  void take(const InFlight& m) { queues[m.partition].push_back(m.headers); }
};

class FakePublisher final : public queue::Publisher {
 public:
  explicit FakePublisher(FakeBroker& broker) : broker_(&broker) { ++broker.connections; }
  Status publish(std::uint32_t partition, const MessageHeaders& headers,
                 std::string_view body) override {
    EXPECT_FALSE(dead_) << "used after an error";
    EXPECT_FALSE(body.empty());
    EXPECT_TRUE(std::none_of(in_flight_.begin(), in_flight_.end(),
                             [&](const auto& m) { return m.partition == partition; }))
        << "a second unconfirmed message in partition " << partition;
    if (broker_->blocked) ++broker_->sent_while_blocked;
    in_flight_.push_back({partition, headers});
    return {};
  }
  Status publish_letter(const queue::Letter& letter, std::string_view body) override {
    MessageHeaders headers;
    headers.last = letter.id;
    return publish(kLetters, headers, body);
  }
  Status wait(std::chrono::milliseconds timeout, Wakeup& wake,
              std::vector<queue::Outcome>& out) override {
    EXPECT_FALSE(dead_) << "used after an error";
    EXPECT_GT(timeout.count(), 0);
    wake.clear();
    broker_->clock->go(std::min(timeout, std::chrono::milliseconds(5)));
    Status s = broker_->script(in_flight_, out);
    dead_ = !s.ok();
    return s;
  }
  bool blocked() const noexcept override { return broker_->blocked; }

 private:
  FakeBroker* broker_;
  std::vector<FakeBroker::InFlight> in_flight_;
  bool dead_ = false;
};

class PublishStageTest : public ::testing::Test {
 protected:
  explicit PublishStageTest(bool ddl = false, bool letters = false)
      : outbox_({kPartitions, /*message_bytes=*/700, 48u << 20, ddl, 16u << 20, letters},
                {file_, 4, "", std::vector<EventId>(kPartitions)}, GtidSet(Flavor::mariadb),
                wakeup_) {
    broker_.clock = &clock_;
    broker_.script = [this](auto& in_flight, auto& out) { return confirm_all(in_flight, out); };
    batch_.partitions.resize(kPartitions);
  }
  // The whole stage in this thread: `script` runs in its waits.
  Status run(int most_waits = 100'000) {
    waits_left_ = most_waits;
    PublishStage stage(
        {[this]() -> Result<std::unique_ptr<queue::Publisher>> {
           return std::unique_ptr<queue::Publisher>(std::make_unique<FakePublisher>(broker_));
         },
         [this](const std::vector<bool>& sent) -> Status {
           ++topology_checks_;
           sent_ = sent;
           return topology_;
         },
         may_send_},
        outbox_, wakeup_, counters_, health_, clock_, std::chrono::milliseconds(1));
    return stage.run(stop_.get_token(), drain_.get_token());
  }
  Status confirm_all(std::vector<FakeBroker::InFlight>& in_flight,
                     std::vector<queue::Outcome>& out) {
    if (--waits_left_ < 0) stop_.request_stop();
    for (const auto& m : in_flight) {
      broker_.take(m);
      out.push_back({m.partition, Kind::confirmed, {}});
    }
    in_flight.clear();
    return {};
  }
  // A transaction with one row in each of these partitions.
  void transaction(std::initializer_list<std::uint32_t> partitions) {
    transaction(std::vector<std::uint32_t>(partitions));
  }
  void transaction(const std::vector<std::uint32_t>& partitions) {
    pos_ += 100;
    batch_.clear();
    batch_.id = {1, 1, pos_};
    batch_.gtid = "0-1-" + std::to_string(pos_);
    batch_.file = file_;
    batch_.pos = pos_ + 10;
    batch_.plans = {plan_};
    std::uint64_t event = 0;
    for (const std::uint32_t p : partitions) {
      const std::array<std::byte, 4> value{std::byte{5}};
      const std::array<binlog::Cell, 1> cells{binlog::Cell{value, binlog::CellState::value}};
      event::LineContext context;
      context.seq = {1, 1, pos_, event++, 0};
      context.gtid = batch_.gtid;
      encoder_.begin(*plan_, ChangeKind::insert, 0, context);
      EXPECT_TRUE(encoder_.add(0, cells, {}).ok());
      PartitionLines& lines = batch_.partitions[p];
      if (lines.lines.empty()) batch_.touched.push_back(p);
      lines.lines.push_back(encoder_.finish(lines.text));
      ++rows_;
    }
    if (!batch_.empty()) {
      EXPECT_TRUE(outbox_.add(batch_).ok());
    }
    outbox_.complete({file_, pos_ + 10, MariadbGtid{0, 1, pos_}, 1, nullptr});
  }
  // What an applier would make of the queues: every message follows, repeats aside.
  void expect_whole_chains() {
    std::uint64_t applied_rows = 0;
    const auto chain = outbox_.chain();
    for (std::uint32_t p = 0; p < kPartitions; ++p) {
      EventId applied;
      for (const MessageHeaders& m : broker_.queues[p]) {
        EXPECT_LE(m.prev, m.first);
        EXPECT_LE(m.first, m.last);
        if (m.last <= applied) continue;
        EXPECT_EQ(m.prev, applied) << "the same message again, never another cut";
        applied = m.last;
        applied_rows += m.rows;
      }
      EXPECT_EQ(applied, chain[p]) << "partition " << p;
    }
    EXPECT_EQ(applied_rows, rows_);
  }

  testing::FakeClock clock_;
  Wakeup wakeup_;
  std::shared_ptr<const SourceFile> file_ =
      std::make_shared<SourceFile>(SourceFile{"binlog.000001", 1, 7, 9});
  std::shared_ptr<const event::TablePlan> plan_ = testing::simple_plan("db", "t");
  Outbox outbox_;
  FakeBroker broker_;
  ops::Counters counters_;
  Health health_;
  std::stop_source stop_, drain_;
  event::LineEncoder encoder_;
  TransactionBatch batch_;
  std::uint64_t pos_ = 0, rows_ = 0;
  bool certain_ = true;
  std::function<bool()> may_send_ = [this] { return certain_; };
  int topology_checks_ = 0, waits_left_ = 0;
  std::vector<bool> sent_;
  Status topology_;
};

TEST_F(PublishStageTest, SendsAllAndEndsWhenDrained) {
  for (int i = 0; i < 10; ++i) transaction({0, 1});
  drain_.request_stop();
  EXPECT_TRUE(run().ok());
  expect_whole_chains();
  EXPECT_TRUE(outbox_.drained());
  EXPECT_EQ(outbox_.restart_point().pos, pos_ + 10);
  EXPECT_EQ(counters_.rows_confirmed.load(), rows_);
  EXPECT_EQ(topology_checks_, 0);
}

TEST_F(PublishStageTest, DrainDoesNotEndWhileAMessageIsUnconfirmed) {
  transaction({0});
  drain_.request_stop();
  int waits = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    return ++waits < 20 ? Status{} : confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(waits, 20);
  expect_whole_chains();
}

TEST_F(PublishStageTest, StopEndsItAtOnce) {
  transaction({0});
  broker_.script = [&](auto&, auto&) -> Status {
    stop_.request_stop();
    return {};
  };
  const Status s = run();
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::stopped);
}

TEST_F(PublishStageTest, TicksEachSecondAlsoWithoutRows) {
  transaction(std::vector<std::uint32_t>{});
  const auto began = clock_.steady();
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    if (clock_.steady() - began > std::chrono::milliseconds(3500)) stop_.request_stop();
    return confirm_all(in_flight, out);
  };
  EXPECT_EQ(run().error().cls, ErrorClass::stopped);
  for (const auto& q : broker_.queues) {
    EXPECT_EQ(q.size(), 4u);
    for (const MessageHeaders& m : q) EXPECT_EQ(m.rows, 0u);
  }
}

TEST_F(PublishStageTest, ANackedMessageIsSentAgainAfterAPauseAndOthersGoOn) {
  transaction({0});
  int nacks = 0;
  const auto began = clock_.steady();
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    for (std::size_t i = 0; i < in_flight.size(); ++i) {
      if (in_flight[i].partition != 0 || nacks == 4) continue;
      ++nacks;
      out.push_back({0, Kind::nacked, {}});
      in_flight.erase(in_flight.begin() + static_cast<std::ptrdiff_t>(i));
      transaction({0, 1});
      if (nacks == 4) drain_.request_stop();
      break;
    }
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(counters_.nacked.load(), 4u);
  EXPECT_EQ(counters_.publish_resends.load(), 4u);
  EXPECT_GE(clock_.steady() - began, std::chrono::milliseconds(20 + 40 + 80 + 160));
  expect_whole_chains();
}

// As RabbitMQ 3.10 does on a channel that published while a queue had no leader.
TEST_F(PublishStageTest, ALongRefusalIsTriedOnANewConnection) {
  transaction({0, 1});
  int nacks = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    std::erase_if(in_flight, [&](const auto& m) {
      if (m.partition != 0 || broker_.connections != 1) return false;
      ++nacks;
      out.push_back({0, Kind::nacked, {}});
      return true;
    });
    if (broker_.connections == 2) drain_.request_stop();
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(broker_.connections, 2);
  EXPECT_GT(nacks, 5);
  expect_whole_chains();
}

TEST_F(PublishStageTest, AFullQueueIsTriedOnANewConnectionEverMoreSeldom) {
  transaction({0});
  const auto began = clock_.steady();
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    std::erase_if(in_flight, [&](const auto& m) {
      if (m.partition != 0 || clock_.steady() - began >= std::chrono::seconds(60)) return false;
      out.push_back({0, Kind::nacked, {}});
      return true;
    });
    if (clock_.steady() - began >= std::chrono::seconds(60)) drain_.request_stop();
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run(200'000).ok());
  EXPECT_GE(broker_.connections, 5);
  EXPECT_LE(broker_.connections, 7) << "after 1, 2, 4, 8, 16 and 32 seconds";
  expect_whole_chains();
}

class DdlPublishStageTest : public PublishStageTest {
 protected:
  DdlPublishStageTest() : PublishStageTest(true) { broker_.queues.resize(kPartitions + 1); }
  void statement() {
    pos_ += 100;
    PublishedDdl ddl;
    ddl.line = {{1, 1, pos_}, "ALTER", "db", "t", "ALTER TABLE t ADD a INT", "", 1, 2};
    ddl.file = file_;
    ddl.pos = pos_ + 10;
    EXPECT_TRUE(outbox_.add_ddl(ddl).ok());
    outbox_.complete({file_, pos_ + 10, MariadbGtid{0, 1, pos_}, 1, nullptr});
  }
};

class LettersPublishStageTest : public PublishStageTest {
 protected:
  LettersPublishStageTest() : PublishStageTest(false, true) {
    broker_.queues.resize(kPartitions + 1);
  }
  // A row of partition 0 that is too large, and nothing else.
  EventId letter() {
    pos_ += 100;
    batch_.clear();
    batch_.id = {1, 1, pos_};
    batch_.file = file_;
    batch_.pos = pos_ + 10;
    queue::Letter letter;
    letter.id = {1, 1, pos_, 0, 0, 0};
    letter.body = "key";
    batch_.letters.push_back({0, 0, letter});
    EXPECT_TRUE(outbox_.add(batch_).ok());
    outbox_.complete({file_, pos_ + 10, MariadbGtid{0, 1, pos_}, 1, nullptr});
    return letter.id;
  }
};

TEST_F(LettersPublishStageTest, WhatIsRefusedOrOfUnknownFateIsSentAgainBeforeTheRowsBehindIt) {
  transaction({0});
  const EventId id = letter();
  transaction({0, 1});
  int turns = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    const auto it = std::find_if(in_flight.begin(), in_flight.end(),
                                 [](const auto& m) { return m.partition == kLetters; });
    if (it == in_flight.end()) return confirm_all(in_flight, out);
    EXPECT_EQ(it->headers.last, id);
    if (++turns == 3) {  // taken, and nobody hears of it
      broker_.take(*it);
      return retry(Errc::queue_lost, "gone");
    }
    if (turns < 3) {
      in_flight.erase(it);
      out.push_back({kLetters, Kind::nacked, {}});
    } else {
      EXPECT_TRUE(health_.letters_refused.load());
      EXPECT_EQ(broker_.queues[0].size(), 1U) << "rows behind it wait";
      EXPECT_EQ(outbox_.restart_point().pos, pos_ - 190) << "so does the position";
      drain_.request_stop();
    }
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_FALSE(health_.letters_refused.load());
  EXPECT_EQ(broker_.queues[kLetters].size(), 2U) << "twice, never not at all";
  EXPECT_EQ(counters_.dead_letters.load(), 1U);
  EXPECT_EQ(counters_.rows_published.load(), 3U);
  EXPECT_EQ(outbox_.restart_point().pos, pos_ + 10);
  expect_whole_chains();
}

TEST_F(DdlPublishStageTest, ARefusedStatementIsSentAgainAndSaidWhileRowsGoOn) {
  statement();
  transaction({0, 1});
  int nacks = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    const auto it = std::find_if(in_flight.begin(), in_flight.end(),
                                 [](const auto& m) { return m.partition == kPartitions; });
    if (it != in_flight.end() && nacks < 3) {
      ++nacks;
      in_flight.erase(it);
      out.push_back({kPartitions, Kind::nacked, {}});
    } else if (nacks == 3) {
      EXPECT_TRUE(health_.ddl_refused.load());
      EXPECT_EQ(outbox_.restart_point().pos, 4U) << "the statement is not there yet";
      drain_.request_stop();
    }
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_FALSE(health_.ddl_refused.load());
  EXPECT_EQ(counters_.nacked.load(), 3u);
  EXPECT_EQ(counters_.rows_published.load(), 2u) << "statements are no rows";
  EXPECT_EQ(counters_.rows_confirmed.load(), 2u);
  EXPECT_EQ(broker_.queues[kPartitions].size(), 1u);
  EXPECT_EQ(outbox_.restart_point().pos, pos_ + 10);
}

TEST_F(PublishStageTest, AReturnedMessageHasTheTopologyLookedAtAndIsSentAgain) {
  transaction({0, 1});
  int returns = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    if (returns < 2 && !in_flight.empty()) {
      const auto it = std::find_if(in_flight.begin(), in_flight.end(),
                                   [](const auto& m) { return m.partition == 1; });
      if (it != in_flight.end()) {
        ++returns;
        in_flight.erase(it);
        out.push_back({1, Kind::returned, "NO_ROUTE"});
      }
    } else {
      drain_.request_stop();
    }
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(topology_checks_, 2);
  EXPECT_EQ(sent_, (std::vector<bool>{true, true, false}));
  expect_whole_chains();
}

TEST_F(PublishStageTest, AMessageReturnedThreeTimesIsFatal) {
  transaction({1});
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    for (const auto& m : in_flight) out.push_back({m.partition, Kind::returned, "NO_ROUTE"});
    in_flight.clear();
    return {};
  };
  const Status s = run();
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::fatal);
  EXPECT_EQ(s.error().code, Errc::queue_returned);
  EXPECT_THAT(s.error().what, HasSubstr("NO_ROUTE"));
  EXPECT_EQ(outbox_.restart_point().pos, 4u);
}

TEST_F(PublishStageTest, AMissingQueueEndsTheProcess) {
  transaction({1});
  topology_ = fatal(Errc::queue_topology, "gone");
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    for (const auto& m : in_flight) out.push_back({m.partition, Kind::returned, "NO_ROUTE"});
    in_flight.clear();
    return {};
  };
  EXPECT_EQ(run().error().code, Errc::queue_topology);
}

TEST_F(PublishStageTest, AfterALostConnectionTheTopologyIsCheckedAndTheUnconfirmedComesFirst) {
  transaction({0});
  int waits = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    if (++waits == 1) {
      transaction({0});
      broker_.take(in_flight.front());  // it had arrived, and nobody said so
      return retry(Errc::queue_lost, "hung up");
    }
    EXPECT_EQ(topology_checks_, 1);
    EXPECT_EQ(health_.queue.load(), Health::Link::up);
    drain_.request_stop();
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  ASSERT_EQ(broker_.queues[0].size(), 3u);
  EXPECT_EQ(broker_.queues[0][1].last, broker_.queues[0][0].last) << "again, the same";
  EXPECT_EQ(counters_.publish_resends.load(), static_cast<std::uint64_t>(kPartitions))
      << "the ticks of the other partitions too";
  expect_whole_chains();
}

TEST_F(PublishStageTest, ABlockingBrokerIsSentNothingUntilItTakesMessagesAgain) {
  transaction({0});
  int waits = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    ++waits;
    if (waits == 1) broker_.blocked = true;
    if (waits >= 2 && waits < 500) {
      EXPECT_TRUE(health_.broker_blocked.load());
      transaction({0, 1, 2});
    }
    if (waits == 500) {
      broker_.blocked = false;
      drain_.request_stop();
    }
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(broker_.sent_while_blocked, 0);
  EXPECT_FALSE(health_.broker_blocked.load());
  expect_whole_chains();
}

// A broker that blocks says so at the first message of a new connection.
TEST_F(PublishStageTest, WhatWasUnconfirmedWaitsWhenTheNextConnectionIsBlocked) {
  transaction({0, 1, 2});
  int waits = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    ++waits;
    if (waits == 1) {
      broker_.blocked = true;
      return retry(Errc::queue_lost, "cut");
    }
    if (waits < 100) {
      EXPECT_TRUE(in_flight.empty());
      EXPECT_EQ(health_.broker_blocked.load(), waits > 2);
    }
    if (waits == 100) {
      broker_.blocked = false;
      drain_.request_stop();
    }
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(broker_.connections, 2);
  EXPECT_EQ(broker_.sent_while_blocked, 0);
  expect_whole_chains();
}

TEST_F(PublishStageTest, AQueueThatGoesOnRefusingIsToldUntilItTakesAgain) {
  transaction({0});
  int nacks = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    const auto it = std::find_if(in_flight.begin(), in_flight.end(),
                                 [](const auto& m) { return m.partition == 0; });
    if (it != in_flight.end() && nacks < 8) {
      ++nacks;
      in_flight.erase(it);
      out.push_back({0, Kind::nacked, {}});
      EXPECT_EQ(health_.refused_partitions.load(), nacks > 6 ? 1U : 0U) << nacks;
    } else if (nacks == 8) {
      drain_.request_stop();
    }
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(health_.refused_partitions.load(), 0U);
  EXPECT_EQ(counters_.nacked.load(), 8u);
  expect_whole_chains();
}

TEST_F(PublishStageTest, AnOutcomeNobodyWaitsForIsAnError) {
  broker_.script = [&](auto&, auto& out) -> Status {
    out.push_back({kPartitions, Kind::confirmed, {}});
    return {};
  };
  EXPECT_EQ(run().error().code, Errc::internal);
}

// Whatever the broker does: one unconfirmed message per partition, nothing lost, order kept.
TEST_F(PublishStageTest, ChainsStayWholeUnderRandomFaults) {
  std::mt19937 random(7);
  int losses = 8, produced = 0;
  std::vector<int> returns(kPartitions);
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    if (produced < 1500) {
      std::vector<std::uint32_t> partitions;
      for (auto n = random() % 5; n > 0; --n)
        partitions.push_back(static_cast<std::uint32_t>(random() % kPartitions));
      transaction(partitions);
      ++produced;
    } else {
      drain_.request_stop();
    }
    if (losses > 0 && random() % 100 == 0) {
      --losses;
      for (const auto& m : in_flight)
        if (random() % 2 == 0) broker_.take(m);
      returns.assign(kPartitions, 0);
      return retry(Errc::queue_lost, "hung up");
    }
    if (random() % 40 == 0) broker_.blocked = !broker_.blocked && produced < 1500;
    std::vector<FakeBroker::InFlight> kept;
    for (const auto& m : in_flight) {
      int& returned = returns[m.partition];
      switch (random() % 8) {
        case 0: kept.push_back(m); continue;
        case 1: out.push_back({m.partition, Kind::nacked, {}}); continue;
        case 2:
          if (returned < 2) {
            ++returned;
            out.push_back({m.partition, Kind::returned, "NO_ROUTE"});
            continue;
          }
          [[fallthrough]];
        default:
          returned = 0;
          broker_.take(m);
          out.push_back({m.partition, Kind::confirmed, {}});
      }
    }
    in_flight = std::move(kept);
    return {};
  };
  const Status s = run();
  EXPECT_TRUE(s.ok()) << to_string(s.error());
  expect_whole_chains();
  EXPECT_EQ(losses, 0) << "the script has lost connections";
  EXPECT_EQ(outbox_.restart_point().pos, pos_ + 10);
}

TEST_F(PublishStageTest, SendsNothingWhileAnotherProcessMayPublishAndKeepsItsConnection) {
  transaction({0, 1});
  int waits = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    ++waits;
    if (waits == 1) certain_ = false;
    if (waits > 1 && waits < 500) {
      EXPECT_TRUE(in_flight.empty());
      transaction({0, 1, 2});
    }
    if (waits == 500) {
      certain_ = true;
      drain_.request_stop();
    }
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(broker_.connections, 1);
  expect_whole_chains();
  EXPECT_EQ(outbox_.restart_point().pos, pos_ + 10);
}

TEST_F(PublishStageTest, WhatWasUnconfirmedWaitsWhileAnotherProcessMayPublish) {
  transaction({0, 1});
  int waits = 0;
  broker_.script = [&](auto& in_flight, auto& out) -> Status {
    ++waits;
    if (waits == 1) {
      certain_ = false;
      return retry(Errc::queue_lost, "cut");
    }
    if (waits < 100) {
      EXPECT_TRUE(in_flight.empty());
    }
    if (waits == 100) {
      certain_ = true;
      drain_.request_stop();
    }
    return confirm_all(in_flight, out);
  };
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(broker_.connections, 2);
  expect_whole_chains();
}

}  // namespace
}  // namespace sluice::pipeline
