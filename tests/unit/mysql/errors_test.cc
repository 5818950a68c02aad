#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mysql/client.h"
#include "mysql/stream_errors.h"

namespace sluice::mysql {
namespace {

using testing::HasSubstr;

const Peer kPeer{"db1:3306", "repl"};
const BinlogPosition kFrom{"binlog.000003", 1234};

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
        Numbered{1236,
                 "Slave can not handle replication events with the checksum that master is "
                 "configured to log",
                 ErrorClass::retry, Errc::mysql_lost},
        Numbered{
            1236,
            "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source",
            ErrorClass::fatal, Errc::mysql_preflight},
        Numbered{1236, "Binary log is not open", ErrorClass::fatal, Errc::mysql_preflight},
        Numbered{1236, "bogus data in log event", ErrorClass::fatal, Errc::mysql_query}));

TEST(StreamError, KeepsTheMeaningOfOtherNumbers) {
  EXPECT_EQ(stream_error_of(1053, "Server shutdown in progress", kPeer, kFrom).code,
            Errc::mysql_lost);
  EXPECT_EQ(stream_error_of(1227, "Access denied", kPeer, kFrom).code, Errc::mysql_denied);
}

}  // namespace
}  // namespace sluice::mysql
