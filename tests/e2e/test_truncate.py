"""The source empties and drops tables: what their rows had become goes from Redis, what came behind stays, whenever sluice dies."""
import random

from cases import SourceTest, for_each_source
from harness import long_run, wait_until

ROWS, ROUNDS = (5_000, 12) if long_run() else (400, 3)
SEED = 20261127
DDL = ["CREATE TABLE e2e.gone (id INT PRIMARY KEY, city VARCHAR(10), n INT)", "CREATE TABLE e2e.gone2 (id INT PRIMARY KEY, city VARCHAR(10), n INT)"]
TABLES = [{"match": r"e2e\.gone", "mappings": [{}, {"type": "set", "key": "gone-in:{city}", "member": "{id}"}, {"type": "counter", "key": "gone-sum", "amount": "n"},
                                               {"type": "set", "key": "gone-cities", "member": "{city}", "refcount": True}]}]


class Truncate:
    def test_what_is_emptied_goes(self):
        with self.bench(tables=TABLES, applier={"on_truncate": "empty"}) as bench:
            bench.mysql.execute(*DDL)
            pick = random.Random(SEED)
            connection = bench.mysql.connect()
            try:
                with connection.cursor() as cursor:
                    number = 0
                    for round_number in range(ROUNDS):
                        number = self.insert(cursor, pick, number)
                        if round_number % 2:
                            cursor.execute("DROP TABLE e2e.gone, e2e.gone2")
                            for statement in DDL:
                                cursor.execute(statement)
                        else:
                            cursor.execute("TRUNCATE TABLE e2e.gone")
                        number = self.insert(cursor, pick, number)
                        self.die(bench, pick)
                    self.assert_holds(bench, cursor)
                self.assertIn("the table is empty in Redis, reading goes on table=e2e.gone ", bench.daemon.log.read_text())
                self.assertIn(" gaps=0 ", bench.daemon.status())
                self.assert_not_told_apart(bench)
            finally:
                connection.close()

    @staticmethod
    def insert(cursor, pick, number):
        """The number of the last row."""
        for table in ("gone", "gone2"):
            rows = [(number + i, pick.choice(["Rome", "Oslo", None]), pick.randrange(100)) for i in range(ROWS)]
            cursor.executemany(f"INSERT INTO e2e.{table} VALUES (%s, %s, %s)", rows)
        return number + ROWS

    @staticmethod
    def die(bench, pick):
        """At some moment from the last statement on until Redis has it all."""
        before = bench.redis.client().dbsize()
        if pick.random() < 0.5:
            wait_until(lambda: bench.redis.client().dbsize() != before or bench.queued() == 0, 30, "something to happen")
        bench.daemon.kill()
        bench.daemon.start()

    def assert_holds(self, bench, cursor):
        bench.wait_for_source()
        wanted, total, cities = {}, 0, {}
        for table in ("gone", "gone2"):
            cursor.execute(f"SELECT id, city, n FROM e2e.{table}")
            for i, city, n in cursor.fetchall():
                wanted[f"e2e:{table}:{i}".encode()] = {k: str(v).encode() for k, v in ((b"id", i), (b"city", city), (b"n", n)) if v is not None}
                if table == "gone":
                    total += n
                    if city is not None:
                        cities.setdefault(city.encode(), set()).add(str(i).encode())
        client = bench.redis.client()
        self.assertGreater(len(wanted), ROWS)
        self.assertEqual({key: client.hgetall(key) for key in client.scan_iter(match="e2e:gone*", count=1000)}, wanted)
        self.assertEqual({key.rpartition(b":")[2]: client.smembers(key) for key in client.scan_iter(match="gone-in:*")}, cities)
        self.assertEqual(int(client.get("gone-sum")), total)
        self.assertEqual(client.smembers("gone-cities"), set(cities))
        self.assertEqual(client.hgetall("gone-cities:refs"), {city: str(len(ids)).encode() for city, ids in cities.items()})

    def assert_not_told_apart(self, bench):
        """Keys that could be another table's are not touched."""
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        config = bench.daemon.config.read_text()
        bench.daemon.config.write_text(config.replace("gone-in:{city}", "e2e:{city}"))
        self.assertEqual(bench.daemon.command("position", "relayout").returncode, 0)
        bench.daemon.start()
        bench.mysql.execute("TRUNCATE TABLE e2e.gone")
        self.assertNotEqual(bench.daemon.wait_for_end(60), 0)
        self.assertIn("cannot be told from those of e2e.", bench.daemon.tail())
        self.assertTrue(bench.redis.client().exists("gone-sum"))


class TruncateBase(Truncate, SourceTest):
    pass


for_each_source(TruncateBase, globals())
del TruncateBase, SourceTest
