#include <string>

#include <gmock/gmock.h>

#include "sluice/redis/connection.h"

namespace sluice::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::pair<ErrorClass, Errc> class_of(std::string_view text) {
  const Error e = error_of_reply(text);
  return {e.cls, e.code};
}

TEST(ErrorReply, WhatPassesByItselfIsRetried) {
  for (const char* text :
       {"LOADING Redis is loading the dataset in memory",
        "READONLY You can't write against a read only replica.",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "CLUSTERDOWN The cluster is down",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "NOREPLICAS Not enough good replicas to write.",
        "UNKILLABLE Sorry the script already executed write commands against the dataset.",
        "ERR max number of clients reached",
        "EXECABORT Transaction discarded because of previous errors.",
        "EXECABORT Transaction discarded because of: LOADING Redis is loading the dataset in "
        "memory",
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> "
        "replica?)",
        "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if "
        "a replica is configured to be writable (which is not the default) writes to replicas are "
        "just local and are not propagated.",
        "LOADING"})
    EXPECT_EQ(class_of(text), std::pair(ErrorClass::retry, Errc::redis_unavailable)) << text;
}

TEST(ErrorReply, WhatTheAccountMayNotIsFatal) {
  for (const char* text :
       {"NOAUTH Authentication required.",
        "NOPERM this user has no permissions to run the 'hset' command",
        "WRONGPASS invalid username-password pair or user is disabled.", "ERR invalid password",
        "DENIED Redis is running in protected mode because protected mode is enabled",
        "EXECABORT Transaction discarded because of: NOPERM ACLs rules changed"})
    EXPECT_EQ(class_of(text), std::pair(ErrorClass::fatal, Errc::redis_denied)) << text;
}

TEST(ErrorReply, AClusterIsASettingWeCannotWorkWith) {
  for (const char* text :
       {"MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381", "REDIRECT 127.0.0.1:6381"})
    EXPECT_EQ(class_of(text), std::pair(ErrorClass::fatal, Errc::redis_preflight)) << text;
}

TEST(ErrorReply, TheRestIsPoison) {
  for (const char* text : {"WRONGTYPE Operation against a key holding the wrong kind of value",
                           "ERR value is not an integer or out of range",
                           "CROSSSLOT Keys in request don't hash to the same slot",
                           "ERR LOADING is no code here", "OOMPH", "", " "})
    EXPECT_EQ(class_of(text), std::pair(ErrorClass::poison, Errc::redis_refused)) << text;
}

TEST(ErrorReply, ArgumentsThatTheServerRepeatsAreCutOff) {
  const Error e = error_of_reply(
      "ERR unknown command 'HSET', with args beginning with: 'shop:user:1' 'secret' ");
  EXPECT_EQ(e.what, "ERR unknown command 'HSET'");
}

TEST(ErrorReply, LongTextsAndControlCharactersStayOutOfTheLog) {
  const Error e = error_of_reply("ERR \x01\n" + std::string(5000, 'x'));
  EXPECT_LE(e.what.size(), 300U);
  EXPECT_THAT(e.what, Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace sluice::redis
