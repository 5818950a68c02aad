"""JSON, GEOMETRY, VECTOR, and what only MariaDB has: INET4, INET6, UUID, compressed columns."""
import ipaddress
import json
import struct
import uuid

from catalogue import Column, Kind, Table, as_latin1, bytes_literal, mixed, text_literal
from numeric import as_float, random_double, random_float, shortest_float, significant
from texts import BLOB, TEXT, VARBINARY, VARCHAR, bytes_value

JSON = Kind("JSON", "the document as the server prints it", 12, exceptions="a diff whose document the image lacks: an expression, judged by evaluating it")
JSON_TEXT = Kind("JSON (MariaDB: text)", "the text as it was written", 2005)

NAMES = ["a", "b", "c", "key", "a b", "ä", "", "quo\"te", "back\\slash", "日", "$", "k" * 300]
NUMBERS = [0, 1, -1, 127, -128, 32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483648, -2147483649, 4294967295, 4294967296,
           9223372036854775807, 9223372036854775808, -9223372036854775808, 18446744073709551615]


def scalar(rnd):
    """JSON text."""
    kind = rnd.randrange(8)
    if kind < 2:
        return str(rnd.choice(NUMBERS) if rnd.random() < 0.6 else rnd.randint(-1 << 40, 1 << 40))
    if kind < 4:
        return random_double(rnd) if rnd.random() < 0.5 else rnd.choice(["1.0", "-0.0", "1e100", "0.000015", "1.5e-7", "100000000000000000000", "1e15", "3.14"])
    if kind < 7:
        length = rnd.choice([0, 1, 5, 20, 127, 128, 129]) if rnd.random() < 0.95 else rnd.choice([16383, 16384, 70000])
        letters = rnd.choice(["ab c", "äß€", "日本語😀", "\"\\/\b\f\n\r\t\x01\x1f\x7f", "abc\u2028"])
        return json.dumps("".join(rnd.choices(letters, k=length)), ensure_ascii=rnd.random() < 0.5)
    return rnd.choice(["true", "false", "null"])


def document(rnd, depth=4):
    """JSON text."""
    kind = rnd.randrange(10)
    if depth == 0 or kind < 3:
        return scalar(rnd)
    count = rnd.choice([0, 1, 2, 3, 5])
    if kind < 6:
        return "[" + ", ".join(document(rnd, depth - 1) for _ in range(count)) + "]"
    return "{" + ", ".join(json.dumps(name) + ": " + document(rnd, depth - 1) for name in rnd.sample(NAMES, count)) + "}"


def large(rnd, deepest=90):
    """JSON text beyond what 16-bit offsets reach, or deep."""
    kind = rnd.randrange(5)
    if kind == 0:
        return "[" + ",".join(str(rnd.choice(NUMBERS)) for _ in range(rnd.choice([20000, 70000]))) + "]"
    if kind == 1:
        return json.dumps({f"key {n}": n % 7 or None for n in range(9000)})
    if kind == 2:
        return json.dumps({"k" * 65535: 1, "text": "x" * 70000})
    if kind == 3:
        return '{"a":[' * (deepest // 2) + "1" + "]}" * (deepest // 2)
    return json.dumps([document(rnd) for _ in range(300)])


OPAQUE = ["CAST(CAST('2020-02-29' AS DATE) AS JSON)", "CAST(CAST('-838:59:59' AS TIME) AS JSON)", "CAST(CAST('-00:00:00.000001' AS TIME(6)) AS JSON)",
          "CAST(CAST('2026-07-04 12:34:56.123456' AS DATETIME(6)) AS JSON)", "CAST(1.50 AS JSON)", "CAST(-123456789012345678901234567890.123456789 AS JSON)",
          "CAST(x'00ff' AS JSON)", "CAST(b'101' AS JSON)", "CAST(CAST(2020 AS YEAR) AS JSON)", "JSON_ARRAY(1.5, 0.0, -0.000, x'', NOW(), CURTIME(6))",
          "JSON_OBJECT('d', CAST('0000-00-00' AS DATE), 'n', CAST(1 AS DECIMAL(65,30)))", "CAST(TIMESTAMP'2020-01-01 01:01:01.123' AS JSON)",
          "CAST(ST_GeomFromText('POINT(1 2)') AS JSON)", "CAST(1e0 AS JSON)", "CAST(CAST(3 AS FLOAT) AS JSON)", "CAST('null' AS JSON)", "CAST(TRUE AS JSON)"]


def any_json(rnd):
    dice = rnd.random()
    if dice < 0.25:
        parts = rnd.choices(OPAQUE, k=rnd.randint(1, 3))
        return parts[0] if len(parts) == 1 else f"JSON_ARRAY({', '.join(parts)})"
    return text_literal(large(rnd) if dice > 0.985 else document(rnd))


def plain_json(rnd):
    return text_literal(large(rnd) if rnd.random() > 0.985 else document(rnd))


def new_value(rnd):
    return rnd.choice(["1", "'x'", "1.5e0", "NULL", "TRUE", "CAST('[1, {\"n\": []}]' AS JSON)", "CAST('{}' AS JSON)",
                       text_literal("ä'\"\\" * rnd.randint(0, 9)), str(rnd.choice(NUMBERS)), f"CAST({text_literal(document(rnd, 2))} AS JSON)"])


def path(rnd):
    made = "$"
    for _ in range(rnd.randint(1, 3)):
        made += rnd.choice(["[0]", "[1]", "[last]", "[99]", "." + json.dumps(rnd.choice(NAMES), ensure_ascii=False), "." + rnd.choice("abc")])
    return text_literal(made)


def patch(rnd, column):
    """SQL that changes a document in place, several times."""
    made = column
    for _ in range(rnd.randint(1, 3)):
        function = rnd.choice(["JSON_SET", "JSON_REPLACE", "JSON_REMOVE", "JSON_SET"])
        if function == "JSON_REMOVE":
            made = f"JSON_REMOVE({made}, {path(rnd)})"
        else:
            made = f"{function}({made}, {path(rnd)}, {new_value(rnd)})"
    return made


def patch_array(rnd, column):
    return f"JSON_ARRAY_INSERT({column}, '$[{rnd.choice([0, 1, 2, 50])}]', {new_value(rnd)})"


def patch_wide(rnd, column):
    """One member of a large document: what a diff is for."""
    return f"{rnd.choice(['JSON_SET', 'JSON_REPLACE'])}({column}, '$.m{rnd.randrange(40)}', {new_value(rnd)}, '$.m{rnd.randrange(60)}', {new_value(rnd)})"


def wide_document(rnd):
    return text_literal(json.dumps({f"m{n}": [n, "text " * rnd.randint(1, 9)] for n in range(40)}))


def array_document(rnd):
    return text_literal("[" + ", ".join(document(rnd, 2) for _ in range(rnd.randint(0, 30))) + "]")


def json_tables(flavor):
    if flavor == "mariadb":
        typed = mixed(["'null'", "'{\"a\":1,\"a\":2}'", "' [ 1 , 2.50 ]  '", "'{\"b\":1,\"a\":1e2}'", "'\"x\"'"],
                      lambda r: text_literal(large(r, 30) if r.random() > 0.985 else document(r)), share=0.2)  # it takes 32 levels
        return [Table("documents", [Column(JSON_TEXT, "JSON", typed), Column(JSON_TEXT, "JSON", typed)])]
    edges = ["'null'", "'{}'", "'[]'", "'\"\"'", "'0'"]
    return [Table("documents", [
        Column(JSON, "JSON", mixed(edges, any_json, share=0.1), patch=patch, patch_full_only=True),
        Column(JSON, "JSON", mixed(edges, plain_json, share=0.1), patch=patch),
        Column(JSON, "JSON", mixed(["'{}'"], wide_document, share=0.02), patch=patch_wide),
        Column(JSON, "JSON", mixed(["'[]'"], array_document, share=0.02), patch=patch_array),
        Column(JSON, "JSON AS (JSON_EXTRACT(c02, '$.m1')) STORED", None)])]


def number(rnd):
    return repr(rnd.choice([0.0, -1.5, 1e300, -1e-300, 90.0]) if rnd.random() < 0.3 else rnd.uniform(-1000, 1000))


def pairs(rnd, count, point):
    return ", ".join(point(rnd) for _ in range(count))


def plane(rnd):
    return f"{number(rnd)} {number(rnd)}"


def globe(rnd):
    return f"{rnd.uniform(-90, 90)!r} {rnd.uniform(-179, 180)!r}"


def ring(rnd, point):
    first = point(rnd)
    return f"({first}, {pairs(rnd, rnd.randint(2, 6), point)}, {first})"


def shape(rnd, kind, point):
    if kind == "POINT":
        return f"POINT({point(rnd)})"
    if kind == "LINESTRING":
        return f"LINESTRING({pairs(rnd, rnd.randint(2, 8), point)})"
    if kind == "POLYGON":
        return f"POLYGON({', '.join(ring(rnd, point) for _ in range(rnd.randint(1, 2)))})"
    if kind == "MULTIPOINT":
        return f"MULTIPOINT({pairs(rnd, rnd.randint(1, 9), point)})"
    if kind == "MULTILINESTRING":
        return "MULTILINESTRING(" + ", ".join(f"({pairs(rnd, rnd.randint(2, 4), point)})" for _ in range(rnd.randint(1, 3))) + ")"
    if kind == "MULTIPOLYGON":
        return "MULTIPOLYGON(" + ", ".join(f"({ring(rnd, point)})" for _ in range(rnd.randint(1, 3))) + ")"
    if rnd.random() < 0.15:
        return "GEOMETRYCOLLECTION EMPTY"
    return "GEOMETRYCOLLECTION(" + ", ".join(shape(rnd, rnd.choice(SHAPES[:-1]), point) for _ in range(rnd.randint(1, 3))) + ")"


SHAPES = ["POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"]


def geometries(flavor):
    kind = Kind("GEOMETRY and its kinds", "SRID and WKB, each byte as U+0000..U+00FF", 2004, "the bytes of SELECT", expect=as_latin1)

    def of(name, srid=0, point=plane):
        more = f", {srid}" if srid else ""
        return mixed(["NULL"], lambda r: f"ST_GeomFromText('{shape(r, name, point)}'{more})", share=0)
    columns = [Column(kind, name, of(name)) for name in SHAPES]
    columns.append(Column(kind, "GEOMETRY", lambda r: of(r.choice(SHAPES))(r)))
    if flavor == "mysql":
        columns += [Column(kind, f"{name} SRID 4326", of(name, 4326, globe)) for name in ("POINT", "POLYGON")]
        columns.append(Column(kind, "GEOMETRY SRID 3857", lambda r: of(r.choice(SHAPES), 3857)(r)))
    else:
        columns.append(Column(kind, "GEOMETRY", lambda r: of(r.choice(SHAPES), 4326)(r)))
    return [Table("geometries", columns)]


def same_vector(expected, found):
    """`expected`: the bytes of SELECT."""
    if not (found.startswith("[") and found.endswith("]") and " " not in found):
        return False
    raw = expected.encode("latin-1")
    wanted = struct.unpack(f"<{len(raw) // 4}f", raw)
    texts = found[1:-1].split(",") if found != "[]" else []
    if len(texts) != len(wanted):
        return False
    # All of a short one; the length of a long one's first numbers.
    return all(as_float(t) == struct.pack("<f", w) for t, w in zip(texts, wanted)) and all(
        significant(t) <= shortest_float(w) or len(t) <= len(f"{w:.{shortest_float(w)}g}") for t, w in list(zip(texts, wanted))[:16])


def vectors(flavor):
    if flavor != "mysql":
        return []
    kind = Kind("VECTOR", "`[1,2.5,-3e-05]`, each the shortest text", 12, "the floats of SELECT, bit for bit, and their length",
                "SELECT prints the bytes", expect=as_latin1, same=same_vector)

    def of(most, usual):
        def value(rnd):
            count = rnd.randint(1, usual if rnd.random() < 0.97 else most)
            return bytes_literal(b"".join(struct.pack("<f", float(random_float(rnd)) if rnd.random() < 0.6 else rnd.choice([0.0, -0.0, 1.0, 2.5, -3e-5, 1e10]))
                                          for _ in range(count)))
        return mixed(["STRING_TO_VECTOR('[1,2.5,-3e-05]')" if most >= 3 else "STRING_TO_VECTOR('[1]')"], value, share=0.1)
    return [Table("vectors", [Column(kind, "VECTOR(1)", of(1, 1)), Column(kind, "VECTOR(3)", of(3, 3)), Column(kind, "VECTOR", of(2048, 30)),
                              Column(kind, "VECTOR(16383)", of(16383, 20))])]


def address_tables(flavor):
    if flavor != "mariadb":
        return []
    needs = "its bytes where no schema tells the type: the binlog does not"

    def kind(name, packed):
        return Kind(name, "its text", 1, exceptions=needs, without_schema=lambda text: packed(text).decode("latin-1"))
    inet4 = kind("INET4", lambda t: ipaddress.IPv4Address(t).packed)
    inet6 = kind("INET6", lambda t: ipaddress.IPv6Address(t).packed)
    uuids = kind("UUID", lambda t: uuid.UUID(t).bytes)
    v4 = mixed(["'0.0.0.0'", "'255.255.255.255'", "'127.0.0.1'", "'10.0.0.0'", "'32.32.32.32'"], lambda r: f"'{ipaddress.IPv4Address(r.getrandbits(32))}'")
    v6 = mixed(["'::'", "'::1'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", "'::ffff:1.2.3.4'", "'::1.2.3.4'", "'1:0:0:2::'", "'2001:db8::'", "'fe80::1'",
                "'0:0:1::'", "'1:2:3:4:5:6:7:0'", "'::1:0'", "'::2020'"],
               lambda r: f"'{ipaddress.IPv6Address(r.getrandbits(128) & r.choice([~0, ~(0xffffffff << 48), ~(0xffff << 32), 0xffff << 112 | 0xff]))}'")
    u = mixed(["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "'123e4567-e89b-12d3-a456-426655440000'", "UUID()"],
              lambda r: f"'{uuid.UUID(int=r.getrandbits(128))}'")
    return [Table("addresses", [Column(inet4, "INET4", v4), Column(inet6, "INET6", v6), Column(uuids, "UUID", u)])]


def compressed(flavor, repertoires):
    if flavor != "mariadb":
        return []

    def kind(of, name):
        return Kind(name, of.rendered, of.sql_type, of.compared, of.exceptions, expect=of.expect)
    text, blob = kind(TEXT, "TEXT .. COMPRESSED"), kind(BLOB, "BLOB .. COMPRESSED")
    varchar, varbinary = kind(VARCHAR, "VARCHAR COMPRESSED"), kind(VARBINARY, "VARBINARY COMPRESSED")
    wide, latin = repertoires["utf8mb4"], repertoires["latin1"]

    def repeated(inner):
        """What compresses well, too."""
        return lambda r: f"REPEAT({inner(r)}, {r.choice([1, 2, 10])})" if r.random() < 0.5 else inner(r)
    return [Table("compressed", [
        Column(text, "TINYTEXT COMPRESSED", wide.value(60, 250)), Column(text, "TEXT COMPRESSED", repeated(wide.value(1000, 4000, 300))),
        Column(text, "MEDIUMTEXT COMPRESSED CHARACTER SET latin1", repeated(latin.value(70000, 0, 300))),
        Column(text, "LONGTEXT COMPRESSED CHARACTER SET utf16", repeated(wide.value(20000, 0, 300))),
        Column(blob, "TINYBLOB COMPRESSED", bytes_value(250)), Column(blob, "BLOB COMPRESSED", repeated(bytes_value(6000, 300))),
        Column(blob, "MEDIUMBLOB COMPRESSED", repeated(bytes_value(70000, 300))), Column(blob, "LONGBLOB COMPRESSED", repeated(bytes_value(70000, 300))),
        Column(varchar, "VARCHAR(100) COMPRESSED", wide.value(90)), Column(varchar, "VARCHAR(3000) COMPRESSED", repeated(wide.value(290))),
        Column(varbinary, "VARBINARY(100) COMPRESSED", bytes_value(100)), Column(varbinary, "VARBINARY(3000) COMPRESSED", repeated(bytes_value(290)))])]


def tables(flavor, repertoires):
    return [*json_tables(flavor), *geometries(flavor), *vectors(flavor), *address_tables(flavor), *compressed(flavor, repertoires)]
