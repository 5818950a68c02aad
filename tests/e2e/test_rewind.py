"""A Redis that comes back older, or empty: what it lacks is sent again, or somebody is told what to do."""
import re
import shutil
import time

import yaml

from cases import SourceTest, for_each_source
from harness import Daemon, long_run, wait_until
from harness.workload import Workload

CHANGES = 60_000 if long_run() else 4_000
RESTORES = 3 if long_run() else 1
SEED = 20261128
EXIT_SOURCE, EXIT_GAP = 4, 6
# What counts each row: one that is applied twice, or not, is seen.
COUNTED = {"match": r"e2e\.single", "mappings": [{"key": "{schema}:{table}:{key}"}, {"type": "counter", "key": "counted:rows"},
                                                 {"type": "counter", "key": "counted:n", "amount": "n"}]}


class Copy:
    """What Redis holds now, as an RDB file."""

    def __init__(self, bench):
        self.redis = bench.redis
        self.folder = bench.root / "redis"
        self.file = bench.root / "copy.rdb"
        self.redis.client().save()
        shutil.copy(self.folder / "dump.rdb", self.file)

    def restore(self):
        """SIGKILL, and started from the copy."""
        self.redis.kill()
        shutil.rmtree(self.folder / "appendonlydir")
        (self.folder / "appendonlydir").mkdir()
        shutil.copy(self.file, self.folder / "appendonlydir" / "appendonly.aof.1.base.rdb")
        (self.folder / "appendonlydir" / "appendonly.aof.manifest").write_text("file appendonly.aof.1.base.rdb seq 1 type b\n")
        self.redis.start()


def insert_rows(bench, first, count):
    values = ", ".join(f"('row {i}', 1, NULL)" for i in range(first, first + count))
    bench.mysql.execute(f"INSERT INTO e2e.text_key VALUES {values}")


def rewinds(bench):
    """So many, since the process began."""
    return int((re.findall(r" rewinds=(\d+)", bench.daemon.status()) or [0])[-1])


class Rewind:
    def bench_with(self, **more):
        return self.bench(applier={"gap_patience": "1s"}, **more)

    def wait_for_log(self, bench, text, seconds=60, since=0):
        wait_until(lambda: bench.daemon.check_alive() or text in bench.daemon.log.read_text()[since:], seconds, lambda: f"\"{text}\"\n{bench.daemon.tail()}")

    def restore_under_load(self, bench, load, copy):
        said = len(bench.daemon.log.read_text())
        copy.restore()
        began = time.monotonic()
        if long_run():
            # Asked for, perhaps gone back, old messages discarded in part.
            self.wait_for_log(bench, "asked for them again state=REWIND", since=said)
            bench.daemon.kill()
            bench.daemon.start()
        self.wait_for_log(bench, "the chain fits again", since=said)
        print(f"the first partition goes on {time.monotonic() - began:.1f} s after the restore")
        self.assertIn("Redis came back older, rows are sent again state=REWIND", bench.daemon.log.read_text()[said:])
        load.progress()

    def assert_counted(self, bench):
        client = bench.redis.client()
        self.assertEqual((int(client.get("counted:rows")), int(client.get("counted:n"))),
                         tuple(map(int, bench.mysql.execute("SELECT COUNT(*), SUM(n) FROM e2e.single")[0])))

    def test_restored_from_an_older_copy(self):
        with self.bench_with(tables=[COUNTED]) as bench:
            load = Workload(bench.mysql, CHANGES, SEED)
            load.start()
            for number in range(RESTORES):
                share = number / RESTORES
                wait_until(lambda least=share + 0.2 / RESTORES: load.progress() > least, 300, "some changes")
                copy = Copy(bench)
                wait_until(lambda least=share + 0.6 / RESTORES: load.progress() > least, 300, "more changes")
                self.restore_under_load(bench, load, copy)
            load.finish(600)
            self.assert_in_step(bench)
            self.assert_counted(bench)
            # Nothing is read any more: the ticks alone tell.
            before = rewinds(bench)
            copy.restore()
            wait_until(lambda: rewinds(bench) > before, 60, lambda: f"a rewind\n{bench.daemon.tail()}")
            self.assert_in_step(bench)
            self.assert_counted(bench)
            wait_until(lambda: "state=IN_STEP" in bench.daemon.status(), 30, lambda: f"IN_STEP\n{bench.daemon.tail()}")
            self.assertEqual(bench.rabbit.messages("sluice.e2e.control"), 0)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def test_restored_with_appliers_elsewhere_and_a_leader_that_dies(self):
        with self.bench_with(tables=[COUNTED], position={"mirror": "redis"}) as bench, self.host(bench, "one", role="applier") as one, \
                self.host(bench, "two", role="applier") as two, self.host(bench, "next", role="publisher", state_dir=str(bench.root / "next-state")) as following:
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            bench.daemon = first = Daemon(bench.binary, bench.root / "publisher", bench.config(bench.password) | {"role": "publisher"}, bench.root)
            for host in (first, one, two, following):
                host.start()
            load = Workload(bench.mysql, CHANGES, SEED + 1)
            load.start()
            wait_until(lambda: load.progress() > 0.2, 300, "some changes")
            copy = Copy(bench)
            wait_until(lambda: load.progress() > 0.6, 300, "more changes")
            wait_until(lambda: "state=STANDBY" in following.status(), 60, lambda: f"a standby\n{following.tail()}")
            copy.restore()

            def said(text, *hosts):
                return any(text in host.log.read_text() for host in hosts)

            wait_until(lambda: said("asked for them again state=REWIND", one, two), 60, one.tail)
            first.kill()  # the requests were read by it, perhaps carried out
            bench.daemon = following
            wait_until(lambda: said("the chain fits again", one, two), 120, lambda: one.tail() + following.tail())
            self.assertTrue(said("Redis came back older, rows are sent again state=REWIND", first, following))
            load.finish(600)
            self.assert_in_step(bench)
            self.assert_counted(bench)
            for host in (one, two, following):
                self.assertEqual(host.stop(), 0, host.tail())

    def test_emptied(self):
        with self.bench_with() as bench:
            insert_rows(bench, 0, 200)
            self.assert_in_step(bench)
            bench.redis.client().flushall()
            insert_rows(bench, 200, 200)
            self.assertEqual(bench.daemon.wait_for_end(60), EXIT_GAP, bench.daemon.tail())
            said = bench.daemon.tail()
            for part in ("Redis has lost its data set", "sluice reset --config FILE --yes", "source.start"):
                self.assertIn(part, said)
            self.assertEqual(list(bench.redis.client().scan_iter("e2e:*")), [], "nothing was applied")
            # As it says.
            done = bench.daemon.command("reset", "--yes")
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            config = yaml.safe_load(bench.daemon.config.read_text())
            config["source"]["start"] = "earliest"
            bench.daemon.config.write_text(yaml.safe_dump(config))
            bench.daemon.start()
            self.assert_in_step(bench)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def test_the_source_has_purged_what_is_missing(self):
        with self.bench_with() as bench:
            insert_rows(bench, 0, 200)
            self.assert_in_step(bench)
            copy = Copy(bench)
            bench.mysql.execute("FLUSH BINARY LOGS")
            insert_rows(bench, 200, 200)
            # Not by the binlog's end: MariaDB writes something of its own behind the rows.
            wait_until(lambda: bench.differences() == (400, []), 60, lambda: f"all rows\n{bench.daemon.tail()}")
            file = bench.mysql.position()[0]
            wait_until(lambda: bench.daemon.saved_position()[0] == file, 30, "the position saved in the new file")
            bench.mysql.execute(f"PURGE BINARY LOGS TO '{file}'")
            copy.restore()
            self.assertEqual(bench.daemon.wait_for_end(60), EXIT_SOURCE, bench.daemon.tail())
            for part in ("Redis came back older", "the source has purged that binlog", "sluice reset --config FILE --yes"):
                self.assertIn(part, bench.daemon.tail())
            self.assertEqual(bench.daemon.start().wait_for_end(60), EXIT_SOURCE, "it stays so until somebody acts")
            self.assertEqual(len(list(bench.redis.client().scan_iter("e2e:*"))), 200, "nothing beyond the gap was applied")


class RewindBase(Rewind, SourceTest):
    pass


for_each_source(RewindBase, globals())
del RewindBase, SourceTest
