// DDL as users write it: partitions, generated columns, comments, many actions at once.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "real_ddl.h"

namespace sluice::schema {
namespace {

class RealDdlForms : public testing::TestWithParam<RealDdl> {};

TEST_P(RealDdlForms, IsFollowed) {
  const RealDdlResult result = follow(GetParam());
  EXPECT_EQ(result.effects, GetParam().effects);
  EXPECT_THAT(result.tables, testing::ElementsAreArray(GetParam().tables));
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
     "created shop.orders; emptied shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: id bigint unsigned not null; created_at datetime(3) not null; total "
      "decimal(12,2) not null; note varchar(200) utf8mb4; primary (0,1) | PRIMARY(0,1)"}},
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
      "  COMMENT = 'ten, or so', ALGORITHM=COPY, LOCK=SHARED"},
     "created shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: id int not null; status enum('new','paid','it''s (odd), yes') utf8mb4 "
      "not null; customer_id bigint unsigned not null; c varchar(64) ascii; description text "
      "utf8mb4; e date; primary (0); unique uq_customer(2); unique uq_status(1,2) | PRIMARY(0) "
      "uq_customer(2) uq_status(1,2) e(5)"}},
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
     "created shop.orders; altered shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: year_of int generated invisible; doc json not null; number varchar(32) "
      "utf8mb4 not null generated; total decimal(10,2) generated; unique number(2) | number(2) "
      "lower_number(?) functional_index(?)"}},
    {"temporal_table",
     Flavor::mariadb,
     {"CREATE TABLE orders (id INT PRIMARY KEY, price DECIMAL(8,2)) WITH SYSTEM VERSIONING "
      "PARTITION BY SYSTEM_TIME "
      "INTERVAL 1 MONTH PARTITIONS 12",
      "ALTER TABLE orders ADD COLUMN IF NOT EXISTS note VARCHAR(20) WITHOUT SYSTEM VERSIONING "
      "AFTER id",
      "ALTER TABLE orders ADD PARTITION PARTITIONS 2", "ALTER TABLE orders DROP PARTITION p0"},
     "created shop.orders; altered shop.orders; emptied shop.orders",
     {"shop.orders utf8mb4: id int(11) not null; note varchar(20) utf8mb4; price decimal(8,2); "
      "row_start timestamp(6) not null generated invisible; row_end timestamp(6) not null "
      "generated invisible; primary (0,4) | PRIMARY(0)"}},
    {"truncate_and_exchange",
     Flavor::mysql,
     {"CREATE TABLE orders (a INT NOT NULL) PARTITION BY LIST (a) (PARTITION p1 VALUES IN (1), "
      "PARTITION p2 VALUES IN (2, "
      "3))",
      "CREATE TABLE staging LIKE orders", "ALTER TABLE staging REMOVE PARTITIONING",
      "ALTER TABLE orders EXCHANGE PARTITION p1 WITH TABLE staging WITH VALIDATION",
      "TRUNCATE TABLE orders", "ALTER TABLE orders TRUNCATE PARTITION p2",
      "ALTER TABLE orders PARTITION BY KEY (a) PARTITIONS 4"},
     "created shop.orders; created shop.staging; emptied shop.orders; emptied shop.staging; "
     "emptied shop.orders; emptied shop.orders",
     {"shop.orders utf8mb4: a int not null | ", "shop.staging utf8mb4: a int not null | "}},
    {"comments_everywhere",
     Flavor::mysql,
     {"-- migration 7\n# by hand\nCREATE /* the */ TABLE -- really\n orders ( -- columns\n a INT "
      "/* first; */, # x, y\n"
      "/*!80023 b INT INVISIBLE, */ c VARCHAR(9) COMMENT 'it''s /* not */ a -- comment'\n)",
      "ALTER/**/TABLE/**/orders/**/DROP/**/a/*;*/;"},
     "created shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: b int invisible; c varchar(9) utf8mb4 | "}},
    {"unicode_names",
     Flavor::mysql,
     {"CREATE TABLE orders (`Straße` INT, `КЛЮЧ` INT, `名前` VARCHAR(3), UNIQUE `Schlüssel` "
      "(`straße`))",
      "ALTER TABLE orders CHANGE `ключ` `Ключ` BIGINT, RENAME INDEX `SCHLÜSSEL` TO `k`, ADD `a.b` "
      "INT AFTER `STRAßE`"},
     "created shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: Straße int; a.b int; Ключ bigint; 名前 varchar(3) utf8mb4; unique k(0) "
      "nullable | k(0)"}},
    {"composite_key_change",
     Flavor::mysql,
     {"CREATE TABLE orders (tenant INT NOT NULL, id INT NOT NULL, x INT, PRIMARY KEY (id), KEY "
      "(tenant))",
      "ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (tenant, id), DROP KEY tenant",
      "ALTER TABLE orders MODIFY id BIGINT NOT NULL AUTO_INCREMENT, ADD UNIQUE KEY (id)"},
     "created shop.orders; altered shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: tenant int not null; id bigint not null; x int; primary (0,1); unique "
      "id(1) | PRIMARY(0,1) id(1)"}},
    {"generated_invisible_primary_key",
     Flavor::mysql,
     {"CREATE TABLE `orders` (\n  `my_row_id` bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 "
      "INVISIBLE */,\n  `a` int "
      "DEFAULT NULL,\n  PRIMARY KEY (`my_row_id`)\n)",
      "ALTER TABLE orders ADD COLUMN b INT FIRST", "ALTER TABLE orders MODIFY a BIGINT FIRST"},
     "created shop.orders; altered shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: my_row_id bigint unsigned not null invisible; a bigint; b int; primary "
      "(0) | PRIMARY(0)"}},
    {"create_select_as_logged",
     Flavor::mysql,
     {"CREATE TABLE `orders` (\n  `one` int NOT NULL DEFAULT '0',\n  `x` varchar(1) CHARACTER SET "
      "utf8mb4 COLLATE "
      "utf8mb4_0900_ai_ci NOT NULL DEFAULT ''\n) START TRANSACTION"},
     "created shop.orders",
     {"shop.orders utf8mb4: one int not null; x varchar(1) utf8mb4 not null | "}},
    {"range_columns_with_subpartitions",
     Flavor::mysql,
     {"CREATE TABLE orders (\n"
      "  id BIGINT NOT NULL, region VARCHAR(8) CHARACTER SET ascii NOT NULL, at DATE NOT NULL,\n"
      "  note TEXT COMMENT 'see PARTITION BY (x)',\n"
      "  PRIMARY KEY (id, region, at), UNIQUE KEY by_day (at DESC, region, id)\n"
      ") ENGINE = InnoDB DEFAULT CHARSET = latin1\n"
      "PARTITION BY RANGE COLUMNS (region, at)\n"
      "SUBPARTITION BY KEY ALGORITHM = 2 (id) SUBPARTITIONS 2 (\n"
      "  PARTITION `p(eu)` VALUES LESS THAN ('f', '2024-01-01') COMMENT = 'it''s (old)' ENGINE = "
      "InnoDB\n"
      "    (SUBPARTITION s0, SUBPARTITION `s 1`),\n"
      "  PARTITION pmax VALUES LESS THAN (MAXVALUE, MAXVALUE)\n"
      "    (SUBPARTITION s2 COMMENT = 'ssd, (fast', SUBPARTITION s3)\n"
      ")",
      "ALTER TABLE orders ADD COLUMN total DECIMAL(12,2) UNSIGNED NOT NULL DEFAULT 0.00 AFTER "
      "region, DROP KEY by_day",
      "ALTER TABLE orders TRUNCATE PARTITION `p(eu)`, pmax",
      "ALTER TABLE orders DROP PARTITION "
      "`p(eu)`",
      "ALTER TABLE orders ENGINE = InnoDB REMOVE PARTITIONING"},
     "created shop.orders; altered shop.orders; emptied shop.orders; emptied shop.orders",
     {"shop.orders latin1: id bigint not null; region varchar(8) ascii not null; total "
      "decimal(12,2) unsigned not null; at date not null; note text latin1; primary (0,1,3) | "
      "PRIMARY(0,1,3)"}},
    {"list_and_hash_partitions",
     Flavor::mysql,
     {"create table `orders` (`id` int not null, `kind` enum('a','b') not null, `k` int as (`id` % "
      "7) stored) partition by list (`k`) (partition `p0` values in (0, 1, 2, null), partition "
      "`p1` values in (3,4,5,6))",
      "ALTER TABLE orders REORGANIZE PARTITION p0, p1 INTO (PARTITION pa VALUES IN (0,1,2,3), "
      "PARTITION pb VALUES IN (4,5,6,NULL))",
      "ALTER TABLE orders PARTITION BY LINEAR HASH (id) PARTITIONS 4",
      "ALTER TABLE orders ADD UNIQUE KEY (id), ALGORITHM = COPY, LOCK = SHARED",
      "ALTER TABLE orders COALESCE PARTITION 2", "OPTIMIZE TABLE orders",
      "ALTER TABLE orders DROP COLUMN k, MODIFY kind ENUM('a','b','c','d, e') NOT NULL FIRST"},
     "created shop.orders; altered shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: kind enum('a','b','c','d, e') utf8mb4 not null; id int not null; "
      "unique id(1) | id(1)"}},
    {"partitions_become_tables",
     Flavor::mariadb,
     {"CREATE TABLE orders (id INT NOT NULL, y SMALLINT NOT NULL, KEY (y), PRIMARY KEY (id, y)) "
      "CHARSET utf8mb3 PARTITION BY RANGE (y) (PARTITION p2022 VALUES LESS THAN (2023), PARTITION "
      "p2023 VALUES LESS THAN (2024), PARTITION p VALUES LESS THAN MAXVALUE)",
      "ALTER TABLE orders CONVERT PARTITION p2022 TO TABLE orders_2022",
      "ALTER TABLE orders_2022 ADD archived BOOL NOT NULL DEFAULT TRUE",
      "ALTER TABLE orders ADD INDEX IF NOT EXISTS y (id), DROP COLUMN IF EXISTS archived"},
     "created shop.orders; emptied shop.orders; created shop.orders_2022; altered shop.orders_2022",
     {"shop.orders utf8mb3: id int(11) not null; y smallint(6) not null; primary (0,1) | "
      "PRIMARY(0,1) y(1)",
      "shop.orders_2022 utf8mb3: id int(11) not null; y smallint(6) not null; archived tinyint(1) "
      "not null; primary (0,1) | PRIMARY(0,1) y(1)"}},
    {"generated_columns_of_mariadb",
     Flavor::mariadb,
     {"CREATE TABLE orders (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, doc JSON NOT NULL "
      "CHECK (JSON_VALID(doc) AND JSON_EXISTS(doc, '$.items[0]')), sku VARCHAR(40) AS "
      "(JSON_VALUE(doc, '$.\"s k u\"')) PERSISTENT UNIQUE COMMENT 'from \"doc\", see (1)', total "
      "DOUBLE GENERATED ALWAYS AS (IF(id > 3, id * 1.19, 0)) VIRTUAL INVISIBLE)",
      "ALTER TABLE orders MODIFY sku VARCHAR(60) CHARACTER SET ascii AS (JSON_VALUE(doc, "
      "'$.sku')) STORED, ADD h BINARY(32) AS (UNHEX(SHA2(CONCAT_WS('|', doc, \"it's\"), 256))) "
      "STORED AFTER id",
      "ALTER TABLE orders DROP CONSTRAINT IF EXISTS doc, ADD UNIQUE INDEX (h, sku)",
      "ALTER TABLE orders CHANGE total gross DECIMAL(10,2) AS (id) VIRTUAL"},
     "created shop.orders; altered shop.orders; altered shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: id int(10) unsigned not null; h binary(32) generated; doc longtext "
      "utf8mb4 not null; sku varchar(60) ascii generated; gross decimal(10,2) generated; primary "
      "(0); unique sku(3) nullable; unique h(1,3) nullable | PRIMARY(0) sku(3) h(1,3)"}},
    {"comments_with_quotes",
     Flavor::mysql,
     {"CREATE TABLE `orders` (\n"
      "  `id` int NOT NULL COMMENT 'don''t \"touch\" `id`, it\\'s (1) \\\\',\n"
      "  `a` varchar(20) DEFAULT 'x'',y' COMMENT \"DROP TABLE `orders`; -- 'quoted'\",\n"
      "  `b` char(1) NOT NULL DEFAULT '\\'' COMMENT '/* not a comment */ # nor this',\n"
      "  `c` enum('a,b','c)','d''e','f\\\\') DEFAULT 'c)' COMMENT ') ENGINE=MyISAM',\n"
      "  PRIMARY KEY (`id`) COMMENT 'a key, \\n two lines',\n"
      "  UNIQUE KEY `u` (`a`(5) DESC,`b`) COMMENT ', UNIQUE KEY `v` (`c`)'\n"
      ") COMMENT='the \"orders\"; isn''t it?' DEFAULT CHARSET=utf8mb4",
      "ALTER TABLE `orders` COMMENT = ', ADD COLUMN `z` int', ALTER `a` SET DEFAULT ', DROP `b`'",
      "ALTER TABLE `orders` MODIFY `b` CHAR(2) COMMENT \"AFTER `id`\" AFTER `c`, ADD `d` DATE "
      "COMMENT 'FIRST' -- the last one\n"},
     "created shop.orders; altered shop.orders",
     {"shop.orders utf8mb4: id int not null; a varchar(20) utf8mb4; c "
      "enum('a,b','c)','d''e','f\\\\') utf8mb4; b char(2) utf8mb4; d date; primary (0); unique "
      "u(1,3) nullable prefix | PRIMARY(0) u(1:5 desc,3)"}},
    {"ten_actions_of_mariadb",
     Flavor::mariadb,
     {"CREATE TABLE orders (id INT, a INT NOT NULL, b VARCHAR(10), c TEXT, d DATE, e TIMESTAMP, "
      "KEY b (b), UNIQUE ab (a, b), CONSTRAINT positive CHECK (a > 0)) DEFAULT CHARSET=latin1",
      "ALTER IGNORE TABLE IF EXISTS `orders` WAIT 30\n"
      "  ADD PRIMARY KEY (id),\n"
      "  ADD COLUMN IF NOT EXISTS (`b` INT, `f` UUID NULL, g INET6 COMMENT 'v4, too'),\n"
      "  DROP COLUMN IF EXISTS `never`,\n"
      "  CHANGE COLUMN IF EXISTS a amount DECIMAL(9,3) NOT NULL DEFAULT 0 AFTER `day`,\n"
      "  MODIFY COLUMN c MEDIUMTEXT COMPRESSED=zlib CHARACTER SET utf8mb4 FIRST,\n"
      "  RENAME COLUMN d TO `day`,\n"
      "  RENAME INDEX ab TO amount_b,\n"
      "  DROP CONSTRAINT IF EXISTS positive,\n"
      "  ADD CONSTRAINT UNIQUE one_a_day (`day`, amount),\n"
      "  ADD FULLTEXT INDEX (b),\n"
      "  ALTER COLUMN b SET DEFAULT CONCAT('(', \",\"),\n"
      "  DROP KEY b,\n"
      "  ENGINE=InnoDB, PAGE_COMPRESSED=1 PAGE_COMPRESSION_LEVEL=6, ALGORITHM=COPY"},
     "created shop.orders; altered shop.orders",
     {"shop.orders latin1: c mediumtext utf8mb4 compressed; id int(11) not null; b varchar(10) "
      "latin1; day date; amount decimal(9,3) not null; e timestamp; f uuid; g inet6; primary (1); "
      "unique amount_b(4,2) nullable; unique one_a_day(3,4) nullable | PRIMARY(1) amount_b(4,2) "
      "one_a_day(3,4) b(2)"}},
    {"to_utf8mb4",
     Flavor::mysql,
     {"CREATE TABLE orders (id INT PRIMARY KEY, a VARCHAR(200), b TINYTEXT, c TEXT, d "
      "ENUM('x','y'), "
      "e CHAR(3) CHARACTER SET ascii, f BLOB, UNIQUE KEY (a(150))) DEFAULT CHARSET=latin1",
      "ALTER DATABASE shop CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci",
      "ALTER TABLE orders CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
      "ALTER TABLE orders MODIFY c TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
      "ALTER TABLE orders DEFAULT CHARACTER SET latin1, ADD g VARCHAR(9)"},
     "created shop.orders; altered shop.orders; altered shop.orders; altered shop.orders",
     {"shop.orders latin1: id int not null; a varchar(200) utf8mb4; b text utf8mb4; c text utf8mb4 "
      "not null; d enum('x','y') utf8mb4; e char(3) utf8mb4; f blob; g varchar(9) latin1; primary "
      "(0); unique a(1) nullable prefix | PRIMARY(0) a(1:150)"}},
    {"kinds_of_indexes",
     Flavor::mysql,
     {"CREATE TABLE orders (id INT NOT NULL, place POINT NOT NULL SRID 4326, words TEXT, tags "
      "JSON, "
      "PRIMARY KEY (id) USING BTREE, SPATIAL INDEX (place), FULLTEXT KEY ft (words) /*!50100 WITH "
      "PARSER `ngram` */, INDEX tags ((CAST(tags->'$[*]' AS UNSIGNED ARRAY))))",
      "CREATE UNIQUE INDEX `words` USING BTREE ON orders (words(100) ASC, id DESC) COMMENT "
      "'w(100)' "
      "INVISIBLE ALGORITHM = INPLACE LOCK = NONE",
      "ALTER TABLE orders ALTER INDEX words VISIBLE, ADD UNIQUE ((CAST(lower(words) AS CHAR(20))), "
      "id)",
      "DROP INDEX ft ON orders", "DROP INDEX `PRIMARY` ON orders"},
     "created shop.orders; altered shop.orders; altered shop.orders; altered shop.orders; altered "
     "shop.orders",
     {"shop.orders utf8mb4: id int not null; place point not null; words text utf8mb4; tags json; "
      "unique words(2,0) nullable prefix | functional_index(?,0) words(2:100,0 desc) place(1) "
      "tags(?)"}},
};

INSTANTIATE_TEST_SUITE_P(Of, RealDdlForms, testing::ValuesIn(kCases),
                         [](const auto& c) { return std::string(c.param.name); });

}  // namespace
}  // namespace sluice::schema
