// Rows too large for a message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using testing::AssemblerTest;
using testing::Binlog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TestRow;

class AssemblerOversize : public AssemblerTest {
 protected:
  AssemblerOversize() {
    settings_.message_bytes = 1250;  // 1.2 thousand of it are the message's own
    settings_.oversize = event::Oversize::dead_letter;
    settings_.options = &options_;
  }
  static TestRow large(std::int32_t id) { return {id, std::string(20, '\x01')}; }
};

TEST_F(AssemblerOversize, AreLettersWithPlaceTableAndKeyAndTheOthersAreSent) {
  Binlog binlog(Flavor::mysql);
  const std::uint64_t start = binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1}, large(2), {3}});
  binlog.xid();
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), ElementsAre("1", "3"));
  ASSERT_EQ(a->sink.letters.size(), 1U);
  const RowLetter& row = a->sink.letters[0];
  EXPECT_EQ(row.letter.id, (EventId{1, 1, start, 0, 1, 0}));
  EXPECT_EQ(row.letter.reason, "oversize");
  EXPECT_THAT(row.letter.error, HasSubstr("(1250)"));
  EXPECT_EQ(row.letter.table, "shop.t");
  EXPECT_EQ(row.letter.key, "shop:t:2");
  EXPECT_EQ(row.letter.file, binlog.file());
  EXPECT_EQ(row.letter.pos, start);
  EXPECT_EQ(row.letter.gtid, binlog.last_gtid());
  EXPECT_EQ(row.letter.partition, row.partition);
  EXPECT_TRUE(row.letter.is_row);
  EXPECT_THAT(row.letter.body, HasSubstr(R"("data":[{"id":"2","v":null}])"));
  EXPECT_EQ(a->counters.oversize_rows.load(), 1U);
  EXPECT_EQ(a->counters.rows_read.load(), 3U);
}

TEST_F(AssemblerOversize, ATransactionOfNothingElseIsHandedOver) {
  Binlog binlog(Flavor::mariadb);
  binlog.transaction({large(2)});
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), IsEmpty());
  EXPECT_EQ(a->sink.letters.size(), 1U);
}

TEST_F(AssemblerOversize, WhatIsRolledBackHasNoLetter) {
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.table_map("t");
  binlog.insert({large(1)});
  binlog.query("SAVEPOINT s");
  binlog.table_map("t");
  binlog.insert({large(2)});
  binlog.query("ROLLBACK TO s");
  binlog.xid();
  binlog.begin();
  binlog.table_map("t");
  binlog.insert({large(3)});
  binlog.query("ROLLBACK");
  const auto a = played(binlog);
  ASSERT_EQ(a->sink.letters.size(), 1U);
  EXPECT_EQ(a->sink.letters[0].letter.key, "shop:t:1");
}

TEST_F(AssemblerOversize, ThreadsThatEncodeLeaveThemToTheAssembler) {
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  for (std::int32_t i = 0; i < 40; ++i) {
    binlog.table_map("t");
    binlog.insert({{10 * i}, i % 7 == 0 ? large(10 * i + 1) : TestRow{10 * i + 1}, {10 * i + 2}});
  }
  binlog.xid();
  const auto alone = played(binlog);
  settings_.encode_threads = 2;
  settings_.encode_alone_bytes = 0;
  settings_.encode_job_bytes = 512;
  const auto threads = played(binlog);
  EXPECT_EQ(threads->sink.rows, alone->sink.rows);
  ASSERT_EQ(threads->sink.letters.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(threads->sink.letters[i].letter.id, alone->sink.letters[i].letter.id);
    EXPECT_EQ(threads->sink.letters[i].lines_before, alone->sink.letters[i].lines_before);
  }
  EXPECT_EQ(threads->counters.rows_read.load(), 120U);
}

TEST_F(AssemblerOversize, StopTellsThePlaceToo) {
  settings_.oversize = event::Oversize::stop;
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1}, large(2)});
  const Error error = refused(binlog);
  EXPECT_EQ(error.code, Errc::queue_message);
  EXPECT_THAT(error.what, HasSubstr("shop.t"));
  EXPECT_THAT(error.what, HasSubstr(R"({"id":"2"})"));
}

TEST_F(AssemblerOversize, LeftOutValuesAreCounted) {
  settings_.oversize = event::Oversize::null_column;
  Binlog binlog(Flavor::mysql);
  binlog.transaction({{1}, large(2), {3}, large(4)});
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(a->sink.rows[1].last_value, "");
  EXPECT_THAT(a->sink.letters, IsEmpty());
  EXPECT_EQ(a->counters.values_left_out.load(), 2U);
  EXPECT_EQ(a->counters.oversize_rows.load(), 2U);
}

}  // namespace
}  // namespace sluice::pipeline
