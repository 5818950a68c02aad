"""Another history at the address of the one that was followed: refused, nothing of it applied, and gone on with as the log says."""
import re
import shutil

import yaml

from cases import SourceTest
from harness import compare
from harness.manual import general, manual_lines
from harness.workload import DATABASE, TABLES, Workload

EXIT_SOURCE, EXIT_TIMEOUT = 4, 11
CHANGES = 300
SEED = 20260131
MANY = 400  # rows that make a new file longer than the old one was
KINDS = {
    "Mysql": {"flavor": "mysql", "metadata": "MINIMAL"},
    "MysqlWithoutGtids": {"flavor": "mysql", "metadata": "MINIMAL", "server_options": "--gtid-mode=OFF --enforce-gtid-consistency=OFF"},
    "Mariadb": {"flavor": "mariadb", "metadata": "MINIMAL"},
    "Mariadb118": {"flavor": "mariadb", "version": "11.8", "metadata": "FULL"},
}


class Identity:
    def insert(self, bench, *keys):
        bench.mysql.execute(*(f"INSERT INTO e2e.text_key (code, n) VALUES ('{key}', 1)" for key in keys))

    def reset_binlog(self, bench):
        bench.mysql.execute("RESET MASTER" if bench.mysql.flavor == "mariadb" else "RESET BINARY LOGS AND GTIDS")

    def data(self, bench):
        return bench.root / bench.mysql.name / "data"

    def refused(self, bench, *says, but_not):
        """The program ended by itself, and applied none of these keys; the last line of its log."""
        self.assertEqual(bench.daemon.wait_for_end(60), EXIT_SOURCE, bench.daemon.tail())
        client = bench.redis.client()
        self.assertEqual([key for key in but_not if client.exists(f"e2e:text_key:{key}")], [])
        first = bench.daemon.log_lines("error")[-1]
        for part in says:
            self.assertIn(part, first)
        again = bench.daemon.start().wait_for_end(60)
        self.assertEqual(again, EXIT_SOURCE, "another start changes nothing")
        self.assertEqual(bench.daemon.command("check").returncode, EXIT_SOURCE)
        line = bench.daemon.log_lines("error")[-1]
        for said in (first, line):
            self.assertIn(general(said), manual_lines(), said)
        return line

    def gone_on_with(self, bench, line, start, load):
        """Does what the log says: source.start, the command, and the data anew; the tables are equal then."""
        command = re.search(r"`sluice (position reset --config FILE --yes)`", line)
        self.assertIsNotNone(command, line)
        config = yaml.safe_load(bench.daemon.config.read_text())
        config["source"]["start"] = start
        bench.daemon.config.write_text(yaml.safe_dump(config))
        done = bench.daemon.command(*command.group(1).replace(" --config FILE", "").split())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        bench.epoch += 1
        self.assertIn(f"-> {bench.epoch}", done.stdout)
        # The watermark is of the old history, whose positions are others.
        wait = ("wait", "--pos", ":".join(map(str, bench.mysql.position())), "--timeout", "500ms")
        self.assertEqual(bench.daemon.command(*wait).returncode, EXIT_TIMEOUT)
        if load:
            self.load_anew(bench)
        bench.daemon.start()
        self.goes_on(bench)
        self.assertEqual(bench.daemon.command(*wait).returncode, 0)
        self.assertEqual(bench.daemon.command(*wait, "--epoch", str(bench.epoch + 1)).returncode, EXIT_TIMEOUT)

    def goes_on(self, bench):
        """Equal with what is there, and with what comes."""
        bench.mysql.execute("INSERT INTO e2e.text_key (code, n) VALUES ('goes on', 1) ON DUPLICATE KEY UPDATE n = n + 1",
                            "DELETE FROM e2e.text_key WHERE code = 'unread'")
        self.assert_in_step(bench)
        self.assertIn(f"epoch      {bench.epoch}\n", bench.daemon.command("position", "show").stdout)
        self.assertIn(" gaps=0 ", bench.daemon.status())

    def load_anew(self, bench):
        """What an operator's own loader does."""
        client = bench.redis.client()
        hashes, _ = compare.expected_hashes(bench.mysql, DATABASE, TABLES)
        with client.pipeline(transaction=False) as pipeline:
            for key in client.scan_iter(match=f"{DATABASE}:*", count=1000):
                pipeline.delete(key)
            for key, fields in hashes.items():
                pipeline.hset(key, mapping=fields)
            pipeline.execute()

    def start_with_another_base_name(self, bench, name):
        """As after a change of log_bin in my.cnf; the old files are not there any more."""
        bench.mysql.stop()
        for path in self.data(bench).glob("*.[0-9][0-9][0-9][0-9][0-9][0-9]"):
            path.unlink()
        bench.mysql.env["SERVER_OPTIONS"] += f" --log-bin={self.data(bench) / name} --log-bin-index={self.data(bench) / name}.index"
        bench.mysql.start()

    def test_another_history(self):
        with self.bench(source={"heartbeat": "500ms"}) as bench:
            load = Workload(bench.mysql, CHANGES, SEED)
            load.start()
            load.finish(120)
            bench.wait_for_source()
            self.binlog_is_reset_while_it_runs(bench)
            self.binlog_is_reset_while_it_is_stopped(bench)
            self.source_is_restored(bench)
            self.base_name_changes(bench)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def binlog_is_reset_while_it_runs(self, bench):
        """The server leaves the dump waiting in a file that is gone, heartbeats and all."""
        self.reset_binlog(bench)
        self.insert(bench, "r1", "r2")
        line = self.refused(bench, "mysql.", but_not=["r1", "r2"])
        self.gone_on_with(bench, line, "earliest", load=False)  # all before the reset was read

    def binlog_is_reset_while_it_is_stopped(self, bench):
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        self.insert(bench, "unread")
        self.reset_binlog(bench)
        self.insert(bench, *(f"s{i}" for i in range(MANY)))
        bench.daemon.start()
        line = self.refused(bench, "is not the file that was read before", but_not=["unread", "s0", f"s{MANY - 1}"])
        self.gone_on_with(bench, line, "latest", load=True)

    def source_is_restored(self, bench):
        copy = bench.root / "copy"
        bench.mysql.stop()
        shutil.copytree(self.data(bench), copy)
        bench.mysql.start()
        self.insert(bench, *(f"future{i}" for i in range(10)))
        bench.wait_for_source()
        bench.mysql.stop()
        shutil.rmtree(self.data(bench))
        copy.rename(self.data(bench))
        bench.mysql.start()
        self.insert(bench, *(f"restored{i}" for i in range(20)))
        line = self.refused(bench, "mysql.identity", but_not=["restored0", "restored19"])
        self.gone_on_with(bench, line, "latest", load=True)

    def base_name_changes(self, bench):
        gtids_go_on = bench.mysql.flavor == "mysql" and "OFF" not in bench.mysql.env["SERVER_OPTIONS"]
        self.start_with_another_base_name(bench, "other")
        self.insert(bench, "o1")
        if gtids_go_on:  # they prove that nothing is missing
            bench.epoch += 1
            self.goes_on(bench)
        else:
            self.gone_on_with(bench, self.refused(bench, "mysql.", but_not=["o1"]), "latest", load=True)
        # What was not read is gone with the old files.
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        self.insert(bench, "unread")
        self.start_with_another_base_name(bench, "third")
        self.insert(bench, *(f"t{i}" for i in range(30)))  # more than were read: their numbers may be the same
        bench.daemon.start()
        line = self.refused(bench, "mysql.", but_not=["unread", "t0", "t29"])
        self.gone_on_with(bench, line, "latest", load=True)


for kind, case in KINDS.items():
    globals()[kind] = type(kind, (Identity, SourceTest), {"case": case, "__module__": __name__})
del SourceTest
