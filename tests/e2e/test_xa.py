"""XA transactions in two phases: sluice is killed while they are prepared, the source restarts, they end in any order; Redis ends up the same."""
import random

import pymysql

from cases import SourceTest, for_each_source
from harness import compare, long_run, wait_until
from harness.workload import DATABASE, TABLES, BackwardsChecker, Workload

STEPS, KILLS = (2_000, 20) if long_run() else (80, 3)
CHANGES = 20_000 if long_run() else 300
LARGE_ROWS = 500_000 if long_run() else 20_000
MOST_MEMORY = 200 << 20
MOST_PREPARED = 6
KEYS = 300
SEED = 20241126
EXIT_STREAM = 7
UNKNOWN_XID = 1397  # the server has not let go of it yet

# n only grows in the order of commits: a row is locked until its transaction is over.
DDL = f"CREATE TABLE {DATABASE}.xa (id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL, note VARCHAR(200))"


class Coordinator:
    """Prepares transactions of several changes each, of keys that no other one has just now, and ends them in random order."""

    def __init__(self, mysql, number=0, formats=(0, 1, 4294967295)):
        self.mysql, self.random, self.number = mysql, random.Random(SEED), number
        # MariaDB reads no larger ones.
        self.formats = formats if mysql.flavor == "mysql" else tuple(f & 0x7FFFFFFF for f in formats)
        self.prepared = {}  # xid: (keys, rows written, rows deleted)
        self.written = self.deleted = 0     # of those committed

    def prepare(self):
        """A new one; its xid."""
        self.number += 1
        xid = f"'global {self.number}','b\\\\{self.number % 7}',{self.random.choice(self.formats)}"
        taken = set().union(*(keys for keys, _, _ in self.prepared.values())) if self.prepared else set()
        keys = self.random.sample(sorted(set(range(KEYS)) - taken), self.random.choice((1, 2, 5, 20)))
        written = deleted = 0
        connection = self.mysql.connect()
        with connection.cursor() as cursor:
            # No locks on what is not there: the next one may want to put its rows in.
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute(f"XA START {xid}")
            for key in keys:
                if written and self.random.random() < 0.2:
                    deleted += cursor.execute(f"DELETE FROM {DATABASE}.xa WHERE id = %s", (key,))
                else:
                    cursor.execute(f"INSERT INTO {DATABASE}.xa VALUES (%s, %s, 'łóżko') ON DUPLICATE KEY UPDATE n = n + 1, note = %s",
                                   (key, self.number * 1000, f"by {xid}" * 3))
                    written += 1
            cursor.execute(f"XA END {xid}")
            cursor.execute(f"XA PREPARE {xid}")
        connection.close()  # whoever comes next may end it
        self.prepared[xid] = set(keys), written, deleted
        return xid

    def end(self, xid=None, verb=None):
        xid = xid or self.random.choice(sorted(self.prepared))
        verb = verb or self.random.choice(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK"))
        _, written, deleted = self.prepared.pop(xid)
        self.finish(xid, verb)
        if verb == "COMMIT":
            self.written += written
            self.deleted += deleted

    def finish(self, xid, verb):
        def done():
            try:
                self.mysql.execute(f"XA {verb} {xid}")
                return True
            except pymysql.err.OperationalError as error:
                if error.args[0] != UNKNOWN_XID:
                    raise
                return False
        wait_until(done, 30, f"XA {verb} {xid}")

    def step(self):
        if len(self.prepared) < MOST_PREPARED and (not self.prepared or self.random.random() < 0.55):
            self.prepare()
        else:
            self.end()


class Xa:
    def assert_same(self, bench):
        bench.wait_for_source()
        rows, wrong = compare.differences(bench.mysql, bench.redis.client(), DATABASE, (*TABLES, "xa"))
        self.assertEqual(wrong, [])
        self.assertGreater(rows, 100)

    def test_prepared_transactions_come_at_their_commit(self):
        with self.bench(limits={"transaction_hold": "64KiB", "save_interval": "100ms"}) as bench:
            bench.mysql.execute(DDL)
            self.interleaved(bench)
            self.source_restarts(bench)
            if not long_run():
                self.large(bench)
            self.prepared_before_the_start(bench)

    def interleaved(self, bench):
        load = Workload(bench.mysql, CHANGES, SEED)
        checker = BackwardsChecker(bench.redis).start()
        load.start()
        coordinator = Coordinator(bench.mysql)
        kills = 0
        for step in range(STEPS):
            coordinator.step()
            if step * (KILLS + 1) >= (kills + 1) * STEPS and len(coordinator.prepared) > 2:
                kills += 1
                if kills % 2:
                    bench.wait_for_source()  # the position is behind their XA PREPARE
                bench.daemon.kill()
                bench.daemon.start()
        self.assertEqual(kills, KILLS)
        self.assertIn("prepared XA transactions are held", bench.daemon.log.read_text())
        while coordinator.prepared:
            coordinator.end()
        load.finish(600)
        self.assert_same(bench)
        self.assertEqual(checker.stop()[:20], [])
        inserted, updated, deleted, moved = load.counts()
        calls = bench.redis.command_calls()
        self.assertEqual((calls["hset"], calls["unlink"]),
                         (inserted + updated + moved + coordinator.written, deleted + moved + coordinator.deleted), "every change once")
        print(f"{coordinator.number} XA transactions, {load.changes} other changes, {kills} kills")

    def source_restarts(self, bench):
        # MySQL 9.7 forgets prepared transactions at a restart when their formats differ.
        coordinator = Coordinator(bench.mysql, 1_000_000, formats=(7,))
        first, second, third = (coordinator.prepare() for _ in range(3))
        bench.mysql.stop()
        bench.mysql.start()
        coordinator.end(third, "COMMIT")
        bench.daemon.kill()
        bench.daemon.start()
        coordinator.end(second, "ROLLBACK")
        coordinator.end(first, "COMMIT")
        self.assert_same(bench)

    def large(self, bench):
        """Rows of one transaction wait in a file, and are read from there."""
        digits = " CROSS JOIN ".join(f"{DATABASE}_numbers.digits AS d{i}" for i in range(6))
        number = " + ".join(f"d{i}.d * {10 ** i}" for i in range(6))
        bench.mysql.execute(f"CREATE DATABASE {DATABASE}_numbers", f"CREATE TABLE {DATABASE}_numbers.digits (d INT PRIMARY KEY)",
                            f"INSERT INTO {DATABASE}_numbers.digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
                            "XA START 'large'",
                            f"INSERT INTO {DATABASE}.xa SELECT 1000 + {number}, 1, 'a note of some length, so that it adds up' "
                            f"FROM {digits} WHERE {number} < {LARGE_ROWS}", "XA END 'large'", "XA PREPARE 'large'", seconds=1200)
        rows = bench.redis.client().dbsize()
        bench.wait_for_source(600)
        self.assertEqual(bench.redis.client().dbsize(), rows)
        shown = bench.daemon.command("position", "show")
        self.assertIn("xa held    X'6c61726765',X'',1 prepared at ", shown.stdout)
        bench.daemon.kill()
        bench.daemon.start()
        Coordinator(bench.mysql).finish("'large'", "COMMIT")
        wait_until(lambda: bench.redis.client().dbsize() > rows, 120, "first rows of the large one")
        bench.daemon.kill()  # while it is being sent
        bench.daemon.start()
        bench.wait_for_source(1800)
        self.assertEqual(bench.redis.client().dbsize(), rows + LARGE_ROWS)
        self.assertEqual(bench.redis.client().hget(f"{DATABASE}:xa:{999 + LARGE_ROWS}", "n"), b"1")
        self.assertLess(bench.daemon.peak_rss, MOST_MEMORY)
        # Its file goes once state and backup are behind it.
        bench.mysql.execute(f"DELETE FROM {DATABASE}.xa WHERE id = 1000", f"DELETE FROM {DATABASE}.xa WHERE id = 1001")
        bench.wait_for_source()
        self.assertEqual(bench.daemon.stop(), 0)
        self.assertEqual([p.name for p in (bench.daemon.state_folder / "xa").iterdir() if "-" not in p.name], [])
        print(f"{LARGE_ROWS} rows in one XA transaction, peak {bench.daemon.peak_rss >> 20} MiB")
        bench.daemon.start()

    def prepared_before_the_start(self, bench):
        coordinator = Coordinator(bench.mysql, 2_000_000)
        first, second = coordinator.prepare(), coordinator.prepare()
        bench.wait_for_source()
        self.assertEqual(bench.daemon.stop(), 0)
        done = bench.daemon.command("reset", "--yes")
        self.assertIn("removed 2 held XA transactions", done.stdout)
        bench.daemon.start()
        wait_until(bench.watermark, 60, bench.daemon.tail)
        coordinator.end(first, "ROLLBACK")
        coordinator.end(second, "COMMIT")
        self.assertEqual(bench.daemon.wait_for_end(60), EXIT_STREAM)
        self.assertIn("XA COMMIT of X'676c6f62616c2032303030303032'", bench.daemon.tail())
        self.assertIn("sluice position set", bench.daemon.tail())

    if long_run():
        def test_a_large_one_needs_little_memory(self):
            with self.bench() as bench:
                bench.mysql.execute(DDL)
                self.large(bench)


class XaBase(Xa, SourceTest):
    pass


for_each_source(XaBase, globals())
del XaBase, SourceTest
