#include "pipeline/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/binlog/rows.h"
#include "sluice/binlog/transaction_print.h"

#include "unit/pipeline/binlog.h"

namespace sluice::pipeline {
namespace {

using binlog::EventType;
using testing::Binlog;
using ::testing::HasSubstr;

// Sends what a server would, and then nothing: to ask for more is an error of the test.
class Packets final : public binlog::EventSource {
 public:
  explicit Packets(std::vector<std::string> packets) : packets_(std::move(packets)) {}
  Result<Bytes> next() override {
    if (next_ == packets_.size()) return retry(Errc::mysql_lost, "read beyond the binlog's end");
    return as_bytes(packets_[next_++]);
  }
  bool ready() override { return next_ != packets_.size(); }
  void interrupt() override {}
  binlog::ChecksumAlg announced_checksum() const override { return binlog::ChecksumAlg::off; }

 private:
  std::vector<std::string> packets_;
  std::size_t next_ = 0;
};

Result<std::unique_ptr<binlog::EventSource>> sent(const Binlog& binlog,
                                                  const BinlogPosition& from) {
  return std::unique_ptr<binlog::EventSource>(std::make_unique<Packets>(binlog.dump(from)));
}

class Places : public ::testing::TestWithParam<Flavor> {
 protected:
  PlaceFinder finder(std::uint64_t first = 1) {
    std::vector<std::string> files;
    for (std::uint64_t n = first; n <= binlog_.number(); ++n) files.push_back(Binlog::file_name(n));
    return {[this](const BinlogPosition& from) {
              ++dumps_;
              return sent(binlog_, from);
            },
            std::move(files), binlog_.here(), GetParam()};
  }
  GtidSet set(std::uint64_t last) {
    auto s = GtidSet::parse(GetParam(),
                            GetParam() == Flavor::mariadb
                                ? "0-7-" + std::to_string(last)
                                : "11111111-1111-1111-1111-111111111111:1-" + std::to_string(last));
    EXPECT_TRUE(s.ok());
    return s.ok() ? std::move(s).value() : GtidSet();
  }
  void expect(const Result<Place>& place, const BinlogPosition& position, std::uint64_t last) {
    ASSERT_TRUE(place.ok()) << to_string(place.error());
    EXPECT_EQ(place->position, position);
    EXPECT_EQ(place->gtids.to_string(), last == 0 ? "" : set(last).to_string());
  }

  Binlog binlog_{GetParam()};
  int dumps_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Flavours, Places, ::testing::Values(Flavor::mysql, Flavor::mariadb),
                         [](const auto& flavour) {
                           return std::string(flavor_name(flavour.param));
                         });

// What the assembler makes of the transactions of a binlog, all of them.
position::Trail trail_of(const Binlog& binlog) {
  position::Trail trail;
  binlog::EventFramer framer(binlog::ChecksumAlg::off, false);
  binlog::TransactionPrint print;
  for (const std::string& packet : binlog.dump()) {
    const auto event = framer.frame(as_bytes(packet));
    EXPECT_TRUE(event.ok());
    if (!event.ok()) break;
    if (binlog::is_rows_event(event->header.type)) print.add(*event, *framer.format());
    if (event->header.type != binlog::EventType::xid) continue;
    trail.add(print.value(), 1000);
    print.clear();
  }
  return trail;
}

TEST_P(Places, ATrailIsFoundInAnotherServersBinlogByItsRows) {
  Binlog left(GetParam());
  for (int i = 1; i <= 5; ++i) left.transaction({{i}});
  binlog_.use_table_id(4711);
  for (int i = -3; i <= 5; ++i) binlog_.transaction({{i, "x"}});
  const BinlogPosition end = binlog_.here();
  binlog_.transaction({{6}});
  binlog_.rotate();
  binlog_.transaction({{7}});
  const auto place = finder().behind(trail_of(left), 0);
  ASSERT_TRUE(place.ok()) << to_string(place.error());
  ASSERT_TRUE(place->has_value());
  EXPECT_EQ((*place)->position, end);
}

TEST_P(Places, ATrailWhoseLastTransactionsAreElsewhereInTheFileIsFoundWithFewer) {
  Binlog left(GetParam());
  for (int i = 1; i <= 20; ++i) left.transaction({{i}});
  for (int i = 16; i <= 20; ++i) binlog_.transaction({{i}});  // the search begins behind the others
  const BinlogPosition end = binlog_.here();
  const auto place = finder().behind(trail_of(left), 0);
  ASSERT_TRUE(place.ok() && *place);
  EXPECT_EQ((*place)->position, end);
}

TEST_P(Places, ATrailThatIsNotThereOrTwiceHasNoEnd) {
  Binlog left(GetParam());
  for (int i = 1; i <= 4; ++i) left.transaction({{i}});
  for (int i : {1, 2, 4, 3}) binlog_.transaction({{i}});
  auto place = finder().behind(trail_of(left), 0);
  ASSERT_TRUE(place.ok());
  EXPECT_FALSE(place->has_value()) << "in another order";
  for (int round = 0; round < 2; ++round)
    for (int i = 1; i <= 4; ++i) binlog_.transaction({{i}});
  place = finder().behind(trail_of(left), 0);
  ASSERT_TRUE(place.ok());
  EXPECT_FALSE(place->has_value()) << "twice";
}

TEST_P(Places, ArePutBetweenTransactionsOnly) {
  binlog_.previous_gtids();
  const BinlogPosition head = binlog_.here();
  binlog_.transaction({{1}});
  const BinlogPosition one = binlog_.here();
  binlog_.transaction({{2}});
  const BinlogPosition two = binlog_.here();
  binlog_.transaction({{3}});
  expect(finder().at(head), head, 0);
  expect(finder().at(one), one, 1);
  expect(finder().at(two), two, 2);
  expect(finder().at(binlog_.here()), binlog_.here(), 3);
  int refused = 0;
  for (std::uint64_t pos = one.pos + 1; pos < two.pos; ++pos) {
    const auto place = finder().at({one.file, pos});
    ASSERT_FALSE(place.ok()) << pos;
    EXPECT_EQ(place.error().code, Errc::usage);
    EXPECT_THAT(place.error().what,
                HasSubstr("the nearest ones are " + one.to_string() + " and " + two.to_string()));
    ++refused;
  }
  EXPECT_GT(refused, 50);
}

TEST_P(Places, AtTheHeadOfAFileKnowWhatEarlierFilesHold) {
  binlog_.previous_gtids();
  binlog_.transaction({{1}});
  binlog_.transaction({{2}});
  binlog_.rotate();
  const BinlogPosition head{binlog_.file(), 4};
  binlog_.previous_gtids();
  expect(finder().at(head), head, 2);
  binlog_.transaction({{3}});
  expect(finder().at(head), head, 2);
  expect(finder().at(binlog_.here()), binlog_.here(), 3);
}

TEST_P(Places, RefuseWhatIsBeyondAnEndOrGone) {
  binlog_.transaction({{1}});
  const BinlogPosition end = binlog_.here();
  binlog_.rotate();
  binlog_.transaction({{2}});
  const auto beyond_file = finder().at({end.file, end.pos + 1000});
  ASSERT_FALSE(beyond_file.ok());
  EXPECT_THAT(beyond_file.error().what, HasSubstr("beyond the end of the file"));
  const auto beyond = finder().at({binlog_.file(), binlog_.pos() + 1});
  ASSERT_FALSE(beyond.ok());
  EXPECT_THAT(beyond.error().what, HasSubstr("beyond the end of the binlog"));
  const auto gone = finder(2).at(end);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, Errc::mysql_binlog_purged);
}

TEST_P(Places, KnowStatementsThatAreTransactionsOfTheirOwn) {
  binlog_.transaction({{1}});
  const BinlogPosition before = binlog_.here();
  binlog_.gtid(Binlog::kStandalone);
  const BinlogPosition inside = binlog_.here();
  binlog_.query("CREATE TABLE shop.u (id INT PRIMARY KEY)");
  const BinlogPosition after = binlog_.here();
  binlog_.transaction({{2}});
  expect(finder().at(before), before, 1);
  expect(finder().at(after), after, 2);
  EXPECT_FALSE(finder().at(inside).ok());
}

TEST_P(Places, KnowTransactionsOfSeveralStatementsAndSavepoints) {
  const BinlogPosition begin = binlog_.here();
  binlog_.begin();
  binlog_.query("SAVEPOINT a");
  binlog_.table_map("t");
  binlog_.insert({{1}});
  binlog_.query("ROLLBACK TO a");
  binlog_.query("INSERT INTO shop.t VALUES (1)");  // in statement format
  const BinlogPosition inside = binlog_.here();
  binlog_.query("COMMIT");
  expect(finder().at(begin), begin, 0);
  expect(finder().at(binlog_.here()), binlog_.here(), 1);
  EXPECT_FALSE(finder().at(inside).ok());
}

TEST_P(Places, KnowXaTransactions) {
  binlog_.gtid(Binlog::kPreparedXa);
  binlog_.query("XA START X'78',X'',1");
  binlog_.table_map("t");
  binlog_.insert({{1}});
  const BinlogPosition inside = binlog_.here();
  binlog_.query("XA END X'78',X'',1");
  binlog_.xa_prepare(false);
  const BinlogPosition prepared = binlog_.here();
  binlog_.gtid(Binlog::kCompletedXa);
  binlog_.query("XA COMMIT X'78',X'',1");
  expect(finder().at(prepared), prepared, 1);
  expect(finder().at(binlog_.here()), binlog_.here(), 2);
  EXPECT_FALSE(finder().at(inside).ok());
}

TEST_P(Places, DoNotCountWhatACrashCutOff) {
  binlog_.previous_gtids();
  binlog_.transaction({{1}});
  binlog_.begin();
  binlog_.table_map("t");
  const BinlogPosition cut = binlog_.here();
  EXPECT_FALSE(finder().at(cut).ok());
  binlog_.crash();
  binlog_.transaction({{2}});
  EXPECT_FALSE(finder().at(cut).ok());
}

TEST_P(Places, OfATimeAreBeforeItsFirstTransaction) {
  struct Written {
    std::uint32_t time;
    BinlogPosition begin;
    std::uint64_t before;  // transactions
  };
  std::vector<Written> all;
  std::uint64_t count = 0;
  std::uint32_t now =
      1'600'000'001;  // the first file's FORMAT_DESCRIPTION; later ones a second each
  binlog_.previous_gtids();
  for (int file = 0; file < 6; ++file) {
    for (int i = 0; i < 3; ++i) {
      binlog_.timestamp = now;
      all.push_back({now, binlog_.here(), count++});
      binlog_.transaction({{i}});
    }
    now = 1'600'000'001 + static_cast<std::uint32_t>(binlog_.number());
    binlog_.rotate();
    binlog_.previous_gtids();
  }
  for (std::uint32_t t = 1'600'000'000; t < now + 3; ++t) {
    const auto first =
        std::find_if(all.begin(), all.end(), [t](const Written& w) { return w.time >= t; });
    SCOPED_TRACE(t);
    if (first == all.end())
      expect(finder().of_time(t), binlog_.here(), count);
    else
      expect(finder().of_time(t), first->begin, first->before);
  }
}

TEST_P(Places, OfATimeAreFoundInFewFiles) {
  for (int file = 0; file < 100; ++file) {
    binlog_.timestamp = 1'600'000'000 + static_cast<std::uint32_t>(binlog_.number());
    binlog_.transaction({{file}});
    binlog_.rotate();
  }
  ASSERT_TRUE(finder().of_time(1'600'000'050).ok());
  EXPECT_LE(dumps_, 9);
}

TEST_P(Places, BehindARotateAreTheHeadOfTheNextFile) {
  binlog_.transaction({{1}});
  binlog_.add(EventType::rotate, std::string(8, '\4') + Binlog::file_name(2));
  const BinlogPosition end = binlog_.here();
  binlog_.begin_file(2);
  binlog_.previous_gtids();
  expect(finder().at(end), {Binlog::file_name(2), 4}, 1);
}

TEST_P(Places, ReachBackToWhenTheOldestFileWasBegun) {
  const auto reaches = [this](std::int64_t seconds) {
    const auto is = finder().reaches_back_to(seconds);
    EXPECT_TRUE(is.ok());
    return is.ok() && *is;
  };
  EXPECT_TRUE(reaches(1'600'000'002));
  EXPECT_FALSE(reaches(1'600'000'001));
}

TEST_P(Places, OfATimeThatIsPurgedAreRefused) {
  binlog_.transaction({{1}});
  binlog_.rotate();
  binlog_.transaction({{2}});
  const auto place = finder(2).of_time(1'500'000'000);
  ASSERT_FALSE(place.ok());
  EXPECT_EQ(place.error().code, Errc::mysql_binlog_purged);
  EXPECT_THAT(place.error().what, HasSubstr("2017-07-14 02:40:00"));
  EXPECT_TRUE(finder(1).of_time(1'500'000'000).ok()) << "nothing was there before";
}

TEST_P(Places, BehindASetAreBeforeTheFirstTransactionItLacks) {
  binlog_.previous_gtids();
  std::vector<BinlogPosition> begins;
  for (int i = 0; i < 6; ++i) {
    if (i == 3) {
      binlog_.rotate();
      binlog_.previous_gtids();
    }
    begins.push_back(binlog_.here());
    binlog_.transaction({{i}});
  }
  for (std::uint64_t n = 1; n < 6; ++n)
    for (const std::uint64_t file : {1U, 2U}) {
      if (file == 2 && n < 3) continue;
      SCOPED_TRACE(n);
      expect(finder().behind(set(n), Binlog::file_name(file)), begins[n], n);
    }
  expect(finder().behind(set(6), Binlog::file_name(2)), binlog_.here(), 6);
  expect(finder().behind(GtidSet(GetParam()), Binlog::file_name(1)), begins[0], 0);
}

TEST(MysqlPlaces, BehindASetWithAHoleAreRefusedWithThePlaceToBeginAt) {
  Binlog binlog(Flavor::mysql);
  binlog.transaction({{1}});
  const BinlogPosition hole = binlog.here();
  binlog.transaction({{2}});
  binlog.transaction({{3}});
  const PlaceFinder finder([&binlog](const BinlogPosition& from) { return sent(binlog, from); },
                           {binlog.file()}, binlog.here(), Flavor::mysql);
  const auto set = GtidSet::parse(Flavor::mysql, "11111111-1111-1111-1111-111111111111:1:3");
  ASSERT_TRUE(set.ok());
  const auto place = finder.behind(*set, binlog.file());
  ASSERT_FALSE(place.ok());
  EXPECT_EQ(place.error().code, Errc::usage);
  EXPECT_THAT(place.error().what, HasSubstr("(11111111-1111-1111-1111-111111111111:3)"));
  EXPECT_THAT(place.error().what, HasSubstr("Begin at " + hole.to_string()));
}

TEST(MysqlPlaces, ACompressedTransactionIsOneEvent) {
  Binlog binlog(Flavor::mysql);
  binlog.gtid();
  const BinlogPosition inside = binlog.here();
  binlog.begin_payload();
  binlog.query("BEGIN");
  binlog.table_map("t");
  binlog.insert({{1}});
  binlog.xid();
  binlog.end_payload();
  const PlaceFinder finder([&binlog](const BinlogPosition& from) { return sent(binlog, from); },
                           {binlog.file()}, binlog.here(), Flavor::mysql);
  EXPECT_TRUE(finder.at(binlog.here()).ok());
  EXPECT_FALSE(finder.at(inside).ok());
}

}  // namespace
}  // namespace sluice::pipeline
