"""Compares what `sluice decode` makes of a binlog with what the server said."""
import collections
import json
import os
import re
import subprocess

from catalogue import quoted, text_literal

SHOWN = 160  # characters of a text in a message
DIFFS = ("JSON_REPLACE(", "JSON_INSERT(", "JSON_ARRAY_INSERT(", "JSON_REMOVE(", "JSON_SET(")


class DecodeFailed(Exception):
    pass


def decode(binary, *arguments):
    """Its lines, as objects.  DecodeFailed, behind the last line, with what it said."""
    with subprocess.Popen([binary, "decode", "--no-progress", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        bad = None
        for line in process.stdout:
            try:
                made = json.loads(line.decode("utf-8"))
            except ValueError as error:
                bad = bad or f"not a line of JSON: {error}: {line[:300]}"
                continue
            yield made
        said = process.stderr.read().decode("utf-8", "replace").strip()
    if bad:
        raise DecodeFailed(f"{bad}; exit {process.returncode}: {said}")
    if process.returncode:
        raise DecodeFailed(f"exit {process.returncode}: {said}")


def shorten(expected, found):
    """Both texts around the first difference."""
    if expected is None or found is None:
        return tuple(None if t is None else t[:SHOWN] for t in (expected, found))
    start = max(0, len(os.path.commonprefix([expected, found])) - SHOWN // 4)
    return tuple(("..." if start else "") + repr(t[start:start + SHOWN]) + (f" ({len(t)} characters)" if len(t) > SHOWN else "") for t in (expected, found))


class Counts:
    """Values compared: each once for each row version, whatever the number of images it is in."""

    def __init__(self):
        self.values = collections.Counter()  # by kind
        self.charsets = collections.Counter()  # by character set
        self.cells = 0  # in all images
        self.absent = 0
        self.diffs = 0  # judged by evaluating them


class Check:
    """One binlog file against the changes it must hold."""

    def __init__(self, binary, file, shadow, tables, counts, seed, more=()):
        self.more = more  # arguments
        self.binary, self.file, self.shadow, self.counts, self.seed = binary, file, shadow, counts, seed
        self.tables = {(t.database, t.name): t for t in tables}
        self.wrong, self.wrong_count, self.said = [], 0, set()

    def complain(self, text, once=False):
        if once and text in self.said:
            return
        self.said.add(text)
        self.wrong_count += 1
        if len(self.wrong) < 20 or "exit" in text:
            self.wrong.append(f"{text}\n    seed {self.seed}; {self.shadow.setting}")

    def run(self, output, schema=None, tables=None):
        """output: rows or canal.  A table whose events cannot be decoded does not hide the others."""
        wanted = tables or list(self.tables.values())
        arguments = ["--format", output, "--time-zone", self.shadow.setting.zone, *(["--schema", str(schema)] if schema else [])]
        pattern = "|".join(rf"{escaped(t.database)}\.{escaped(t.name)}" for t in wanted)
        reader = Reader(self, wanted, output, bool(schema))
        try:
            for line in decode(self.binary, *arguments, "--table", pattern, *self.more, str(self.file)):
                reader.take(line)
            reader.finish()
        except DecodeFailed as error:
            what = f"{wanted[0].sql_name}: {wanted[0].create()[:600]}" if len(wanted) == 1 else f"{len(wanted)} tables"
            self.complain(f"--format {output}{', --schema' if schema else ''}: {error}\n    {what}")
            for table in wanted if len(wanted) > 1 else []:
                self.run(output, schema, [table])


def escaped(name):
    return re.sub(r"([^\w\s]|_)", lambda found: "\\" + found[0] if found[0].isascii() and found[0] != "_" else found[0], name)


class Reader:
    def __init__(self, check, tables, output, schema):
        self.check, self.setting, self.counts, self.output, self.schema = check, check.shadow.setting, check.counts, output, schema
        self.changes = {t.name: {row: collections.deque(changes) for row, changes in check.shadow.changes[t.name].items()} for t in tables}
        self.silent = {}  # (table name, row) -> the last change that was taken as not logged
        self.pending = []

    def take(self, line):
        if self.output == "rows":
            self.row(line, line["type"], line["before"], line["after"], f"{line['file'].rpartition('/')[2]}:{line['pos']} row {line['row']}", None)
            return
        if line["isDdl"]:
            return
        for at, data in enumerate(line["data"]):
            old = line["old"][at] if line["type"] == "UPDATE" else None
            before, after = (data, None) if line["type"] == "DELETE" else (None, data)
            self.row(line, line["type"], before, after, f"seq {line['seq']} row {line['rows'][at]}", old)
        self.types(line)

    def types(self, line):
        table = self.check.tables[line["database"], line["table"]]
        where = table.sql_name
        # Where no key is primary a unique one without NULLs is taken.
        keys = ["id"] if table.key.startswith(("PRIMARY", "UNIQUE")) else None
        if line["pkNames"] != keys and (self.schema or self.setting.metadata == "FULL"):
            self.check.complain(f"{where}: pkNames {line['pkNames']}, not {keys}", once=True)
        if not self.schema:
            return
        for column in table.columns:
            code = column.kind.sql_type(column.declaration) if callable(column.kind.sql_type) else column.kind.sql_type
            for key, want in (("mysqlType", column.column_type), ("sqlType", code)):
                if column.name in line[key] and line[key][column.name] != want:
                    found = str(line[key][column.name])
                    self.check.complain(f"{where} {column.declaration[:200]}: {key} {found[:200]!r}, the server says {str(want)[:200]!r}", once=True)

    def row(self, line, kind, before, after, where, old):
        table = self.check.tables.get((line["database"], line["table"]))
        if table is None:
            return self.check.complain(f"{where}: a row of {line['database']}.{line['table']}")
        row = int((after or {}).get("id") or (before or {}).get("id") or 0)
        where = f"{where} {table.sql_name} id {row}"
        change = self.next_change(table, row, kind)
        if change is None:
            left = self.changes[table.name].get(row)
            return self.check.complain(f"{where}: an {kind} that the server did not do here (next: {left[0].type if left else 'nothing'})")
        if change.before:  # a canal line has it of a DELETE only
            self.image(table, change.before, before, change, where + " before", self.output == "rows" or kind == "DELETE")
        if change.after:
            self.image(table, change.after, after, change, where + " after", True)
        if self.output == "canal" and kind == "UPDATE":
            self.old(table, change, old, after, where)

    def next_change(self, table, row, kind):
        """The change a line of this type tells of; None when there cannot be one."""
        left = self.changes[table.name].get(row, ())
        while left and left[0].silent():
            self.silent[table.name, row] = left.popleft()
        if left and left[0].type == kind:
            self.silent.pop((table.name, row), None)
            return left.popleft()
        # The bytes changed after all, as of 0 to -0 where the server prints both alike.
        return self.silent.pop((table.name, row), None) if kind == "UPDATE" else None

    def image(self, table, version, found, change, where, must_be_there):
        if found is None:
            if must_be_there:
                self.check.complain(f"{where}: no image")
            return
        after = version is change.after
        for at, column in enumerate(table.columns):
            printed = version.printed[at]
            if column.name not in found:
                self.counts.absent += not column.virtual
                changed = change.type == "UPDATE" and after and change.before.printed[at] != printed or change.type == "INSERT" and printed is not None
                if not column.virtual and (self.setting.image == "FULL" or changed):
                    self.check.complain(f"{where} {column.name} {column.declaration[:200]}: absent, row image {self.setting.image}")
                continue
            self.value(table, column, at, version, found[column.name], where, change if after else None)
        for name in found.keys() - {c.name for c in table.columns} - {"id", "pad"}:
            self.check.complain(f"{where}: a column {name}")

    def value(self, table, column, at, version, found, where, change=None):
        printed = version.printed[at]
        self.counts.cells += 1
        kind = column.kind
        expected = None if printed is None else kind.expect(printed)
        if self.output == "rows" and change:
            weight = 1 if expected is None else kind.weight(expected)
            self.counts.values[kind.name] += weight
            if column.charset:
                self.counts.charsets[column.charset] += weight
        if expected is not None and kind.without_schema and not self.schema:
            expected = kind.without_schema(expected)
        if expected is None or found is None:
            good = expected is None and found is None
        else:
            good = kind.same(expected, found)
            if not good and self.setting.diffs and self.setting.image != "FULL" and change and change.before and found.startswith(DIFFS):
                self.pending.append((table, column, at, version, change.before.printed[at], found, where))
                return
        if not good:
            want, have = shorten(expected, found)
            self.check.complain(f"{where} {column.name} {column.declaration[:200]}, SQL {str(version.written[at])[:SHOWN]}\n    the server: {want}\n"
                                f"    sluice:     {have}  (--format {self.output}{', --schema' if self.schema else ''})")

    def old(self, table, change, old, after, where):
        """Exactly the columns whose value changed."""
        for at, column in enumerate(table.columns):
            before, now = change.before.printed[at], change.after.printed[at]
            if column.name in old:
                self.value(table, column, at, change.before, old[column.name], where + " old")
                # Label '' and index 0 are two values that look alike.
                if before == now and column.kind.select == "{0}" and column.kind.name != "ENUM":
                    self.check.complain(f"{where} {column.name}: in old, but nothing changed")
            elif before != now and self.setting.image == "FULL" and not column.virtual:
                self.check.complain(f"{where} {column.name} {column.declaration[:200]}: changed, but not in old")

    def finish(self):
        """All must have come."""
        for name, rows in self.changes.items():
            for row, left in rows.items():
                missing = [c for c in left if not c.silent()]
                if missing:
                    self.check.complain(f"{name} id {row}: not decoded (--format {self.output}): {', '.join(c.type for c in missing)}")
        for table, column, at, version, before, found, where in self.pending:
            self.evaluate(table, column, at, version, before, found, where)

    def evaluate(self, table, column, at, version, before, found, where):
        """An expression of diffs: the server makes the document of it."""
        self.counts.diffs += 1
        expression = found.replace("@", f"CAST({text_literal(before.decode('utf-8'))} AS JSON)", 1)
        try:
            ((made,),) = self.check.shadow.execute("SELECT " + expression)
        except Exception as error:  # whatever the server objects to is what is wrong with the text
            made = str(error).encode()
        if made != version.printed[at]:
            want, have = shorten(version.printed[at].decode("utf-8"), (made or b"NULL").decode("utf-8", "replace"))
            self.check.complain(f"{where} {column.name}: {found[:SHOWN]}\n    the server: {want}\n    makes:      {have}")


def show_create(shadow, tables):
    """A file for --schema."""
    text, database = [], None
    for table in tables:
        if table.database != database:
            database = table.database
            text.append(f"USE {quoted(database)};")
        ((_, statement),) = shadow.execute(f"SHOW CREATE TABLE {table.sql_name}")
        text.append(statement.decode("utf-8") + ";")
    return "\n".join(text) + "\n"
