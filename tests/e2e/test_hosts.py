"""Processes of one instance as on several hosts: appliers that share the partitions, and a publisher that takes over from another."""
import contextlib
import re
import time

from cases import SourceTest
from harness import Daemon, long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES = 60_000 if long_run() else 6_000
KILLS = 12 if long_run() else 3  # of an applier, one every 5 s
TAKEOVERS = 5 if long_run() else 2
FROZEN = 90 if long_run() else 12  # seconds; longer than the broker waits for a heartbeat
HEARTBEAT = "10s" if long_run() else "2s"
SEED = 20261127


class Hosts:
    def bench_with(self, **more):
        return self.bench(queue={"heartbeat": HEARTBEAT}, **more)

    @contextlib.contextmanager
    def host(self, bench, name, **changes):
        """One more process of the instance, not started yet."""
        with contextlib.ExitStack() as stack:
            host = Daemon(bench.binary, bench.root / name, bench.config(bench.password) | changes, bench.root)
            stack.callback(host.__exit__)
            yield host

    def shares(self, *hosts):
        """How many partitions each has, as its log says last since it was started."""
        logs = [host.log.read_text().rpartition(" starting instance=")[2] for host in hosts]
        return [int((re.findall(r"partitions of this host=(\d+) ", log) or [0])[-1]) for log in logs]

    def wait_for_shares(self, wanted, *hosts):
        began = time.monotonic()
        wait_until(lambda: self.shares(*hosts) == wanted, 15, lambda: f"shares {wanted}, not {self.shares(*hosts)}\n{hosts[0].tail()}")
        return time.monotonic() - began

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

    def test_another_publisher_takes_over(self):
        with self.bench_with() as bench, self.host(bench, "next") as following:
            load, checker = Workload(bench.mysql, CHANGES, SEED), BackwardsChecker(bench.redis).start()
            load.start()
            following.start()
            hosts = [bench.daemon, following]
            longest = 0.0
            for _ in range(TAKEOVERS):
                leader, other = hosts
                wait_until(lambda: "state=STANDBY" in other.status(), 60, lambda: f"a standby\n{other.tail()}")
                self.assertNotIn("state=STANDBY", leader.status())
                leader.kill()
                began = time.monotonic()
                before = len(re.findall("continuing position", other.log.read_text()))
                wait_until(lambda: len(re.findall("continuing position", other.log.read_text())) > before, 60, lambda: f"a takeover\n{other.tail()}")
                longest = max(longest, time.monotonic() - began)
                bench.daemon = other  # who is asked from here on
                leader.start()
                hosts.reverse()
            print(f"taken over within {longest:.2f} s")
            load.finish(600)
            self.assert_in_step(bench)
            self.assert_each_change_once(bench, load, checker)
            for host in hosts:
                self.assertEqual(host.stop(), 0, host.tail())


for flavor, case in {"Mariadb": {"flavor": "mariadb", "rabbit": "3.10"}, "Mysql": {"flavor": "mysql", "rabbit": "4.3", "redis_kind": "redis8"}}.items():
    globals()[flavor] = type(flavor, (Hosts, SourceTest), {"case": case, "__module__": __name__})
del SourceTest
