#include "sluice/schema/create_table.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/binlog/sql_lexer.h"

#include "schema_text.h"

namespace sluice::schema {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kMysql55 = 50562, kMysql57 = 50744, kMysql80 = 80017, kMariadb = 101106,
                        kMariadb55 = 50568;

DdlContext on(Flavor flavor, std::uint32_t version = 0, std::uint64_t sql_mode = 0) {
  DdlContext context;
  context.flavor = flavor;
  context.version = version;
  context.sql_mode = sql_mode;
  context.database = "shop";
  return context;
}

std::string read(std::string_view statement, const DdlContext& context = on(Flavor::mysql)) {
  const auto table = read_create_table(statement, context);
  return table ? table_text(*table) : "error " + table.error().what;
}

// Types as users write them, and what each server prints.  The same against real servers:
// tests/integration/mysql/schema_file_test.cc.
struct Spelling {
  std::string_view written, mysql, mariadb;
};
class TypeSpelling : public testing::TestWithParam<Spelling> {};

TEST_P(TypeSpelling, IsThatOfTheServer) {
  const Spelling& s = GetParam();
  const std::string statement = "CREATE TABLE t (a " + std::string(s.written) + ")";
  EXPECT_EQ(read(statement), "a " + std::string(s.mysql));
  EXPECT_EQ(read(statement, on(Flavor::mariadb, kMariadb)), "a " + std::string(s.mariadb));
}

INSTANTIATE_TEST_SUITE_P(
    Types, TypeSpelling,
    testing::Values(
        Spelling{"INTEGER", "int", "int(11)"},
        Spelling{"int unsigned", "int unsigned", "int(10) unsigned"},
        Spelling{"INT(5) ZEROFILL", "int(5) unsigned zerofill", "int(5) unsigned zerofill"},
        Spelling{"BOOL", "tinyint(1)", "tinyint(1)"}, Spelling{"INT8", "bigint", "bigint(20)"},
        Spelling{"SERIAL", "bigint unsigned not null; unique a(0)",
                 "bigint(20) unsigned not null; unique a(0)"},
        Spelling{"DEC", "decimal(10,0)", "decimal(10,0)"},
        Spelling{"FIXED(7,3)", "decimal(7,3)", "decimal(7,3)"},
        Spelling{"REAL", "double", "double"}, Spelling{"DOUBLE PRECISION", "double", "double"},
        Spelling{"FLOAT(24)", "float", "float"}, Spelling{"FLOAT(25)", "double", "double"},
        Spelling{"FLOAT(7,3)", "float(7,3)", "float(7,3)"}, Spelling{"BIT", "bit(1)", "bit(1)"},
        Spelling{"YEAR(4)", "year", "year(4)"}, Spelling{"TIME(0)", "time", "time"},
        Spelling{"CHAR", "char(1) utf8mb4", "char(1) utf8mb4"},
        Spelling{"CHARACTER VARYING(5)", "varchar(5) utf8mb4", "varchar(5) utf8mb4"},
        Spelling{"NATIONAL CHAR(5)", "char(5) utf8mb3", "char(5) utf8mb3"},
        Spelling{"NCHAR VARCHAR(4)", "varchar(4) utf8mb3", "varchar(4) utf8mb3"},
        Spelling{"NVARCHAR(7)", "varchar(7) utf8mb3", "varchar(7) utf8mb3"},
        Spelling{"LONG VARCHAR", "mediumtext utf8mb4", "mediumtext utf8mb4"},
        Spelling{"LONG VARBINARY", "mediumblob", "mediumblob"},
        Spelling{"LONG CHAR VARYING", "mediumtext utf8mb4", "mediumtext utf8mb4"},
        Spelling{"LONG CHARACTER SET latin1", "mediumtext latin1", "mediumtext latin1"},
        Spelling{"TEXT(63)", "tinytext utf8mb4", "tinytext utf8mb4"},
        Spelling{"TEXT(64)", "text utf8mb4", "text utf8mb4"},
        Spelling{"TEXT(0)", "tinytext utf8mb4", "text utf8mb4"},
        Spelling{"TEXT(4294967295)", "longtext utf8mb4", "longtext utf8mb4"},
        Spelling{"BLOB(65536)", "mediumblob", "mediumblob"},
        Spelling{"VARCHAR(70000)", "mediumtext utf8mb4", "mediumtext utf8mb4"},
        Spelling{"CHAR(5) BYTE", "binary(5)", "binary(5)"},
        Spelling{"TEXT CHARSET binary", "blob", "blob"},
        Spelling{"CHAR(5) ASCII BINARY", "char(5) latin1", "char(5) latin1"},
        Spelling{"CHAR(5) COLLATE latin2_bin", "char(5) latin2", "char(5) latin2"},
        Spelling{"CHAR(5) CHARACTER SET utf8 COLLATE utf8_bin", "char(5) utf8mb3",
                 "char(5) utf8mb3"},
        Spelling{"JSON", "json", "longtext utf8mb4"},
        Spelling{"GEOMETRYCOLLECTION", "geomcollection", "geometrycollection"},
        Spelling{"VECTOR(3)", "vector(3)", "vector(3)"},
        Spelling{"ENUM('a ', \"b\", x'C3A9') CHARACTER SET latin1",
                 "enum('a','b','\xC3\x83\xC2\xA9') latin1",
                 "enum('a','b','\xC3\x83\xC2\xA9') latin1"},
        Spelling{"SET('it''s','\\\\')", "set('it''s','\\\\') utf8mb4",
                 "set('it''s','\\\\') utf8mb4"}));

TEST(CreateTable, PrintsTypesAsOlderServersDid) {
  EXPECT_EQ(
      read("CREATE TABLE t (a INT, b YEAR, c GEOMETRYCOLLECTION)", on(Flavor::mysql, kMysql57)),
      "a int(11); b year(4); c geometrycollection");
  EXPECT_EQ(
      read("CREATE TABLE t (a INT, b YEAR, c GEOMETRYCOLLECTION)", on(Flavor::mysql, kMysql80)),
      "a int(11); b year(4); c geomcollection");
  EXPECT_EQ(read("CREATE TABLE t (a YEAR(2), b TIMESTAMP(14) NULL)", on(Flavor::mysql, kMysql55)),
            "a year(2); b timestamp");
}

TEST(CreateTable, KnowsMariadbsOwnTypes) {
  EXPECT_EQ(read("CREATE TABLE t (a UUID, b INET4, c INET6, d VARCHAR(9) COMPRESSED, e TEXT "
                 "/*M!100301 COMPRESSED*/ NOT NULL, f mariadb_schema.date)",
                 on(Flavor::mariadb)),
            "a uuid; b inet4; c inet6; d varchar(9) utf8mb4 compressed; e text utf8mb4 not null "
            "compressed; f date");
  EXPECT_EQ(read("CREATE TABLE t (a NUMBER(3), b DATE, c VARCHAR2(4), d CLOB, e RAW(2), f BLOB)",
                 on(Flavor::mariadb, 0, binlog::sql_mode::kOracle)),
            "a decimal(3,0); b datetime; c varchar(4) utf8mb4; d longtext utf8mb4; e varbinary(2); "
            "f longblob");
}

TEST(CreateTable, ReadsQuotesBySqlMode) {
  EXPECT_EQ(read("CREATE TABLE \"t\" (\"a\"\"b\" INT DEFAULT '\"')",
                 on(Flavor::mysql, 0, binlog::sql_mode::kAnsiQuotes)),
            "a\"b int");
  EXPECT_THAT(read("CREATE TABLE t (\"a\" INT)"), HasSubstr("error 1:17: "));
  EXPECT_EQ(read("CREATE TABLE t (a ENUM('\\'))",
                 on(Flavor::mysql, 0, binlog::sql_mode::kNoBackslashEscapes)),
            "a enum('\\\\') utf8mb4");
}

TEST(CreateTable, ReadsVersionedCommentsOfItsServer) {
  constexpr std::string_view kStatement =
      "CREATE TABLE t (a INT /*!80023 INVISIBLE */, b INT /*M!100000 NOT NULL */ /*!50000 UNIQUE "
      "*/)"
      " /*!50100 PARTITION BY HASH (a) */ /*!99999 nonsense */";
  EXPECT_EQ(read(kStatement, on(Flavor::mysql, 80400)),
            "a int invisible; b int; unique b(1) nullable");
  EXPECT_EQ(read(kStatement, on(Flavor::mysql, kMysql57)),
            "a int(11); b int(11); unique b(1) nullable");
  EXPECT_EQ(read(kStatement, on(Flavor::mariadb)), "a int(11); b int(11) not null; unique b(1)");
}

TEST(CreateTable, MakesColumnsNotNullAsTheServerDoes) {
  EXPECT_EQ(read("CREATE TABLE t (a INT NULL PRIMARY KEY, b INT AUTO_INCREMENT UNIQUE, c INT NULL "
                 "NOT NULL, d INT NOT NULL NULL)"),
            "a int not null; b int not null; c int not null; d int; primary (0); unique b(1)");
}

TEST(CreateTable, KnowsWhetherTimestampsAreNullable) {
  constexpr std::string_view kStatement = "CREATE TABLE t (a TIMESTAMP, b TIMESTAMP NULL)";
  EXPECT_EQ(read(kStatement), "a timestamp; b timestamp");
  EXPECT_EQ(read(kStatement, on(Flavor::mysql, kMysql57)), "a timestamp not null; b timestamp");
  EXPECT_EQ(read(kStatement, on(Flavor::mariadb, kMariadb55)), "a timestamp not null; b timestamp");
  DdlContext context = on(Flavor::mariadb);
  EXPECT_EQ(read(kStatement, context), "a timestamp; b timestamp");
  context.explicit_defaults_for_timestamp = false;
  EXPECT_EQ(read(kStatement, context), "a timestamp not null; b timestamp");
}

TEST(CreateTable, TakesTheCharacterSetOfColumnTableAndDatabase) {
  DdlContext context = on(Flavor::mariadb);
  context.charset = "latin1";
  EXPECT_EQ(read("CREATE TABLE t (a CHAR(2), b CHAR(2) CHARSET utf8)", context),
            "a char(2) latin1; b char(2) utf8mb3");
  EXPECT_EQ(read("CREATE TABLE t (a CHAR(2)) COLLATE=gbk_bin", context), "a char(2) gbk");
  EXPECT_EQ(read("CREATE TABLE t (a CHAR(2)) CHARSET=ucs2 COLLATE=uca1400_ai_ci", context),
            "a char(2) ucs2");
  EXPECT_EQ(read("CREATE TABLE t (a CHAR(2), b ENUM('x')) CHARSET=binary", context),
            "a binary(2); b enum('x') binary");
}

TEST(CreateTable, NamesAndSortsUniqueKeysAsTheServerDoes) {
  EXPECT_EQ(read("CREATE TABLE t (a INT, b INT NOT NULL, c VARCHAR(9) NOT NULL, UNIQUE (a), UNIQUE "
                 "(c(3)), UNIQUE (c(9)), UNIQUE (a, b), UNIQUE k USING BTREE (b DESC) COMMENT 'x', "
                 "CONSTRAINT q UNIQUE (b), PRIMARY KEY (b))"),
            "a int; b int not null; c varchar(9) utf8mb4 not null; primary (1); unique c_2(2); "
            "unique k(1); unique q(1); unique c(2) prefix; unique a(0) nullable; unique a_2(0,1) "
            "nullable");
  EXPECT_EQ(read("CREATE TABLE t (`primary` INT, UNIQUE (`PRIMARY`))"),
            "primary int; unique primary_2(0) nullable");
}

// The server sorts before a later clause makes the column NOT NULL.
TEST(CreateTable, SortsAUniqueKeyByWhatWasKnownOfItsColumn) {
  EXPECT_EQ(read("CREATE TABLE t (a INT, b INT, c INT NOT NULL, UNIQUE u1 (b), UNIQUE u2 (a), "
                 "UNIQUE u3 (c), PRIMARY KEY (a))"),
            "a int not null; b int; c int not null; primary (0); unique u3(2); unique u1(1) "
            "nullable; unique u2(0)");
}

// MariaDB sorts keys when they are made; what SHOW CREATE TABLE says later is their order.
TEST(CreateTable, LeavesKeysInTheOrderTheyAreDescribedIn) {
  DdlContext context = on(Flavor::mariadb, kMariadb);
  context.describes = true;
  constexpr std::string_view kText =
      "CREATE TABLE `t` (\n  `a` int(11) DEFAULT NULL,\n  `b` int(11) NOT NULL,\n  UNIQUE KEY `a` "
      "(`a`),\n  UNIQUE KEY `b` (`b`)\n)";
  EXPECT_EQ(read(kText, context),
            "a int(11); b int(11) not null; unique a(0) nullable; unique b(1)");
  context.describes = false;
  EXPECT_EQ(read(kText, context),
            "a int(11); b int(11) not null; unique b(1); unique a(0) nullable");
}

TEST(CreateTable, KnowsTheKeysOfForeignKeys) {
  EXPECT_EQ(
      read("CREATE TABLE t (a INT, b INT, CONSTRAINT a_2 FOREIGN KEY (b) REFERENCES p (id) ON "
           "DELETE SET NULL, UNIQUE (a), UNIQUE (a, b))"),
      "a int; b int; unique a(0) nullable; unique a_3(0,1) nullable");
  EXPECT_EQ(read("CREATE TABLE t (a INT, b INT, FOREIGN KEY (a) REFERENCES p (id), UNIQUE (a, b))"),
            "a int; b int; unique a(0,1) nullable");
}

TEST(CreateTable, LeavesOutKeysOnExpressions) {
  EXPECT_EQ(read("CREATE TABLE t (a INT, UNIQUE ((a + 1)), UNIQUE k ((a * 2), a), UNIQUE (a))"),
            "a int; unique a(0) nullable");
}

TEST(CreateTable, HasTheColumnsOfSystemVersioning) {
  EXPECT_EQ(read("CREATE TABLE t (a INT PRIMARY KEY) WITH SYSTEM VERSIONING", on(Flavor::mariadb)),
            "a int(11) not null; row_start timestamp(6) not null generated invisible; row_end "
            "timestamp(6) not null generated invisible; primary (0,2)");
  EXPECT_EQ(
      read("CREATE TABLE t (a INT UNIQUE, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e "
           "TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH "
           "SYSTEM VERSIONING",
           on(Flavor::mariadb)),
      "a int(11); s timestamp(6) not null generated; e timestamp(6) not null generated; unique "
      "a(0,2) nullable");
  EXPECT_EQ(read("CREATE TABLE t (a INT, s DATE, e DATE, PERIOD FOR p (s, e), UNIQUE (a, p WITHOUT "
                 "OVERLAPS))",
                 on(Flavor::mariadb)),
            "a int(11); s date not null; e date not null; unique a(0,2,1) nullable");
}

TEST(CreateTable, PassesOverWhatDoesNotConcernItsColumns) {
  EXPECT_EQ(
      read(
          "create or replace temporary table if not exists `d;b`.`t``1` (a int default (1 + (2)) "
          "comment 'b int, (', b varchar(3) default 'x' 'y' check (b <> ')'), c int default "
          "-1.5e-3 "
          "references p (a) match full on delete no action on update set null, d datetime(3) "
          "default current_timestamp(3) on update current_timestamp(3), e int generated always as "
          "(a + 1) stored comment 'x', f int column_format fixed storage disk engine_attribute = "
          "'{}', g geometry srid 4326, h int default (now() + interval 1 day), i int default case "
          "when 1 then case 2 when 3 then 4 end end unique, constraint check (a > 0) not enforced, "
          "constraint c check (a > 1), fulltext key ft (b) with parser ngram, spatial key (g), "
          "index (a, b(2)) key_block_size = 8 using btree) engine = innodb, auto_increment 7 "
          "default charset utf8mb4 comment 'a;b' union (x, y) data directory '/tmp' partition by "
          "range (a) (partition p values less than maxvalue comment ')');"),
      "a int; b varchar(3) utf8mb4; c int; d datetime(3); e int generated; f int; g geometry; h "
      "int; "
      "i int; unique i(8) nullable");
}

TEST(CreateTable, TellsDatabaseAndName) {
  const auto named = read_create_table("CREATE TABLE `a``b` . t (x INT)", on(Flavor::mysql));
  ASSERT_TRUE(named.ok()) << named.error().what;
  EXPECT_EQ(named->database, "a`b");
  EXPECT_EQ(named->name, "t");
  const auto bare = read_create_table("CREATE TABLE t (x INT)", on(Flavor::mysql));
  ASSERT_TRUE(bare.ok());
  EXPECT_EQ(bare->database, "shop");
}

// What is not understood is said, with its place.
struct Refusal {
  std::string_view statement, error;
};
class CreateTableRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(CreateTableRefuses, WithThePlace) {
  const auto table = read_create_table(GetParam().statement, on(Flavor::mariadb));
  ASSERT_FALSE(table.ok()) << table_text(*table);
  EXPECT_EQ(table.error().cls, ErrorClass::fatal);
  EXPECT_EQ(table.error().code, Errc::schema_statement);
  EXPECT_THAT(table.error().what, testing::StartsWith(std::string(GetParam().error)));
}

INSTANTIATE_TEST_SUITE_P(
    Of, CreateTableRefuses,
    testing::Values(
        Refusal{"", "1:1: CREATE expected, at the end"},
        Refusal{"SELECT 1", "1:1: CREATE expected, at \"SELECT 1\""},
        Refusal{"CREATE TABLE t (a INT", "1:22: \")\" expected, at the end"},
        Refusal{"CREATE TABLE t (\n a INT,\n  b VARCHR(3))",
                "3:5: a type is expected, at \"VARCHR(3))\""},
        Refusal{"CREATE TABLE t (\xC3\xBC INT FOO)", "1:23: no attribute of a column"},
        Refusal{"CREATE TABLE t (a INT, A INT)", "1:24: column `A` is there twice"},
        Refusal{"CREATE TABLE t (a INT, UNIQUE (b))", "1:32: there is no column `b`"},
        Refusal{"CREATE TABLE t (a INT, KEY (b))", "1:29: there is no column `b`"},
        Refusal{"CREATE TABLE t (a INT PRIMARY KEY, PRIMARY KEY (a))",
                "1:48: a second primary key"},
        Refusal{"CREATE TABLE t (a VARCHAR)", "1:19: VARCHAR takes a length"},
        Refusal{"CREATE TABLE t (a CHAR(256))", "1:19: char takes at most 255"},
        Refusal{"CREATE TABLE t (a TIME(7))", "1:19: time takes at most 6"},
        Refusal{"CREATE TABLE t (a BIT(65))", "1:19: bit takes at most 64"},
        Refusal{"CREATE TABLE t (a DECIMAL(5,6))", "1:19: digits out of range"},
        Refusal{"CREATE TABLE t (a TEXT UNSIGNED)", "1:24: the type has no sign"},
        Refusal{"CREATE TABLE t (a CHAR(1) CHARSET klingon)",
                "1:19: character set klingon is not known"},
        Refusal{"CREATE TABLE t (a CHAR(1) CHARSET latin1 COLLATE utf8_bin)",
                "1:19: collation utf8_bin is none of character set latin1"},
        Refusal{"CREATE TABLE t (a ENUM(N'x'))", "1:24: a label is expected"},
        Refusal{"CREATE TABLE t (a INT) ENGINE=InnoDB NONSENSE", "1:38: no option of a table"},
        Refusal{"CREATE TABLE t (a INT, KEY (a) NONSENSE)", "1:32: no option of a key"},
        Refusal{"CREATE TABLE t LIKE u", "1:21: only the server knows"},
        Refusal{"CREATE TABLE t (LIKE u)", "1:22: only the server knows"},
        Refusal{"CREATE TABLE t AS SELECT 1", "1:16: CREATE TABLE ... SELECT"},
        Refusal{"CREATE TABLE t (a INT) PARTITION BY HASH (a) SELECT 1",
                "1:46: CREATE TABLE ... SELECT"},
        Refusal{"CREATE TABLE t (a INT); CREATE TABLE u (a INT)", "1:23: another statement begins"},
        Refusal{"CREATE TABLE t (a INT) CREATE TABLE u (a INT)", "1:24: another statement begins"},
        Refusal{"CREATE TABLE t (a INT DEFAULT 'x)", "1:31: the string has no end"},
        Refusal{"CREATE TABLE t (a INT DEFAULT (1)", "1:34: \")\" expected"},
        Refusal{"CREATE TABLE t (a INT DEFAULT ((1)", "1:31: a \")\" is missing"},
        Refusal{"CREATE TABLE t (a \xFF INT)", "1:1: the statement is not UTF-8"}));

constexpr std::string_view kEverything =
    "CREATE TABLE IF NOT EXISTS `d`.`t` (\n"
    "  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,\n"
    "  `n` varchar(20) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'it''s \\\\' COMMENT 'x',\n"
    "  `e` enum('a','b''c',x'41') NOT NULL DEFAULT 'a' /*!80023 INVISIBLE */,\n"
    "  `g` decimal(10,2) GENERATED ALWAYS AS ((`id` + 1.5e-3)) VIRTUAL CHECK (`g` > 0),\n"
    "  `t` timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),\n"
    "  PRIMARY KEY (`id`), UNIQUE KEY `u` (`n`(5) DESC,`e`) USING BTREE, UNIQUE KEY ((`id` + 1)),\n"
    "  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `p` (`id`) ON DELETE CASCADE\n"
    ") ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=gbk /* c */ -- d\n"
    "/*!50100 PARTITION BY RANGE (`id`) (PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB) */";

TEST(CreateTable, IsAnErrorWhenItIsCutBeforeItsColumnsEnd) {
  DdlContext context = on(Flavor::mysql);
  context.charset = "gbk";
  const auto whole = read_create_table(kEverything, context);
  ASSERT_TRUE(whole.ok()) << whole.error().what;
  const std::size_t columns_end = kEverything.find("\n) ENGINE") + 2;
  for (std::size_t n = 0; n < kEverything.size(); ++n) {
    const auto cut = read_create_table(std::string(kEverything.substr(0, n)), context);
    EXPECT_TRUE(n >= columns_end || !cut.ok()) << n;
    // A shorter text with all the columns says the same, or is an error.
    EXPECT_TRUE(!cut.ok() || table_text(*cut) == table_text(*whole)) << n;
  }
}

TEST(CreateTable, TakesAnyByteAnywhere) {
  for (std::size_t i = 0; i < kEverything.size(); ++i) {
    for (const int flip : {0x01, 0x20, 0x80, 0xFF}) {
      std::string text(kEverything);
      text[i] = static_cast<char>(text[i] ^ flip);
      for (const Flavor flavor : {Flavor::mysql, Flavor::mariadb}) {
        const auto table = read_create_table(text, on(flavor));
        if (!table) continue;
        for (const UniqueKey& key : table->unique_keys)
          for (const std::uint16_t c : key.columns) EXPECT_LT(c, table->columns.size());
      }
    }
  }
}

TEST(CreateTable, HasNoMoreThanAServerHas) {
  std::string columns, keys, parts;
  for (int i = 0; i < 4097; ++i) columns += ", c" + std::to_string(i) + " INT";
  for (int i = 0; i < 257; ++i) keys += ", KEY (a)";
  for (int i = 0; i < 65; ++i) parts += ", a";
  EXPECT_THAT(read("CREATE TABLE t (a INT" + columns + ")"), HasSubstr("more than 4096 columns"));
  EXPECT_THAT(read("CREATE TABLE t (a INT" + keys + ")"), HasSubstr("more than 256 keys"));
  EXPECT_THAT(read("CREATE TABLE t (a INT, KEY (a" + parts + "))"),
              HasSubstr("more than 64 columns in a key"));
}

TEST(CreateTable, DoesNotRecurse) {
  const std::string open(100000, '(');
  EXPECT_THAT(read("CREATE TABLE t (a INT DEFAULT " + open), HasSubstr("a \")\" is missing"));
  std::string cases = "CREATE TABLE t (a INT DEFAULT ";
  for (int i = 0; i < 10000; ++i) cases += "CASE ";
  EXPECT_THAT(read(cases), HasSubstr("CASE without END"));
}

}  // namespace
}  // namespace sluice::schema
