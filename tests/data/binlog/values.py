#!/usr/bin/env python3
"""values.py mysql|mariadb: the statements that mysql-9.7.values.binlog and mariadb-10.11.values.binlog are made of.

Tables of every type with the values at their edges.  Behind a column stands what the server itself makes of it, put there by a
trigger: NAME_t its text, NAME_h HEX() of its bytes, NAME_f the text of a FLOAT, which the server rounds.
"""
import random
import sys

TEXT, HEX, FLOAT, NUMBER, CONVERTED = range(5)
SUFFIX = {TEXT: "t", HEX: "h", FLOAT: "f", NUMBER: "t", CONVERTED: "t"}
EXPRESSION = {
    TEXT: "cast(new.`{0}` as char)",
    HEX: "hex(new.`{0}`)",
    FLOAT: "cast(new.`{0}` as char)",
    NUMBER: "new.`{0}` + 0",
    CONVERTED: "convert(new.`{0}` using utf8mb4)",
}
# Bytes above 0x1F that are no character of these sets.
OPEN = {
    "ascii": range(0x80, 0x100),
    "cp1250": bytes.fromhex("8183889098"),
    "cp1251": bytes.fromhex("98"),
    "cp1256": bytes.fromhex("8A8F989A9FAAC0FF"),
    "cp1257": bytes.fromhex("8183888A8C90989A9C9FA1A5"),
    "dec8": bytes.fromhex("A4A6ACADAEAFB4B8BED0DEF0FEFF"),
    "geostd8": [*bytes.fromhex("8183888A8C8D8E8F9098999A9C9D9E9FFEFF"), *range(0xE6, 0xFD)],
    "greek": bytes.fromhex("A4A5AAAED2FF"),
    "hebrew": [*bytes.fromhex("A1BFFBFCFF"), *range(0xC0, 0xDF)],
    "hp8": bytes.fromhex("FF"),
    "swe7": range(0x7F, 0x100),
    "tis620": bytes.fromhex("A0DBDCDDDEFCFDFEFF"),
}
SINGLE = ("armscii8 ascii cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 dec8 geostd8 greek hebrew hp8 keybcs2 koi8r koi8u latin1 latin2 "
          "latin5 latin7 macce macroman swe7 tis620").split()
MULTI = {
    "big5": '漢字"功許蓋', "cp932": '漢字"ｱ①表ソ', "eucjpms": '漢字"ｱ①表', "euckr": '한국어"가각', "gb2312": '汉字"测试啊',
    "gbk": '汉字"漢丂啊', "sjis": '漢字"ｱ表ソ', "ucs2": '漢a"ä', "ujis": '漢字"ｱ丂表', "utf16": '漢😀"ä', "utf16le": '漢😀"ä',
    "utf32": '漢😀"ä', "utf8mb3": '漢a"ä', "utf8mb4": '漢😀"ä',
}


def table(name, columns, rows):
    definitions, assignments = [], []
    for column, kind, form in columns:
        beside = f"{column}_{SUFFIX[form]}"
        definitions += [f"`{column}` {kind}", f"`{beside}` longtext character set utf8mb4"]
        assignments.append(f"new.`{beside}` = {EXPRESSION[form].format(column)}")
    print(f"create table `{name}` (id int primary key auto_increment, {', '.join(definitions)});")
    print(f"create trigger `{name}_texts` before insert on `{name}` for each row set {', '.join(assignments)};")
    names = ", ".join(f"`{c[0]}`" for c in columns)
    for row in rows:
        assert len(row) == len(columns), name
        print(f"insert into `{name}` ({names}) values ({', '.join(map(str, row))});")


def integers():
    columns, low, high, middle = [], [], [], []
    for name, kind, bits in (("ti", "tinyint", 8), ("si", "smallint", 16), ("mi", "mediumint", 24), ("ii", "int", 32), ("bi", "bigint", 64)):
        columns += [(name, kind, TEXT), (name + "u", kind + " unsigned", TEXT)]
        low += [-(2 ** (bits - 1)), 0]
        high += [2 ** (bits - 1) - 1, 2**bits - 1]
        middle += [-1, 2 ** (bits - 1)]
    table("integers", columns, [low, high, middle, [7] * 10, ["null"] * 10])


def bits():
    widths = range(1, 65)
    columns = [(f"b{n}", f"bit({n})", NUMBER) for n in widths]
    table("bits", columns, [[2**n - 1 for n in widths], [0] * 64, [1] * 64, [random.getrandbits(n) for n in widths]])


def decimals():
    """Every precision, with scales of every remainder of nine."""
    forms = sorted({(p, s) for p in range(1, 66) for s in (0, min(p, 30), p % 31, p * 7 % 31) if s <= p})

    def value(p, s, digits):
        d = (digits * 70)[:p]
        return (d[: p - s] or "0") + ("." + d[p - s:] if s else "")

    for first in range(0, len(forms), 100):
        part = forms[first:first + 100]
        rows = [[value(p, s, "9") for p, s in part], ["-" + value(p, s, "1234567890") for p, s in part],
                ["-" + value(p, s, "000000001") for p, s in part], [0] * len(part)]
        table(f"decimals{first // 100}", [(f"d{p}_{s}", f"decimal({p},{s})", TEXT) for p, s in part], rows)


def reals():
    columns = [("f", "float", FLOAT), ("d", "double", TEXT), ("du", "double unsigned", TEXT), ("f53", "float(40)", TEXT),
               ("d52", "double(12,3)", FLOAT)]
    table("reals", columns, [
        [0.1, 0.1, 0.1, 0.1, 0.1], [-0.0, "-0e0", 0, 1e15, 123456789.125], [1.5e38, 1.7976931348623157e308, 1e100, 123456789012345680, -1],
        [-3e-20, 2.2250738585072014e-308, 1e-5, 1e-15, 0], [16777216, 999999999999999.9, 1e14, 1e-16, 0],
        [3.25, 5e-324, 1234567890123456789, 0.000123456, 1], ["-1e-6", "-123456.789e3", "1e21", "1e20", "-0.001"]])


def times(name, column_prefix, plain):
    columns = [("dt", "date", TEXT), ("y", "year", TEXT)] if plain else []
    rows = [["'1000-01-01'", 1901], ["'9999-12-31'", 2155], ["'0000-00-00'", 0], ["'2021-02-00'", 2000], ["'2021-00-31'", 1970]]
    if not plain:
        rows = [[] for _ in rows]
    for f in range(7):
        digits = f"({f})" if f else ""
        some, nines, one = ("." + d if f else "" for d in ("123456"[:f], "9" * f, "1".rjust(f, "0")))
        columns += [(f"{column_prefix}{kind}{f}", kind + digits + (" null" if kind == "timestamp" else ""), TEXT)
                    for kind in ("time", "datetime", "timestamp")]
        for row, values in zip(rows, (
                (f"-838:59:58{nines}", "1000-01-01 00:00:00", "1970-01-01 00:00:01"),
                (f"838:59:58{nines}", f"9999-12-31 23:59:59{nines}", f"2038-01-19 03:14:07{nines}"),
                ("00:00:00", "0000-00-00 00:00:00", "0000-00-00 00:00:00"),
                (f"-00:00:00{one}", f"2021-02-00 01:02:03{some}", f"2024-02-29 23:59:59{some}"),
                (f"-00:00:01{some}", f"2021-00-31 00:00:00{one}", f"2000-03-01 00:00:00{one}"))):
            row += [f"'{v}'" for v in values]
    table(name, columns, rows)


def strings():
    kinds = [("c0", "char(0)"), ("c1", "char(1)"), ("c63", "char(63)"), ("c64", "char(64)"), ("c255", "char(255)"), ("v63", "varchar(63)"),
             ("v64", "varchar(64)"), ("v1000", "varchar(1000)"), ("l255", "varchar(255) character set latin1"),
             ("l256", "varchar(256) character set latin1"), ("lc255", "char(255) character set latin1"),
             ("u32", "char(64) character set utf32"), ("tt", "tinytext"), ("tx", "text"), ("mt", "mediumtext"), ("lt", "longtext")]
    lengths = (62, 63, 254, 62, 63, 999, 254, 255, 254, 63, 100, 300, 300, 33000)
    table("strings", [(n, k, CONVERTED) for n, k in kinds], [
        ["''"] * 16, ["''", "'ä'"] + [f"concat(repeat('ä',{n}),'z')" for n in lengths], ["''", "'x'"] + ["'  a'"] * 14,
        ["''", "'\"'"] + ["'é€\"'" if i in (6, 7, 8) else "'q\"\\\\\\n\\t\\0\x7f😀'" for i in range(14)]])
    kinds = ["binary(0)", "binary(1)", "binary(4)", "binary(16)", "binary(17)", "binary(255)", "varbinary(255)", "varbinary(256)",
             "tinyblob", "blob", "mediumblob", "longblob"]
    table("binaries", [(f"b{i}", k, HEX) for i, k in enumerate(kinds)], [
        ["''"] * 12, ["''"] + ["x'FF'"] * 11, ["''", "x'00'"] + ["x'00616200'"] * 10, ["''", "x'20'"] + ["x'20202020'"] * 10])


def labels():
    def members(prefix, n):
        return ",".join(f"'{prefix}{i}'" for i in range(n))
    kinds = ["enum('a','','b,c','d''e\"','ä')", "enum('é','€','ü') character set latin1", "enum('汉','字') character set gbk",
             f"enum({members('m', 300)})", "set('x','y\"','ö')", *(f"set({members('s', n)})" for n in (9, 17, 25, 33, 64)),
             "set('é','€') character set latin1"]
    table("labels", [(f"l{i}", k, CONVERTED) for i, k in enumerate(kinds)], [
        [1] * 11, [5, 3, 2, 300, 7, 2**9 - 1, 2**17 - 1, 2**25 - 1, 2**33 - 1, 2**64 - 1, 3],
        ["''", 2, 1, 256, "''", 2**8, 2**16, 2**24, 2**32, 2**63, 0], [0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0]])


def charsets(mysql):
    columns, full, plain = [], [], []
    multi = dict(MULTI, gb18030='汉字"😀䂀丂啊') if mysql else MULTI
    for name in sorted([*SINGLE, *multi]):
        if name in multi:
            value = f"'{multi[name]}'"
        else:
            value = f"_{name} x'{bytes(b for b in range(0x20, 0x100) if b not in OPEN.get(name, ())).hex()}'"
        for prefix, kind in (("v", "varchar"), ("c", "char")):
            columns.append((f"{prefix}_{name}", f"{kind}(255) character set {name}", CONVERTED))
            full.append(value)
            plain.append("'plain ASCII'")
    for first in range(0, len(columns), 20):
        part = slice(first, first + 20)
        table(f"charsets{first // 20}", columns[part], [full[part], plain[part]])


def geometries():
    def of(text):
        return f"st_geomfromtext('{text}')"
    table("geometries", [("g", "geometry", HEX), ("p", "point", HEX), ("l", "linestring", HEX)], [
        [of("POLYGON((0 0,1 0,1 1,0 0))"), of("POINT(1 2.5)"), of("LINESTRING(0 0,1 1)")],
        [of("GEOMETRYCOLLECTION(POINT(1 1),MULTIPOINT(0 0,1 1))"), "st_geomfromtext('POINT(10 20)',4326)", "null"],
        [of("GEOMETRYCOLLECTION EMPTY"), "null", "null"]])


def only_mysql():
    documents = [
        "'null'", "'true'", "'[]'", "'{}'", "'-1'", '\'"a\\\\u0000\\\\n\\\\""\'',
        "'[1.0, 0.1, 1e100, 1e15, 1e14, 1.5e-5, 1e-20, -0.0, 123456789012345678, 18446744073709551615, 18446744073709551616, 3.0e0]'",
        "json_array(cast(1.50 as decimal(10,2)), cast(-99999999999999999999.000000000001 as decimal(40,12)), cast(0 as decimal(1,0)))",
        "json_array(cast('2026-07-04' as date), cast('-838:59:59.000001' as time(6)), cast('10:11:12' as time), "
        "cast('2026-07-04 10:11:12.5' as datetime(1)), timestamp'2020-02-29 00:00:00.000001', cast('0000-00-00' as date))",
        "json_array(b'101', x'00ff', cast(repeat('x',100) as binary), year('2020-01-01'), st_geomfromtext('POINT(1 2)'))",
        "json_object('k', cast('blob' as binary(10)), 'e', 1.0e0, 'z', repeat('ä', 200), '', 'empty key', 'bb', 1, 'a', 2)",
        "concat(repeat('[',100),repeat(']',100))", "concat(repeat('{\"a\":',99),'[1]',repeat('}',99))",
        "json_array(repeat('x',127),repeat('x',128),repeat('y',16383),repeat('y',16384))",
        "concat('[', repeat('70000,', 3000), '1.5, \"x\", null, true, -70000, 4294967296]')",
        "concat('{\"a\":1,\"kk\":[', repeat('12345678,', 8500), '0]}')"]
    table("documents", [("j", "json", TEXT)], [[d] for d in documents])
    print("create table vectors (id int primary key, v vector(3), v_t text);")
    print("insert into vectors values (1, to_vector('[1,2.5,-3e-05]'), '[1,2.5,-3e-05]'), (2, to_vector('[1e38,0,1e-30]'), '[1e+38,0,1e-30]');")


def only_mariadb():
    print("set global mysql56_temporal_format=OFF;")
    times("old_times", "old", False)
    print("set global mysql56_temporal_format=ON;")
    table("documents", [("j", "json", CONVERTED)], [["'{\"b\" :1,  \"a\":[1, 2]}'"], ["'null'"]])
    table("addresses", [("inet4", "inet4", TEXT), ("inet6", "inet6", TEXT), ("uuid", "uuid", TEXT)], [
        ["'0.0.0.0'", "'::'", "'00000000-0000-0000-0000-000000000000'"],
        ["'10.0.0.0'", "'2001:db8::'", "'123e4567-e89b-12d3-a456-426655440000'"],
        ["'255.255.255.255'", "'::ffff:1.2.3.4'", "'ffffffff-ffff-4fff-bfff-ffffffffffff'"],
        ["'1.2.3.4'", "'1:0:0:2::3'", "'01000000-0000-4000-8000-000000000000'"],
        ["'1.0.0.4'", "'1:2:3:4:5:6:7:8'", "'00112233-4455-6677-8899-aabbccddeeff'"]])
    columns = [("v", "varchar(300) compressed", CONVERTED), ("v2", "varchar(3000) compressed character set latin1", CONVERTED),
               ("b", "varbinary(300) compressed", HEX), ("tt", "tinytext compressed", CONVERTED), ("tx", "text compressed", CONVERTED),
               ("mb", "mediumblob compressed", HEX), ("lt", "longtext compressed character set gbk", CONVERTED)]
    table("packed", columns, [
        ["''"] * 7, ["'short'"] * 7, ["null"] * 7, ["repeat('a\"',100)"] * 3 + ["repeat('y',100)"] + ["repeat('a\\n',100)"] * 3,
        ["repeat('ä',300)", "repeat('é',3000)", "repeat('x',300)", "repeat('y',200)", "repeat('漢',5000)", "repeat(x'00ff',40000)",
         "repeat('汉字',200)"]])


def main():
    mysql = sys.argv[1] == "mysql"
    random.seed(4)
    print("create database vals character set utf8mb4; use vals;")
    print("set names utf8mb4, time_zone='+00:00', sql_mode='';")
    integers()
    bits()
    decimals()
    reals()
    times("times", "", True)
    strings()
    labels()
    charsets(mysql)
    geometries()
    if mysql:
        only_mysql()
    else:
        only_mariadb()


main()
