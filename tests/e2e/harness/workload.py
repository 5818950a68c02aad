"""Random changes of four tables from several connections, and a reader who sees whether Redis ever goes backwards."""
import random
import threading
import time

import pymysql
import redis

from .waiting import wait_until

DATABASE = "e2e"
TABLES = ("single", "composite", "text_key", "two_unique")
# The column n of a row, and of every later row with that key, only grows in the order of commits.
DDL = (
    f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    f"""CREATE TABLE {DATABASE}.single (
        id BIGINT UNSIGNED NOT NULL PRIMARY KEY, n BIGINT NOT NULL, name VARCHAR(80), amount DECIMAL(14,3), ratio DOUBLE, part FLOAT,
        at DATETIME(6), ts TIMESTAMP(3) NULL, day DATE, span TIME(2), y YEAR, flags BIT(40), kind ENUM('a', 'b c', 'ł'),
        tags SET('x', 'y', 'z'), raw VARBINARY(40), fixed BINARY(6), latin VARCHAR(40) CHARACTER SET latin1, doc JSON)""",
    f"""CREATE TABLE {DATABASE}.composite (
        a INT NOT NULL, b VARCHAR(30) NOT NULL, n BIGINT NOT NULL, v INT, note VARCHAR(60), PRIMARY KEY (a, b))""",
    f"CREATE TABLE {DATABASE}.text_key (code VARCHAR(60) NOT NULL PRIMARY KEY, n BIGINT NOT NULL, body TEXT)",
    f"""CREATE TABLE {DATABASE}.two_unique (
        id INT NOT NULL PRIMARY KEY, email VARCHAR(60) UNIQUE, slot INT UNIQUE, n BIGINT NOT NULL)""",
)
# The source's own count of row changes, rolled back with them: triggers that write to a database which is not replicated.
COUNTS = "e2e_counts"
KEYS_OF = {"single": ("id",), "composite": ("a", "b"), "text_key": ("code",), "two_unique": ("id",)}


def count_ddl():
    yield f"CREATE DATABASE {COUNTS}"
    yield (f"CREATE TABLE {COUNTS}.changes (connection BIGINT NOT NULL, kind VARCHAR(10) NOT NULL, times BIGINT NOT NULL, "
           "PRIMARY KEY (connection, kind))")
    count = f"INSERT INTO {COUNTS}.changes VALUES (CONNECTION_ID(), {{kind}}, 1) ON DUPLICATE KEY UPDATE times = times + 1"
    for table, keys in KEYS_OF.items():
        moved = " OR ".join(f"CAST(NEW.{key} AS BINARY) <> CAST(OLD.{key} AS BINARY)" for key in keys)
        for verb, kind in (("INSERT", "'insert'"), ("DELETE", "'delete'"), ("UPDATE", f"IF({moved}, 'move', 'update')")):
            yield (f"CREATE TRIGGER {DATABASE}.{table}_{verb.lower()} AFTER {verb} ON {DATABASE}.{table} FOR EACH ROW "
                   + count.format(kind=kind))


SHARED_ROWS = 16  # rows of `single` that all connections update
KEYS = 200        # keys per table and connection
LETTERS = "abcxyz:\\ ,'\"%ąłż漢字é😀\t"
# What a server that is being killed, a deadlock or a taken unique value answer.
LOST = (2003, 2006, 2013, 2014, 1053, 1927, 0)


class Workload:
    """`connections` threads; goes on until `total` row changes are made and finish() is called."""

    def __init__(self, mysql, total, seed, connections=4):
        self.mysql, self.total, self.seed = mysql, total, seed
        self.changes, self.lock = 0, threading.Lock()
        self.done, self.abort = threading.Event(), threading.Event()
        self.wanted = threading.Event()  # cleared by pause()
        self.wanted.set()
        self.resting = set()  # workers between two transactions, while paused
        self.errors = []
        self.threads = [threading.Thread(target=self._guarded, args=(i, connections), name=f"workload-{i}", daemon=True) for i in range(connections)]

    def start(self):
        rows = ", ".join(f"({i}, 0, 'shared')" for i in range(1, SHARED_ROWS + 1))
        self.mysql.execute(f"INSERT INTO {DATABASE}.single (id, n, name) VALUES {rows}")
        for thread in self.threads:
            thread.start()

    def counts(self):
        """Rows inserted, updated, deleted, and moved to another key, as the source counted them."""
        rows = dict(self.mysql.execute(f"SELECT kind, SUM(times) FROM {COUNTS}.changes GROUP BY kind"))
        return tuple(int(rows.get(kind, 0)) for kind in ("insert", "update", "delete", "move"))

    def progress(self):
        if self.errors:
            raise AssertionError(f"workload: {self.errors[0]}")
        return self.changes / self.total

    def pause(self, seconds=60):
        """Until no transaction is under way; none begins before go_on()."""
        self.wanted.clear()
        wait_until(lambda: self.progress() >= 0 and len(self.resting) == len(self.threads), seconds, "a rest of the workload")

    def go_on(self):
        self.resting.clear()
        self.wanted.set()

    def finish(self, seconds):
        """Lets the threads come to their end."""
        self.done.set()
        self.go_on()
        end = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, end - time.monotonic()))
        self.abort.set()
        if any(thread.is_alive() for thread in self.threads):
            raise AssertionError(f"workload did not end in {seconds} s ({self.changes} of {self.total} changes)")
        self.progress()

    def _guarded(self, index, connections):
        try:
            Worker(self, index, connections).run()
        except Exception as error:  # told to the test by progress()
            self.errors.append(f"{type(error).__name__}: {error}")


class Worker:
    """One connection.  It alone touches its keys (number modulo connections), so its own counter orders their n."""

    def __init__(self, load, index, connections):
        self.load, self.index, self.step = load, index, connections
        self.random = random.Random(f"{load.seed}/{index}")
        self.n = 0
        self.connection = None

    def run(self):
        while not self.load.abort.is_set() and not (self.load.done.is_set() and self.load.changes >= self.load.total):
            self.rest()
            try:
                if self.connection is None:
                    self.connection = self.load.mysql.connect()
                    self.connection.autocommit(False)
                self.transaction()
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as error:
                if error.args and error.args[0] in (1205, 1213):  # lock wait, deadlock
                    self.connection.rollback()
                    continue
                if error.args and error.args[0] not in LOST:
                    raise
                self.connection = None  # outcome unknown: later statements meet what they meet
                self.load.abort.wait(0.1)
            if self.load.changes >= self.load.total:
                self.load.abort.wait(0.05)  # the faults take longer than the changes: go on, slowly
        if self.connection:
            self.connection.close()

    def rest(self):
        if self.load.wanted.is_set():
            return
        self.load.resting.add(self.index)
        self.load.wanted.wait()

    def transaction(self):
        changed = 0
        with self.connection.cursor() as cursor:
            for _ in range(self.random.choice((1, 1, 2, 3, 8))):
                try:
                    changed += self.statement(cursor)
                except pymysql.err.IntegrityError:
                    pass  # a key or unique value is taken: that statement is undone, the transaction goes on
        if self.random.random() < 0.05:
            self.connection.rollback()
            return
        self.connection.commit()
        with self.load.lock:
            self.load.changes += changed

    def next_n(self):
        self.n += 1
        return self.n

    def number(self):
        return 1000 + self.index + self.step * self.random.randrange(KEYS)

    def text(self, longest):
        return "".join(self.random.choice(LETTERS) for _ in range(self.random.randint(0, longest)))

    def maybe(self, value):
        return None if self.random.random() < 0.2 else value

    def statement(self, cursor):
        kind = self.random.choices(("insert", "update", "delete", "key", "many", "shared"), (40, 30, 10, 10, 5, 5))[0]
        if kind == "shared":
            return cursor.execute(f"UPDATE {DATABASE}.single SET n = n + 1, name = %s WHERE id = %s",
                                  (self.text(20), self.random.randint(1, SHARED_ROWS)))
        table = self.random.choice(TABLES)
        return getattr(self, f"{kind}_{table}")(cursor)

    # single: one key column, many types

    def single_values(self):
        r = self.random
        return {
            "n": self.next_n(), "name": self.maybe(self.text(30)), "amount": self.maybe(f"{r.randint(-10**10, 10**10)}.{r.randint(0, 999):03}"),
            "ratio": self.maybe(r.uniform(-1e6, 1e6)), "part": self.maybe(r.choice((0.1, -2.5, 16777216.0, 3.4e38, 1e-38))),
            "at": self.maybe(f"20{r.randint(10, 30)}-{r.randint(1, 12):02}-{r.randint(1, 28):02} 01:02:03.{r.randint(0, 999999):06}"),
            "ts": self.maybe(f"2024-05-06 07:08:{r.randint(0, 59):02}.{r.randint(0, 999):03}"), "day": self.maybe(f"19{r.randint(10, 99)}-02-03"),
            "span": self.maybe(f"{r.choice(('', '-'))}{r.randint(0, 838)}:{r.randint(0, 59):02}:58.{r.randint(0, 99):02}"),
            "y": self.maybe(r.choice((0, 1901, 2024, 2155))), "flags": self.maybe(r.getrandbits(40)), "kind": self.maybe(r.choice(("a", "b c", "ł"))),
            "tags": self.maybe(r.choice(("", "x", "x,z", "x,y,z"))), "raw": self.maybe(r.randbytes(r.randint(0, 40))),
            "fixed": self.maybe(r.choice((b"", b"ab", b"\0\1\2\0\0\0"))), "latin": self.maybe("".join(r.choice("aé€ß ") for _ in range(r.randint(0, 20)))),
            "doc": self.maybe(r.choice(('{"a": 1, "b": [1, 2.5, null, "x\\"y"]}', "[]", '"text"', "{}", "-1"))),
        }

    def insert_single(self, cursor):
        values = {"id": self.number(), **self.single_values()}
        return cursor.execute(f"INSERT INTO {DATABASE}.single ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})", tuple(values.values()))

    def update_single(self, cursor):
        values = self.single_values()
        picked = ["n", *self.random.sample(sorted(values.keys() - {"n"}), 4)]
        return cursor.execute(f"UPDATE {DATABASE}.single SET {', '.join(f'{c} = %s' for c in picked)} WHERE id = %s",
                              (*(values[c] for c in picked), self.number()))

    def delete_single(self, cursor):
        return cursor.execute(f"DELETE FROM {DATABASE}.single WHERE id = %s", (self.number(),))

    def key_single(self, cursor):
        return cursor.execute(f"UPDATE {DATABASE}.single SET id = %s, n = %s WHERE id = %s", (self.number(), self.next_n(), self.number()))

    def many_single(self, cursor):
        low = self.number()
        return cursor.execute(f"UPDATE {DATABASE}.single SET n = %s, name = %s WHERE id BETWEEN %s AND %s AND id %% %s = %s",
                              (self.next_n(), self.text(10), low, low + 40 * self.step, self.step, low % self.step))

    # composite: (1, "23") and (12, "3") must stay two; separators in the text part

    def pair(self):
        return self.number() // 10 * 10 + self.index, self.random.choice(("", "3", "23", ":", "\\", "a:b", "a\\:b", "ł", "1:2:3"))

    def insert_composite(self, cursor):
        return cursor.execute(f"INSERT INTO {DATABASE}.composite VALUES (%s, %s, %s, %s, %s)",
                              (*self.pair(), self.next_n(), self.maybe(self.random.randint(-2**31, 2**31 - 1)), self.maybe(self.text(20))))

    def update_composite(self, cursor):
        return cursor.execute(f"UPDATE {DATABASE}.composite SET n = %s, v = v + 1, note = %s WHERE a = %s AND b = %s",
                              (self.next_n(), self.maybe(self.text(20)), *self.pair()))

    def delete_composite(self, cursor):
        return cursor.execute(f"DELETE FROM {DATABASE}.composite WHERE a = %s AND b = %s", self.pair())

    def key_composite(self, cursor):
        return cursor.execute(f"UPDATE {DATABASE}.composite SET a = %s, b = %s, n = %s WHERE a = %s AND b = %s",
                              (*self.pair(), self.next_n(), *self.pair()))

    def many_composite(self, cursor):
        return cursor.execute(f"DELETE FROM {DATABASE}.composite WHERE a = %s", (self.pair()[0],))

    # text_key

    def code(self):
        number = self.number()
        return f"{number}{random.Random(number).choice((':', chr(92), ' x', 'Ł', '漢', ''))}"

    def insert_text_key(self, cursor):
        return cursor.execute(f"INSERT INTO {DATABASE}.text_key VALUES (%s, %s, %s)", (self.code(), self.next_n(), self.maybe(self.text(400))))

    def update_text_key(self, cursor):
        return cursor.execute(f"UPDATE {DATABASE}.text_key SET n = %s, body = %s WHERE code = %s", (self.next_n(), self.maybe(self.text(100)), self.code()))

    def delete_text_key(self, cursor):
        return cursor.execute(f"DELETE FROM {DATABASE}.text_key WHERE code = %s", (self.code(),))

    def key_text_key(self, cursor):
        return cursor.execute(f"UPDATE {DATABASE}.text_key SET code = %s, n = %s WHERE code = %s", (self.code(), self.next_n(), self.code()))

    def many_text_key(self, cursor):
        rows = [(self.code(), self.next_n(), self.text(20)) for _ in range(10)]
        return cursor.execute(f"INSERT IGNORE INTO {DATABASE}.text_key VALUES " + ", ".join(["(%s, %s, %s)"] * len(rows)), sum(rows, ()))

    # two_unique: values wander from row to row

    def unique_values(self):
        r = self.random
        return self.maybe(f"{self.index}-{r.randrange(KEYS // 2)}@example.org"), self.maybe(self.index + self.step * r.randrange(KEYS // 2))

    def insert_two_unique(self, cursor):
        verb = self.random.choice(("INSERT INTO", "REPLACE INTO"))
        return cursor.execute(f"{verb} {DATABASE}.two_unique VALUES (%s, %s, %s, %s)", (self.number(), *self.unique_values(), self.next_n()))

    def update_two_unique(self, cursor):
        return cursor.execute(f"UPDATE {DATABASE}.two_unique SET email = %s, slot = %s, n = %s WHERE id = %s",
                              (*self.unique_values(), self.next_n(), self.number()))

    def delete_two_unique(self, cursor):
        return cursor.execute(f"DELETE FROM {DATABASE}.two_unique WHERE id = %s", (self.number(),))

    def key_two_unique(self, cursor):
        return cursor.execute(f"UPDATE {DATABASE}.two_unique SET id = %s, n = %s WHERE id = %s", (self.number(), self.next_n(), self.number()))

    def many_two_unique(self, cursor):
        email, slot = self.unique_values()
        return cursor.execute(f"INSERT INTO {DATABASE}.two_unique VALUES (%s, %s, %s, %s) ON DUPLICATE KEY UPDATE slot = VALUES(slot), n = VALUES(n)",
                              (self.number(), email, slot, self.next_n()))


class BackwardsChecker:
    """Reads the growing column of every hash all the time."""

    def __init__(self, redis_server):
        self.redis_server = redis_server
        self.highest, self.falls, self.reads = {}, [], 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backwards", daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        """The falls it saw, in words."""
        self._stop.set()
        self._thread.join(60)
        return self.falls

    def _run(self):
        client = self.redis_server.client()
        while not self._stop.wait(0.02):
            try:
                keys = list(client.scan_iter(match=f"{DATABASE}:*", count=1000))
                for at in range(0, len(keys), 500):
                    pipeline = client.pipeline(transaction=False)
                    for key in keys[at:at + 500]:
                        pipeline.hget(key, "n")
                    for key, value in zip(keys[at:at + 500], pipeline.execute(raise_on_error=True)):
                        self._look(key, value)
            except redis.RedisError:
                self._stop.wait(0.1)  # away or loading: look again
            except Exception as error:
                self.falls.append(f"the checker broke: {error!r}")
                return

    def _look(self, key, value):
        if value is None:
            return  # deleted meanwhile
        n = int(value)
        self.reads += 1
        if n < self.highest.get(key, n):
            self.falls.append(f"{key!r}: n fell from {self.highest[key]} to {n}")
        self.highest[key] = max(n, self.highest.get(key, n))
