"""A Redis Cluster: slots move under load, masters are killed and replaced, and what was acknowledged is there."""
import decimal
import random
import threading
import time

from cases import SourceTest
from harness import long_run, wait_until

CHANGES, KILLS, MOVES = (40_000, 5, 400) if long_run() else (2_500, 1, 30)
SEED = 20260127
DDL = ["CREATE TABLE e2e.places (id INT PRIMARY KEY, city VARCHAR(20), points DECIMAL(10,2), lon DECIMAL(9,6), lat DECIMAL(9,6), n INT NOT NULL)"]
TABLES = [{"match": r"e2e\.places", "mappings": [
    {"key": "place:{id}"},
    {"type": "string", "key": "card:{id}", "value": "{city}/{points}"},
    {"type": "set", "key": "city:{city}", "member": "{id}"},
    {"type": "zset", "key": "rank:{city}", "member": "{id}", "score": "points"},
    {"type": "geo", "key": "where", "member": "{id}", "longitude": "lon", "latitude": "lat"},
    {"type": "hash", "key": "names", "field": "{id}", "value": "{city}"},
]}]


class Load:
    """Random changes of places, keys included, on a thread of its own."""

    def __init__(self, mysql, changes, seed):
        self.mysql, self.changes, self.random = mysql, changes, random.Random(seed)
        self.done, self.ids, self.next_id, self.error = 0, [], 1, None
        self.thread = threading.Thread(target=self.run, name="load", daemon=True)

    def values(self):
        pick, number = self.random.choice, self.random.randrange
        return {"city": pick(["Rome", "Oslo", "São Paulo", "a:b", "{x}", None]), "points": pick([None, decimal.Decimal(number(-10**6, 10**6)) / 100]),
                "lon": pick([None, decimal.Decimal(number(-170 * 10**6, 170 * 10**6)) / 10**6]), "lat": decimal.Decimal(number(-80 * 10**6, 80 * 10**6)) / 10**6,
                "n": self.done}

    def one(self, cursor):
        kind = self.random.random()
        row = self.values()
        if kind < 0.35 or not self.ids:
            cursor.execute(f"INSERT INTO e2e.places (id, {', '.join(row)}) VALUES (%s, {', '.join(['%s'] * len(row))})", (self.next_id, *row.values()))
            self.ids.append(self.next_id)
            self.next_id += 1
            return
        at = self.random.randrange(len(self.ids))
        if kind < 0.8:
            names = self.random.sample(sorted(row), self.random.randint(1, 4))
            cursor.execute(f"UPDATE e2e.places SET {', '.join(f'{n} = %s' for n in names)} WHERE id = %s", (*(row[n] for n in names), self.ids[at]))
        elif kind < 0.9:  # the key changes, and more
            cursor.execute("UPDATE e2e.places SET id = %s, city = %s WHERE id = %s", (self.next_id, row["city"], self.ids[at]))
            self.ids[at] = self.next_id
            self.next_id += 1
        else:
            cursor.execute("DELETE FROM e2e.places WHERE id = %s", (self.ids.pop(at),))

    def run(self):
        connection = self.mysql.connect()
        try:
            with connection.cursor() as cursor:
                for self.done in range(1, self.changes + 1):
                    self.one(cursor)
                    if self.done % 10 == 0:
                        time.sleep(0.02)  # so that it lasts as long as what is done to the cluster
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def wait_for(self, part):
        wait_until(lambda: self.error or self.done >= part * self.changes, 900, lambda: f"{part} of the changes, not {self.done}")

    def finish(self):
        self.thread.join(900)
        if self.error or self.thread.is_alive():
            raise AssertionError(f"the load ended at {self.done}: {self.error}")


def expected(mysql):
    """(keys, geo): all that Redis must hold, by SELECT alone."""
    keys, geo = {}, {}
    for number, city, points, lon, lat, n in mysql.execute("SELECT * FROM e2e.places"):
        row = {"id": number, "city": city, "points": points, "lon": lon, "lat": lat, "n": n}
        keys[f"place:{number}"] = {name.encode(): str(value).encode() for name, value in row.items() if value is not None}
        member = str(number).encode()
        if city is not None:
            keys.setdefault(f"city:{city}", set()).add(member)
            keys.setdefault("names", {})[member] = city.encode()
            if points is not None:
                keys[f"card:{number}"] = f"{city}/{points}".encode()
                keys.setdefault(f"rank:{city}", {})[member] = float(points)
        if lon is not None:
            geo[member] = float(lon), float(lat)
    return keys, geo


def found(cluster):
    client = cluster.client()
    keys, geo = {}, {}
    for number in cluster.masters():
        for raw in cluster.node(number).scan_iter(match="*", count=1000):
            key = raw.decode()
            if key.startswith("sluice:"):
                continue
            if key in keys:
                raise AssertionError(f"{key} is on two nodes")
            kind = client.type(raw)
            if key == "where":
                geo = {member: client.geopos(raw, member)[0] for member in client.zrange(raw, 0, -1)}
            elif kind == b"hash":
                keys[key] = client.hgetall(raw)
            elif kind == b"set":
                keys[key] = client.smembers(raw)
            elif kind == b"zset":
                keys[key] = dict(client.zrange(raw, 0, -1, withscores=True))
            else:
                keys[key] = client.get(raw)
    return keys, geo


class RedisClusterTest(SourceTest):
    def assert_equal(self, bench):
        bench.wait_for_source()
        (wanted, wanted_geo), (is_there, geo) = expected(bench.mysql), found(bench.redis)
        self.assertEqual(sorted(is_there), sorted(wanted))
        for key, value in wanted.items():
            self.assertEqual(is_there[key], value, key)
        self.assertEqual(sorted(geo), sorted(wanted_geo))
        for member, (lon, lat) in wanted_geo.items():
            self.assertAlmostEqual(geo[member][0], lon, places=4)
            self.assertAlmostEqual(geo[member][1], lat, places=4)
        self.assertGreater(len(wanted), 100)
        return len(wanted)

    def move_some_slots(self, bench, rng, count):
        """Of those that hold keys, most of them, and records among them."""
        slots = [bench.redis.client().keyslot(f"sluice:e2e:p{bench.partitions}:{n}") for n in range(bench.partitions)]
        slots += [bench.redis.client().keyslot(key) for key in ("where", "names", "city:Rome", "rank:Oslo", "sluice:e2e:members")]
        slots += [bench.redis.client().keyslot(f"place:{rng.randrange(1, 500)}") for _ in range(count)]
        for slot in rng.sample(slots, count):
            masters = bench.redis.masters()
            source = next(n for n, ranges in masters.items() if any(first <= slot <= last for first, last in ranges))
            bench.redis.move_slot(slot, source, rng.choice([n for n in masters if n != source]))

    def test_slots_move_and_masters_die_under_load(self):
        rng = random.Random(SEED)
        with self.bench(tables=TABLES, redis={"wait_replicas": 1}) as bench:
            bench.mysql.execute(*DDL)
            wait_until(bench.redis.is_whole, 60, "a replica of each master")
            load = Load(bench.mysql, CHANGES, SEED)
            load.thread.start()
            recoveries = []
            for at in range(KILLS):
                load.wait_for((at + 0.3) / (KILLS + 1))
                self.move_some_slots(bench, rng, MOVES // (KILLS + 1))
                # Keys that have just been moved are not at the replicas of their new master before this.
                wait_until(bench.redis.is_whole, 120, "a replica of each master")
                master = rng.choice(sorted(bench.redis.masters()))
                bench.redis.kill(master)
                wait_until(lambda: len(bench.redis.masters()) == 3 and master not in bench.redis.masters(), 60, "its replica in its place")
                bench.redis.up(master)  # until it is a replica its successor has none, and wait_replicas asks for one
                known, mark = time.monotonic(), bench.watermark()
                wait_until(lambda: (bench.watermark() or (0, 0, 0)) > (mark or (0, 0, 0)), 30, lambda: f"rows again\n{bench.daemon.tail(60)}")
                recoveries.append(round(time.monotonic() - known, 1))
                wait_until(bench.redis.is_whole, 120, lambda: f"{master} back as a replica: {bench.redis.view()}")
            load.wait_for(0.85)
            self.move_some_slots(bench, rng, MOVES // (KILLS + 1))
            load.finish()
            keys = self.assert_equal(bench)
            for word in ("gaps=0", "dead_letters=0", "errors=0"):
                self.assertIn(f" {word} ", bench.daemon.status())
            # Everything goes with its row.
            bench.mysql.execute("DELETE FROM e2e.places")
            bench.wait_for_source()
            self.assertEqual(found(bench.redis), ({}, {}))
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            print(f"{load.done} changes, {keys} keys, {KILLS} masters killed, recovered in {recoveries} s")

    def test_truncate_empties_all_nodes(self):
        with self.bench(tables=TABLES, applier={"on_truncate": "empty"}) as bench:
            rows = ", ".join(f"({n}, 'Rome', {n}, 1, 1, 0)" for n in range(1, 401))
            bench.mysql.execute(*DDL, f"INSERT INTO e2e.places VALUES {rows}")
            bench.wait_for_source()
            self.assertGreater(len(found(bench.redis)[0]), 800)
            bench.mysql.execute("TRUNCATE e2e.places", "INSERT INTO e2e.places VALUES (7, 'Oslo', 1, 1, 1, 0)")
            bench.wait_for_source()
            wanted, is_there = expected(bench.mysql), found(bench.redis)
            self.assertEqual(is_there[0], wanted[0])
            self.assertEqual(set(is_there[1]), set(wanted[1]))


class Redis7(RedisClusterTest):
    case = {"flavor": "mariadb", "metadata": "FULL", "redis_kind": "cluster redis"}


class Redis8(RedisClusterTest):
    case = {"flavor": "mysql", "metadata": "FULL", "rabbit": "4.3", "redis_kind": "cluster redis8"}


class Valkey(RedisClusterTest):
    case = {"flavor": "mariadb", "metadata": "FULL", "redis_kind": "cluster valkey9"}


del RedisClusterTest, SourceTest
