// Events that hold others: what comes of them is what comes of the same events in the open.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/assembler.h"
#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using binlog::EventType;
using testing::AssemblerTest;
using testing::Binlog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::rows_from;
using testing::TestRow;

class PackedTransactions : public AssemblerTest {
 protected:
  using Write = std::function<void(Binlog&)>;
  // GTID, and the rest in a payload or not.
  static std::uint64_t transaction(Binlog& binlog, bool packed, const Write& write) {
    const std::uint64_t start = binlog.gtid();
    if (packed) binlog.begin_payload();
    write(binlog);
    if (packed) binlog.end_payload();
    return start;
  }
  static Binlog with(bool packed, const Write& write) {
    Binlog binlog(Flavor::mysql);
    transaction(binlog, packed, write);
    return binlog;
  }
};

void several_statements(Binlog& binlog) {
  binlog.query("BEGIN");
  for (int i = 0; i < 8; ++i) {
    binlog.add(EventType::rows_query, "?insert ...");
    binlog.table_map("t");
    binlog.insert(rows_from(i * 10, 10));
    binlog.table_map("hidden");
    binlog.insert({{i}}, "hidden");
  }
  binlog.table_map("t");
  binlog.update({{{0, "a"}, {0, "b"}}, {{1, "c"}, {1000, "c"}}});
  binlog.remove({{2}});
  binlog.xid();
}

// Its GTID stands at the same place, so the ids are the same to the last number.
TEST_F(PackedTransactions, GiveTheRowsAndIdsOfPlainOnes) {
  const auto plain = played(with(false, several_statements));
  const Binlog packed = with(true, several_statements);
  const auto a = played(packed);
  EXPECT_EQ(a->sink.rows, plain->sink.rows);
  EXPECT_EQ(a->sink.rows.size(), 84U);
  ASSERT_EQ(a->sink.ends.size(), plain->sink.ends.size());
  EXPECT_EQ(a->sink.ends.back().gtid, packed.last_gtid());
}

TEST_F(PackedTransactions, CountTheRowsEventsInsideFilteredOnesToo) {
  const Binlog binlog = with(true, [](Binlog& b) {
    b.query("BEGIN");
    b.table_map("hidden");
    b.insert({{1}}, "hidden");
    b.table_map("t");
    b.insert({{2}});
    b.insert({{3}});
    b.xid();
  });
  const auto a = played(binlog);
  ASSERT_EQ(a->sink.rows.size(), 2U);
  EXPECT_EQ(a->sink.rows[0].id.event, 1U);
  EXPECT_EQ(a->sink.rows[1].id.event, 2U);
}

TEST_F(PackedTransactions, EndBehindThePayload) {
  Binlog binlog = with(true, several_statements);
  const BinlogPosition first = binlog.here();
  const auto a = played(binlog);
  EXPECT_EQ((*a)->resume(), first);
  EXPECT_EQ(a->sink.ends.back().pos, first.pos);
  EXPECT_TRUE((*a)->idle());
  // The dump goes on there.
  const std::uint64_t start = transaction(binlog, true, several_statements);
  EXPECT_EQ(start, first.pos);
  a->restart();
  ASSERT_TRUE(a->play(binlog.dump(first)).ok());
  EXPECT_EQ((*a)->resume(), binlog.here());
  EXPECT_EQ(a->sink.rows.size(), 168U);
  EXPECT_EQ(a->sink.rows.back().id.pos, start);
}

TEST_F(PackedTransactions, ThatAreTooLargeToHoldAreStreamedUnderTheSameIds) {
  const Binlog binlog = with(true, several_statements);
  const auto held = played(binlog);
  EXPECT_EQ(held->sink.adds, 1);
  settings_.hold_bytes = 3000;
  const auto streamed = played(binlog);
  EXPECT_GT(streamed->sink.adds, 1);
  EXPECT_EQ(streamed->sink.rows, held->sink.rows);
  EXPECT_EQ(streamed->sink.ends.size(), held->sink.ends.size());
}

TEST_F(PackedTransactions, ShareTheirTableMapsWithTheRest) {
  Binlog binlog = with(true, several_statements);
  binlog.transaction({{7}});
  transaction(binlog, true, several_statements);
  const auto a = played(binlog);
  EXPECT_EQ(a->sink.rows.size(), 84U + 1 + 84);
  EXPECT_EQ(a->schemas.reads, 1);
}

TEST_F(PackedTransactions, ThatAreRolledBackGiveNothingAndAreReadToTheirEnd) {
  const Binlog binlog = with(true, [](Binlog& b) {
    b.query("BEGIN");
    b.table_map("t");
    b.insert({{1}});
    b.query("ROLLBACK");
  });
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.rows, IsEmpty());
  EXPECT_EQ((*a)->resume(), binlog.here());
}

TEST_F(PackedTransactions, WithEventsBehindTheirEndAreRefused) {
  const Error e = refused(with(true, [](Binlog& b) {
    b.query("BEGIN");
    b.table_map("t");
    b.insert({{1}});
    b.xid();
    b.query("BEGIN");
  }));
  EXPECT_EQ(e.code, Errc::binlog_malformed);
  EXPECT_THAT(e.what, HasSubstr("QUERY in a TRANSACTION_PAYLOAD behind the transaction's end"));
}

TEST_F(PackedTransactions, AboveTheLimitAreRefused) {
  settings_.inflated_bytes = 500;
  const Error e = refused(with(true, several_statements));
  EXPECT_EQ(e.code, Errc::binlog_unsupported);
  EXPECT_THAT(e.what, HasSubstr("limits.inflated_transaction"));
  settings_.inflated_bytes = 0;
  EXPECT_EQ(played(with(true, several_statements))->sink.rows.size(), 84U);
}

Binlog of_mariadb(bool compressed) {
  Binlog binlog(Flavor::mariadb);
  binlog.version_1 = true;
  binlog.compressed = compressed;
  binlog.gtid(Binlog::kStandalone);
  binlog.query("CREATE TABLE `t` (`id` int NOT NULL, `v` varchar(20))");
  binlog.begin();
  binlog.table_map("t");
  binlog.insert(rows_from(1, 50));
  binlog.table_map("hidden");
  binlog.insert({{1}}, "hidden");
  binlog.table_map("t");
  binlog.update({{{1, "a"}, {1, "b"}}, {{2, "c"}, {1000, "c"}}});
  binlog.remove({{3}});
  binlog.query("COMMIT");
  return binlog;
}

TEST_F(AssemblerTest, CompressedEventsOfMariadbGiveWhatPlainOnesGive) {
  const auto plain = played(of_mariadb(false));
  const Binlog compressed = of_mariadb(true);
  const auto a = played(compressed);
  EXPECT_EQ(a->sink.keys(), plain->sink.keys());
  ASSERT_EQ(a->sink.rows.size(), 54U);
  for (std::size_t i = 0; i < 54; ++i) {
    EXPECT_EQ(a->sink.rows[i].id.event, plain->sink.rows[i].id.event);
    EXPECT_EQ(a->sink.rows[i].id.row, plain->sink.rows[i].id.row);
    EXPECT_EQ(a->sink.rows[i].kind, plain->sink.rows[i].kind);
  }
  EXPECT_EQ((*a)->resume(), compressed.here());
}

// A ROWS event of t in `count` pieces; `missing`: one of them is left out.
Binlog in_pieces(std::size_t count, std::size_t missing = 99) {
  Binlog binlog(Flavor::mariadb);
  binlog.begin();
  binlog.table_map("t");
  const std::string event = binlog::testing::inner_event(
      EventType::write_rows_v1,
      std::move(ByteWriter().le<6>(100).le<2>(1).lenenc(2).le<1>(3).le<1>(0).le<4>(5).short_string(
                    "five"))
          .str());
  const auto all = binlog::testing::fragments(event, (event.size() + count - 1) / count);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i != missing) binlog.add(EventType::partial_row_data, all[i]);
  return binlog;
}

TEST_F(AssemblerTest, RowsInPiecesComeWithTheLastOfThem) {
  Binlog binlog = in_pieces(5);
  binlog.xid();
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), ElementsAre("5"));
  EXPECT_EQ((*a)->resume(), binlog.here());
}

TEST_F(AssemblerTest, RowsWhosePiecesAreMissingStop) {
  Binlog binlog = in_pieces(5, 4);
  binlog.xid();
  const Error e = refused(binlog);
  EXPECT_EQ(e.code, Errc::binlog_malformed);
  EXPECT_THAT(e.what, HasSubstr("XID comes between two PARTIAL_ROW_DATA"));
}

TEST_F(AssemblerTest, PiecesOfALostConnectionOrACrashedServerAreForgotten) {
  Binlog binlog = in_pieces(5, 4);
  auto a = assembly();
  ASSERT_TRUE(a->play(binlog.dump()).ok());
  a->restart();
  Binlog whole = in_pieces(5);
  whole.xid();
  ASSERT_TRUE(a->play(whole.dump((*a)->resume())).ok());
  EXPECT_THAT(a->sink.keys(), ElementsAre("5"));
  binlog.crash();
  binlog.transaction({{6}});
  EXPECT_THAT(played(binlog)->sink.keys(), ElementsAre("6"));
}

// ---- What has no rows for us ----

TEST_F(AssemblerTest, EventsOfGroupReplicationAndLargeTransactionsArePassedOver) {
  Binlog binlog(Flavor::mysql);
  binlog.gtid();
  binlog.add(EventType::large_transaction_header, std::string(1000, '\1'));
  binlog.query("BEGIN");
  binlog.add(EventType::transaction_context, std::string(40, '\1'));
  binlog.add(EventType::view_change, std::string(52, '\0'));
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.xid();
  binlog.gtid();
  binlog.add(EventType::view_change, std::string(52, '\0'));  // a whole transaction
  const auto a = played(binlog);
  EXPECT_THAT(a->sink.keys(), ElementsAre("1"));
  EXPECT_EQ((*a)->resume(), binlog.here());
}

TEST_F(AssemblerTest, UnknownEventsPassWhenTheyAreMarkedAsIgnorableOnly) {
  constexpr auto kPadding = static_cast<EventType>(100);  // Aurora's
  Binlog binlog(Flavor::mysql);
  binlog.add(kPadding, "xxx", {.flags = binlog::EventHeader::kFlagIgnorable});
  binlog.transaction({{1}});
  EXPECT_THAT(played(binlog)->sink.keys(), ElementsAre("1"));
  binlog.add(kPadding, "xxx");
  EXPECT_EQ(refused(binlog).code, Errc::binlog_unsupported);
}

}  // namespace
}  // namespace sluice::pipeline
