#include "sluice/mysql/preflight.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/mysql/replication_stream.h"

#include "integration/mysql/server.h"

namespace sluice::mysql {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

testing::Matcher<const Finding&> finding(bool fatal, const std::string& problem,
                                         const std::string& remedy) {
  return AllOf(Field("fatal", &Finding::fatal, fatal),
               Field("problem", &Finding::problem, HasSubstr(problem)),
               Field("remedy", &Finding::remedy, HasSubstr(remedy)));
}

class SourcePreflight : public OnServer {
 protected:
  void SetUp() override {
    OnServer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    identity_.server_id = 700000000U + static_cast<std::uint32_t>(::getpid());
    identity_.uuid = value("SELECT UUID()");
  }
  std::vector<Finding> check(const std::string& rights,
                             const std::optional<BinlogPosition>& from = std::nullopt) {
    OwnOptions o;
    make_account(o.source, rights);
    return check(o.source, from);
  }
  std::vector<Finding> check(const SourceOptions& options,
                             const std::optional<BinlogPosition>& from = std::nullopt) {
    auto connection = Connection::open(options);
    EXPECT_TRUE(connection.ok()) << connection.error().what;
    if (!connection) return {};
    auto findings = preflight(*connection, options, identity_, from, takes_);
    EXPECT_TRUE(findings.ok()) << findings.error().what;
    return findings ? std::move(findings).value() : std::vector<Finding>();
  }
  SourcePosition latest() {
    auto position = latest_position(admin());
    EXPECT_TRUE(position.ok()) << position.error().what;
    return position ? std::move(position).value() : SourcePosition();
  }
  ReplicaIdentity identity_;
  TableTest takes_ = [](std::string_view, std::string_view) { return true; };
};

TEST_P(SourcePreflight, FindsNothingOnASourceThatIsSetUp) {
  EXPECT_THAT(check(all_rights(), latest().position), ElementsAre());
}

TEST_P(SourcePreflight, FindsNothingAmissInACompressedBinlog) {
  const std::string name = is_mysql() ? "binlog_transaction_compression" : "log_bin_compress";
  // The server keeps 0 and 1 where it prints OFF and ON.
  sql("SET GLOBAL " + name + " = ON");
  undo_.push_back("SET GLOBAL " + name + " = OFF");
  EXPECT_THAT(check(all_rights(), latest().position), ElementsAre());
}

TEST_P(SourcePreflight, FindsNothingAmissInJsonDifferencesOfWholeImages) {
  if (is_mysql()) set_global("binlog_row_value_options", "PARTIAL_JSON");
  EXPECT_THAT(check(all_rights(), latest().position), ElementsAre());
}

TEST_P(SourcePreflight, NamesForeignKeysThatChangeRowsUnseen) {
  sql("CREATE TABLE " + database() + ".p (id INT PRIMARY KEY, k INT UNIQUE)");
  sql("CREATE TABLE " + database() +
      ".c (id INT PRIMARY KEY, p INT, q INT, r INT, CONSTRAINT one "
      "FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE, CONSTRAINT two FOREIGN KEY (q) "
      "REFERENCES p (k) ON UPDATE SET NULL ON DELETE SET NULL, CONSTRAINT three FOREIGN KEY (r) "
      "REFERENCES p (id))");
  const std::string table = database() + ".c";
  // MySQL 9.7 logs what foreign keys do.
  const bool logged = is_mysql() && value("SELECT @@innodb_native_foreign_keys") == "0";
  if (logged)
    EXPECT_THAT(check(all_rights()), ElementsAre());
  else
    EXPECT_THAT(check(all_rights()),
                ElementsAre(finding(false,
                                    ": " + table + " (one ON DELETE CASCADE), " + table +
                                        " (two ON DELETE SET NULL ON UPDATE SET NULL)",
                                    "RESTRICT")));
  takes_ = [](std::string_view, std::string_view name) { return name != "c"; };
  EXPECT_THAT(check(all_rights()), ElementsAre());
}

TEST_P(SourcePreflight, NamesEverySettingAtOnceWithItsRemedy) {
  set_global("binlog_format", "STATEMENT");
  set_global("binlog_row_image", "MINIMAL");
  set_global("binlog_row_metadata", "MINIMAL");
  const auto findings = check(all_rights());
  EXPECT_THAT(
      findings,
      Contains(finding(true, "binlog_format is STATEMENT",
                       "SET GLOBAL binlog_format = 'ROW'; and binlog_format = ROW in my.cnf")));
  EXPECT_THAT(findings, Contains(finding(true, "binlog_row_image is MINIMAL",
                                         "SET GLOBAL binlog_row_image = 'FULL'")));
  EXPECT_THAT(findings, Contains(finding(false, "binlog_row_metadata is MINIMAL",
                                         "SET GLOBAL binlog_row_metadata = 'FULL'")));
  EXPECT_EQ(findings.size(), 3U);
}

TEST_P(SourcePreflight, TakesPartialRowImagesWhenTold) {
  set_global("binlog_row_image", "MINIMAL");
  OwnOptions o;
  o.source.row_image.set(SourceOptions::RowImage::any);
  make_account(o.source, all_rights());
  EXPECT_THAT(check(o.source), ElementsAre(finding(false, "row_image: any accepts",
                                                   "SET GLOBAL binlog_row_image = 'FULL'")));
}

TEST_P(SourcePreflight, RefusesJsonDifferencesWithoutTheirDocuments) {
  set_global("binlog_row_image", "NOBLOB");
  if (is_mysql()) set_global("binlog_row_value_options", "PARTIAL_JSON");
  OwnOptions o;
  o.source.row_image.set(SourceOptions::RowImage::any);
  make_account(o.source, all_rights());
  const auto findings = check(o.source);
  const auto refused = finding(true, "binlog_row_value_options is PARTIAL_JSON",
                               "SET GLOBAL binlog_row_value_options = ''");
  if (is_mysql()) {
    EXPECT_THAT(findings, Contains(refused));
  } else {  // which logs no JSON differences
    EXPECT_THAT(findings, Not(Contains(Field("fatal", &Finding::fatal, true))));
  }
}

TEST_P(SourcePreflight, ItsRemediesAreStatementsTheServerTakes) {
  set_global("binlog_format", "STATEMENT");
  set_global("binlog_row_image", "MINIMAL");
  set_global("binlog_row_metadata", "MINIMAL");
  for (const Finding& f : check(all_rights())) sql(f.remedy.substr(0, f.remedy.find(';')));
  EXPECT_THAT(check(all_rights()), ElementsAre());
}

TEST_P(SourcePreflight, NamesEachPrivilegeThatIsMissing) {
  const std::string client = is_mysql() ? "REPLICATION CLIENT" : "BINLOG MONITOR";
  EXPECT_THAT(check(""),
              Contains(finding(true, "lacks SELECT, REPLICATION SLAVE, " + client,
                               "GRANT SELECT, REPLICATION SLAVE, " + client + " ON *.* TO '")));
  EXPECT_THAT(
      check("SELECT, REPLICATION CLIENT"),
      ElementsAre(finding(true, "lacks REPLICATION SLAVE", "GRANT REPLICATION SLAVE ON *.*")));
  EXPECT_THAT(check("SELECT, REPLICATION SLAVE"),
              ElementsAre(finding(true, "lacks " + client, "GRANT " + client + " ON *.*")));
  EXPECT_THAT(check("REPLICATION SLAVE, REPLICATION CLIENT"),
              ElementsAre(finding(true, "lacks SELECT", "GRANT SELECT ON *.*")));
  EXPECT_THAT(check("ALL PRIVILEGES"), ElementsAre());
}

TEST_P(SourcePreflight, ItsGrantMendsThePrivileges) {
  OwnOptions o;
  make_account(o.source, "");
  for (const Finding& f : check(o.source)) sql(f.remedy);
  EXPECT_THAT(check(o.source), ElementsAre());
}

TEST_P(SourcePreflight, KnowsPrivilegesThatComeByARole) {
  OwnOptions o;
  make_account(o.source, "");
  const std::string role = "sluice_r" + std::to_string(::getpid());
  sql("CREATE ROLE " + role);
  undo_.push_back("DROP ROLE " + role);
  sql("GRANT " + all_rights() + " ON *.* TO " + role);
  sql("GRANT " + role + " TO '" + o.source.user() + "'@'%'");
  sql(is_mysql() ? "SET DEFAULT ROLE " + role + " TO '" + o.source.user() + "'@'%'"
                 : "SET DEFAULT ROLE " + role + " FOR '" + o.source.user() + "'@'%'");
  EXPECT_THAT(check(o.source), ElementsAre());
}

TEST_P(SourcePreflight, WarnsOfSelectOnSomeTablesOnly) {
  OwnOptions o;
  make_account(o.source, "REPLICATION SLAVE, REPLICATION CLIENT");
  sql("GRANT SELECT ON " + database() + ".* TO '" + o.source.user() + "'@'%'");
  EXPECT_THAT(check(o.source),
              ElementsAre(finding(false, "SELECT on some tables only", "GRANT SELECT ON *.*")));
}

TEST_P(SourcePreflight, MissesAPurgedFile) {
  const std::string base = latest().position.file.substr(0, latest().position.file.rfind('.'));
  EXPECT_THAT(
      check(all_rights(), BinlogPosition{base + ".999998", 4}),
      ElementsAre(finding(true, base + ".999998 is not on the source", "load the data anew")));
}

TEST_P(SourcePreflight, SeesAPositionBeyondTheEnd) {
  BinlogPosition from = latest().position;
  from.pos += 10'000'000;
  EXPECT_THAT(check(all_rights(), from),
              ElementsAre(finding(true, "beyond the end of the file", "load the data anew")));
}

TEST_P(SourcePreflight, RefusesTheSourcesOwnServerIdAndZero) {
  identity_.server_id = static_cast<std::uint32_t>(std::stoul(value("SELECT @@GLOBAL.server_id")));
  EXPECT_THAT(check(all_rights()),
              ElementsAre(finding(true, "is the source's own", "source.server_id")));
  identity_.server_id = 0;
  EXPECT_THAT(check(all_rights()),
              ElementsAre(finding(true, "our server_id is 0", "source.server_id")));
}

TEST_P(SourcePreflight, TellsAStrangerWithOurServerIdFromOurselves) {
  OwnOptions o;
  make_account(o.source, is_mysql() ? all_rights() : all_rights() + ", REPLICATION MASTER ADMIN");
  const auto stream = ReplicationStream::open(o.source, endpoints_of(o.source).front(), identity_,
                                              latest().position);
  ASSERT_TRUE(stream.ok()) << stream.error().what;
  EXPECT_THAT(check(o.source), ElementsAre());
  identity_.uuid = value("SELECT UUID()");
  EXPECT_THAT(check(o.source),
              ElementsAre(finding(true, "is taken by another replica", "source.server_id")));
}

TEST_P(SourcePreflight, KnowsTheSource) {
  const auto identity = read_source_identity(admin());
  ASSERT_TRUE(identity.ok()) << identity.error().what;
  EXPECT_EQ(identity->flavor, flavor());
  EXPECT_EQ(std::to_string(identity->server_id), value("SELECT @@GLOBAL.server_id"));
  EXPECT_EQ(identity->binlog_base + ".",
            latest().position.file.substr(0, identity->binlog_base.size() + 1));
  if (is_mysql()) {
    EXPECT_EQ(identity->server_uuid, value("SELECT @@GLOBAL.server_uuid"));
  }
}

TEST_P(SourcePreflight, KnowsTheEndsOfTheBinlog) {
  sql("FLUSH BINARY LOGS");
  const SourcePosition before = latest();
  sql("CREATE TABLE " + database() + ".p (a INT)");
  const SourcePosition after = latest();
  EXPECT_EQ(after.position.file, before.position.file);
  EXPECT_GT(after.position.pos, before.position.pos);
  EXPECT_EQ(after.gtids.flavor(), flavor());
  EXPECT_TRUE(after.gtids.contains(before.gtids));
  EXPECT_FALSE(before.gtids.contains(after.gtids));
  EXPECT_EQ(after.gtids.to_string(),
            value(is_mysql() ? "SELECT REPLACE(@@GLOBAL.gtid_executed, '\\n', '')"
                             : "SELECT @@GLOBAL.gtid_binlog_pos"));
  const auto earliest = earliest_position(admin());
  ASSERT_TRUE(earliest.ok());
  EXPECT_EQ(earliest->pos, 4U);
  EXPECT_EQ(earliest->file, sql("SHOW BINARY LOGS").front()[0]);
}

INSTANTIATE_TEST_SUITE_P(On, SourcePreflight, kAllServers, server_name);

}  // namespace
}  // namespace sluice::mysql
