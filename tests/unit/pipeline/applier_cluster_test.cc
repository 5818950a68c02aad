// On a cluster, where rows and record are in no transaction together.
#include <gmock/gmock.h>

#include "unit/pipeline/applier_fixture.h"

namespace sluice::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message;
using namespace std::chrono_literals;

class ApplierClusterTest : public testing::ApplierTest {
 protected:
  ApplierClusterTest() { settings_.cluster = true; }
  int acks() { return broker_.partitions[0].acks; }
};

TEST_F(ApplierClusterTest, RowsAreWrittenBeforeTheRecordAndAckedBehindIt) {
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 0, 1), 2}}));
  broker_.put(0, message(id(100, 0, 1), {{id(200), 3}}));
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:2", "db:t:3"));
  EXPECT_EQ(record(0).id, id(200));
  EXPECT_EQ(redis_.execs, 2) << "of the record alone";
  EXPECT_EQ(acks(), 2);
  EXPECT_EQ(counters_.rows_applied.load(), 3u);
}

TEST_F(ApplierClusterTest, RowsWhoseRecordWasNotWrittenAreWrittenOnceMoreInOrder) {
  broker_.put(0, message({}, {{id(100), 1}, {id(200), 2}}));
  redis_.lose_before_exec = 1;
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:2", "db:t:1", "db:t:2"));
  EXPECT_EQ(record(0).id, id(200));
  EXPECT_EQ(acks(), 1);
  EXPECT_EQ(left(0), 0u);
}

TEST_F(ApplierClusterTest, RowsWhoseRecordWasWrittenAreARepeat) {
  broker_.put(0, message({}, {{id(100), 1}}));
  redis_.lose_after_exec = 1;
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1"));
  EXPECT_EQ(counters_.repeats_skipped.load(), 1u);
  EXPECT_EQ(acks(), 1);
}

TEST_F(ApplierClusterTest, ARecordThatCouldNotBeWrittenIsReadAgain) {
  broker_.put(0, message({}, {{id(100), 1}}));
  redis_.abort_execs = 2;
  run_to_the_end();
  EXPECT_EQ(redis_.written.size(), 3u);
  EXPECT_EQ(record(0).id, id(100));
  EXPECT_EQ(acks(), 1);
}

TEST_F(ApplierClusterTest, AStepThatIsLongInTheMakingIsDoneAllTheSame) {
  broker_.put(0, message({}, {{id(100), 1}}));
  broker_.look_takes = 1500ms;  // between the record's reading and the rows
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1"));
  EXPECT_EQ(record(0).id, id(100));
  EXPECT_EQ(acks(), 1);
}

TEST_F(ApplierClusterTest, ARepeatAndAGapAreWhatTheyAreOnAServerAlone) {
  settings_.rewind = false;
  applied_before(0, id(200));
  broker_.put(0, message(id(50), {{id(100), 1}, {id(200), 2}}));
  broker_.put(0, message(id(300), {{id(400), 3}}));
  broker_.patience = 60s;
  EXPECT_EQ(run_to_an_error().code, Errc::pipeline_gap);
  EXPECT_THAT(redis_.written, IsEmpty());
  EXPECT_EQ(acks(), 1);
}

TEST_F(ApplierClusterTest, ARefusedRowBecomesALetterAndTheOthersStand) {
  redis_.put("db:t:2", "a string");
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}, {id(200), 3}}));
  run_to_the_end();
  EXPECT_THAT(redis_.written, ElementsAre("db:t:1", "db:t:3"));
  ASSERT_EQ(dead_.letters.size(), 1u);
  EXPECT_EQ(dead_.letters.front().id, id(100, 1));
  EXPECT_EQ(record(0).id, id(200));
  EXPECT_EQ(acks(), 1);
}

TEST_F(ApplierClusterTest, WhatStopsAtARefusedRowWritesNoRecord) {
  settings_.on_refused = OnRefused::stop;
  redis_.put("db:t:2", "a string");
  broker_.put(0, message({}, {{id(100), 1}, {id(100, 1), 2}}));
  const Error error = run_to_an_error();
  EXPECT_EQ(error.code, Errc::redis_refused);
  EXPECT_THAT(error.what, HasSubstr("applier.on_refused"));
  EXPECT_EQ(redis_.execs, 0);
  EXPECT_EQ(left(0), 1u);
  redis_.keys.erase("db:t:2");
  run_to_the_end();
  EXPECT_EQ(record(0).id, id(100, 1));
}

TEST_F(ApplierClusterTest, ReplicasHaveTheRowsBeforeTheRecordIsWritten) {
  settings_.wait = {1, false, 1s};
  redis_.replicas = 0;
  broker_.put(0, message({}, {{id(100), 1}}));
  redis_.on_wait = [this] {
    if (redis_.waits == 3) redis_.replicas = 1;
    EXPECT_EQ(redis_.execs, redis_.waits > 3 ? 1 : 0);
    EXPECT_EQ(acks(), 0);
  };
  run_to_the_end();
  EXPECT_EQ(redis_.waits, 4) << "three for the rows, one for the record";
  EXPECT_EQ(acks(), 1);
}

// It stood still between reading the record and sending the rows: others may have gone on.
TEST_F(ApplierClusterTest, ARecordThatWasReadTooLongAgoIsReadAgain) {
  applied_before(0, id(50));
  broker_.put(0, message({}, {{id(10), 7}, {id(50), 7}}));  // a repeat, which leaves its fence
  broker_.put(0, message(id(50), {{id(100), 1}}));
  bool late = false;
  broker_.before_next = [this, &late] {
    if (acks() != 1 || late) return;
    late = true;
    applied_before(0, id(100));  // another applier's
    clock_.go(5s);
  };
  run_to_the_end();
  EXPECT_TRUE(late);
  EXPECT_THAT(redis_.written, IsEmpty());
  EXPECT_EQ(counters_.repeats_skipped.load(), 2u);
}

}  // namespace
}  // namespace sluice::pipeline
