#include "queue/broker_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::queue {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Peer kPeer{"mq.example", 5672, "o'neil", "shop"};

struct Case {
  std::uint16_t code;
  const char* text;
  bool logging_in;
  ErrorClass cls;
  Errc errc;
};

TEST(BrokerError, ClassFollowsTheReplyCode) {
  const Case cases[] = {
      {403, "ACCESS_REFUSED - Login was refused", true, ErrorClass::fatal, Errc::queue_denied},
      {403, "ACCESS_REFUSED - access to queue 'q' in vhost '/' refused", false, ErrorClass::fatal,
       Errc::queue_denied},
      {530, "NOT_ALLOWED - vhost shop not found", true, ErrorClass::fatal, Errc::queue_denied},
      {404, "NOT_FOUND - no queue 'q' in vhost '/'", false, ErrorClass::fatal,
       Errc::queue_topology},
      {405, "RESOURCE_LOCKED - cannot obtain exclusive access", false, ErrorClass::fatal,
       Errc::queue_topology},
      {406, "PRECONDITION_FAILED - inequivalent arg 'x-queue-type'", false, ErrorClass::fatal,
       Errc::queue_topology},
      {406, "PRECONDITION_FAILED - message size 20 is larger than configured max size 16", false,
       ErrorClass::fatal, Errc::queue_message},
      {311, "CONTENT_TOO_LARGE", false, ErrorClass::fatal, Errc::queue_message},
      {320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", false,
       ErrorClass::retry, Errc::queue_lost},
      {541, "INTERNAL_ERROR", false, ErrorClass::retry, Errc::queue_lost},
      {504, "CHANNEL_ERROR", false, ErrorClass::retry, Errc::queue_lost},
  };
  for (const Case& c : cases) {
    const Error e = broker_error(kPeer, c.code, c.text, c.logging_in);
    EXPECT_EQ(e.cls, c.cls) << c.text;
    EXPECT_EQ(e.code, c.errc) << c.text;
    EXPECT_THAT(e.what, HasSubstr("mq.example:5672"));
    EXPECT_THAT(e.what, HasSubstr(c.text));
  }
}

TEST(BrokerError, WhatPassesByItselfIsRetriedInSpiteOfItsCode) {
  const std::pair<std::uint16_t, const char*> cases[] = {
      {404,
       "NOT_FOUND - home node 'rabbit@b' of durable queue 'q' in vhost '/' is down or "
       "inaccessible"},
      {406, "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out"},
      {530,
       "NOT_ALLOWED - access to vhost 'shop' refused for user 'u': connection limit (10) is "
       "reached"},
      {530, "NOT_ALLOWED - access to vhost 'shop' refused for user 'u': vhost 'shop' is down"},
  };
  for (const auto& [code, text] : cases) {
    const Error e = broker_error(kPeer, code, text, true);
    EXPECT_EQ(e.cls, ErrorClass::retry) << text;
    EXPECT_EQ(e.code, Errc::queue_lost) << text;
  }
}

TEST(BrokerError, RemedyIsACommandThatCanBePasted) {
  const Error login = broker_error(kPeer, 403, "ACCESS_REFUSED", true);
  EXPECT_THAT(login.what, HasSubstr(R"(rabbitmqctl add_user 'o'\''neil' PASSWORD)"));
  const Error use = broker_error(kPeer, 403, "ACCESS_REFUSED", false);
  EXPECT_THAT(
      use.what,
      HasSubstr(
          R"(rabbitmqctl set_permissions -p 'shop' 'o'\''neil' '^sluice\.' '^sluice\.' '^sluice\.')"));
  EXPECT_THAT(use.what, Not(HasSubstr("add_user")));
  EXPECT_THAT(broker_error(kPeer, 530, "NOT_ALLOWED - vhost shop not found", true).what,
              HasSubstr("add_vhost 'shop'"));
}

}  // namespace
}  // namespace sluice::queue
