// Where source.start and `sluice position set` begin, on real servers.
#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/mysql/stream_fixture.h"
#include "pipeline/start.h"

namespace sluice::pipeline {
namespace {

using mysql::kAllServers;
using mysql::SourceStream;
using ::testing::HasSubstr;

class FindPlace : public SourceStream {
 protected:
  void SetUp() override {
    SourceStream::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_account(options_.source, all_rights());
    sql("CREATE TABLE " + database() + ".t (id INT PRIMARY KEY)");
  }
  // One transaction; the place before it, with nothing between the two.
  mysql::SourcePosition insert() {
    for (;;) {
      auto before = latest();
      sql("INSERT INTO " + database() + ".t VALUES (" + std::to_string(++row_) + ")");
      if (!has_checkpoint_at(before.position)) return before;
    }
  }
  // MariaDB writes into a new file, once, when InnoDB is done with the one before, an event that
  // says so: it moves the end of the log without a transaction.
  bool has_checkpoint_at(const BinlogPosition& place) {
    if (is_mysql()) return false;
    const auto events = sql("SHOW BINLOG EVENTS IN '" + place.file + "' FROM " +
                            std::to_string(place.pos) + " LIMIT 1");
    return !events.empty() && events[0][2] == "Binlog_checkpoint";
  }
  Result<Place> find(const StartPosition& where) {
    auto source = mysql::Connection::open(options_.source);
    if (!source) return std::move(source).error();
    return find_place(options_, identity_, *source, where);
  }
  Result<Place> find(StartPosition::Kind kind, const std::string& gtid_set,
                     std::int64_t seconds = 0) {
    StartPosition where;
    where.kind = kind;
    where.gtid_set = gtid_set;
    where.seconds = seconds;
    return find(where);
  }
  Result<Place> find(const BinlogPosition& position) {
    StartPosition where;
    where.kind = StartPosition::Kind::position;
    where.file = position.file;
    where.pos = position.pos;
    return find(where);
  }
  static void expect(const Result<Place>& place, const mysql::SourcePosition& is) {
    ASSERT_TRUE(place.ok()) << to_string(place.error());
    EXPECT_EQ(place->position, is.position);
    EXPECT_EQ(place->gtids.to_string(), is.gtids.to_string());
  }
  // Whoever looks for the end of the log finds it: what it is did not change while they looked (a
  // checkpoint may move it at any time).
  template <class Find>
  void expect_the_end(Find find) {
    for (;;) {
      const auto before = latest();
      const Result<Place> place = find(before);
      if (latest().position == before.position) return expect(place, before);
    }
  }
  std::int64_t now_s() { return std::stoll(value("SELECT UNIX_TIMESTAMP()")); }
  // The source's clock shows another second.
  void pass_a_second() {
    for (const std::int64_t since = now_s(); now_s() == since;)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

  Options options_;
  int row_ = 0;
};

TEST_P(FindPlace, KnowsTheGtidsAtAPosition) {
  const auto one = insert();
  const auto two = insert();
  insert();
  expect(find(one.position), one);
  expect(find(two.position), two);
  expect_the_end([this](const auto& end) { return find(end.position); });
}

TEST_P(FindPlace, NamesThePlacesAroundAPositionInsideATransaction) {
  const auto one = insert();
  const auto two = insert();
  const auto place = find(BinlogPosition{one.position.file, one.position.pos + 40});
  ASSERT_FALSE(place.ok());
  EXPECT_EQ(place.error().code, Errc::usage);
  EXPECT_THAT(place.error().what, HasSubstr("the nearest ones are " + one.position.to_string() +
                                            " and " + two.position.to_string()));
}

TEST_P(FindPlace, KnowsTheHeadOfAFile) {
  insert();
  const GtidSet before = latest().gtids;
  sql("FLUSH BINARY LOGS");
  const BinlogPosition head{now().file, 4};
  insert();
  const auto place = find(head);
  ASSERT_TRUE(place.ok()) << to_string(place.error());
  EXPECT_EQ(place->position, head);
  EXPECT_EQ(place->gtids.to_string(), before.to_string());
  EXPECT_TRUE(find(StartPosition::Kind::earliest, "").ok());
}

TEST_P(FindPlace, IsBehindAGtidSet) {
  const auto one = insert();
  const auto two = insert();
  sql("FLUSH BINARY LOGS");
  const auto three = insert();
  expect(find(StartPosition::Kind::gtid, one.gtids.to_string()), one);
  expect(find(StartPosition::Kind::gtid, two.gtids.to_string()), two);
  expect_the_end(
      [this](const auto& end) { return find(StartPosition::Kind::gtid, end.gtids.to_string()); });
  const auto third = find(StartPosition::Kind::gtid, three.gtids.to_string());
  ASSERT_TRUE(third.ok()) << to_string(third.error());
  EXPECT_EQ(third->gtids.to_string(), three.gtids.to_string());
}

TEST_P(FindPlace, SaysWhatIsWrongWithAGtidSet) {
  const auto no_set = find(StartPosition::Kind::gtid, "nonsense");
  ASSERT_FALSE(no_set.ok());
  EXPECT_EQ(no_set.error().code, Errc::usage);
  const auto other = find(StartPosition::Kind::gtid,
                          is_mysql() ? "0-1-5" : "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, Errc::mysql_identity);
}

TEST_P(FindPlace, IsBeforeTheFirstTransactionOfATime) {
  insert();
  pass_a_second();
  const std::int64_t time = now_s();
  const auto first = insert();
  sql("FLUSH BINARY LOGS");
  insert();
  expect(find(StartPosition::Kind::timestamp, "", time), first);
  pass_a_second();
  sql("FLUSH BINARY LOGS");
  const std::int64_t later = now_s();
  const auto second = insert();
  const auto place = find(StartPosition::Kind::timestamp, "", later);
  ASSERT_TRUE(place.ok()) << to_string(place.error());
  // Of the first file that was begun in that second or later, or of the last one before.
  EXPECT_EQ(place->gtids.to_string(), second.gtids.to_string());
  expect_the_end([this, later](const auto&) {
    return find(StartPosition::Kind::timestamp, "", later + 3600);
  });
}

INSTANTIATE_TEST_SUITE_P(On, FindPlace, kAllServers, mysql::server_name);

}  // namespace
}  // namespace sluice::pipeline
