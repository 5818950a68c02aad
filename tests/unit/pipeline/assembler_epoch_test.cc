// Another server goes on where one was left: dumps by GTID, what is known, what was sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using position::OverlapMark;
using testing::Binlog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::rows_from;

class Epochs : public testing::BothFlavours {
 protected:
  // The dump of a server that leaves out the transactions up to `first_sent`, which begins there.
  static std::vector<std::string> dump_behind(const Binlog& binlog, std::uint64_t first_sent) {
    auto packets = binlog.dump();  // ROTATE, FORMAT_DESCRIPTION, ...
    const auto rest =
        binlog.dump({binlog.file(), first_sent});  // ROTATE, FORMAT_DESCRIPTION again, ...
    packets.resize(2);
    packets.insert(packets.end(), rest.begin() + 2, rest.end());
    return packets;
  }
  DumpStart by_gtid() const { return {{}, nullptr, epoch_, true, false}; }
};
INSTANTIATE_TEST_SUITE_P(Flavours, Epochs, ::testing::Values(Flavor::mysql, Flavor::mariadb),
                         [](const auto& f) { return std::string(flavor_name(f.param)); });

TEST_P(Epochs, ADumpByGtidJumpsOverWhatTheServerLeavesOut) {
  epoch_ = std::make_shared<SourceEpoch>(SourceEpoch{2, {}});
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  binlog.transaction({{2}});
  const std::uint64_t third = binlog.transaction({{3}});
  auto a = assembly();
  a->start_dump(by_gtid());
  ASSERT_TRUE(a->play(dump_behind(binlog, third)).ok());
  EXPECT_THAT(a->sink.ids(), ElementsAre(EventId{2, 1, third, 0, 0, 0}));
  EXPECT_EQ((*a)->resume(), binlog.here());
}

TEST_P(Epochs, ADumpFromAPlaceDoesNotJump) {
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  const std::uint64_t second = binlog.transaction({{2}});
  auto a = assembly();
  const Status s = a->play(dump_behind(binlog, second));
  ASSERT_FALSE(s.ok());
  EXPECT_THAT(s.error().what, HasSubstr("events are missing in the stream"));
}

TEST_P(Epochs, TransactionsReadFromTheServerBeforeArePassedOver) {
  epoch_ = std::make_shared<SourceEpoch>(SourceEpoch{2, {}});
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  const std::string known = binlog.last_gtid();
  binlog.gtid(Binlog::kStandalone);
  binlog.query("TRUNCATE TABLE t");  // known as well: nothing is said of it
  const std::string last_known = binlog.last_gtid();
  const std::uint64_t third = binlog.transaction({{3}});
  auto a = assembly();
  for (const std::string& gtid : {known, last_known}) {
    auto set = GtidSet::parse(GetParam(), gtid);
    ASSERT_TRUE(set.ok());
    if (a->sink.read.empty()) a->sink.read = *set;
    a->sink.read.add(*set);
  }
  ASSERT_TRUE(a->play(binlog.dump()).ok());
  EXPECT_THAT(a->sink.ids(), ElementsAre(EventId{2, 1, third, 0, 0, 0}));
  // Their places count, their GTIDs were counted before.
  ASSERT_GE(a->sink.ends.size(), 3u);
  EXPECT_EQ(a->sink.ends[a->sink.ends.size() - 2].gtid, "");
  EXPECT_EQ(a->sink.ends.back().gtid, binlog.last_gtid());
}

TEST_P(Epochs, XaTransactionsPreparedBeforeEndOnTheNewServer) {
  const auto prepare = [&](Binlog& binlog) {
    binlog.prepared_xa("a", {{1}});
    binlog.prepared_xa("b", {{2}});
    binlog.end_xa("b");
    binlog.prepared_xa("c", {{3}});
  };
  Binlog before(GetParam());
  prepare(before);
  const auto a = played(before);
  auto read = GtidSet::parse(GetParam(), GetParam() == Flavor::mysql
                                             ? "11111111-1111-1111-1111-111111111111:1-4"
                                             : before.last_gtid());
  ASSERT_TRUE(read.ok());
  a->sink.read = *read;

  epoch_ = std::make_shared<SourceEpoch>(SourceEpoch{2, {}});
  Binlog after(GetParam());
  after.add(binlog::EventType::ignorable, "other places");
  prepare(after);
  const std::uint64_t commit = after.end_xa("a");
  after.end_xa("c", "ROLLBACK");
  a->start_dump(by_gtid());
  const Status s = a->play(after.dump());
  ASSERT_TRUE(s.ok()) << to_string(s.error());
  ASSERT_THAT(a->sink.keys(), ElementsAre("2", "1"));
  EXPECT_EQ(a->sink.rows[0].id.epoch, 1u);
  EXPECT_EQ(a->sink.rows[1].id, (EventId{2, 1, commit, 0, 0, 0}));
  EXPECT_EQ(a->held.count(), 0u);
}

TEST_P(Epochs, InTheFirstEpochNothingIsKnown) {
  Binlog binlog(GetParam());
  binlog.transaction({{1}});
  auto a = assembly();
  auto set = GtidSet::parse(GetParam(), binlog.last_gtid());
  ASSERT_TRUE(set.ok());
  a->sink.read = *set;
  ASSERT_TRUE(a->play(binlog.dump()).ok());
  EXPECT_EQ(a->sink.rows.size(), 1u);
}

TEST(MariadbEpochs, ADomainThatBroughtSomethingNewIsInTheOrderOfTheBinlog) {
  testing::RecordingSink sink;
  Options options;
  options.filter.include.set(PatternList{"shop\\..*"});
  const TableFilter filter(options);
  testing::FakeClock clock;
  AssemblerSettings settings;
  settings.partitions = 4;
  const sluice::testing::TempFolder folder;
  testing::Assembly a(settings, filter, clock, folder.path() / "xa");
  Binlog binlog(Flavor::mariadb);
  binlog.transaction({{1}});  // 0-7-1
  binlog.transaction({{2}});
  auto set = GtidSet::parse(Flavor::mariadb, "0-9-1");
  ASSERT_TRUE(set.ok());
  a.sink.read = *set;
  a.start_dump({{Binlog::file_name(1), 4},
                nullptr,
                std::make_shared<SourceEpoch>(SourceEpoch{2, {}}),
                false,
                false});
  ASSERT_TRUE(a.play(binlog.dump()).ok());
  a.sink.read = *GtidSet::parse(Flavor::mariadb, "0-9-1000");
  binlog.transaction({{3}});
  const auto packets = binlog.dump();
  for (std::size_t i = packets.size() - 4; i < packets.size(); ++i)
    ASSERT_TRUE(a.feed(packets[i]).ok());
  EXPECT_THAT(a.sink.keys(), ElementsAre("2", "3"));
}

TEST_P(Epochs, RowsThatWereSentAreDroppedByTheirNumberInThePartition) {
  settings_.partitions = 2;
  Binlog binlog(GetParam());
  binlog.transaction(rows_from(1, 10));
  const std::string first = binlog.last_gtid();
  binlog.transaction(rows_from(20, 10));
  auto all = played(binlog);
  std::vector<EventId> left, expected[2];
  for (const auto& row : all->sink.rows) expected[row.partition].push_back(row.id);
  ASSERT_GT(expected[0].size(), 4u);
  // Partition 0: all of the first transaction and two rows of the second; partition 1: one of the
  // first.
  std::size_t of_first = 0;
  for (const auto& row : all->sink.rows)
    if (row.partition == 0 && row.gtid == first) ++of_first;
  auto a = assembly();
  a->sink.every_row = false;
  (*a)->set_overlap(Overlap({OverlapMark{binlog.last_gtid(), 2}, OverlapMark{first, 1}}));
  ASSERT_TRUE(a->play(binlog.dump()).ok());
  std::vector<EventId> got[2];
  for (const auto& row : a->sink.rows) got[row.partition].push_back(row.id);
  expected[0].erase(expected[0].begin(),
                    expected[0].begin() + static_cast<std::ptrdiff_t>(of_first + 2));
  expected[1].erase(expected[1].begin());
  EXPECT_EQ(got[0], expected[0]);
  EXPECT_EQ(got[1], expected[1]);
}

TEST_P(Epochs, AStreamedTransactionThatIsReadAnewInTheMiddleOfAnOverlapLosesNothing) {
  settings_.partitions = 1;
  settings_.hold_bytes = 600;
  Binlog binlog(GetParam());
  binlog.begin();
  binlog.table_map("t");
  for (int i = 0; i < 20; ++i) binlog.insert(rows_from(i * 10, 10));
  binlog.xid();
  auto a = assembly();
  a->sink.every_row = false;
  (*a)->set_overlap(Overlap({OverlapMark{binlog.last_gtid(), 35}}));
  const auto packets = binlog.dump();
  for (std::size_t i = 0; i < packets.size() * 2 / 3; ++i) ASSERT_TRUE(a->feed(packets[i]).ok());
  ASSERT_GT(a->sink.adds, 0);
  a->restart();
  ASSERT_TRUE(a->play(binlog.dump((*a)->resume())).ok());
  ASSERT_EQ(a->sink.rows.size(), 200u - 35u);
  EXPECT_EQ(a->sink.rows.front().key, "35");
}

TEST_P(Epochs, ATentativeStartTellsTheSinkNothing) {
  epoch_ = std::make_shared<SourceEpoch>(SourceEpoch{2, {}});
  Binlog binlog(GetParam());
  auto a = assembly();
  a->start_dump({{}, nullptr, epoch_, true, true});
  ASSERT_TRUE(a->play(binlog.dump()).ok());
  EXPECT_THAT(a->sink.ends, IsEmpty());
  EXPECT_EQ((*a)->resume(), binlog.here());
  EXPECT_EQ((*a)->file()->epoch_number(), 2u);
  (*a)->accept();
  binlog.transaction({{1}});
  const auto packets = binlog.dump();
  for (std::size_t i = 2; i < packets.size(); ++i) ASSERT_TRUE(a->feed(packets[i]).ok());
  EXPECT_EQ(a->sink.ends.size(), 1u);
}

}  // namespace
}  // namespace sluice::pipeline
