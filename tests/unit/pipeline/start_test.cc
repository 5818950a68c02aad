#include "pipeline/start.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::pipeline {
namespace {

using ::testing::HasSubstr;

TEST(ReplicaIdentity, IsTheSameAtEachStart) {
  Options options;
  options.instance.set("orders");
  const auto first = replica_identity(options), second = replica_identity(options);
  EXPECT_EQ(first.server_id, second.server_id);
  EXPECT_EQ(first.uuid, second.uuid);
}

TEST(ReplicaIdentity, IsAnIdThatPeopleDoNotGiveByHandAndAUuid) {
  std::set<std::uint32_t> ids;
  std::set<std::string> uuids;
  for (int i = 0; i < 200; ++i) {
    Options options;
    options.instance.set("i" + std::to_string(i));
    const auto identity = replica_identity(options);
    EXPECT_GE(identity.server_id, 0x40000000u);
    EXPECT_LT(identity.server_id, 0x80000000u);
    EXPECT_TRUE(parse_uuid(identity.uuid).ok()) << identity.uuid;
    EXPECT_EQ(identity.uuid.size(), 36u);
    EXPECT_EQ(identity.uuid[14], '8') << "version: made by us";
    EXPECT_EQ(identity.uuid[19], 'a') << "variant of RFC 9562";
    ids.insert(identity.server_id);
    uuids.insert(identity.uuid);
  }
  EXPECT_EQ(ids.size(), 200u) << "instances differ";
  EXPECT_EQ(uuids.size(), 200u);
}

TEST(ReplicaIdentity, TakesTheConfiguredServerId) {
  Options options;
  options.source.server_id.set(42);
  EXPECT_EQ(replica_identity(options).server_id, 42u);
}

TEST(Names, AreMadeOfInstanceAndPartitions) {
  Options options;
  options.instance.set("orders");
  options.queue.partitions.set(8);
  EXPECT_EQ(names_of(options).partition(3), "sluice.orders.p8.3");
  EXPECT_EQ(layout_of(options).partitions, 8u);
}

mysql::SourceIdentity identity(Flavor flavor) {
  return {flavor, "3e11fa47-71ca-11e1-9e33-c80aa9429562", 7, 2, "binlog"};
}

TEST(SameSource, KnowsItsServerAgain) {
  for (const Flavor flavor : {Flavor::mysql, Flavor::mariadb})
    EXPECT_TRUE(same_source(source_state(identity(flavor)), source_state(identity(flavor))).ok());
}

TEST(SameSource, RefusesAnotherServerAndSaysWhatDiffers) {
  const auto refused = [](const mysql::SourceIdentity& was, const mysql::SourceIdentity& is) {
    const Status s = same_source(source_state(was), source_state(is));
    if (s.ok()) return std::string("taken");
    EXPECT_EQ(s.error().cls, ErrorClass::fatal);
    EXPECT_EQ(s.error().code, Errc::mysql_identity);
    return s.error().what;
  };
  const auto mysql = identity(Flavor::mysql), mariadb = identity(Flavor::mariadb);
  auto other = mysql;
  other.server_uuid[0] = '4';
  EXPECT_THAT(refused(mysql, other), HasSubstr("server_uuid"));
  other = mysql;
  other.binlog_base = "mysql-bin";
  EXPECT_THAT(refused(mysql, other), HasSubstr("base name was binlog, is mysql-bin"));
  other = mariadb;
  other.server_id = 8;
  EXPECT_THAT(refused(mariadb, other), HasSubstr("server_id was 7, is 8"));
  other = mariadb;
  other.domain_id = 3;
  EXPECT_THAT(refused(mariadb, other), HasSubstr("gtid_domain_id"));
  EXPECT_THAT(refused(mysql, mariadb), HasSubstr("flavour"));
}

TEST(SameSource, MysqlMayChangeItsServerIdBecauseItsUuidTells) {
  auto other = identity(Flavor::mysql);
  other.server_id = 99;
  EXPECT_TRUE(same_source(source_state(identity(Flavor::mysql)), source_state(other)).ok());
}

TEST(SameFlavor, RefusesTheOtherFamilyOnly) {
  mysql::ServerInfo now;
  now.flavor = Flavor::mariadb;
  now.version = "10.11.6-MariaDB";
  EXPECT_TRUE(same_flavor(source_state(identity(Flavor::mariadb)), now).ok());
  const Status s = same_flavor(source_state(identity(Flavor::mysql)), now);
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::mysql_identity);
  EXPECT_THAT(s.error().what, HasSubstr("the source is mariadb 10.11.6-MariaDB, and this instance "
                                        "followed mysql"));
}

TEST(Require, NamesAllFatalFindingsWithTheirRemedies) {
  EXPECT_TRUE(require({{false, "slow", "hurry"}}).ok());
  const Status s = require({{true, "no binlog", "log_bin"},
                            {false, "slow", "hurry"},
                            {true, "not ROW", "binlog_format"}});
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::mysql_preflight);
  EXPECT_EQ(s.error().what, "no binlog -> log_bin; not ROW -> binlog_format");
}

}  // namespace
}  // namespace sluice::pipeline
