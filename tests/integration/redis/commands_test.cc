// What works: pipelines, transactions, accounts, databases, the mapping.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>

#include <gmock/gmock.h>

#include "servers.h"

namespace sluice::redis {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

using Errors = std::vector<std::pair<std::size_t, std::string>>;

class RedisCommands : public OnServer {};
INSTANTIATE_TEST_SUITE_P(Servers, RedisCommands,
                         ::testing::Values("SLUICE_TEST_REDIS7", "SLUICE_TEST_REDIS8"),
                         server_name);

TEST_P(RedisCommands, PreflightReadsVersionAndPolicy) {
  const auto info = preflight(connection(), options_);
  ASSERT_TRUE(info.ok()) << to_string(info.error());
  EXPECT_EQ(info->product, "Redis");
  EXPECT_THAT(info->version, StartsWith(std::string(GetParam()).back() == '7' ? "7." : "8."));
  EXPECT_EQ(info->eviction_policy, "noeviction");
  EXPECT_THAT(info->warnings, IsEmpty());
}

TEST_P(RedisCommands, TheConnectionHasAName) {
  EXPECT_EQ(connection().command({"CLIENT", "GETNAME"})->text, "sluice");
}

// 100,000 commands in one write, with 20 MB of replies that nobody reads meanwhile.
TEST_P(RedisCommands, AHundredThousandCommandsInOneWriteAreAnswered) {
  constexpr std::size_t kCount = 100'000;
  const std::string value(200, 'v');
  ASSERT_TRUE(connection().command({"SET", key("big"), value}).ok());
  TextBuffer out;
  for (std::size_t i = 0; i < kCount; ++i) append_command(out, {"GET", key("big")});
  append_command(out, {"PING"});
  ASSERT_TRUE(connection().send(out.view()).ok());
  Errors errors;
  const auto status = connection().receive_checked(kCount, errors);
  ASSERT_TRUE(status.ok()) << to_string(status.error());
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(connection().receive()->text, "PONG");
}

TEST_P(RedisCommands, ATransactionOfManyRowsIsCountedWhole) {
  constexpr std::size_t kCount = 100'000;
  TextBuffer out;
  append_command(out, {"MULTI"});
  for (std::size_t i = 0; i < kCount; ++i)
    append_command(out, {"HSET", key("row" + std::to_string(i % 100)), "n", std::to_string(i)});
  append_command(out, {"EXEC"});
  ASSERT_TRUE(connection().send(out.view()).ok());
  Errors errors;
  ASSERT_TRUE(connection().receive_checked(1 + kCount, errors).ok());
  EXPECT_THAT(errors, IsEmpty());
  const auto exec = connection().receive_exec();
  ASSERT_TRUE(exec.ok()) << to_string(exec.error());
  EXPECT_TRUE(exec->done());
  EXPECT_EQ(exec->count, kCount);
  EXPECT_EQ(connection().command({"HGET", key("row99"), "n"})->text, std::to_string(kCount - 1));
}

// The apply step: one write holds the transaction and the next step's WATCH and GET.
TEST_P(RedisCommands, AnApplyStepWithAWrongTypeTellsWhichCommandFailed) {
  ASSERT_TRUE(connection().command({"SET", key("text"), "x"}).ok());
  TextBuffer out;
  append_command(out, {"MULTI"});
  append_command(out, {"HSET", key("h"), "a", "1"});
  append_command(out, {"HSET", key("text"), "a", "1"});
  append_command(out, {"SET", key("applied"), "record"});
  append_command(out, {"EXEC"});
  append_command(out, {"WATCH", key("applied")});
  append_command(out, {"GET", key("applied")});
  ASSERT_TRUE(connection().send(out.view()).ok());
  Errors errors;
  ASSERT_TRUE(connection().receive_checked(4, errors).ok());
  EXPECT_THAT(errors, IsEmpty());
  const auto exec = connection().receive_exec();
  ASSERT_TRUE(exec.ok()) << to_string(exec.error());
  EXPECT_TRUE(exec->done());
  EXPECT_EQ(exec->count, 3U);
  EXPECT_THAT(exec->errors, ElementsAre(Pair(1, StartsWith("WRONGTYPE"))));
  EXPECT_EQ(error_of_reply(exec->errors[0].second).cls, ErrorClass::poison);
  ASSERT_TRUE(connection().receive_checked(1, errors).ok());
  EXPECT_EQ(connection().receive()->text, "record");
  EXPECT_EQ(connection().command({"HGET", key("h"), "a"})->text, "1")
      << "the others are done all the same";
}

TEST_P(RedisCommands, TheFenceBreaksWhenAnotherWritesInBetween) {
  const auto other = connect();
  ASSERT_TRUE(connection().command({"WATCH", key("applied")}).ok());
  ASSERT_TRUE(other->command({"SET", key("applied"), "theirs"}).ok());
  TextBuffer out;
  append_command(out, {"MULTI"});
  append_command(out, {"HSET", key("h"), "a", "1"});
  append_command(out, {"SET", key("applied"), "ours"});
  append_command(out, {"EXEC"});
  append_command(out, {"WATCH", key("applied")});
  append_command(out, {"GET", key("applied")});
  ASSERT_TRUE(connection().send(out.view()).ok());
  Errors errors;
  ASSERT_TRUE(connection().receive_checked(3, errors).ok());
  const auto exec = connection().receive_exec();
  ASSERT_TRUE(exec.ok()) << to_string(exec.error());
  EXPECT_TRUE(exec->aborted);
  EXPECT_FALSE(exec->done());
  ASSERT_TRUE(connection().receive_checked(1, errors).ok());
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(connection().receive()->text, "theirs");
  EXPECT_EQ(connection().command({"EXISTS", key("h")})->integer, 0);
}

TEST_P(RedisCommands, ACommandThatCannotBeQueuedDiscardsTheTransaction) {
  TextBuffer out;
  append_command(out, {"MULTI"});
  append_command(out, {"SET", key("a"), "1"});
  append_command(out, {"NOSUCHCOMMAND", "secret"});
  append_command(out, {"EXEC"});
  ASSERT_TRUE(connection().send(out.view()).ok());
  Errors errors;
  ASSERT_TRUE(connection().receive_checked(3, errors).ok());
  ASSERT_THAT(errors, ElementsAre(Pair(2, StartsWith("ERR unknown command"))));
  EXPECT_EQ(error_of_reply(errors[0].second).what, "ERR unknown command 'NOSUCHCOMMAND'");
  const auto exec = connection().receive_exec();
  ASSERT_TRUE(exec.ok()) << to_string(exec.error());
  EXPECT_THAT(exec->refused, StartsWith("EXECABORT"));
  EXPECT_FALSE(exec->done());
  EXPECT_EQ(connection().command({"EXISTS", key("a")})->integer, 0);
}

TEST_P(RedisCommands, SelectedDatabasesAreApart) {
  ASSERT_TRUE(connection().command({"SET", key("db"), "zero"}).ok());
  RedisOptions other;
  ASSERT_TRUE(server_from_environment(GetParam(), other));
  other.database.set(9);
  auto nine = Connection::open(other);
  ASSERT_TRUE(nine.ok()) << to_string(nine.error());
  EXPECT_EQ((*nine)->command({"GET", key("db")})->kind, Reply::Kind::nil);
  other.database.set(65535);
  const auto none = Connection::open(other);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::redis_preflight);
  EXPECT_THAT(none.error().what, HasSubstr("redis.database"));
}

class RedisAccounts : public RedisCommands {
 protected:
  void TearDown() override {
    if (first_) {
      EXPECT_TRUE(first_->command({"ACL", "DELUSER", name()}).ok());
    }
    RedisCommands::TearDown();
  }
  static std::string name() { return "sluice-test-" + std::to_string(::getpid()); }
  RedisOptions& account(const char* password) {
    EXPECT_TRUE(server_from_environment(GetParam(), account_));
    account_.user.set(name());
    account_.password.set(Secret(password));
    return account_;
  }
  void make_user(std::string_view categories) {
    const auto r =
        connection().command({"ACL", "SETUSER", name(), "on", ">hunter2", "~*", categories});
    ASSERT_TRUE(r.ok());
    ASSERT_EQ(r->text, "OK");
  }
  RedisOptions account_;
};
INSTANTIATE_TEST_SUITE_P(Servers, RedisAccounts,
                         ::testing::Values("SLUICE_TEST_REDIS7", "SLUICE_TEST_REDIS8"),
                         server_name);

TEST_P(RedisAccounts, AnAccountLogsIn) {
  make_user("+@all");
  auto c = Connection::open(account("hunter2"));
  ASSERT_TRUE(c.ok()) << to_string(c.error());
  EXPECT_EQ((*c)->command({"ACL", "WHOAMI"})->text, name());
}

TEST_P(RedisAccounts, AWrongPasswordIsDenied) {
  make_user("+@all");
  const auto c = Connection::open(account("wrong"));
  ASSERT_FALSE(c.ok());
  EXPECT_EQ(c.error().cls, ErrorClass::fatal);
  EXPECT_EQ(c.error().code, Errc::redis_denied);
  EXPECT_THAT(c.error().what, AllOf(HasSubstr(std::to_string(options_.port())),
                                    HasSubstr("redis.user and redis.password")));
}

TEST_P(RedisAccounts, APasswordWhereNoneIsSetIsDenied) {
  RedisOptions o;
  ASSERT_TRUE(server_from_environment(GetParam(), o));
  o.password.set(Secret("something"));
  const auto c = Connection::open(o);
  ASSERT_FALSE(c.ok());
  EXPECT_EQ(c.error().code, Errc::redis_denied);
}

TEST_P(RedisAccounts, ACommandTheAccountMayNotUseIsDenied) {
  make_user("+get");
  auto c = Connection::open(account("hunter2"));
  ASSERT_TRUE(c.ok()) << to_string(c.error());
  const auto r = (*c)->command({"HSET", key("h"), "a", "1"});
  ASSERT_TRUE(r.ok());
  ASSERT_EQ(r->kind, Reply::Kind::error);
  EXPECT_EQ(error_of_reply(r->text).code, Errc::redis_denied);
  const auto info = preflight(**c, account_);
  ASSERT_TRUE(info.ok()) << to_string(info.error());
  EXPECT_EQ(info->warnings.size(), 4U);
}

// The line that docs/operate.md recommends, for rows of the database "shop" and instances of any
// name.
std::vector<std::string> recommended_account() {
  std::ifstream manual(SLUICE_MANUAL);
  for (std::string line; std::getline(manual, line);) {
    if (!line.starts_with("ACL SETUSER sluice ")) continue;
    std::istringstream words(line);
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

// The answer to a command of so many words.
Reply say(Connection& connection, const std::vector<std::string>& words) {
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words)
    request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  EXPECT_TRUE(connection.send(request).ok());
  auto reply = connection.receive();
  EXPECT_TRUE(reply.ok()) << to_string(reply.error());
  return reply ? std::move(reply).value() : Reply{};
}

TEST_P(RedisAccounts, TheRecommendedAccountIsEnoughAndNotMore) {
  auto words = recommended_account();
  ASSERT_THAT(words, AllOf(Contains("~sluice:*"), Contains("~shop:*"), Contains(">PASSWORD")));
  std::replace(words.begin(), words.end(), std::string("sluice"), name());
  std::replace(words.begin(), words.end(), std::string("~shop:*"), "~" + key("*"));
  ASSERT_EQ(say(connection(), words).text, "OK");
  RedisOptions& o = account("PASSWORD");
  o.database.set(9);
  auto c = Connection::open(o);
  ASSERT_TRUE(c.ok()) << to_string(c.error());
  const auto info = preflight(**c, o);
  ASSERT_TRUE(info.ok()) << to_string(info.error());
  EXPECT_THAT(info->warnings, IsEmpty());
  const std::string k = key("x");
  const std::vector<std::vector<std::string>> used{{"PING"},
                                                   {"TIME"},
                                                   {"ROLE"},
                                                   {"WATCH", k},
                                                   {"UNWATCH"},
                                                   {"MULTI"},
                                                   {"SET", k, "1"},
                                                   {"EXEC"},
                                                   {"GET", k},
                                                   {"TYPE", k},
                                                   {"EXISTS", k},
                                                   {"UNLINK", k},
                                                   {"HSET", k, "f", "1"},
                                                   {"HGET", k, "f"},
                                                   {"HINCRBY", k, "f", "1"},
                                                   {"HDEL", k, "f"},
                                                   {"DEL", k},
                                                   {"ZADD", k, "1", "m"},
                                                   {"ZRANGE", k, "0", "-1"},
                                                   {"ZREMRANGEBYSCORE", k, "-inf", "0"},
                                                   {"ZREM", k, "m"},
                                                   {"WAIT", "0", "1"}};
  for (const auto& command : used) {
    const Reply reply = say(**c, command);
    EXPECT_NE(reply.kind, Reply::Kind::error) << command.front() << ": " << reply.text;
  }
  const std::vector<std::vector<std::string>> others{
      {"SET", "somebody:else", "1"}, {"FLUSHALL"}, {"KEYS", "*"}};
  for (const auto& command : others) {
    const Reply denied = say(**c, command);
    EXPECT_THAT(denied.text, StartsWith("NOPERM"));
    EXPECT_THAT(error_of_reply(denied.text).what, HasSubstr("ACL SETUSER"));
  }
}

}  // namespace
}  // namespace sluice::redis
