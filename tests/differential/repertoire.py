"""What each character set of the server can hold, asked of the server."""
import random

from catalogue import Column, Kind, Table, bytes_literal
from texts import Repertoire

# Those that are Unicode in another form hold all of it, or its basic plane.
FORMS = {"utf8mb4", "utf16", "utf16le", "utf32"}
BASIC_FORMS = {"utf8mb3", "utf8", "ucs2"}
CHARACTERS = Kind("every character of every charset", "text", 2005, weight=len)


def code_points():
    """All of the basic plane, and of the others what is likely to be treated in its own way."""
    basic = [c for c in range(1, 0x10000) if not 0xd800 <= c <= 0xdfff]
    return basic, [*range(0x10000, 0x10100), *range(0x1f300, 0x1f700), *range(0x20000, 0x2a6e0, 7), *range(0xe0000, 0xe0080), *range(0x10ff00, 0x110000)]


def ask(shadow):
    """{charset: Repertoire}; binary is left out."""
    basic, beyond = code_points()
    every = basic + beyond
    shadow.execute("CREATE TEMPORARY TABLE differ.characters (c VARCHAR(1) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)")
    for at in range(0, len(every), 8192):
        shadow.execute("INSERT INTO differ.characters VALUES " + ",".join(f"(_utf8mb4 x'{chr(c).encode().hex()}')" for c in every[at:at + 8192]))
    found = {}
    for (name, *_) in shadow.execute("SHOW CHARACTER SET"):
        name = name.decode()
        if name == "binary":
            continue
        if name in FORMS | BASIC_FORMS:
            held = [chr(c) for c in basic + (beyond if name in FORMS else [])]
        else:
            rows = shadow.execute(f"SELECT c FROM differ.characters WHERE CONVERT(CONVERT(c USING {name}) USING utf8mb4) = c")
            # U+FFFD is what MariaDB makes of bytes that its tables have no character for.
            held = [c for c in (row[0].decode("utf-8") for row in rows) if c != "\ufffd"]
        found[name] = Repertoire(name, held)
    shadow.execute("DROP TEMPORARY TABLE differ.characters")
    return found


def sequences(charset):
    """Byte sequences that may be one character."""
    yield from (bytes([b]) for b in range(256))
    yield from (bytes([lead, trail]) for lead in range(0x80, 0x100) for trail in range(0x30, 0x100))
    if charset in ("ujis", "eucjpms"):
        yield from (bytes([0x8f, lead, trail]) for lead in range(0xa1, 0xff) for trail in range(0xa1, 0xff))
    if charset == "gb18030":
        rnd = random.Random(18030)
        yield from (bytes([rnd.randint(0x81, 0xfe), rnd.randint(0x30, 0x39), rnd.randint(0x81, 0xfe), rnd.randint(0x30, 0x39)]) for _ in range(5000))


def valid_sequences(shadow, charset):
    """Those that the server takes as one character."""
    shadow.execute("CREATE TEMPORARY TABLE differ.sequences (b VARBINARY(4))")
    every = list(sequences(charset))
    for at in range(0, len(every), 8192):
        shadow.execute("INSERT INTO differ.sequences VALUES " + ",".join(f"({bytes_literal(b)})" for b in every[at:at + 8192]))
    rows = shadow.execute(f"SELECT b FROM differ.sequences WHERE HEX(CONVERT(b USING {charset})) = HEX(b) AND CHAR_LENGTH(CONVERT(b USING {charset})) = 1")
    shadow.execute("DROP TEMPORARY TABLE differ.sequences")
    return [row[0] for row in rows]


def same_or_unmapped(expected, found):
    """Line by line a character: where the server prints ? for one that Unicode does not have, U+FFFD must stand for its first byte."""
    want, have = expected.split("\n"), found.split("\n")
    return len(want) == len(have) and all(w == h or w == "?" and h.startswith("\ufffd") for w, h in zip(want, have))


def tables(shadow, repertoires):
    """Each charset's whole repertoire in one value, and all its byte sequences in others.  To be decoded with --invalid-text replace."""
    bytes_kind = Kind("every byte sequence of every charset", "text; U+FFFD for each byte that is not of a character of Unicode", 2005,
                      exceptions="SELECT prints `?` for what Unicode does not have", same=same_or_unmapped, weight=lambda text: text.count("\n") + 1)
    made = []
    for name, repertoire in repertoires.items():
        whole = "".join(repertoire.characters)
        literal = f"CONVERT(_utf8mb4 x'{whole.encode('utf-8').hex()}' USING {name})"
        columns = [Column(CHARACTERS, f"LONGTEXT CHARACTER SET {name}", lambda r, literal=literal: literal, name)]
        if name not in FORMS | BASIC_FORMS:
            text = b"\n".join(b for b in valid_sequences(shadow, name) if b != b"\n")
            literal = f"CONVERT({bytes_literal(text)} USING {name})"
            columns.append(Column(bytes_kind, f"LONGTEXT CHARACTER SET {name}", lambda r, literal=literal: literal, name))
        made.append(Table(f"all_of_{name}", columns))
    return made
