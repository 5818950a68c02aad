"""Caches that readers fill: a key goes with its row's change, and once more when a slow reader may have put old values there."""
from cases import SourceTest
from harness import long_run, wait_until

ROWS = 2_000 if long_run() else 200
AGAIN = "8s"  # longer than a loaded machine needs from the change to the kill
TABLES = [{"match": r"e2e\.people", "mappings": [{}, {"type": "invalidate", "key": "page:{id}", "again_after": AGAIN}]}]
LIST = "sluice:e2e:invalidations"


class Invalidate(SourceTest):
    def test_old_values_put_back_by_a_slow_reader_go_too(self):
        with self.bench(tables=TABLES) as bench:
            bench.mysql.execute("CREATE TABLE e2e.people (id INT PRIMARY KEY, city VARCHAR(20))",
                                "INSERT INTO e2e.people VALUES " + ", ".join(f"({i}, 'Rome')" for i in range(ROWS)))
            bench.wait_for_source()
            client = bench.redis.client()
            for i in range(ROWS):
                client.set(f"page:{i}", "Rome")
            bench.mysql.execute("UPDATE e2e.people SET city = 'Oslo'")
            wait_until(lambda: all(client.hget(f"e2e:people:{i}", "city") == b"Oslo" for i in range(ROWS)), 60, "the change is in Redis")
            # What is due outlives the process; nobody deletes meanwhile.
            bench.daemon.kill()
            left = {member.split(b" ", 1)[1] for member in client.zrange(LIST, 0, -1)}
            for key in left:
                client.set(key, "Rome")
            bench.daemon.start()
            wait_until(lambda: not client.exists(LIST), 60, "what is due is done")
            self.assertEqual(client.keys("page:*"), [])
            self.assertGreater(len(left), 0, "the process was killed before")
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())


class MariadbRedis7(Invalidate):
    case = {"flavor": "mariadb", "redis_kind": "redis"}


class MysqlRedis8(Invalidate):
    case = {"flavor": "mysql", "rabbit": "4.3", "redis_kind": "redis8"}


del Invalidate, SourceTest
