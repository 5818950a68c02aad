#include "pipeline/assembler.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using testing::AssemblerTest;
using testing::Binlog;
using ::testing::ElementsAre;
using testing::EventType;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::rows_from;
using testing::SentRow;

class EventsOfBothFlavours : public testing::BothFlavours {};
INSTANTIATE_TEST_SUITE_P(Flavours, EventsOfBothFlavours,
                         ::testing::Values(Flavor::mysql, Flavor::mariadb),
                         [](const auto& flavour) {
                           return std::string(flavor_name(flavour.param));
                         });

TEST_P(EventsOfBothFlavours, NamesRowsByFilePositionOfTheGtidOrdinalAndIndex) {
  Binlog binlog(GetParam());
  binlog.version_1 = GetParam() == Flavor::mariadb;
  epoch_ = std::make_shared<SourceEpoch>(SourceEpoch{3, {}});
  const std::uint64_t start = binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1}, {2}});
  binlog.table_map("hidden");
  binlog.insert({{9}}, "hidden");  // not taken, and counted
  binlog.table_map("t");
  binlog.remove({{1}});
  binlog.xid();
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.ids(),
              ElementsAre(EventId{3, 1, start, 0, 0, 0}, EventId{3, 1, start, 0, 1, 0},
                          EventId{3, 1, start, 2, 0, 0}));
  EXPECT_EQ(a->sink.rows[0].gtid, binlog.last_gtid());
  EXPECT_EQ(a->sink.rows[2].kind, ChangeKind::remove);
  EXPECT_EQ(a->sink.ends.back().pos, binlog.pos());
  EXPECT_EQ(a->sink.ends.back().gtid, binlog.last_gtid());
  EXPECT_EQ((*a)->resume(), binlog.here());
}

TEST_P(EventsOfBothFlavours, CountsTransactionsByTheFileTheyAreIn) {
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  binlog.rotate();
  binlog.previous_gtids();
  const std::uint64_t second = binlog.transaction({{2}});
  const auto a = played(binlog);
  ASSERT_EQ(a->sink.rows.size(), 2u);
  EXPECT_EQ(a->sink.rows[1].id, (EventId{1, 2, second, 0, 0, 0}));
}

TEST_F(AssemblerTest, NamesAnonymousTransactionsAndThoseWithoutAnyHeadByTheirFirstEvent) {
  Binlog binlog(Flavor::mysql);
  const std::uint64_t first = binlog.anonymous();
  binlog.query("BEGIN");
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.xid();
  const std::uint64_t second = binlog.pos();
  binlog.query("BEGIN");
  binlog.table_map("t");
  binlog.insert({{2}});
  binlog.query("COMMIT");
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.ids(),
              ElementsAre(EventId{1, 1, first, 0, 0, 0}, EventId{1, 1, second, 0, 0, 0}));
  EXPECT_EQ(a->sink.rows[0].gtid, "");
  EXPECT_EQ(a->sink.ends.back().gtid, "");
}

TEST_P(EventsOfBothFlavours, HoldsRowsUntilTheCommit) {
  Binlog binlog(GetParam());
  binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1}});
  auto a = assembly();
  ASSERT_TRUE(a->play(binlog.dump()).ok());
  EXPECT_THAT(a->sink.rows, IsEmpty());
  EXPECT_FALSE((*a)->idle());
  const BinlogPosition before = (*a)->resume();
  binlog.xid();
  ASSERT_TRUE(a->feed(binlog.dump().back()).ok());
  EXPECT_EQ(a->sink.rows.size(), 1u);
  EXPECT_TRUE((*a)->idle());
  EXPECT_NE((*a)->resume(), before);
}

TEST_P(EventsOfBothFlavours, GivesNothingOfARolledBackTransactionButItsPlaceAndGtid) {
  Binlog binlog(GetParam());
  binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.query("ROLLBACK");
  const std::string rolled_back = binlog.last_gtid();
  const std::uint64_t end = binlog.pos();
  binlog.transaction({{2}});
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), ElementsAre("2"));
  ASSERT_GE(a->sink.ends.size(), 2u);
  const auto& of_rollback = a->sink.ends[a->sink.ends.size() - 2];
  EXPECT_EQ(of_rollback.pos, end);
  EXPECT_EQ(of_rollback.gtid, rolled_back) << "executed, though empty";
}

TEST_P(EventsOfBothFlavours, RollbackToSavepointDropsOnlyWhatCameAfter) {
  Binlog binlog(GetParam());
  const std::uint64_t start = binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.query("SAVEPOINT `a`");
  binlog.table_map("t");
  binlog.insert({{2}, {3}, {4}, {5}, {6}});
  binlog.query("SAVEPOINT `b`");
  binlog.table_map("t");
  binlog.insert({{7}});
  binlog.query("ROLLBACK TO `a`");
  binlog.table_map("t");
  binlog.insert({{8}});
  binlog.xid();
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), ElementsAre("1", "8"));
  EXPECT_EQ(a->sink.rows[1].id, (EventId{1, 1, start, 3, 0, 0})) << "what was dropped is counted";
}

TEST_F(AssemblerTest, RollbackToTheSameSavepointTwiceAndToOneSetAnew) {
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.query("SAVEPOINT s");
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.query("ROLLBACK TO SAVEPOINT s");
  binlog.table_map("t");
  binlog.insert({{2}});
  binlog.query("SAVEPOINT s");  // takes the place of the first
  binlog.table_map("t");
  binlog.insert({{3}});
  binlog.query("ROLLBACK TO s");
  binlog.xid();
  EXPECT_THAT(played(binlog)->sink.keys(), ElementsAre("2"));
}

TEST_F(AssemblerTest, SavepointNamesAreComparedWithoutRegardToCase) {
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.query("SAVEPOINT `Step`");
  binlog.table_map("t");
  binlog.insert({{2}});
  binlog.query("ROLLBACK TO `sTEP`");
  binlog.xid();
  EXPECT_THAT(played(binlog)->sink.keys(), ElementsAre("1"));
}

TEST_F(AssemblerTest, RollbackToASavepointNobodySetIsAnError) {
  Binlog binlog(Flavor::mysql);
  binlog.begin();
  binlog.query("ROLLBACK TO `a`");
  EXPECT_EQ(refused(binlog).code, Errc::binlog_malformed);
}

// ---- Partitions ----

std::map<std::string, std::uint32_t> partitions_of_inserts(const testing::RecordingSink& sink) {
  std::map<std::string, std::uint32_t> out;
  for (const SentRow& r : sink.rows)
    if (r.kind == ChangeKind::insert && r.id.half == 0) out[r.key] = r.partition;
  return out;
}

TEST_P(EventsOfBothFlavours, AKeyChangeIsADeleteAndAnInsertInThePartitionsOfBothKeys) {
  Binlog binlog(GetParam());
  binlog.transaction({{1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}});
  binlog.begin();
  binlog.table_map("t");
  binlog.update({{{1}, {1, "y"}}, {{2}, {8}}, {{3}, {3, std::nullopt}}, {{4}, {5}}});
  binlog.xid();
  const auto a = played(binlog);
  const auto partitions = partitions_of_inserts(a->sink);
  EXPECT_GT(
      (std::set<std::uint32_t>{partitions.at("1"), partitions.at("2"), partitions.at("8")}).size(),
      1u)
      << "the keys of this test spread";
  ASSERT_EQ(a->sink.rows.size(), 8u + 6u);
  const std::vector<SentRow> changes(a->sink.rows.begin() + 8, a->sink.rows.end());
  const auto expect = [&](std::size_t at, std::uint64_t row, std::uint8_t half, ChangeKind kind,
                          const std::string& key) {
    EXPECT_EQ(changes[at].id.row, row);
    EXPECT_EQ(changes[at].id.half, half);
    EXPECT_EQ(changes[at].kind, kind);
    EXPECT_EQ(changes[at].key, key);
    EXPECT_EQ(changes[at].partition, partitions.at(key)) << key;
  };
  expect(0, 0, 0, ChangeKind::update, "1");
  expect(1, 1, 0, ChangeKind::remove, "2");
  expect(2, 1, 1, ChangeKind::insert, "8");
  expect(3, 2, 0, ChangeKind::update, "3");
  expect(4, 3, 0, ChangeKind::remove, "4");
  expect(5, 3, 1, ChangeKind::insert, "5");
}

TEST_F(AssemblerTest, ATableOfOnePartitionKeepsItsUpdatesWhole) {
  auto& rule = options_.tables.add();
  rule.match.set(Pattern("shop\\.t"));
  rule.single_partition.set(true);
  Binlog binlog(Flavor::mysql);
  binlog.transaction(rows_from(1, 20));
  binlog.begin();
  binlog.table_map("t");
  binlog.update({{{1}, {99}}});
  binlog.xid();
  const auto a = played(binlog);
  ASSERT_EQ(a->sink.rows.size(), 21u);
  for (const SentRow& r : a->sink.rows) EXPECT_EQ(r.partition, a->sink.rows[0].partition);
  EXPECT_EQ(a->sink.rows.back().kind, ChangeKind::update);
}

TEST_F(AssemblerTest, AColumnRuleSendsEqualValuesOneWayAndAChangeOfItIsAKeyChange) {
  auto& rule = options_.tables.add();
  rule.match.set(Pattern("shop\\.t"));
  rule.partition_by.set({"v"});
  Binlog binlog(Flavor::mysql);
  binlog.transaction({{1, "a"}, {2, "a"}, {3, "a"}});
  binlog.begin();
  binlog.table_map("t");
  binlog.update({{{1, "a"}, {1, "b"}}, {{2, "a"}, {7, "a"}}});
  binlog.xid();
  const auto a = played(binlog);
  ASSERT_EQ(a->sink.rows.size(), 6u);
  EXPECT_EQ(a->sink.rows[1].partition, a->sink.rows[0].partition);
  EXPECT_EQ(a->sink.rows[3].kind, ChangeKind::remove);
  EXPECT_EQ(a->sink.rows[4].kind, ChangeKind::insert);
  EXPECT_EQ(a->sink.rows[4].id.half, 1);
  EXPECT_EQ(a->sink.rows[5].kind, ChangeKind::update) << "the primary key is not what partitions";
}

TEST_F(AssemblerTest, ATableOutsideTheFilterIsNotEvenLookedUp) {
  Binlog binlog(Flavor::mysql);
  binlog.transaction({{1}}, "hidden");
  binlog.transaction({{1}}, "t", "other");
  binlog.transaction({{1}}, "user", "mysql");
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.rows, IsEmpty());
  EXPECT_EQ(a->schemas.reads, 0);
  EXPECT_EQ((*a)->resume(), binlog.here()) << "transactions without rows move the position";
}

// ---- Positions ----

TEST_P(EventsOfBothFlavours, ALogPosThatIsNotTheCountedOneIsAnError) {
  for (const std::int64_t error : {-1, 1, 100}) {
    Binlog binlog(GetParam());
    binlog.transaction({{1}});
    binlog.begin();
    binlog.add(EventType::xid, std::string(8, '\0'), {.log_pos_error = error});
    const Error e = refused(binlog);
    EXPECT_EQ(e.code, Errc::binlog_malformed);
    EXPECT_THAT(e.what, HasSubstr("events are missing"));
  }
}

TEST_F(AssemblerTest, EventsWithoutLogPosInsideATransactionAreCounted) {
  Binlog binlog(Flavor::mariadb);
  binlog.begin();
  binlog.how.log_pos = false;
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.how.log_pos = true;
  binlog.xid();  // tells its place again
  const auto a = played(binlog);
  EXPECT_EQ(a->sink.ends.back().pos, binlog.pos());
}

TEST_P(EventsOfBothFlavours, PositionsBeyondFourGiBAreCountedThoughLogPosWraps) {
  Binlog binlog(GetParam());
  const std::uint64_t far = (std::uint64_t{1} << 32) - 30;
  binlog.skip_to(far);
  const std::uint64_t first = binlog.transaction({{1}});
  const std::uint64_t second = binlog.transaction({{2}});
  ASSERT_EQ(first, far);
  ASSERT_GT(second, std::uint64_t{1} << 32);
  auto a = assembly();
  a->start({Binlog::file_name(1), far});
  ASSERT_TRUE(a->play(binlog.dump({Binlog::file_name(1), far})).ok());
  ASSERT_EQ(a->sink.rows.size(), 2u);
  EXPECT_EQ(a->sink.rows[0].id.pos, first);
  EXPECT_EQ(a->sink.rows[1].id.pos, second);
}

// COM_BINLOG_DUMP takes 32 bits.
TEST_P(EventsOfBothFlavours, ADumpNeverGoesOnBeyondFourGiB) {
  Binlog binlog(GetParam());
  const BinlogPosition far{Binlog::file_name(1), (std::uint64_t{1} << 32) - 500};
  binlog.skip_to(far.pos);
  binlog.transaction({{1}});
  const BinlogPosition last = binlog.here();  // the last place below
  ASSERT_LE(last.pos, kLargestDumpPosition);
  binlog.transaction(rows_from(2, 30));
  ASSERT_GT(binlog.pos(), kLargestDumpPosition);
  binlog.transaction({{100}});
  auto a = assembly();
  a->start(far);
  ASSERT_TRUE(a->play(binlog.dump(far)).ok());
  EXPECT_EQ(a->sink.rows.size(), 32u);
  EXPECT_EQ((*a)->resume(), last);
  EXPECT_EQ((*a)->here(), binlog.here());

  // A new connection brings both again: their rows are with the sink.
  binlog.transaction({{101}});
  a->restart();
  ASSERT_TRUE(a->play(binlog.dump(last)).ok());
  EXPECT_EQ(a->sink.rows.size(), 33u);
  EXPECT_EQ(a->sink.rows.back().key, "101");
  EXPECT_EQ((*a)->resume(), last);
  binlog.rotate();
  const auto packets = binlog.dump({Binlog::file_name(1), last.pos});
  a->restart();
  ASSERT_TRUE(a->play(packets).ok());
  EXPECT_EQ(a->sink.rows.size(), 33u);
  EXPECT_EQ((*a)->resume(), binlog.here()) << "the next file";
}

TEST_P(EventsOfBothFlavours, HeartbeatsAndMadeUpEventsDoNotMoveThePosition) {
  Binlog binlog(GetParam());
  binlog.begin();
  auto a = assembly();
  ASSERT_TRUE(a->play(binlog.dump()).ok());
  const BinlogPosition here = (*a)->here(), resume = (*a)->resume();
  const std::size_t ends = a->sink.ends.size();
  ASSERT_TRUE(a->feed(Binlog::heartbeat(1, binlog.pos() + 1000)).ok());
  ASSERT_TRUE(a->feed(Binlog::artificial_rotate(1, binlog.pos())).ok());
  ASSERT_TRUE(a->feed(binlog::testing::make_event({.type = EventType::gtid_list,
                                                   .body = std::string(4, '\0'),
                                                   .log_pos = 0,
                                                   .flags = binlog::EventHeader::kFlagArtificial}))
                  .ok());
  EXPECT_EQ((*a)->here(), here);
  EXPECT_EQ((*a)->resume(), resume);
  EXPECT_EQ(a->sink.ends.size(), ends);
  binlog.xid();
  EXPECT_TRUE(a->feed(binlog.dump().back()).ok()) << "and the count goes on";
}

TEST_P(EventsOfBothFlavours, TheResumePointEntersTheNextFileOnlyWithItsFormatDescription) {
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  const BinlogPosition end_of_first = binlog.here();
  binlog.rotate();
  auto a = assembly();
  const auto packets = binlog.dump();
  for (const std::string& p : packets) {
    ASSERT_TRUE(a->feed(p).ok());
    if ((*a)->here().file == Binlog::file_name(2) && &p != &packets.back()) {
      EXPECT_EQ((*a)->resume(), end_of_first);
    }
  }
  EXPECT_EQ((*a)->resume(), binlog.here());
  EXPECT_EQ((*a)->resume_file()->number, 2u);
  EXPECT_NE((*a)->resume_file()->fingerprint, 0u);
}

TEST_P(EventsOfBothFlavours, AFileThatEndsInsideATransactionDropsIt) {
  Binlog binlog(GetParam());
  binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.crash();
  const std::uint64_t next = binlog.transaction({{2}});
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.ids(), ElementsAre(EventId{1, 2, next, 0, 0, 0}));
}

TEST_P(EventsOfBothFlavours, AFileThatEndsInsideAStreamedTransactionStops) {
  Binlog binlog(GetParam());
  binlog.begin();
  binlog.table_map("t");
  binlog.insert(rows_from(1, 100));
  binlog.crash();
  settings_.hold_bytes = 1000;
  EXPECT_EQ(refused(binlog).code, Errc::pipeline_unsupported);
}

TEST_P(EventsOfBothFlavours, TheHeadOfAFileSaysWhatWasExecutedBefore) {
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  binlog.rotate();
  binlog.previous_gtids();
  const auto a = played(binlog);
  EXPECT_TRUE(a->sink.ends.back().also);
  EXPECT_EQ((*a)->resume(), binlog.here());
}

TEST_F(AssemblerTest, TheGtidListOfTheOtherFlavourIsAnError) {
  Binlog binlog(Flavor::mariadb);
  binlog.add(EventType::previous_gtids, std::string(8, '\0'));
  EXPECT_EQ(refused(binlog).code, Errc::binlog_malformed);
}

TEST_P(EventsOfBothFlavours, AnotherFileUnderTheSameNameIsAnotherHistory) {
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  auto a = played(binlog);
  ASSERT_NE((*a)->resume_file(), nullptr);
  a->restart();
  EXPECT_TRUE(a->play(binlog.dump((*a)->resume())).ok()) << "the same file";
  auto other = std::make_shared<SourceFile>(*(*a)->resume_file());
  other->fingerprint ^= 1;
  a->start((*a)->resume(), other);
  const Status s = a->play(binlog.dump((*a)->resume()));
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::fatal);
  EXPECT_EQ(s.error().code, Errc::mysql_identity);
}

TEST_P(EventsOfBothFlavours, AFileBehindOneWithoutItsEndIsAnotherHistoryUnlessTheServerStarted) {
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  binlog.crash();
  binlog.transaction({{2}});
  EXPECT_TRUE(played(binlog)) << "the server was started again";
  binlog.begin_file(3);  // RESET, and FLUSH before the dump looked
  EXPECT_EQ(refused(binlog).code, Errc::mysql_identity);
}

TEST_P(EventsOfBothFlavours, AFirstStartInsideAFileLearnsWhichFileItIs) {
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  const BinlogPosition from = binlog.here();
  binlog.transaction({{2}});
  auto a = assembly();
  a->start(from);
  const auto packets = binlog.dump(from);
  ASSERT_TRUE(a->feed(packets[0]).ok());
  ASSERT_TRUE(a->feed(packets[1]).ok());
  ASSERT_EQ(a->sink.ends.size(), 1u);
  EXPECT_EQ(a->sink.ends[0].pos, from.pos);
  ASSERT_NE((*a)->resume_file(), nullptr);
  EXPECT_NE((*a)->resume_file()->fingerprint, 0u);
  ASSERT_TRUE(a->play({packets.begin() + 2, packets.end()}).ok());
  EXPECT_THAT(a->sink.keys(), ElementsAre("2"));
}

}  // namespace
}  // namespace sluice::pipeline
