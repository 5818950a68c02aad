// What is read from CREATE TABLE is what the server says of the table.
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/binlog/sql_lexer.h"
#include "sluice/mysql/preflight.h"
#include "sluice/schema/create_table.h"

#include "integration/mysql/schema_cases.h"
#include "integration/mysql/server.h"

namespace sluice::mysql {
namespace {

std::string numbers(const std::vector<std::uint16_t>& columns) {
  std::string out = "(";
  for (const std::uint16_t c : columns) out += " " + std::to_string(c);
  return out + " )";
}

// All of a schema, a line for each column and key.
std::string text_of(const TableSchema& t) {
  std::string out = t.database + "." + t.name + "\n";
  for (const ColumnSchema& c : t.columns) {
    out += c.name + ": " + c.mysql_type + " [" + std::to_string(static_cast<int>(c.type)) + " " +
           std::to_string(c.length) + " " + std::to_string(c.precision) + " " +
           std::to_string(c.scale) + "] " + c.charset;
    if (c.is_unsigned) out += " unsigned";
    if (c.nullable) out += " nullable";
    if (c.generated) out += " generated";
    if (c.invisible) out += " invisible";
    if (c.compressed) out += " compressed";
    for (const std::string& label : c.labels) out += " '" + label + "'";
    out += "\n";
  }
  out += "primary " + numbers(t.primary_key) + "\n";
  for (const UniqueKey& k : t.unique_keys)
    out += "unique " + k.name + numbers(k.columns) + (k.nullable ? " nullable" : "") +
           (k.prefix ? " prefix" : "") + "\n";
  return out;
}

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
    MysqlSchemaSource source(admin_options_.source);
    auto schema = source.read_table(database(), name);
    EXPECT_TRUE(schema.ok()) << schema.error().what;
    return schema ? text_of(*schema) : std::string();
  }
  static std::string read(const std::string& statement, const schema::DdlContext& context) {
    const auto schema = schema::read_create_table(statement, context);
    return schema ? text_of(*schema) : schema.error().what;
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

INSTANTIATE_TEST_SUITE_P(On, CreateTable, testing::Values(kMariadb, kMysql), server_name);

}  // namespace
}  // namespace sluice::mysql
