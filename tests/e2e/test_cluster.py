"""Nodes of a broker cluster are killed and come back; what they confirmed is there, once and in order."""
import time

from cases import SourceTest
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES, ROUNDS = (50_000, 3) if long_run() else (2_000, 1)
SEED = 20240613
# A broker killed within about a second of a queue's declaration forgets the queue and what it confirmed.
QUEUES_SETTLE_SECONDS = 3


class Cluster(SourceTest):
    def test_nodes_killed_under_load(self):
        with self.bench() as bench:
            settled = time.monotonic() + QUEUES_SETTLE_SECONDS
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            wait_until(lambda: time.monotonic() > settled, 10, "queues of some age")
            queues = sum(bench.rabbit.leaders().values())
            self.assertEqual(queues, bench.partitions + 3, "those of rows, of dead letters, of control messages and of the leadership")
            kills = 2 * ROUNDS
            for at in range(kills):
                wait_until(lambda: load.progress() >= (at + 1) / (kills + 1), 600, "some changes")
                leads = bench.rabbit.leaders()
                node = max(leads, key=leads.get)
                self.assertGreater(leads[node], 0)
                bench.rabbit.kill(node)
                bench.wait_for_source(180)  # two nodes are enough
                bench.rabbit.up(node)
                # All that it led before has a leader, and every queue has its three members again: with two, the next node would be one too many.
                wait_until(lambda: sum(bench.rabbit.leaders().values()) == queues, 120, lambda: f"leaders of {queues} queues: {bench.rabbit.leaders()}")
                wait_until(lambda: bench.rabbit.members() == 3, 120, lambda: f"three members of each queue, not {bench.rabbit.queues('name', 'online')}")
                bench.wait_for_source(180)
            rows = self.assert_ends_whole(bench, load, checker)
            print(f"{load.changes} changes, {rows} rows, {checker.reads} reads, {kills} nodes killed")


class Rabbit310(Cluster):
    case = {"flavor": "mariadb", "metadata": "FULL", "rabbit": "cluster 3.10"}


class Rabbit43(Cluster):
    case = {"flavor": "mariadb", "metadata": "FULL", "rabbit": "cluster 4.3"}


del Cluster, SourceTest
