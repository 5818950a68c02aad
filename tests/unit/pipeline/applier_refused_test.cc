// What Redis refuses and what cannot be read: dead letters, or the end.
#include <gmock/gmock.h>

#include "sluice/config/load.h"

#include "unit/pipeline/applier_fixture.h"

namespace sluice::pipeline {
namespace {

using testing::ApplierTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Message;
using testing::message;

class RefusedTest : public ApplierTest {};

TEST_F(RefusedTest, ARefusedRowStopsUnackedAndIsRefusedAgainAfterARestart) {
  settings_.on_refused = OnRefused::stop;
  redis_.put("db:t:2", "a string");
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}, {id(100, 2), 3}}));
  for (int start = 0; start < 3; ++start) {
    SCOPED_TRACE("start " + std::to_string(start));
    const Error error = run_to_an_error();
    EXPECT_EQ(error.cls, ErrorClass::fatal);
    EXPECT_EQ(error.code, Errc::redis_refused);
    EXPECT_EQ(left(0), 1u);
    EXPECT_EQ(broker_.partitions[0].acks, 0);
    EXPECT_EQ(redis_.text("db:t:2"), "a string");
  }
}

// Without this the message would be a repeat, and what was refused would never get there.
TEST_F(RefusedTest, WhenTheRefusingKeyIsGoneTheWholeMessageIsAppliedAndAcked) {
  settings_.on_refused = OnRefused::stop;
  for (const bool first_ever : {true, false}) {
    redis_ = {};
    const EventId before = first_ever ? EventId{} : id(50);
    if (!first_ever) applied_before(0, before);
    redis_.put("db:t:2", "a string");
    broker_.put(0, message(before, {{id(100), 1}, {id(100, 1), 2}, {id(100, 2), 3}}));
    EXPECT_EQ(run_to_an_error().code, Errc::redis_refused);
    redis_.keys.erase("db:t:2");
    run_to_the_end();
    EXPECT_EQ(redis_.keys["db:t:2"].fields["id"], "2");
    EXPECT_EQ(record(0).id, id(100, 2));
    EXPECT_EQ(left(0), 0u);
  }
}

// Died between the step and taking its record back.
TEST_F(RefusedTest, ARepeatThatComesAgainIsRefusedWhileItsKeysAreWrong) {
  settings_.on_refused = OnRefused::stop;
  applied_before(0, id(200));
  redis_.put("db:t:2", "a string");
  broker_.put(0, message(id(50), {{id(100), 1}, {id(200), 2}}));
  broker_.partitions[0].ready.front().redelivered = true;
  EXPECT_EQ(run_to_an_error().code, Errc::redis_refused);
  EXPECT_EQ(left(0), 1u);
  redis_.keys.erase("db:t:2");
  run_to_the_end();
  EXPECT_EQ(left(0), 0u);
}

TEST_F(RefusedTest, ARefusedRowBecomesALetterAndTheOthersStand) {
  redis_.put("db:t:2", "a string");
  Message m = message(id(50), {{id(100), 1}, {id(100, 1), 2}, {id(200), 3}});
  m.headers.file = "binlog.000001";
  applied_before(0, id(50));
  broker_.put(0, std::move(m));
  dead_.before_confirm = [this] {
    EXPECT_EQ(record(0).id, id(200)) << "the record went with the step";
    EXPECT_EQ(broker_.partitions[0].acks, 0) << "confirmed before the ack";
  };
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:3"));
  EXPECT_EQ(redis_.text("db:t:2"), "a string");
  EXPECT_EQ(left(0), 0u);
  ASSERT_EQ(dead_.letters.size(), 1u);
  const queue::Letter& letter = dead_.letters.front();
  EXPECT_EQ(letter.reason, "WRONGTYPE");
  EXPECT_EQ(letter.error, "WRONGTYPE Operation against a key holding the wrong kind of value");
  EXPECT_EQ(letter.table, "db.t");
  EXPECT_EQ(letter.key, "db:t:2");
  EXPECT_EQ(letter.id, id(100, 1));
  EXPECT_EQ(letter.file, "binlog.000001");
  EXPECT_EQ(letter.pos, 100u);
  EXPECT_EQ(letter.gtid, "0-1-1");
  EXPECT_EQ(letter.partition, 0u);
  EXPECT_GE(letter.refused_us, 1'700'000'000'000'000);
  EXPECT_TRUE(letter.is_row);
  EXPECT_THAT(letter.body, HasSubstr(R"("data":[{"id":"2"}])"));
  EXPECT_THAT(letter.body, HasSubstr(R"("sqlType":{"id":4})")) << "types, though not its first";
  EXPECT_EQ(counters_.dead_letters.load(), 1u);
  EXPECT_EQ(counters_.rows_applied.load(), 2u);
  EXPECT_EQ(redis_.execs, 1);
}

TEST_F(RefusedTest, WithoutARefusalNoConnectionForLettersIsOpened) {
  broker_.put(0, message({}, {{id(100), 1}}));
  run_to_the_end();
  EXPECT_EQ(dead_.connected, 0);
}

TEST_F(RefusedTest, EachRefusedRowOfAKeyHasItsOwnLetter) {
  redis_.put("db:t:2", "a string");
  broker_.put(0, message({}, {{id(100), 2}, {id(100, 1), 2}}));
  broker_.put(0, message(id(100, 1), {{id(200), 2}}));
  run_to_the_end();
  ASSERT_EQ(dead_.letters.size(), 3u);
  EXPECT_EQ(dead_.letters[0].id, id(100));
  EXPECT_EQ(dead_.letters[1].id, id(100, 1));
  EXPECT_EQ(dead_.letters[2].id, id(200));
  EXPECT_EQ(dead_.connected, 1);
}

TEST_F(RefusedTest, LettersAreSentUntilTheyAreTakenAndTheMessageWaits) {
  redis_.put("db:t:1", "a string");
  redis_.put("db:t:2", "a string");
  dead_.lose = 1;
  dead_.nack = 1;
  dead_.come_back = 1;
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}}));
  dead_.before_confirm = [this] { EXPECT_EQ(broker_.partitions[0].acks, 0); };
  run_to_the_end();
  EXPECT_EQ(dead_.letters.size(), 2u);
  EXPECT_EQ(dead_.declared, 1) << "one came back: the queue was made anew";
  EXPECT_GE(dead_.connected, 2);
  EXPECT_EQ(left(0), 0u);
  EXPECT_FALSE(health_.letters_waiting.load());
}

TEST_F(RefusedTest, AMessageIsNotHeldForLettersThatAreNotTaken) {
  settings_.stall_after = std::chrono::seconds(60);
  redis_.put("db:t:1", "a string");
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}}));
  broker_.put(1, message({}, {{id(100), 3}}));
  int silences = 0;
  dead_.silent = [&](std::chrono::milliseconds limit) {
    EXPECT_LE(limit, settings_.stall_after);
    EXPECT_GE(limit, std::chrono::milliseconds(0));
    clock_.go(limit);
    if (++silences == 3) dead_.silent = nullptr;
  };
  run_to_the_end();
  EXPECT_EQ(silences, 3);
  EXPECT_EQ(broker_.connected, 4) << "each time the message went back";
  ASSERT_EQ(dead_.letters.size(), 1u);
  EXPECT_EQ(dead_.letters[0].id, id(100));
  EXPECT_EQ(left(0) + left(1), 0u);
}

TEST_F(RefusedTest, AStopWaitsUntilTheLettersAreTaken) {
  redis_.put("db:t:1", "a string");
  dead_.nack = 1;
  dead_.before_confirm = [this] { broker_.stop.request_stop(); };
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}}));
  run_to_the_end();
  ASSERT_EQ(dead_.letters.size(), 1u);
  EXPECT_EQ(left(0), 0u);
}

TEST_F(RefusedTest, AnEndWhileTheBrokerTakesNoLetterLeavesTheMessageAndTheNextStartWritesIt) {
  settings_.stall_after = std::chrono::seconds(60);
  redis_.put("db:t:1", "a string");
  dead_.silent = [this](std::chrono::milliseconds limit) {
    broker_.stop.request_stop();
    clock_.go(limit);
  };
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}}));
  run_to_the_end();
  EXPECT_TRUE(dead_.letters.empty());
  EXPECT_EQ(left(0), 1u) << "not acked";
  EXPECT_EQ(record(0).id, id(100, 1));
  die();
  dead_.silent = nullptr;
  run_to_the_end();
  ASSERT_EQ(dead_.letters.size(), 1u);
  EXPECT_EQ(dead_.letters[0].id, id(100));
  EXPECT_EQ(dead_.letters[0].reason, "WRONGTYPE");
  EXPECT_EQ(left(0), 0u);
  EXPECT_EQ(counters_.repeats_skipped.load(), 1u);
}

// Of such a field nothing can be told by the key's type, and Redis says nothing of a repeat.
class RefusedSumTest : public RefusedTest {
 protected:
  RefusedSumTest() {
    settings_.options = sums_.get();
    redis_.keys["sums"] = {true, "", {{"1", "no number"}, {"2", "9223372036854775807"}}};
    broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}, {id(100, 2), 3}}));
  }
  static std::unique_ptr<Options> sums() {
    LoadResult loaded = load_text(
        "tables: [{match: 'db\\.t', mappings: [{type: counter, key: sums, field: '{id}'}]}]\n",
        "test.yaml", [](const std::string&) { return std::nullopt; });
    EXPECT_TRUE(loaded.problems.empty());
    return std::move(loaded.options);
  }
  void expect_letters() {
    ASSERT_EQ(dead_.letters.size(), 2u);
    EXPECT_EQ(dead_.letters[0].id, id(100));
    EXPECT_EQ(dead_.letters[1].id, id(100, 1));
    EXPECT_EQ(dead_.letters[1].reason, "ERR");
    EXPECT_EQ(redis_.keys["sums"].fields["3"], "1");
    EXPECT_EQ(left(0), 0u);
    EXPECT_EQ(counters_.dead_letters.load(), 2u);
  }
  std::unique_ptr<Options> sums_ = sums();
};

TEST_F(RefusedSumTest, AMessageThatWentBackIsSettledWithWhatRedisSaid) {
  int silences = 0;
  dead_.silent = [&](std::chrono::milliseconds limit) {
    clock_.go(limit);
    if (++silences == 2) dead_.silent = nullptr;
  };
  run_to_the_end();
  EXPECT_EQ(broker_.connected, 3);
  expect_letters();
  EXPECT_THAT(dead_.letters[0].error, HasSubstr("hash value is not an integer"));
}

TEST_F(RefusedSumTest, AnotherThreadThatGetsThePartitionKnowsWhatRedisSaid) {
  dead_.silent = [this](std::chrono::milliseconds limit) {
    broker_.stop.request_stop();
    clock_.go(limit);
  };
  run_to_the_end();
  EXPECT_EQ(left(0), 1u);
  dead_.silent = nullptr;
  run_to_the_end();
  expect_letters();
  EXPECT_THAT(dead_.letters[0].error, HasSubstr("hash value is not an integer"));
}

TEST_F(RefusedSumTest, AConnectionLostBehindTheStepLosesNothingOfWhatRedisSaid) {
  settings_.wait.replicas = 1;
  redis_.replicas = 1;
  redis_.lose_before_wait = 1;
  run_to_the_end();
  expect_letters();
  EXPECT_THAT(dead_.letters[0].error, HasSubstr("hash value is not an integer"));
}

TEST_F(RefusedSumTest, AfterACrashTheSumsTell) {
  redis_.lose_after_exec = 1;
  run_to_the_end();
  expect_letters();
  EXPECT_THAT(dead_.letters[0].error, HasSubstr("value is not an integer"));
  EXPECT_THAT(dead_.letters[1].error, HasSubstr("end of its 64 bits"));
}

TEST_F(RefusedSumTest, ARowWithTwoKeysThatAreWrongHasOneLetter) {
  LoadResult loaded = load_text(
      "tables: [{match: 'db\\.t', mappings: [{}, {type: counter, key: sums, field: '{id}'}]}]\n",
      "test.yaml", [](const std::string&) { return std::nullopt; });
  settings_.options = loaded.options.get();
  redis_.put("db:t:1", "a string");
  redis_.lose_after_exec = 1;
  run_to_the_end();
  expect_letters();
}

TEST_F(RefusedSumTest, ARepeatOfWhatWasSettledIsNoLetterAgain) {
  run_to_the_end();
  expect_letters();
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}, {id(100, 2), 3}}));
  run_to_the_end();
  EXPECT_EQ(dead_.letters.size(), 2u);
}

// A broker drops a consumer that is silent for two heartbeats.
TEST_F(RefusedTest, TheConsumersConnectionIsServedWhileLettersAreWaitedFor) {
  redis_.put("db:t:1", "a string");
  dead_.confirm_takes = std::chrono::seconds(30);
  broker_.put(0, message({}, {{id(100), 1}}));
  run_to_the_end();
  EXPECT_EQ(dead_.letters.size(), 1u);
  EXPECT_EQ(broker_.served, 300);
  EXPECT_EQ(left(0), 0u);
}

TEST_F(RefusedTest, HeadersOfALetterFitIntoTheSmallestFrame) {
  broker_.put(0, message({}, {{id(100), 1}}));
  Message foreign;
  foreign.body = "hello";
  broker_.put(0, std::move(foreign));
  broker_.partitions[0].ready.back().unreadable =
      Error{ErrorClass::poison, Errc::queue_message, std::string(20000, 'x')};
  run_to_the_end();
  ASSERT_EQ(dead_.letters.size(), 1u);
  EXPECT_LE(dead_.letters[0].error.size(), 1024u);
}

// Died between the step and its letters.
TEST_F(RefusedTest, ARepeatThatComesAgainIsProbedAndWhatCannotFitBecomesALetter) {
  applied_before(0, id(200));
  redis_.put("db:t:2", "a string");
  redis_.put("db:t:3", "a string");
  broker_.put(0, message(id(50), {{id(100), 1}, {id(150), 2}, {id(200), 3}}));
  broker_.partitions[0].ready.front().redelivered = true;
  run_to_the_end();
  ASSERT_EQ(dead_.letters.size(), 2u);
  EXPECT_EQ(dead_.letters[0].id, id(150));
  EXPECT_EQ(dead_.letters[1].id, id(200));
  EXPECT_THAT(dead_.letters[0].error, HasSubstr("holds a string, not a hash"));
  EXPECT_THAT(redis_.written, IsEmpty());
  EXPECT_EQ(left(0), 0u);
}

TEST_F(RefusedTest, IgnoredRowsAreCountedAndNotWrittenAnywhere) {
  settings_.on_refused = OnRefused::ignore;
  redis_.put("db:t:2", "a string");
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}}));
  run_to_the_end();
  EXPECT_EQ(dead_.connected, 0);
  EXPECT_EQ(counters_.ignored.load(), 1u);
  EXPECT_EQ(counters_.dead_letters.load(), 0u);
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1"));
  EXPECT_EQ(left(0), 0u);
}

TEST_F(RefusedTest, WhatIsNotARefusalIsWaitedForAndNeverALetter) {
  redis_.put("db:t:2", "a string");
  redis_.oom = 2;
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}}));
  run_to_the_end();
  ASSERT_EQ(dead_.letters.size(), 1u);
  EXPECT_EQ(dead_.letters[0].id, id(100, 1));
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1"));
}

TEST_F(RefusedTest, OfAMessageThatCannotBeReadTheRowsBeforeAreAppliedAndTheWholeIsALetter) {
  applied_before(0, id(50));
  Message m = message(id(50), {{id(100), 1}, {id(150), 2}, {id(200), 3}});
  const std::size_t second = m.body.find('\n') + 1;
  m.body.replace(second, 3, "\x01\x02{");
  const std::string body = m.body;
  broker_.put(0, std::move(m));
  broker_.put(0, message(id(200), {{id(300), 4}}));
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:4")) << "the chain goes on behind it";
  ASSERT_EQ(dead_.letters.size(), 1u);
  EXPECT_EQ(dead_.letters[0].reason, "unreadable");
  EXPECT_THAT(dead_.letters[0].error, HasSubstr("line 2"));
  EXPECT_EQ(dead_.letters[0].body, body);
  EXPECT_FALSE(dead_.letters[0].is_row);
  EXPECT_EQ(dead_.letters[0].id, id(200));
  EXPECT_EQ(record(0).id, id(300));
  EXPECT_EQ(left(0), 0u);
}

TEST_F(RefusedTest, AnUnreadableMessageThatComesAgainIsALetterAgain) {
  applied_before(0, id(200));
  Message m = message(id(50), {{id(100), 1}, {id(200), 2}});
  m.body = "rubbish\n";
  broker_.put(0, std::move(m));
  broker_.partitions[0].ready.front().redelivered = true;
  run_to_the_end();
  ASSERT_EQ(dead_.letters.size(), 1u);
  EXPECT_EQ(dead_.letters[0].reason, "unreadable");
  EXPECT_EQ(left(0), 0u);
}

TEST_F(RefusedTest, AMessageOfSomebodyElseIsALetterAndOutsideTheChain) {
  broker_.put(0, message({}, {{id(100), 1}}));
  Message foreign;
  foreign.body = "hello";
  broker_.put(0, std::move(foreign));
  broker_.partitions[0].ready.back().unreadable =
      Error{ErrorClass::poison, Errc::queue_message, "queue q, delivery tag 2: no headers"};
  broker_.put(0, message(id(100), {{id(200), 2}}));
  const auto queued = broker_.partitions;
  settings_.on_refused = OnRefused::stop;
  EXPECT_EQ(run_to_an_error().code, Errc::queue_message);
  EXPECT_TRUE(dead_.letters.empty());
  broker_.partitions = queued;
  redis_ = {};
  settings_.on_refused = OnRefused::dead_letter;
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:2"));
  ASSERT_EQ(dead_.letters.size(), 1u);
  EXPECT_EQ(dead_.letters[0].body, "hello");
  EXPECT_EQ(dead_.letters[0].error, "queue q, delivery tag 2: no headers");
  EXPECT_EQ(left(0), 0u);
}

}  // namespace
}  // namespace sluice::pipeline
