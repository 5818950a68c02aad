// DDL as users write it.  Each case: statements, and what the table `orders` is behind them.
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/schema/definitions.h"

#include "definitions_text.h"
#include "schema_text.h"

namespace sluice::schema {
namespace {

struct RealDdl {
  std::string_view name;
  Flavor flavor;
  std::vector<std::string_view> statements;
  std::string_view expected;
};
void PrintTo(const RealDdl& c, std::ostream* out) {
  *out << c.name;
}

class RealDdlTest : public testing::TestWithParam<RealDdl> {};

TEST_P(RealDdlTest, IsRead) {
  const RealDdl& c = GetParam();
  DdlContext context;
  context.flavor = c.flavor;
  context.version = c.flavor == Flavor::mysql ? 80400 : 101106;
  context.database = "shop";
  Definitions tables;
  for (const std::string_view statement : c.statements)
    for (const TableEffect& effect : tables.apply(statement, context))
      EXPECT_NE(effect.kind, TableEffect::Kind::not_known) << statement << "\n" << effect.why;
  const TableSchema* table = tables.find("shop", "orders");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table_text(*table), c.expected);
}

const std::vector<RealDdl> kCases = {
    {"monthly_partitions",
     Flavor::mysql,
     {"CREATE TABLE `orders` (\n"
      "  `id` bigint unsigned NOT NULL AUTO_INCREMENT COMMENT 'PK, don''t touch; see \"README\" "
      "(v2)',\n"
      "  `created_at` datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),\n"
      "  `total` decimal(12,2) NOT NULL DEFAULT '0.00',\n"
      "  PRIMARY KEY (`id`,`created_at`)\n"
      ") ENGINE=InnoDB AUTO_INCREMENT=1042 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci "
      "COMMENT='orders -- hot'\n"
      "/*!50100 PARTITION BY RANGE (to_days(`created_at`))\n"
      "(PARTITION p202401 VALUES LESS THAN (739282) ENGINE = InnoDB,\n"
      " PARTITION pmax VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */",
      "ALTER TABLE orders REORGANIZE PARTITION pmax INTO (PARTITION p202402 VALUES LESS THAN "
      "(to_days('2024-03-01')), "
      "PARTITION pmax VALUES LESS THAN MAXVALUE)",
      "alter table shop.orders drop partition p202401",
      "ALTER TABLE orders ADD COLUMN note varchar(200), ALGORITHM=INSTANT"},
     "id bigint unsigned not null; created_at datetime(3) not null; total decimal(12,2) not null; "
     "note varchar(200) "
     "utf8mb4; primary (0,1)"},
    {"ten_actions",
     Flavor::mysql,
     {"CREATE TABLE orders (id int NOT NULL PRIMARY KEY, a int, b int, c varchar(10), d text, e "
      "date, UNIQUE KEY uq_a "
      "(a), KEY idx_b (b))",
      "ALTER TABLE `orders`\n"
      "  ADD COLUMN `status` enum('new','paid','it''s (odd), yes') NOT NULL DEFAULT 'new' COMMENT "
      "'state; see FIRST' AFTER "
      "`id`,\n"
      "  DROP COLUMN `b`,\n"
      "  CHANGE COLUMN `a` `customer_id` bigint unsigned NOT NULL,\n"
      "  MODIFY `c` varchar(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL,\n"
      "  RENAME COLUMN `d` TO `description`,\n"
      "  ALTER COLUMN `e` SET DEFAULT (CURRENT_DATE),\n"
      "  ADD UNIQUE KEY `uq_status` (`status`, `customer_id`),\n"
      "  ADD INDEX (`e`) USING BTREE,\n"
      "  RENAME INDEX `uq_a` TO `uq_customer`,\n"
      "  ADD CONSTRAINT `chk` CHECK (`id` > 0),\n"
      "  COMMENT = 'ten, or so', ALGORITHM=INPLACE, LOCK=NONE"},
     "id int not null; status enum('new','paid','it''s (odd), yes') utf8mb4 not null; customer_id "
     "bigint unsigned not "
     "null; c varchar(64) ascii; description text utf8mb4; e date; primary (0); unique "
     "uq_customer(2); unique "
     "uq_status(1,2)"},
    {"generated_columns",
     Flavor::mysql,
     {"CREATE TABLE orders (doc json NOT NULL, `number` varchar(32) GENERATED ALWAYS AS "
      "(json_unquote(json_extract(`doc`,_utf8mb4'$.number'))) STORED NOT NULL, total decimal(10,2) "
      "AS (doc->>'$.total') "
      "VIRTUAL COMMENT 'a \"quoted\" (thing', UNIQUE KEY (`number`), KEY ((CAST(doc->>'$.tags' AS "
      "CHAR(20) ARRAY))))",
      "ALTER TABLE orders ADD year_of INT GENERATED ALWAYS AS (year(cast(doc->>'$.at' as date))) "
      "VIRTUAL INVISIBLE FIRST",
      "CREATE UNIQUE INDEX lower_number ON orders ((lower(`number`)))"},
     "year_of int generated invisible; doc json not null; number varchar(32) utf8mb4 not null "
     "generated; total "
     "decimal(10,2) generated; unique number(2)"},
    {"gh_ost",
     Flavor::mysql,
     {"CREATE TABLE orders (id int unsigned NOT NULL AUTO_INCREMENT, v varchar(20) DEFAULT NULL, "
      "PRIMARY KEY (id)) "
      "DEFAULT CHARSET=latin1",
      "drop /* gh-ost */ table if exists `shop`.`_orders_gho`",
      "drop /* gh-ost */ table if exists `shop`.`_orders_ghc`",
      "create /* gh-ost */ table `shop`.`_orders_ghc` (\n\t\t\tid bigint unsigned "
      "auto_increment,\n\t\t\tlast_update "
      "timestamp not null DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n\t\t\thint "
      "varchar(64) charset ascii not "
      "null,\n\t\t\tvalue varchar(4096) charset ascii not null,\n\t\t\tprimary "
      "key(id),\n\t\t\tunique key "
      "hint_uidx(hint)\n\t\t) auto_increment=256 comment='_orders_ghc'",
      "create /* gh-ost */ table `shop`.`_orders_gho` like `shop`.`orders`",
      "alter /* gh-ost */ table `shop`.`_orders_gho` engine=InnoDB, add column w int not null "
      "default 5, drop column v",
      "alter /* gh-ost */ table `shop`.`_orders_gho` AUTO_INCREMENT=17",
      "create /* gh-ost */ table `shop`.`_orders_del` (\n\t\t\tid int auto_increment primary "
      "key\n\t\t) engine=InnoDB "
      "comment='ghost-cut-over-sentry'",
      "drop /* gh-ost */ table if exists `shop`.`_orders_del`",
      "rename /* gh-ost */ table `shop`.`orders` to `shop`.`_orders_del`, `shop`.`_orders_gho` to "
      "`shop`.`orders`",
      "drop /* gh-ost */ table if exists `shop`.`_orders_ghc`",
      "drop /* gh-ost */ table if exists `shop`.`_orders_del`"},
     "id int unsigned not null; w int not null; primary (0)"},
    {"pt_online_schema_change",
     Flavor::mysql,
     {"CREATE TABLE orders (id int NOT NULL, t tinytext, PRIMARY KEY (id)) DEFAULT CHARSET=latin1",
      "CREATE TABLE `shop`.`_orders_new` (\n  `id` int NOT NULL,\n  `t` tinytext,\n  PRIMARY KEY "
      "(`id`)\n) ENGINE=InnoDB "
      "DEFAULT CHARSET=latin1",
      "ALTER TABLE `shop`.`_orders_new` CONVERT TO CHARACTER SET utf8mb4, ADD COLUMN `x``y` INT",
      "CREATE DEFINER=`root`@`localhost` TRIGGER `pt_osc_shop_orders_del` AFTER DELETE ON "
      "`shop`.`orders` FOR EACH ROW "
      "BEGIN DECLARE CONTINUE HANDLER FOR 1146 begin end; DELETE IGNORE FROM `shop`.`_orders_new` "
      "WHERE "
      "`shop`.`_orders_new`.`id` <=> OLD.`id`; END",
      "ANALYZE TABLE `shop`.`_orders_new` /* pt-online-schema-change */",
      "RENAME TABLE `shop`.`orders` TO `shop`.`_orders_old`, `shop`.`_orders_new` TO "
      "`shop`.`orders`",
      "DROP TABLE IF EXISTS `_orders_old` /* generated by server */",
      "DROP TRIGGER IF EXISTS `shop`.`pt_osc_shop_orders_del`"},
     "id int not null; t text utf8mb4; x`y int; primary (0)"},
    {"rails",
     Flavor::mysql,
     {"CREATE TABLE `orders` (`id` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, `user_id` bigint "
      "NOT NULL, `state` "
      "varchar(255) DEFAULT 'open', `created_at` datetime(6) NOT NULL, INDEX "
      "`index_orders_on_user_id`  (`user_id`), "
      "CONSTRAINT `fk_rails_1`\nFOREIGN KEY (`user_id`)\n  REFERENCES `users` (`id`)\n)",
      "ALTER TABLE `orders` ADD `token` varchar(255)",
      "CREATE UNIQUE INDEX `index_orders_on_token`  ON `orders` (`token`)",
      "ALTER TABLE `orders` CHANGE `token` `token` varchar(255) NOT NULL",
      "ALTER TABLE `orders` CHANGE `state` `status` varchar(255) DEFAULT 'open'",
      "ALTER TABLE `orders` DROP COLUMN `created_at`"},
     "id bigint not null; user_id bigint not null; status varchar(255) utf8mb4; token varchar(255) "
     "utf8mb4 not null; "
     "primary (0); unique index_orders_on_token(3)"},
    {"django",
     Flavor::mysql,
     {"CREATE TABLE `orders` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY, `slug` varchar(50) "
      "NOT NULL UNIQUE, "
      "`data` longtext NOT NULL, `at` datetime(6) NULL)",
      "ALTER TABLE `orders` ADD COLUMN `amount` numeric(10, 2) DEFAULT 0 NOT NULL",
      "ALTER TABLE `orders` ALTER COLUMN `amount` DROP DEFAULT",
      "ALTER TABLE `orders` MODIFY `slug` varchar(80) NOT NULL",
      "ALTER TABLE `orders` ADD CONSTRAINT `orders_slug_at_uniq` UNIQUE (`slug`, `at`)",
      "ALTER TABLE `orders` ADD COLUMN `owner_id` integer NULL , ADD CONSTRAINT `orders_owner_fk` "
      "FOREIGN KEY (`owner_id`) "
      "REFERENCES `auth_user`(`id`)",
      "ALTER TABLE `orders` DROP FOREIGN KEY `orders_owner_fk`",
      "ALTER TABLE `orders` DROP INDEX `orders_slug_at_uniq`"},
     "id int not null; slug varchar(80) utf8mb4 not null; data longtext utf8mb4 not null; at "
     "datetime(6); amount "
     "decimal(10,2) not null; owner_id int; primary (0); unique slug(1)"},
    {"liquibase_and_mysqldump",
     Flavor::mysql,
     {"/*!40101 SET @saved_cs_client     = @@character_set_client */",
      "DROP TABLE IF EXISTS `orders`",
      "CREATE TABLE `orders` (\n  `ID` varchar(255) NOT NULL,\n  `EXECTYPE` varchar(10) NOT "
      "NULL,\n  `N` int(11) DEFAULT "
      "NULL,\n  UNIQUE KEY `K` (`ID`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 /*!80016 DEFAULT "
      "ENCRYPTION='N' */",
      "/*!40000 ALTER TABLE `orders` DISABLE KEYS */",
      "/*!40000 ALTER TABLE `orders` ENABLE KEYS */"},
     "ID varchar(255) utf8mb3 not null; EXECTYPE varchar(10) utf8mb3 not null; N int; unique K(0)"},
    {"generated_invisible_primary_key",
     Flavor::mysql,
     {"CREATE TABLE `orders` (\n  `my_row_id` bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 "
      "INVISIBLE */,\n  `a` int "
      "DEFAULT NULL,\n  PRIMARY KEY (`my_row_id`)\n)",
      "ALTER TABLE orders ADD COLUMN b INT FIRST", "ALTER TABLE orders MODIFY a BIGINT FIRST"},
     "my_row_id bigint unsigned not null invisible; a bigint; b int; primary (0)"},
    {"create_select_as_logged",
     Flavor::mysql,
     {"CREATE TABLE `orders` (\n  `one` int NOT NULL DEFAULT '0',\n  `x` varchar(1) CHARACTER SET "
      "utf8mb4 COLLATE "
      "utf8mb4_0900_ai_ci NOT NULL DEFAULT ''\n) START TRANSACTION"},
     "one int not null; x varchar(1) utf8mb4 not null"},
    {"swap_with_prepared_archive",
     Flavor::mysql,
     {"CREATE TABLE orders (a INT)", "CREATE TABLE archive.orders_2024 (b INT) CHARSET latin1",
      "RENAME TABLE orders TO archive.tmp, archive.orders_2024 TO orders, archive.tmp TO "
      "archive.orders_2024",
      "DROP TABLE archive.orders_2024, some_other"},
     "b int"},
    {"temporal_table",
     Flavor::mariadb,
     {"CREATE TABLE orders (id INT PRIMARY KEY, price DECIMAL(8,2)) WITH SYSTEM VERSIONING "
      "PARTITION BY SYSTEM_TIME "
      "INTERVAL 1 MONTH PARTITIONS 12",
      "ALTER TABLE orders ADD COLUMN IF NOT EXISTS note VARCHAR(20) WITHOUT SYSTEM VERSIONING "
      "AFTER id",
      "ALTER TABLE orders ADD PARTITION PARTITIONS 2", "ALTER TABLE orders DROP PARTITION p0"},
     "id int(11) not null; note varchar(20) utf8mb4; price decimal(8,2); row_start timestamp(6) "
     "not null generated "
     "invisible; row_end timestamp(6) not null generated invisible; primary (0,4)"},
    {"mariadb_migration",
     Flavor::mariadb,
     {"CREATE OR REPLACE TABLE orders (id UUID NOT NULL DEFAULT uuid() PRIMARY KEY, ip INET6, doc "
      "JSON CHECK "
      "(json_valid(doc)), body MEDIUMTEXT /*M!100301 COMPRESSED*/, n INT DEFAULT nextval(seq)) "
      "ENGINE=InnoDB "
      "PAGE_COMPRESSED=1",
      "SET STATEMENT max_statement_time=0, lock_wait_timeout=5 FOR ALTER TABLE orders ADD COLUMN "
      "IF NOT EXISTS v INT, ADD "
      "INDEX IF NOT EXISTS (n)",
      "ALTER ONLINE TABLE IF EXISTS orders NOWAIT DROP COLUMN IF EXISTS gone, DROP INDEX IF EXISTS "
      "gone, ADD UNIQUE INDEX "
      "IF NOT EXISTS ip_n (ip, n)",
      "CREATE OR REPLACE UNIQUE INDEX ip_n ON orders (ip) WAIT 5",
      "ALTER TABLE orders RENAME COLUMN IF EXISTS v TO w"},
     "id uuid not null; ip inet6; doc longtext utf8mb4; body mediumtext utf8mb4 compressed; n "
     "int(11); w int(11); primary "
     "(0); unique ip_n(1) nullable"},
    {"wordpress",
     Flavor::mariadb,
     {"CREATE TABLE orders (\n\tID bigint(20) unsigned NOT NULL auto_increment,\n\tuser_login "
      "varchar(60) NOT NULL default "
      "'',\n\tuser_pass varchar(255) NOT NULL default '',\n\tuser_registered datetime NOT NULL "
      "default '0000-00-00 "
      "00:00:00',\n\tPRIMARY KEY  (ID),\n\tKEY user_login_key (user_login)\n) DEFAULT CHARACTER "
      "SET utf8mb4 COLLATE "
      "utf8mb4_unicode_520_ci",
      "ALTER TABLE orders ADD KEY user_email (user_pass(191))",
      "ALTER TABLE orders CHANGE COLUMN `user_login` user_login varchar(60) NOT NULL default ''",
      "ALTER TABLE orders ADD UNIQUE `user_nicename` (`user_login`(50))"},
     "ID bigint(20) unsigned not null; user_login varchar(60) utf8mb4 not null; user_pass "
     "varchar(255) utf8mb4 not null; "
     "user_registered datetime not null; primary (0); unique user_nicename(1) prefix"},
    {"composite_key_change",
     Flavor::mysql,
     {"CREATE TABLE orders (tenant INT NOT NULL, id INT NOT NULL, x INT, PRIMARY KEY (id), KEY "
      "(tenant))",
      "ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (tenant, id), DROP KEY tenant",
      "ALTER TABLE orders MODIFY id BIGINT NOT NULL AUTO_INCREMENT, ADD UNIQUE KEY (id)"},
     "tenant int not null; id bigint not null; x int; primary (0,1); unique id(1)"},
    {"comments_everywhere",
     Flavor::mysql,
     {"-- migration 7\n# by hand\nCREATE /* the */ TABLE -- really\n orders ( -- columns\n a INT "
      "/* first; */, # x, y\n"
      "/*!80023 b INT INVISIBLE, */ c VARCHAR(9) COMMENT 'it''s /* not */ a -- comment'\n)",
      "ALTER/**/TABLE/**/orders/**/DROP/**/a/*;*/;"},
     "b int invisible; c varchar(9) utf8mb4"},
    {"unicode_names",
     Flavor::mysql,
     {"CREATE TABLE orders (`Straße` INT, `КЛЮЧ` INT, `名前` VARCHAR(3), UNIQUE `Schlüssel` "
      "(`straße`))",
      "ALTER TABLE orders CHANGE `ключ` `Ключ` BIGINT, RENAME INDEX `SCHLÜSSEL` TO `k`, ADD `a.b` "
      "INT AFTER `STRAßE`"},
     "Straße int; a.b int; Ключ bigint; 名前 varchar(3) utf8mb4; unique k(0) nullable"},
    {"truncate_and_exchange",
     Flavor::mysql,
     {"CREATE TABLE orders (a INT NOT NULL) PARTITION BY LIST (a) (PARTITION p1 VALUES IN (1), "
      "PARTITION p2 VALUES IN (2, "
      "3))",
      "CREATE TABLE staging LIKE orders", "ALTER TABLE staging REMOVE PARTITIONING",
      "ALTER TABLE orders EXCHANGE PARTITION p1 WITH TABLE staging WITH VALIDATION",
      "TRUNCATE TABLE orders", "ALTER TABLE orders TRUNCATE PARTITION p2",
      "ALTER TABLE orders PARTITION BY KEY (a) PARTITIONS 4"},
     "a int not null"},
};

INSTANTIATE_TEST_SUITE_P(Of, RealDdlTest, testing::ValuesIn(kCases),
                         [](const auto& c) { return std::string(c.param.name); });

}  // namespace
}  // namespace sluice::schema
