// XA transactions in two phases: rows wait for their XA COMMIT, wherever they wait.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/base/files.h"

#include "pipeline/assembler.h"
#include "unit/pipeline/xa.h"

namespace sluice::pipeline {
namespace {

using testing::AssemblerTest;
using testing::Assembly;
using testing::Binlog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::rows_from;
using testing::SentRow;

class XaOfBothFlavours : public testing::XaTest {};
INSTANTIATE_TEST_SUITE_P(Flavours, XaOfBothFlavours,
                         ::testing::Values(Flavor::mysql, Flavor::mariadb),
                         [](const auto& flavour) {
                           return std::string(flavor_name(flavour.param));
                         });

TEST_P(XaOfBothFlavours, RowsComeAtTheCommitUnderItsName) {
  Binlog binlog(GetParam());
  binlog.version_1 = GetParam() == Flavor::mariadb;
  binlog.begin_xa("a");
  binlog.table_map("t");
  binlog.insert({{1}, {2}});
  binlog.table_map("hidden");
  binlog.insert({{9}}, "hidden");  // not taken, and counted
  binlog.table_map("t");
  binlog.remove({{1}});
  binlog.prepare_xa("a");
  const BinlogPosition prepared = binlog.here();
  const std::string gtid_of_prepare = binlog.last_gtid();
  auto a = played(binlog);
  EXPECT_THAT(a->sink.rows, IsEmpty());
  EXPECT_TRUE((*a)->idle());
  EXPECT_EQ((*a)->resume(), prepared);
  EXPECT_EQ(a->sink.ends.back().gtid, gtid_of_prepare);
  EXPECT_EQ(a->held.count(), 1u);

  binlog.rotate();
  binlog.transaction({{7}});
  binlog.timestamp += 1000;
  const std::uint64_t commit = binlog.end_xa("a");
  a = played(binlog);
  ASSERT_EQ(a->sink.rows.size(), 4u);
  const std::vector<SentRow> rows(a->sink.rows.begin() + 1, a->sink.rows.end());
  EXPECT_EQ(rows[0].id, (EventId{1, 2, commit, 0, 0, 0}));
  EXPECT_EQ(rows[1].id, (EventId{1, 2, commit, 0, 1, 0}));
  EXPECT_EQ(rows[2].id, (EventId{1, 2, commit, 2, 0, 0}));
  EXPECT_EQ(rows[2].kind, ChangeKind::remove);
  for (const SentRow& row : rows) EXPECT_EQ(row.gtid, binlog.last_gtid());
  EXPECT_EQ(a->sink.ends.back().es_ms,
            std::int64_t{binlog.timestamp} * 1000 + (GetParam() == Flavor::mysql ? 250 : 0));
  EXPECT_EQ(a->sink.ends.back().gtid, binlog.last_gtid());
  EXPECT_EQ((*a)->resume(), binlog.here());
  EXPECT_EQ(a->held.count(), 0u);
}

TEST_P(XaOfBothFlavours, RollbackDropsThem) {
  Binlog binlog(GetParam());
  binlog.prepared_xa("a", {{1}});
  binlog.transaction({{2}});
  binlog.end_xa("a", "ROLLBACK");
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), ElementsAre("2"));
  EXPECT_EQ(a->held.count(), 0u);
  EXPECT_EQ((*a)->resume(), binlog.here());
  binlog.end_xa("a");
  EXPECT_EQ(refused(binlog).code, Errc::pipeline_unsupported);
}

TEST_P(XaOfBothFlavours, SeveralAtOnceComeInTheOrderOfTheirCommits) {
  Binlog binlog(GetParam());
  binlog.prepared_xa("a", {{1}});
  binlog.prepared_xa("b", {{2}});
  binlog.transaction({{3}});
  binlog.prepared_xa("c", {{4}});
  binlog.end_xa("c");
  binlog.end_xa("b", "ROLLBACK");
  binlog.prepared_xa("b", {{5}});  // the same name again
  binlog.end_xa("a");
  binlog.end_xa("b");
  EXPECT_THAT(played(binlog)->sink.keys(), ElementsAre("3", "4", "1", "5"));
}

TEST_P(XaOfBothFlavours, AnUnknownOneStopsAtItsCommitAndPassesAtItsRollback) {
  Binlog binlog(GetParam());
  binlog.end_xa("x", "ROLLBACK");
  const auto a = played(binlog);
  EXPECT_TRUE((*a)->idle());
  EXPECT_EQ((*a)->resume(), binlog.here());
  binlog.end_xa("x");
  const Error e = refused(binlog);
  EXPECT_EQ(e.code, Errc::pipeline_unsupported);
  EXPECT_THAT(e.what, HasSubstr("XA COMMIT of X'78',X'',1"));
  EXPECT_THAT(e.what, HasSubstr("sluice position set"));
}

TEST_P(XaOfBothFlavours, OneOfTablesThatAreNotTakenGivesNothing) {
  Binlog binlog(GetParam());
  binlog.prepared_xa("a", {{1}}, "hidden");
  binlog.transaction({{2}});
  const auto first = played(binlog);
  save(*first, binlog);
  const BinlogPosition between = binlog.here();
  const auto second = next_process(binlog);
  binlog.end_xa("a");
  ASSERT_TRUE(second->play(binlog.dump(between)).ok());
  EXPECT_THAT(second->sink.rows, IsEmpty());
  EXPECT_THAT(played(binlog)->sink.keys(), ElementsAre("2"));
  binlog.end_xa("a");  // once
  EXPECT_EQ(refused(binlog).code, Errc::pipeline_unsupported);
}

// Packed, compressed or in the open; held in memory, in a file, or read anew: it is one.
Binlog large_xa(Flavor flavor, bool packed = false) {
  Binlog binlog(flavor);
  binlog.transaction({{-1}});
  if (packed && flavor == Flavor::mysql) {
    binlog.gtid();
    binlog.begin_payload();
    binlog.query("XA START " + Binlog::xid("a"));
  } else {
    binlog.compressed = packed;
    binlog.begin_xa("a");
  }
  for (int i = 0; i < 8; ++i) {
    binlog.table_map(i % 2 == 0 ? "t" : "u");
    binlog.insert(rows_from(i * 10, 10), i % 2 == 0 ? "t" : "u");
    binlog.table_map("hidden");
    binlog.insert({{i}}, "hidden");
  }
  binlog.table_map("t");
  binlog.update({{{0, "a"}, {0, "b"}}, {{1, "c"}, {1000, "c"}}});
  binlog.prepare_xa("a");
  if (packed && flavor == Flavor::mysql) binlog.end_payload();
  binlog.compressed = false;
  return binlog;
}

TEST_P(XaOfBothFlavours, RowsAreTheSameWhereverTheyWaited) {
  for (const bool packed : {false, true}) {
    if (packed && GetParam() == Flavor::mariadb) continue;
    SCOPED_TRACE(packed ? "packed" : "plain");
    Binlog prepared = large_xa(GetParam(), packed);
    Binlog whole = prepared;
    whole.end_xa("a");
    const auto expected = played(whole)->sink.rows;
    ASSERT_EQ(expected.size(), 1u + 80 + 3);
    const BinlogPosition between = prepared.here();
    for (const std::size_t hold : {std::size_t{8} << 20, std::size_t{1000}, std::size_t{64}}) {
      SCOPED_TRACE("limit " + std::to_string(hold));
      settings_.hold_bytes = hold;
      ASSERT_TRUE(HeldXa::remove_all(held_folder(), true).ok());
      EXPECT_EQ(played(whole)->sink.rows, expected) << "in one go";
      // A file above the limit, and in any case once the position is saved behind the PREPARE.
      const auto first = played(prepared);
      EXPECT_EQ(files().empty(), hold > 1000);
      save(*first, prepared);
      EXPECT_EQ(files().size(), 1u);
      // The same process goes on.
      auto rows = first->sink.rows;
      ASSERT_TRUE(first->feed(whole.dump(between)[2]).ok());
      ASSERT_TRUE(first->feed(whole.dump(between)[3]).ok());
      EXPECT_EQ(first->sink.rows, expected);
      // Another one, twice.
      for (int i = 0; i < 2; ++i) {
        const auto second = next_process(prepared);
        ASSERT_TRUE(second->play(whole.dump(between)).ok());
        auto joined = rows;
        joined.insert(joined.end(), second->sink.rows.begin(), second->sink.rows.end());
        EXPECT_EQ(joined, expected);
      }
    }
  }
}

TEST_P(XaOfBothFlavours, MemoryIsLimitedForAllOfThemTogether) {
  settings_.hold_bytes = 1000;
  Binlog binlog(GetParam());
  for (const char* name : {"a", "b", "c", "d"}) binlog.prepared_xa(name, rows_from(1, 20));
  const auto a = played(binlog);
  EXPECT_EQ(files().size(), 3u) << "one of about 900 bytes fits";
  for (const char* name : {"d", "b", "c", "a"}) binlog.end_xa(name);
  EXPECT_EQ(played(binlog)->sink.rows.size(), 80u);
}

TEST_P(XaOfBothFlavours, SentOnesGoToTheSinkInPieces) {
  Binlog binlog(GetParam());
  binlog.begin_xa("a");
  for (int i = 0; i < 100; ++i) {
    binlog.table_map("t");
    binlog.insert(rows_from(i * 100, 100));
  }
  binlog.prepare_xa("a");
  binlog.end_xa("a");
  const auto a = played(binlog);
  EXPECT_EQ(a->sink.rows.size(), 10'000u);
  EXPECT_GT(a->sink.adds, 1);
  EXPECT_EQ(a->sink.ends.back().rows, 10'000u);
}

TEST_P(XaOfBothFlavours, OnePhaseIsACommitHoweverLarge) {
  for (const std::size_t hold : {std::size_t{8} << 20, std::size_t{1000}}) {
    settings_.hold_bytes = hold;
    Binlog binlog(GetParam());
    const std::uint64_t start = binlog.begin_xa("a");
    binlog.table_map("t");
    for (int i = 0; i < 10; ++i) binlog.insert(rows_from(i * 10, 10));
    binlog.query("XA END " + Binlog::xid("a"));
    binlog.xa_prepare(true, "a");
    const auto a = played(binlog);
    ASSERT_EQ(a->sink.rows.size(), 100u);
    EXPECT_EQ(a->sink.rows[99].id, (EventId{1, 1, start, 9, 9, 0}));
    EXPECT_EQ(a->sink.rows[99].gtid, binlog.last_gtid());
    EXPECT_EQ((*a)->resume(), binlog.here());
    EXPECT_EQ(a->held.count(), 0u);
    if (hold == 1000) {
      EXPECT_TRUE(std::filesystem::is_empty(held_folder()));
    }
  }
}

TEST_P(XaOfBothFlavours, ALargeOneThatIsRolledBackOrLostInACrashNeedsNobody) {
  settings_.hold_bytes = 1000;
  for (const bool crash : {false, true}) {
    Binlog binlog(GetParam());
    binlog.begin_xa("a");
    binlog.table_map("t");
    for (int i = 0; i < 10; ++i) binlog.insert(rows_from(i * 10, 10));
    if (crash)
      binlog.crash();
    else
      binlog.query("ROLLBACK");
    binlog.transaction({{1}});
    const auto a = played(binlog);
    EXPECT_THAT(a->sink.keys(), ElementsAre("1"));
    EXPECT_TRUE(std::filesystem::is_empty(held_folder()));
  }
}

TEST_P(XaOfBothFlavours, RollbackToASavepointTakesBackWhatCameAfter) {
  for (const std::size_t hold : {std::size_t{8} << 20, std::size_t{64}}) {
    settings_.hold_bytes = hold;
    Binlog binlog(GetParam());
    binlog.begin_xa("a");
    binlog.query("SAVEPOINT before");
    binlog.table_map("u");
    binlog.insert({{1}}, "u");
    binlog.query("ROLLBACK TO before");
    binlog.table_map("t");
    binlog.insert({{2}});
    binlog.query("SAVEPOINT s");
    binlog.table_map("u");
    binlog.insert(rows_from(100, 50), "u");
    binlog.query("ROLLBACK TO s");
    binlog.table_map("u");
    binlog.insert({{3}}, "u");
    binlog.prepare_xa("a");
    const std::uint64_t commit = binlog.end_xa("a");
    const auto a = played(binlog);
    EXPECT_THAT(a->sink.ids(),
                ElementsAre(EventId{1, 1, commit, 1, 0, 0}, EventId{1, 1, commit, 3, 0, 0}));
    EXPECT_EQ(a->sink.rows[0].table, "shop.t");
    EXPECT_EQ(a->sink.rows[1].table, "shop.u");
  }
}

TEST_P(XaOfBothFlavours, ALostConnectionInsideOneLeavesNothingOfIt) {
  settings_.hold_bytes = 64;
  Binlog binlog = large_xa(GetParam());
  binlog.end_xa("a");
  const auto expected = played(binlog)->sink.rows;
  const auto packets = binlog.dump();
  for (std::size_t cut = 0; cut <= packets.size(); ++cut) {
    auto a = assembly();
    ASSERT_TRUE(
        a->play({packets.begin(), packets.begin() + static_cast<std::ptrdiff_t>(cut)}).ok());
    a->restart();
    ASSERT_TRUE(a->play(binlog.dump((*a)->resume())).ok());
    EXPECT_EQ(a->sink.rows, expected);
  }
}

// A dump cannot begin there: a new connection brings again what was read.
TEST_P(XaOfBothFlavours, WhatComesAgainBeyondFourGiBIsPassedOver) {
  Binlog binlog(GetParam());
  const BinlogPosition far{Binlog::file_name(1), kLargestDumpPosition - 100};
  binlog.skip_to(far.pos);
  binlog.transaction(rows_from(1, 20));
  const auto one_phase = [&](const std::string& name, std::int32_t id) {
    binlog.begin_xa(name);
    binlog.table_map("t");
    binlog.insert({{id}});
    binlog.query("XA END " + Binlog::xid(name));
    binlog.xa_prepare(true, name);
  };
  one_phase("one", 100);
  binlog.prepared_xa("a", {{101}});
  binlog.prepared_xa("b", {{102}});
  binlog.prepared_xa("c", {{103}});
  binlog.end_xa("a");
  binlog.end_xa("b", "ROLLBACK");
  binlog.prepared_xa("b", {{104}});  // and is prepared again
  auto a = assembly();
  a->start(far);
  ASSERT_TRUE(a->play(binlog.dump(far)).ok());
  ASSERT_EQ((*a)->resume(), far);
  const auto rows = a->sink.rows;
  EXPECT_EQ(rows.size(), 22u);
  EXPECT_EQ(a->held.count(), 2u);
  a->restart();
  ASSERT_TRUE(a->play(binlog.dump(far)).ok());
  EXPECT_EQ(a->sink.rows, rows);
  EXPECT_EQ(a->held.count(), 2u);
  for (const char* name : {"b", "c"}) binlog.end_xa(name);
  a->restart();
  ASSERT_TRUE(a->play(binlog.dump(far)).ok());
  EXPECT_EQ(a->sink.keys().size(), 24u);
  EXPECT_EQ(a->sink.keys()[22], "104");
  EXPECT_EQ(a->sink.keys()[23], "103");
  EXPECT_EQ(a->held.count(), 0u);
}

TEST_P(XaOfBothFlavours, RowsAreReadByTheSchemaOfTheirTime) {
  Binlog binlog(GetParam());
  binlog.prepared_xa("a", {{1}});
  const auto a = played(binlog);
  save(*a, binlog);
  const BinlogPosition between = binlog.here();
  const auto later = next_process(binlog);
  for (Assembly* one : {a.get(), later.get()}) {
    one->schemas.second_column = "renamed";
    one->start(between);
  }
  binlog.gtid(Binlog::kStandalone);
  binlog.query("ALTER TABLE t RENAME COLUMN v TO renamed");
  binlog.end_xa("a");
  binlog.transaction({{2}});
  for (Assembly* one : {a.get(), later.get()}) {
    ASSERT_TRUE(one->play(binlog.dump(between)).ok());
    ASSERT_EQ(one->sink.rows.size(), 2u);
    EXPECT_EQ(one->sink.rows[0].last_column, "v");
    EXPECT_EQ(one->sink.rows[1].last_column, "renamed");
  }
}

TEST_P(XaOfBothFlavours, AFilterThatTakesLessMeanwhileLeavesOut) {
  Binlog binlog(GetParam());
  binlog.begin_xa("a");
  for (const char* table : {"t", "u"}) {
    binlog.table_map(table);
    binlog.insert({{1}}, table);
  }
  binlog.prepare_xa("a");
  save(*played(binlog), binlog);
  options_.filter.exclude.set(PatternList{"shop\\.t"});
  const BinlogPosition between = binlog.here();
  const auto a = next_process(binlog);
  binlog.end_xa("a");
  ASSERT_TRUE(a->play(binlog.dump(between)).ok());
  ASSERT_EQ(a->sink.rows.size(), 1u);
  EXPECT_EQ(a->sink.rows[0].table, "shop.u");
  EXPECT_EQ(a->sink.rows[0].id.event, 1u);
}

TEST_P(XaOfBothFlavours, AFilterThatTakesMoreMeanwhileStops) {
  Binlog binlog(GetParam());
  binlog.begin_xa("a");
  for (const char* table : {"t", "hidden"}) {
    binlog.table_map(table);
    binlog.insert({{1}}, table);
  }
  binlog.prepare_xa("a");
  const BinlogPosition between = binlog.here();
  save(*played(binlog), binlog);
  options_.filter.exclude.set(PatternList{"shop\\.other"});
  const auto a = next_process(binlog);
  binlog.end_xa("a");
  const Status s = a->play(binlog.dump(between));
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::pipeline_unsupported);
  EXPECT_THAT(s.error().what, HasSubstr("shop.hidden was not taken by the filter"));
  EXPECT_THAT(s.error().what, HasSubstr("sluice position set"));
}

TEST_P(XaOfBothFlavours, OperationsConditionsAndMasksAreThoseOfTheCommit) {
  auto& rules = options_.tables.add();
  rules.match.set(Pattern("shop\\.t"));
  rules.operations.set({true, true, false});
  rules.when.set(expr::Condition::parse("v <> 'b'").value());
  rules.mask.set({{"v", Mask::Kind::fixed, "masked"}});
  Binlog binlog(GetParam());
  binlog.begin_xa("a");
  binlog.table_map("t");
  binlog.insert({{1, "a"}, {2, "b"}, {3, "c"}});
  binlog.remove({{4, "d"}});
  binlog.prepare_xa("a");
  const Binlog prepared = binlog;
  const std::uint64_t commit = binlog.end_xa("a");
  auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), ElementsAre("1", "3"));
  EXPECT_EQ(a->sink.rows[0].last_value, "masked");
  save(*played(prepared), prepared);
  rules.operations.set({true, true, true});
  rules.when.set(expr::Condition::parse("v <> 'a'").value());
  rules.mask.set({});
  a = next_process(prepared);
  ASSERT_TRUE(a->play(binlog.dump(prepared.here())).ok());
  EXPECT_THAT(a->sink.keys(), ElementsAre("2", "3", "4"));
  EXPECT_EQ(a->sink.rows[0].last_value, "b");
  EXPECT_EQ(a->sink.rows[0].id, (EventId{1, 1, commit, 0, 1, 0}));
  EXPECT_EQ(a->sink.rows[2].id, (EventId{1, 1, commit, 1, 0, 0}));
}

TEST_P(XaOfBothFlavours, ADamagedFileStopsAtTheCommitWithItsPathAndPassesAtTheRollback) {
  Binlog binlog(GetParam());
  binlog.prepared_xa("a", {{1}});
  const BinlogPosition between = binlog.here();
  save(*played(binlog), binlog);
  ASSERT_EQ(files().size(), 1u);
  const std::filesystem::path path = files()[0];
  const std::string good = *read_file(path);
  const Binlog until_now = binlog;
  for (const std::size_t at : {good.size() / 3, good.size() - 1}) {  // a record, the end
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    std::ofstream(path, std::ios::binary) << bad;
    for (const char* verb : {"COMMIT", "ROLLBACK"}) {
      binlog = until_now;
      const auto a = next_process(until_now);
      EXPECT_EQ(a->held.count(), 1u);
      binlog.end_xa("a", verb);
      const Status s = a->play(binlog.dump(between));
      EXPECT_THAT(a->sink.rows, IsEmpty());
      if (std::string(verb) == "ROLLBACK") {
        EXPECT_TRUE(s.ok());
        continue;
      }
      ASSERT_FALSE(s.ok());
      EXPECT_EQ(s.error().code, Errc::position_damaged);
      EXPECT_THAT(s.error().what, HasSubstr(path.string()));
      EXPECT_THAT(s.error().what, HasSubstr("XA COMMIT of X'61',X'',1"));
      EXPECT_THAT(s.error().what, HasSubstr("sluice position set"));
    }
  }
}

TEST_P(XaOfBothFlavours, AStoppedSinkLeavesItHeld) {
  Binlog prepared(GetParam());
  prepared.prepared_xa("a", {{1}});
  Binlog binlog = prepared;
  binlog.end_xa("a");
  auto a = assembly();
  a->sink.full = true;
  const Status s = a->play(binlog.dump());
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::stopped);
  save(*a, prepared);
  const auto next = next_process(prepared);
  ASSERT_TRUE(next->play(binlog.dump(prepared.here())).ok());
  EXPECT_THAT(next->sink.keys(), ElementsAre("1"));
}

TEST_P(XaOfBothFlavours, WhatDoesNotBeginAsOneCannotBePrepared) {
  Binlog binlog(GetParam());
  binlog.begin();
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.xa_prepare(false);
  EXPECT_EQ(refused(binlog).code, Errc::binlog_malformed);
  Binlog outside(GetParam());
  outside.xa_prepare(false);
  EXPECT_EQ(refused(outside).code, Errc::binlog_malformed);
  Binlog inside(GetParam());
  inside.begin();
  inside.table_map("t");
  inside.insert({{1}});
  inside.query("XA START X'61',X'',1");
  EXPECT_EQ(refused(inside).code, Errc::binlog_malformed);
}

TEST_F(AssemblerTest, XaStartWithoutAGtidOpensTheTransaction) {
  Binlog binlog(Flavor::mysql);
  const std::uint64_t start = binlog.pos();
  binlog.query("XA START X'78',X'',1");
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.query("XA END X'78',X'',1");
  binlog.xa_prepare(true);
  binlog.query("XA START X'78',X'',1");
  binlog.table_map("t");
  binlog.insert({{2}});
  binlog.query("XA END X'78',X'',1");
  binlog.xa_prepare(false);
  const std::uint64_t commit = binlog.pos();
  binlog.query("XA COMMIT X'78',X'',1");
  EXPECT_THAT(played(binlog)->sink.ids(),
              ElementsAre(EventId{1, 1, start, 0, 0, 0}, EventId{1, 1, commit, 0, 0, 0}));
}

}  // namespace
}  // namespace sluice::pipeline
