#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/mysql/preflight.h"
#include "sluice/mysql/replication_stream.h"
#include "sluice/schema/catalog.h"

#include "integration/mysql/event_log.h"
#include "integration/mysql/server.h"
#include "schema/fit.h"

namespace sluice::mysql {
namespace {

using binlog::EventType;
using testing::ElementsAre;
using testing::HasSubstr;

class SourceSchema : public OnServer {
 protected:
  TableSchema read(const std::string& table) {
    const Hosts hosts(admin_options_.source);
    MysqlSchemaSource source(hosts);
    auto schema = source.read_table(database(), table);
    EXPECT_TRUE(schema.ok()) << schema.error().what;
    return schema ? std::move(schema).value() : TableSchema();
  }
  static const ColumnSchema& column(const TableSchema& table, std::string_view name) {
    static const ColumnSchema kNone;
    const int at = table.find(name);
    EXPECT_GE(at, 0) << name;
    return at < 0 ? kNone : table.columns[static_cast<std::size_t>(at)];
  }
  // The TABLE_MAP of what `insert` does.
  binlog::TableMap map_of(const std::string& insert) {
    OwnOptions o;
    make_account(o.source, all_rights());
    const auto from = latest_position(admin());
    EXPECT_TRUE(from.ok());
    sql(insert);
    auto stream = ReplicationStream::open(
        o.source, endpoints_of(o.source).front(),
        {800000000U + static_cast<std::uint32_t>(::getpid()), value("SELECT UUID()")},
        from->position);
    EXPECT_TRUE(stream.ok()) << stream.error().what;
    binlog::EventFramer framer((*stream)->announced_checksum(), true);
    const auto events = read_until(**stream, framer,
                                   [](const KeptEvent& e) { return is(e, EventType::table_map); });
    auto maps = maps_of(events, *framer.format());
    EXPECT_EQ(maps.size(), 1U);
    return maps.empty() ? binlog::TableMap() : std::move(maps.front());
  }
  // A table with every type this server has; columns are named after their declarations.
  std::vector<std::string> every_type() const {
    std::vector<std::string> types = {"tinyint",
                                      "tinyint unsigned",
                                      "smallint",
                                      "smallint unsigned",
                                      "mediumint",
                                      "mediumint unsigned",
                                      "int",
                                      "int unsigned",
                                      "int(7) unsigned zerofill",
                                      "bigint",
                                      "bigint unsigned",
                                      "decimal(10,2)",
                                      "decimal(65,30) unsigned",
                                      "float",
                                      "float(7,3)",
                                      "double",
                                      "double(10,2) unsigned",
                                      "bit(1)",
                                      "bit(33)",
                                      "date",
                                      "time",
                                      "time(6)",
                                      "datetime",
                                      "datetime(3)",
                                      "timestamp(1) null",
                                      "year",
                                      "char(10)",
                                      "char(255) character set utf8mb4",
                                      "char(64) character set utf32",
                                      "varchar(100)",
                                      "varchar(300) character set utf8mb4",
                                      "varchar(20) character set gbk",
                                      "tinytext",
                                      "text",
                                      "mediumtext character set latin1",
                                      "longtext character set utf8mb4",
                                      "binary(5)",
                                      "binary(16)",
                                      "varbinary(300)",
                                      "tinyblob",
                                      "blob",
                                      "mediumblob",
                                      "longblob",
                                      "enum('a','it''s','b,c')",
                                      "enum('\xC3\xBC','x') character set latin1",
                                      "set('a','b','c','d','e','f','g','h','i')",
                                      "json",
                                      "geometry",
                                      "point",
                                      "multipolygon"};
    if (is_mysql())
      types.insert(types.end(), {"vector(3)", "geometrycollection"});
    else
      types.insert(types.end(),
                   {"inet4", "inet6", "uuid", "varchar(100) compressed", "text compressed",
                    "varbinary(50) compressed", "mediumblob compressed"});
    return types;
  }
  void create_every_type(const std::string& name) {
    std::string statement = "CREATE TABLE " + database() + "." + name + " (id INT PRIMARY KEY";
    const auto types = every_type();
    for (std::size_t i = 0; i < types.size(); ++i)
      statement += ", c" + std::to_string(i) + " " + types[i];
    sql(statement + ") DEFAULT CHARACTER SET utf8mb4");
  }
};
// What only one of the servers has.
class SourceSchemaOnMariadb : public SourceSchema {};
class SourceSchemaOnMysql : public SourceSchema {};

TEST_P(SourceSchema, ReadsEveryTypeSoThatItFitsItsTableMap) {
  create_every_type("all_types");
  const TableSchema table = read("all_types");
  ASSERT_EQ(table.columns.size(), every_type().size() + 1);
  const auto map = map_of("INSERT INTO " + database() + ".all_types (id) VALUES (1)");
  ASSERT_TRUE(map.has_names) << "the server is to run with binlog_row_metadata=FULL";
  std::vector<std::string> notes;
  const auto fitted = schema::fit_noting(map, table, flavor(), notes);
  ASSERT_TRUE(fitted.ok()) << fitted.error().what;
  EXPECT_THAT(notes, ElementsAre()) << "these differ from the map";
  EXPECT_EQ(fitted->primary_key, table.primary_key);
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    EXPECT_EQ(fitted->columns[i], table.columns[i]) << i;

  binlog::TableMap bare = map;  // as without optional metadata
  bare.has_names = bare.has_signedness = bare.has_charsets = bare.has_labels = bare.has_visibility =
      bare.has_label_charsets = bare.has_primary_key = false;
  const auto by_place = schema::fit(bare, table, flavor());
  ASSERT_TRUE(by_place.ok()) << by_place.error().what;
  EXPECT_EQ(by_place->columns, table.columns);
}

TEST_P(SourceSchema, SpellsTypesAsShowCreateTable) {
  create_every_type("spelled");
  const std::string create =
      sql("SHOW CREATE TABLE " + database() + ".spelled").front()[1].value_or("");
  for (const ColumnSchema& c : read("spelled").columns)
    EXPECT_THAT(create, HasSubstr("`" + c.name + "` " + c.mysql_type)) << c.name;
}

TEST_P(SourceSchema, ReadsCharsetsLabelsAndFlags) {
  sql("CREATE TABLE " + database() +
      ".t (id INT NOT NULL PRIMARY KEY, l VARCHAR(10) CHARACTER SET latin1 NOT NULL, n VARCHAR(10) "
      "CHARACTER SET utf8mb4,"
      " e ENUM('a','b,c','it''s','back\\\\slash','nl\\nx','\xC3\xBC') CHARACTER SET latin1, v INT "
      "INVISIBLE,"
      " g INT AS (id + 1) VIRTUAL, s INT AS (id + 2) STORED, ts TIMESTAMP NULL DEFAULT "
      "CURRENT_TIMESTAMP)");
  const TableSchema t = read("t");
  EXPECT_EQ(column(t, "l").charset, "latin1");
  EXPECT_FALSE(column(t, "l").nullable);
  EXPECT_EQ(column(t, "n").charset, "utf8mb4");
  EXPECT_TRUE(column(t, "n").nullable);
  EXPECT_THAT(column(t, "e").labels,
              ElementsAre("a", "b,c", "it's", "back\\slash", "nl\nx", "\xC3\xBC"));
  EXPECT_TRUE(column(t, "v").invisible);
  EXPECT_TRUE(column(t, "g").generated);
  EXPECT_TRUE(column(t, "s").generated);
  EXPECT_FALSE(column(t, "ts").generated);
  EXPECT_FALSE(column(t, "id").invisible);
}

TEST_P(SourceSchema, ReadsKeysInTheOrderOfShowCreateTable) {
  sql("CREATE TABLE " + database() +
      ".k (a INT NOT NULL, b INT NOT NULL, c INT, d VARCHAR(50) NOT NULL, UNIQUE KEY z (b, a), "
      "UNIQUE KEY `a``,(x` (d(5)),"
      " UNIQUE KEY n (c), KEY plain (a)) COMMENT 'UNIQUE KEY `no` (`a`)'");
  const TableSchema t = read("k");
  EXPECT_TRUE(t.primary_key.empty());
  const std::string create = sql("SHOW CREATE TABLE " + database() + ".k").front()[1].value_or("");
  ASSERT_EQ(t.unique_keys.size(), 3U);
  std::size_t last = 0;
  for (const UniqueKey& key : t.unique_keys) {
    const std::string shown =
        key.name == "a`,(x" ? "UNIQUE KEY `a``,(x`" : "UNIQUE KEY `" + key.name + "`";
    const std::size_t at = create.find(shown);
    ASSERT_NE(at, std::string::npos) << shown;
    EXPECT_GE(at, last);
    last = at;
    EXPECT_EQ(key.nullable, key.name == "n");
    EXPECT_EQ(key.prefix, key.name == "a`,(x");
  }
  EXPECT_THAT(t.row_key(), ElementsAre(1, 0));
}

TEST_P(SourceSchemaOnMysql, DoesNotTakeAKeyOnAnExpression) {
  sql("CREATE TABLE " + database() +
      ".f (a INT NOT NULL, b INT NOT NULL, UNIQUE KEY f ((a + 1)), UNIQUE KEY g (b))");
  const TableSchema t = read("f");
  ASSERT_EQ(t.unique_keys.size(), 1U);
  EXPECT_EQ(t.unique_keys[0].name, "g");
  EXPECT_TRUE(
      schema::fit(map_of("INSERT INTO " + database() + ".f VALUES (1, 2)"), t, flavor()).ok());
}

TEST_P(SourceSchemaOnMysql, SeesAGeneratedInvisiblePrimaryKey) {
  sql("SET SESSION sql_generate_invisible_primary_key = ON");
  sql("CREATE TABLE " + database() + ".gipk (a INT)");
  const TableSchema t = read("gipk");
  ASSERT_EQ(t.columns.size(), 2U);
  EXPECT_EQ(t.columns[0].name, "my_row_id");
  EXPECT_TRUE(t.columns[0].invisible);
  EXPECT_THAT(t.primary_key, ElementsAre(0));
  EXPECT_TRUE(
      schema::fit(map_of("INSERT INTO " + database() + ".gipk VALUES (1)"), t, flavor()).ok());
}

TEST_P(SourceSchemaOnMariadb, AddsTheHiddenColumnsOfSystemVersioning) {
  sql("CREATE TABLE " + database() + ".sv (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING");
  const TableSchema t = read("sv");
  const auto map = map_of("INSERT INTO " + database() + ".sv VALUES (1, 2)");
  std::vector<std::string> notes;
  const auto fitted = schema::fit_noting(map, t, flavor(), notes);
  ASSERT_TRUE(fitted.ok()) << fitted.error().what;
  EXPECT_THAT(notes, ElementsAre());
  EXPECT_EQ(fitted->columns.size(), map.columns.size());
  EXPECT_THAT(t.primary_key, ElementsAre(0, 3));

  sql("CREATE TABLE " + database() +
      ".svx (id INT PRIMARY KEY, rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START, re TIMESTAMP(6) "
      "GENERATED ALWAYS AS ROW END,"
      " PERIOD FOR SYSTEM_TIME(rs, re)) WITH SYSTEM VERSIONING");
  EXPECT_EQ(read("svx").columns.size(), 3U);
}

TEST_P(SourceSchema, ReadsNamesWithAnyCharacters) {
  const std::string name = "o'd`d \"t\\able.\xC3\xBC";
  sql("CREATE TABLE " + database() +
      ".`o'd``d \"t\\able.\xC3\xBC` (`a``b'c\"d\\ \xE6\xBC\xA2` INT PRIMARY KEY)");
  const TableSchema t = read(name);
  ASSERT_EQ(t.columns.size(), 1U);
  EXPECT_EQ(t.columns[0].name, "a`b'c\"d\\ \xE6\xBC\xA2");
  EXPECT_EQ(t.name, name);
  const auto fitted = schema::fit(
      map_of("INSERT INTO " + database() + ".`o'd``d \"t\\able.\xC3\xBC` VALUES (1)"), t, flavor());
  EXPECT_TRUE(fitted.ok()) << fitted.error().what;
}

TEST_P(SourceSchema, TellsTablesThatDifferInCaseApart) {
  sql("CREATE TABLE " + database() + ".Case1 (a INT)");
  sql("CREATE TABLE " + database() + ".case1 (a INT, b INT)");
  EXPECT_EQ(read("Case1").columns.size(), 1U);
  EXPECT_EQ(read("case1").columns.size(), 2U);
}

TEST_P(SourceSchema, SaysThatATableIsGone) {
  const Hosts hosts(admin_options_.source);
  MysqlSchemaSource source(hosts);
  for (const std::string& database_name : {database(), std::string("no_such_database")}) {
    const auto table = source.read_table(database_name, "gone");
    ASSERT_FALSE(table.ok());
    EXPECT_EQ(table.error().cls, ErrorClass::fatal);
    EXPECT_EQ(table.error().code, Errc::schema_missing);
    EXPECT_THAT(table.error().what, HasSubstr(database_name + ".gone"));
  }
}

TEST_P(SourceSchema, SaysThatATableMayNotBeRead) {
  sql("CREATE TABLE " + database() + ".secret (a INT)");
  OwnOptions o;
  make_account(o.source, "REPLICATION SLAVE");
  const Hosts hosts(o.source);
  MysqlSchemaSource source(hosts);
  const auto table = source.read_table(database(), "secret");
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code, Errc::mysql_denied);
  EXPECT_THAT(table.error().what, HasSubstr("GRANT SELECT"));
}

TEST_P(SourceSchema, ConnectsAnewWhenTheConnectionWasLost) {
  sql("CREATE TABLE " + database() + ".t (a INT)");
  OwnOptions o;
  make_account(o.source, "SELECT");
  const Hosts hosts(o.source);
  MysqlSchemaSource source(hosts);
  ASSERT_TRUE(source.read_table(database(), "t").ok());
  for (const ResultRow& row :
       sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '" + o.source.user() + "'"))
    sql("KILL " + row[0].value_or(""));
  const auto again = source.read_table(database(), "t");
  EXPECT_TRUE(again.ok()) << again.error().what;
}

INSTANTIATE_TEST_SUITE_P(On, SourceSchema, kAllServers, server_name);
INSTANTIATE_TEST_SUITE_P(On, SourceSchemaOnMariadb, testing::Values(kMariadb), server_name);
INSTANTIATE_TEST_SUITE_P(On, SourceSchemaOnMysql, testing::Values(kMysql), server_name);

}  // namespace
}  // namespace sluice::mysql
