"""What may happen once only (sums, lists, streams, counted members) happens once, however often sluice and Redis are killed in between."""
import collections
import random
import threading

from cases import SourceTest
from harness import long_run, wait_until

DAEMON_KILLS, REDIS_KILLS = (20, 5) if long_run() else (3, 1)
SEED = 20261128
DDL = ["CREATE TABLE e2e.accounts (id INT PRIMARY KEY, city VARCHAR(10), balance DECIMAL(12,2) NOT NULL)",
       "CREATE TABLE e2e.journal (id INT AUTO_INCREMENT PRIMARY KEY, line VARCHAR(20) NOT NULL)"]
TABLES = [
    {"match": r"e2e\.accounts", "mappings": [{"type": "counter", "key": "balance:{city}", "amount": "balance"}, {"type": "counter", "key": "accounts", "field": "{city}"},
                                             {"type": "set", "key": "cities", "member": "{city}", "refcount": True}]},
    {"match": r"e2e\.journal", "single_partition": True, "mappings": [{"type": "list", "key": "lines", "member": "{id}:{line}"}, {"type": "stream", "key": "journal"}]},
]
CITIES = ["Rome", "Oslo", "Bern", None]


class Load:
    """Changes, without a pause, until it is stopped."""

    def __init__(self, mysql):
        self.connection, self.random, self.ids, self.done = mysql.connect(), random.Random(SEED), [], 0
        self.ended, self.thread = threading.Event(), threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with self.connection.cursor() as cursor:
            while not self.ended.is_set():
                self.one(cursor)
                self.done += 1

    def one(self, cursor):
        kind, pick = self.random.random(), self.random
        if kind < 0.3 or not self.ids:
            self.ids.append(len(self.ids) + 1 if not self.ids else self.ids[-1] + 1)
            cursor.execute("INSERT INTO e2e.accounts VALUES (%s, %s, %s)", (self.ids[-1], pick.choice(CITIES), pick.randrange(-10**6, 10**6) / 100))
        elif kind < 0.7:
            cursor.execute("UPDATE e2e.accounts SET city = %s, balance = balance + %s WHERE id = %s", (pick.choice(CITIES), pick.randrange(1, 500) / 100, pick.choice(self.ids)))
        elif kind < 0.75 and len(self.ids) > 5:
            cursor.execute("DELETE FROM e2e.accounts WHERE id = %s", (self.ids.pop(pick.randrange(len(self.ids) - 1)),))
        else:
            cursor.execute("INSERT INTO e2e.journal (line) VALUES (%s)", (pick.choice(["a", "b", "c"]),))

    def stop(self):
        self.ended.set()
        self.thread.join()
        self.connection.close()


class Exactness(SourceTest):
    def test_once_is_once(self):
        with self.bench(tables=TABLES, partitions=8) as bench:
            bench.mysql.execute(*DDL)
            load, pick = Load(bench.mysql), random.Random(SEED)
            try:
                kills = ["sluice"] * DAEMON_KILLS + ["redis"] * REDIS_KILLS
                pick.shuffle(kills)
                for victim in kills:
                    self.some_rows(bench, pick.randrange(50, 400))
                    if victim == "redis":
                        bench.redis.kill()
                        bench.redis.start()
                    else:
                        bench.daemon.kill()
                        bench.daemon.start()
                self.some_rows(bench, 100)
            finally:
                load.stop()
            bench.wait_for_source()
            self.assert_exact(bench)
            self.assertIn(" gaps=0 ", bench.daemon.status())
            self.assertIn(" dead_letters=0 ", bench.daemon.status())
            print(f"{load.done} changes, {DAEMON_KILLS} + {REDIS_KILLS} kills")

    @staticmethod
    def some_rows(bench, count):
        """Waits until Redis has so many rows of the journal more."""
        client = bench.redis.client()
        before = client.llen("lines")
        wait_until(lambda: client.llen("lines") >= before + count / 4, 120, lambda: f"rows arrive\n{bench.daemon.tail()}")

    def assert_exact(self, bench):
        client = bench.redis.client()
        sums, counts = collections.Counter(), collections.Counter()
        for city, balance in bench.mysql.execute("SELECT city, balance FROM e2e.accounts"):
            if city is not None:
                sums[f"balance:{city}"] += int(balance * 100)
                counts[city] += 1
        self.assertEqual({f"balance:{city}": int(client.get(f"balance:{city}") or 0) for city in CITIES if city}, {f"balance:{city}": sums[f"balance:{city}"] for city in CITIES if city})
        self.assertEqual({name.decode(): int(n) for name, n in client.hgetall("accounts").items() if int(n) != 0}, dict(counts))
        self.assertEqual({city.decode() for city in client.smembers("cities")}, set(counts))
        self.assertEqual({name.decode(): int(n) for name, n in client.hgetall("cities:refs").items()}, dict(counts))
        lines = [f"{number}:{line}".encode() for number, line in bench.mysql.execute("SELECT id, line FROM e2e.journal ORDER BY id")]
        self.assertEqual(client.lrange("lines", 0, -1), lines[::-1])
        self.assertEqual([fields[b"id"] + b":" + fields[b"line"] for _, fields in client.xrange("journal")], lines)
        self.assertGreater(len(lines), 100)


class MariadbRedis7(Exactness):
    case = {"flavor": "mariadb", "redis_kind": "redis"}


class MysqlRedis8(Exactness):
    case = {"flavor": "mysql", "rabbit": "4.3", "redis_kind": "redis8"}


del Exactness, SourceTest
