"""CHAR, VARCHAR, TEXT in every character set, ENUM, SET; BINARY, VARBINARY, BLOB."""
from catalogue import Column, Kind, Table, as_latin1, bytes_literal, mixed, text_literal

CHAR = Kind("CHAR", "text", 1)
VARCHAR = Kind("VARCHAR", "text", 12)
TEXT = Kind("TINYTEXT .. LONGTEXT", "text", 2005)
ENUM = Kind("ENUM", "the label; `\"\"` for index 0", 12)
SET = Kind("SET", "labels joined by `,`", 12)
AS_BYTES = "each byte as U+0000..U+00FF"
RAW = "the bytes of SELECT"
NOT_BASE64 = "`--binary base64` writes them as base64"
BINARY = Kind("BINARY", AS_BYTES + ", padded to n with U+0000", 2004, RAW, NOT_BASE64, expect=as_latin1)
VARBINARY = Kind("VARBINARY", AS_BYTES, 2004, RAW, NOT_BASE64, expect=as_latin1)
BLOB = Kind("TINYBLOB .. LONGBLOB", AS_BYTES, 2004, RAW, NOT_BASE64, expect=as_latin1)

LENGTHS = [0, 1, 2, 5, 50, 127, 128, 250, 251, 252, 254, 255, 256, 257, 300]


def length(rnd, most, rare=0):
    """Now and then one beyond `rare`, where that is told."""
    if rare and most > rare:
        if rnd.random() < 0.02:
            return rnd.randint(rare, most)
        most = rare
    return min(most, rnd.choice(LENGTHS) if rnd.random() < 0.5 else rnd.randint(0, most))


class Repertoire:
    """Characters of one character set."""

    def __init__(self, charset, characters):
        self.charset, self.characters = charset, characters
        self.plain = [c for c in characters if " " <= c <= "~"] or characters
        self.odd = [c for c in characters if c < " " or c in "'\"\\`,%\x7f\u2028\ufeff"] or characters

    def text(self, rnd, count, trim=False):
        dice = rnd.random()
        if dice < 0.15:
            made = rnd.choices(self.plain, k=count)
        elif dice < 0.3:
            made = [rnd.choice(self.characters)] * count
        else:
            made = rnd.choices(self.characters, k=count)
            for _ in range(count // 10):
                made[rnd.randrange(count)] = rnd.choice(self.odd)
        if count and rnd.random() < 0.1 and " " in self.plain and not trim:
            made[-1] = " "
        return "".join(made)

    def value(self, most_characters, most_bytes=0, rare=0):
        def anything(rnd):
            made = self.text(rnd, length(rnd, most_characters, rare))
            while most_bytes and len(made) * 4 > most_bytes:
                made = made[:most_bytes // 4]
            return text_literal(made)
        return mixed([text_literal(""), text_literal(" "), text_literal("?")], anything, share=0.1)

    def labels(self, rnd, count):
        """Distinct ones that a CREATE TABLE can hold; none with a comma, none that ends in a space.  SHOW CREATE TABLE prints ? for what lies beyond
        the basic plane."""
        allowed = [c for c in self.characters
                   if " " < c < "\U00010000" and c != "," and not "\x7f" <= c <= "\xa0" and c not in "\ufeff\ufffe\uffff" and not c.isspace()]
        made = {}
        for at in range(1000):
            label = "".join(rnd.choices(allowed, k=rnd.randint(1, 4)))
            made.setdefault(label.casefold(), label)
            if len(made) == count:
                break
        return list(made.values())


def string(label):
    return "'" + label.replace("\\", "\\\\").replace("'", "''") + "'"


def enum_column(labels, charset=""):
    value = mixed(["0", "1", str(len(labels))], lambda r: str(r.randint(1, len(labels))), share=0.3)
    return Column(ENUM, f"ENUM({','.join(map(string, labels))})" + collation(charset), value, charset)


def set_column(labels, charset=""):
    everything = (1 << len(labels)) - 1
    value = mixed(["0", "1", str(everything), str(1 << (len(labels) - 1))], lambda r: str(r.getrandbits(len(labels))), share=0.3)
    return Column(SET, f"SET({','.join(map(string, labels))})" + collation(charset), value, charset)


def collation(charset):
    # By code: labels that differ in case only are different.
    return f" CHARACTER SET {charset} COLLATE {charset}_bin" if charset else ""


def in_charset(rnd, repertoire):
    name = repertoire.charset
    of = f" CHARACTER SET {name}"
    columns = [Column(CHAR, "CHAR(10)" + of, repertoire.value(10), name), Column(CHAR, "CHAR(255)" + of, repertoire.value(255), name),
               Column(VARCHAR, "VARCHAR(50)" + of, repertoire.value(50), name), Column(VARCHAR, "VARCHAR(300)" + of, repertoire.value(300), name),
               Column(TEXT, "TINYTEXT" + of, repertoire.value(255, 255), name), Column(TEXT, "TEXT" + of, repertoire.value(2000, 65535, 300), name),
               enum_column(repertoire.labels(rnd, 5), name), set_column(repertoire.labels(rnd, 9), name)]
    return Table(f"charset_{name}", columns, rounds=4)


def texts(repertoires):
    wide = repertoires["utf8mb4"]
    latin = repertoires["latin1"]
    return Table("texts", [
        Column(TEXT, "TINYTEXT", wide.value(255, 255)), Column(TEXT, "TEXT", wide.value(16000, 65535, 400)),
        Column(TEXT, "TEXT CHARACTER SET latin1", latin.value(65535, 0, 400)), Column(TEXT, "MEDIUMTEXT", wide.value(80000, 0, 400)),
        Column(TEXT, "LONGTEXT", wide.value(200000, 0, 400)), Column(VARCHAR, "VARCHAR(1)", wide.value(1)), Column(VARCHAR, "VARCHAR(63)", wide.value(63)),
        Column(VARCHAR, "VARCHAR(64)", wide.value(64)), Column(VARCHAR, "VARCHAR(0)", wide.value(0)), Column(CHAR, "CHAR(0)", wide.value(0)),
        Column(CHAR, "CHAR(1)", wide.value(1)), Column(CHAR, "CHAR(63)", wide.value(63)), Column(CHAR, "CHAR(64)", wide.value(64)),
        Column(VARCHAR, "VARCHAR(255) CHARACTER SET latin1", latin.value(255)), Column(VARCHAR, "VARCHAR(256) CHARACTER SET latin1", latin.value(256)),
        Column(VARCHAR, "VARCHAR(5000)", wide.value(5000, 0, 300))])


def beyond():
    """Labels that the binlog tells with full metadata, and that SHOW CREATE TABLE cannot."""
    made = ["😀", "a", "𠮷野", "😀😁"]
    return Table("labels_beyond", [enum_column(made), set_column(made), enum_column(made, "utf16"), set_column(made, "utf32")], full_only=True)


def labels():
    odd = ["a,b", "it's", 'say "x"', "back\\slash", "grün", "日本", "", "%", "`", "a b", "(x)"]
    few = [f"label {n}" for n in range(255)]
    return Table("labels", [
        enum_column(["only"]), enum_column(odd), enum_column(few), enum_column(few + ["one more"]), enum_column([f"v{n}" for n in range(3000)]),
        enum_column(["é", "ñ", "€"], "latin1"),
        set_column(["only"]), set_column([f"m{n}" for n in range(8)]), set_column([f"m{n}" for n in range(9)]), set_column([f"m{n}" for n in range(17)]),
        set_column([f"m{n}" for n in range(33)]), set_column([f"member {n}" for n in range(64)]),
        set_column([o.replace(",", ";") for o in odd if o]), set_column(["é", "ñ", "€"], "latin1")])


def bytes_value(most, rare=0):
    def anything(rnd):
        made = rnd.randbytes(length(rnd, most, rare))
        if made and rnd.random() < 0.2:  # what a server might trim
            made = made[:-1] + rnd.choice([b"\0", b" "])
        return bytes_literal(made) if made else "''"
    return mixed(["''", "x'00'", "x'20'", "x'0000'", "x'ff'"], anything, share=0.15)


def binaries():
    columns = [Column(BINARY, f"BINARY({n})", bytes_value(n)) for n in (0, 1, 5, 16, 254, 255)]
    columns += [Column(VARBINARY, f"VARBINARY({n})", bytes_value(n, 300)) for n in (0, 1, 16, 254, 255, 256, 257, 1000, 10000)]
    columns += [Column(BLOB, name, bytes_value(most, 400))
                for name, most in (("TINYBLOB", 255), ("BLOB", 65535), ("MEDIUMBLOB", 80000), ("LONGBLOB", 200000))]
    columns.append(Column(VARBINARY, "VARCHAR(40) CHARACTER SET binary", bytes_value(40)))
    return Table("binaries", columns)


def huge():
    """Events of more than 16 MiB."""
    def of(literal, most):
        return lambda r: f"REPEAT({literal}, {r.randint(most - 1000, most)})"
    return Table("huge", [Column(TEXT, "MEDIUMTEXT CHARACTER SET latin1", of("'x'", 16777215)), Column(TEXT, "LONGTEXT", of(text_literal("ä€😀"), 2000000)),
                          Column(BLOB, "LONGBLOB", of("x'00ff10'", 6000000))])


def tables(rnd, repertoires):
    return [texts(repertoires), labels(), beyond(), binaries(), *(in_charset(rnd, r) for r in repertoires.values())]
