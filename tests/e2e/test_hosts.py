"""Processes of one instance as on several hosts: appliers that share the partitions, and a publisher that takes over from another."""
import re
import time

from cases import SourceTest
from harness import Daemon, long_run, wait_until
from harness.workload import COUNTS, BackwardsChecker, Workload

CHANGES = 60_000 if long_run() else 6_000
KILLS = 12 if long_run() else 3  # of an applier, one every 5 s
TAKEOVERS = 5 if long_run() else 2
FROZEN = 90 if long_run() else 12  # seconds; longer than the broker waits for a heartbeat
HEARTBEAT = "10s" if long_run() else "2s"
SEED = 20261127
TAKEN = "the position in Redis is newer than that of the state folder"


class Hosts:
    def bench_with(self, **more):
        return self.bench(queue={"heartbeat": HEARTBEAT}, **more)

    def shares(self, *hosts):
        """How many partitions each has, as its log says last since it was started."""
        logs = [host.log.read_text().rpartition(" starting instance=")[2] for host in hosts]
        return [int((re.findall(r"partitions of this host=(\d+) ", log) or [0])[-1]) for log in logs]

    def wait_for_shares(self, wanted, *hosts):
        began = time.monotonic()
        wait_until(lambda: self.shares(*hosts) == wanted, 15, lambda: f"shares {wanted}, not {self.shares(*hosts)}\n{hosts[0].tail()}")
        return time.monotonic() - began

    def test_a_frozen_leader_keeps_the_folder_until_it_is_killed(self):
        """Two processes on one host, with one state folder and no copy in Redis."""
        with self.bench(queue={"heartbeat": "2s"}) as bench, self.host(bench, "other") as other:
            other.start()
            self.standing_by(other)
            bench.daemon.freeze()
            wait_until(lambda: "still has the state folder" in other.log.read_text(), 60, other.tail)
            (warning,) = (line for line in other.log_lines("warning") if "still has the state folder" in line)
            self.assertIn(f"process {bench.daemon.process.pid}", warning)
            self.standing_by(other)
            bench.daemon.kill()
            bench.daemon = other
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('of the other', 1, NULL)")
            bench.wait_for_source()
            self.assertTrue(bench.redis.client().exists("e2e:text_key:of the other"))
            self.assertEqual(other.stop(), 0, other.tail())

    def test_appliers_come_and_go(self):
        with self.bench_with() as bench, self.host(bench, "one", role="applier") as one, self.host(bench, "two", role="applier") as two:
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            bench.daemon = Daemon(bench.binary, bench.root / "publisher", bench.config(bench.password) | {"role": "publisher"}, bench.root)
            bench.daemon.start()
            one.start()
            two.start()
            self.wait_for_shares([4, 4], one, two)
            load, checker = Workload(bench.mysql, CHANGES, SEED), BackwardsChecker(bench.redis).start()
            load.start()
            for number in range(KILLS):
                host, other = (one, two) if number % 2 else (two, one)
                ended = time.monotonic() + 5
                host.kill()
                wait_until(lambda end=ended: time.monotonic() >= end, 10, "the next one")
                host.start()
                took = self.wait_for_shares([4, 4], host, other)
                print(f"even {took:.1f} s after a host has joined")
            two.freeze()
            frozen = time.monotonic()
            self.wait_for_shares([8], one)
            print(f"the shares of a frozen host were taken after {time.monotonic() - frozen:.1f} s")
            wait_until(lambda: time.monotonic() >= frozen + FROZEN, FROZEN + 10, "the end of the frost")
            two.thaw()
            self.wait_for_shares([4, 4], one, two)
            load.finish(600)
            self.assert_in_step(bench)
            self.assert_each_change_once(bench, load, checker)
            for host in (one, two):
                host.check_alive()
                self.assertIn(" gaps=0 ", host.status())
                self.assertEqual(host.stop(), 0, host.tail())
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def taken_over(self, other, what):
        """Does `what` to the leader; how long `other` takes to lead."""
        begun = re.compile(r" app +continuing position=")
        before = len(begun.findall(other.log.read_text()))
        began = time.monotonic()
        what()
        wait_until(lambda: len(begun.findall(other.log.read_text())) > before, 60, lambda: f"a takeover\n{other.tail()}")
        return time.monotonic() - began

    def standing_by(self, host, seconds=60):
        wait_until(lambda: "state=STANDBY" in host.status(), seconds, lambda: f"a standby\n{host.tail()}")

    def test_another_publisher_takes_over(self):
        with self.bench_with(position={"mirror": "redis"}, filter={"include": [r"e2e\..*", r"hosts\..*"]}) as bench, self.host(bench, "next", state_dir=str(bench.root / "next-state")) as following:
            shape = Shape(bench.mysql)
            load, checker = Workload(bench.mysql, CHANGES, SEED), BackwardsChecker(bench.redis).start()
            load.start()
            following.start()
            leader, other = bench.daemon, following
            killed = []
            for _ in range(TAKEOVERS):
                self.standing_by(other)
                self.assertNotIn("state=STANDBY", leader.status())
                shape.prepare()
                bench.wait_for_source()  # the position is behind the XA PREPARE, whose rows no other folder has
                shape.alter()
                killed.append(self.taken_over(other, leader.kill))
                bench.daemon = other  # who is asked from here on
                shape.commit()
                leader.start()
                leader, other = other, leader
            self.standing_by(other)
            shape.alter()
            took = self.taken_over(other, leader.freeze)
            frozen = time.monotonic()
            print(f"taken over {max(killed):.2f} s after a kill at the most, {took:.1f} s after a leader was frozen")
            bench.daemon = other
            wait_until(lambda: time.monotonic() >= frozen + FROZEN, FROZEN + 10, "the end of the frost")
            shape.alter()
            leader.thaw()
            leader, other = other, leader
            self.standing_by(other)
            refused = other.command("repartition", "5")
            self.assertEqual(refused.returncode, 5, refused.stderr + refused.stdout)
            self.assertIn("runs on another host", refused.stderr)
            done = leader.command("repartition", "5", seconds=120)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout + leader.tail())
            bench.partitions = 5
            self.standing_by(other)
            self.taken_over(other, leader.kill)
            bench.daemon = other
            load.finish(600)
            self.assert_in_step(bench)
            self.assert_each_change_once(bench, load, checker)
            self.assertEqual(shape.differences(bench.redis.client()), [])
            shown = other.command("position", "show")
            self.assertRegex(shown.stdout, r"mirror     \S+:\d+, epoch 1, by \S+ \(term \d+\)", shown.stderr)
            self.assertEqual(other.stop(), 0, other.tail())
            # It has nothing to do but to take the state over, and to find that it is in step.
            leader.start()
            bench.daemon = leader
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('later', 1, 'text')")
            self.assert_in_step(bench)
            self.assertIn(TAKEN, leader.log.read_text())
            self.assertNotEqual(other.command("reset", "--yes").returncode, 0, "a daemon runs")
            self.assertEqual(leader.stop(), 0, leader.tail())
            self.anew(bench, leader, other)

    def anew(self, bench, host, other):
        """After a reset on one host the folder of the other one counts for nothing."""
        done = host.command("reset", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        self.assertEqual([k for k in bench.redis.client().scan_iter("sluice:e2e:*")], [])
        bench.partitions = 8  # as the configuration has it
        host.start()
        bench.daemon = host
        wait_until(bench.watermark, 60, lambda: f"a first watermark\n{host.tail()}")
        bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('anew', 1, 'text')")
        self.assert_in_step(bench)
        said = len(other.log.read_text())
        other.start()
        self.standing_by(other)
        self.taken_over(other, host.kill)
        bench.daemon = other
        bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('taken over', 1, 'text')")
        self.assert_in_step(bench)
        self.assertIn(TAKEN, other.log.read_text()[said:])
        self.assertEqual(other.stop(), 0, other.tail())


class Shape:
    """A table that gets a column each time, and another with rows of XA transactions: what only the state folder knows of."""

    def __init__(self, mysql):
        self.mysql, self.number, self.columns = mysql, 0, []
        mysql.execute("CREATE DATABASE hosts")
        for table in ("shape", "held"):
            mysql.execute(f"CREATE TABLE hosts.{table} (id INT NOT NULL PRIMARY KEY)",
                          f"CREATE TRIGGER hosts.{table}_insert AFTER INSERT ON hosts.{table} FOR EACH ROW INSERT INTO {COUNTS}.changes "
                          "VALUES (CONNECTION_ID(), 'insert', 1) ON DUPLICATE KEY UPDATE times = times + 1")

    def alter(self):
        # In front of those that are there: an older schema would give the values to other columns.
        self.columns.insert(0, f"c{len(self.columns)}")
        self.number += 1
        values = ", ".join(str(self.number * 100 + i) for i in range(len(self.columns)))
        self.mysql.execute(f"ALTER TABLE hosts.shape ADD COLUMN {self.columns[0]} INT AFTER id", f"INSERT INTO hosts.shape VALUES ({self.number}, {values})")

    def prepare(self):
        self.number += 1
        connection = self.mysql.connect()
        with connection.cursor() as cursor:
            for statement in ("XA START 'held'", f"INSERT INTO hosts.held VALUES ({self.number})", "XA END 'held'", "XA PREPARE 'held'"):
                cursor.execute(statement)
        connection.close()  # whoever comes next may end it

    def commit(self):
        self.mysql.execute("XA COMMIT 'held'")

    def differences(self, client):
        out = []
        for table, names in (("shape", ["id", *self.columns]), ("held", ["id"])):
            for row in self.mysql.execute(f"SELECT {', '.join(names)} FROM hosts.{table}"):
                # A column that came later than the row is not in it: DDL fills no rows.
                wanted = {name: str(value) for name, value in zip(names, row) if value is not None}
                found = {k.decode(): v.decode() for k, v in client.hgetall(f"hosts:{table}:{row[0]}").items()}
                if found != wanted:
                    out.append((wanted, found))
        return out


for flavor, case in {"Mariadb": {"flavor": "mariadb", "rabbit": "3.10"}, "Mysql": {"flavor": "mysql", "rabbit": "4.3", "redis_kind": "redis8"}}.items():
    globals()[flavor] = type(flavor, (Hosts, SourceTest), {"case": case, "__module__": __name__})
del SourceTest
