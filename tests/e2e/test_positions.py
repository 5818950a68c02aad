"""Positions: begun at a GTID set or a time, moved, taken back; what is said when the source cannot go on, word for word as in docs/operate.md."""
import binascii
import json

import yaml

from cases import SourceTest, for_each_source
from harness import wait_until
from harness.manual import general, manual_lines

EXIT_USAGE, EXIT_SOURCE, EXIT_DDL = 2, 4, 7


class Positions:
    def assert_in_manual(self, bench, part, level="error"):
        lines = [line for line in bench.daemon.log_lines(level) if part in line]
        self.assertTrue(lines, f"no {level} line with {part}:\n{bench.daemon.tail()}")
        self.assertIn(general(lines[-1]), manual_lines(), lines[-1])

    def configure(self, daemon, section, **values):
        config = yaml.safe_load(daemon.config.read_text())
        config[section].update(values)
        daemon.config.write_text(yaml.safe_dump(config))

    def gtids(self, bench):
        """Executed at the end of the binlog."""
        variable = "gtid_binlog_pos" if bench.mysql.flavor == "mariadb" else "gtid_executed"
        return bench.mysql.execute(f"SELECT @@global.{variable}")[0][0].replace("\n", "")

    def insert(self, bench, *keys):
        bench.mysql.execute(*(f"INSERT INTO e2e.text_key (code, n) VALUES ('{key}', 1)" for key in keys))

    def there(self, bench, keys):
        client = bench.redis.client()
        return [key for key in keys if client.exists(f"e2e:text_key:{key}")]

    def taken_back(self, bench, keys, **start):
        """Removes the keys from Redis and begins anew; those that come back, once Redis has all that the source has."""
        bench.redis.client().delete(*(f"e2e:text_key:{key}" for key in keys))
        self.configure(bench.daemon, "source", start=start)
        done = bench.daemon.command("position", "reset", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        bench.epoch += 1
        bench.daemon.start()
        bench.wait_for_source()
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        return self.there(bench, keys)

    def test_positions_by_gtid_and_time(self):
        with self.bench() as bench:
            keys = ["a", "b", "c"]
            self.insert(bench, "a")
            behind_a = self.gtids(bench)
            self.insert(bench, "b")
            now = lambda: bench.mysql.execute("SELECT UNIX_TIMESTAMP()")[0][0]
            before = now()
            wait_until(lambda: now() > before, 5, "another second")
            time = now()
            file, pos = bench.mysql.position()
            self.insert(bench, "c")
            # What the table was like before is known, though the binlog may not name its columns.
            bench.mysql.execute("ALTER TABLE e2e.text_key ADD COLUMN ahead INT NULL FIRST")
            bench.wait_for_source()
            self.assertEqual(bench.daemon.stop(), 0)

            back = bench.daemon.command("position", "set", f"{file}:{pos}")
            self.assertEqual(back.returncode, EXIT_USAGE, back.stdout)
            self.assertIn("sluice position reset", back.stderr)
            inside = bench.daemon.command("position", "set", f"{file}:{pos + 30}")
            self.assertEqual(inside.returncode, EXIT_USAGE, inside.stdout)
            self.assertIn(f"the nearest ones are {file}:{pos} and {file}:", inside.stderr)

            told = bench.daemon.command("position", "reset")
            self.assertIn("nothing was changed", told.stdout)
            self.assertEqual(self.taken_back(bench, keys, gtid=behind_a), ["b", "c"])
            self.assertEqual(bench.redis.client().hgetall("e2e:text_key:c"), {b"code": b"c", b"n": b"1"})
            self.assertIn("epoch      2", bench.daemon.command("position", "show").stdout)
            self.assertEqual(self.taken_back(bench, keys, timestamp=int(time)), ["c"])
            self.assertEqual(self.taken_back(bench, keys, file=file, pos=pos), ["c"])
            self.assertIn("epoch      4", bench.daemon.command("position", "show").stdout)

            self.insert(bench, "left out")
            behind = self.gtids(bench)
            self.insert(bench, "taken")
            done = bench.daemon.command("position", "set", "--gtid", behind)
            self.assertEqual(done.returncode, 0, done.stderr)
            bench.daemon.start()
            wait_until(lambda: self.there(bench, ["taken"]), 60, bench.daemon.tail)
            self.assertEqual(self.there(bench, ["left out"]), [])
            self.assertIn(" gaps=0 ", bench.daemon.status())
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def purge(self, bench):
        """All files but the one being written."""
        bench.mysql.execute("FLUSH BINARY LOGS")
        file = bench.mysql.position()[0]

        def purged():
            bench.mysql.execute(f"PURGE BINARY LOGS TO '{file}'")
            return bench.mysql.execute("SHOW BINARY LOGS")[0][0] == file
        wait_until(purged, 30, "a purge")

    def dump_threads(self, bench):
        return [row[0] for row in bench.mysql.execute("SHOW PROCESSLIST") if row[4].startswith("Binlog Dump")]

    def test_what_is_said_is_in_the_manual(self):
        with self.bench(source={"server_id": 4242}) as bench:
            self.insert(bench, "first")
            bench.wait_for_source()
            # Purged while we are away for a moment.
            bench.daemon.freeze()
            for thread in self.dump_threads(bench):
                bench.mysql.execute(f"KILL {thread}")
            wait_until(lambda: not self.dump_threads(bench), 30, "the end of the dump")
            self.insert(bench, "lost")
            self.purge(bench)
            bench.daemon.thaw()
            self.assertEqual(bench.daemon.wait_for_end(60), EXIT_SOURCE, bench.daemon.tail())
            self.assert_in_manual(bench, "error 1236")
            # Found at the start.
            self.assertEqual(bench.daemon.start().wait_for_end(60), EXIT_SOURCE)
            self.assert_in_manual(bench, "is not on the source any more")
            # And accepted.
            self.configure(bench.daemon, "source", on_purged="earliest")
            self.insert(bench, "behind")
            bench.daemon.start()
            wait_until(lambda: self.there(bench, ["behind"]), 60, bench.daemon.tail)
            self.assertEqual(self.there(bench, ["first", "lost"]), ["first"])
            self.assert_in_manual(bench, "purged binlogs before they were read")

            self.say_the_duplicate(bench)
            self.say_what_cannot_be_followed(bench)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            bench.mysql.execute("REVOKE REPLICATION SLAVE ON *.* FROM sluice@'127.0.0.1'")
            self.assertEqual(bench.daemon.start().wait_for_end(60), EXIT_SOURCE)
            self.assert_in_manual(bench, "lacks REPLICATION SLAVE")
            self.pretend_another_flavor(bench)
            self.assertEqual(bench.daemon.start().wait_for_end(60), EXIT_SOURCE)
            self.assert_in_manual(bench, "and this instance followed")

    def say_the_duplicate(self, bench):
        """A second replica with our server_id: MySQL tells us of the first, MariaDB ends one of the two."""
        other = bench.second_daemon("other")
        with other:
            if bench.mysql.flavor == "mysql":
                self.assertEqual(other.wait_for_end(60), EXIT_SOURCE, other.tail())
                line = [line for line in other.log_lines("error") if "is taken by another replica" in line][-1]
                self.assertIn(general(line), manual_lines(), line)
                return
            self.assertEqual(bench.daemon.wait_for_end(60), EXIT_SOURCE, bench.daemon.tail())
            self.assert_in_manual(bench, "mysql.server_id_taken")
        bench.daemon.start()
        bench.wait_for_source()

    def say_what_cannot_be_followed(self, bench):
        """A table made like one of a database that is not followed, and altered again before its rows are read."""
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        bench.mysql.execute("CREATE DATABASE elsewhere", "CREATE TABLE elsewhere.y (id INT PRIMARY KEY, a INT)", "CREATE TABLE e2e.copied LIKE elsewhere.y",
                            "INSERT INTO e2e.copied VALUES (1, 1)", "ALTER TABLE e2e.copied ADD COLUMN b INT FIRST")
        file, pos = bench.mysql.position()
        bench.daemon.start()
        if bench.mysql.metadata == "FULL":  # the binlog names the columns
            bench.wait_for_source()
        else:
            self.assertEqual(bench.daemon.wait_for_end(60), EXIT_DDL, bench.daemon.tail())
            self.assert_in_manual(bench, "schema.unknown")
            done = bench.daemon.command("position", "set", f"{file}:{pos}")
            self.assertEqual(done.returncode, 0, done.stderr)
            bench.daemon.start()
            bench.wait_for_source()
        self.assert_in_manual(bench, "cannot be followed", "warning")

    def pretend_another_flavor(self, bench):
        """The state file of an instance that followed a server of the other family."""
        path = bench.daemon.state_folder / "state.json"
        state = json.loads(path.read_text())
        del state["crc"]
        state["source"]["flavor"] = {"mysql": "mariadb", "mariadb": "mysql"}[bench.mysql.flavor]
        text = json.dumps(state, sort_keys=True, separators=(",", ":"))
        state["crc"] = f"{binascii.crc32(text.encode()):08x}"
        path.write_text(json.dumps(state))


class PositionsBase(Positions, SourceTest):
    pass


for_each_source(PositionsBase, globals())
del PositionsBase, SourceTest
