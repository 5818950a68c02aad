"""The primary dies under load, a replica of it is made the primary: sluice goes on there, nothing is lost, nothing is done twice."""
import shutil

from cases import SourceTest, for_each_source
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES = 20_000 if long_run() else 2_000
SEED = 20240609
LARGE = 30_000  # rows of a transaction, 1 KB each
FOLLOWED = "another server is followed from here on"


class Failover:
    def fail_over(self, bench, load, meanwhile=lambda: None):
        """Kills the primary while connections try to write; what it has acknowledged, the standby has."""
        primary, standby = bench.mysql, bench.standby
        lock = primary.connect()
        with lock.cursor() as cursor:
            cursor.execute("FLUSH TABLES WITH READ LOCK")
        standby.wait_for_primary()
        meanwhile()
        primary.kill()
        standby.promote()
        load.mysql = bench.mysql = standby
        bench.epoch += 1

    def assert_followed_to_the_end(self, bench, load, checker):
        rows = self.assert_ends_whole(bench, load, checker)
        self.assertIn(FOLLOWED, bench.daemon.log.read_text())
        print(f"{load.changes} changes, {rows} rows, {checker.reads} reads")

    def loaded(self, bench):
        load = Workload(bench.mysql, CHANGES, SEED)
        checker = BackwardsChecker(bench.redis).start()
        load.start()
        wait_until(lambda: load.progress() >= 0.3, 600, "a third of the changes")
        return load, checker

    def test_the_primary_is_killed(self):
        with self.bench(standby=True) as bench:
            load, checker = self.loaded(bench)
            bench.daemon.freeze()  # what it has not read by the end it has to get from the standby
            wait_until(lambda: load.progress() >= 0.5, 600, "half of the changes")
            self.fail_over(bench, load)
            bench.daemon.thaw()
            self.assert_followed_to_the_end(bench, load, checker)

    def test_primary_and_sluice_are_killed(self):
        # With a copy of the position its host is lost, too.
        copied = self.case["metadata"] == "MINIMAL"
        with self.bench(standby=True, position={"mirror": "redis" if copied else "none"}) as bench:
            def kill():
                bench.daemon.kill()
                if copied:
                    shutil.rmtree(bench.daemon.state_folder)

            load, checker = self.loaded(bench)
            self.fail_over(bench, load, meanwhile=kill)
            bench.daemon.start()
            wait_until(lambda: load.progress() >= 0.7, 600, "most of the changes")
            # However fast the load was: the daemon has to have come as far as the other server's history.
            wait_until(lambda: FOLLOWED in bench.daemon.log.read_text(), 600, "the new primary is followed")
            kill()  # in the new epoch
            bench.daemon.start()
            self.assert_followed_to_the_end(bench, load, checker)
            self.assertEqual("the position in Redis is newer" in bench.daemon.log.read_text(), copied)

    def test_without_gtids_the_place_is_found_by_the_rows(self):
        if self.case["flavor"] != "mysql":
            self.skipTest("MariaDB's transactions always have GTIDs")
        with self.bench(standby=True, server_options="--gtid-mode=OFF --enforce-gtid-consistency=OFF") as bench:
            load, checker = self.loaded(bench)
            bench.daemon.freeze()
            wait_until(lambda: load.progress() >= 0.5, 600, "half of the changes")
            self.fail_over(bench, load)
            bench.daemon.thaw()
            self.assert_followed_to_the_end(bench, load, checker)
            self.assertNotIn("at least once", bench.daemon.log.read_text())

    def test_a_large_transaction_in_the_middle(self):
        """Part of it was sent from the server that died: the rest comes from the other one."""
        with self.bench(standby=True, limits={"transaction_hold": "64KiB", "in_flight": "1MiB"}) as bench:
            load, checker = self.loaded(bench)
            load.finish(600)
            bench.wait_for_source()
            bench.rabbit.pause()  # sluice reads no more than limits.in_flight and what the kernel keeps of a connection
            connection = bench.mysql.connect()
            connection.autocommit(False)
            with connection.cursor() as cursor:
                for first in range(0, LARGE, 1000):
                    rows = ", ".join(f"('large-{i}', 1, REPEAT('y', 1000))" for i in range(first, first + 1000))
                    cursor.execute(f"INSERT INTO e2e.text_key VALUES {rows}")
            connection.commit()
            bench.standby.wait_for_primary()
            bench.daemon.freeze()
            bench.mysql.kill()
            bench.standby.promote()
            bench.mysql = load.mysql = bench.standby
            bench.epoch += 1
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('on the new primary', 1, NULL)")
            bench.rabbit.resume()
            bench.daemon.thaw()
            self.assert_followed_to_the_end(bench, load, checker)
            self.assertIn("rows that were sent from the server before are left out", bench.daemon.log.read_text())

    def test_a_standby_that_lost_transactions_is_refused(self):
        with self.bench(standby=True) as bench:
            bench.standby.execute("STOP REPLICA" if bench.mysql.flavor == "mysql" else "STOP SLAVE")
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('lost', 1, NULL)")
            bench.wait_for_source()
            bench.mysql.kill()
            bench.standby.promote()
            self.assertEqual(bench.daemon.wait_for_end(60), 4)
            self.assertIn("the server lacks", bench.daemon.tail())


class FailoverBase(Failover, SourceTest):
    pass


for_each_source(FailoverBase, globals())
del FailoverBase, SourceTest
