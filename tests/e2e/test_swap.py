"""Two rows exchange a unique value that is their key in Redis, again and again, while one of two appliers is slow."""
import contextlib
import threading
import time

from cases import SourceTest
from harness import Daemon, long_run, wait_until

SWAPS = 100_000 if long_run() else 2_000
DDL = "CREATE TABLE e2e.accounts (id INT PRIMARY KEY, email VARCHAR(20) NOT NULL UNIQUE, n INT)"
MAPPINGS = [{"key": "account:{email}"}]
FREE = {"match": r"e2e\.accounts", "mappings": MAPPINGS}
BY_EMAIL = FREE | {"partition_by": ["email"]}
REMEDY = "set partition_by: [email], or set single_partition: true for the table"


@contextlib.contextmanager
def slowed(daemon):
    """Stopped three quarters of the time."""
    over = threading.Event()

    def pulse():
        while not over.is_set():
            daemon.freeze()
            over.wait(0.15)
            daemon.thaw()
            over.wait(0.05)

    thread = threading.Thread(target=pulse)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Swap(SourceTest):
    def test_the_older_is_never_written_last(self):
        with self.bench(partitions=16) as bench:
            bench.mysql.execute(DDL)
            bench.wait_for_source()
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            self.assert_refused(bench)
            bench.more_config["tables"] = [BY_EMAIL]
            bench.daemon = Daemon(bench.binary, bench.root / "sluice", bench.config(bench.password), bench.root)
            self.assertEqual(bench.daemon.command("position", "relayout").returncode, 0)
            said = bench.daemon.log.stat().st_size
            bench.daemon.start()
            # What an applier has to agree with is known by then.
            wait_until(lambda: " running instance=" in bench.daemon.log.read_text()[said:], 60, bench.daemon.tail)
            with Daemon(bench.binary, bench.root / "slow", bench.config(bench.password) | {"role": "applier"}, bench.root) as slow:
                wait_until(lambda: "partitions of this host=8 of=16" in slow.log.read_text(), 60, slow.tail)
                self.swap(bench, slow)
                bench.wait_for_source(600)
                self.assert_equal(bench)
                self.assertIn(" gaps=0 ", bench.daemon.status())

    def assert_refused(self, bench):
        """Without partition_by the start is, with the remedy."""
        bench.more_config["tables"] = [FREE]
        daemon = Daemon(bench.binary, bench.root / "refused", bench.config(bench.password), bench.root)
        self.assertEqual(daemon.command("position", "relayout").returncode, 0)
        daemon.start()
        self.assertEqual(daemon.wait_for_end(30), 3, daemon.tail())
        self.assertIn(REMEDY, daemon.log.read_text())

    def swap(self, bench, slow):
        connection = bench.mysql.connect()
        try:
            with connection.cursor() as cursor, slowed(slow):
                cursor.execute("INSERT INTO e2e.accounts VALUES (1, 'a', 0), (2, 'b', 0)")
                began, emails = time.monotonic(), ["a", "b"]
                for n in range(1, SWAPS + 1):
                    cursor.execute("BEGIN")
                    cursor.execute("UPDATE e2e.accounts SET email = '-', n = %s WHERE id = 1", (n,))
                    cursor.execute("UPDATE e2e.accounts SET email = %s, n = %s WHERE id = 2", (emails[0], n))
                    cursor.execute("UPDATE e2e.accounts SET email = %s WHERE id = 1", (emails[1],))
                    cursor.execute("COMMIT")
                    emails.reverse()
                print(f"{SWAPS} swaps in {time.monotonic() - began:.1f} s")
                bench.wait_for_source(600)
        finally:
            connection.close()

    def assert_equal(self, bench):
        connection = bench.mysql.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT id, email, n FROM e2e.accounts")
                wanted = {f"account:{email}".encode(): {b"id": b"%d" % i, b"email": email.encode(), b"n": b"%d" % n} for i, email, n in cursor.fetchall()}
        finally:
            connection.close()
        client = bench.redis.client()
        self.assertEqual({key: client.hgetall(key) for key in client.scan_iter(match="account:*")}, wanted)
        self.assertEqual(len(wanted), 2)


class Mariadb(Swap):
    case = {"flavor": "mariadb"}


class Mysql(Swap):
    case = {"flavor": "mysql", "rabbit": "4.3", "redis_kind": "redis8"}


del Swap, SourceTest
