"""The examples for those who write their own consumer (docs/examples), against the real program: each change once, across restarts and kills of theirs."""
import json
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys

from cases import SourceTest
from harness import servers, wait_until
from harness.bench import INSTANCE
from harness.workload import Workload

EXAMPLES = servers.REPO / "docs" / "examples"
CHANGES = 1_500
SEED = 20240615
JARS = [pathlib.Path("/usr/share/java") / f"{name}.jar" for name in ("amqp-client", "gson", "slf4j-api")]


class Example:
    """A consumer as a process."""

    def __init__(self, bench, name, command):
        self.command, self.name, self.env = command, name, bench.daemon.env
        self.out, self.errors = bench.root / f"{name}.out", bench.root / f"{name}.err"
        self.process = None

    def start(self):
        before = self.said()
        with open(self.out, "ab") as out, open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env=self.env)
        wait_until(lambda: self.said() > before or self.process.poll() is not None, 60, lambda: f"{self.name}\n{self.errors.read_text()}")
        assert self.process.poll() is None, self.errors.read_text()
        return self

    def said(self):
        return self.errors.read_text().count("consuming") if self.errors.exists() else 0

    def end(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            return self.process.wait(30)
        return None


def python_changes(bench):
    with sqlite3.connect(bench.root / "python.db") as db:
        return [json.loads(text) for (text,) in db.execute("SELECT change FROM changes ORDER BY number")]


def java_changes(bench):
    text = (bench.root / "java.journal").read_text(encoding="utf-8")
    return [change for line in text.split("\n") if line.endswith("]}") for change in json.loads(line)["changes"]]


def as_bytes(column, value):
    return value.encode("latin-1" if column in ("raw", "fixed") else "utf-8")


def fold(changes):
    """The hashes that Redis would have of the changes, in their order."""
    rows = {}
    for change in changes:
        key = ":".join(["e2e", change["table"], *(change["data"][column].replace("\\", "\\\\").replace(":", "\\:") for column in change["pkNames"])])
        if change["type"] == "DELETE":
            rows.pop(key.encode(), None)
        else:
            rows[key.encode()] = {name.encode(): as_bytes(name, value) for name, value in change["data"].items() if value is not None}
    return rows


class Consumers(SourceTest):
    case = {"flavor": "mariadb", "metadata": "FULL", "rabbit": "3.10", "partitions": 4}

    def test_each_change_once(self):
        with self.bench() as bench:
            url = f"amqp://guest:guest@127.0.0.1:{bench.rabbit.port}/%2f"
            python = Example(bench, "python", [sys.executable, EXAMPLES / "consumer.py", "--url", url, "--instance", INSTANCE, "--partitions", "4", "--name",
                                               "python", "--state", bench.root / "python.db"])
            both = [(python, lambda: python_changes(bench))]
            if java := self.java(bench, url):
                both.append((java, lambda: java_changes(bench)))
            try:
                for example, _ in both:
                    example.start()
                load = Workload(bench.mysql, CHANGES, SEED)
                load.start()
                for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
                    for example, changes in both:
                        done = len(changes())
                        wait_until(lambda: len(changes()) > done + 50 or load.progress() >= 1, 60, lambda: example.errors.read_text())
                        example.end(how)
                        if example is python and how == signal.SIGTERM:
                            self.assertEqual([json.loads(line) for line in python.out.read_text().split("\n")[:-1]], changes())
                        example.start()
                load.finish(300)
                bench.wait_for_source()
                wanted = self.rows(bench)
                for example, changes in both:
                    wait_until(lambda: fold(changes()) == wanted, 60, lambda: self.wrong(changes(), wanted, example))
                    self.check(load, changes())
                self.assertEqual(python.end(), 0)
                printed = python.out.read_text().split("\n")[:-1]
                self.assertEqual(len(printed), len(set(printed)), "printed twice")
            finally:
                for example, _ in both:
                    example.end(signal.SIGKILL)
            self.assert_in_step(bench)  # whom they do not disturb

    def java(self, bench, url):
        if not shutil.which("javac") or not all(jar.exists() for jar in JARS):
            print("SKIPPED: the example in Java, for which there is no JDK or no library (default-jdk-headless librabbitmq-client-java libgoogle-gson-java)")
            return None
        path = ":".join(map(str, JARS))
        subprocess.run(["javac", "-Xlint:all", "-Werror", "-d", bench.root, "-cp", path, EXAMPLES / "Consumer.java"], check=True, timeout=120)
        return Example(bench, "java", ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{path}:{bench.root}", "Consumer", url, INSTANCE, "4", "java",
                                       str(bench.root / "java.journal")])

    def rows(self, bench):
        """The hashes that Redis has, which is what MySQL has."""
        rows, wrong = bench.differences()
        self.assertEqual(wrong, [])
        self.assertGreater(rows, 100)
        client = bench.redis.client()
        return {key: client.hgetall(key) for key in client.scan_iter("e2e:*", count=1000)}

    def wrong(self, changes, wanted, example):
        return f"{example.name}: {len(fold(changes))} rows of {len(wanted)}\n{example.errors.read_text()}"

    def check(self, load, changes):
        ids = [change["id"] for change in changes]
        self.assertEqual(len(ids), len(set(ids)), "a change twice")
        inserted, updated, deleted, moved = load.counts()
        kinds = [change["type"] for change in changes]
        self.assertEqual((kinds.count("INSERT"), kinds.count("UPDATE"), kinds.count("DELETE")), (inserted + moved, updated, deleted + moved))


del SourceTest
