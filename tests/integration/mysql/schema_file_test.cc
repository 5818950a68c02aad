// What is read from CREATE TABLE is what the server says of the table.
#include "sluice/schema/schema_file.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/binlog/sql_lexer.h"
#include "sluice/mysql/preflight.h"
#include "sluice/schema/create_table.h"

#include "integration/mysql/schema_cases.h"
#include "integration/mysql/server.h"
#include "unit/schema/schema_text.h"

namespace sluice::mysql {
namespace {

std::uint64_t mode_bits(std::string_view names) {
  if (names == "ANSI_QUOTES") return binlog::sql_mode::kAnsiQuotes;
  if (names == "REAL_AS_FLOAT") return binlog::sql_mode::kRealAsFloat;
  if (names == "NO_BACKSLASH_ESCAPES") return binlog::sql_mode::kNoBackslashEscapes;
  if (names == "ORACLE") return binlog::sql_mode::kOracle | binlog::sql_mode::kAnsiQuotes;
  return 0;
}

class CreateTable : public OnServer {
 protected:
  static constexpr std::uint32_t kVectors = 110700;  // MariaDB

  void SetUp() override {
    OnServer::SetUp();
    if (!admin_) return;
    sql("ALTER DATABASE " + database() + " CHARACTER SET utf8mb4");
    sql("USE " + database());
    sql("CREATE TABLE parent (id INT PRIMARY KEY)");
  }
  bool runs(const TableCase& c) const {
    switch (c.on) {
      case On::both: return true;
      case On::mysql: return is_mysql();
      case On::mariadb: return !is_mysql();
      case On::mariadb_vector: return !is_mysql() && admin_->server().version_number >= kVectors;
    }
    return false;
  }
  schema::DdlContext context(const TableCase& c) const {
    schema::DdlContext out;
    out.flavor = flavor();
    out.version = admin_->server().version_number;
    out.sql_mode = mode_bits(c.sql_mode);
    out.database = database();
    out.explicit_defaults_for_timestamp = c.explicit_defaults_for_timestamp;
    return out;
  }
  // Creates it, and returns what the server prints of it without its modes.
  std::string create(const TableCase& c, const std::string& name) {
    sql("SET sql_mode = '" + std::string(c.sql_mode) + "'");
    sql("SET explicit_defaults_for_timestamp = " +
        std::string(c.explicit_defaults_for_timestamp ? "ON" : "OFF"));
    sql("CREATE TABLE " + name + " " + std::string(c.body));
    sql("SET sql_mode = ''");
    const ResultRows rows = sql("SHOW CREATE TABLE " + name);
    return rows.empty() ? std::string() : rows.front()[1].value_or("");
  }
  // As information_schema has it.
  std::string told(const std::string& name) {
    const Hosts hosts(admin_options_.source);
    MysqlSchemaSource source(hosts);
    auto schema = source.read_table(database(), name);
    EXPECT_TRUE(schema.ok()) << schema.error().what;
    return schema ? schema::full_text(*schema) : std::string();
  }
  static std::string read(const std::string& statement, const schema::DdlContext& context) {
    const auto schema = schema::read_create_table(statement, context);
    return schema ? schema::full_text(*schema) : schema.error().what;
  }
};

TEST_P(CreateTable, IsReadAsTheServerUnderstandsIt) {
  int n = 0;
  for (const TableCase& c : kTableCases) {
    const std::string name = "t" + std::to_string(n++);
    if (!runs(c)) continue;
    const std::string printed = create(c, name);
    const std::string expected = told(name);
    EXPECT_EQ(read("CREATE TABLE " + name + " " + std::string(c.body), context(c)), expected)
        << c.body;
    EXPECT_EQ(read(printed, context(TableCase{})), expected) << printed;
  }
}

// All of them in one file, as they are printed.
TEST_P(CreateTable, IsReadFromAFile) {
  std::string file = "USE `" + database() + "`;\n";
  int n = 0;
  for (const TableCase& c : kTableCases) {
    const std::string name = "t" + std::to_string(n++);
    if (runs(c)) file += "DROP TABLE IF EXISTS " + name + ";\n" + create(c, name) + ";\n";
  }
  schema::DdlContext context = this->context(TableCase{});
  context.database.clear();
  auto read = schema::SchemaFile::parse(file, context);
  ASSERT_TRUE(read.ok()) << read.error().what;
  for (const ResultRow& row : sql("SHOW TABLES")) {
    const std::string name = row[0].value_or("");
    if (name == "parent") continue;
    const auto table = read->read_table(database(), name);
    ASSERT_TRUE(table.ok()) << table.error().what;
    EXPECT_EQ(schema::full_text(*table), told(name));
  }
}

class CreateTableOnMariadb : public CreateTable {};

TEST_P(CreateTableOnMariadb, KnowsTheColumnsOfASequence) {
  sql("CREATE SEQUENCE s");
  auto read = schema::SchemaFile::parse("CREATE SEQUENCE s START WITH 1;", context(TableCase{}));
  ASSERT_TRUE(read.ok()) << read.error().what;
  EXPECT_EQ(schema::full_text(*read->read_table(database(), "s")), told("s"));
}

INSTANTIATE_TEST_SUITE_P(On, CreateTable, kAllServers, server_name);
INSTANTIATE_TEST_SUITE_P(On, CreateTableOnMariadb, testing::Values(kMariadb), server_name);

}  // namespace
}  // namespace sluice::mysql
