// What needs a source that purges or resets its binlogs: nothing else may run meanwhile.
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/mysql/gtid_state.h"
#include "sluice/mysql/replication_stream.h"

#include "integration/mysql/stream_fixture.h"

namespace sluice::mysql {
namespace {

using testing::HasSubstr;

class GtidPurge : public SourceStream {
 protected:
  Error error_behind(const GtidSet& from) {
    auto stream = ReplicationStream::open_behind(own_.source, endpoints_of(own_.source).front(),
                                                 identity_, from);
    EXPECT_FALSE(stream.ok()) << "it opened behind " << from.to_string();
    return stream ? stopped() : std::move(stream).error();
  }
};

TEST_P(GtidPurge, SaysWhatIsPurgedAndBeginsBehindIt) {
  sql("CREATE TABLE " + database() + ".t (id INT PRIMARY KEY)");
  const GtidSet before = latest().gtids;
  sql("INSERT INTO " + database() + ".t VALUES (1)");
  const GtidSet purged = latest().gtids;
  sql("FLUSH BINARY LOGS");
  sql("INSERT INTO " + database() + ".t VALUES (2)");
  // MariaDB keeps a file until InnoDB's checkpoint has passed it.
  const auto end = std::chrono::steady_clock::now() + 10s;
  do sql("PURGE BINARY LOGS TO '" + now().file + "'");
  while (earliest_position(admin())->file != now().file && std::chrono::steady_clock::now() < end);
  ASSERT_EQ(earliest_position(admin())->file, now().file);

  const Error e = error_behind(before);
  EXPECT_EQ(e.cls, ErrorClass::fatal) << e.what;
  EXPECT_EQ(e.code, Errc::mysql_binlog_purged) << e.what;
  EXPECT_THAT(e.what, HasSubstr("no longer hold " + purged.minus(before).to_string()));
  EXPECT_THAT(e.what, HasSubstr("load the data anew"));

  const auto behind = ReplicationStream::open_behind(own_.source, endpoints_of(own_.source).front(),
                                                     identity_, purged);
  EXPECT_TRUE(behind.ok()) << purged.to_string() << ": " << to_string(behind.error());
}

TEST_P(GtidPurge, RefusesAServerThatWasReset) {
  sql("CREATE TABLE " + database() + ".t (id INT PRIMARY KEY)");
  sql("INSERT INTO " + database() + ".t VALUES (1)");
  const GtidSet before = latest().gtids;
  sql(is_mysql() ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER");
  sql("INSERT INTO " + database() + ".t VALUES (2)");
  const Error e = error_behind(before);
  EXPECT_EQ(e.code, Errc::mysql_gtids_missing) << e.what;
  EXPECT_THAT(e.what, HasSubstr("lacks"));
}

class GtidModeOff : public SourceStream {};

TEST_P(GtidModeOff, SaysThatASetIsNoPlaceThere) {
  const GtidSet from = latest().gtids;
  set_global("gtid_mode", "ON_PERMISSIVE");
  const auto stream = ReplicationStream::open_behind(own_.source, endpoints_of(own_.source).front(),
                                                     identity_, from);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().cls, ErrorClass::fatal);
  EXPECT_EQ(stream.error().code, Errc::mysql_preflight);
  EXPECT_THAT(stream.error().what, HasSubstr("gtid_mode is ON_PERMISSIVE"));
}

INSTANTIATE_TEST_SUITE_P(On, GtidPurge, kAllServers, server_name);
INSTANTIATE_TEST_SUITE_P(On, GtidModeOff, testing::Values(kMysql), server_name);

}  // namespace
}  // namespace sluice::mysql
