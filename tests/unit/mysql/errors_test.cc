#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mysql/client.h"
#include "mysql/stream_errors.h"

namespace sluice::mysql {
namespace {

using testing::HasSubstr;

const Peer kPeer{"db1:3306", "repl"};
constexpr const char* kFrom = "binlog.000003:1234";

struct Numbered {
  unsigned number;
  const char* text;
  ErrorClass cls;
  Errc code;
};

class ServerError : public testing::TestWithParam<Numbered> {};

TEST_P(ServerError, HasItsClassAndSaysWhoSaidIt) {
  const Error e = error_of(GetParam().number, GetParam().text, kPeer);
  EXPECT_EQ(e.cls, GetParam().cls) << e.what;
  EXPECT_EQ(e.code, GetParam().code) << e.what;
  EXPECT_THAT(e.what, HasSubstr("db1:3306: error " + std::to_string(GetParam().number) + ": " +
                                GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Every, ServerError,
    testing::Values(
        Numbered{2002, "Can't connect to server on 'db1' (111)", ErrorClass::retry,
                 Errc::mysql_lost},
        Numbered{2005, "Unknown server host 'db1' (-3)", ErrorClass::retry, Errc::mysql_lost},
        Numbered{2006, "Server has gone away", ErrorClass::retry, Errc::mysql_lost},
        Numbered{2013, "Lost connection to server during query", ErrorClass::retry,
                 Errc::mysql_lost},
        Numbered{1040, "Too many connections", ErrorClass::retry, Errc::mysql_lost},
        Numbered{1053, "Server shutdown in progress", ErrorClass::retry, Errc::mysql_lost},
        Numbered{1927, "Connection was killed", ErrorClass::retry, Errc::mysql_lost},
        Numbered{1045, "Access denied for user 'repl'@'h' (using password: YES)", ErrorClass::fatal,
                 Errc::mysql_denied},
        Numbered{1130, "Host 'h' is not allowed to connect", ErrorClass::fatal, Errc::mysql_denied},
        Numbered{1227,
                 "Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s)",
                 ErrorClass::fatal, Errc::mysql_denied},
        Numbered{2059, "Authentication plugin 'x' cannot be loaded", ErrorClass::fatal,
                 Errc::mysql_denied},
        Numbered{2026, "TLS/SSL error: self-signed certificate in certificate chain",
                 ErrorClass::fatal, Errc::mysql_preflight},
        Numbered{2026, "TLS/SSL error: Connection reset by peer (104)", ErrorClass::retry,
                 Errc::mysql_lost},
        Numbered{2026, "TLS/SSL error: unexpected eof while reading", ErrorClass::retry,
                 Errc::mysql_lost},
        Numbered{1064, "You have an error in your SQL syntax", ErrorClass::fatal,
                 Errc::mysql_query}));

TEST(ServerError, ADeniedOneSaysWhatMakesTheAccount) {
  EXPECT_THAT(error_of(1045, "Access denied", kPeer).what,
              HasSubstr("CREATE USER 'repl'@'%' IDENTIFIED BY '...'; GRANT SELECT, REPLICATION "
                        "SLAVE, REPLICATION CLIENT ON *.* "
                        "TO 'repl'@'%';"));
}

class StreamError : public testing::TestWithParam<Numbered> {};

TEST_P(StreamError, IsToldByItsText) {
  const Error e = stream_error_of(GetParam().number, GetParam().text, kPeer, kFrom);
  EXPECT_EQ(e.cls, GetParam().cls) << e.what;
  EXPECT_EQ(e.code, GetParam().code) << e.what;
  EXPECT_THAT(e.what, HasSubstr(GetParam().text));
  EXPECT_THAT(e.what, HasSubstr("binlog.000003:1234"));
}

INSTANTIATE_TEST_SUITE_P(
    Every, StreamError,
    testing::Values(
        Numbered{1236, "Could not find first log file name in binary log index file",
                 ErrorClass::fatal, Errc::mysql_binlog_purged},
        Numbered{1236, "could not find next log; the first event 'binlog.000003' at 4",
                 ErrorClass::fatal, Errc::mysql_binlog_purged},
        Numbered{1236, "Cannot replicate because the source purged required binary logs",
                 ErrorClass::fatal, Errc::mysql_binlog_purged},
        Numbered{1236, "Client requested source to start replication from position > file size",
                 ErrorClass::fatal, Errc::mysql_identity},
        Numbered{1236, "Client requested master to start replication from impossible position",
                 ErrorClass::fatal, Errc::mysql_identity},
        Numbered{1236,
                 "A replica with the same server_uuid/server_id as this replica has connected to "
                 "the source;",
                 ErrorClass::fatal, Errc::mysql_server_id_taken},
        Numbered{4052, "A slave with the same server_uuid/server_id is already connected;",
                 ErrorClass::fatal, Errc::mysql_server_id_taken},
        Numbered{4052, "A slave with the same server_id is already connected;", ErrorClass::fatal,
                 Errc::mysql_server_id_taken},
        Numbered{1236,
                 "Slave can not handle replication events with the checksum that master is "
                 "configured to log",
                 ErrorClass::retry, Errc::mysql_lost},
        Numbered{
            1236,
            "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source",
            ErrorClass::fatal, Errc::mysql_preflight},
        Numbered{1236, "Binary log is not open", ErrorClass::fatal, Errc::mysql_preflight},
        Numbered{1236, "bogus data in log event; the first event 'binlog.000003' at 1234",
                 ErrorClass::fatal, Errc::binlog_malformed},
        Numbered{1236, "binlog truncated in the middle of event; consider out of disk space",
                 ErrorClass::fatal, Errc::binlog_malformed},
        Numbered{1236, "memory allocation failed reading log event", ErrorClass::retry,
                 Errc::mysql_lost},
        Numbered{1236, "Misconfigured source - source server_id is 0", ErrorClass::fatal,
                 Errc::mysql_preflight},
        Numbered{1236, "something no server has said yet", ErrorClass::fatal, Errc::mysql_query}));

INSTANTIATE_TEST_SUITE_P(
    OfGtids, StreamError,
    testing::Values(
        Numbered{1236,
                 "Could not find first log file name in binary log index file while looking for "
                 "the oldest binary log that contains any GTID that is not in the given gtid set",
                 ErrorClass::fatal, Errc::mysql_binlog_purged},
        Numbered{1236,
                 "Cannot replicate because the source purged required binary logs. Replicate the "
                 "missing transactions from elsewhere, or provision a new replica from backup.",
                 ErrorClass::fatal, Errc::mysql_binlog_purged},
        Numbered{1789,
                 "The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the "
                 "master has purged binary logs containing GTIDs that the slave requires.",
                 ErrorClass::fatal, Errc::mysql_binlog_purged},
        Numbered{1236,
                 "Could not find GTID state requested by slave in any binlog files. Probably the "
                 "slave state is too old and required binlog files have been purged.",
                 ErrorClass::fatal, Errc::mysql_binlog_purged},
        Numbered{1236,
                 "Replica has more GTIDs than the source has, using the source's SERVER_UUID.",
                 ErrorClass::fatal, Errc::mysql_gtids_missing},
        Numbered{1236, "Slave has more GTIDs than the master has, using the master's SERVER_UUID.",
                 ErrorClass::fatal, Errc::mysql_gtids_missing},
        Numbered{1236,
                 "Error: connecting slave requested to start from GTID 0-1-5, which is not in the "
                 "master's binlog. Since the master's binlog contains GTIDs with higher sequence "
                 "numbers, it probably means that the slave has diverged",
                 ErrorClass::fatal, Errc::mysql_gtids_missing},
        Numbered{1236,
                 "The binlog on the master is missing the GTID 0-1-5 requested by the slave (even "
                 "though both a prior and a subsequent sequence number does exist), and GTID "
                 "strict mode is enabled",
                 ErrorClass::fatal, Errc::mysql_gtids_missing},
        Numbered{1236,
                 "The replication sender thread cannot start in AUTO_POSITION mode: this server "
                 "has GTID_MODE = OFF instead of ON.",
                 ErrorClass::fatal, Errc::mysql_preflight},
        Numbered{1236,
                 "Cannot replicate anonymous transaction when AUTO_POSITION = 1, at file "
                 "./binlog.000001, position 157.",
                 ErrorClass::fatal, Errc::mysql_preflight},
        Numbered{1236, "Failed to load replication slave GTID state", ErrorClass::fatal,
                 Errc::mysql_preflight}));

TEST(StreamError, KeepsTheMeaningOfOtherNumbers) {
  EXPECT_EQ(stream_error_of(1053, "Server shutdown in progress", kPeer, kFrom).code,
            Errc::mysql_lost);
  EXPECT_EQ(stream_error_of(1227, "Access denied", kPeer, kFrom).code, Errc::mysql_denied);
}

}  // namespace
}  // namespace sluice::mysql
