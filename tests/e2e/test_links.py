"""Every connection of the program fails in every way a network has, whatever it is doing: nothing is lost, nothing is done twice, nothing goes backwards.

The table is LINKS x faults x states (cells()).  The normal run takes CERTAIN and others at random for a while; the long run takes all.  SLUICE_TEST_SEED
repeats a run, SLUICE_TEST_CELLS=TEXT takes those in whose name TEXT is.
"""
import dataclasses
import json
import os
import random
import re
import time

import pika

from cases import SourceTest
from harness import Daemon, long_run, wait_until
from harness.proxy import Trap
from harness.waiting import TimedOut
from harness.wire import TO_CLIENT, TO_SERVER
from harness.workload import BackwardsChecker, Workload

SEED = int(os.environ.get("SLUICE_TEST_SEED") or (random.randrange(10**6) if long_run() else 528956))
NORMAL_SECONDS = 6   # of cells at random, for each source
CHANGES = 300        # at full speed; then the load goes on slowly
STALL = 4.0          # seconds; longer than each timeout below
PAUSE = 0.4          # shorter than all of them: nobody may notice
REFUSE = 1.5
TIMEOUTS = {"source": {"heartbeat": "500ms", "connect_timeout": "2s", "query_timeout": "3s", "tls": {"mode": "disabled"}},
            "queue": {"heartbeat": "1s", "connect_timeout": "2s"}, "redis": {"timeout": "2s", "connect_timeout": "2s"}, "limits": {"drain": "6s"},
            "position": {"mirror": "redis"}}

# The link: its server, its name in harness.wire, and the units of it that are cut in the middle.
LINKS = {
    "publisher": ("broker", "publisher", ((TO_SERVER, "basic.publish"), (TO_SERVER, "header"), (TO_SERVER, "body"), (TO_CLIENT, "basic.ack"))),
    "consumer": ("broker", "consumer", ((TO_CLIENT, "basic.deliver"), (TO_CLIENT, "header"), (TO_CLIENT, "body"), (TO_SERVER, "basic.ack"))),
    "leadership": ("broker", "leader", ((TO_SERVER, "basic.qos"), (TO_CLIENT, "basic.qos-ok"))),
    "applier's Redis": ("redis", "applier", ((TO_SERVER, "SET"), (TO_SERVER, "EXEC"), (TO_CLIENT, "EXEC reply"), (TO_CLIENT, "GET reply"))),
    "mirror's Redis": ("redis", "mirror", ((TO_SERVER, "EXEC"), (TO_CLIENT, "EXEC reply"))),
    "watermark's Redis": ("redis", "other", ((TO_CLIENT, "GET reply"),)),
    "binlog dump": ("source", "dump", ((TO_CLIENT, "gtid"), (TO_CLIENT, "table map"), (TO_CLIENT, "rows"), (TO_CLIENT, "xid"))),
}
# When something of unknown fate is under way: the unit whose arrival would settle it.
IN_FLIGHT = {"publisher": (TO_CLIENT, "basic.ack"), "consumer": (TO_SERVER, "basic.ack"), "applier's Redis": (TO_CLIENT, "EXEC reply")}
# What the broker says about a message that it does not take.
ANSWERS = {"returned": "basic.return", "nacked": "basic.nack"}
# What arrives long after its sender has given it up.
LATE = {"publisher": (TO_SERVER, "basic.publish"), "consumer": (TO_SERVER, "basic.ack"), "applier's Redis": (TO_SERVER, "MULTI")}
# What a start, a change of layout and an end are made of: about so many units pass on the way.
UNITS_OF = {"broker": 60, "redis": 25, "source": 40}


@dataclasses.dataclass(frozen=True)
class Cell:
    state: str
    link: str                  # of LINKS, or a server
    fault: str                 # of BEGIN
    direction: str = ""        # of a stall, or of the unit
    unit: str = ""             # where it strikes; "": at once
    share: float = 0.0         # of the unit that goes on

    def __str__(self):
        at = f" at {self.share:.0%} of {self.unit}" if self.unit else ""
        return f"{self.state}: {self.link}, {self.fault} {self.direction}{at}"


def cells():
    for link, (_, _, units) in LINKS.items():
        for state in ("idle", "load"):
            yield Cell(state, link, "cut")
            yield Cell(state, link, "refused")
            for direction in (TO_SERVER, TO_CLIENT):
                yield Cell(state, link, "stalled", direction)
        for direction in (TO_SERVER, TO_CLIENT):
            yield Cell("load", link, "paused", direction)
        for direction, unit in units:
            yield Cell("load", link, "cut", direction, unit, 0.5)
            yield Cell("load", link, "stalled", direction, unit, 0.5)
    for link, (direction, unit) in IN_FLIGHT.items():
        for fault in ("cut", "refused", "stalled"):
            yield Cell("in flight", link, fault, direction, unit)
    for link, (direction, unit) in LATE.items():
        yield Cell("load", link, "late", direction, unit)
    for state, unit in ANSWERS.items():
        for fault in ("cut", "stalled"):
            yield Cell(state, "publisher", fault, TO_CLIENT, unit, 0.5)
    for state in ("start", "stop", "repartition"):
        for server in UNITS_OF:
            for fault in ("cut", "refused", "stalled"):
                yield Cell(state, server, fault, TO_CLIENT, "any", 0.5)
            yield Cell(state, server, "cut", TO_SERVER, "any", 0.5)
    for link in ("leadership", "publisher", "consumer", "applier's Redis", "binlog dump"):
        yield Cell("standby", link, "cut")
        for direction in (TO_SERVER, TO_CLIENT):
            yield Cell("standby", link, "stalled", direction)


# Messages of unknown fate, of which one comes twice; a start, and a change of the layout, that are broken off in the middle.
CERTAIN = [Cell("in flight", "publisher", "cut", TO_CLIENT, "basic.ack"),
           Cell("in flight", "applier's Redis", "cut", TO_CLIENT, "EXEC reply", 0.5),
           Cell("start", "broker", "cut", TO_SERVER, "queue.declare", 0.5),
           Cell("repartition", "broker", "cut", TO_SERVER, "queue.delete", 0.5)]


class Links:
    def bench_of_links(self):
        return self.bench(proxied=True, **TIMEOUTS)

    # faults

    def begin(self, bench, cell, connection=None, owner=None):
        """The fault, now; `connection` is the one that it was met on, if any."""
        server, link = self.server_of(cell)
        proxy = bench.proxies[server]
        if cell.fault == "refused":
            proxy.refuse()
            proxy.cut()
        elif cell.fault in ("stalled", "paused"):
            proxy.hold(cell.direction, link, owner)
        elif cell.fault == "late":
            proxy.hold(cell.direction, connection=connection)
            connection.leave_server()
        elif connection:
            connection.cut()
        else:
            wait_until(lambda: proxy.cut(link, owner) > 0, 30, lambda: f"a connection of {link or server}\n{bench.daemon.tail()}")

    def last(self, cell):
        """Lets the fault last."""
        end = time.monotonic() + {"refused": REFUSE, "stalled": STALL, "paused": PAUSE}.get(cell.fault, 0.0)
        wait_until(lambda: time.monotonic() >= end, 60, "the end of the fault")

    def trap(self, bench, cell, skip=0):
        server, link = self.server_of(cell)
        return bench.proxies[server].arm(Trap(link, cell.direction, None if cell.unit == "any" else cell.unit, cell.share, skip,
                                              act=lambda connection, trap: self.begin(bench, cell, connection)))

    @staticmethod
    def server_of(cell):
        return LINKS[cell.link][:2] if cell.link in LINKS else (cell.link, None)

    def wait_for(self, bench, trap, seconds=30):
        wait_until(trap.sprung.is_set, seconds, lambda: f"{trap.name} of {trap.link} {trap.direction}\n{bench.daemon.tail()}")

    # states

    def idle(self, bench, load, cell):
        self.begin(bench, cell)
        self.last(cell)

    def load(self, bench, load, cell):
        load.go_on()
        if not cell.unit:
            self.begin(bench, cell)
            self.last(cell)
            return
        self.wait_for(bench, self.trap(bench, cell))
        if cell.fault == "late":
            self.let_late_bytes_in(bench, cell)
        self.last(cell)

    in_flight = load

    def let_late_bytes_in(self, bench, cell):
        """Their sender has begun anew and done what was under way, and then they come."""
        server, link = self.server_of(cell)
        proxy = bench.proxies[server]
        if server == "redis":
            aborted = link, TO_CLIENT, "aborted EXEC reply"
            before = proxy.passed[aborted]
            bench.wait_for_source(60)
            proxy.release()
            wait_until(lambda: proxy.passed[aborted] > before, 30, "the late transaction is refused by its WATCH")
            return
        settled = link, *IN_FLIGHT[cell.link]
        enough = proxy.passed[settled] + 20  # before the broker misses the old connection's heartbeats
        wait_until(lambda: proxy.passed[settled] >= enough, 60, bench.daemon.tail)
        proxy.release()

    def returned(self, bench, load, cell):
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", bench.rabbit.port))
        for n in range(bench.partitions):
            name = f"sluice.e2e.p{bench.partitions}.{n}"
            connection.channel().queue_unbind(name, "sluice.e2e", name)
        connection.close()
        self.load(bench, load, cell)

    def nacked(self, bench, load, cell):
        bench.rabbit.ctl("set_policy", "small", "^sluice\\.e2e\\.p", '{"max-length":2,"overflow":"reject-publish"}', "--apply-to", "queues")
        bench.redis.pause()  # nothing is acked: the queues fill up
        self.load(bench, load, cell)
        bench.proxies["broker"].disarm()
        bench.redis.resume()
        bench.rabbit.ctl("clear_policy", "small")

    def start(self, bench, load, cell):
        load.go_on()
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        trap = self.trap(bench, cell, self.random.randrange(UNITS_OF[cell.link]) if cell.unit == "any" else 0)
        said = bench.daemon.log.read_text().count(" running instance=")
        bench.daemon.start()
        wait_until(lambda: trap.sprung.is_set() or bench.daemon.log.read_text().count(" running instance=") > said, 30, bench.daemon.tail)
        if not trap.sprung.is_set():  # so many do not pass at this start
            bench.proxies[cell.link].disarm()
            self.begin(bench, cell)
        self.last(cell)

    def stop(self, bench, load, cell):
        load.go_on()
        wait_until(lambda: bench.queued() >= 0, 10, "an answer of the broker")
        trap = self.trap(bench, cell, self.random.randrange(10))
        bench.daemon.terminate()
        wait_until(lambda: trap.sprung.is_set() or bench.daemon.process.poll() is not None, 30, "the fault, or the end")
        self.last(cell)
        bench.proxies[self.server_of(cell)[0]].disarm()
        self.assertEqual(bench.daemon.wait_for_end(30), 0, bench.daemon.tail())
        bench.daemon.start()

    def repartition(self, bench, load, cell):
        load.go_on()
        number = self.random.choice([n for n in (3, 5, 8, 12) if n != bench.partitions])
        folder = bench.daemon.state_folder
        said = f"repartition {bench.partitions} -> {number}: "
        before = bench.daemon.log.read_text().count(said)
        (folder / "asked").write_text(f"{number} 0\n")
        (folder / "asked").rename(folder / "repartition")
        wait_until(lambda: bench.daemon.log.read_text().count(said) > before, 30, bench.daemon.tail)
        trap = self.trap(bench, cell, self.random.randrange(UNITS_OF[cell.link]) if cell.unit == "any" else 0)

        def done():
            bench.daemon.check_alive()
            state = json.loads((folder / "state.json").read_text())
            return state["layout"]["partitions"] == number and not (folder / "repartition").exists()

        wait_until(lambda: trap.sprung.is_set() or done(), 60, bench.daemon.tail)
        if not trap.sprung.is_set():  # so many do not pass
            bench.proxies[cell.link].disarm()
            self.begin(bench, cell)
        self.last(cell)
        bench.proxies[cell.link].disarm()
        wait_until(done, 90, lambda: f"{number} partitions\n{bench.daemon.tail()}")
        bench.partitions = number

    def standby(self, bench, load, cell):
        """Two processes: what befalls the one that leads may end its leadership."""
        load.go_on()
        leader = bench.daemon
        other = Daemon(bench.binary, bench.root / f"other-{time.monotonic_ns()}", bench.config(bench.password), bench.root)
        try:
            other.start()
            wait_until(lambda: "state=STANDBY" in other.status(), 60, lambda: f"a standby\n{other.tail()}")
            # The source's and Redis' connections do not say whose they are; a standby has none to the source, and fails like the leader.
            owner = leader.process.pid if self.server_of(cell)[0] == "broker" else None
            self.begin(bench, cell, owner=owner)
            self.last(cell)
            bench.proxies[self.server_of(cell)[0]].disarm()

            def standing_by():
                leader.check_alive()
                other.check_alive()
                return [d for d in (leader, other) if "state=STANDBY" in d.status()]

            wait_until(lambda: len(standing_by()) == 1, 60, lambda: f"one that leads\n{leader.tail()}\n{other.tail()}")
            if standing_by() == [leader]:
                leader, other = other, leader
            bench.daemon = leader
            bench.wait_for_source(60)
            self.assertIn(" gaps=0 ", other.status())
            self.assertEqual(other.stop(), 0, other.tail())
        finally:
            if other is not bench.daemon:
                other.__exit__()

    # what holds afterwards

    def assert_whole(self, bench, load, checker):
        load.pause()
        bench.mysql.execute(f"INSERT INTO e2e.text_key VALUES ('after {self.rows_after}', 1, NULL)")
        self.rows_after += 1
        bench.wait_for_source(60)
        _, wrong = bench.differences()
        self.assertEqual(wrong, [], bench.daemon.tail())
        self.assert_counted_once(bench, load)
        self.assertEqual(checker.falls[:20], [])
        self.assertNotIn("GAP", bench.daemon.tail(5))
        wait_until(lambda: bench.queued() == 0, 30, "the messages that came twice passed over")

    def do(self, bench, load, checker, cell):
        at = time.monotonic()
        print(f"{cell} (seed {SEED})", end="", flush=True)
        getattr(self, cell.state.replace(" ", "_"))(bench, load, cell)
        for proxy in bench.proxies.values():
            proxy.disarm()
        self.assert_whole(bench, load, checker)
        print(f": {time.monotonic() - at:.1f} s", flush=True)

    def assert_counted(self, bench, *names):
        def counts():
            return {name: int(re.search(rf" {name}=(\d+)", bench.daemon.status())[1]) for name in names}

        wait_until(lambda: all(counts().values()), 10, lambda: f"{counts()}\n{bench.daemon.tail()}")

    def assert_part_of_a_message_is_applied(self, bench):
        """What was sent before a crash goes out with what came after it, in one message: of that, only the rest is applied."""
        broker = bench.proxies["broker"]
        for attempt in range(20):
            key = f"overlap {attempt}"
            broker.hold(TO_CLIENT, "publisher")  # no confirm is seen, so nothing of this is saved
            bench.mysql.execute(f"INSERT INTO e2e.text_key VALUES ('{key}', 1, NULL)")
            try:
                wait_until(lambda k=key: bench.redis.client().exists(f"e2e:text_key:{k}"), 1.5, "it")
                break
            except TimedOut:  # a tick of that partition went before it, and waits for its confirm
                broker.disarm()
                bench.wait_for_source(60)
        else:
            self.fail(bench.daemon.tail())
        bench.daemon.kill()
        broker.disarm()
        broker.hold(TO_SERVER, "publisher")  # nothing goes out before both are read
        bench.mysql.execute(f"UPDATE e2e.text_key SET n = 2 WHERE code = '{key}'")
        file, pos = bench.mysql.position()
        bench.daemon.start()
        wait_until(lambda: f" source={file}:{pos} " in bench.daemon.status(), 30, bench.daemon.tail)
        broker.disarm()
        bench.wait_for_source(60)
        self.assert_counted(bench, "overlaps")

    def test_table(self):
        self.random, self.rows_after = random.Random(SEED), 0
        rest = list(cells())
        self.random.shuffle(rest)
        only, whole = os.environ.get("SLUICE_TEST_CELLS"), long_run()
        if only:
            rest, whole = [cell for cell in CERTAIN + rest if only in str(cell)], True
        with self.bench_of_links() as bench:
            load, checker = Workload(bench.mysql, CHANGES, SEED), BackwardsChecker(bench.redis).start()
            load.start()
            load.pause()
            for cell in [] if only else CERTAIN[:2]:
                self.do(bench, load, checker, cell)
            if not only:
                self.assert_counted(bench, "resends", "repeats")
                self.assert_part_of_a_message_is_applied(bench)
                for cell in CERTAIN[2:]:
                    self.do(bench, load, checker, cell)
            began, done = time.monotonic(), 0
            while done < len(rest) and (whole or time.monotonic() - began < NORMAL_SECONDS):
                self.do(bench, load, checker, rest[done])
                done += 1
            load.finish(60)
            self.assert_in_step(bench)
            self.assert_each_change_once(bench, load, checker)
            wait_until(lambda: " dead=0 " in bench.daemon.status(), 30, bench.daemon.status)
            print(f"{done} of {len(rest)} cells, seed {SEED}; in the last process reconnects={bench.daemon.status().partition(' reconnects=')[2]}")
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())


for _name, _case in {"MariadbRabbit310": {"flavor": "mariadb", "rabbit": "3.10"},
                     "MysqlRabbit43": {"flavor": "mysql", "rabbit": "4.3", "redis_kind": "redis8"}}.items():
    globals()[_name] = type(_name, (Links, SourceTest), {"case": _case, "__module__": __name__})
del SourceTest
