#include "sluice/schema/catalog.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "definitions_text.h"
#include "schema_text.h"
#include "state_folder.h"
#include "table_builder.h"

namespace sluice::schema {
namespace {

using binlog::ColumnType;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Place at(std::uint64_t pos) {
  return {1, {"binlog.000001", pos}};
}

// Tables as they are now, and where a statement has changed them last.
class FakeSource final : public SchemaSource {
 public:
  Result<TableSchema> read_table(std::string_view database, std::string_view name) override {
    ++reads;
    if (failure) return *failure;
    const auto found = tables.find(std::string(database) + "." + std::string(name));
    if (found == tables.end()) return fatal(Errc::schema_missing, "no such table");
    return found->second;
  }
  Result<TableSchema> read_table_at(std::string_view database, std::string_view name,
                                    const Place& place) override {
    asked = place;
    if (altered && *altered > place)
      return fatal(Errc::schema_unknown, "altered at " + altered->to_string());
    return read_table(database, name);
  }
  std::map<std::string, TableSchema> tables;
  std::optional<Place> altered, asked;
  std::optional<Error> failure;
  int reads = 0;
};

binlog::TableMap keyed(binlog::TableMap map, std::uint32_t column) {
  map.has_primary_key = true;
  map.primary_key = {{column, 0}};
  return map;
}
binlog::TableMap two_ints() {
  return keyed(full({{"id", logged(ColumnType::long_)}, {"v", logged(ColumnType::long_)}}), 0);
}
// Names nothing.
binlog::TableMap ints(std::size_t count) {
  return bare(std::vector<binlog::MapColumn>(count, logged(ColumnType::long_)));
}
std::string names_of(const Result<TableSchema>& table) {
  if (!table.ok()) return to_string(table.error());
  std::string out;
  for (const ColumnSchema& c : table->columns) out += (out.empty() ? "" : ",") + c.name;
  return out;
}
DdlStatement ddl(std::string text, std::uint64_t pos, std::string database = "shop") {
  DdlStatement out{at(pos), std::move(text), {}};
  out.context.database = std::move(database);
  return out;
}

class CatalogTest : public InStateFolder {
 protected:
  CatalogTest() {
    source_.tables["shop.t"] = table({column("id", "int"), column("v", "int")}, {0});
    catalog_ = std::make_unique<Catalog>(source_);
  }
  std::string apply(std::string text, std::uint64_t pos, std::string database = "shop") {
    const auto effects = catalog_->apply(ddl(std::move(text), pos, std::move(database)));
    return effects.ok() ? effects_text(*effects) : to_string(effects.error());
  }
  std::string resolve(const binlog::TableMap& map, std::uint64_t pos) {
    return names_of(catalog_->resolve(map, Flavor::mysql, at(pos)));
  }
  Error refused(const binlog::TableMap& map, std::uint64_t pos) {
    auto fitted = catalog_->resolve(map, Flavor::mysql, at(pos));
    EXPECT_FALSE(fitted.ok());
    return fitted.ok() ? stopped() : std::move(fitted).error();
  }
  // Goes on at a place, as after a start.
  void start(std::uint64_t pos, Catalog::Settings settings = {}) {
    history_.reset();
    auto history = History::open(file(), clock_);
    ASSERT_TRUE(history.ok()) << to_string(history.error());
    history_ = std::move(history).value();
    if (!history_->covers(at(pos))) {
      Definitions tables;
      tables.put(source_.tables["shop.t"]);
      ASSERT_TRUE(history_->add_snapshot(at(pos), tables).ok());
    }
    catalog_ = std::make_unique<Catalog>(source_, std::move(settings));
    const Status s = catalog_->follow(*history_, at(pos));
    ASSERT_TRUE(s.ok()) << to_string(s.error());
  }

  FakeSource source_;
  std::unique_ptr<History> history_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(CatalogTest, ReadsAnUnknownTableOnce) {
  EXPECT_EQ(resolve(two_ints(), 100), "id,v");
  EXPECT_EQ(resolve(two_ints(), 200), "id,v");
  EXPECT_EQ(source_.reads, 1);
  EXPECT_EQ(source_.asked, at(100));
}

TEST_F(CatalogTest, FollowsStatementsWithoutAskingTheSource) {
  start(100);
  EXPECT_EQ(resolve(ints(2), 150), "id,v");
  EXPECT_EQ(apply("CREATE TABLE _t_gho (id INT NOT NULL PRIMARY KEY, w INT, x INT)", 200),
            "created shop._t_gho");
  EXPECT_EQ(resolve(ints(2), 210), "id,v");
  EXPECT_EQ(apply("RENAME TABLE t TO _t_del, _t_gho TO t", 300),
            "renamed shop.t shop._t_del; renamed shop._t_gho shop.t");
  auto three = ints(3);
  three.columns[1].nullable = three.columns[2].nullable = true;
  EXPECT_EQ(resolve(three, 310), "id,w,x");
  EXPECT_EQ(source_.reads, 0);
}

TEST_F(CatalogTest, AStatementThatComesAgainDoesNothing) {
  start(100);
  EXPECT_EQ(apply("DROP TABLE t", 200), "dropped shop.t");
  EXPECT_EQ(apply("CREATE TABLE t (a INT)", 300), "created shop.t");
  EXPECT_EQ(apply("DROP TABLE t", 200), "");
  EXPECT_EQ(resolve(ints(1), 310), "a");
}

TEST_F(CatalogTest, AStartFromAnyPlaceKnowsTheTablesOfThatPlace) {
  start(100);
  apply("CREATE TABLE n (id INT NOT NULL PRIMARY KEY)", 200);
  apply("RENAME TABLE t TO old, n TO t", 300);
  apply("RENAME TABLE t TO n, old TO t", 400);
  source_.tables.clear();
  source_.failure = fatal(Errc::mysql_denied, "no");
  const std::uint64_t sizes = history_->size();
  for (const auto& [pos, expected] :
       {std::pair(100, "id,v"), std::pair(200, "id,v"), std::pair(300, "id"), std::pair(399, "id"),
        std::pair(400, "id,v"), std::pair(1000, "id,v")}) {
    start(static_cast<std::uint64_t>(pos));
    EXPECT_EQ(
        resolve(ints(expected == std::string("id") ? 1 : 2), 1 + static_cast<std::uint64_t>(pos)),
        expected)
        << pos;
    // The binlog brings the rest again.
    for (const auto& [text, place] :
         {std::pair("CREATE TABLE n (id INT NOT NULL PRIMARY KEY)", 200),
          std::pair("RENAME TABLE t TO old, n TO t", 300),
          std::pair("RENAME TABLE t TO n, old TO t", 400)})
      apply(text, static_cast<std::uint64_t>(place));
    EXPECT_EQ(resolve(ints(2), 500), "id,v") << pos;
    EXPECT_EQ(history_->size(), sizes) << "nothing is written twice";
  }
  EXPECT_EQ(source_.reads, 0);
}

TEST_F(CatalogTest, WhatChangesNoTableIsNotKept) {
  start(100);
  const std::uint64_t size = history_->size();
  EXPECT_EQ(apply("TRUNCATE t", 200), "emptied shop.t");
  EXPECT_EQ(apply("CREATE VIEW x AS SELECT 1", 300), "");
  EXPECT_EQ(history_->size(), size);
  EXPECT_EQ(apply("CREATE DATABASE d CHARACTER SET gbk", 400), "");
  EXPECT_GT(history_->size(), size) << "tables without a character set hang on it";
  apply("CREATE TABLE d.t (a CHAR(2))", 500);
  start(450);
  apply("CREATE TABLE d.t (a CHAR(2))", 500);
  EXPECT_EQ(catalog_->tables().find("d", "t")->columns[0].charset, "gbk");
}

TEST_F(CatalogTest, ReadsATableAnewThatItsHistoryHasWrong) {
  start(100);
  source_.tables["shop.t"] =
      table({column("id", "int"), column("v", "int"), column("w", "int")}, {0});
  EXPECT_EQ(resolve(ints(3), 200), "id,v,w");
  EXPECT_EQ(source_.reads, 1);
  // At the next start it is known from there on, not before.
  start(200);
  EXPECT_EQ(resolve(ints(3), 210), "id,v,w");
  start(150);
  EXPECT_EQ(resolve(ints(2), 160), "id,v");
  EXPECT_EQ(resolve(ints(3), 200), "id,v,w");
  EXPECT_EQ(source_.reads, 1);
}

TEST_F(CatalogTest, AsksForATableBehindTheLastStatement) {
  start(100);
  EXPECT_THAT(apply("CREATE TABLE u (a FANCY)", 300), HasSubstr("not_known shop.u"));
  source_.tables["shop.u"] = table({column("a", "int")});
  auto map = ints(1);
  map.table = "u";
  EXPECT_EQ(names_of(catalog_->resolve(map, Flavor::mysql, at(250))), "a");
  EXPECT_EQ(source_.asked, at(300)) << "rows of a transaction that began with the statement";
}

TEST_F(CatalogTest, ATableThatWasAlteredSinceIsNotTakenAsItIsNow) {
  start(100);
  apply("CREATE TABLE t (a FANCY)", 200);
  source_.altered = at(900);
  const Error e = refused(ints(2), 300);
  EXPECT_EQ(e.cls, ErrorClass::fatal);
  EXPECT_EQ(e.code, Errc::schema_unknown);
  EXPECT_THAT(e.what,
              AllOf(HasSubstr("shop.t"), HasSubstr("1:19: a type is expected"),
                    HasSubstr("altered at binlog.000001:900"),
                    HasSubstr("sluice schema refresh shop.t"), HasSubstr("schema.assume_current")));
  source_.altered = at(250);
  EXPECT_EQ(resolve(ints(2), 300), "id,v");
}

TEST_F(CatalogTest, NamesOfTheBinlogAreEnoughWhereTypesAreCertain) {
  start(100);
  apply("CREATE TABLE t (a FANCY)", 200);
  source_.altered = at(900);
  const auto fitted =
      catalog_->resolve(full({{"now", logged(ColumnType::long_)},
                              {"text", collated(logged(ColumnType::varchar, 40), kLatin1)}}),
                        Flavor::mysql, at(300));
  EXPECT_EQ(names_of(fitted), "now,text");
  EXPECT_EQ(fitted->columns[1].mysql_type, "varchar(40)");
  // Sixteen bytes of MariaDB: a UUID, an INET6, a BINARY(16)?
  const auto uncertain = catalog_->resolve(
      full({{"id", collated(logged(ColumnType::string, 16), kBinary)}}), Flavor::mariadb, at(300));
  ASSERT_FALSE(uncertain.ok());
  EXPECT_EQ(uncertain.error().code, Errc::schema_unknown);
  EXPECT_THAT(uncertain.error().what, HasSubstr("does not tell their types"));
  EXPECT_EQ(source_.reads, 0);
}

TEST_F(CatalogTest, TakesTablesAsTheyAreNowOnlyWhenToldToAndWhereTheyFit) {
  start(100, {true, {}});
  apply("CREATE TABLE t (a FANCY)", 200);
  source_.altered = at(900);
  EXPECT_EQ(resolve(ints(2), 300), "id,v");
  EXPECT_EQ(resolve(ints(2), 310), "id,v");
  EXPECT_EQ(source_.reads, 1);
  EXPECT_THAT(refused(ints(3), 320).what, HasSubstr("3 columns"));
  // It is a guess: it is not written down, and the next statement ends it.
  source_.tables["shop.t"] = table({column("id", "int"), column("y", "int")}, {0});
  EXPECT_EQ(resolve(ints(2), 330), "id,v");
  apply("CREATE TABLE other (a INT)", 400);
  EXPECT_EQ(resolve(ints(2), 410), "id,y");
  start(310);
  EXPECT_THAT(refused(ints(2), 330).what, HasSubstr("1:19: a type"));
}

TEST_F(CatalogTest, PassesOnThatTheSourceIsAway) {
  source_.failure = retry(Errc::mysql_lost, "gone");
  EXPECT_EQ(refused(two_ints(), 100).cls, ErrorClass::retry) << "even where names would do";
  source_.failure = stopped();
  EXPECT_EQ(refused(two_ints(), 100).cls, ErrorClass::stopped);
  source_.failure = fatal(Errc::mysql_denied, "SELECT command denied");
  EXPECT_EQ(resolve(two_ints(), 100), "id,v");
  EXPECT_THAT(refused(ints(2), 100).what, HasSubstr("SELECT command denied"));
}

TEST_F(CatalogTest, TakesOverWhatIsKnownOfLaterPlacesWhenItComesThere) {
  start(500);  // what the source said at 500
  TableSchema wide = source_.tables["shop.t"];
  wide.columns.push_back(column("w", "int"));
  ASSERT_TRUE(history_->add_table(at(700), wide).ok());
  // Back at an older place, where the table is not known.
  Definitions tables;
  tables.lose("shop", "t", "altered later");
  ASSERT_TRUE(history_->add_snapshot(at(100), tables).ok());
  source_.failure = fatal(Errc::mysql_denied, "no");
  start(100);
  EXPECT_THAT(refused(ints(2), 499).what, HasSubstr("altered later"));
  EXPECT_EQ(resolve(ints(2), 500), "id,v");
  EXPECT_EQ(apply("CREATE TABLE t (what FANCY)", 700).substr(0, 16), "not_known shop.t");
  EXPECT_EQ(resolve(ints(3), 701), "id,v,w") << "read at the statement's end, so it has seen it";
}

TEST_F(CatalogTest, ALaterSnapshotDoesNotUndoWhatIsKnown) {
  start(500);
  Definitions tables;
  ASSERT_TRUE(history_->add_snapshot(at(100), tables).ok());
  start(100);
  apply("CREATE TABLE t (mine INT)", 200);
  EXPECT_EQ(resolve(ints(1), 600), "mine");
}

TEST_F(CatalogTest, DatabasesThatNobodyWantsAreNotFollowedUntilATableComesFromThem) {
  start(100, {false, [](std::string_view database) { return database == "shop"; }});
  EXPECT_EQ(apply("CREATE TABLE IF NOT EXISTS archive.x (a INT)", 200), "");
  EXPECT_EQ(apply("CREATE TABLE x (a INT)", 210, "archive"), "");
  EXPECT_EQ(catalog_->tables().find("archive", "x"), nullptr);
  EXPECT_THAT(apply("RENAME TABLE archive.x TO shop.x", 300), HasSubstr("not_known shop.x"));
  EXPECT_EQ(apply("RENAME TABLE t TO archive.t", 400), "renamed shop.t archive.t");
  EXPECT_EQ(apply("DROP TABLE archive.t", 500), "dropped archive.t");
  EXPECT_EQ(apply("RENAME TABLE archive.t TO t", 600).substr(0, 30),
            "renamed archive.t shop.t; not_");
}

TEST_F(CatalogTest, StopsWhenTheRowKeyIsAnotherAndNoDdlHasSaidSo) {
  start(100);
  ASSERT_EQ(resolve(two_ints(), 110), "id,v");
  auto map = two_ints();
  map.primary_key = {{0, 0}, {1, 0}};
  const auto fitted = catalog_->resolve(map, Flavor::mysql, at(300));
  ASSERT_FALSE(fitted.ok());
  EXPECT_EQ(fitted.error().code, Errc::schema_key_changed);
  EXPECT_EQ(fitted.error().cls, ErrorClass::fatal);
  EXPECT_THAT(fitted.error().what, AllOf(HasSubstr("(id)"), HasSubstr("(id, v)")));
}

TEST_F(CatalogTest, ADdlMayChangeTheRowKeyAndSaysSo) {
  start(100);
  ASSERT_EQ(resolve(two_ints(), 110), "id,v");
  const auto effects = catalog_->apply(
      ddl("CREATE OR REPLACE TABLE t (id INT NOT NULL, v INT NOT NULL, PRIMARY KEY (id, v))", 200,
          "shop"));
  ASSERT_TRUE(effects.ok());
  ASSERT_EQ(effects->size(), 1U);
  EXPECT_TRUE(effects->front().other_key);
  auto map = two_ints();
  map.primary_key = {{0, 0}, {1, 0}};
  const auto fitted = catalog_->resolve(map, Flavor::mysql, at(300));
  ASSERT_TRUE(fitted.ok()) << to_string(fitted.error());
  EXPECT_EQ(fitted->row_key_names(), (std::vector<std::string>{"id", "v"}));
}

TEST_F(CatalogTest, ADdlThatKeepsTheRowKeyIsFine) {
  start(100);
  ASSERT_EQ(resolve(two_ints(), 110), "id,v");
  apply("CREATE OR REPLACE TABLE t (v INT NOT NULL, id INT NOT NULL PRIMARY KEY, w INT NOT NULL)",
        200);
  const auto map = keyed(full({{"v", logged(ColumnType::long_)},
                               {"id", logged(ColumnType::long_)},
                               {"w", logged(ColumnType::long_)}}),
                         1);
  EXPECT_EQ(resolve(map, 300), "v,id,w");
}

TEST_F(CatalogTest, TellsTablesWithPointsInTheirNamesApart) {
  source_.tables["a.b.c"] = table({column("id", "int"), column("v", "int")}, {0});
  auto first = two_ints();
  first.database = "a.b";
  first.table = "c";
  auto second = two_ints();
  second.database = "a";
  second.table = "b.c";
  EXPECT_EQ(resolve(first, 100), "id,v");
  EXPECT_EQ(resolve(second, 100), "id,v");
  EXPECT_EQ(source_.reads, 2);
}

TEST_F(CatalogTest, APlaceThatTheHistoryDoesNotReachIsNoBeginning) {
  start(100);
  Catalog catalog(source_);
  EXPECT_EQ(catalog.follow(*history_, at(50)).error().code, Errc::internal);
}

// ---- statements of QUERY events ----

binlog::FormatDescription mysql_format() {
  binlog::FormatDescription format;
  format.server_version = "8.0.34-log";
  return format;
}

TEST(DdlStatement, TakesOverWhatItsMeaningHangsOn) {
  binlog::QueryEvent query;
  query.statement = "CREATE TABLE t\xC3\xBC (a INT)";
  query.database = "shop";
  query.sql_mode = 4;
  query.charset_client = 45;
  query.charset_server = 28;  // gbk
  query.explicit_defaults_for_timestamp = false;
  const auto ddl = ddl_statement(query, mysql_format(), at(100));
  ASSERT_TRUE(ddl);
  EXPECT_EQ(ddl->place, at(100));
  EXPECT_EQ(ddl->text, query.statement);
  EXPECT_EQ(ddl->context.version, 80034U);
  EXPECT_EQ(ddl->context.flavor, Flavor::mysql);
  EXPECT_EQ(ddl->context.sql_mode, 4U);
  EXPECT_EQ(ddl->context.database, "shop");
  EXPECT_EQ(ddl->context.charset, "");
  EXPECT_EQ(ddl->context.server_charset, "gbk");
  EXPECT_EQ(ddl->context.explicit_defaults_for_timestamp, false);
}

TEST(DdlStatement, IsUtf8WhateverTheClientSpeaks) {
  binlog::QueryEvent query;
  query.charset_client = 8;  // latin1
  query.statement = "CREATE TABLE t\xFC (a INT)";
  EXPECT_EQ(ddl_statement(query, mysql_format(), at(1))->text, "CREATE TABLE t\xC3\xBC (a INT)");
  query.charset_client = 63;  // binary: bytes as they are
  query.statement = "CREATE TABLE t\xC3\xBC (a INT)";
  EXPECT_EQ(ddl_statement(query, mysql_format(), at(1))->text, query.statement);
  query.charset_client = 45;
  query.statement = "CREATE TABLE t\xFF (a INT)";
  EXPECT_EQ(ddl_statement(query, mysql_format(), at(1))->text,
            "CREATE TABLE t\xEF\xBF\xBD (a INT)");
}

TEST(DdlStatement, AnAlterInTwoPhasesHappensAtItsCommit) {
  using Phase = binlog::QueryEvent::AlterPhase;
  binlog::QueryEvent query;
  query.statement = "ALTER TABLE t ADD b INT";
  for (const auto& [phase, happens] :
       {std::pair(Phase::none, true), std::pair(Phase::start, false),
        std::pair(Phase::commit, true), std::pair(Phase::rollback, false)}) {
    query.alter_phase = phase;
    EXPECT_EQ(ddl_statement(query, mysql_format(), at(1)).has_value(), happens);
  }
}

TEST(TouchedTables, KnowsTheLastStatementOfEachTable) {
  TouchedTables touched;
  const auto last = [&touched](std::string_view database, std::string_view name) {
    const auto place = touched.last(database, name);
    return place ? place->position().pos : 0;
  };
  touched.add(ddl("CREATE TABLE a (x INT)", 100));
  touched.add(ddl("RENAME TABLE a TO b, other.c TO d", 200));
  touched.add(ddl("TRUNCATE TABLE e", 210));
  touched.add(ddl("INSERT INTO e VALUES (1)", 220));
  touched.add(ddl("ALTER TABLE f ADD COLUMN x INT", 300));
  touched.add(ddl("CREATE TABLE IF NOT EXISTS g (x INT)", 310));
  EXPECT_EQ(last("shop", "a"), 200U);
  EXPECT_EQ(last("shop", "b"), 200U);
  EXPECT_EQ(last("other", "c"), 200U);
  EXPECT_EQ(last("shop", "d"), 200U);
  EXPECT_EQ(last("shop", "e"), 0U);
  EXPECT_EQ(last("shop", "f"), 300U);
  EXPECT_EQ(last("shop", "g"), 0U) << "it may have been there";
  EXPECT_EQ(last("shop", "A"), 0U);
  touched.add(ddl("DROP DATABASE other", 400));
  EXPECT_EQ(last("other", "anything"), 400U);
  EXPECT_EQ(last("shop", "f"), 300U);
  touched.add(ddl("CREATE TABLE 'what' (x INT)", 500));
  EXPECT_EQ(last("shop", "f"), 500U) << "it may be any table";
  EXPECT_FALSE(touched.last("shop"));
  touched.add(ddl("ALTER DATABASE shop CHARACTER SET gbk", 600));
  EXPECT_EQ(touched.last("shop"), at(600));
  EXPECT_EQ(last("shop", "b"), 500U) << "its tables keep theirs";
}

TEST(TouchedTables, ComparesNamesAsTheServerDoes) {
  for (const std::uint8_t lower_case : {std::uint8_t{1}, std::uint8_t{2}}) {
    TouchedTables touched(lower_case);
    touched.add(ddl("DROP TABLE Shop.Orders", 100));
    EXPECT_TRUE(touched.last("shop", "orders"));
    EXPECT_TRUE(touched.last("SHOP", "ORDERS"));
  }
}

}  // namespace
}  // namespace sluice::schema
