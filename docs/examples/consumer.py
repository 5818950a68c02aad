#!/usr/bin/env python3
"""Takes all row changes of a Sluice instance from queues of its own, each exactly once, and prints them.

    consumer.py --instance shop --partitions 16 --name search --state search.db

Changes and the place they came up to go into one SQLite file in one transaction, so neither a crash here nor one of the broker or of Sluice makes a
change come twice or not at all.  With another database, do the same there.  docs/consumers.md explains each rule by its number.
"""
import argparse
import json
import os
import signal
import sqlite3
import sys
import time

import pika

FORMAT = 1
PREFETCH = 8
LOOK_AGAIN_SECONDS = 1.0
EXIT_GAP = 3


def event_id(text):
    """`epoch.file.pos.event.row.half`, to be compared number by number."""
    return tuple(int(part) for part in text.split("."))


def text_of(id_):
    return ".".join(map(str, id_))


class Store:
    """What was applied, and the changes themselves."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("CREATE TABLE IF NOT EXISTS applied (queue TEXT PRIMARY KEY, id TEXT, complete TEXT)")
        self.db.execute("CREATE TABLE IF NOT EXISTS changes (number INTEGER PRIMARY KEY, id TEXT UNIQUE, change TEXT)")

    def applied(self, queue):
        """The last EventId of this queue that was applied; None: none yet."""
        found = self.db.execute("SELECT id FROM applied WHERE queue = ?", (queue,)).fetchone()
        return found and event_id(found[0])

    def apply(self, queue, changes, last, complete):
        """All of a message or nothing of it."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            for change in changes:
                self.db.execute("INSERT INTO changes (id, change) VALUES (?, ?)", (change["id"], json.dumps(change, ensure_ascii=False)))
            self.db.execute("INSERT INTO applied VALUES (?, ?, ?) ON CONFLICT (queue) DO UPDATE SET id = excluded.id, "
                            "complete = coalesce(excluded.complete, complete)", (queue, text_of(last), complete and text_of(complete)))
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise


class Gap(Exception):
    """Messages are missing."""


def body_of(properties, body):
    if not properties.content_encoding:
        return body
    if properties.content_encoding != "zstd":
        raise SystemExit(f"unknown content_encoding {properties.content_encoding}")
    import zstandard  # only where queue.compression is on
    return zstandard.ZstdDecompressor().decompress(body, max_output_size=512 << 20)


def read(properties, body, applied):
    """(changes above `applied`, the (epoch, file, pos) that the partition is complete up to or None) of a message."""
    changes, complete = [], None
    for text in body_of(properties, body).splitlines():
        line = json.loads(text)
        if line["type"] == "TICK":  # rule 5
            complete = event_id(line["seq"])[:3]
            continue
        epoch, file, pos, event, half = line["seq"].split(".")
        for at, row in enumerate(line["rows"]):
            id_ = f"{epoch}.{file}.{pos}.{event}.{row}.{half}"
            if event_id(id_) <= applied:
                continue  # rule 2: a part of the message was applied before
            changes.append({"id": id_, "type": line["type"], "database": line["database"], "table": line["table"], "pkNames": line["pkNames"],
                            "data": line["data"][at], "old": line["old"] and line["old"][at], "nulled": line.get("nulled")})
    return changes, complete


class Partition:
    """One queue, one channel."""

    def __init__(self, consumer, number):
        self.consumer = consumer
        self.source = f"sluice.{consumer.args.instance}.p{consumer.args.partitions}.{number}"
        self.queue = f"{consumer.args.name}.p{consumer.args.partitions}.{number}"
        self.channel = None
        self.cancelled = False

    def declare(self, channel, arguments):
        channel.queue_declare(self.queue, durable=True, arguments=arguments)
        channel.queue_bind(self.queue, f"sluice.{self.consumer.args.instance}", routing_key=self.source)

    def open(self):
        self.channel = self.consumer.connection.channel()
        self.channel.basic_qos(prefetch_count=PREFETCH)
        self.channel.add_on_cancel_callback(self.on_cancel)
        self.channel.basic_consume(self.queue, self.on_message)

    def on_cancel(self, _frame):
        """By the broker, which leaves the channel open: the queue was deleted, or its acknowledgement timeout (4.3)."""
        self.cancelled = True

    def on_message(self, channel, method, properties, body):
        if self.consumer.stopping:
            return  # it comes again; serve() is not back before all that has come was handled
        headers = properties.headers
        if headers["v"] > FORMAT:
            raise SystemExit(f"message format {headers['v']}, this program knows {FORMAT}: update it")
        prev, last = event_id(headers["prev"]), event_id(headers["last"])
        applied = self.consumer.store.applied(self.queue)
        if applied is None:
            applied = prev  # the first message ever: the queue begins here
        if prev > applied:  # rule 3
            raise Gap(f"{self.queue}: a message follows {headers['prev']}, but {text_of(applied)} is the last that came", self.queue)
        if last >= applied:  # else a repeat, rule 1
            changes, complete = read(properties, body, applied)
            self.consumer.store.apply(self.queue, changes, last, complete)
            for change in changes:
                print(json.dumps(change, ensure_ascii=False), flush=True)
        channel.basic_ack(method.delivery_tag)
        self.consumer.gaps.pop(self.queue, None)


class Consumer:
    def __init__(self, args):
        self.args = args
        self.store = Store(args.state)
        self.partitions = [Partition(self, number) for number in range(args.partitions)]
        self.connection = None
        self.gaps = json.loads(os.environ.pop("CONSUMER_GAPS", "{}"))  # {queue: since when, in seconds since 1970}
        self.stopping = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self.stop)

    def stop(self, *_):
        self.stopping = True

    def connect(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(self.args.url))
        arguments = {"x-queue-type": "quorum", "x-single-active-consumer": True}
        # From 4.0 a quorum queue drops what was delivered 20 times unless told not to; 3.x must not be told so.
        if int(self.connection._impl.server_properties["version"].split(".")[0]) >= 4:
            arguments["x-delivery-limit"] = -1
        channel = self.connection.channel()
        for partition in self.partitions:
            partition.declare(channel, arguments)
        for partition in self.partitions:
            partition.open()
        print("consuming", file=sys.stderr, flush=True)

    def serve(self):
        """Until it is told to stop, or something is wrong."""
        self.connect()
        while not self.stopping:
            self.connection.process_data_events(time_limit=0.5)
            closed = [partition.queue for partition in self.partitions if partition.cancelled or not partition.channel.is_open]
            if closed:  # by the broker: its acknowledgement timeout, a queue that was deleted
                raise pika.exceptions.ChannelClosed(0, f"of {', '.join(closed)}")

    def run(self):
        try:
            self.serve()
        except Gap as why:
            since = self.gaps.setdefault(why.args[1], time.time())
            if time.time() - since > self.args.gap_patience:
                print(f"gap: {why.args[0]}", file=sys.stderr, flush=True)
                return EXIT_GAP
            self.again(why)
        except (pika.exceptions.AMQPError, OSError) as why:
            self.again(why)
        return 0

    def again(self, why):
        """Begins anew in place of this process, whose connection ends with it."""
        print(f"trying again: {why!r}", file=sys.stderr, flush=True)
        time.sleep(LOOK_AGAIN_SECONDS)
        if not self.stopping:
            os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "CONSUMER_GAPS": json.dumps(self.gaps)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="amqp://guest:guest@127.0.0.1:5672/%2f")
    parser.add_argument("--instance", required=True, help="whose changes")
    parser.add_argument("--partitions", type=int, required=True, help="as `sluice position show` says")
    parser.add_argument("--name", required=True, help="of this copy: its queues are NAME.pP.N")
    parser.add_argument("--state", required=True, help="SQLite file")
    parser.add_argument("--gap-patience", type=float, default=30)
    code = Consumer(parser.parse_args()).run()
    # Rule 4.  pika's close() cancels the consumers and rejects what it holds, which puts that behind later messages; the end of the process closes the
    # connection, and the broker gives everything back in its order.
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
