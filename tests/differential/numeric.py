"""Integers, DECIMAL, FLOAT, DOUBLE, BIT."""
import struct

from catalogue import Column, Kind, Table, mixed

UNSIGNED_CODE = {"TINYINT": 5, "SMALLINT": 4, "MEDIUMINT": 4, "INT": -5, "BIGINT": 3}
SIGNED_CODE = {"TINYINT": -6, "SMALLINT": 5, "MEDIUMINT": 4, "INT": 4, "BIGINT": -5}
BITS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64}
ZEROFILL = "ZEROFILL: digits without the zeros in front"


def integers(flavor):
    columns = []
    for name, bits in BITS.items():
        kind = Kind(name, "decimal digits", lambda d, name=name: (UNSIGNED_CODE if "UNSIGNED" in d or "ZEROFILL" in d else SIGNED_CODE)[name],
                    exceptions=ZEROFILL, select="{0}+0")
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        signed = mixed([0, 1, -1, low, low + 1, high, high - 1], lambda r, bits=bits: str(r.getrandbits(r.randint(1, bits)) - (1 << (bits - 1))))
        unsigned = mixed([0, 1, high, high + 1, high + 2, (1 << bits) - 1, (1 << bits) - 2], lambda r, bits=bits: str(r.getrandbits(r.randint(1, bits))))
        columns += [Column(kind, name, signed), Column(kind, f"{name} UNSIGNED", unsigned), Column(kind, f"{name}(5) ZEROFILL", unsigned)]
    columns.append(Column(columns[0].kind, "BOOLEAN", columns[0].value))
    return [Table("integers", columns)]


def decimal_value(precision, scale, unsigned):
    whole = precision - scale
    sign = ["", "-"] if not unsigned else [""]

    def text(rnd, digits, fraction):
        return f"'{rnd.choice(sign)}{digits or '0'}.{fraction}'"

    def anything(rnd):
        digits = "".join(rnd.choices("0123456789", k=rnd.randint(0, whole)))
        fraction = "".join(rnd.choices("0123456789", k=rnd.randint(0, scale)))
        if rnd.random() < 0.3:  # groups of nine that are zero
            fraction = ("0" * rnd.randint(0, scale) + fraction)[:scale]
        return text(rnd, digits, fraction)
    most = "9" * whole + "." + "9" * scale
    least = "0." + "0" * (scale - 1) + "1" if scale else "1"
    edges = ["0", f"'{most}'", f"'{least}'", "'1'", "'0.5'"]
    if not unsigned:
        edges += [f"'-{most}'", f"'-{least}'", "'-0.0'", "'-1'"]
    return mixed(edges, anything)


def decimals(flavor):
    most_scale = 38 if flavor == "mariadb" else 30
    shapes = [(1, 0), (1, 1), (9, 9), (10, 2), (10, 0), (18, 9), (19, 10), (20, 0), (30, 30), (38, 20), (65, 0), (65, 30), (most_scale, most_scale),
              (65, most_scale), (11, 5), (14, 4), (27, 13)]
    kind = Kind("DECIMAL", "all digits of the scale, exactly", 3, exceptions=ZEROFILL, select="{0}+0")
    columns = [Column(kind, f"DECIMAL({p},{s})", decimal_value(p, s, False)) for p, s in dict.fromkeys(shapes)]
    columns += [Column(kind, f"DECIMAL({p},{s}) {more}", decimal_value(p, s, True)) for p, s, more in ((20, 6, "UNSIGNED"), (12, 4, "ZEROFILL"))]
    return [Table("decimals", columns)]


def as_float(text):
    """The 32 bits a text reads back as."""
    try:
        return struct.pack("<f", float(text))
    except OverflowError:  # it is the next one after the largest
        return None


def shortest_float(value):
    """The fewest significant digits that read back as this 32-bit value."""
    for digits in range(1, 9):
        if as_float(f"{value:.{digits}g}") == struct.pack("<f", value):
            return digits
    return 9


def significant(text):
    return len(text.lower().partition("e")[0].replace(".", "").replace("-", "").strip("0")) or 1


def same_double(expected, found):
    """The same bits, and the same text unless the server prints -0 as 0."""
    try:
        want, have = float(expected), float(found)
    except ValueError:
        return False
    return struct.pack("<d", want) == struct.pack("<d", have) and (expected == found or want == 0)


def same_float(expected, found):
    try:
        want, have = as_float(expected), as_float(found)
    except ValueError:
        return False
    return want is not None and want == have and significant(found) <= shortest_float(struct.unpack("<f", want)[0])


def random_float(rnd):
    while True:
        value = struct.unpack("<f", struct.pack("<I", rnd.getrandbits(32)))[0]
        if abs(value) < 3.4e38:  # neither infinity nor NaN
            return repr(value)


def random_double(rnd):
    while True:
        value = struct.unpack("<d", struct.pack("<Q", rnd.getrandbits(64)))[0]
        if abs(value) < 1.79e308:
            return repr(value)


def floats(flavor):
    by_value = "the value read back, bit for bit, and the number of digits"
    # + 0e0 prints all digits, but makes 0 of -0.
    exact = "IF({0}=0,{0},{0}+0e0)"
    note = "SELECT itself prints six digits of a FLOAT"
    single = Kind("FLOAT", "shortest decimal that reads back as the same 32-bit value", 7, by_value, note, exact, same=same_float)
    double = Kind("DOUBLE", "shortest decimal that reads back as the same value", 8, "the text of SELECT", "-0 keeps its sign on MariaDB, too", exact, same=same_double)
    some = ["0", "'-0'", "1", "-1", "0.1", "1.5", "123456789", "1e15", "1e16", "1e17", "1e-5", "1e-4", "0.3333333333333333", "'-1e-10'"]
    f = mixed(some + ["16777216", "16777217", "3.4028234663852886e38", "-3.4028234663852886e38", "1.401298464324817e-45", "1.1754943508222875e-38",
                      "9999999"],
              lambda r: random_float(r) if r.random() < 0.7 else f"{r.uniform(-1e6, 1e6):.{r.randint(0, 6)}f}")
    d = mixed(some + ["1.7976931348623157e308", "-1.7976931348623157e308", "5e-324", "2.2250738585072014e-308", "9007199254740993", "123456789012345680"],
              lambda r: random_double(r) if r.random() < 0.7 else f"{r.uniform(-1e9, 1e9):.{r.randint(0, 9)}f}")
    small = mixed(["0", "-1.5", "999.9999", "0.0001"], lambda r: f"{r.uniform(-999, 999):.6f}")
    return [Table("floats", [Column(single, "FLOAT", f), Column(single, "FLOAT UNSIGNED", f), Column(single, "FLOAT(7,4)", small),
                             Column(single, "FLOAT(10)", f), Column(double, "DOUBLE", d), Column(double, "DOUBLE UNSIGNED", d), Column(double, "DOUBLE(20,5)", small),
                             Column(double, "FLOAT(30)", d)])]


def bits(flavor):
    kind = Kind("BIT", "unsigned decimal digits", -7, "`col+0`", "SELECT prints the bytes", "{0}+0")
    columns = []
    for n in (1, 2, 7, 8, 9, 15, 16, 17, 33, 40, 63, 64):
        edges = [f"b'{v:b}'" for v in (0, 1, (1 << n) - 1, 1 << (n - 1), (1 << (n - 1)) - 1)]
        columns.append(Column(kind, f"BIT({n})", mixed(edges, lambda r, n=n: f"b'{r.getrandbits(n):b}'")))
    return [Table("bits", columns)]


def tables(flavor):
    return [*integers(flavor), *decimals(flavor), *floats(flavor), *bits(flavor)]
