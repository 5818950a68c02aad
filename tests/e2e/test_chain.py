"""What the broker can do to messages: refuse them, return them, close channels, hand them over, lose them."""
import json
import time

import pika

from cases import SourceTest, for_each_source
from harness import long_run, wait_until
from harness.workload import BackwardsChecker, Workload

KILLS = 25 if long_run() else 5
CHANGES = 5_000 if long_run() else 600
SEED = 20240609
EXIT_GAP = 6


def broker(bench):
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", bench.rabbit.port))


def queue_names(bench):
    return [f"sluice.e2e.p{bench.partitions}.{n}" for n in range(bench.partitions)]


def partitions_behind(bench):
    """{partition: id applied} of those that Redis has less of than was sent.  (A step that was in Redis' socket when the program died
    is applied all the same.)"""
    sent = json.loads((bench.daemon.state_folder / "state.json").read_text())["last"]
    client, behind = bench.redis.client(), {}
    for n, last in enumerate(sent):
        record = client.get(f"sluice:e2e:p{bench.partitions}:{n}")
        applied = json.loads(record)["id"] if record else "0.0.0.0.0.0"
        if [int(x) for x in applied.split(".")] < [int(x) for x in last.split(".")]:
            behind[n] = applied
    return behind


def insert_rows(bench, first, count):
    values = ", ".join(f"('held {i}', 1, NULL)" for i in range(first, first + count))
    bench.mysql.execute(f"INSERT INTO e2e.text_key VALUES {values}")


class Chain:
    def test_messages_the_broker_refuses_are_sent_again(self):
        """reject-publish: a queue that is full nacks; the order of what it takes later is kept."""
        with self.bench() as bench:
            bench.rabbit.ctl("set_policy", "small", "^sluice\\.e2e\\.p", '{"max-length":2,"overflow":"reject-publish"}', "--apply-to", "queues")
            bench.redis.pause()  # nothing is acked: the queues fill up
            load = Workload(bench.mysql, CHANGES, SEED)
            load.start()
            wait_until(lambda: "refused by the broker" in bench.daemon.tail(1000), 60, "a nack")
            bench.redis.resume()
            checker = BackwardsChecker(bench.redis).start()
            load.finish(300)
            bench.wait_for_source()
            self.assert_in_step(bench)
            self.assertEqual(checker.stop()[:20], [])
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def test_messages_that_come_back_lead_to_the_topology_being_mended(self):
        with self.bench() as bench:
            load = Workload(bench.mysql, CHANGES, SEED)
            load.start()
            wait_until(lambda: load.progress() > 0.3, 120, "some changes")
            connection = broker(bench)
            channel = connection.channel()
            for name in queue_names(bench):
                channel.queue_unbind(name, "sluice.e2e", name)
            connection.close()
            wait_until(lambda: "message returned" in bench.daemon.tail(1000), 60, "a basic.return")
            load.finish(300)
            self.assert_in_step(bench)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def test_connections_closed_by_the_broker(self):
        with self.bench() as bench:
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            for share in (0.2, 0.4, 0.6, 0.8):
                wait_until(lambda: load.progress() > share, 120, f"{share:.0%} of the changes")
                bench.rabbit.ctl("close_all_connections", "closed by the test")
            load.finish(300)
            self.assert_in_step(bench)
            self.assertEqual(checker.stop()[:20], [])
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def test_killed_while_it_holds_messages(self):
        """Redis does not answer, so a batch is delivered and not acked when the process dies."""
        with self.bench() as bench:
            before = bench.redis.command_calls().get("hset", 0)
            for at in range(KILLS):
                bench.redis.pause()
                insert_rows(bench, at * 10, 10)
                held = time.monotonic() + 0.7
                wait_until(lambda: time.monotonic() > held, 5, "messages delivered to the applier")
                bench.daemon.kill()
                bench.redis.resume()
                bench.daemon.start()
                bench.wait_for_source()
            self.assertEqual(bench.redis.command_calls()["hset"] - before, KILLS * 10, "every row once")
            rows, wrong = bench.differences()
            self.assertEqual((rows, wrong), (KILLS * 10, []))
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def delete_messages(self, bench):
        """That are confirmed and not applied; sluice is started again."""
        insert_rows(bench, 0, 100)
        bench.wait_for_source()
        bench.redis.pause()
        insert_rows(bench, 100, 100)
        # Saved behind them: a restart does not send them again.
        wait_until(lambda: bench.daemon.saved_position() == bench.mysql.position(), 30, "the position behind the rows saved")
        bench.daemon.kill()
        wait_until(lambda: bench.queued() > 0, 30, "messages back in their queues")
        connection = broker(bench)
        channel = connection.channel()
        for name in queue_names(bench):
            channel.queue_purge(name)
        connection.close()
        bench.redis.resume()
        bench.daemon.start()

    def test_messages_deleted_behind_our_back_are_read_again(self):
        with self.bench(applier={"gap_patience": "2s"}) as bench:
            self.delete_messages(bench)
            insert_rows(bench, 200, 100)
            wait_until(lambda: "rows are sent again state=REWIND" in bench.daemon.tail(1000), 60, lambda: f"a rewind\n{bench.daemon.tail()}")
            self.assert_in_step(bench)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def test_messages_deleted_behind_our_back_end_in_a_gap(self):
        with self.bench(applier={"gap_patience": "2s", "on_rewind": "stop"}) as bench:
            self.delete_messages(bench)
            code = bench.daemon.wait_for_end(60)
            self.assertEqual(code, EXIT_GAP, bench.daemon.tail())
            self.assertIn("GAP in partition", bench.daemon.tail())
            behind = partitions_behind(bench)
            self.assertGreater(len(behind), 0)
            insert_rows(bench, 200, 100)
            again = bench.daemon.start().wait_for_end(60)
            self.assertEqual(again, EXIT_GAP, "it stays a gap until somebody acts")
            after = partitions_behind(bench)
            self.assertEqual({n: after.get(n) for n in behind}, behind, "nothing beyond a gap was applied")


class ChainBase(Chain, SourceTest):
    pass


for_each_source(ChainBase, globals())
del ChainBase, SourceTest
