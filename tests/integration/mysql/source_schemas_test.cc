#include "sluice/mysql/source_schemas.h"

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/mysql/preflight.h"
#include "sluice/schema/definitions.h"

#include "integration/mysql/server.h"
#include "unit/schema/schema_text.h"

namespace sluice::mysql {
namespace {

using schema::Place;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SourceSchemasTest : public OnServer {
 protected:
  void SetUp() override {
    OnServer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_account(options_.source, all_rights());
    hosts_.emplace(options_.source);
    identity_ = derived_identity("test " + std::to_string(::getpid()), 7);
    schemas_.emplace(settings());
  }
  SourceSchemas::Settings settings() {
    return {&*hosts_, second_identity(identity_),
            [](std::string_view name) { return name == database(); }, stop_.get_token()};
  }
  Place end() {
    auto latest = latest_position(admin());
    EXPECT_TRUE(latest.ok());
    return {1, latest.ok() ? latest->position : BinlogPosition()};
  }
  std::string full(const std::string& table) const { return database() + "." + table; }
  SchemaBaseline baseline(const std::optional<Place>& from = std::nullopt) {
    auto read = schemas_->baseline(1, from ? std::optional(from->position()) : std::nullopt);
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : to_string(read.error()));
    return read.ok() ? std::move(read).value() : SchemaBaseline();
  }
  static std::string names_of(const TableSchema* table) {
    if (table == nullptr) return "none";
    std::string out;
    for (const ColumnSchema& c : table->columns) out += (out.empty() ? "" : ",") + c.name;
    return out;
  }
  std::string names_of(const SchemaBaseline& read, const std::string& table) const {
    if (read.tables.is_lost(database(), table)) return "lost";
    return names_of(read.tables.find(database(), table));
  }
  std::vector<schema::DdlStatement> statements(const Place& from, const Place& to) {
    std::vector<schema::DdlStatement> out;
    const Status s =
        scan_statements(options_.source, hosts_->current(), second_identity(identity_), from, to,
                        {}, [&out](const schema::DdlStatement& one) -> Status {
                          out.push_back(one);
                          return {};
                        });
    EXPECT_TRUE(s.ok()) << (s.ok() ? "" : to_string(s.error()));
    return out;
  }
  static std::vector<std::string> texts(const std::vector<schema::DdlStatement>& statements) {
    std::vector<std::string> out;
    for (const auto& s : statements) out.push_back(s.text);
    return out;
  }

  OwnOptions options_;
  std::optional<Hosts> hosts_;
  ReplicaIdentity identity_;
  std::stop_source stop_;
  std::optional<SourceSchemas> schemas_;
};

TEST_P(SourceSchemasTest, TheSecondIdentityIsNotTheFirst) {
  const ReplicaIdentity second = second_identity(identity_);
  EXPECT_NE(second.server_id, identity_.server_id);
  EXPECT_NE(second.uuid, identity_.uuid);
  EXPECT_EQ(second.uuid, second_identity(identity_).uuid);
}

TEST_P(SourceSchemasTest, ReadsAllTablesOfTheWantedDatabases) {
  sql("CREATE TABLE " + full("a") +
      " (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET latin1, UNIQUE KEY u (v))");
  sql("CREATE TABLE " + full("`o`` dd`") + " (x BIGINT UNSIGNED NOT NULL, e ENUM('a','it''s'))");
  sql("CREATE VIEW " + full("view") + " AS SELECT 1");
  sql("ALTER DATABASE " + database() + " CHARACTER SET gbk");
  const SchemaBaseline read = baseline();
  EXPECT_EQ(read.place, end());
  EXPECT_EQ(read.now, read.place);
  EXPECT_THAT(read.later, IsEmpty());
  EXPECT_EQ(read.tables.tables().size(), 2U);
  EXPECT_THAT(read.tables.lost(), IsEmpty());
  EXPECT_EQ(read.tables.databases(), (std::map<std::string, std::string>{{database(), "gbk"}}));
  const Hosts admin_hosts(admin_options_.source);
  MysqlSchemaSource by_information_schema(admin_hosts);
  for (const std::string name : {"a", "o` dd"}) {
    const TableSchema* table = read.tables.find(database(), name);
    ASSERT_NE(table, nullptr) << name;
    const auto other = by_information_schema.read_table(database(), name);
    ASSERT_TRUE(other.ok());
    EXPECT_EQ(schema::full_text(*table), schema::full_text(*other));
    EXPECT_TRUE(table->detail) << "what ALTERs to come need";
  }
}

TEST_P(SourceSchemasTest, ReadsManyTablesInFewQuestions) {
  constexpr int kTables = 110;  // more than are asked for at once
  for (int i = 0; i < kTables; ++i)
    sql("CREATE TABLE " + full("t" + std::to_string(i)) + " (c" + std::to_string(i) + " INT)");
  const SchemaBaseline read = baseline();
  EXPECT_EQ(read.tables.tables().size(), std::size_t{kTables});
  for (int i = 0; i < kTables; ++i)
    EXPECT_EQ(names_of(read, "t" + std::to_string(i)), "c" + std::to_string(i));
}

TEST_P(SourceSchemasTest, ATableThatMayNotBeReadIsLeftOut) {
  sql("CREATE TABLE " + full("mine") + " (a INT)");
  sql("CREATE TABLE " + full("secret") + " (a INT)");
  OwnOptions o;
  make_account(o.source, "REPLICATION SLAVE, REPLICATION CLIENT");
  sql("GRANT SELECT ON " + full("mine") + " TO '" + o.source.user() + "'@'%'");
  const Hosts poor_hosts(o.source);
  auto with = settings();
  with.hosts = &poor_hosts;
  schemas_.emplace(std::move(with));
  const SchemaBaseline read = baseline();
  EXPECT_EQ(names_of(read, "mine"), "a");
  EXPECT_EQ(names_of(read, "secret"), "none");
}

TEST_P(SourceSchemasTest, HandsOverTheStatementsBetweenTwoPlaces) {
  sql("CREATE TABLE " + full("before") + " (a INT)");
  const Place from = end();
  sql("USE " + database());
  sql("CREATE TABLE one (a INT)");
  sql("INSERT INTO one VALUES (1)");
  sql("SET SESSION sql_mode = 'ANSI_QUOTES'");
  sql("FLUSH BINARY LOGS");
  sql("ALTER TABLE \"one\" ADD b TIMESTAMP NULL");
  sql("SET SESSION sql_mode = ''");
  const Place middle = end();
  sql("CREATE TABLE two AS SELECT 1 AS x");
  sql("FLUSH BINARY LOGS");
  const Place to = end();
  sql("DROP TABLE one");

  const auto all = statements(from, to);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].text, "CREATE TABLE one (a INT)");
  EXPECT_GT(all[0].place, from);
  EXPECT_EQ(all[0].context.database, database());
  EXPECT_EQ(all[0].context.flavor, flavor());
  EXPECT_EQ(all[0].context.version, admin().server().version_number);
  EXPECT_EQ(all[0].context.sql_mode & 4U, 0U);
  EXPECT_EQ(all[1].text, "ALTER TABLE \"one\" ADD b TIMESTAMP NULL");
  EXPECT_EQ(all[1].context.sql_mode & 4U, 4U);
  EXPECT_EQ(all[1].place, middle);
  EXPECT_THAT(all[2].text, HasSubstr("CREATE TABLE `two`"));
  EXPECT_THAT(texts(statements(from, middle)), ElementsAre(all[0].text, all[1].text));
  EXPECT_THAT(texts(statements(all[0].place, middle)), ElementsAre(all[1].text));
  EXPECT_THAT(statements(to, to), IsEmpty());
  EXPECT_THAT(statements(to, from), IsEmpty());
}

TEST_P(SourceSchemasTest, AStopEndsTheLook) {
  const Place from = end();
  sql("CREATE TABLE " + full("t") + " (a INT)");
  stop_.request_stop();
  const Status s =
      scan_statements(options_.source, hosts_->current(), second_identity(identity_), from, end(),
                      stop_.get_token(), [](const auto&) { return Status(); });
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::stopped);
}

TEST_P(SourceSchemasTest, KnowsOfAnOlderPlaceWhatHasNotChangedSince) {
  for (const char* name : {"kept", "altered", "dropped", "renamed"})
    sql("CREATE TABLE " + full(name) + " (a INT)");
  const Place from = end();
  sql("ALTER TABLE " + full("altered") + " ADD b INT");
  const Place altered = end();
  sql("DROP TABLE " + full("dropped"));
  sql("CREATE TABLE " + full("made") + " (m INT)");
  sql("RENAME TABLE " + full("renamed") + " TO " + full("new_name"));
  sql("ALTER DATABASE " + database() + " CHARACTER SET gbk");
  const SchemaBaseline read = baseline(from);
  EXPECT_EQ(read.place, from);
  EXPECT_EQ(read.now, end());
  EXPECT_EQ(names_of(read, "kept"), "a");
  for (const char* name : {"altered", "dropped", "made", "renamed", "new_name"})
    EXPECT_EQ(names_of(read, name), "lost") << name;
  EXPECT_EQ(read.tables.charset_of(database()), "") << "it was changed since";
  EXPECT_EQ(read.altered.size(), 2U) << "those that were there";
  EXPECT_EQ(read.altered.at({database(), "altered"}), altered);
  EXPECT_TRUE(read.altered.contains({database(), "renamed"}));
  std::map<std::string, std::string> later;
  for (const auto& [place, table] : read.later) {
    later[table.name] = names_of(&table);
    if (table.name == "altered") {
      EXPECT_EQ(place, altered);
    }
  }
  EXPECT_EQ(later, (std::map<std::string, std::string>{
                       {"altered", "a,b"}, {"made", "m"}, {"new_name", "a"}}));
}

TEST_P(SourceSchemasTest, ReadsATableForAPlaceUnlessItWasChangedSince) {
  sql("CREATE TABLE " + full("t") + " (a INT)");
  const Place first = end();
  const auto read = [this](const Place& place) {
    const auto table = schemas_->read_table_at(database(), "t", place);
    return table.ok() ? names_of(&*table) : std::string(errc_name(table.error().code));
  };
  EXPECT_EQ(read(first), "a");
  sql("CREATE TABLE " + full("other") + " (a INT)");
  EXPECT_EQ(read(first), "a");
  sql("ALTER TABLE " + full("t") + " ADD b INT");
  const Place second = end();
  EXPECT_EQ(read(first), "schema.unknown");
  EXPECT_EQ(read(second), "a,b");
  EXPECT_EQ(read(first), "schema.unknown");
  SourceSchemas fresh(settings());
  const auto since = fresh.read_table_since(database(), "t", first);
  ASSERT_TRUE(since.ok()) << to_string(since.error());
  EXPECT_EQ(since->first, second);
  EXPECT_EQ(names_of(&since->second), "a,b");
  EXPECT_EQ(fresh.read_table_since(database(), "t", second)->first, second);
  sql("DROP TABLE " + full("t"));
  EXPECT_EQ(read(end()), "schema.missing");
}

TEST_P(SourceSchemasTest, ConnectsAnewWhenTheConnectionWasLost) {
  sql("CREATE TABLE " + full("t") + " (a INT)");
  ASSERT_TRUE(schemas_->read_table(database(), "t").ok());
  for (const ResultRow& row : sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '" +
                                  options_.source.user() + "'"))
    sql("KILL " + row[0].value_or(""));
  EXPECT_TRUE(schemas_->read_table(database(), "t").ok());
}

// Whatever statements run meanwhile: what was read, and the statements since, make the tables of
// the end.
TEST_P(SourceSchemasTest, WhatWasReadWhileStatementsRanLeadsToTheTablesOfTheEnd) {
  constexpr int kTables = 8;
  for (int i = 0; i < kTables; ++i)
    sql("CREATE TABLE " + full("t" + std::to_string(i)) +
        " (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL)");
  const Place start = end();
  std::atomic<bool> done = false;
  std::atomic<int> changes = 0;
  std::thread changer([&] {
    auto connection = Connection::open(admin_options_.source);
    ASSERT_TRUE(connection.ok());
    std::mt19937 random(20240611);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    for (int step = 0; !done; ++step) {
      const std::string table = full("t" + std::to_string(random() % kTables));
      const std::string number = std::to_string(step);
      std::vector<std::string> run;
      switch (random() % 6) {
        case 0: run = {"ALTER TABLE " + table + " ADD c" + number + " INT"}; break;
        case 1: run = {"ALTER TABLE " + table + " ADD d" + number + " DATE FIRST"}; break;
        case 2:
          run = {"DROP TABLE " + table,
                 "CREATE TABLE " + table + " (id INT PRIMARY KEY, n" + number + " INT)"};
          break;
        case 3:  // as gh-ost does
          run = {"CREATE TABLE " + table + "_gho (id INT PRIMARY KEY, g" + number + " INT)",
                 "RENAME TABLE " + table + " TO " + table + "_del, " + table + "_gho TO " + table,
                 "DROP TABLE " + table + "_del"};
          break;
        case 4:
          run = {"CREATE TABLE " + full("x" + number) + " (a INT)",
                 "RENAME TABLE " + full("x" + number) + " TO " + full("y" + number),
                 random() % 2 == 0 ? "DROP TABLE " + full("y" + number) : std::string("DO 0")};
          break;
        default: run = {"TRUNCATE TABLE " + table}; break;
      }
      for (const std::string& statement : run) {
        const auto ran = connection->query(statement);
        EXPECT_TRUE(ran.ok()) << to_string(ran.error());
        ++changes;
      }
    }
  });
  std::vector<SchemaBaseline> taken;
  constexpr int kReads = 4, kMostReads = 1000;
  for (int i = 0; i < kReads || (changes <= 20 && i < kMostReads); ++i) taken.push_back(baseline());
  taken.push_back(baseline(start));
  done = true;
  changer.join();
  EXPECT_GT(changes, 20);

  const Place last = end();
  const SchemaBaseline truth = baseline();
  std::size_t known = 0;
  for (SchemaBaseline& read : taken) {
    EXPECT_GE(read.place, start);
    schema::Definitions tables = read.tables;
    for (const schema::DdlStatement& s : statements(read.place, last)) {
      tables.apply(s.text, s.context);
      for (const auto& [place, table] : read.later)
        if (place == s.place) tables.put(table);
    }
    for (const auto& [name, table] : truth.tables.tables()) {
      const TableSchema* found = tables.find(name.first, name.second);
      if (found == nullptr) {
        EXPECT_TRUE(tables.is_lost(name.first, name.second))
            << name.second << " is not known at " << read.place.to_string();
        continue;
      }
      ++known;
      EXPECT_EQ(schema::full_text(*found), schema::full_text(table));
    }
    for (const auto& [name, table] : tables.tables())
      EXPECT_NE(truth.tables.find(name.first, name.second), nullptr) << name.second << " is gone";
  }
  // Losing some is allowed, it heals; it is not the rule.
  EXPECT_GE(known * 2, taken.size() * truth.tables.tables().size());
}

TEST_P(SourceSchemasTest, SaysWhetherTheBinlogNamesColumns) {
  const auto full_metadata = has_full_metadata(admin());
  ASSERT_TRUE(full_metadata.ok());
  EXPECT_EQ(*full_metadata, value("SELECT @@global.binlog_row_metadata") == "FULL");
}

INSTANTIATE_TEST_SUITE_P(On, SourceSchemasTest, testing::Values(kMariadb, kMysql), server_name);

}  // namespace
}  // namespace sluice::mysql
