#!/usr/bin/python3
"""What publishing costs: rows a second by the program's own publisher against plain publishing of messages of the same sizes over queues of the same type.

Prints one JSON document on stdout, progress on stderr.  docs/benchmarks.md says what each number means.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import measure
from end_to_end import REPO, say, servers


class Publishing:
    def __init__(self, args, version):
        self.args = args
        base = pathlib.Path(args.root)
        base.mkdir(parents=True, exist_ok=True)
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="publish-", dir=base))
        self.rabbit = servers.Rabbit(self.root, version)
        self.sizes = self.root / "sizes"

    def __enter__(self):
        self.rabbit.start()
        self.broker = int((self.root / "rabbit" / "pid").read_text().split()[0])
        return self

    def __exit__(self, *_):
        servers.stop_all(self.root)
        shutil.rmtree(self.root)

    def measured(self, program, *arguments):
        """What it prints, and the broker's CPU seconds meanwhile."""
        before = measure.process_cpu(self.broker)
        done = subprocess.run([program, str(self.rabbit.port), *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return {**json.loads(done.stdout), "broker_cpu_s": measure.process_cpu(self.broker) - before}

    def ours(self, kind):
        return self.measured(self.args.publish, kind, self.args.partitions, self.args.rows, self.args.rows_a_line, self.args.message_bytes, self.sizes)

    def raw(self, kind):
        return self.measured(self.args.raw_publish, kind, self.args.partitions, self.sizes, self.args.window)

    def compare(self, kind):
        """In turn, either first but for the first round (raw sends what ours last did); medians of each, and of the ratio of neighbours."""
        self.ours(kind)  # warms the broker up, and writes the sizes
        pairs = []
        for run in range(self.args.runs):
            if run % 2 == 0:
                ours = self.ours(kind)
                raw = self.raw(kind)
            else:
                raw = self.raw(kind)
                ours = self.ours(kind)
            pairs.append((ours, raw))
        first, second = zip(*pairs)
        middle = lambda runs, key: statistics.median(run[key] for run in runs)  # noqa: E731
        millions = first[0]["rows"] / 1e6
        ratios = [ours["mb_s"] / raw["mb_s"] for ours, raw in pairs]
        out = {
            "rows_s": round(middle(first, "rows_s")), "mb_s": round(middle(first, "mb_s"), 1), "messages": round(middle(first, "messages")),
            "message_bytes": round(middle(first, "bytes") / middle(first, "messages")), "raw_mb_s": round(middle(second, "mb_s"), 1),
            "ours_to_raw": round(statistics.median(ratios), 2), "ratios": [round(ratio, 2) for ratio in ratios],
            "cpu_s_a_million_rows": {"publisher": round(middle(first, "publisher_cpu_s") / millions, 3),
                                     "raw_client": round(middle(second, "client_cpu_s") / millions, 3),
                                     "broker": round(middle(first, "broker_cpu_s") / millions, 2),
                                     "broker_raw": round(middle(second, "broker_cpu_s") / millions, 2)}}
        say(f"  {kind}: {out}")
        return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rabbit", choices=("3.10", "4.3"), action="append", help="both unless named")
    parser.add_argument("--queue-type", choices=("quorum", "classic"), action="append", help="both unless named")
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--rows-a-line", type=int, default=6, help="of a ROWS event of 8 KiB, by 16 partitions")
    parser.add_argument("--message-bytes", type=int, default=2 << 20, help="queue.message_bytes")
    parser.add_argument("--window", type=int, default=100, help="unconfirmed messages of the raw client")
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--publish", default=str(REPO / "build/release/tests/bench/bench_publish"))
    parser.add_argument("--raw-publish", default=str(REPO / "build/release/tests/bench/bench_raw_publish"))
    parser.add_argument("--root", default=str(REPO / "build" / "bench"))
    args = parser.parse_args()
    result = {"machine": measure.machine(), "rows": args.rows, "rows_a_line": args.rows_a_line, "partitions": args.partitions, "message_bytes": args.message_bytes, "window": args.window}
    for version in args.rabbit or ("3.10", "4.3"):
        with Publishing(args, version) as bench:
            say(f"RabbitMQ {version}")
            result[version] = {kind: bench.compare(kind) for kind in args.queue_type or ("quorum", "classic")}
    result["load_average_after"] = measure.machine()["load_average_before"]
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
