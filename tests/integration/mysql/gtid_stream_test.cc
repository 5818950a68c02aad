#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/binlog/control_events.h"
#include "sluice/mysql/gtid_state.h"
#include "sluice/mysql/replication_stream.h"

#include "integration/mysql/stream_fixture.h"
#include "integration/queue/proxy.h"

namespace sluice::mysql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GtidStream : public SourceStream {
 protected:
  void SetUp() override {
    SourceStream::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    sql("CREATE TABLE " + database() + ".t (id INT PRIMARY KEY)");
  }
  GtidSet executed() { return latest().gtids; }
  // One row, one transaction; its GTID.
  Gtid insert(const std::string& settings = "") {
    const GtidSet before = executed();
    if (!settings.empty()) sql(settings);
    sql("INSERT INTO " + database() + ".t VALUES (" + std::to_string(++row_) + ")");
    const GtidSet now = executed().minus(before);
    if (const auto* mysql = now.mysql(); mysql != nullptr && mysql->sets().size() == 1) {
      const auto& [key, intervals] = *mysql->sets().begin();
      return MysqlGtid{key.first, key.second, intervals.front().first};
    }
    if (const auto* mariadb = now.mariadb(); mariadb != nullptr && mariadb->domains().size() == 1)
      return mariadb->domains().begin()->second;
    ADD_FAILURE() << now.to_string() << " is not one transaction";
    return {};
  }
  // A stream behind `from`, which must open.
  std::unique_ptr<binlog::EventSource> open_behind(const GtidSet& from) {
    auto stream = ReplicationStream::open_behind(own_.source, endpoints_of(own_.source).front(),
                                                 identity_, from);
    EXPECT_TRUE(stream.ok()) << to_string(stream.error());
    return stream ? std::move(stream).value() : nullptr;
  }
  Error error_behind(const GtidSet& from, const SourceOptions& options) {
    auto stream =
        ReplicationStream::open_behind(options, endpoints_of(options).front(), identity_, from);
    EXPECT_FALSE(stream.ok()) << "it opened behind " << from.to_string();
    return stream ? stopped() : std::move(stream).error();
  }
  // GTIDs of the first `count` transactions that come.
  static std::vector<std::string> transactions(binlog::EventSource& stream, std::size_t count) {
    binlog::EventFramer framer(stream.announced_checksum(), true);
    return transactions(stream, framer, count);
  }
  static std::vector<std::string> transactions(binlog::EventSource& stream,
                                               binlog::EventFramer& framer, std::size_t count) {
    std::vector<std::string> out;
    read_until(stream, framer, [&](const KeptEvent& e) {
      if (is(e, EventType::gtid) || is(e, EventType::gtid_tagged) ||
          is(e, EventType::mariadb_gtid)) {
        const auto gtid = binlog::GtidEvent::decode(e.header, e.body, *framer.format());
        EXPECT_TRUE(gtid.ok());
        if (gtid) out.push_back(gtid_to_string(gtid->gtid));
      }
      return out.size() == count;
    });
    return out;
  }
  // A GTID set of this server that is one text away from `gtids`.
  GtidSet parsed(const std::string& text) {
    auto set = GtidSet::parse(flavor(), text);
    EXPECT_TRUE(set.ok()) << text;
    return set ? std::move(set).value() : GtidSet(flavor());
  }

  int row_ = 0;
};

TEST_P(GtidStream, BeginsBehindTheSet) {
  insert();
  const GtidSet from = executed();
  const std::string second = gtid_to_string(insert());
  const std::string third = gtid_to_string(insert());
  const auto stream = open_behind(from);
  ASSERT_NE(stream, nullptr);
  EXPECT_THAT(transactions(*stream, 2), ElementsAre(second, third));
}

// The file and the place in it come with the stream, so that both ways to go on stay known.
TEST_P(GtidStream, TellsItsPlaceInTheFile) {
  const SourcePosition from = latest();
  insert();
  const auto stream = open_behind(from.gtids);
  ASSERT_NE(stream, nullptr);
  binlog::EventFramer framer(stream->announced_checksum(), true);
  const auto events =
      read_until(*stream, framer, [](const KeptEvent& e) { return is(e, EventType::xid); });
  ASSERT_FALSE(events.empty());
  ASSERT_TRUE(is(events.front(), EventType::rotate));
  const auto rotate = binlog::RotateEvent::decode(events.front().body);
  ASSERT_TRUE(rotate.ok());
  EXPECT_EQ(rotate->next_file, from.position.file);
  EXPECT_EQ(events.back().header.log_pos, now().pos);
}

TEST_P(GtidStream, WaitsAtTheEndOfTheBinlog) {
  const auto stream = open_behind(executed());
  ASSERT_NE(stream, nullptr);
  binlog::EventFramer framer(stream->announced_checksum(), true);
  for (const KeptEvent& e : read_until(*stream, framer, is_heartbeat))
    EXPECT_FALSE(is(e, EventType::xid));
  const std::string next = gtid_to_string(insert());
  EXPECT_THAT(transactions(*stream, framer, 1), ElementsAre(next));
}

TEST_P(GtidStream, FindsTheFileOfAnOlderSet) {
  const GtidSet from = executed();
  const std::string first = gtid_to_string(insert());
  sql("FLUSH BINARY LOGS");
  const std::string second = gtid_to_string(insert());
  const auto stream = open_behind(from);
  ASSERT_NE(stream, nullptr);
  EXPECT_THAT(transactions(*stream, 2), ElementsAre(first, second));
}

// Transactions come in the order of one server, and a set may lack one in the middle all the same:
// on MySQL by number, on MariaDB by domain.
TEST_P(GtidStream, BringsWhatTheSetLacksInTheMiddle) {
  const GtidSet before = executed();
  const Gtid first = insert();
  const Gtid second = is_mysql() ? insert() : insert("SET SESSION gtid_domain_id = 31");
  if (!is_mysql()) sql("SET SESSION gtid_domain_id = DEFAULT");
  const Gtid third = insert();
  GtidSet from = before;
  from.add(first);
  from.add(third);
  const std::string fourth = gtid_to_string(insert());
  const auto stream = open_behind(from);
  ASSERT_NE(stream, nullptr);
  EXPECT_THAT(transactions(*stream, 2), ElementsAre(gtid_to_string(second), fourth));
}

// MariaDB's BINLOG_GTID_POS() gives up at an event larger than max_allowed_packet.
TEST_P(GtidStream, FindsTheSetOfTheEndBehindALargeEvent) {
  sql("CREATE TABLE " + database() + ".large (id INT PRIMARY KEY, v LONGBLOB, w LONGBLOB)");
  sql("INSERT INTO " + database() +
      ".large VALUES (1, REPEAT('x', 10000000), REPEAT('y', 10000000))");
  const Gtid last = insert();
  EXPECT_TRUE(executed().contains(last));
}

TEST_P(GtidStream, RefusesASetOfTransactionsTheServerNeverHad) {
  GtidSet from = executed();
  from.add(parsed(is_mysql() ? "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5" : "4000-7-5"));
  const Error e = error_behind(from, admin_options_.source);
  EXPECT_EQ(e.cls, ErrorClass::fatal) << e.what;
  EXPECT_EQ(e.code, Errc::mysql_gtids_missing) << e.what;
  EXPECT_THAT(e.what, HasSubstr(is_mysql() ? "lacks 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"
                                           : "lacks 4000-7-5"));
}

TEST_P(GtidStream, RefusesASetThatIsAheadOfTheServerItWasWrittenOn) {
  const Gtid last = insert();
  const GtidSet from = executed();
  GtidSet ahead = from;
  if (const auto* mysql = std::get_if<MysqlGtid>(&last))
    ahead.add(MysqlGtid{mysql->uuid, mysql->tag, mysql->gno + 5});
  else if (const auto* mariadb = std::get_if<MariadbGtid>(&last))
    ahead.add(MariadbGtid{mariadb->domain, mariadb->server_id, mariadb->sequence + 5});
  const Error e = error_behind(ahead, admin_options_.source);
  EXPECT_EQ(e.cls, ErrorClass::fatal) << e.what;
  EXPECT_EQ(e.code, Errc::mysql_gtids_missing) << e.what;
}

TEST_P(GtidStream, RefusesASetOfTheOtherFamily) {
  const auto other =
      GtidSet::parse_any(is_mysql() ? "0-1-5" : "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
  ASSERT_TRUE(other.ok());
  const Error e = error_behind(*other, own_.source);
  EXPECT_EQ(e.cls, ErrorClass::fatal);
  EXPECT_EQ(e.code, Errc::mysql_identity);
}

class MysqlGtidStream : public GtidStream {};

TEST_P(MysqlGtidStream, KnowsTags) {
  sql("SET SESSION gtid_next = 'AUTOMATIC:blue'");
  const Gtid first = insert();
  const GtidSet from = executed();
  const std::string second = gtid_to_string(insert());
  sql("SET SESSION gtid_next = 'AUTOMATIC'");
  const std::string third = gtid_to_string(insert());
  EXPECT_THAT(second, HasSubstr(":blue:"));
  EXPECT_TRUE(from.contains(first));
  const auto stream = open_behind(from);
  ASSERT_NE(stream, nullptr);
  EXPECT_THAT(transactions(*stream, 2), ElementsAre(second, third));
}

class MariadbGtidStream : public GtidStream {};

// Whose replication we may not see: a server that takes writes is no replica which still gets them.
TEST_P(MariadbGtidStream, DoesNotWaitForAServerThatTakesWrites) {
  GtidSet from = executed();
  from.add(parsed("4000-7-5"));
  const Error e = error_behind(from, own_.source);
  EXPECT_EQ(e.cls, ErrorClass::fatal) << e.what;
  EXPECT_EQ(e.code, Errc::mysql_gtids_missing) << e.what;
}

TEST_P(MariadbGtidStream, RefusesAGtidThatTheBinlogPassesOver) {
  const Gtid first = insert("SET SESSION gtid_domain_id = 32");
  const auto* const gtid = std::get_if<MariadbGtid>(&first);
  ASSERT_NE(gtid, nullptr);
  insert("SET SESSION gtid_seq_no = " + std::to_string(gtid->sequence + 10));
  sql("SET SESSION gtid_domain_id = DEFAULT");
  GtidSet from = executed();
  from.add(MariadbGtid{gtid->domain, gtid->server_id, gtid->sequence + 5});
  const auto stream = open_behind(from);  // the server finds out when it is there
  ASSERT_NE(stream, nullptr);
  for (;;) {
    const auto bytes = stream->next();
    if (bytes) continue;
    EXPECT_EQ(bytes.error().cls, ErrorClass::fatal) << bytes.error().what;
    EXPECT_EQ(bytes.error().code, Errc::mysql_gtids_missing) << bytes.error().what;
    EXPECT_THAT(bytes.error().what, HasSubstr("error 1236"));
    break;
  }
}

// MariaDB is silent while it reads a file up to the set: longer than three heartbeats, if need be.
TEST_P(MariadbGtidStream, HasPatienceWhileTheServerLooksForThePlace) {
  own_.source.query_timeout.set(2s);
  queue::Proxy proxy(port_);
  own_.source.port.set(proxy.port());
  const auto stream = open_behind(executed());
  ASSERT_NE(stream, nullptr);
  proxy.hold_to_client(true);
  for (;;) {
    const auto bytes = stream->next();
    if (bytes) continue;
    EXPECT_EQ(bytes.error().code, Errc::mysql_lost);
    EXPECT_THAT(bytes.error().what, HasSubstr("source.query_timeout"));
    break;
  }
}

INSTANTIATE_TEST_SUITE_P(On, GtidStream, kAllServers, server_name);
INSTANTIATE_TEST_SUITE_P(On, MysqlGtidStream, testing::Values(kMysql), server_name);
INSTANTIATE_TEST_SUITE_P(On, MariadbGtidStream, kMariadbServers, server_name);

}  // namespace
}  // namespace sluice::mysql
