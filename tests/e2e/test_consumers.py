"""The examples for those who write their own consumer (docs/examples), against the real program: each change once, across restarts and kills of theirs."""
import json
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys

import pika

from cases import SourceTest
from harness import servers, wait_until
from harness.bench import INSTANCE
from harness.workload import Workload

EXAMPLES = servers.REPO / "docs" / "examples"
CHANGES = 1_500
SEED = 20240615
JARS = [pathlib.Path("/usr/share/java") / f"{name}.jar" for name in ("amqp-client", "gson", "slf4j-api")]


class Example:
    """A consumer as a process.  `changes` and `kept`: what it has applied, and the queues it knows a place of."""

    def __init__(self, bench, name, command, changes, kept):
        self.command, self.name, self.env = command, name, bench.daemon.env
        self.changes, self.kept = lambda: changes(bench), lambda: kept(bench)
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


def select(bench, what):
    with sqlite3.connect(bench.root / "python.db") as db:
        return [text for (text,) in db.execute(what)]


def python_changes(bench):
    return [json.loads(text) for text in select(bench, "SELECT change FROM changes ORDER BY number")]


def python_kept(bench):
    return set(select(bench, "SELECT queue FROM applied"))


def journal(bench):
    text = (bench.root / "java.journal").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line.endswith("]}")]


def java_changes(bench):
    return [change for message in journal(bench) for change in message["changes"]]


def java_kept(bench):
    return {message["queue"] for message in journal(bench)}


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
                                               "python", "--state", bench.root / "python.db"], python_changes, python_kept)
            both = [example for example in (python, self.java(bench, url)) if example]
            try:
                for example in both:
                    example.start()
                    # Where a partition begins is known from its ticks on.
                    queues = {f"{example.name}.p4.{n}" for n in range(4)}
                    wait_until(lambda: example.kept() == queues, 60, lambda: f"{example.name}: {example.kept()}\n{example.errors.read_text()}")
                load = Workload(bench.mysql, CHANGES, SEED)
                load.start()
                for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
                    for example in both:
                        done = len(example.changes())
                        wait_until(lambda: len(example.changes()) > done + 50 or load.progress() >= 1, 60, lambda: example.errors.read_text())
                        example.end(how)
                        if example is python and how == signal.SIGTERM:
                            self.assertEqual([json.loads(line) for line in python.out.read_text().split("\n")[:-1]], example.changes())
                        example.start()
                load.finish(300)
                bench.wait_for_source()
                for example in both:
                    self.in_step(bench, example)
                    self.check(load, example.changes())
                # The broker cancels their consumers, on channels that stay open.
                for example in both:
                    self.delete_queue(url, f"{example.name}.p4.0")
                bench.mysql.execute("INSERT INTO e2e.text_key " + " UNION ALL ".join(f"SELECT 'later {n}', 1, ''" for n in range(100)))
                bench.wait_for_source()
                for example in both:
                    self.in_step(bench, example)
                    self.assert_once(example.changes())
                self.assertEqual(python.end(), 0)
                printed = python.out.read_text().split("\n")[:-1]
                self.assertEqual(len(printed), len(set(printed)), "printed twice")
            finally:
                for example in both:
                    example.end(signal.SIGKILL)
            self.assert_in_step(bench)  # whom they do not disturb

    def java(self, bench, url):
        if not shutil.which("javac") or not all(jar.exists() for jar in JARS):
            print("SKIPPED: the example in Java, for which there is no JDK or no library (default-jdk-headless librabbitmq-client-java libgoogle-gson-java)")
            return None
        path = ":".join(map(str, JARS))
        subprocess.run(["javac", "-Xlint:all", "-Werror", "-d", bench.root, "-cp", path, EXAMPLES / "Consumer.java"], check=True, timeout=120)
        return Example(bench, "java", ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{path}:{bench.root}", "Consumer", url, INSTANCE, "4", "java",
                                       str(bench.root / "java.journal")], java_changes, java_kept)

    def delete_queue(self, url, queue):
        """Returns when its reader has made it anew and consumes it."""
        connection = pika.BlockingConnection(pika.URLParameters(url))
        try:
            connection.channel().queue_delete(queue)

            def consumed():
                try:
                    return connection.channel().queue_declare(queue, passive=True).method.consumer_count != 0
                except pika.exceptions.ChannelClosed:
                    return False  # it is not there
            wait_until(consumed, 60, lambda: f"nobody consumes {queue}")
        finally:
            connection.close()

    def in_step(self, bench, example):
        wanted = self.rows(bench)
        wait_until(lambda: fold(example.changes()) == wanted, 60, lambda: self.wrong(example.changes(), wanted, example))

    def rows(self, bench):
        """The hashes that Redis has, which is what MySQL has."""
        rows, wrong = bench.differences()
        self.assertEqual(wrong, [])
        self.assertGreater(rows, 100)
        client = bench.redis.client()
        return {key: client.hgetall(key) for key in client.scan_iter("e2e:*", count=1000)}

    def wrong(self, changes, wanted, example):
        return f"{example.name}: {len(fold(changes))} rows of {len(wanted)}\n{example.errors.read_text()}"

    def assert_once(self, changes):
        ids = [change["id"] for change in changes]
        self.assertEqual(len(ids), len(set(ids)), "a change twice")

    def check(self, load, changes):
        self.assert_once(changes)
        inserted, updated, deleted, moved = load.counts()
        kinds = [change["type"] for change in changes]
        self.assertEqual((kinds.count("INSERT"), kinds.count("UPDATE"), kinds.count("DELETE")), (inserted + moved, updated, deleted + moved))


del SourceTest
