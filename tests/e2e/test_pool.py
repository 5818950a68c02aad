"""Applier threads come with a backlog and go with it; partitions move between them without loss, repeat or disorder."""
import re

from cases import SourceTest, for_each_source
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHUNKS, CHANGES = (100, 20_000) if long_run() else (3, 1_000)  # of 10,000 rows each
MIN, MAX = 1, 4
SEED = 20261127
MOST_MEMORY = 400 << 20


def chunk(number):
    return ("INSERT INTO e2e.text_key WITH RECURSIVE d AS (SELECT 0 i UNION ALL SELECT i + 1 FROM d WHERE i < 99) "
            f"SELECT CONCAT('bulk-{number}-', a.i, '-', b.i), 1, 'text' FROM d a, d b")


class Pool:
    def sizes(self, bench):
        """The sizes it has had, as its log has them, with the numbers that were the reason."""
        return [int(m[1]) for m in re.finditer(r"threads \d+ -> (\d+) backlog_messages=\d+ lag_s=[\d.]+ for_s=[\d.]+$", bench.daemon.log.read_text(), re.MULTILINE)]

    def test_follows_the_backlog(self):
        pool = {"min": MIN, "max": MAX, "grow_backlog": 10, "grow_lag": "60s", "grow_after": "1s", "shrink_after": "2s"}
        with self.bench(applier=pool, queue={"message_bytes": "16KiB"}, limits={"in_flight": "8MiB"}) as bench:
            wait_until(lambda: f" appliers={MIN} " in bench.daemon.status(), 30, lambda: f"a status line with one thread\n{bench.daemon.tail()}")
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            bench.redis.pause()
            bench.mysql.execute(*(chunk(n) for n in range(CHUNKS)), seconds=600)
            wait_until(lambda: MAX in self.sizes(bench), 300, lambda: f"{MAX} threads, not {self.sizes(bench)}\n{bench.daemon.tail()}")
            waiting = bench.queued()
            bench.redis.resume()
            load.finish(600)
            bench.wait_for_source(600)  # some thousand rows a second on a busy machine
            rows = self.assert_in_step(bench)
            wait_until(lambda: self.sizes(bench)[-1] == MIN, 120, lambda: f"{MIN} thread, not {self.sizes(bench)}\n{bench.daemon.tail()}")
            self.assertEqual(self.sizes(bench), [2, 4, 3, 2, 1], "each way once")
            self.assert_each_change_once(bench, load, checker)
            wait_until(lambda: f" appliers={MIN} " in bench.daemon.status(), 30, lambda: f"its status to say so\n{bench.daemon.tail()}")
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            self.assertLess(bench.daemon.peak_rss, MOST_MEMORY)
            print(f"{rows} rows, {waiting} messages waited, peak {bench.daemon.peak_rss >> 20} MiB")


class PoolBase(Pool, SourceTest):
    pass


for_each_source(PoolBase, globals())
del PoolBase, SourceTest
