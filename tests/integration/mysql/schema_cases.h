#pragma once
// Tables of every kind of type, attribute and key, as users write them.
#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::mysql {

enum class On : std::uint8_t { both, mysql, mariadb, mariadb_vector };

struct TableCase {
  std::string_view body;  // behind CREATE TABLE name
  On on = On::both;
  std::string_view sql_mode = "";  // of the session
  bool explicit_defaults_for_timestamp = true;
};

constexpr std::array kTableCases = {
    TableCase{"(a TINYINT, b SMALLINT, c MEDIUMINT, d INT, e BIGINT)"},
    TableCase{"(a TINYINT UNSIGNED, b SMALLINT UNSIGNED, c MEDIUMINT UNSIGNED, d INT UNSIGNED, "
              "e BIGINT UNSIGNED)"},
    TableCase{"(a TINYINT(1), b TINYINT(1) UNSIGNED, c INT(0), d INT ZEROFILL, e INT(5) ZEROFILL, "
              "g SMALLINT(1), h BIGINT(21), j TINYINT(4), k INT(255) SIGNED, "
              "m TINYINT(1) ZEROFILL, n TINYINT ZEROFILL, o SMALLINT ZEROFILL, p MEDIUMINT "
              "ZEROFILL, q BIGINT ZEROFILL, r INT(0) UNSIGNED)"},
    TableCase{"(l INT UNSIGNED SIGNED ZEROFILL UNSIGNED, m INT SIGNED UNSIGNED)", On::mysql},
    TableCase{"(a INT1, b INT2, c INT3, d INT4, e INT8, f MIDDLEINT, g INTEGER, h BOOL, i BOOLEAN, "
              "j FLOAT4, k FLOAT8)"},
    TableCase{"(a DEC, b NUMERIC(5), c FIXED(7,3), d DECIMAL(0), e DECIMAL(65,30), f DECIMAL(5,5), "
              "g DECIMAL UNSIGNED ZEROFILL, h DECIMAL(10,2) UNSIGNED)"},
    TableCase{"(a REAL, b DOUBLE PRECISION, c FLOAT(24), d FLOAT(25), e FLOAT(53), f FLOAT(0), "
              "g FLOAT(7,3), h DOUBLE(10,2), i FLOAT UNSIGNED ZEROFILL, j REAL(6,2), "
              "k DOUBLE UNSIGNED, l FLOAT(5,0), m FLOAT(24,3), n FLOAT(30,3), o FLOAT(255,30), "
              "p FLOAT(10), q DOUBLE ZEROFILL)"},
    TableCase{"(a REAL, b REAL(5,2), c DOUBLE PRECISION)", On::both, "REAL_AS_FLOAT"},
    TableCase{"(a DOUBLE(0,0), b DECIMAL(0,0), c DECIMAL(38,38), d BIT(0))", On::mariadb},
    TableCase{"(a BIT, b BIT(1), c BIT(64), d BIT(33))"},
    TableCase{"(a YEAR, b YEAR(4), c YEAR UNSIGNED, d YEAR ZEROFILL)"},
    TableCase{"(a YEAR(2), b YEAR(4), c YEAR(1), d YEAR(3), e YEAR(0))", On::mariadb},
    TableCase{"(a DATE, b TIME, c TIME(0), d TIME(3), e DATETIME, f DATETIME(6), g TIMESTAMP(1) "
              "NULL, h TIMESTAMP(6) NULL DEFAULT NULL)"},
    TableCase{"(a TIMESTAMP, b TIMESTAMP NULL, c TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, "
              "d DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), "
              "e DATETIME DEFAULT NOW() ON UPDATE NOW(), f DATETIME DEFAULT LOCALTIMESTAMP())"},
    TableCase{"(a TIMESTAMP, b TIMESTAMP NULL, c TIMESTAMP DEFAULT '2020-01-01 00:00:00', d INT, "
              "e TIMESTAMP AS (a) VIRTUAL, f TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3))",
              On::both, "", false},
    TableCase{"(a CHAR, b CHARACTER(3), c CHAR(0), d VARCHAR(0), e CHARACTER VARYING(5), f CHAR "
              "VARYING(5), g VARCHARACTER(5), h NATIONAL CHAR(5), i NATIONAL CHARACTER VARYING(6), "
              "j NATIONAL VARCHAR(6), k NVARCHAR(7), l NCHAR(8), m NCHAR VARYING(3), n NCHAR "
              "VARCHAR(4), o NATIONAL VARCHARACTER(3), p NCHAR VARCHARACTER(3), q NATIONAL "
              "CHARACTER(2), r NATIONAL CHAR(5) BINARY, s NCHAR VARYING(5) COLLATE utf8mb3_bin)"},
    TableCase{"(a LONG, b LONG VARCHAR, c LONG VARBINARY, d LONG CHAR VARYING, e LONG CHARACTER "
              "VARYING, f LONG BYTE, g LONG CHARACTER SET latin1, h LONG CHARSET latin1)"},
    TableCase{"(a TEXT(10), b TEXT(63), c TEXT(64), d TEXT(255), e TEXT(256), f TEXT(16383), g "
              "TEXT(16384), h TEXT(65535), i TEXT(65536), j TEXT(4194304), k TEXT(16777215), l "
              "TEXT(16777216), m TEXT(0)) CHARSET utf8mb4"},
    TableCase{"(a TEXT(10), b TEXT(63), c TEXT(64), d TEXT(255), e TEXT(256), f TEXT(16383), g "
              "TEXT(16384), h TEXT(65535), i TEXT(65536), j TEXT(4194304), k TEXT(16777215), l "
              "TEXT(16777216)) CHARSET latin1"},
    TableCase{"(a BLOB(10), b BLOB(255), c BLOB(256), d BLOB(65535), e BLOB(65536), f "
              "BLOB(16777215), g BLOB(16777216), h BLOB(4294967295), i BLOB(0))"},
    TableCase{"(a TINYTEXT, b TEXT, c MEDIUMTEXT, d LONGTEXT, e TINYBLOB, f BLOB, g MEDIUMBLOB, h "
              "LONGBLOB)"},
    TableCase{"(a BINARY, b BINARY(5), c VARBINARY(1), d VARBINARY(300))"},
    TableCase{"(a CHAR(5) BYTE, b VARCHAR(5) BYTE, c TEXT BYTE, d CHAR(5) CHARACTER SET binary, e "
              "VARCHAR(5) CHARSET binary, f TEXT CHARSET binary, g ENUM('a ','b') CHARSET binary, "
              "h TINYTEXT BYTE, i MEDIUMTEXT CHARSET binary, j LONGTEXT CHARSET binary, k SET('a') "
              "CHARSET binary, l TEXT(300) BYTE, m CHAR(3) COLLATE binary, n TEXT COLLATE binary)"},
    TableCase{"(a CHAR(5), b VARCHAR(5), c TEXT, g ENUM('a','b'), h TINYTEXT) CHARSET binary"},
    TableCase{"(a CHAR(5) ASCII, b CHAR(5) UNICODE, c CHAR(5) BINARY, d CHAR(5) ASCII BINARY, e "
              "CHAR(5) BINARY ASCII, f CHAR(5) BINARY CHARACTER SET latin2, g CHAR(5) CHARACTER "
              "SET latin2 BINARY, h VARCHAR(5) UNICODE BINARY, i ENUM('a') ASCII, j TEXT BINARY, k "
              "CHAR(5) BINARY UNICODE)"},
    TableCase{"(a CHAR(5) COLLATE latin2_bin, b CHAR(5) CHARACTER SET utf8 COLLATE utf8_bin, c "
              "CHAR(5) CHARSET utf8mb4 COLLATE utf8mb4_unicode_ci, d INT COLLATE utf8_bin, e "
              "CHAR(5) CHARACTER SET 'gbk', f VARCHAR(5) NOT NULL COLLATE latin1_bin, g VARCHAR(5) "
              "CHARACTER SET utf8mb4 NOT NULL DEFAULT '' COLLATE utf8mb4_bin)"},
    TableCase{"(a CHAR(5) CHARACTER SET latin1 COLLATE DEFAULT, b CHAR(3)) CHARSET=latin2 "
              "COLLATE=DEFAULT",
              On::mariadb},
    TableCase{"(a CHAR(5)) COLLATE latin2_general_ci CHARSET latin2"},
    TableCase{"(a CHAR(5)) CHARSET=utf8 COLLATE=utf8_general_ci, ENGINE InnoDB, COMMENT 'x;y'"},
    TableCase{"(a CHAR(255) CHARSET utf32, b VARCHAR(16383) CHARSET latin1, c VARCHAR(20) CHARSET "
              "sjis, d CHAR(2) CHARSET koi8r)"},
    TableCase{"(a VARCHAR(70000) CHARSET latin1, b VARCHAR(20000) CHARSET utf8mb4, c "
              "VARBINARY(70000), d VARCHAR(5000000) CHARSET utf8mb4)"},
    TableCase{"(a ENUM('a  ','b''c',\"d\"\"e\",x'42',0x43,'\\n\\t\\\\\\r\\0\\Z\\%\\_\\q\"',"
              "'\xC3\xBC', b'01000111') CHARACTER SET latin1, b SET('x','y '))"},
    TableCase{"(a ENUM('a\\n','b\\\\'), b SET('\\'))", On::both, "NO_BACKSLASH_ESCAPES"},
    TableCase{"(a ENUM(x'e9',x'41') CHARACTER SET latin1, b ENUM('\xC3\xA9','\xC3\xBC ') CHARSET "
              "ucs2, c SET(x'00410042') CHARSET ucs2, d ENUM('') , e ENUM('a') BINARY, f ENUM('b') "
              "COLLATE latin1_bin)"},
    TableCase{"(a JSON, b JSON NOT NULL, c JSON DEFAULT NULL COMMENT 'x')"},
    TableCase{"(b JSON COLLATE utf8mb4_general_ci, c JSON CHECK (json_valid(c)))", On::mariadb},
    TableCase{"(a GEOMETRY, b POINT, c LINESTRING, d POLYGON, e MULTIPOINT, f MULTILINESTRING, g "
              "MULTIPOLYGON, h GEOMETRYCOLLECTION)"},
    TableCase{"(a GEOMCOLLECTION, b POINT NOT NULL SRID 4326, c GEOMETRY SRID 0, d GEOMETRY "
              "GENERATED ALWAYS AS (POINT(1,2)) STORED SRID 0 NOT NULL)",
              On::mysql},
    TableCase{"(b GEOMETRY REF_SYSTEM_ID=3, c INT)", On::mariadb},
    TableCase{"(a VECTOR(3), b VECTOR)", On::mysql},
    TableCase{"(a VECTOR(3) NOT NULL, b INT NOT NULL UNIQUE, VECTOR INDEX (a) M=6 "
              "DISTANCE=euclidean)",
              On::mariadb_vector},
    TableCase{"(a INET4, b INET6, c UUID, d UUID NOT NULL PRIMARY KEY)", On::mariadb},
    TableCase{"(a VARCHAR(10) COMPRESSED, b TEXT COMPRESSED=zlib, c VARBINARY(5) COMPRESSED NOT "
              "NULL, d VARCHAR(10) COMPRESSED CHARSET latin1, e BLOB(5) COMPRESSED, f LONG "
              "COMPRESSED, g LONG VARCHAR COMPRESSED, i TINYTEXT COMPRESSED)",
              On::mariadb},
    TableCase{"(a CLOB, b RAW(5), c NUMBER, d NUMBER(5,2), e VARCHAR2(5), f DATE, g BLOB, h "
              "VARCHAR(5), j INT, k TIMESTAMP, l TEXT, m NUMBER(5), n CHAR, o BLOB(10), q "
              "RAW(3000), r DATETIME, s LONGBLOB, u DOUBLE, w DECIMAL(3))",
              On::mariadb, "ORACLE"},
    TableCase{"(f DATE, g mariadb_schema.date, h oracle_schema.date, i maxdb_schema.timestamp)",
              On::mariadb},
    TableCase{"(\"a\" INT DEFAULT 5, \"b\"\"c\" VARCHAR(5) DEFAULT 'x', `d` ENUM('q'))", On::both,
              "ANSI_QUOTES"},
    TableCase{"(a INT DEFAULT 5, e BIT(3) DEFAULT b'101', f BINARY(3) DEFAULT x'414243', g "
              "VARCHAR(36) DEFAULT (uuid()), j DATE DEFAULT '2020-01-01', m INT DEFAULT +1, n "
              "TINYINT DEFAULT TRUE, o DOUBLE DEFAULT 1.5e-3 COMMENT 'it''s, (a', p DECIMAL(5,2) "
              "DEFAULT -.5 NOT NULL, q BINARY(2) DEFAULT 0x4142)"},
    TableCase{"(a INT DEFAULT 5, b INT DEFAULT (1+2), c INT DEFAULT -1, d VARCHAR(10) DEFAULT "
              "'a''b', g VARCHAR(36) DEFAULT uuid(), h INT DEFAULT (a+1), i VARCHAR(5) DEFAULT "
              "concat('a',\"b\"), j DATE DEFAULT DATE'2020-01-01', k VARCHAR(5) DEFAULT "
              "_latin1'x', o DATE DEFAULT (now() + interval 1 day), p VARCHAR(5) DEFAULT "
              "current_user(), s VARCHAR(9) DEFAULT 'a' 'b', u INT DEFAULT CASE WHEN a=1 THEN 2 "
              "ELSE CASE a WHEN 2 THEN 3 END END, v VARCHAR(5) DEFAULT CAST(a AS CHAR), w "
              "VARCHAR(9) DEFAULT N'x', x VARCHAR(9) DEFAULT user() NOT NULL)",
              On::mariadb},
    TableCase{"(a INT COMMENT 'a' COLUMN_FORMAT FIXED STORAGE DISK, b INT NOT SECONDARY, c INT "
              "CONSTRAINT cc CHECK (c > 1) NOT ENFORCED INVISIBLE, d INT CHECK (d <> (1)) "
              "ENFORCED, e INT COLUMN_FORMAT DEFAULT VISIBLE)",
              On::mysql},
    TableCase{"(a INT, b INT, c INT CHECK (c > 1), CONSTRAINT c9 CHECK (a > b), CHECK (a <> 5), "
              "UNIQUE c_1 (a), UNIQUE (a))"},
    TableCase{"(a INT, b INT GENERATED ALWAYS AS (a+1) VIRTUAL UNIQUE COMMENT 'x', c INT AS (a*2) "
              "STORED, d INT INVISIBLE, e INT AS (a), f VARCHAR(10) AS (concat('(', a)) STORED)"},
    TableCase{"(a INT, c INT AS (a*2) STORED NOT NULL COMMENT 'x', d INT INVISIBLE NOT NULL "
              "DEFAULT 3)",
              On::mysql},
    TableCase{"(a INT, f INT AS (a) PERSISTENT INVISIBLE)", On::mariadb},
    TableCase{"(a INT NULL NOT NULL, b INT NOT NULL NULL, c TIMESTAMP NULL NOT NULL)"},
    TableCase{"(a SERIAL, b INT)"},
    TableCase{"(a BIGINT SERIAL DEFAULT VALUE, b INT UNIQUE)"},
    TableCase{"(id SERIAL PRIMARY KEY)"},
    TableCase{"(a INT AUTO_INCREMENT UNIQUE, b INT)"},
    TableCase{"(`primary` INT, UNIQUE (`primary`), b INT AUTO_INCREMENT PRIMARY KEY)"},
    TableCase{"(a INT UNIQUE, b INT UNIQUE KEY, c INT KEY, d INT NOT NULL UNIQUE, UNIQUE (b))"},
    TableCase{"(a INT UNIQUE PRIMARY KEY, b INT UNIQUE UNIQUE)"},
    TableCase{"(a INT UNIQUE NOT NULL, b INT, UNIQUE (a), PRIMARY KEY (a))"},
    TableCase{"(a INT NOT NULL, b INT, c INT NOT NULL, d INT NOT NULL, UNIQUE u1 (b), UNIQUE u2 "
              "(a), UNIQUE u3 (c), PRIMARY KEY (d,a), UNIQUE u4(d))"},
    TableCase{"(a VARCHAR(20) NOT NULL, b VARCHAR(20) NOT NULL, c VARCHAR(20), UNIQUE u0 (c(5)), "
              "UNIQUE u1 (a(5)), UNIQUE u2 (b), UNIQUE u3 (c), UNIQUE u4 (a(20)), UNIQUE u5(a,b(3))"
              ", UNIQUE u6 (c))"},
    TableCase{"(a INT, b INT, UNIQUE (a), UNIQUE (a,b), CONSTRAINT x UNIQUE (b), CONSTRAINT y "
              "UNIQUE KEY z (b,a), KEY (a), UNIQUE (A), CONSTRAINT UNIQUE (b), CONSTRAINT UNIQUE "
              "INDEX foo (a))"},
    TableCase{"(a INT, a2 INT, UNIQUE KEY (a), KEY A_2 (a2), UNIQUE (a))"},
    TableCase{"(a INT, b INT NOT NULL, CONSTRAINT `c` PRIMARY KEY (b))"},
    TableCase{"(a INT, b INT, PRIMARY KEY USING BTREE (a) COMMENT 'x', UNIQUE KEY USING BTREE (b "
              "DESC), UNIQUE b2 USING BTREE (b ASC) USING BTREE KEY_BLOCK_SIZE=4, UNIQUE k TYPE "
              "BTREE (a), UNIQUE type (b))"},
    TableCase{"(a INT, b INT, UNIQUE (a) COMMENT 'x' INVISIBLE, KEY k (b) VISIBLE)", On::mysql},
    TableCase{"(a INT, b INT, UNIQUE (a) IGNORED, UNIQUE b (b) NOT IGNORED)", On::mariadb},
    TableCase{"(a TEXT, b BLOB NOT NULL, UNIQUE (a(100)), UNIQUE (b(20)))"},
    TableCase{"(a TINYTEXT CHARSET latin1 NOT NULL, UNIQUE (a(255)), UNIQUE k2 (a(254)))"},
    TableCase{"(a BINARY(4) NOT NULL, b VARBINARY(10) NOT NULL, UNIQUE (a(4)), UNIQUE "
              "(b(10),a(2)))"},
    TableCase{"(a TEXT, b BLOB NOT NULL, c VARCHAR(20) NOT NULL, d INT, e VARCHAR(3000) NOT NULL, "
              "UNIQUE (a), UNIQUE (b), UNIQUE(c), UNIQUE (d), UNIQUE (e(3)), UNIQUE (a(10)), "
              "UNIQUE(e), UNIQUE (b,c))",
              On::mariadb},
    TableCase{"(a INT, INDEX (a), KEY k (a), FULLTEXT (b), FULLTEXT INDEX x (b) WITH PARSER ngram, "
              "b TEXT, SPATIAL INDEX sp (c), c POINT NOT NULL SRID 0)",
              On::mysql},
    TableCase{"(a INT, INDEX (a), KEY k (a), FULLTEXT (b), FULLTEXT INDEX x (b), b TEXT, SPATIAL "
              "INDEX sp (c), c POINT NOT NULL)",
              On::mariadb},
    TableCase{"(a POINT NOT NULL SRID 4326, c INT NOT NULL UNIQUE INVISIBLE DEFAULT 3, UNIQUE ((c "
              "+ 1)), UNIQUE f ((c+2), c), KEY ((CAST(a AS CHAR(5)))))",
              On::mysql},
    TableCase{"(a INT, j JSON, UNIQUE KEY m ((CAST(j->'$.a' AS UNSIGNED ARRAY))), UNIQUE KEY n "
              "(a))",
              On::mysql},
    TableCase{
        "(a INT, b INT, FOREIGN KEY (a) REFERENCES parent(id), UNIQUE (a), UNIQUE (b), "
        "CONSTRAINT b_2 FOREIGN KEY (b) REFERENCES parent(id) ON DELETE CASCADE ON UPDATE SET "
        "NULL)"},
    TableCase{"(a INT, b INT, CONSTRAINT a_2 FOREIGN KEY (b) REFERENCES parent (id) MATCH SIMPLE "
              "ON DELETE NO ACTION, UNIQUE (a), UNIQUE (a,b))"},
    TableCase{"(a INT, b INT, CONSTRAINT FOREIGN KEY a (b) REFERENCES parent (id), UNIQUE (a), "
              "UNIQUE (a,b))"},
    TableCase{
        "(a INT, b INT, FOREIGN KEY (a) REFERENCES parent (id), FOREIGN KEY xx (b) REFERENCES "
        "parent (id), UNIQUE (a), UNIQUE (b,a))"},
    TableCase{"(b INT UNIQUE REFERENCES parent(id), a INT REFERENCES parent(id), UNIQUE (a,b))"},
    TableCase{"(a INT REFERENCES parent (id), b INT, c INT, UNIQUE (b,a), UNIQUE a_2 (c), UNIQUE "
              "(a,c))"},
    TableCase{"(a INT PRIMARY KEY, b INT UNIQUE) WITH SYSTEM VERSIONING", On::mariadb},
    TableCase{"(a INT PRIMARY KEY, b INT, UNIQUE u (b), rs TIMESTAMP(6) GENERATED ALWAYS AS ROW "
              "START, re TIMESTAMP(6) AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (rs,re)) WITH "
              "SYSTEM VERSIONING",
              On::mariadb},
    TableCase{"(a INT, rs BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, re BIGINT UNSIGNED "
              "GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (rs,re), UNIQUE (a), UNIQUE b "
              "(a,re)) WITH SYSTEM VERSIONING ENGINE=InnoDB",
              On::mariadb},
    TableCase{"(a INT, b INT WITHOUT SYSTEM VERSIONING, c INT WITH SYSTEM VERSIONING)",
              On::mariadb},
    TableCase{"(a INT, s DATE, e DATE, PERIOD FOR p (s,e), UNIQUE (a, p WITHOUT OVERLAPS), b INT, "
              "UNIQUE (b))",
              On::mariadb},
    TableCase{"(a INT, s DATE, e DATE, PERIOD FOR p (s,e), PRIMARY KEY (a, p WITHOUT OVERLAPS))",
              On::mariadb},
    TableCase{"(a INT NOT NULL, b INT, PRIMARY KEY (a)) PARTITION BY RANGE (a) (PARTITION p0 "
              "VALUES LESS THAN (10) COMMENT 'x', PARTITION p1 VALUES LESS THAN MAXVALUE)"},
    TableCase{"(a INT NOT NULL PRIMARY KEY) ENGINE=InnoDB PARTITION BY KEY (a) PARTITIONS 3"},
    TableCase{"(a INT) ENGINE=MEMORY MAX_ROWS 5, MIN_ROWS=1 PACK_KEYS=DEFAULT ROW_FORMAT DYNAMIC "
              "STATS_PERSISTENT=1 CHECKSUM 0 DELAY_KEY_WRITE=0 AVG_ROW_LENGTH=3 KEY_BLOCK_SIZE=0 "
              "STATS_AUTO_RECALC=DEFAULT STATS_SAMPLE_PAGES=7 COMMENT='a ''b'' \\\\ (c'"},
    TableCase{"(a INT) UNION=() INSERT_METHOD=LAST"},
    TableCase{"(a INT) ENGINE=InnoDB AUTOEXTEND_SIZE=4M COMPRESSION='zlib' ENCRYPTION='N' "
              "TABLESPACE innodb_file_per_table",
              On::mysql},
    TableCase{"(a INT) ENGINE=InnoDB page_compressed=1 `PAGE_COMPRESSION_LEVEL`=3 "
              "TRANSACTIONAL=1 PAGE_CHECKSUM=1",
              On::mariadb},
    TableCase{
        "(`a b` INT, `1` INT, 1a INT, $x INT, \xC3\xA9 INT, `c``d` INT, _1e5 INT, 1e INT, "
        "`\xE6\xBC\xA2` INT UNIQUE, `key` INT, `check` INT, period INT, `vector` INT, type INT "
        "UNIQUE, at INT, `constraint` INT, comment VARCHAR(3) COMMENT 'comment', value ENUM("
        "'value'), `a;b` INT, status TEXT, date DATE, timestamp TIMESTAMP NULL)"},
    TableCase{"/* a ; */ (a INT -- b INT,\n , # c INT;\n d /*!50000 INT */ /*!99999 nonsense */, e "
              "INT /*!100100 COMMENT 'x' */)",
              On::both},
    TableCase{"(a INT, a2 INT /*!80023 INVISIBLE */, b INT /*M! NOT NULL */ UNIQUE)"},
};

}  // namespace sluice::mysql
