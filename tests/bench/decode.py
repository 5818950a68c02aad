#!/usr/bin/python3
"""decode.py BINLOG... [--build build/release] [--mysqlbinlog CMD] [--runs N]: how fast binlog files are decoded offline.

For each file (see record_binlogs.sh), whole processes, output discarded, one after the other so that they share the machine's state:
  values       every value into a typed C++ value (bench_values), one core
  canal        sluice decode --workers 0, one core, checksums verified, types in each line
  canal16      the same through 16 partitions
  workersN     sluice decode --workers N on all cores, with 1, 2 and as many as there are cores, which is the default
  mariadb-binlog -v, mysqlbinlog -v   where they can read the file, one core
Each is run --runs times and the fastest counts.  Prints JSON: rows, rows/s, MB/s, CPU seconds per million rows, peak RSS, and the ratio to
the server's own tool.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measure  # noqa: E402

REPO = pathlib.Path(__file__).resolve().parents[2]


def timed(command, cores):
    """(seconds, CPU seconds, peak RSS bytes, stdout's head) of one run."""
    discard = subprocess.DEVNULL if command[0] == "--discard" else subprocess.PIPE
    command = command[1:] if command[0] == "--discard" else command
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=discard, stderr=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    out = child.stdout.read() if child.stdout else b""
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {child.returncode}: {error.decode(errors='replace')[-300:]}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out


def measure_file(path, tools, runs):
    size = os.path.getsize(path)
    rows = json.loads(timed([tools["values"], path], {0})[3])["rows"]
    one, every = {max(os.sched_getaffinity(0))}, os.sched_getaffinity(0)
    sluice = ["--discard", tools["sluice"], "decode", "--no-progress"]
    commands = {"values": (["--discard", tools["values"], path], one),
                "canal": ([*sluice, "--workers", "0", path], one),
                "canal16": ([*sluice, "--workers", "0", "--partitions", "16", path], one)}
    parallel = [f"workers{n}" for n in sorted({1, 2, len(every)})]
    commands.update({name: ([*sluice, "--workers", name.removeprefix("workers"), path], every) for name in parallel})
    for name in ("mariadb-binlog", "mysqlbinlog"):
        if tools.get(name):
            commands[name] = (["--discard", *tools[name], "-v", path], one)
    best, failed = {}, {}
    for _ in range(runs):
        for name, (command, cores) in commands.items():
            if name in failed:
                continue
            try:
                seconds, cpu, rss, _ = timed(command, cores)
            except RuntimeError as error:
                failed[name] = str(error)
                continue
            if name not in best or seconds < best[name]["seconds"]:
                best[name] = {"seconds": round(seconds, 3), "rows_per_s": round(rows / seconds), "mb_per_s": round(size / seconds / 1e6),
                              "cpu_s_per_million_rows": round(cpu / rows * 1e6, 3), "peak_rss_mib": round(rss / 2**20, 1)}
    peers = [best[name]["seconds"] for name in ("mariadb-binlog", "mysqlbinlog") if name in best]
    if peers:
        for name in ("values", "canal", "canal16", *parallel):
            best[name]["times_the_servers_tool"] = round(min(peers) / best[name]["seconds"], 1)
    return {"file": os.path.basename(path), "bytes": size, "rows": rows, "runs": best, "not_measured": failed}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="BINLOG")
    parser.add_argument("--build", default=str(REPO / "build/release"))
    parser.add_argument("--mysqlbinlog", default=None, help="command line of MySQL's own, when it is not in the PATH")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    tools = {"sluice": f"{args.build}/src/app/sluice", "values": f"{args.build}/tests/bench/bench_values",
             "mariadb-binlog": ["mariadb-binlog"] if shutil.which("mariadb-binlog") else None,
             "mysqlbinlog": args.mysqlbinlog.split() if args.mysqlbinlog else None}
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for path in args.files:  # once through, so that every run finds the file in memory
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass
    print(json.dumps({"machine": measure.machine(), "files": [measure_file(path, tools, args.runs) for path in args.files]}, indent=1))


if __name__ == "__main__":
    main()
