"""Redis holds what the mappings make of the rows that MySQL holds: keys, members, scores, sums, documents, TTLs, and nothing else."""
import base64
import decimal
import json
import random

from cases import SourceTest
from harness import long_run

CHANGES = 20_000 if long_run() else 1_200
KILLS = 20 if long_run() else 2
SEED = 20261127
LATEST = 25
TTL_MS = 3_600_000
DDL = [
    "CREATE TABLE e2e.people (id INT PRIMARY KEY, city VARCHAR(20), points DECIMAL(10,2), born DATE, seen DATETIME(3), tags VARCHAR(60), doc JSON, "
    "status VARCHAR(10), lon DOUBLE, lat DECIMAL(9,6), raw VARBINARY(16), bio LONGTEXT, visits BIGINT UNSIGNED)",
    "CREATE TABLE e2e.accounts (id INT PRIMARY KEY, email VARCHAR(40) NOT NULL UNIQUE, owner VARCHAR(20))",
    "CREATE TABLE e2e.journal (id INT AUTO_INCREMENT PRIMARY KEY, line VARCHAR(40), size INT)",
]
PEOPLE = [
    {"key": "person:{id}", "when": "status = 'active'", "ttl": "1h", "columns": {"exclude": ["doc"]}},
    {"key": "kept:{id|pad:6}", "columns": {"include": ["city", "raw"]}, "on_null": "fixed 'none'", "write": "changed"},
    {"type": "string", "key": "person:{id}:json", "columns": {"exclude": ["bio"]}},
    {"type": "string", "key": "card:{id}", "value": "{city}/{status}", "ttl": "1h"},
    {"type": "set", "key": "idx:city:{city}", "member": "{id}"},
    {"type": "set", "key": "idx:tag:{tags|split:,|trim|lower}", "member": "{id}", "when": "status <> 'hidden'"},
    {"type": "set", "key": "cities", "member": "{city}", "refcount": True},
    {"type": "set", "key": "born:{born|date:%Y%m}", "member": "{id}"},
    {"type": "zset", "key": "rank", "member": "{id}", "score": "points"},
    {"type": "zset", "key": "seen:{city}", "member": "{id}", "score": "seen"},
    {"type": "geo", "key": "where", "member": "{id}", "longitude": "lon", "latitude": "lat"},
    {"type": "counter", "key": "points:{city}", "amount": "points"},
    {"type": "counter", "key": "people", "field": "{status}"},
    {"type": "hash", "key": "names", "field": "{id}", "value": "{city}:{born|date:%d.%m.%y}"},
]
TABLES = [
    {"match": r"e2e\.people", "mappings": PEOPLE},
    {"match": r"e2e\.accounts", "partition_by": ["email"], "mappings": [{"key": "account:{email}"}]},
    {"match": r"e2e\.journal", "single_partition": True,
     "mappings": [{"type": "list", "key": "latest", "member": "{id}:{line}", "max_length": LATEST}, {"type": "stream", "key": "journal"}]},
]


class Changes:
    """Random changes of people; accounts that exchange their e-mail addresses; a journal that grows."""

    def __init__(self, seed):
        self.random, self.next_id, self.ids = random.Random(seed), 1, []
        self.emails = [f"u{n}@x" for n in range(40)]

    def values(self):
        pick, number = self.random.choice, self.random.randrange
        return {"city": pick(["Rome", "Oslo", "São Paulo", "a:b\\c", "", None]), "points": pick([None, decimal.Decimal(number(-10**6, 10**6)) / 100]),
                "born": pick([None, f"19{number(50, 99)}-{number(1, 13):02}-{number(1, 29):02}"]),
                "seen": pick([None, f"2026-{number(1, 13):02}-01 12:00:00.{number(1000):03}"]), "tags": pick(["", "a", "A , b", "b,c,,b", "ä", None]),
                "doc": pick([None, '{"a": [1, null, 2.5], "b": "x\\"y"}', "[]"]), "status": pick(["active", "active", "hidden", "new", None]),
                "lon": pick([None, number(-170, 170) / 7]), "lat": pick([None, decimal.Decimal(number(-80_000_000, 80_000_000)) / 10**6]),
                "raw": pick([None, self.random.randbytes(number(17))]), "bio": pick(["", "short", None, "x" * number(100)]),
                "visits": pick([None, 0, 2**64 - 1])}

    def one(self, cursor):
        kind = self.random.random()
        if kind < 0.08:
            self.swap(cursor)
        elif kind < 0.16:
            cursor.execute("INSERT INTO e2e.journal (line, size) VALUES (%s, %s)", (self.random.choice(["x", "a b", "", "ü"]), self.random.choice([1, None])))
        elif kind < 0.45 or not self.ids:
            row = self.values()
            cursor.execute(f"INSERT INTO e2e.people (id, {', '.join(row)}) VALUES (%s, {', '.join(['%s'] * len(row))})", (self.next_id, *row.values()))
            self.ids.append(self.next_id)
            self.next_id += 1
        elif kind < 0.85:
            names = self.random.sample(sorted(self.values()), self.random.randint(1, 4))
            row = self.values()
            cursor.execute(f"UPDATE e2e.people SET {', '.join(f'{n} = %s' for n in names)} WHERE id = %s",
                           (*(row[n] for n in names), self.random.choice(self.ids)))
        elif kind < 0.9:  # the key changes, and more
            at = self.random.randrange(len(self.ids))
            cursor.execute("UPDATE e2e.people SET id = %s, city = %s WHERE id = %s", (self.next_id, self.values()["city"], self.ids[at]))
            self.ids[at] = self.next_id
            self.next_id += 1
        else:
            cursor.execute("DELETE FROM e2e.people WHERE id = %s", (self.ids.pop(self.random.randrange(len(self.ids))),))

    def swap(self, cursor):
        a, b = self.random.sample(range(len(self.emails)), 2)
        emails = self.emails
        cursor.execute("BEGIN")
        for number, email in ((a, "-"), (b, emails[a]), (a, emails[b])):
            cursor.execute("UPDATE e2e.accounts SET email = %s WHERE id = %s", (email, number))
        cursor.execute("COMMIT")
        emails[a], emails[b] = emails[b], emails[a]


def text(value):
    return value if isinstance(value, bytes) else str(value).encode()


class Expected:
    """All keys of Redis, by SELECT alone: {key: value}; a set, a sorted set as {member: score}, a hash as {field: value}."""

    def __init__(self, mysql):
        self.keys, self.ttls, self.geo, self.json = {}, set(), {}, {}
        connection = mysql.connect()
        try:
            with connection.cursor() as cursor:
                self.people(cursor)
                self.sums(cursor)
                cursor.execute("SELECT id, email, owner FROM e2e.accounts")
                for number, email, owner in cursor.fetchall():
                    self.keys[f"account:{email}"] = self.hash({"id": number, "email": email, "owner": owner})
                cursor.execute("SELECT id, line, size FROM e2e.journal ORDER BY id")
                rows = cursor.fetchall()
                self.keys["latest"] = [f"{i}:{line}".encode() for i, line, _ in reversed(rows[-LATEST:])]
                self.keys["journal"] = [self.hash({"_type": "insert", "id": i, "line": line, "size": size}) for i, line, size in rows]
        finally:
            connection.close()
        self.keys = {key: value for key, value in self.keys.items() if value or isinstance(value, bytes)}

    @staticmethod
    def hash(row):
        return {name.encode(): text(value) for name, value in row.items() if value is not None}

    def add(self, key, member):
        self.keys.setdefault(key, set()).add(text(member))

    def score(self, key, member, score):
        self.keys.setdefault(key, {})[text(member)] = float(score)

    def people(self, cursor):
        names = ["id", "city", "points", "born", "seen", "tags", "doc", "status", "lon", "lat", "raw", "bio", "visits"]
        texts = [f"CAST({n} AS CHAR)" if n in ("born", "seen", "doc") else n for n in names]
        cursor.execute(f"SELECT {', '.join(texts)}, DATE_FORMAT(born, '%d.%m.%y'), DATE_FORMAT(born, '%Y%m'), "
                       "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', seen) FROM e2e.people")
        for *values, short, month, micros in cursor.fetchall():
            row = dict(zip(names, values))
            number = row["id"]
            if row["lon"] is not None:
                row["lon"] = repr(row["lon"]).removesuffix(".0")
            if row["status"] == "active":
                self.keys[f"person:{number}"] = self.hash({n: v for n, v in row.items() if n != "doc"})
                self.ttls.add(f"person:{number}")
            self.keys[f"kept:{number:06}"] = {b"city": text("none" if row["city"] is None else row["city"]),
                                              b"raw": text("none" if row["raw"] is None else row["raw"])}
            self.json[f"person:{number}:json"] = {n: v for n, v in row.items() if n != "bio"}
            if row["city"] is not None and row["status"] is not None:
                self.keys[f"card:{number}"] = f"{row['city']}/{row['status']}".encode()
                self.ttls.add(f"card:{number}")
            if row["status"] not in (None, "hidden"):
                for tag in (row["tags"] or "").split(","):
                    if tag:
                        self.add(f"idx:tag:{tag.strip().lower()}", number)
            if month is not None:
                self.add(f"born:{month}", number)
            if row["points"] is not None:
                self.score("rank", number, row["points"])
            if row["lon"] is not None and row["lat"] is not None:
                self.geo[text(number)] = float(row["lon"]), float(row["lat"])
            if row["city"] is not None:
                self.add(f"idx:city:{row['city']}", number)
                self.add("cities", row["city"])
                counts = self.keys.setdefault("cities:refs", {})
                counts[text(row["city"])] = text(int(counts.get(text(row["city"]), 0)) + 1)
                if micros is not None:
                    self.score(f"seen:{row['city']}", number, micros / 1e6)
                if short is not None:
                    self.keys.setdefault("names", {})[text(number)] = f"{row['city']}:{short}".encode()

    def sums(self, cursor):
        cursor.execute("SELECT city, SUM(points) FROM e2e.people WHERE city IS NOT NULL GROUP BY city")
        self.totals = {f"points:{city}": int(total * 100) for city, total in cursor.fetchall() if total is not None}
        cursor.execute("SELECT status, COUNT(*) FROM e2e.people WHERE status IS NOT NULL GROUP BY status")
        self.numbers = {text(status): count for status, count in cursor.fetchall()}


class Found:
    """All keys of Redis but Sluice's own."""

    def __init__(self, client):
        self.keys, self.geo, self.json, self.totals, self.numbers, self.ttls = {}, {}, {}, {}, {}, {}
        for raw in client.scan_iter(match="*", count=1000):
            key = raw.decode()
            if key.startswith("sluice:"):
                continue
            self.ttls[key] = client.pttl(raw)
            self.take(client, raw, key, client.type(raw))

    def take(self, client, raw, key, kind):
        if key == "where":
            for member in client.zrange(raw, 0, -1):
                self.geo[member] = client.geopos(raw, member)[0]
        elif key.startswith("points:"):
            self.totals[key] = int(client.get(raw))
        elif key == "people":
            self.numbers = {status: int(count) for status, count in client.hgetall(raw).items()}
        elif kind == b"string":
            value = client.get(raw)
            if key.endswith(":json"):
                self.json[key] = json.loads(value, parse_float=decimal.Decimal)
            else:
                self.keys[key] = value
        elif kind == b"hash":
            self.keys[key] = client.hgetall(raw)
        elif kind == b"set":
            self.keys[key] = client.smembers(raw)
        elif kind == b"zset":
            self.keys[key] = dict(client.zrange(raw, 0, -1, withscores=True))
        elif kind == b"list":
            self.keys[key] = client.lrange(raw, 0, -1)
        elif kind == b"stream":
            self.keys[key] = [{n: v for n, v in fields.items() if n != b"_id"} for _, fields in client.xrange(raw)]
        else:
            raise AssertionError(f"{key} is a {kind}")


def as_json(row, documents):
    """What a document must hold of a row; `documents`: the source has a type for JSON."""
    def value(name, v):
        if v is None:
            return None
        if name == "raw":
            import base64
            return base64.b64encode(v).decode()
        if name == "doc":
            return json.loads(v, parse_float=decimal.Decimal) if documents else v
        if name == "lon":
            return decimal.Decimal(v)
        return v
    return {name: value(name, v) for name, v in row.items()}


class Mappings(SourceTest):
    def test_redis_holds_what_mappings_make_of_the_rows(self):
        with self.bench(tables=TABLES, partitions=16) as bench:
            bench.mysql.execute(*DDL)
            changes = Changes(SEED)
            connection = bench.mysql.connect()
            try:
                with connection.cursor() as cursor:
                    for number, email in enumerate(changes.emails):
                        cursor.execute("INSERT INTO e2e.accounts VALUES (%s, %s, %s)", (number, email, f"owner {number}"))
                    for at in range(CHANGES):
                        changes.one(cursor)
                        if at % (CHANGES // KILLS) == CHANGES // KILLS // 2:
                            bench.daemon.kill()
                            bench.daemon.start()
                    cursor.execute("INSERT INTO e2e.people (id, status, bio) VALUES (0, 'active', REPEAT('1-MiB, ', 149797))")
            finally:
                connection.close()
            bench.wait_for_source()
            self.assert_holds(bench)
            self.assertIn(" gaps=0 ", bench.daemon.status())
            self.assertIn(" dead_letters=0 ", bench.daemon.status())
            # Everything goes with its row.
            bench.mysql.execute("DELETE FROM e2e.people", "DELETE FROM e2e.accounts")
            bench.wait_for_source()
            found = Found(bench.redis.client())
            self.assertEqual(set(found.keys), {"latest", "journal"})
            self.assertEqual((found.geo, found.json), ({}, {}))
            self.assertEqual({*found.totals.values(), *found.numbers.values()}, {0})

    def assert_holds(self, bench):
        wanted, found = Expected(bench.mysql), Found(bench.redis.client())
        self.assertEqual(set(found.keys), set(wanted.keys))
        for key, value in wanted.keys.items():
            self.assertEqual(found.keys[key], value, key)
        self.assertEqual(found.json, {key: as_json(row, self.case["flavor"] == "mysql") for key, row in wanted.json.items()})
        self.assertEqual(set(found.geo), set(wanted.geo))
        for member, (lon, lat) in wanted.geo.items():
            self.assertAlmostEqual(found.geo[member][0], lon, places=4)
            self.assertAlmostEqual(found.geo[member][1], lat, places=4)
        # A sum that came back to nothing is 0; one that never was is not there.
        self.assertEqual({k: n for k, n in found.totals.items() if n != 0}, {k: n for k, n in wanted.totals.items() if n != 0})
        self.assertEqual({k: n for k, n in found.numbers.items() if n != 0}, wanted.numbers)
        self.assertGreater(len(wanted.keys), 100)
        for key, ttl in found.ttls.items():
            if key in wanted.ttls:
                self.assertTrue(0 < ttl <= TTL_MS, f"{key}: {ttl}")
            else:
                self.assertEqual(ttl, -1, key)


class MariadbRedis7(Mappings):
    case = {"flavor": "mariadb", "redis_kind": "redis"}


class MysqlRedis8(Mappings):
    case = {"flavor": "mysql", "rabbit": "4.3", "redis_kind": "redis8"}


class MariadbValkey(Mappings):
    case = {"flavor": "mariadb", "redis_kind": "valkey9"}


del Mappings, SourceTest
