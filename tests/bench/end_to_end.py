#!/usr/bin/python3
"""Rows a second and latencies of the whole program between real servers, beside what the servers do without it.

Prints one JSON document on stdout, progress on stderr.  Nothing here passes or fails by time; the exit code is not 0 when Redis
does not hold what the source holds.  docs/benchmarks.md says what each number means.
"""
import argparse
import concurrent.futures
import contextlib
import csv
import datetime
import io
import json
import multiprocessing
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import pika

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests" / "e2e"))

import measure  # noqa: E402
import workloads  # noqa: E402
from harness import servers, wait_until  # noqa: E402
from harness.daemon import Daemon  # noqa: E402

PATIENCE = 600  # seconds a phase may take
SOURCE_OPTIONS = ("--sync-binlog=0 --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-buffer-pool-size=512M "
                  "--max-binlog-size=1G --binlog-cache-size=32M --binlog-row-metadata={metadata} {redo}")
REDO = {"mariadb": "--innodb-log-file-size=512M", "mysql": "--innodb-redo-log-capacity=512M"}


def say(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


class Source(servers.Mysql):
    """Nothing is fsynced: the disk is not what is measured."""

    def __init__(self, root, flavor, metadata):
        super().__init__(root, flavor, metadata)
        self.options = SOURCE_OPTIONS.format(metadata=metadata, redo=REDO[flavor])
        self.env["SERVER_OPTIONS"] = self.options

    def version(self):
        return self.execute("SELECT VERSION()")[0][0]


class Target(servers.Redis):
    def __init__(self, root, kind):
        super().__init__(root, kind)
        self.env["SERVER_OPTIONS"] = "appendfsync everysec"

    def rows_written(self):
        """Commands that carry a row, since the last reset: none of our tables has NULLs or changed keys, so it is one a row."""
        calls = self.command_calls()
        return calls.get("hset", 0) + calls.get("unlink", 0)

    def empty(self):
        client = self.client()
        client.flushall()
        client.config_resetstat()


def hold_queues(port, names, holding):
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, heartbeat=0))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    for name in names:
        channel.basic_consume(name, lambda *_: None)
    holding.set()
    threading.Event().wait()


class EndToEnd:
    def __init__(self, args):
        self.args = args
        base = pathlib.Path(args.root)
        base.mkdir(parents=True, exist_ok=True)
        self.root = pathlib.Path(tempfile.mkdtemp(prefix=f"bench-{args.source}-", dir=base))
        self.source = Source(self.root, args.source, args.metadata)
        self.rabbit = servers.Rabbit(self.root, args.rabbit)
        self.redis = Target(self.root, args.redis)
        self.password = secrets.token_hex(12)
        self.daemons = {}

    def __enter__(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for started in [pool.submit(s.start) for s in (self.source, self.rabbit, self.redis)]:
                started.result()
        self.source.execute(f"CREATE USER sluice@'127.0.0.1' IDENTIFIED BY '{self.password}'",
                            "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO sluice@'127.0.0.1'", *workloads.schema())
        return self

    def __exit__(self, kind, *_):
        for daemon in self.daemons.values():
            daemon.__exit__()
            if kind is not None:
                print(daemon.tail(20), file=sys.stderr)
        servers.stop_all(self.root)
        shutil.rmtree(self.root)

    # the program

    def config(self, instance):
        return {
            "instance": instance, "state_dir": str(self.root / f"state-{instance}"),
            "source": {"host": "127.0.0.1", "port": self.source.port, "user": "sluice", "password": self.password},
            "filter": {"include": [rf"{workloads.DATABASE}\..*"]},
            "queue": {"host": "127.0.0.1", "port": self.rabbit.port, "partitions": self.args.partitions, "type": self.args.queue_type},
            "redis": {"host": "127.0.0.1", "port": self.redis.port},
            "applier": {"min": self.args.applier_threads, "max": self.args.applier_threads},
            # How finely "all confirmed" can be seen: by the saved position.
            "limits": {"save_interval": "100ms"},
            "log": {"status_interval": "1s"},
        }

    def launch(self, instance):
        """Starts it and waits until it runs."""
        if instance not in self.daemons:
            self.daemons[instance] = Daemon(self.args.binary, self.root / instance, self.config(instance), self.root)
        daemon = self.daemons[instance]
        seen = daemon.log.read_text().count("running instance=") if daemon.log.exists() else 0
        daemon.start()
        wait_until(lambda: self.lives(daemon) and daemon.log.read_text().count("running instance=") > seen, 60, daemon.tail, every=0.005)
        return daemon

    @staticmethod
    def lives(daemon):
        daemon.check_alive()
        return True

    def prepare(self, instance):
        """Leaves an instance behind that goes on from here."""
        self.launch(instance).stop()

    def server_pids(self):
        pid = lambda name: int((self.root / name / "pid").read_text().split()[0])  # noqa: E731
        return {self.args.source: pid(self.args.source), "rabbitmq": pid("rabbit"), "redis": pid("redis")}

    def meter(self):
        return measure.CpuMeter(self.server_pids())

    # conditions, as times

    @staticmethod
    def position_key(file, pos):
        return int(file.rpartition(".")[2]), pos

    def wait_confirmed(self, daemon, end):
        wait_until(lambda: self.lives(daemon) and self.position_key(*daemon.saved_position()) >= self.position_key(*end), PATIENCE,
                   daemon.tail, every=0.02)
        return time.monotonic()

    def wait_written(self, daemon, rows):
        wait_until(lambda: self.lives(daemon) and self.redis.rows_written() >= rows, PATIENCE, daemon.tail, every=0.02)
        return time.monotonic()

    def wait_watermark(self, daemon, instance, end):
        client = self.redis.client()

        def reached():
            self.lives(daemon)
            text = client.get(f"sluice:{instance}:watermark")
            if text is None:
                return False
            tick = json.loads(text)["tick"]
            return (int(tick["file_number"]), int(tick["pos"])) >= self.position_key(*end)

        wait_until(reached, PATIENCE, daemon.tail, every=0.02)
        return time.monotonic()

    def check_equal(self, table):
        """Rows of the table; raises unless Redis holds as many."""
        wanted = self.source.execute(f"SELECT COUNT(*) FROM {workloads.DATABASE}.{table}")[0][0]
        found = sum(1 for _ in self.redis.client().scan_iter(match=f"{workloads.DATABASE}:{table}:*", count=10000))
        if wanted != found:
            raise RuntimeError(f"{table}: {wanted} rows in the source, {found} hashes in Redis")
        return wanted

    # phases

    def record(self):
        self.source.execute("FLUSH BINARY LOGS")
        file, begin = self.source.position()
        rows = self.args.rows // 8 * 8
        began = time.monotonic()
        self.source.execute(*workloads.bulk(rows))
        end = self.source.position()
        seconds = time.monotonic() - began
        sizes = {row[0]: int(row[1]) for row in self.source.execute("SHOW BINARY LOGS")}
        size = sum(n for name, n in sizes.items() if name >= file) - begin
        say(f"recorded {rows} row changes, {size} bytes, in {seconds:.1f} s")
        return {"rows": rows, "binlog_bytes": size, "binlog_bytes_row": round(size / rows, 1), "recording_s": round(seconds, 2),
                "source_rows_s": round(rows / seconds)}, end

    @contextlib.contextmanager
    def appliers_held(self, instance):
        """Each queue's single active consumer is a process that does nothing.  It is killed: its library would give the messages back
        one by one, and a quorum queue puts those at its end."""
        holding = multiprocessing.Event()
        holder = multiprocessing.Process(target=hold_queues, args=(self.rabbit.port, self.queue_names(instance), holding), daemon=True)
        holder.start()
        try:
            if not holding.wait(30):
                raise RuntimeError("the queues could not be held")
            yield
        finally:
            holder.kill()
            holder.join(10)

    def queue_names(self, instance):
        return [f"sluice.{instance}.p{self.args.partitions}.{n}" for n in range(self.args.partitions)]

    def queued(self, instance):
        """Messages in the partition queues."""
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.rabbit.port))
        try:
            channel = connection.channel()
            held = self.args.partitions  # one by each idle consumer, which are not counted as ready
            return held + sum(channel.queue_declare(name, passive=True).method.message_count for name in self.queue_names(instance))
        finally:
            connection.close()

    def sent_bytes(self, instance):
        """What the broker has received on the publisher's connection: bodies, headers and framing (under 1 % for large messages)."""
        for line in self.rabbit.ctl("list_connections", "client_properties", "recv_oct").splitlines():
            if f"sluice.{instance} publisher" in line:
                return int(line.split("\t")[-1])
        raise RuntimeError("the publisher's connection is not listed")

    def drain_apart(self, recorded, end):
        """Into the queues while nobody takes anything out; then from full queues into Redis."""
        instance, rows = "apart", recorded["rows"]
        self.redis.empty()
        with self.appliers_held(instance):
            meter, began = self.meter(), time.monotonic()
            daemon = self.launch(instance)
            started = time.monotonic()
            seconds = self.wait_confirmed(daemon, end) - began
            publish = {"rows_s": round(rows / seconds), "wall_s": round(seconds, 2), "startup_s": round(started - began, 2),
                       "cpu_s": meter.stop(daemon.process.pid), "sluice_peak_rss_bytes": measure.peak_rss(daemon.process.pid)}
            say(f"into RabbitMQ alone: {publish['rows_s']} rows/s")
            messages, body = self.queued(instance), self.sent_bytes(instance)
            publish |= {"messages": messages, "published_bytes": body, "bytes_row": round(body / rows, 1),
                        "published_to_binlog": round(body / recorded["binlog_bytes"], 2), "mb_s": round(body / seconds / 1e6, 1)}
            daemon.stop()
        meter, began = self.meter(), time.monotonic()
        daemon = self.launch(instance)
        started = time.monotonic()
        written = self.wait_written(daemon, rows) - began
        cpu = meter.stop(daemon.process.pid)
        marked = self.wait_watermark(daemon, instance, end) - began
        apply = {"rows_s": round(rows / written), "wall_s": round(written, 2), "watermark_reached_s": round(marked, 2), "startup_s": round(started - began, 2),
                 "cpu_s": cpu, "sluice_peak_rss_bytes": measure.peak_rss(daemon.process.pid)}
        say(f"into Redis alone: {apply['rows_s']} rows/s")
        self.check_equal("bulk")
        daemon.stop()
        return {"publish": publish, "apply": apply}

    def drain_together(self, recorded, end):
        """All of it at once, as it runs."""
        instance, rows = "together", recorded["rows"]
        self.redis.empty()
        meter, began = self.meter(), time.monotonic()
        daemon = self.launch(instance)
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            confirmed = pool.submit(self.wait_confirmed, daemon, end)
            written = self.wait_written(daemon, rows) - began
            cpu = meter.stop(daemon.process.pid)
            marked = self.wait_watermark(daemon, instance, end) - began
            confirmed = confirmed.result() - began
        sent = self.sent_bytes(instance)
        out = {"into_rabbitmq_rows_s": round(rows / confirmed), "into_redis_rows_s": round(rows / written), "wall_s": round(written, 2),
               "all_confirmed_s": round(confirmed, 2), "watermark_reached_s": round(marked, 2), "startup_s": round(started - began, 2),
               "cpu_s": cpu, "sluice_peak_rss_bytes": measure.peak_rss(daemon.process.pid),
               "published_bytes": sent, "bytes_row": round(sent / rows, 1), "published_to_binlog": round(sent / recorded["binlog_bytes"], 2),
               "messages_applied": self.redis.command_calls().get("exec", 0), "rows_in_redis": self.check_equal("bulk")}
        say(f"together: {out['into_rabbitmq_rows_s']} rows/s into RabbitMQ, {out['into_redis_rows_s']} rows/s into Redis")
        daemon.stop()
        return out

    def live(self):
        instance, writers = "live", 4
        self.redis.empty()
        meter = self.meter()
        daemon = self.launch(instance)
        began = time.monotonic()
        rows = multiprocessing.Value("q", 0)
        processes = [multiprocessing.Process(target=workloads.write_live, args=(self.source.connect, i, began + self.args.seconds, rows), daemon=True)
                     for i in range(writers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(self.args.seconds + 60)
            if process.exitcode != 0:
                raise RuntimeError(f"a writer ended with {process.exitcode}")
        wrote = time.monotonic()
        at_end = self.redis.rows_written()
        status = measure.status_lines(daemon.tail(5))[-1]
        end = self.source.position()
        everything = self.wait_written(daemon, rows.value)
        cpu = meter.stop(daemon.process.pid)
        marked = self.wait_watermark(daemon, instance, end)
        out = {"writers": writers, "rows_per_transaction": workloads.LIVE_INSERTED + workloads.LIVE_UPDATED + workloads.LIVE_DELETED,
               "source_rows_s": round(rows.value / (wrote - began)), "sustained_rows_s": round(rows.value / (everything - began)),
               "rows_behind_at_end": rows.value - at_end, "behind_at_end_s": round(everything - wrote, 3),
               "watermark_age_at_end_s": status.get("watermark_age_s"), "watermark_reached_after_end_s": round(marked - wrote, 2),
               "messages_applied": self.redis.command_calls().get("exec", 0), "cpu_s": cpu,
               "sluice_peak_rss_bytes": measure.peak_rss(daemon.process.pid), "rows_in_redis": self.check_equal("live")}
        say(f"live: {out['source_rows_s']} rows/s written, {out['sustained_rows_s']} rows/s sustained, {out['behind_at_end_s']} s behind at the end")
        daemon.stop()
        return out

    def latency(self):
        instance, probe_rate = "latency", 50
        self.redis.empty()
        meter = self.meter()
        daemon = self.launch(instance)
        done = multiprocessing.Value("q", 0)
        seconds = self.args.seconds
        writer = multiprocessing.Process(target=workloads.write_paced, args=(self.source.connect, self.args.rate - probe_rate, seconds + 1, done), daemon=True)
        began = time.monotonic()
        writer.start()
        time.sleep(0.5)  # the load stands before the probe looks
        seen_before = len(measure.status_lines(daemon.log.read_text()))
        probe = workloads.probe_rows(self.source.connect, self.redis.client(), probe_rate, seconds)
        lines = [line for line in measure.status_lines(daemon.log.read_text())[seen_before:] if line.get("commit_to_redis_p50_s", "-") != "-"]
        writer.join(60)
        wrote = time.monotonic() - began
        cpu = meter.stop(daemon.process.pid)
        if writer.exitcode != 0:
            raise RuntimeError(f"the writer ended with {writer.exitcode}")
        p50 = [float(line["commit_to_redis_p50_s"]) for line in lines]
        p99 = [float(line["commit_to_redis_p99_s"]) for line in lines]
        out = {"wanted_transactions_s": self.args.rate, "reached_transactions_s": round((done.value + len(probe)) / wrote),
               "messages_applied": self.redis.command_calls().get("exec", 0), "cpu_s": cpu,
               "from_outside": {"samples": len(probe), "p50_ms": round(measure.percentile(probe, 0.5) * 1e3, 2),
                                "p99_ms": round(measure.percentile(probe, 0.99) * 1e3, 2), "max_ms": round(max(probe) * 1e3, 2)},
               "from_status_line": {"lines": len(lines), "p50_ms_median_of_seconds": round(measure.percentile(p50, 0.5) * 1e3, 2),
                                    "p99_ms_median_of_seconds": round(measure.percentile(p99, 0.5) * 1e3, 2), "p99_ms_worst_second": round(max(p99) * 1e3, 2),
                                    "commit_time": "microseconds, from the binlog" if self.args.source == "mysql" else
                                    "an estimate: this source logs whole seconds, so the time the event was read stands for it"}}
        say(f"latency: p50 {out['from_outside']['p50_ms']} ms, p99 {out['from_outside']['p99_ms']} ms from outside")
        daemon.stop()
        return out

    # what the servers do without us

    def redis_alone(self, rows):
        out = []
        for pipeline in (16, 64, 256):
            self.redis.empty()
            done = subprocess.run(["redis-benchmark", "-h", "127.0.0.1", "-p", str(self.redis.port), "-c", str(self.args.applier_threads), "-P", str(pipeline),
                                   "-n", str(rows), "-r", str(rows), "--csv", "HSET", "bench:raw:__rand_int__", *workloads.SAMPLE],
                                  check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
            row = list(csv.reader(io.StringIO(done.stdout)))[-1]
            out.append({"pipeline": pipeline, "clients": self.args.applier_threads, "requests": rows, "hset_s": round(float(row[-7]))})
            say(f"redis-benchmark pipeline {pipeline}: {out[-1]['hset_s']} HSET/s")
        self.redis.empty()
        return out

    def rabbit_alone(self, messages, size):
        out = []
        for queues in (1, self.args.partitions):
            done = subprocess.run([self.args.raw_publish, str(self.rabbit.port), self.args.queue_type, str(queues), str(messages), str(size), "100"],
                                  check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
            out.append(json.loads(done.stdout))
            say(f"raw publish to {queues} queue(s): {out[-1]['messages_s']} messages/s, {out[-1]['mb_s']} MB/s")
        return out

    def run(self):
        result = {"began": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "machine": measure.machine(),
                  "command": " ".join(sys.argv), "settings": self.settings()}
        self.prepare("apart")
        self.prepare("together")
        recorded, end = self.record()
        result["recorded"] = recorded
        result["drain"] = {"apart": self.drain_apart(recorded, end), "together": self.drain_together(recorded, end)}
        result["live"] = self.live()
        result["latency"] = self.latency()
        rows, publish = recorded["rows"], result["drain"]["apart"]["publish"]
        messages = max(1, publish["messages"])
        result["redis_benchmark"] = self.redis_alone(rows)
        result["raw_publish"] = self.rabbit_alone(messages, max(1, publish["published_bytes"] // messages))
        together = result["drain"]["together"]
        best_redis = max(line["hset_s"] for line in result["redis_benchmark"])
        result["ours_to_theirs"] = {
            "apply_alone_to_best_redis_benchmark": round(result["drain"]["apart"]["apply"]["rows_s"] / best_redis, 2),
            "drain_into_redis_to_best_redis_benchmark": round(together["into_redis_rows_s"] / best_redis, 2),
            **{f"publish_alone_to_raw_publish_{line['queues']}_queues": round(publish["mb_s"] / line["mb_s"], 2) for line in result["raw_publish"]}}
        result["load_average_after"] = measure.machine()["load_average_before"]
        return result

    def settings(self):
        program = subprocess.run([self.args.binary, "version"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return {"sluice": program.stdout.strip(), "binary": self.args.binary,
                "source": {"version": self.source.version(), "options": self.source.options, "durability": "nothing is fsynced"},
                "rabbitmq": {"version": self.rabbit.ctl("version"), "queue_type": self.args.queue_type, "partitions": self.args.partitions,
                             "messages": "persistent, confirmed"},
                "redis": {"version": self.redis.client().info("server")["redis_version"], "appendonly": "yes", "appendfsync": "everysec"},
                "applier_threads": self.args.applier_threads, "save_interval": "100ms",
                "network": "all on loopback of one machine, which the load generators share"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", choices=["mariadb", "mysql"], default="mariadb")
    parser.add_argument("--rabbit", choices=["3.10", "4.3"], default="3.10")
    parser.add_argument("--redis", choices=["redis", "redis8"], default="redis")
    parser.add_argument("--rows", type=int, default=1_000_000, help="row changes to drain")
    parser.add_argument("--seconds", type=int, default=20, help="length of the live and the latency phase")
    parser.add_argument("--rate", type=int, default=1000, help="transactions a second of the latency phase")
    parser.add_argument("--binary", default=str(REPO / "build/release/src/app/sluice"))
    parser.add_argument("--raw-publish", default=str(REPO / "build/release/tests/bench/bench_raw_publish"))
    parser.add_argument("--queue-type", choices=["quorum", "classic"], default="quorum")
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--applier-threads", type=int, default=2)
    parser.add_argument("--metadata", choices=["FULL", "MINIMAL"], default="FULL")
    parser.add_argument("--root", default=str(REPO / "build" / "bench"), help="folder for the throwaway servers")
    args = parser.parse_args()
    for program in (args.binary, args.raw_publish):
        if not pathlib.Path(program).is_file():
            parser.error(f"{program} is not there: cmake --build build/release --target sluice bench_raw_publish")
    try:
        with EndToEnd(args) as bench:
            print(json.dumps(bench.run(), indent=2, ensure_ascii=False))
    except servers.Unavailable as why:
        say(str(why))
        return servers.UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
