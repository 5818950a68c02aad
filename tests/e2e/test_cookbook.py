"""Pages of docs/cookbook that need no more than a configuration, run as they stand there: statements, commands, and what they print."""
import pathlib
import re
import shlex
import subprocess

import yaml

from cases import SourceTest
from harness import wait_until
from harness.pages import blocks, commands, statements

COOKBOOK = pathlib.Path(__file__).resolve().parents[2] / "docs" / "cookbook"
PATIENCE = 60


class Page(SourceTest):
    case = {"flavor": "mariadb"}

    def assert_true(self, name, shown):
        folder = COOKBOOK / name
        config = folder / "sluice.yaml"
        said = yaml.safe_load(config.read_text())
        for table in said["tables"]:
            if "script" in table:
                table["script"] = str(folder / table["script"])
        done = 0
        with self.bench(filter=said["filter"], tables=said["tables"]) as bench:
            for language, text in blocks(COOKBOOK / f"{name}.md"):
                if language == "sql":
                    bench.mysql.execute(*statements(text))
                    bench.wait_for_source()
                elif language == "yaml":
                    self.assertEqual(text, config.read_text())
                elif language == "lua":
                    self.assertEqual(text, (folder / f"{name}.lua").read_text())
                else:
                    self.assertEqual(language, "console")
                    for command, wanted in commands(text):
                        if command.startswith("sluice script test "):
                            self.assert_script_prints(bench, folder, command, wanted)
                        else:
                            self.assert_prints(bench, command, wanted)
                        done += 1
            self.assertIn(" dead_letters=0 ", bench.daemon.status())
        self.assertEqual(done, shown)

    def assert_script_prints(self, bench, folder, command, wanted):
        ran = subprocess.run([bench.binary, *shlex.split(command)[1:]], cwd=folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.stdout, wanted)
        self.assertEqual(ran.returncode, 1 if "error: " in wanted else 0, ran.stderr)

    def assert_prints(self, bench, command, wanted):
        words = shlex.split(command)
        self.assertEqual(words[0], "redis-cli")

        def printed():
            out = subprocess.run(["redis-cli", "-p", str(bench.redis.port), "--no-raw", *words[1:]], capture_output=True, text=True, check=True, timeout=30).stdout
            # Columns of numbers are aligned.
            return re.sub(r"^ +", "", out, flags=re.M)

        if words[1] == "TTL":  # it runs
            left, whole = (int(text.removeprefix("(integer) ")) for text in (printed(), wanted))
            self.assertTrue(whole - 5 * PATIENCE < left <= whole, f"{command}: {left}")
            return
        wait_until(lambda: printed() == wanted, PATIENCE, lambda: f"{command}\n{wanted}instead of\n{printed()}{bench.daemon.tail()}")


class Cookbook(Page):
    def test_orders(self):
        self.assert_true("orders", shown=13)

    def test_products(self):
        self.assert_true("products", shown=12)

    def test_leaderboard(self):
        self.assert_true("leaderboard", shown=12)


del Page, SourceTest
