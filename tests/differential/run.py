#!/usr/bin/python3
"""run.py mysql|mariadb|all: random values of every type through a real server, its binlog through `sluice decode`, and both compared.

--seed N        repeats a run (it is printed; a random one by default)
--values N      values of each type, about (200; 20000 with SLUICE_TEST_LONG)
--tables REGEX  only these tables
--settings N    only the first N combinations of settings, of an order that hangs on the seed
--report FILE   writes what was compared, as Markdown
--keep          keeps the servers' data, with the binlogs

exit: 0, 1, or 77 when it was skipped (the reason is printed)
env: SLUICE_BINARY (build/dev/src/app/sluice), SLUICE_TEST_LONG, SLUICE_TEST_SEED, SLUICE_E2E_ROOT (folder for the servers' data)
"""
import argparse
import collections
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / "e2e")]
try:
    from harness import Unavailable, long_run, servers
except ModuleNotFoundError as missing:
    print(f"SKIPPED: Python module {missing.name} is missing (scripts/servers/install-packages test)")
    sys.exit(77)

import documents
import numeric
import repertoire
import shapes
import texts
import times
from check import Check, Counts, DecodeFailed, decode, show_create
from report import Report
from settings import Setting, all_settings
from shadow import Shadow

TOGETHER = 4  # tables that are written in one transaction


class Run:
    def __init__(self, flavor, options, root):
        self.flavor, self.options, self.root = flavor, options, root
        self.rnd = random.Random(f"{options.seed} {flavor}")
        self.binary = os.environ.get("SLUICE_BINARY") or str(servers.REPO / "build/dev/src/app/sluice")
        self.server = servers.Mysql(root, flavor, "FULL")
        self.counts, self.wrong, self.wrong_count = Counts(), [], 0
        self.partial = 0  # combinations whose file has diffs
        self.tables, self.special = [], []

    def start(self):
        self.server.start()
        self.server.execute("SET GLOBAL sync_binlog = 0", "SET GLOBAL innodb_flush_log_at_trx_commit = 0", "SET GLOBAL max_allowed_packet = 1073741824",
                            "CREATE DATABASE differ CHARACTER SET utf8mb4", "CREATE DATABASE differ_schema CHARACTER SET utf8mb4")
        # A large value needs a log it fits into.
        log = "innodb_redo_log_capacity" if self.flavor == "mysql" else "innodb_log_file_size"
        self.server.execute(f"SET GLOBAL {log} = 536870912")
        self.shadow = Shadow(self.server, self.rnd)
        ((version,),) = self.server.execute("SELECT VERSION()")
        self.version = version.split("-")[0]

    def make_tables(self):
        sets = repertoire.ask(self.shadow)
        every = [*numeric.tables(self.flavor), *times.tables(self.flavor), *texts.tables(self.rnd, sets), *documents.tables(self.flavor, sets),
                 *shapes.tables(self.flavor)]
        self.tables = [t for t in every if re.search(self.options.tables, t.name)]
        self.columns = collections.Counter(c.kind.name for t in self.tables for c in t.columns if c.value)
        whole = [*repertoire.tables(self.shadow, sets), *([texts.huge()] if long_run() else [])]
        self.special = [t for t in whole if re.search(self.options.tables, t.name)]
        self.shadow.execute("SET sql_mode = ''")
        for table in self.tables + self.special:
            if table.needs_schema:
                self.shadow.execute("SET GLOBAL mysql56_temporal_format = OFF")
            self.shadow.execute(table.create())
            if table.needs_schema:
                self.shadow.execute("SET GLOBAL mysql56_temporal_format = ON")
            types = dict(self.shadow.execute("SELECT column_name, column_type FROM information_schema.columns "
                                             f"WHERE table_schema = '{table.database}' AND table_name = '{table.name}'"))
            for column in table.columns:
                # MariaDB notes in a comment that a column is compressed or a time of the old form.
                column.column_type = re.sub(r" /\*.*\*/", "", types[column.name.encode()].decode())
        self.schema = self.root / f"schema_{self.flavor}.sql"
        self.schema.write_text(show_create(self.shadow, self.tables + self.special))

    def rows_of(self, table, settings):
        """Rows of a table in one combination, so that the scarcest of its kinds gets its number of values; each row is written twice."""
        columns = min(self.columns[c.kind.name] for c in table.columns if c.value)
        combinations = settings if long_run() else max(settings // table.rounds, 1)
        return max(1, -(-self.options.values // (combinations * 2 * columns)))

    def new_file(self):
        self.shadow.execute("FLUSH BINARY LOGS")
        return self.root / self.flavor / "data" / self.server.position()[0]

    def combination(self, number, setting, count):
        self.shadow.begin(setting)
        file = self.new_file()
        for kept in self.shadow.changes.values():
            kept.clear()
        chosen = [t for at, t in enumerate(self.tables)
                  if (long_run() or (number + at) % t.rounds == 0) and (setting.metadata == "FULL" or not t.full_only)]
        for at in range(0, len(chosen), TOGETHER):
            self.shadow.execute("BEGIN")
            for table in chosen[at:at + TOGETHER]:
                self.shadow.work(table, self.rows_of(table, count))
            self.shadow.execute("COMMIT")
        self.new_file()
        self.judge(file, chosen, setting)
        if chosen:
            self.look_at_events(file, setting)
        if not self.options.keep:
            file.unlink()

    def judge(self, file, chosen, setting, more=()):
        check = Check(self.binary, file, self.shadow, chosen, self.counts, self.options.seed, more)
        plain = [t for t in chosen if not t.needs_schema]
        if setting.metadata == "FULL" and plain:
            check.run("rows", tables=plain)
            check.run("canal", tables=plain)
        # The same values once more count once.
        if setting.metadata != "FULL" or len(plain) < len(chosen):
            rest = chosen if setting.metadata != "FULL" else [t for t in chosen if t.needs_schema]
            check.run("rows", self.schema, rest)
        check.run("canal", self.schema, [t for t in chosen if not t.full_only])
        self.wrong += check.wrong
        self.wrong_count += check.wrong_count

    def look_at_events(self, file, setting):
        """Whether the server did as it was told: else a combination would be tried that is none."""
        try:
            names = {e["type"] for e in decode(self.binary, "--format", "events", "--json", "--schema", str(self.schema), str(file))}
        except DecodeFailed as error:
            return self.fail(f"--format events: {error}; {setting}")
        packed = any(n == "TRANSACTION_PAYLOAD" or "COMPRESSED" in n for n in names)
        if packed != setting.compressed:
            self.fail(f"compressed events: {packed}; {setting}; {sorted(names)}")
        if not setting.diffs and "PARTIAL_UPDATE_ROWS" in names:
            self.fail(f"diffs that nobody asked for; {setting}")
        self.partial += "PARTIAL_UPDATE_ROWS" in names

    def fail(self, text):
        self.wrong.append(text)
        self.wrong_count += 1

    def repertoires(self):
        """What each character set can hold, all of it; and values of many megabytes."""
        for metadata in ("FULL", "MINIMAL"):
            setting = Setting(self.flavor, metadata, "CRC32", False, "FULL", False, "+00:00", "")
            self.shadow.begin(setting)
            file = self.new_file()
            for kept in self.shadow.changes.values():
                kept.clear()
            for table in self.special:
                self.shadow.work(table, 1)
            self.new_file()
            self.judge(file, self.special, setting, ("--invalid-text", "replace"))
            if not self.options.keep:
                file.unlink()

    def all(self):
        started = time.monotonic()
        self.start()
        self.make_tables()
        settings = list(all_settings(self.flavor, self.rnd))
        self.combinations = len(settings)
        if self.options.settings:
            self.rnd.shuffle(settings)
            settings = settings[:self.options.settings]
        if self.special:
            self.repertoires()
        for number, setting in enumerate(settings):
            self.combination(number, setting, len(settings))
            if self.wrong_count > 200:
                self.wrong.append("given up here")
                break
        if not self.partial and any(s.diffs for s in settings) and any(t.name == "documents" for t in self.tables):
            self.fail("no diff was logged at all")
        refused = sum(self.shadow.refused.values())
        if refused * 20 > self.shadow.next_id:
            self.fail(f"the server refused {refused} of {self.shadow.next_id} rows")
        print(f"{self.flavor} {self.version}: {len(self.tables) + len(self.special)} tables, {len(settings)} combinations of settings, "
              f"{sum(self.counts.values.values())} values, {self.counts.cells} columns of images compared, {self.counts.absent} absent, "
              f"{self.counts.diffs} diffs evaluated, {refused} rows refused by the server, {time.monotonic() - started:.0f} s")
        for (table, message), times_ in self.shadow.refused.most_common(5):
            print(f"  refused: {table} {times_} times: {message}")
        if self.wrong_count:
            print(f"{self.wrong_count} differences; seed {self.options.seed}")
            for text in self.wrong[:60]:
                print("- " + text)
        return self.wrong_count == 0


def give_up(*_):
    signal.alarm(0)  # once: what follows is the clean-up
    raise TimeoutError("the whole comparison takes too long")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", choices=["mysql", "mariadb", "all"])
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SLUICE_TEST_SEED") or secrets.randbelow(1 << 32)))
    parser.add_argument("--values", type=int, default=20000 if long_run() else 200)
    parser.add_argument("--tables", default="")
    parser.add_argument("--settings", type=int, default=0)
    parser.add_argument("--report")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    signal.signal(signal.SIGTERM, give_up)
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(os.environ.get("SLUICE_E2E_LIMIT", "0")))
    base = pathlib.Path(os.environ.get("SLUICE_E2E_ROOT") or servers.REPO / "build" / "e2e")
    base.mkdir(parents=True, exist_ok=True)
    report, good, skipped = Report(), True, None
    for flavor in ("mysql", "mariadb") if options.server == "all" else (options.server,):
        root = pathlib.Path(tempfile.mkdtemp(prefix=f"differential-{flavor}-", dir=base))
        run = Run(flavor, options, root)
        try:
            good = run.all() and good
            report.add(flavor, run.version, run.tables + run.special, run.counts, run.combinations)
        except Unavailable as reason:
            skipped = str(reason)
        finally:
            servers.stop_all(root)
            if options.keep:
                print(f"kept: {root}")
            else:
                shutil.rmtree(root)
    if options.report:
        pathlib.Path(options.report).write_text(report.document())
    if skipped:
        print(f"SKIPPED: {skipped}")
        return 77 if good and not report.counts else int(not good)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
