"""A Redis whose memory is full takes nothing: what it lacks waits in the queues, and nobody asks it again and again."""
import re
import time

from cases import SourceTest
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES = 40_000 if long_run() else 2_000
SEED = 20261127
ROUNDS = 3 if long_run() else 1
PAUSE_SECONDS = 30 if long_run() else 5


def refused_for_memory(client):
    """So many commands, since Redis began."""
    return int(re.sub(r"\D", "", str(client.info("errorstats").get("errorstat_OOM", 0))))


class FullRedis(SourceTest):
    def test_a_full_redis_is_waited_for(self):
        with self.bench() as bench:
            client = bench.redis.client()
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            for at in range(ROUNDS):
                wait_until(lambda least=(at + 1) / (ROUNDS + 2): load.progress() >= least, 600, "some changes")
                said = len(bench.daemon.log.read_text())
                client.config_set("maxmemory", "1mb")
                wait_until(lambda: "state=REDIS_LOST" in bench.daemon.status(), 60, bench.daemon.tail)
                cpu, refused, made = bench.daemon.cpu_seconds(), refused_for_memory(client), load.changes
                time.sleep(PAUSE_SECONDS)  # it stays full for so long
                self.assertIn("state=REDIS_LOST", bench.daemon.status())
                self.assertLess(bench.daemon.cpu_seconds() - cpu, 1 + PAUSE_SECONDS / 4, "no busy loop")
                # Each applier, of which there are two, asks once in reconnect_max, and before that after 100, 200, ... ms.
                self.assertLess(refused_for_memory(client) - refused, 2 * (PAUSE_SECONDS + 5) * 2)
                self.assertGreater(load.changes, made, "the source does not wait")
                self.assertIn("OOM command not allowed", bench.daemon.log.read_text()[said:])
                client.config_set("maxmemory", "0")
                wait_until(lambda: "state=REDIS_LOST" not in bench.daemon.status(), 60, bench.daemon.tail)
                bench.wait_for_source(300)
            self.assert_ends_whole(bench, load, checker)


class MariadbRedis7(FullRedis):
    case = {"flavor": "mariadb", "metadata": "FULL"}


class MariadbRedis8(FullRedis):
    case = {"flavor": "mariadb", "metadata": "MINIMAL", "redis_kind": "redis8"}


class MariadbValkey(FullRedis):
    case = {"flavor": "mariadb", "metadata": "MINIMAL", "redis_kind": "valkey9"}


del FullRedis, SourceTest
