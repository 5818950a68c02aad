#!/usr/bin/python3
"""What the daemon's source stage costs: filtered rows against a raw drain of the same dump, other filters against none, threads that decode against none.

Prints one JSON document on stdout, progress on stderr.  docs/benchmarks.md says what each number means.
"""
import argparse
import json
import os
import pathlib
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile

import yaml

import measure
from end_to_end import REPO, Source, say, servers

COLUMNS = """(id BIGINT NOT NULL PRIMARY KEY, qty INT NOT NULL, name VARCHAR(40) NOT NULL, price DECIMAL(10,2) NOT NULL,
    changed DATETIME NOT NULL, status VARCHAR(20) NOT NULL) CHARACTER SET utf8mb4"""
VALUES = "{0}, {0} * 7919 % 1000, CONCAT('Reykjavík order ', {0}), {0} % 100000 / 100, TIMESTAMP '2020-01-01 00:00:00' + INTERVAL {0} SECOND, {1}"
STATUS = "IF({0} % 20 = 0, 'active', 'archived')"  # one of twenty
ALL = {"filter": {"include": [r"bench\..*"]}}


def rules(**of_each):
    return {**ALL, "tables": [{"match": r"bench\..*", **of_each}]}


def threads(count):
    return {**ALL, "source": {"decode_threads": count}}


# What is compared: a drain to begin with, and others; each a mode of bench_drain and its configuration.
COMPARED = {
    "one row of twenty left": (("raw", {}), {  # by each of them
        "by table": ("filter", {"filter": {"include": [r"bench\.kept"]}}),
        "by operation": ("filter", {**ALL, "tables": [{"match": r"bench\.noise", "operations": ["delete"]}]}),
        "by condition": ("filter", rules(when="status = 'active' and qty >= 0")),
        "by condition, 1 thread": ("filter", {**rules(when="status = 'active' and qty >= 0"), "source": {"decode_threads": 1}}),
        "no filter": ("filter", ALL)}),
    "all rows left": (("filter", ALL), {
        "condition": ("filter", rules(when="status <> '' and qty >= 0")),
        "two of six columns excluded": ("filter", rules(columns={"exclude": ["name", "changed"]})),
        "one column masked by sha256": ("filter", rules(mask={"name": "sha256"}, mask_salt="pepper")),
        "one column masked by null": ("filter", rules(mask={"name": None}))}),
    "threads": (("filter", threads(0)), {"1": ("filter", threads(1)), "2": ("filter", threads(2))}),
}


class SourceCost:
    def __init__(self, args):
        self.args = args
        base = pathlib.Path(args.root)
        base.mkdir(parents=True, exist_ok=True)
        self.root = pathlib.Path(tempfile.mkdtemp(prefix=f"source-{args.source}-", dir=base))
        self.source = Source(self.root, args.source, "FULL")
        self.password = secrets.token_hex(12)

    def __enter__(self):
        self.source.start()
        self.source.execute(f"CREATE USER sluice@'127.0.0.1' IDENTIFIED BY '{self.password}'",
                            "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO sluice@'127.0.0.1'", "CREATE DATABASE bench",
                            "CREATE DATABASE helpers", "CREATE TABLE helpers.n (n BIGINT NOT NULL PRIMARY KEY)",
                            "INSERT INTO helpers.n WITH RECURSIVE d AS (SELECT 0 i UNION ALL SELECT i+1 FROM d WHERE i<99) "
                            "SELECT 1+a.i+100*b.i FROM d a, d b", *(f"CREATE TABLE bench.{t} {COLUMNS}" for t in ("kept", "noise", "rows")))
        return self

    def __exit__(self, *_):
        servers.stop_all(self.root)
        shutil.rmtree(self.root)

    def recorded(self, *statements):
        """(file, start, end) of what the statements write into a binlog file of its own."""
        self.source.execute("FLUSH BINARY LOGS")
        file, start = self.source.position()
        self.source.execute(*statements, seconds=3600)
        after, end = self.source.position()
        assert after == file, "more than one binlog file: fewer rows"
        return file, start, end

    def large(self, rows):
        """Transactions of 10,000 rows: nineteen into `noise`, one into `kept`."""
        return self.recorded(*(
            f"INSERT INTO bench.{'kept' if base // 10_000 % 20 == 0 else 'noise'} "
            f"SELECT {VALUES.format(f'(n+{base})', STATUS.format(f'(n+{base})'))} FROM helpers.n" for base in range(0, rows, 10_000)))

    def one(self, rows):
        """One transaction."""
        id_ = "(n.n + 10000 * m.n)"
        self.source.execute("CREATE TABLE bench.one LIKE bench.noise")
        return self.recorded(f"INSERT INTO bench.one SELECT {VALUES.format(id_, STATUS.format(id_))} FROM helpers.n n, "
                             f"(SELECT n FROM helpers.n WHERE n <= {rows // 10_000}) m")

    def small(self, rows):
        """Transactions of one row, in the same shares; ids above all others."""
        one = VALUES.format("i", STATUS.format("i"))
        self.source.execute("DROP PROCEDURE IF EXISTS helpers.small",
                            f"CREATE PROCEDURE helpers.small(i BIGINT, up_to BIGINT) BEGIN WHILE i < up_to DO "
                            f"IF i % 20 = 0 THEN INSERT INTO bench.kept VALUES ({one}); ELSE INSERT INTO bench.noise VALUES ({one}); END IF; "
                            f"SET i = i + 1; END WHILE; END")
        return self.recorded(f"CALL helpers.small(1000000000, {1000000000 + rows})")

    def drain(self, how, place):
        mode, more = how
        config = {**more, "source": {"host": "127.0.0.1", "port": self.source.port, "user": "sluice", "password": self.password,
                                     "tls": {"mode": "disabled"},  # decrypting would make the raw drain slower, too
                                     **more.get("source", {})}}
        path = self.root / "config.yaml"
        path.write_text(yaml.safe_dump(config))
        path.chmod(0o600)
        done = subprocess.run([self.args.drain, mode, path, *map(str, place)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def keep_others_off(self):
        """From now on the drains and the source come first on all cores, for the seconds they take."""
        data, pid_file = self.source.execute("SELECT @@datadir, @@pid_file")[0]
        server = (pathlib.Path(data) / pid_file).read_text().strip()
        for thread in ("0", *os.listdir(f"/proc/{server}/task")):
            os.sched_setscheduler(int(thread), os.SCHED_FIFO, os.sched_param(1))

    def compare(self, place, base, others):
        """Drains in turn, either first; medians of each, and of the ratio of neighbours."""
        out = {}
        for name, other in others.items():
            pairs = []
            for run in range(self.args.runs):
                ways = [base, other] if run % 2 == 0 else [other, base]
                done = [self.drain(how, place) for how in ways]
                pairs.append(done if run % 2 == 0 else done[::-1])
            first, second = zip(*pairs)
            middle = lambda runs, key: round(statistics.median(run[key] for run in runs), 4)  # noqa: E731
            out[name] = {
                "bytes": first[0]["bytes"], "rows": second[0]["rows"], "base_s": middle(first, "seconds"), "s": middle(second, "seconds"),
                "base_cpu_s": middle(first, "cpu_seconds"), "cpu_s": middle(second, "cpu_seconds"),
                "rate": round(statistics.median(b["seconds"] / s["seconds"] for b, s in pairs), 3),
                "rates": [round(b["seconds"] / s["seconds"], 3) for b, s in pairs]}
            say(f"  {name}: {out[name]}")
        return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=("mariadb", "mysql"), default="mariadb")
    parser.add_argument("--rows", type=int, default=4_000_000, help="in large transactions (4,000,000); a quarter in one, a tenth in small ones")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--first", action="store_true", help="keep others off the cores while draining (SCHED_FIFO)")
    parser.add_argument("--only", choices=COMPARED, action="append", help="not all comparisons")
    parser.add_argument("--drain", default=str(REPO / "build/release/tests/bench/bench_drain"))
    parser.add_argument("--root", default=str(REPO / "build/bench"))
    args = parser.parse_args()
    with SourceCost(args) as bench:
        result = {"source": bench.source.version(), "rows": args.rows, "machine": measure.machine()}
        places = {"large transactions": bench.large(args.rows), "one transaction": bench.one(args.rows // 4),
                  "small transactions": bench.small(args.rows // 10)}
        if args.first:
            bench.keep_others_off()
        for size, place in places.items():
            bench.drain(("raw", {}), place)  # the file comes into the page cache
            for name in args.only or (["threads"] if size == "one transaction" else COMPARED):
                say(f"{size}: {name}")
                result.setdefault(size, {})[name] = bench.compare(place, *COMPARED[name])
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
