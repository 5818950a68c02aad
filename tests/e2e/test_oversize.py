"""A broker that takes 200,000 bytes a message, and rows that are larger: never a blind resend, and what is missing in Redis is told."""
import json

import yaml

from cases import SourceTest
from harness import wait_until
from test_dead_letters import dead, letters, wait_for_state

BROKER_TAKES = 200_000
WE_SEND = 160_000
EXIT_QUEUE_MESSAGE = 9
LARGE = 300_000
TABLE = "CREATE TABLE e2e.documents (id INT PRIMARY KEY, title VARCHAR(50), body LONGTEXT, extra LONGTEXT)"


def insert(bench, key, body=LARGE, extra=1):
    bench.mysql.execute(f"INSERT INTO e2e.documents VALUES ({key}, 'title {key}', REPEAT('b', {body}), REPEAT('e', {extra}))")


def restart(bench, **queue):
    config = yaml.safe_load(bench.daemon.config.read_text())
    config["queue"].update(queue)
    bench.daemon.config.write_text(yaml.safe_dump(config))
    bench.daemon.start()


def row(bench, key):
    return {name.decode(): len(value) for name, value in bench.redis.client().hgetall(f"e2e:documents:{key}").items()}


class Oversize(SourceTest):
    def test_rows_larger_than_a_message(self):
        queue = {"max_message_bytes": f"{WE_SEND}B", "message_bytes": "100000B"}
        with self.bench(rabbit_options=f"max_message_size = {BROKER_TAKES}", queue=queue) as bench:
            bench.mysql.execute(TABLE)
            self.rows_that_fit_pass_however_they_come(bench)
            self.one_that_does_not_stops(bench)
            self.it_is_a_dead_letter(bench)
            self.its_largest_values_are_left_out(bench)
            self.a_broker_that_takes_less_than_we_were_told_stops_us(bench)

    def rows_that_fit_pass_however_they_come(self, bench):
        bench.mysql.execute("INSERT INTO e2e.documents WITH RECURSIVE d AS (SELECT 0 i UNION ALL SELECT i + 1 FROM d WHERE i < 199) "
                            "SELECT 1000 + i, 'many', REPEAT('b', 1 + (i * 7919) % 90000), NULL FROM d")
        bench.mysql.execute("UPDATE e2e.documents SET extra = title")
        bench.wait_for_source()
        self.assertEqual(row(bench, 1007)["body"], 1 + 7 * 7919)
        self.assertEqual(bench.redis.client().dbsize() >= 200, True)

    def one_that_does_not_stops(self, bench):
        insert(bench, 1)
        self.assertEqual(bench.daemon.wait_for_end(60), EXIT_QUEUE_MESSAGE, bench.daemon.tail())
        error = bench.daemon.log_lines("error")[-1]
        file, _ = bench.mysql.position()
        for part in ("e2e.documents", '{"id":"1"}', f"at {file}:", f"({WE_SEND})", "queue.oversize"):
            self.assertIn(part, error)
        self.assertNotIn("bbbb", bench.daemon.log.read_text())

    def it_is_a_dead_letter(self, bench):
        restart(bench, oversize="dead_letter")
        insert(bench, 2, 100)
        bench.mysql.execute("UPDATE e2e.documents SET extra = 'x' WHERE id = 1")
        bench.wait_for_source()
        wait_for_state(bench, "DIVERGED")
        self.assertEqual(row(bench, 1), {})
        self.assertEqual(row(bench, 2)["body"], 100)
        found = letters(bench)
        self.assertEqual({headers["reason"] for headers, _ in found}, {"oversize"})
        self.assertEqual({headers["key"] for headers, _ in found}, {"e2e:documents:1"})
        self.assertEqual([json.loads(body)["type"] for _, body in found], ["INSERT", "UPDATE"])
        for headers, body in found:
            self.assertEqual(headers["table"], "e2e.documents")
            self.assertEqual(json.loads(body)["data"], [{"id": "1", "title": None, "body": None, "extra": None}])
            self.assertIn(f"({WE_SEND})", headers["error"])
        self.assertIn("2 of 2 letters", dead(bench, "list", "--reason", "oversize"))
        self.assertIn("1 rows replayed, 0 kept", dead(bench, "replay"))
        self.assertEqual(row(bench, 1), {"id": 1, "title": 7, "body": LARGE, "extra": 1})
        wait_for_state(bench, "IN_STEP")
        self.assertIn(" gaps=0 ", bench.daemon.status())
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def its_largest_values_are_left_out(self, bench):
        restart(bench, oversize="null_column")
        insert(bench, 3, LARGE, 5000)
        insert(bench, 4, 90_000, 20)
        # The old value does not fit beside the new one: the new one stays.
        bench.mysql.execute("UPDATE e2e.documents SET body = REPEAT('c', 100000) WHERE id = 4")
        bench.wait_for_source()
        self.assertEqual(row(bench, 3), {"id": 1, "title": 7, "extra": 5000})
        self.assertEqual(row(bench, 4), {"id": 1, "title": 7, "body": 100_000, "extra": 20})
        # What Redis has of it goes.
        bench.mysql.execute(f"UPDATE e2e.documents SET body = REPEAT('d', {LARGE}) WHERE id = 4", "DELETE FROM e2e.documents WHERE id = 3")
        bench.wait_for_source()
        self.assertEqual(row(bench, 4), {"id": 1, "title": 7, "extra": 20})
        self.assertEqual(row(bench, 3), {})
        wait_until(lambda: " values_left_out=0 " not in bench.daemon.status(), 10, bench.daemon.tail)
        self.assertIn("largest values are left out (queue.oversize) table=e2e.documents", bench.daemon.log.read_text())
        self.assertEqual(letters(bench), [])

    def a_broker_that_takes_less_than_we_were_told_stops_us(self, bench):
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        restart(bench, max_message_bytes="1MiB", oversize="stop")
        insert(bench, 5)
        self.assertEqual(bench.daemon.wait_for_end(60), EXIT_QUEUE_MESSAGE, bench.daemon.tail())
        error = bench.daemon.log_lines("error")[-1]
        for part in (f"is larger than configured max size {BROKER_TAKES}", "max_message_size", "queue.max_message_bytes"):
            self.assertIn(part, error)
        restart(bench, max_message_bytes=f"{WE_SEND}B", oversize="dead_letter")
        bench.wait_for_source()
        self.assertEqual(len(letters(bench)), 1)
        self.assertIn("1 rows replayed, 0 kept", dead(bench, "replay"))
        self.assertEqual(row(bench, 5)["body"], LARGE)


class MariadbRabbit310(Oversize):
    case = {"flavor": "mariadb", "metadata": "MINIMAL", "rabbit": "3.10", "partitions": 4}


class MysqlRabbit43(Oversize):
    case = {"flavor": "mysql", "metadata": "FULL", "rabbit": "4.3", "redis_kind": "redis8", "partitions": 4}


del Oversize, SourceTest
