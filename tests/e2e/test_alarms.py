"""A broker without memory or disk takes nothing: publishing pauses and says so, reading from the queues goes on, and nothing grows meanwhile."""
import time

from cases import SourceTest
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES = 50_000 if long_run() else 2_000
SEED = 20240612
PAUSE_SECONDS = 30 if long_run() else 4
MOST_GROWTH = 48 << 20  # bytes: 4 MiB may wait for the broker, the rest is the allocator's
ALARMS = (
    ("low on memory", ("set_vm_memory_high_watermark", "absolute", "1MB"), ("set_vm_memory_high_watermark", "absolute", "2GB")),
    ("low on disk", ("set_disk_free_limit", "900000GB"), ("set_disk_free_limit", "50MB")),
)


class Alarms(SourceTest):
    def test_a_blocking_broker_is_waited_for(self):
        with self.bench(limits={"in_flight": "4MiB", "transaction_hold": "1MiB"}) as bench:
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            for at, (reason, begin, end) in enumerate(ALARMS):
                wait_until(lambda: load.progress() >= (at + 1) / 4, 600, "some changes")
                bench.rabbit.ctl(*begin)
                wait_until(lambda: "state=QUEUE_BLOCKED" in bench.daemon.status(), 60, bench.daemon.tail)
                wait_until(lambda: bench.queued() == 0, 60, lambda: f"what is there to be read, {bench.queued()} messages wait")
                before, cpu, made = bench.daemon.memory(), bench.daemon.cpu_seconds(), load.changes
                bench.mysql.execute("INSERT IGNORE INTO e2e.text_key WITH RECURSIVE d AS (SELECT 0 i UNION ALL SELECT i + 1 FROM d WHERE i < 199) "
                                    f"SELECT CONCAT('bulk-{at}-', a.i, '-', b.i), 1, REPEAT(SHA2(CONCAT(a.i, '-', b.i), 512), 4) FROM d a, d b")
                time.sleep(PAUSE_SECONDS)  # the alarm itself lasts
                self.assertIn("state=QUEUE_BLOCKED", bench.daemon.status())
                self.assertIn(" published_rows_s=0 ", bench.daemon.status())
                self.assertLess(bench.daemon.memory() - before, MOST_GROWTH)
                self.assertLess(bench.daemon.cpu_seconds() - cpu, 1 + PAUSE_SECONDS / 4, "no busy loop")
                self.assertGreater(load.changes, made, "the source does not wait")
                bench.rabbit.ctl(*end)
                wait_until(lambda: "state=QUEUE_BLOCKED" not in bench.daemon.status(), 60, bench.daemon.tail)
                bench.wait_for_source(300)
                log = bench.daemon.log.read_text()
                self.assertEqual(log.count("broker blocks publishing"), at + 1, bench.daemon.tail(60))
                self.assertIn(f"reason={reason}", log)
                self.assertEqual(log.count("broker takes messages again"), at + 1)
                self.assertNotIn("publisher lost", log)
            self.assert_ends_whole(bench, load, checker)
            print(f"{load.changes} changes, peak {bench.daemon.peak_rss >> 20} MiB")


class Rabbit310(Alarms):
    case = {"flavor": "mariadb", "metadata": "FULL", "rabbit": "3.10"}


class Rabbit43(Alarms):
    case = {"flavor": "mariadb", "metadata": "MINIMAL", "rabbit": "4.3"}


del Alarms, SourceTest
