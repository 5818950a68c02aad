"""The disk under the state folder is full: rows go on while only the position cannot be saved, all else ends with what is to be done, and nothing is lost
or damaged."""
import contextlib
import tempfile

from cases import SourceTest
from harness import SmallDisk, Unavailable, compare, long_run, wait_until
from harness.workload import DATABASE, TABLES, BackwardsChecker, Workload
from test_xa import Coordinator

CHANGES = 20_000 if long_run() else 1_500
SEED = 20240615
EXIT_FILES = 1
REMEDY = "make room there and start again: nothing is lost"
NOT_SAVED, SAVED_AGAIN = "position not saved, tried again until there is room", "position saved again unsaved_ms="
WIDE = ", ".join(f"c{i} INT COMMENT '{'x' * 1000}'" for i in range(12))  # its history needs several blocks
XA_ROWS = 800  # more than limits.transaction_hold, and room enough on the disk


class FullDisk(SourceTest):
    @contextlib.contextmanager
    def bench_on_small_disk(self, **more):
        with contextlib.ExitStack() as stack:
            try:
                disk = stack.enter_context(SmallDisk(stack.enter_context(tempfile.TemporaryDirectory(prefix="sluice-disk-")), "256k"))
            except Unavailable as reason:
                self.skipTest(str(reason))
            yield disk, stack.enter_context(self.bench(state_dir=str(disk.folder / "state"), **more))

    def wait_for_log(self, bench, text, times=1):
        wait_until(lambda: bench.daemon.log.read_text().count(text) >= times, 60, lambda: f"{text}\n{bench.daemon.tail()}")

    def assert_ended(self, bench, file):
        """By itself, with an error that names the file, the room there is, and what to do."""
        self.assertEqual(bench.daemon.wait_for_end(60), EXIT_FILES)
        last = bench.daemon.tail(1)
        for wanted in ("base.no_space: ", file, ": No space left on device (0 KiB of 256 free); ", REMEDY, "exit=1"):
            self.assertIn(wanted, last)

    def test_rows_go_on_while_the_position_cannot_be_saved(self):
        with self.bench_on_small_disk() as (disk, bench):
            load = Workload(bench.mysql, CHANGES, SEED)
            checker = BackwardsChecker(bench.redis).start()
            load.start()
            wait_until(lambda: load.progress() >= 0.2, 300, "some changes")
            disk.fill()
            wait_until(lambda: "state=DISK_FULL" in bench.daemon.status(), 60, bench.daemon.tail)
            self.wait_for_log(bench, NOT_SAVED)
            error = next(line for line in bench.daemon.log_lines("error") if NOT_SAVED in line)
            self.assertIn(f"{disk.folder}/state/state.json.tmp: No space left on device (0 KiB of 256 free)", error)
            saved, made = bench.daemon.saved_position(), load.changes
            bench.wait_for_source()
            self.assertEqual(bench.daemon.saved_position(), saved)
            self.assertGreater(bench.watermark()[2], saved[1], "Redis is told of what comes")
            disk.free()
            self.wait_for_log(bench, SAVED_AGAIN)
            wait_until(lambda: bench.daemon.saved_position() > saved and "DISK_FULL" not in bench.daemon.status(), 60, bench.daemon.tail)
            self.assertGreater(load.changes, made)
            # Killed meanwhile, and started before there is room: from the position saved last.
            disk.fill()
            self.wait_for_log(bench, NOT_SAVED, 2)
            wait_until(lambda: load.progress() >= 0.6, 300, "more changes")
            saved = bench.daemon.saved_position()
            bench.daemon.kill()
            bench.daemon.start()
            self.wait_for_log(bench, NOT_SAVED, 3)
            self.assertIn(f"continuing position={saved[0]}:{saved[1]} ", bench.daemon.log.read_text())
            # Stopped meanwhile: what it could not do is its exit code.
            wait_until(lambda: load.progress() >= 0.7, 300, "more changes")
            bench.daemon.terminate()
            self.assert_ended(bench, "state.json.tmp")
            self.assertEqual(bench.daemon.saved_position(), saved)
            disk.free()
            bench.daemon.start()
            self.assert_ends_whole(bench, load, checker)
            self.assertEqual(bench.daemon.log.read_text().count(NOT_SAVED), 3, "said once each time")
            print(f"{load.changes} changes")

    def assert_same(self, bench):
        bench.wait_for_source()
        rows, wrong = compare.differences(bench.mysql, bench.redis.client(), DATABASE, (*TABLES, "later"))
        self.assertEqual(wrong, [])
        return rows

    def test_what_must_be_on_disk_ends_it_and_is_whole_afterwards(self):
        with self.bench_on_small_disk(limits={"transaction_hold": "64KiB"}) as (disk, bench):
            state = bench.daemon.state_folder
            history = (state / "schema.log").read_bytes()
            disk.fill()
            bench.mysql.execute(f"CREATE TABLE {DATABASE}.later (id INT NOT NULL PRIMARY KEY, n BIGINT, note VARCHAR(200), {WIDE})",
                                f"INSERT INTO {DATABASE}.later (id, n) VALUES (1, 1)")
            self.assert_ended(bench, "schema.log")
            self.assertEqual((state / "schema.log").read_bytes(), history, "nothing is left of what could not be written in whole")
            disk.free()
            bench.daemon.start()
            self.assertEqual(self.assert_same(bench), 1)
            # Rows of an XA transaction that do not fit memory.
            disk.fill()
            rows = ", ".join(f"({i}, {i}, REPEAT('y', 100))" for i in range(10, 10 + XA_ROWS))
            bench.mysql.execute("XA START 'large'", f"INSERT INTO {DATABASE}.later (id, n, note) VALUES {rows}", "XA END 'large'", "XA PREPARE 'large'")
            self.assert_ended(bench, "xa/")
            self.assertEqual([file.name for file in (state / "xa").iterdir()], [])
            disk.free()
            bench.daemon.start()
            bench.wait_for_source()
            Coordinator(bench.mysql).finish("'large'", "COMMIT")
            self.assertEqual(self.assert_same(bench), 1 + XA_ROWS)
            # A small one waits in memory as long as the position does.
            disk.fill()
            bench.mysql.execute("XA START 'small'", f"INSERT INTO {DATABASE}.later (id, n) VALUES (2, 2)", "XA END 'small'", "XA PREPARE 'small'")
            self.wait_for_log(bench, NOT_SAVED)
            Coordinator(bench.mysql).finish("'small'", "COMMIT")
            self.assertEqual(self.assert_same(bench), 2 + XA_ROWS)
            disk.free()
            self.wait_for_log(bench, SAVED_AGAIN)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            self.assertNotIn("damaged", bench.daemon.log.read_text())


class Rabbit310(FullDisk):
    case = {"flavor": "mariadb", "metadata": "FULL", "rabbit": "3.10"}


class Rabbit43(FullDisk):
    case = {"flavor": "mysql", "metadata": "FULL", "rabbit": "4.3", "redis_kind": "redis8"}


del FullDisk, SourceTest
