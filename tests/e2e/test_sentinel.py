"""Masters under Sentinel are killed, or hang and are replaced: what was acknowledged is at the next one."""
import time

from cases import SourceTest
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES, KILLS = (60_000, 5) if long_run() else (3_000, 2)
SEED = 20240615
# From the moment the Sentinels name another master until rows are in Redis again.
RECOVERY_SECONDS = 15


class Sentinel(SourceTest):
    def wait_for_failover(self, bench, old):
        """The new master; rows reach it soon."""
        wait_until(lambda: bench.redis.master() not in (None, old), 90, "another master")
        known, mark = time.monotonic(), bench.watermark()
        wait_until(lambda: (bench.watermark() or (0, 0, 0)) > (mark or (0, 0, 0)), RECOVERY_SECONDS, lambda: f"rows at the new master\n{bench.daemon.tail(60)}")
        self.recoveries.append(time.monotonic() - known)

    def wait_for_replicas(self, bench):
        """A master that is killed while a replica is filled leaves one that may be taken and lacks rows."""
        wait_until(lambda: bench.redis.replicas() == 2, 120, lambda: f"two replicas in step, not {bench.redis.replicas()}")

    def assert_all_there(self, bench, load, checker):
        load.finish(600)
        rows = self.assert_in_step(bench)
        self.assertEqual(checker.stop()[:20], [])
        self.assertIn(" gaps=0 ", bench.daemon.status())
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        return rows

    def test_masters_killed_under_load(self):
        self.recoveries = []
        with self.bench(redis={"wait_replicas": 1}) as bench:
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            for at in range(KILLS):
                wait_until(lambda: load.progress() >= (at + 1) / (KILLS + 1), 600, "some changes")
                self.wait_for_replicas(bench)
                if at == 1:
                    bench.redis.kill("se1")  # two are enough
                master = bench.redis.master()
                bench.redis.kill(master)
                self.wait_for_failover(bench, master)
                bench.redis.up(master)
                if at == 1:
                    bench.redis.up("se1")
            rows = self.assert_all_there(bench, load, checker)
            print(f"{load.changes} changes, {rows} rows, {checker.reads} reads, {KILLS} masters killed, recovered in {[round(s, 1) for s in self.recoveries]} s")

    if long_run():
        def test_a_master_that_hangs_is_left_when_it_is_replaced(self):
            """No timeout of the connection helps: the Sentinels say it."""
            self.recoveries = []
            with self.bench(redis={"wait_replicas": 1, "timeout": "10min", "connect_timeout": "2s"}, applier={"stall_after": "20min"}) as bench:
                load = Workload(bench.mysql, CHANGES // 2, SEED)
                checker = BackwardsChecker(bench.redis).start()
                load.start()
                wait_until(lambda: load.progress() >= 0.3, 600, "some changes")
                self.wait_for_replicas(bench)
                master = bench.redis.master()
                bench.redis.pause(master)
                self.wait_for_failover(bench, master)
                bench.redis.resume(master)
                self.assertIn("the Sentinels name another master", bench.daemon.log.read_text())
                self.wait_for_replicas(bench)
                self.assert_all_there(bench, load, checker)


class Redis7(Sentinel):
    case = {"flavor": "mariadb", "metadata": "FULL", "redis_kind": "sentinels redis"}


class Redis8(Sentinel):
    case = {"flavor": "mariadb", "metadata": "FULL", "rabbit": "4.3", "redis_kind": "sentinels redis8"}


del Sentinel, SourceTest
