"""A Redis that hangs: messages are not held meanwhile, whatever the broker's own patience is, and all is applied when it answers again."""
import time

from cases import SourceTest
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

CHANGES = 20_000 if long_run() else 2_000
SEED = 20240614
# With the broker's consumer_timeout in the long run at 180 s: one that was held for the whole pause would have its channel closed.
STALL_SECONDS, PAUSE_SECONDS = (60, 300) if long_run() else (3, 8)
BROKER_TIMEOUT_SECONDS = 180


class Stall(SourceTest):
    def unacked(self, bench):
        """Of the partitions' messages: who leads holds one of another queue."""
        lines = bench.rabbit.ctl("list_queues", "--no-table-headers", "name", "messages_unacknowledged").splitlines()
        queues = [line.split("\t") for line in lines if f".p{bench.partitions}." in line]
        self.assertEqual(len(queues), bench.partitions, lines)
        return sum(int(unacked) for _, unacked in queues)

    def restart_with_timeout(self, bench, seconds):
        """Channels that are opened from here on have this consumer_timeout, looked at each second."""
        bench.rabbit.ctl("eval", f"application:set_env(rabbit, consumer_timeout, {seconds * 1000}), application:set_env(rabbit, channel_tick_interval, 1000).")
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        bench.daemon.start()
        wait_until(lambda: bench.daemon.log.read_text().count("running instance=") == 2, 60, bench.daemon.tail)

    def test_messages_go_back_while_redis_hangs(self):
        with self.bench(applier={"stall_after": f"{STALL_SECONDS}s"}, redis={"timeout": "10min", "connect_timeout": "2s"}) as bench:
            self.restart_with_timeout(bench, BROKER_TIMEOUT_SECONDS)
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            wait_until(lambda: load.progress() >= 0.3, 300, "some changes")
            bench.redis.pause()
            paused = time.monotonic()
            wait_until(lambda: "state=REDIS_LOST partitions=" in bench.daemon.tail(1000), STALL_SECONDS + 10, bench.daemon.tail)
            self.assertGreater(time.monotonic() - paused, STALL_SECONDS - 1, "not before its time")
            wait_until(lambda: "state=REDIS_LOST source=" in bench.daemon.status(), 20, bench.daemon.tail)
            wait_until(lambda: self.unacked(bench) == 0, 20, lambda: f"{self.unacked(bench)} messages are held")
            wait_until(lambda: time.monotonic() - paused > PAUSE_SECONDS, PAUSE_SECONDS + 10, "the pause itself", every=1)
            self.assertEqual(self.unacked(bench), 0)
            self.assertGreater(bench.queued(), 0)
            bench.redis.resume()
            self.assert_ends_whole(bench, load, checker)
            log = bench.daemon.log.read_text()
            lost, back = log.count("Redis does not serve"), log.count("connected again, messages are applied")
            self.assertEqual(lost, back, bench.daemon.tail(60))
            self.assertLessEqual(lost, 8, "once a thread, not once an attempt")
            for unwanted in ("broker closed a channel", "missed", "GAP"):
                self.assertNotIn(unwanted, log)
            print(f"{load.changes} changes, Redis paused for {PAUSE_SECONDS} s, said by {lost} threads")

    def test_a_redis_that_takes_no_writes_is_not_sent_any(self):
        """CLIENT PAUSE WRITE: PING is answered, EXEC is not."""
        with self.bench(applier={"stall_after": "2s"}, redis={"connect_timeout": "2s"}) as bench:
            load = Workload(bench.mysql, CHANGES // 4, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            wait_until(lambda: load.progress() >= 0.3, 300, "some changes")
            bench.redis.client().execute_command("CLIENT", "PAUSE", "60000", "WRITE")
            wait_until(lambda: "state=REDIS_LOST partitions=" in bench.daemon.tail(1000), 15, bench.daemon.tail)
            wait_until(lambda: self.unacked(bench) == 0, 20, lambda: f"{self.unacked(bench)} messages are held")
            end = time.monotonic() + 5
            while time.monotonic() < end:
                self.assertEqual(self.unacked(bench), 0, "nothing is taken while it cannot be applied")
            bench.redis.client().execute_command("CLIENT", "UNPAUSE")
            self.assert_ends_whole(bench, load, checker)

    if long_run():
        def test_a_channel_the_broker_closes_for_its_timeout_is_opened_again(self):
            """A broker less patient than we are; yet more so than who leads, which renews its hold every 25 s."""
            with self.bench(applier={"stall_after": "5min"}, redis={"timeout": "10min"}) as bench:
                self.restart_with_timeout(bench, 45)
                load = Workload(bench.mysql, CHANGES // 4, SEED)
                checker = BackwardsChecker(bench.redis).start()
                load.start()
                wait_until(lambda: load.progress() >= 0.3, 300, "some changes")
                bench.redis.pause()
                wait_until(lambda: "timed out" in bench.daemon.tail(1000) or "cancelled a consumer" in bench.daemon.tail(1000), 120, bench.daemon.tail)
                bench.redis.resume()
                self.assert_ends_whole(bench, load, checker)
                log = bench.daemon.log.read_text()
                self.assertLessEqual(log.count("broker closed a channel"), bench.partitions, "said once a queue")
                for unwanted in ("connection lost", "leadership lost"):
                    self.assertNotIn(unwanted, log)


class Rabbit310(Stall):
    case = {"flavor": "mariadb", "metadata": "FULL", "rabbit": "3.10"}


class Rabbit43(Stall):
    case = {"flavor": "mariadb", "metadata": "MINIMAL", "rabbit": "4.3", "redis_kind": "redis8"}


del Stall, SourceTest
