"""Names and texts that are hard to read, and how they are written."""
import re

COLUMNS = ["id", "name", "total", "note", "Mixed", "order", "key", "primary", "a b", "a`b", 'q"x', "x'y", "dot.ted", "semi;colon", "hash#tag", "dash--x",
           "par(en", "Ünï", "ключ", "名前", "select", "first", "after", "value", "9lives", "per%cent", "system", "period", "comment", "type", "status",
           "data", "date", "enum", "partition", "visible", "index", "column", "check", "back\\slash"]
TABLES = ["t1", "t2", "t3", "orders", "Orders", "order", "odd`name", "dotted.name", "таблица", "t 4", 't"5', "_t1_new", "_t1_gho", "_t1_del", "t1_old", "table",
          "größe", "index", "t;x"]
TEXTS = ["plain", "a, b", "it's (", 'say "x"', "b`t", "-- no", "/* no */", "# no", "FIRST", "AFTER `id`", ")", "ENGINE=x", "100%", "Ünï", ";", ""]
BARE = re.compile(r"[a-z_][a-z0-9_]*\Z")
RESERVED = {"order", "key", "primary", "select", "table", "index", "check", "column", "partition", "first", "after", "value", "system", "period", "comment", "type",
            "status", "data", "date", "enum", "visible"}


class Spelling:
    """How names and strings are written in a session with this sql_mode."""

    def __init__(self, rnd, sql_mode):
        self.rnd = rnd
        self.ansi = "ANSI_QUOTES" in sql_mode or "ORACLE" in sql_mode
        self.backslash = "NO_BACKSLASH_ESCAPES" not in sql_mode

    def name(self, name):
        if BARE.match(name) and name not in RESERVED and self.rnd.random() < 0.5:
            return name
        if self.ansi and self.rnd.random() < 0.7:
            return '"' + name.replace('"', '""') + '"'
        return "`" + name.replace("`", "``") + "`"

    def column(self, name):
        """One that is there: its case does not matter."""
        if self.rnd.random() < 0.15 and len(name.swapcase()) == len(name):
            name = name.swapcase()
            return "`" + name.replace("`", "``") + "`"
        return self.name(name)

    def string(self, text):
        if self.backslash:
            text = text.replace("\\", "\\\\")
            if self.rnd.random() < 0.2:
                text = text.replace("'", "\\'").replace('"', '\\"')
                return f"'{text}'"
        if not self.ansi and self.rnd.random() < 0.2:
            return '"' + text.replace('"', '""') + '"'
        return "'" + text.replace("'", "''") + "'"


def pieces(statement, backslash):
    """Quoted pieces and what stands between them, in turn, beginning with the latter."""
    out, at, start = [], 0, 0
    while at < len(statement):
        quote = statement[at]
        if quote not in "'\"`":
            at += 1
            continue
        out.append(statement[start:at])
        start, at = at, at + 1
        while at < len(statement):
            if statement[at] == "\\" and backslash and quote != "`":
                at += 1
            elif statement[at] == quote:
                if statement[at + 1:at + 2] != quote:
                    break
                at += 1
            at += 1
        at += 1
        out.append(statement[start:at])
        start = at
    return [*out, statement[start:]]


def disguise(rnd, statement, backslash):
    """The same statement with other blanks, comments and letters."""
    if rnd.random() < 0.5:
        return statement
    lower = rnd.random() < 0.3
    between = [" ", " ", "  ", "\n", "\n\t", " /* c, (' */ ", " -- c, (\n", " # it's\n", "\r\n  "]
    out = []
    for number, piece in enumerate(pieces(statement, backslash)):
        if number % 2 == 0:
            if lower:
                piece = re.sub(r"\b[A-Z_]{2,}\b", lambda m: m[0].lower(), piece)
            piece = re.sub(r" ", lambda m: rnd.choice(between) if rnd.random() < 0.15 else " ", piece)
        out.append(piece)
    return rnd.choice(["", "", "/* app */ ", "\n"]) + "".join(out) + rnd.choice(["", "", "", " ", "\n", " -- end"])
