"""Broker, Redis and source are killed and come back; sluice lives through it, and nothing is lost."""
import time

from cases import SourceTest, for_each_source
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES, ROUNDS = (50_000, 2) if long_run() else (2_000, 1)
SEED = 20240608
# A broker killed within about a second of a queue's declaration forgets the queue and what it confirmed.
QUEUES_SETTLE_SECONDS = 3


class Faults:
    def test_every_server_killed(self):
        with self.bench() as bench:
            settled = time.monotonic() + QUEUES_SETTLE_SECONDS
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            wait_until(lambda: time.monotonic() > settled, 10, "queues of some age")
            servers = [bench.rabbit, bench.redis, bench.mysql] * ROUNDS
            for at, server in enumerate(servers):
                share = (at + 1) / (len(servers) + 1)
                wait_until(lambda: load.progress() >= share, 600, f"{share:.0%} of the changes")
                server.kill_and_start()
                bench.wait_for_source(180)  # it has come back from this one, changes going on
            load.finish(600)
            rows = self.assert_in_step(bench)
            falls = checker.stop()
            self.assertEqual(falls[:20], [])
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            print(f"{load.changes} changes, {rows} rows, {checker.reads} reads, {len(servers)} servers killed")


class FaultsBase(Faults, SourceTest):
    pass


for_each_source(FaultsBase, globals())
del FaultsBase, SourceTest
