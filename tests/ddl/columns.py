"""Column types and attributes as users write them."""
import names

CHARSETS = ["utf8mb4", "latin1", "utf8mb3", "gbk", "ucs2", "utf16", "latin2", "binary", "ascii", "cp1251", "sjis"]
COLLATIONS = {"utf8mb4": "utf8mb4_bin", "latin1": "latin1_general_cs", "utf8mb3": "utf8mb3_unicode_ci", "gbk": "gbk_bin", "ucs2": "ucs2_bin", "utf16": "utf16_bin",
              "latin2": "latin2_bin", "binary": "binary", "ascii": "ascii_bin", "cp1251": "cp1251_bin", "sjis": "sjis_bin"}


class ColumnWriter:
    """Writes definitions for one server.  `mariadb`: its version as (10, 11), None for MySQL."""

    def __init__(self, rnd, mariadb):
        self.rnd, self.mariadb = rnd, mariadb

    def chance(self, probability):
        return self.rnd.random() < probability

    def charset(self):
        """A clause, or nothing."""
        if self.chance(0.5):
            return ""
        name = self.rnd.choice(CHARSETS)
        return " " + self.rnd.choice([f"CHARACTER SET {name}", f"CHARSET {name}", f"CHARACTER SET {name} COLLATE {COLLATIONS[name]}", f"COLLATE {COLLATIONS[name]}",
                                      "BINARY" if not self.mariadb else f"CHARSET {name}", "ASCII", "UNICODE", f"CHARSET '{name}'"])

    def integer(self):
        rnd = self.rnd
        kind = rnd.choice(["INT", "INT", "INTEGER", "TINYINT", "SMALLINT", "MEDIUMINT", "BIGINT", "BIGINT", "BOOL", "INT8", "INT1", "MIDDLEINT", "TINYINT(1)"])
        if kind in ("BOOL", "TINYINT(1)"):
            return kind
        width = f"({rnd.randint(1, 20)})" if self.chance(0.2) else ""
        return kind + width + rnd.choice(["", "", "", " UNSIGNED", " UNSIGNED", " ZEROFILL", " UNSIGNED ZEROFILL"])

    def number(self):
        rnd = self.rnd
        precision = rnd.randint(1, 40)
        return rnd.choice([f"DECIMAL({precision},{rnd.randint(0, min(precision, 30))})", f"NUMERIC({precision})", "DEC", "FIXED(5,2) UNSIGNED", "FLOAT", "DOUBLE",
                           "DOUBLE PRECISION", "REAL", "FLOAT(7,3)", "FLOAT(30)", "DOUBLE(10,2) UNSIGNED", "BIT", f"BIT({rnd.randint(1, 64)})"])

    def time(self):
        rnd = self.rnd
        digits = f"({rnd.randint(0, 6)})" if self.chance(0.4) else ""
        return rnd.choice(["DATE", "YEAR", "YEAR(4)", f"TIME{digits}", f"DATETIME{digits}", f"TIMESTAMP{digits}"])

    def string(self):
        rnd = self.rnd
        n = rnd.choice([1, 5, 10, 20, 63, 64, 100, 190, 255])
        kind = rnd.choice([f"CHAR({n})", f"VARCHAR({n})", f"VARCHAR({n})", f"VARCHAR({n})", f"CHARACTER VARYING({n})", f"NATIONAL VARCHAR({n})", f"NCHAR({n})", "CHAR",
                           f"CHARACTER({n})"])
        return kind if kind.startswith("N") else kind + self.charset()

    def text(self):
        rnd = self.rnd
        kind = rnd.choice(["TINYTEXT", "TEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "TEXT(50)", "TEXT(300)", "LONG VARCHAR", "TEXT(20000)"])
        compressed = " COMPRESSED" if self.mariadb and self.chance(0.1) else ""
        return kind + compressed + self.charset()

    def binary(self):
        rnd = self.rnd
        return rnd.choice([f"BINARY({rnd.randint(1, 255)})", f"VARBINARY({rnd.randint(1, 500)})", "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "BLOB(70)", "BLOB(70000)",
                           "LONG VARBINARY", "CHAR(7) BYTE"])

    def labels(self, spelling):
        rnd = self.rnd
        count = rnd.choice([1, 2, 3, 5, 9])
        charset = self.charset()
        # In bytes it is whatever the client's character set makes of it.
        extra = ["Ü"] if charset and "binary" not in charset and "BINARY" not in charset else ["u"]
        texts = [f"{t}{i}" for i, t in enumerate(rnd.sample(["a", "it's", "x(", "b ", 'q"', "c;", "-- d", "e/*", "\\", *extra], count))]
        return rnd.choice(["ENUM", "SET"]) + "(" + ",".join(spelling.string(t) for t in texts) + ")" + charset

    def other(self):
        kinds = ["JSON", "GEOMETRY", "POINT", "POLYGON", "GEOMETRYCOLLECTION", "LINESTRING"]
        if self.mariadb:
            kinds += ["UUID", "INET6", *(["INET4"] if self.mariadb >= (10, 10) else []), *(["VECTOR(3)"] if self.mariadb >= (11, 7) else [])]
        else:
            kinds += ["VECTOR(3)", "VECTOR", "GEOMCOLLECTION"]
        return self.rnd.choice(kinds)

    def type(self, spelling):
        """(text, family)"""
        family = self.rnd.choices(["integer", "number", "time", "string", "text", "binary", "labels", "other"], [6, 2, 3, 7, 3, 2, 2, 1])[0]
        return (self.labels(spelling) if family == "labels" else getattr(self, family)()), family

    def default(self, text, family, spelling):
        rnd = self.rnd
        if family in ("integer", "number") and "BIT" not in text:
            return rnd.choice(["0", "1", "+1", "'1'", "(1 + 0)", "1.0", "NULL"])
        if family == "number":
            return rnd.choice(["b'1'", "0", "1"])
        if family == "time":
            digits = text[text.index("("):] if "(" in text else ""
            if text.startswith(("DATETIME", "TIMESTAMP")):
                now = rnd.choice(["CURRENT_TIMESTAMP", "NOW"]) if digits not in ("", "(0)") else "CURRENT_TIMESTAMP"
                now += digits if digits else rnd.choice(["", "()"])
                return now + (f" ON UPDATE {now}" if self.chance(0.4) else "")
            return rnd.choice(["'2020-01-01'", "DATE'2021-02-03'"]) if text == "DATE" else "'12:30:00'" if text.startswith("TIME") else "2020"
        if family == "string":
            return rnd.choice([spelling.string("x"), "''", "_utf8mb4'x'", "N'x'", "x'78'", "'x' 'y'"]) if "(1)" not in text else "'x'"
        if family in ("text", "other") or "BLOB" in text:
            if not self.mariadb:
                return "('x')" if family == "text" else None
            return spelling.string("x") if family == "text" else None
        return None

    def definition(self, spelling, state_columns=(), plain=False):
        """Type and attributes.  plain: without keys and generated values."""
        rnd = self.rnd
        text, family = self.type(spelling)
        parts = [text]
        if not plain and state_columns and self.chance(0.12):
            generated = self.generated(spelling, state_columns)
            if generated:
                return generated
        nullable = rnd.choice(["", "", "NULL", "NOT NULL", "NOT NULL"])
        if nullable:
            parts.append(nullable)
        if self.chance(0.35):
            value = self.default(text, family, spelling)
            if value and not (value == "NULL" and nullable == "NOT NULL"):
                parts.append(f"DEFAULT {value}")
        if self.chance(0.15):
            parts.append(f"COMMENT {spelling.string(rnd.choice(names.TEXTS))}")
        if self.chance(0.06):
            parts.append(rnd.choice(["INVISIBLE", "/*!80023 INVISIBLE */"]) if not self.mariadb else rnd.choice(["INVISIBLE", "/*M!100303 INVISIBLE */"]))
        if not plain and family in ("integer", "string", "time") and self.chance(0.1):
            parts.append(rnd.choice(["UNIQUE", "UNIQUE KEY", "UNIQUE", "PRIMARY KEY", "KEY"]))
        if family == "integer" and self.chance(0.05):
            parts.append("AUTO_INCREMENT UNIQUE")
        if self.chance(0.04) and family == "integer":
            parts.append("CHECK (1 <> 2)")
        if not self.mariadb and self.chance(0.04):
            parts.append(rnd.choice(["COLUMN_FORMAT FIXED", "STORAGE DISK", "COLUMN_FORMAT DEFAULT", "ENGINE_ATTRIBUTE '{\"a\": 1}'"]))
        head, tail = parts[:1], parts[1:]
        rnd.shuffle(tail)
        return " ".join(head + tail)

    def generated(self, spelling, columns):
        rnd = self.rnd
        base = [c for c in columns if not c.generated and c.type.startswith(("int", "bigint", "smallint", "varchar", "char"))]
        if not base:
            return None
        of = rnd.choice(base)
        name = spelling.column(of.name)
        number = of.type.startswith(("int", "bigint", "smallint"))
        text = rnd.choice(["BIGINT", "INT", "DECIMAL(20,2)"]) if number else rnd.choice(["VARCHAR(300)", "TEXT", "INT"])
        value = f"{name} + 1" if number else f"concat({name}, ')')" if text != "INT" else f"length({name})"
        kind = rnd.choice(["VIRTUAL", "STORED", "", *(["PERSISTENT"] if self.mariadb else [])])
        null = rnd.choice(["", "", " NULL"]) if not self.mariadb else ""
        if not self.mariadb and self.chance(0.2):
            null = " NOT NULL"
        return f"{text} {rnd.choice(['GENERATED ALWAYS ', ''])}AS ({value}) {kind}{null}{rnd.choice(['', ' COMMENT ' + spelling.string('g, (h')])}"
