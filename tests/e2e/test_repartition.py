"""The number of partition queues changes under load, and whatever dies on the way: no row is lost, repeated or out of order."""
import json

from cases import SourceTest, for_each_source
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES = 30_000 if long_run() else 1_500
SEED = 20261128


class Repartition:
    def partitions(self, bench):
        return json.loads((bench.daemon.state_folder / "state.json").read_text())["layout"]["partitions"]

    def repartition(self, bench, number):
        old = bench.partitions
        done = bench.daemon.command("repartition", str(number), seconds=120)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout + bench.daemon.tail())
        self.assertIn(f"partitions {old} -> {number}\n", done.stdout)
        bench.partitions = number
        self.assertEqual(self.partitions(bench), number)
        for n in range(old):
            self.assertIsNone(bench.rabbit.messages(f"sluice.e2e.p{old}.{n}"), "the old queues are gone")
        self.assertEqual(bench.redis.client().exists(*(f"sluice:e2e:p{old}:{n}" for n in range(old))), 0, "and the old records")
        return done.stdout

    def test_under_load(self):
        with self.bench(queue={"partitions": 16}) as bench:
            bench.partitions = 16
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            wait_until(lambda: load.progress() >= 0.2, 600, "a fifth of the changes")
            self.assertIn("asked the daemon", self.repartition(bench, 8))
            wait_until(lambda: load.progress() >= 0.5, 600, "half of the changes")
            # The number in the file is that of the first start.
            bench.daemon.kill()
            said = len(bench.daemon.log.read_text())
            bench.daemon.start()
            wait_until(lambda: " partitions=8 " in bench.daemon.log.read_text()[said:], 60, bench.daemon.tail)
            self.assertIn("asked the daemon", self.repartition(bench, 32))
            load.finish(600)
            bench.wait_for_source()
            self.assert_in_step(bench)
            self.assert_each_change_once(bench, load, checker)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            self.assertNotIn("asked", self.repartition(bench, 5), "without a daemon the command does it")
            bench.daemon.start()
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('later', 1, 'text')")
            self.assert_in_step(bench)

    def test_killed_on_the_way(self):
        with self.bench() as bench:
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            for number in (3, 16, 6):
                (bench.daemon.state_folder / "repartition").write_text(f"{number} 0\n")
                wait_until(lambda: f"repartition {bench.partitions} -> {number}:" in bench.daemon.log.read_text(), 60, bench.daemon.tail)
                bench.daemon.kill()
                bench.daemon.start()
                wait_until(lambda: self.partitions(bench) == number and not (bench.daemon.state_folder / "repartition").exists(), 60, bench.daemon.tail)
                bench.partitions = number
            load.finish(600)
            self.assert_in_step(bench)
            self.assert_each_change_once(bench, load, checker)
            names = bench.rabbit.ctl("list_queues", "-q", "name").split()
            self.assertEqual(sorted(n for n in names if ".p" in n), sorted(f"sluice.e2e.p6.{n}" for n in range(6)))


class RepartitionBase(Repartition, SourceTest):
    pass


for_each_source(RepartitionBase, globals())
del RepartitionBase, SourceTest
