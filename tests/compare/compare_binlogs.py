#!/usr/bin/python3
"""compare_binlogs.py DIR_OR_FILE...: what `sluice decode` makes of binlog files, beside what mysqlbinlog and mariadb-binlog make of them.  For developers.

Prints a Markdown list: file, server version, events, rows, verdict.  A file's rows are equal to an oracle's, or decoded while no oracle can read
the file, or refused with the program's own words; anything else is a difference, shown below the list.  Times of MariaDB's old form are read with the
CREATE TABLE statements that the file itself holds.

--schema FILE       CREATE TABLE statements for all files
--expect-equal      every file must be equal to an oracle, or decoded where none can read it (self-test)
exit: 0 when nothing differs; 77 when no oracle is here (with --expect-equal)
env: SLUICE_BINARY (build/dev/src/app/sluice)
"""
import argparse
import collections
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import oracle

REPO = pathlib.Path(__file__).resolve().parents[2]
MAGIC = {b"\xfebin": "binlog", b"\xfdbin": "encrypted binlog", b"(\xb5/\xfd": "zstd"}
SHOWN = 5  # differences of a file


class Program:
    def __init__(self, binary, more):
        self.binary, self.more = binary, more

    def lines(self, file, *arguments):
        """(objects, what it said when it failed)"""
        done = subprocess.run([self.binary, "decode", "--no-progress", *self.more, *arguments, file], capture_output=True, stdin=subprocess.DEVNULL)
        lines = [json.loads(line.decode("utf-8")) for line in done.stdout.splitlines()]
        if not done.returncode:
            return lines, ""
        said = done.stderr.decode("utf-8", "replace").strip().replace(str(file), pathlib.Path(file).name)
        return lines, said or f"exit {done.returncode}"


class Verdict:
    def __init__(self):
        self.equal = 0
        self.unknown = collections.Counter()
        self.wrong = []

    def differ(self, text):
        self.wrong.append(text)

    def text(self, name):
        if self.wrong:
            return f"**DIFFERENT from {name}**: {len(self.wrong)} places"
        notes = "".join(f"; {n} not comparable: {why}" for why, n in self.unknown.most_common())
        return f"equal to {name}: {self.equal} values{notes}"


def told(verdict, ours, theirs):
    """Our rows but those that the oracle leaves out: behind a value that it cannot print, the rest of the event."""
    broken = {number for number, row in enumerate(theirs) if row.broken}
    left, number = None, 0
    for mine in ours:
        event = mine["pos"], mine["event"], mine["table"]
        if event == left:
            verdict.unknown["rows behind a value it cannot print"] += 1
            continue
        if not mine["before"] and not mine["after"] and number < len(theirs) and (theirs[number].before or theirs[number].after):
            verdict.unknown["rows without columns are not shown"] += 1
            continue
        left = event if number in broken else None
        number += 1
        yield mine


def compare_rows(ours, theirs):
    """Row for row, column for column."""
    verdict = Verdict()
    for number, (mine, row) in enumerate(itertools.zip_longest(told(verdict, ours, theirs), theirs)):
        if mine is None or row is None:
            verdict.differ(f"{len(ours)} rows, the oracle has {len(theirs)}")
            break
        where = f"row {number} at {mine['pos']} {mine['database']}.{mine['table']}"
        if (mine["type"], mine["database"], mine["table"]) != (row.kind, row.database, row.table):
            verdict.differ(f"{where}: {mine['type']}; the oracle: {row.kind} {row.database}.{row.table}")
            break
        for half in ("before", "after"):
            compare_image(verdict, f"{where} {half}", mine[half], getattr(row, half), row.broken)
    return verdict


def compare_image(verdict, where, mine, cells, broken):
    if (mine is None) != (cells is None):
        if not broken:
            verdict.differ(f"{where}: {'no image' if mine is None else 'an image'}")
        return
    if mine is None:
        return
    values = list(mine.items())
    if broken:  # the columns before the one it could not print are there
        verdict.unknown[broken] += len(values) - len(cells)
        values = values[:len(cells)]
    if len(values) != len(cells):
        verdict.differ(f"{where}: {len(values)} columns, the oracle has {len(cells)}: {[c.number for c in cells]}, {list(mine)}")
        return
    for (name, value), cell in zip(values, cells):
        result = oracle.same(cell, value)
        if result is True:
            verdict.equal += 1
        elif result is False:
            verdict.differ(f"{where} {name} ({cell.type}): {value!r}; the oracle: {cell.text!r}"[:400])
        else:
            verdict.unknown[result] += 1


def kind_of(path):
    with open(path, "rb") as file:
        return MAGIC.get(file.read(4))


def unpacked(path, folder):
    """The file itself, or what is in it."""
    if kind_of(path) != "zstd":
        return path
    target = pathlib.Path(folder) / path.name.removesuffix(".zst")
    subprocess.run(["zstd", "-dqf", path, "-o", target], check=True)
    return target


def own_schema(events, folder):
    """The CREATE TABLE statements that the file itself holds, for what only a schema tells."""
    path = pathlib.Path(folder) / "schema.sql"
    with open(path, "w", encoding="utf-8") as schema:
        for event in events:
            if re.match(r"\s*create\s+table\b(?!.*\bselect\b)", event.get("statement", ""), re.I | re.S) and event["type"].startswith("QUERY"):
                schema.write(f"USE `{event.get('database', '')}`;\n{event['statement']};\n")
    return path


def look_at(program, file, folder):
    """(server version, events, rows, verdict, differences)"""
    events, failed = program.lines(file, "--format", "events", "--json")
    version = next((e["server"] for e in events if e["type"] == "FORMAT_DESCRIPTION"), "?")
    more = []
    if "only a schema tells" in failed:
        more = ["--schema", str(own_schema(events, folder))]
        events, failed = program.lines(file, "--format", "events", "--json", *more)
    ours, rows_failed = program.lines(file, "--format", "rows", *more)
    if failed or rows_failed:
        return version, len(events), len(ours), f"refused: {failed or rows_failed}", []
    counted = sum(e.get("rows", 0) for e in events)
    if counted != len(ours):
        return version, len(events), len(ours), f"**DIFFERENT**: {counted} rows in events, {len(ours)} rows", [f"{counted} != {len(ours)}"]
    mariadb = "MariaDB" in version
    reasons = []
    for name in ("mariadb-binlog", "mysqlbinlog") if mariadb else ("mysqlbinlog", "mariadb-binlog"):
        try:
            theirs = oracle.rows_of(name, file)
        except oracle.Unreadable as why:
            reasons.append(f"{name}: {why}")
            continue
        verdict = compare_rows(ours, theirs)
        return version, len(events), len(ours), verdict.text(name), verdict.wrong
    return version, len(events), len(ours), f"decoded; no oracle can read it: {'; '.join(reasons)}", []


def cell(text):
    return re.sub(r"\s+", " ", str(text)).replace("|", "\\|")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", nargs="+", type=pathlib.Path)
    parser.add_argument("--schema")
    parser.add_argument("--expect-equal", action="store_true")
    options = parser.parse_args()
    program = Program(os.environ.get("SLUICE_BINARY") or str(REPO / "build/dev/src/app/sluice"), ["--schema", options.schema] if options.schema else [])
    # Sorted by folder, files by number.
    files = sorted(itertools.chain.from_iterable([p] if p.is_file() else p.rglob("*") for p in options.path))
    wrong, verdicts = [], collections.Counter()
    print("| file | server | events | rows | verdict |\n|---|---|--:|--:|---|")
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            if not path.is_file() or not kind_of(path):
                continue
            file = unpacked(path, folder)
            if not kind_of(file):
                continue  # something else that is compressed
            version, events, rows, verdict, differences = look_at(program, file, folder)
            name = path.relative_to(next(p for p in options.path if p == path or p in path.parents).parent)
            print(f"| {cell(name)} | {cell(version)} | {events} | {rows} | {cell(verdict)} |", flush=True)
            verdicts[re.split(r"[ :;]", verdict.strip("*"))[0]] += 1
            wrong += [f"{name}: {d}" for d in differences[:SHOWN]]
    print("\n" + ", ".join(f"{n} {what}" for what, n in verdicts.most_common()))
    if wrong:
        print("\nDifferences:\n")
        for text in wrong:
            print(f"- {text}")
    if options.expect_equal and not wrong:
        if set(verdicts) == {"decoded"}:
            print("SKIPPED: no oracle is here")
            return 77
        if not verdicts["equal"] or not set(verdicts) <= {"equal", "decoded"}:
            return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
