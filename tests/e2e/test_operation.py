"""What an operator meets: a large transaction, a stop under load, refusals with their remedies, a configuration full of mistakes."""
import json
import signal
import time

import yaml

from cases import SourceTest, for_each_source
from harness import compare, long_run, wait_until
from harness.workload import Workload

LARGE_ROWS = 2_000_000 if long_run() else 100_000
MOST_MEMORY = 200 << 20
LOAD = 20_000 if long_run() else 3_000
SEED = 20240610
EXIT_CONFIG, EXIT_SOURCE, EXIT_POSITION, EXIT_STREAM = 3, 4, 5, 7


class Operation:
    def test_a_large_transaction_needs_little_memory(self):
        with self.bench() as bench:
            bench.mysql.execute("CREATE TABLE e2e.digits (d INT PRIMARY KEY)", "INSERT INTO e2e.digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)")
            digits = " CROSS JOIN ".join(f"e2e.digits AS d{i}" for i in range(7))
            number = " + ".join(f"d{i}.d * {10 ** i}" for i in range(7))
            bench.mysql.execute("CREATE TABLE e2e.large (id INT PRIMARY KEY, name VARCHAR(20), a INT, b INT, note VARCHAR(60))",
                                f"INSERT INTO e2e.large SELECT {number}, 'large', 1, 2, 'a note of some length, so that it adds up' "
                                f"FROM {digits} WHERE {number} < {LARGE_ROWS}", seconds=1200)
            bench.wait_for_source(1800)
            client = bench.redis.client()
            self.assertEqual(client.dbsize() - 10 - bench.partitions - 3, LARGE_ROWS)  # digits, applied records, watermark, layout, members
            self.assertLess(bench.daemon.peak_rss, MOST_MEMORY)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            print(f"{LARGE_ROWS} rows in one transaction, peak {bench.daemon.peak_rss >> 20} MiB")

    def test_sigterm_under_load_saves_and_repeats_nothing(self):
        with self.bench() as bench:
            load = Workload(bench.mysql, LOAD, SEED)
            load.start()
            for share in (0.25, 0.5, 0.75):
                wait_until(lambda: load.progress() > share, 300, f"{share:.0%} of the changes")
                began = time.monotonic()
                self.assertEqual(bench.daemon.stop(30), 0, bench.daemon.tail())
                print(f"stopped in {time.monotonic() - began:.2f} s")
                bench.daemon.start()
            load.finish(300)
            self.assert_in_step(bench)
            self.assertIn(" gaps=0 ", bench.daemon.status())
            calls = bench.redis.command_calls()
            inserted, updated, deleted, moved = load.counts()
            self.assertEqual(calls["hset"], inserted + updated + moved)
            self.assertEqual(calls["unlink"], deleted + moved)
            self.assertEqual(bench.daemon.stop(), 0)

    def test_a_second_signal_ends_it_at_once(self):
        with self.bench() as bench:
            bench.rabbit.pause()  # confirms do not come: draining would take its time
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('unconfirmed', 1, NULL)")
            wait_until(lambda: "unconfirmed_bytes=0" not in bench.daemon.status(), 30, "something unconfirmed")
            bench.daemon.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "stopping" in bench.daemon.tail(), 30, "the first signal seen")
            bench.daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(bench.daemon.wait_for_end(10), 128 + signal.SIGTERM)
            bench.rabbit.resume()
            bench.daemon.start()
            bench.wait_for_source()
            self.assertTrue(bench.redis.client().exists("e2e:text_key:unconfirmed"))

    def test_a_lost_state_file_is_not_a_first_start(self):
        with self.bench() as bench:
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('x', 1, NULL)")
            bench.wait_for_source()
            # Afterwards nothing is left of the number of partitions that the configuration gives.
            self.assertEqual(bench.daemon.command("repartition", "4").returncode, 0)
            wait_until(lambda: json.loads(bench.redis.client().get("sluice:e2e:layout"))["partitions"] == 4, 30, bench.daemon.tail)
            self.assertEqual(bench.daemon.stop(), 0)
            for name in ("state.json", "state.json.bak"):
                (bench.daemon.state_folder / name).unlink()
            self.assertEqual(bench.daemon.start().wait_for_end(30), EXIT_POSITION)
            self.assertIn("sluice reset", bench.daemon.tail())
            told = bench.daemon.command("reset")
            self.assertIn("nothing was changed", told.stdout)
            done = bench.daemon.command("reset", "--yes")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIsNone(bench.rabbit.messages("sluice.e2e.p4.0"))
            bench.daemon.start()
            wait_until(bench.watermark, 60, lambda: bench.daemon.tail())
            self.assertEqual(bench.daemon.stop(), 0)

    def test_a_damaged_state_file_is_told_with_its_backup(self):
        with self.bench() as bench:
            bench.mysql.execute("INSERT INTO e2e.text_key VALUES ('x', 1, NULL)")
            bench.wait_for_source()
            self.assertEqual(bench.daemon.stop(), 0)
            state = bench.daemon.state_folder / "state.json"
            state.write_bytes(b"\0" * 100)
            self.assertEqual(bench.daemon.start().wait_for_end(30), EXIT_POSITION)
            self.assertIn("state.json.bak", bench.daemon.tail())

    def test_statements_it_cannot_carry_stop_it_with_the_remedy(self):
        for statement, expected in (("TRUNCATE TABLE e2e.text_key", "on_truncate"), ("DROP TABLE e2e.text_key", "on_truncate"),
                                    ("SET SESSION binlog_format = 'STATEMENT'; INSERT INTO e2e.text_key VALUES ('s', 1, NULL)", "binlog_format")):
            with self.subTest(statement), self.bench() as bench:
                bench.mysql.execute(*statement.split("; "))
                self.assertEqual(bench.daemon.wait_for_end(60), EXIT_STREAM, bench.daemon.tail())
                self.assertIn(expected, bench.daemon.tail())
                self.assertIn("sluice position set", bench.daemon.tail())
                file, pos = bench.mysql.position()
                done = bench.daemon.command("position", "set", "--pos", f"{file}:{pos}")
                self.assertEqual(done.returncode, 0, done.stderr)
                bench.mysql.execute("INSERT INTO e2e.two_unique VALUES (1, 'a', 1, 1)")
                bench.daemon.start()
                bench.wait_for_source()
                self.assertTrue(bench.redis.client().exists("e2e:two_unique:1"))

    def test_ddl_that_changes_keys_or_rows(self):
        def rows(first, count, region):
            return "INSERT INTO e2e.k VALUES " + ", ".join(f"({first + i}, {region}, 'n{i}')" for i in range(count))

        def told(text):
            return lambda: text in bench.daemon.log.read_text()

        with self.bench(applier={"on_content_ddl": "stop"}) as bench:
            bench.mysql.execute("CREATE TABLE e2e.k (id INT NOT NULL PRIMARY KEY, region INT NOT NULL, note VARCHAR(20))", rows(0, 300, 1))
            bench.wait_for_source()
            # The same rows by another key: through other queues, not before Redis has what went through the old ones.
            bench.redis.pause()
            bench.mysql.execute("UPDATE e2e.k SET note = 'last'", "DELETE FROM e2e.k", "ALTER TABLE e2e.k DROP PRIMARY KEY, ADD PRIMARY KEY (id, region)",
                                rows(0, 300, 2))
            wait_until(told("what was sent before is waited for table=e2e.k"), 60, bench.daemon.tail)
            bench.daemon.kill()
            bench.daemon.start()
            bench.redis.resume()
            wait_until(told("Redis has all that was sent, reading goes on table=e2e.k"), 60, bench.daemon.tail)
            bench.wait_for_source()
            self.assertEqual(compare.differences(bench.mysql, bench.redis.client(), "e2e", ["k"]), (300, []))
            # Rows that change without row events.
            bench.mysql.execute("ALTER TABLE e2e.k DROP COLUMN note, ADD COLUMN state INT NOT NULL DEFAULT 3")
            for _ in range(2):
                self.assertEqual(bench.daemon.wait_for_end(60), EXIT_STREAM, bench.daemon.tail())
                self.assertIn("e2e.k: column note dropped, column state added with a value", bench.daemon.tail())
                self.assertIn("applier.on_content_ddl: warn", bench.daemon.tail())
                bench.daemon.start()
            self.assertEqual(bench.daemon.wait_for_end(60), EXIT_STREAM)
            config = yaml.safe_load(bench.daemon.config.read_text())
            config["applier"]["on_content_ddl"] = "warn"
            bench.daemon.config.write_text(yaml.safe_dump(config))
            bench.daemon.start()
            wait_until(told("DDL changed rows without row events"), 60, bench.daemon.tail)
            bench.mysql.execute("UPDATE e2e.k SET state = 4")
            bench.wait_for_source()
            # Written again, they have all columns there are; the field of the one that was dropped stays.
            rows_there, wrong = compare.differences(bench.mysql, bench.redis.client(), "e2e", ["k"])
            self.assertEqual((rows_there, wrong[-1]), (300, "... and 280 more"))
            self.assertEqual([text.split()[1] for text in wrong[:-1]], ["note:"] * 20)

    def test_preflight_tells_the_statement_that_mends_it(self):
        with self.bench() as bench:
            self.assertEqual(bench.daemon.stop(), 0)
            checked = bench.daemon.command("check")
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
            for setting, bad, good in (("binlog_format", "MIXED", "ROW"), ("binlog_row_image", "MINIMAL", "FULL")):
                bench.mysql.execute(f"SET GLOBAL {setting} = '{bad}'")
                checked = bench.daemon.command("check")
                self.assertEqual(checked.returncode, EXIT_SOURCE, checked.stdout)
                self.assertRegex(checked.stdout, f"SET GLOBAL {setting} ?= ?'?{good}")
                self.assertEqual(bench.daemon.start().wait_for_end(30), EXIT_SOURCE)
                bench.mysql.execute(f"SET GLOBAL {setting} = '{good}'")
            bench.mysql.execute("REVOKE REPLICATION SLAVE ON *.* FROM sluice@'127.0.0.1'")
            checked = bench.daemon.command("check")
            self.assertEqual(checked.returncode, EXIT_SOURCE, checked.stdout)
            self.assertIn("GRANT REPLICATION SLAVE", checked.stdout)


class OperationBase(Operation, SourceTest):
    pass


for_each_source(OperationBase, globals())
del OperationBase, SourceTest
