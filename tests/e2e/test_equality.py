"""Whatever is changed in MySQL, and however often sluice dies on the way, Redis ends up the same and never goes backwards."""
import struct
import time

from cases import SourceTest, for_each_source
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES, KILLS, FREEZES = (50_000, 10, 2) if long_run() else (2_000, 2, 0)
FREEZE_SECONDS = 20  # longer than the heartbeats of broker and source
SEED = 20240607
MOST_MEMORY = 400 << 20

# A transaction that is worth decoding on other threads.
LARGE = ("BEGIN", "INSERT INTO e2e.text_key WITH RECURSIVE d AS (SELECT 0 i UNION ALL SELECT i + 1 FROM d WHERE i < 59) "
         "SELECT CONCAT('large-', a.i, '-', b.i), 1, SHA2(CONCAT(a.i, '-', b.i), 512) FROM d a, d b", "SAVEPOINT here",
         "DELETE FROM e2e.text_key WHERE code LIKE 'large-%'", "ROLLBACK TO here",
         "UPDATE e2e.text_key SET n = n + 1, body = UPPER(body) WHERE code LIKE 'large-%'", "DELETE FROM e2e.text_key WHERE code LIKE 'large-7%'", "COMMIT")


def event_types(binlog):
    """The type codes in a binlog file."""
    types, at = set(), 4
    while at + 19 <= len(binlog):
        types.add(binlog[at + 4])
        at += struct.unpack_from("<I", binlog, at + 9)[0]
    return types


class Equality:
    def test_same_rows_after_kills(self):
        with self.bench() as bench:
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            faults = ["kill"] * KILLS
            for at in range(FREEZES):
                faults.insert((at + 1) * len(faults) // (FREEZES + 1), "freeze")
            for at, fault in enumerate(faults):
                share = (at + 1) / (len(faults) + 1)
                wait_until(lambda: load.progress() >= share, 600, f"{share:.0%} of the changes")
                bench.daemon.check_alive()
                if fault == "kill":
                    bench.daemon.kill()
                    bench.daemon.start()
                else:
                    bench.daemon.freeze()
                    time.sleep(FREEZE_SECONDS)  # the fault itself
                    bench.daemon.thaw()
            load.finish(600)
            rows = self.assert_in_step(bench)
            self.assert_each_change_once(bench, load, checker)
            self.assertGreater(checker.reads, rows)
            wait_until(lambda: bench.queued() == 0, 30, lambda: f"empty queues, {bench.queued()} messages wait")
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            self.assertLess(bench.daemon.peak_rss, MOST_MEMORY)
            print(f"{load.changes} changes, {rows} rows, {checker.reads} reads, {KILLS} kills, peak {bench.daemon.peak_rss >> 20} MiB")

    def test_same_rows_of_a_compressed_binlog(self):
        with self.bench(source={"decode_threads": 2}) as bench:
            settings, kind = {"mysql": (["binlog_transaction_compression = ON"], 40),
                              "mariadb": (["log_bin_compress = ON", "log_bin_compress_min_len = 10"], 166)}[bench.mysql.flavor]
            bench.mysql.execute(*(f"SET GLOBAL {s}" for s in settings))
            load = Workload(bench.mysql, CHANGES, SEED)
            load.start()
            wait_until(lambda: load.progress() >= 0.5, 600, "half of the changes")
            bench.mysql.execute(*LARGE)
            bench.daemon.kill()
            bench.daemon.start()
            load.finish(600)
            self.assert_in_step(bench)
            inserted, updated, deleted, moved = load.counts()
            calls = bench.redis.command_calls()
            self.assertEqual((calls["hset"], calls["unlink"]), (inserted + updated + moved, deleted + moved), "every change once")
            self.assertIn(" gaps=0 ", bench.daemon.status())
            binlog = bench.root / bench.mysql.flavor / "data" / bench.mysql.position()[0]
            self.assertIn(kind, event_types(binlog.read_bytes()))

    def test_wait_command_tells_when_redis_has_it(self):
        with self.bench() as bench:
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('awaited', 1, NULL)")
            file, pos = bench.mysql.position()
            done = bench.daemon.command("wait", "--pos", f"{file}:{pos}", "--timeout", "30s")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(bench.redis.client().hgetall("e2e:text_key:awaited"), {b"code": b"awaited", b"n": b"1"})
            later = bench.daemon.command("wait", "--pos", f"{file}:{pos + 1_000_000}", "--timeout", "1s")
            self.assertEqual(later.returncode, 11, later.stderr)

    def test_a_restart_repeats_no_change(self):
        with self.bench() as bench:
            load = Workload(bench.mysql, 300, SEED)
            load.start()
            load.finish(120)
            self.assert_in_step(bench)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            before = bench.redis.command_calls()
            bench.daemon.start()
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('after the restart', 1, NULL)")
            bench.wait_for_source()
            after = bench.redis.command_calls()
            self.assertEqual(after["hset"] - before["hset"], 1)
            self.assertEqual(after.get("unlink", 0), before.get("unlink", 0))


class EqualityBase(Equality, SourceTest):
    pass


for_each_source(EqualityBase, globals())
del EqualityBase, SourceTest
