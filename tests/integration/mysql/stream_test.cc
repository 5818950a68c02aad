#include <chrono>
#include <future>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/mysql/preflight.h"
#include "sluice/mysql/replication_stream.h"

#include "integration/mysql/event_log.h"
#include "integration/mysql/stream_fixture.h"
#include "integration/queue/proxy.h"

namespace sluice::mysql {
namespace {

using binlog::EventType;
using std::chrono::steady_clock;
using testing::HasSubstr;

TEST_P(SourceStream, IsListedAmongTheReplicas) {
  const auto stream = open(now());
  ASSERT_NE(stream, nullptr);
  const ResultRow row = listed();
  ASSERT_GE(row.size(), 4U);
  EXPECT_NE(row[1].value_or(""), "");
  if (is_mysql())
    EXPECT_EQ(row[4], identity_.uuid);
  else
    EXPECT_THAT(row[1].value_or(""), testing::EndsWith("/" + identity_.uuid.substr(0, 13)));
}

TEST_P(SourceStream, BringsRowsWhoseSizesAddUpToTheirPositions) {
  const BinlogPosition from = now();
  sql("CREATE TABLE " + database() + ".t (id INT PRIMARY KEY, v VARCHAR(20))");
  sql("INSERT INTO " + database() + ".t VALUES (1, 'one'), (2, 'two')");
  const auto stream = open(from);
  ASSERT_NE(stream, nullptr);
  binlog::EventFramer framer(stream->announced_checksum(), true);
  const auto events =
      read_until(*stream, framer, [](const KeptEvent& e) { return is(e, EventType::xid); });
  ASSERT_FALSE(events.empty());
  EXPECT_TRUE(is(events.front(), EventType::rotate));
  EXPECT_TRUE(events.front().header.artificial());

  std::uint64_t pos = from.pos;
  for (const KeptEvent& e : events)
    if (!e.header.artificial() && !is(e, EventType::format_description)) pos += e.header.event_size;
  EXPECT_EQ(pos, events.back().header.log_pos);

  const auto maps = maps_of(events, *framer.format());
  ASSERT_EQ(maps.size(), 1U);
  EXPECT_EQ(maps[0].database, database());
  EXPECT_EQ(maps[0].table, "t");
  EXPECT_EQ(std::count_if(events.begin(), events.end(), is_row_event), 1);
}

TEST_P(SourceStream, AnnouncesTheChecksumOfTheServer) {
  const auto stream = open(now());
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->announced_checksum(), value("SELECT @@GLOBAL.binlog_checksum") == "CRC32"
                                              ? binlog::ChecksumAlg::crc32
                                              : binlog::ChecksumAlg::off);
}

TEST_P(SourceStream, BringsAnEventLargerThanAPacket) {
  constexpr std::size_t kSize = 20'000'000;
  sql("CREATE TABLE " + database() + ".big (id INT PRIMARY KEY, v LONGBLOB)");
  if (std::stoull(value("SELECT @@GLOBAL.max_allowed_packet")) < kSize + 1000) {
    for (int i = 0; i < 2; ++i)
      sql("INSERT INTO " + database() + ".big VALUES (" + std::to_string(i) +
          ", REPEAT('x', 10000000))");
  }
  sql("CREATE TABLE " + database() + ".joined (id INT PRIMARY KEY, v LONGBLOB, w LONGBLOB)");
  const BinlogPosition from = now();
  sql("INSERT INTO " + database() +
      ".joined VALUES (1, REPEAT('x', 10000000), REPEAT('y', 10000000))");
  const auto stream = open(from);
  ASSERT_NE(stream, nullptr);
  binlog::EventFramer framer(stream->announced_checksum(), true);
  const auto events = read_until(*stream, framer, is_row_event);
  ASSERT_FALSE(events.empty());
  EXPECT_GT(events.back().header.event_size, kSize);
}

TEST_P(SourceStream, SendsHeartbeatsWhenNothingHappens) {
  const auto stream = open(now());
  ASSERT_NE(stream, nullptr);
  binlog::EventFramer framer(stream->announced_checksum(), true);
  const auto since = steady_clock::now();
  const auto events = read_until(*stream, framer, is_heartbeat);
  ASSERT_FALSE(events.empty());
  EXPECT_LT(steady_clock::now() - since, 5s);
  const auto heartbeat = binlog::HeartbeatEvent::decode(events.back().header, events.back().body);
  ASSERT_TRUE(heartbeat.ok());
  EXPECT_EQ(heartbeat->file, now().file);
  EXPECT_GE(heartbeat->pos, 4U);
  EXPECT_EQ(is(events.back(), EventType::heartbeat_v2), is_mysql());
}

TEST_P(SourceStream, IsReadyExactlyWhenAnEventIsThere) {
  own_.source.heartbeat.set(60s);
  const auto stream = open(now());
  ASSERT_NE(stream, nullptr);
  binlog::EventFramer framer(stream->announced_checksum(), true);
  EXPECT_TRUE(stream->ready());
  // What the server sends at the beginning: a ROTATE, FORMAT_DESCRIPTION, and MariaDB's GTID_LIST.
  read_until(*stream, framer,
             [](const KeptEvent& e) { return is(e, EventType::format_description); });
  const auto quiet = steady_clock::now() + 10s;
  int idle = 0;
  while (idle < 20 && steady_clock::now() < quiet) {
    if (stream->ready()) {
      ASSERT_TRUE(stream->next().ok());
      idle = 0;
    } else {
      ++idle;
      std::this_thread::sleep_for(10ms);
    }
  }
  EXPECT_EQ(idle, 20);
  sql("CREATE TABLE " + database() + ".r (id INT)");
  const auto end = steady_clock::now() + 10s;
  while (!stream->ready() && steady_clock::now() < end) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(stream->ready());
}

TEST_P(SourceStream, StopsABlockedReadAtOnceAndStaysStopped) {
  for (const auto mode : {TlsOptions::Mode::disabled, TlsOptions::Mode::required}) {
    if (mode == TlsOptions::Mode::required && !is_mysql()) continue;
    own_.source.tls.mode.set(mode);
    own_.source.heartbeat.set(60s);
    const auto stream = open(now());
    ASSERT_NE(stream, nullptr);
    auto reader = std::async(std::launch::async, [&stream] {
      for (;;)
        if (auto bytes = stream->next(); !bytes) return bytes.error().cls;
    });
    EXPECT_EQ(reader.wait_for(300ms), std::future_status::timeout);
    stream->interrupt();
    ASSERT_EQ(reader.wait_for(20s), std::future_status::ready) << "before the next heartbeat";
    EXPECT_EQ(reader.get(), ErrorClass::stopped);
    EXPECT_TRUE(stream->ready());
    const auto again = stream->next();
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().cls, ErrorClass::stopped);
  }
}

TEST_P(SourceStream, CountsASilentSourceAsLost) {
  for (const auto mode : {TlsOptions::Mode::disabled, TlsOptions::Mode::required}) {
    if (mode == TlsOptions::Mode::required && !is_mysql()) continue;
    queue::Proxy proxy(port_);
    own_.source.port.set(proxy.port());
    own_.source.tls.mode.set(mode);
    const auto stream = open(now());
    ASSERT_NE(stream, nullptr);
    proxy.hold_to_client(true);
    const auto since = steady_clock::now();
    for (;;) {
      const auto bytes = stream->next();
      if (bytes) continue;
      EXPECT_EQ(bytes.error().cls, ErrorClass::retry);
      EXPECT_EQ(bytes.error().code, Errc::mysql_lost);
      EXPECT_THAT(bytes.error().what, HasSubstr("silent for"));
      break;
    }
    EXPECT_GE(steady_clock::now() - since, 1s);
    EXPECT_LT(steady_clock::now() - since, 5s);
  }
}

TEST_P(SourceStream, CountsACutConnectionAsLost) {
  queue::Proxy proxy(port_);
  own_.source.port.set(proxy.port());
  const auto stream = open(now());
  ASSERT_NE(stream, nullptr);
  proxy.cut();
  for (;;) {
    const auto bytes = stream->next();
    if (bytes) continue;
    EXPECT_EQ(bytes.error().cls, ErrorClass::retry);
    EXPECT_EQ(bytes.error().code, Errc::mysql_lost);
    EXPECT_THAT(bytes.error().what, testing::Not(HasSubstr("silent for")));
    break;
  }
}

TEST_P(SourceStream, SaysThatAFileIsPurged) {
  const auto stream = ReplicationStream::open(own_.source, endpoints_of(own_.source).front(),
                                              identity_, {"binlog.999998", 4});
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().cls, ErrorClass::fatal);
  EXPECT_EQ(stream.error().code, Errc::mysql_binlog_purged);
  EXPECT_THAT(stream.error().what, HasSubstr("error 1236"));
  EXPECT_THAT(stream.error().what, HasSubstr("binlog.999998:4"));
}

TEST_P(SourceStream, TakesAPositionBeyondTheEndForAnotherHistory) {
  BinlogPosition from = now();
  from.pos += 1'000'000;
  const auto stream =
      ReplicationStream::open(own_.source, endpoints_of(own_.source).front(), identity_, from);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().cls, ErrorClass::fatal);
  EXPECT_EQ(stream.error().code, Errc::mysql_identity) << stream.error().what;
}

TEST_P(SourceStream, RefusesAPositionTheProtocolCannotSay) {
  const auto stream = ReplicationStream::open(own_.source, endpoints_of(own_.source).front(),
                                              identity_, {now().file, 5'000'000'000});
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().cls, ErrorClass::fatal);
  EXPECT_THAT(stream.error().what, HasSubstr("4 GiB"));
}

TEST_P(SourceStream, NamesTheGrantItLacks) {
  OwnOptions poor;
  make_account(poor.source, "SELECT, REPLICATION CLIENT");
  const auto stream =
      ReplicationStream::open(poor.source, endpoints_of(poor.source).front(), identity_, now());
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().cls, ErrorClass::fatal);
  EXPECT_EQ(stream.error().code, Errc::mysql_denied);
  EXPECT_THAT(stream.error().what, HasSubstr("REPLICATION SLAVE"));
  EXPECT_THAT(stream.error().what, HasSubstr("GRANT"));
}

// Reads until the stream ends.
std::string end_of(binlog::EventSource& stream) {
  const auto since = steady_clock::now();
  while (steady_clock::now() - since < 10s)
    if (const auto bytes = stream.next(); !bytes) return to_string(bytes.error());
  return "it lives on";
}

TEST_P(SourceStream, SaysThatAnotherReplicaTookOver) {
  const BinlogPosition from = now();
  const auto first = open(from);
  ASSERT_NE(first, nullptr);
  const auto second = open(from);
  ASSERT_NE(second, nullptr);
  EXPECT_THAT(end_of(*first), HasSubstr(to_string(fatal(Errc::mysql_server_id_taken, ""))));
  EXPECT_TRUE(second->next().ok());
}

// MySQL tells replicas apart by uuid, MariaDB by server_id.
TEST_P(SourceStream, AStrangerWithOurServerIdTakesOverOnMariadbOnly) {
  const BinlogPosition from = now();
  const auto first = open(from);
  ASSERT_NE(first, nullptr);
  identity_.uuid = value("SELECT UUID()");
  const auto second = open(from);
  ASSERT_NE(second, nullptr);
  if (is_mysql())
    EXPECT_EQ(end_of(*first), "it lives on");
  else
    EXPECT_THAT(end_of(*first), HasSubstr("mysql.server_id_taken"));
}

INSTANTIATE_TEST_SUITE_P(On, SourceStream, kAllServers, server_name);

}  // namespace
}  // namespace sluice::mysql
