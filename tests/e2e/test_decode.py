"""`sluice decode` on files that are larger than its memory may be."""
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest
import zlib

from harness import binary, long_run

RECORDED = pathlib.Path(__file__).resolve().parents[1] / "data/binlog"
FILE_BYTES = 2 << 30 if long_run() else 96 << 20
INFLATED_BYTES = 1 << 30 if long_run() else 96 << 20
MOST_MEMORY = 100 << 20
HEADER, CHECKSUM = 19, 4
QUERY, TABLE_MAP, WRITE_ROWS, PAYLOAD, XID = 2, 19, 30, 40, 16


def events(path):
    data = path.read_bytes()
    at = 4
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 9)[0]
        yield data[at + 4], data[at:at + size]
        at += size


def parts(path):
    """(magic and FORMAT_DESCRIPTION, a transaction's events as (type, bytes) from TABLE_MAP to XID, with at least one row)."""
    head, group, grouped = b"\xfebin", [], None
    for number, (kind, event) in enumerate(events(path)):
        if number == 0:
            head += event
        if kind == TABLE_MAP:
            group = []
        group.append((kind, event))
        kinds = [k for k, _ in group]
        if kind == XID and kinds[0] == TABLE_MAP and WRITE_ROWS in kinds and set(kinds) <= {TABLE_MAP, WRITE_ROWS, XID}:
            grouped = grouped or group
    return head, grouped


def rebuilt(kind, body, template, checksum):
    """An event with the header of another one."""
    size = HEADER + len(body) + (CHECKSUM if checksum else 0)
    event = template[:4] + bytes([kind]) + template[5:9] + struct.pack("<I", size) + b"\0\0\0\0" + b"\0\0" + body
    return event + struct.pack("<I", zlib.crc32(event)) if checksum else event


def lenenc(value):
    return bytes([value]) if value < 251 else b"\xfc" + struct.pack("<H", value) if value < 1 << 16 else b"\xfe" + struct.pack("<Q", value)


def field(kind, value):
    return lenenc(kind) + lenenc(len(lenenc(value))) + lenenc(value)


class Offline(unittest.TestCase):
    def run_decode(self, path, *options):
        """Runs it on the file; (lines, peak RSS)."""
        with subprocess.Popen([binary(), "decode", "--no-progress", *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            lines = 0
            while piece := process.stdout.read(1 << 20):
                lines += piece.count(b"\n")
            error = process.stderr.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, error)
        return lines, usage.ru_maxrss << 10

    def check(self, path, rows_events, what):
        for options in (["--workers", "0"], ["--workers", "2"], ["--format", "events"]):
            lines, peak = self.run_decode(path, *options)
            self.assertGreaterEqual(lines, rows_events)
            print(f"{what} {' '.join(options)}: {lines} lines, peak {peak >> 20} MiB")
            self.assertLess(peak, MOST_MEMORY)

    def test_a_large_file_needs_little_memory(self):
        head, group = parts(RECORDED / "mysql-9.7.binlog")
        block = b"".join(event for _, event in group)
        rows_events = sum(kind == WRITE_ROWS for kind, _ in group)
        count = FILE_BYTES // len(block) + 1
        with tempfile.NamedTemporaryFile(prefix="sluice-large.", suffix=".000001") as file:
            file.write(head)
            many = block * 1000
            for _ in range(count // 1000):
                file.write(many)
            file.write(block * (count % 1000))
            file.flush()
            self.check(file.name, rows_events * count, f"{FILE_BYTES >> 20} MiB")

    def test_a_transaction_that_inflates_far_needs_little_memory(self):
        head, group = parts(RECORDED / "mysql-9.7.binlog")
        plain = [(kind, rebuilt(kind, event[HEADER:-CHECKSUM], event, False)) for kind, event in group]
        table_map = next(event for kind, event in plain if kind == TABLE_MAP)
        rows = next(event for kind, event in plain if kind == WRITE_ROWS)
        xid = next(event for kind, event in plain if kind == XID)
        count = INFLATED_BYTES // len(rows) + 1
        with tempfile.TemporaryFile() as packed:
            with subprocess.Popen(["zstd", "-q", "-c", "-3"], stdin=subprocess.PIPE, stdout=packed) as zstd:
                zstd.stdin.write(table_map)
                many = rows * 1000
                for _ in range(count // 1000):
                    zstd.stdin.write(many)
                zstd.stdin.write(rows * (count % 1000) + xid)
                zstd.stdin.close()
                self.assertEqual(zstd.wait(), 0)
            packed.seek(0)
            payload = packed.read()
        inflated = len(table_map) + count * len(rows) + len(xid)
        body = field(2, 0) + field(3, inflated) + field(1, len(payload)) + b"\0" + payload
        with tempfile.NamedTemporaryFile(prefix="sluice-inflating.", suffix=".000001") as file:
            file.write(head + rebuilt(PAYLOAD, body, rows, True))
            file.flush()
            self.check(file.name, count, f"{len(payload)} bytes inflating to {inflated >> 20} MiB")
            # And not beyond what is allowed.
            limited = subprocess.run([binary(), "decode", "--verify", "--inflated-limit", "1MiB", file.name], capture_output=True, check=False)
            self.assertEqual(limited.returncode, 7)
            self.assertIn(b"inflate", limited.stderr)
