#include "sluice/binlog/control_events.h"

#include "unit/binlog/builder.h"

namespace sluice::binlog {
namespace {

using testing::hex;
using testing::mysql_format;

std::string query(std::string_view vars, std::string_view database, std::string_view statement) {
  return std::move(ByteWriter()
                       .le<4>(11)
                       .le<4>(3)
                       .le<1>(database.size())
                       .le<2>(1051)
                       .le<2>(vars.size())
                       .bytes(vars)
                       .bytes(database)
                       .le<1>(0)
                       .bytes(statement))
      .str();
}

TEST(QueryEvent, ReadsFixedPartDatabaseAndStatement) {
  const std::string statement = std::string("insert 'a\0b'", 12);
  const auto body = query("", "shop", statement);
  const auto q = QueryEvent::decode(as_bytes(body), mysql_format());
  ASSERT_TRUE(q.ok());
  EXPECT_EQ(q->thread_id, 11U);
  EXPECT_EQ(q->exec_time, 3U);
  EXPECT_EQ(q->error_code, 1051U);
  EXPECT_EQ(q->database, "shop");
  EXPECT_EQ(q->statement, statement);
  EXPECT_EQ(q->sql_mode, 0U);
  EXPECT_EQ(q->charset_client, 0U);
  EXPECT_FALSE(q->microseconds);
}

TEST(QueryEvent, ReadsEveryStatusVariable) {
  // Each stands before the charset: were its length wrong, that would not be found.
  for (const char* var : {"00 01020304",
                          "02 03737464 00",
                          "03 0100 0100",
                          "05 03 555443",
                          "06 03 737464",
                          "07 0000",
                          "08 ff00",
                          "09 0102030405060708",
                          "0a 01020304",
                          "0b 02 7573 01 68",
                          "0c 02 6100 6200",
                          "0c fe",
                          "0c 00",
                          "10 01",
                          "11 0102030405060708",
                          "12 ff00",
                          "13 00",
                          "14 01",
                          "81 0102030405060708",
                          "82 01",
                          "82 04 0102030405060708",
                          "83 01 2100 0008"}) {
    const auto body = query(hex(var) + hex("04 2d00 2e00 2f00"), "", "X");
    const auto q = QueryEvent::decode(as_bytes(body), mysql_format());
    ASSERT_TRUE(q.ok()) << var;
    EXPECT_EQ(q->charset_client, 45U) << var;
    EXPECT_EQ(q->statement, "X") << var;
  }
}

TEST(QueryEvent, ReadsSqlModeAndMicroseconds) {
  for (const char* code : {"0d", "80"}) {
    const auto body = query(hex("01 0400000000000000") + hex(code) + hex("40420f"), "", "X");
    const auto q = QueryEvent::decode(as_bytes(body), mysql_format());
    ASSERT_TRUE(q.ok());
    EXPECT_EQ(q->sql_mode, 4U);
    ASSERT_TRUE(q->microseconds);
    EXPECT_EQ(*q->microseconds, 1000000U);
  }
}

TEST(QueryEvent, ReadsTheCharacterSetOfNewDatabases) {
  const auto body = query(hex("04 2d00 2e00 0800"), "", "X");
  const auto q = QueryEvent::decode(as_bytes(body), mysql_format());
  ASSERT_TRUE(q.ok());
  EXPECT_EQ(q->charset_server, 8U);
}

TEST(QueryEvent, ReadsWhetherTimestampsHaveDefaults) {
  const auto read = [](std::string_view vars, const FormatDescription& format) {
    const auto body = query(hex(vars), "", "X");
    const auto q = QueryEvent::decode(as_bytes(body), format);
    EXPECT_TRUE(q.ok());
    return q.ok() ? q->explicit_defaults_for_timestamp : std::nullopt;
  };
  const FormatDescription mysql = mysql_format(), mariadb = testing::mariadb_format();
  EXPECT_EQ(read("10 01", mysql), true);
  EXPECT_EQ(read("10 00", mysql), false);
  EXPECT_EQ(read("00 00000001", mysql), std::nullopt);
  EXPECT_EQ(read("00 00000001", mariadb), true);
  EXPECT_EQ(read("00 00000000", mariadb), false);
  FormatDescription old = mariadb;
  old.server_version = "10.3.39-MariaDB";
  EXPECT_EQ(read("00 00000001", old), true);
  EXPECT_EQ(read("00 00000000", old), std::nullopt) << "may be a server that does not tell";
}

// As MariaDB writes them.
TEST(QueryEvent, TellsTheTwoPhasesOfAnAlter) {
  using Phase = QueryEvent::AlterPhase;
  for (const auto& [vars, phase] :
       {std::pair("82 02", Phase::start), std::pair("82 04 0500000000000000", Phase::commit),
        std::pair("82 08 0500000000000000", Phase::rollback), std::pair("82 01", Phase::none),
        std::pair("", Phase::none)}) {
    const auto body = query(hex(vars), "", "ALTER TABLE t ADD b INT");
    const auto q = QueryEvent::decode(as_bytes(body), testing::mariadb_format());
    ASSERT_TRUE(q.ok());
    EXPECT_EQ(q->alter_phase, phase) << vars;
  }
}

TEST(QueryEvent, AnUnknownVariableEndsTheVariablesOnly) {
  for (const char* vars : {"63 0102", "ff 000000"}) {
    const auto body = query(hex("04 2d00 2e00 2f00") + hex(vars), "shop", "BEGIN");
    const auto q = QueryEvent::decode(as_bytes(body), mysql_format());
    ASSERT_TRUE(q.ok());
    EXPECT_EQ(q->charset_client, 45U);
    EXPECT_EQ(q->database, "shop");
    EXPECT_EQ(q->statement, "BEGIN");
  }
}

TEST(QueryEvent, RefusesAVariableThatReachesIntoTheDatabase) {
  const auto body = query(hex("01 0400"), "shop", "BEGIN and more");
  const auto q = QueryEvent::decode(as_bytes(body), mysql_format());
  ASSERT_FALSE(q.ok());
  EXPECT_EQ(q.error().code, Errc::binlog_malformed);
}

TEST(QueryEvent, SkipsALongerFixedPartAndRefusesAShorterOne) {
  std::string lengths = testing::mysql_lengths();
  lengths[1] = 15;
  const auto longer =
      FormatDescription::decode(as_bytes(testing::make_format({.lengths = lengths})), true);
  ASSERT_TRUE(longer.ok());
  std::string body = query("", "shop", "BEGIN");
  body.insert(13, "..");
  const auto q = QueryEvent::decode(as_bytes(body), *longer);
  ASSERT_TRUE(q.ok());
  EXPECT_EQ(q->statement, "BEGIN");
  lengths[1] = 11;
  const auto old =
      FormatDescription::decode(as_bytes(testing::make_format({.lengths = lengths})), true);
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(QueryEvent::decode(as_bytes(body), *old).error().code, Errc::binlog_unsupported);
}

}  // namespace
}  // namespace sluice::binlog
