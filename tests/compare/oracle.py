"""The rows that mysqlbinlog and mariadb-binlog print with --base64-output=decode-rows -vv, and how far their values can be held against ours.

Both have faults of their own; each is named here, and what it spoils is not comparable, which is not the same as equal."""
import dataclasses
import datetime
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "servers"
ROW = re.compile(rb"^### (INSERT INTO|UPDATE|DELETE FROM) `(.*)`\.`(.*)`$")
CELL = re.compile(rb"^###   @(\d+)=(.*) /\* (.+?) meta=(\d+) nullable=\d is_null=(\d) \*/$", re.S)
KINDS = {b"INSERT INTO": "INSERT", b"UPDATE": "UPDATE", b"DELETE FROM": "DELETE"}


class Unreadable(Exception):
    """The oracle cannot read this file, or is not here."""


@dataclasses.dataclass
class Cell:
    number: int
    text: bytes  # without the quotes
    type: str
    null: bool


@dataclasses.dataclass
class Row:
    kind: str
    database: str
    table: str
    before: list | None = None
    after: list | None = None
    broken: str = ""  # why its cells are not all there


def run_mysqlbinlog(file):
    with tempfile.TemporaryDirectory() as root:
        return subprocess.run([SCRIPTS / "mysql97.sh", "binlog", "reader", "--base64-output=decode-rows", "-vv", file], env={**os.environ, "RUN_ROOT": root},
                              capture_output=True, stdin=subprocess.DEVNULL)


def run_mariadb_binlog(file):
    program = shutil.which("mariadb-binlog")
    if not program:
        raise Unreadable("mariadb-binlog is not here")
    return subprocess.run([program, "--no-defaults", "--base64-output=decode-rows", "-vv", file], capture_output=True, stdin=subprocess.DEVNULL)


ORACLES = {"mysqlbinlog": run_mysqlbinlog, "mariadb-binlog": run_mariadb_binlog}


def rows_of(name, file):
    done = ORACLES[name](file)
    if done.returncode:
        said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "ERROR" in line or "rror" in line] or [f"exit {done.returncode}"]
        raise Unreadable(said[0].strip()[:140])
    return list(parsed(done.stdout))


def whole_cells(lines):
    """Lines, those of a JSON diff that goes over several made one."""
    held = None
    for line in lines:
        if held is not None:
            if line.startswith(b"###      "):
                held += b" " + line[9:]
                continue
            yield held
            held = None
        if line.startswith(b"###   @") and not line.endswith(b"*/"):
            held = line
            continue
        yield line
    if held is not None:
        yield held


def parsed(output):
    row = None
    for line in whole_cells(output.split(b"\n")):
        if not line.startswith(b"###"):
            continue
        if head := ROW.match(line):
            if row:
                yield row
            row = Row(KINDS[head[1]], *(name.decode("utf-8", "replace").replace("``", "`") for name in (head[2], head[3])))
        elif line == b"### WHERE":
            row.before = []
        elif line == b"### SET":
            row.after = []
        elif row and (cell := CELL.match(line)):
            (row.after if row.after is not None else row.before).append(
                Cell(int(cell[1]), cell[2], cell[3].decode(), cell[5] == b"1"))
        elif row and line.startswith(b"###   @"):
            row.broken = row.broken or "a value it cannot print"
    if row:
        yield row


# How the text of a cell is compared: each returns True (equal), False (different) or, as text, why it cannot be said.

ESCAPES = {0x5c: b"\\\\", 0x27: b"\\'", 0x0a: b"\\n", 0x0d: b"\\r", 0x09: b"\\t", 0x08: b"\\b", 0x0c: b"\\f"}


def quoted(text):
    """Bytes as the oracles print them between quotes: mariadb-binlog escapes what is below a space, mysqlbinlog quotes and backslashes, too."""
    plain = b"".join(b"\\x%02x" % b if b < 0x20 else bytes([b]) for b in text)
    return plain, b"".join(ESCAPES.get(b) or (b"\\x%02x" % b if b < 0x20 else bytes([b])) for b in text)


# The oracles print a text's own bytes and not their character set: ours is tried in each.
CODECS = ("utf-8", "latin-1", "cp1252", "gbk", "big5", "euc_jp", "shift_jis", "cp932", "euc_kr", "gb18030", "utf-16-be", "utf-16-le", "utf-32-be", "koi8-r", "cp1251",
          "iso8859-2", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-13", "cp1250", "cp1256", "cp1257", "cp850", "cp852", "cp866", "mac-roman", "tis-620")


def same_string(cell, ours):
    if cell.type.endswith("COMPRESSED"):
        return "compressed columns are shown as they are stored"
    wanted = cell.text[1:-1]
    for codec in CODECS:
        try:
            if wanted in quoted(ours.encode(codec)):
                return True
        except UnicodeEncodeError:
            continue
    # BINARY(n) and its like: the oracle leaves the padding out.
    if cell.type.startswith("STRING") and wanted in quoted(ours.encode("latin-1", "replace").rstrip(b"\0")):
        return True
    if not ours.isascii():
        return "a character set that is not known here"
    return False


def same_integer(cell, ours):
    # -1 (4294967295): whether it is signed the oracle does not know.
    return ours.encode() in re.findall(rb"-?\d+", cell.text)


def same_float(cell, ours):
    return f"{float(ours):g}" == f"{float(cell.text):g}"  # six digits


def same_double(cell, ours):
    return struct.pack("<d", float(ours)) == struct.pack("<d", float(cell.text))


def same_timestamp(cell, ours):
    seconds, _, digits = cell.text.decode().partition(".")
    if int(seconds) == 0:
        text = "0000-00-00 00:00:00"
    else:
        text = (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(seconds))).strftime("%Y-%m-%d %H:%M:%S")
    return ours == text + ("." + digits if digits else "")


def same_year(cell, ours):
    return ours == ("0000" if cell.text == b"1900" else cell.text.decode())  # 0 is printed as 1900


def same_date(cell, ours):
    return ours == cell.text[1:-1].decode().replace(":", "-")


def same_text(cell, ours):
    return ours.encode() == cell.text


def same_quoted(cell, ours):
    return ours.encode() == cell.text[1:-1]


def same_bit(cell, ours):
    return int(ours) == int(cell.text[2:-1], 2)


def same_enum(cell, ours):
    return True if ours.encode() == cell.text else "ENUM is shown as a number"


def same_set(cell, ours):
    bits = cell.text[2:-1].decode()
    number = int.from_bytes(bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8)), "little")
    if ours.isdigit() and int(ours) == number or ours == "" and number == 0:
        return True
    return "SET is shown as a number" if number.bit_count() == len(ours.split(",")) or number.bit_count() <= ours.count(",") + 1 else False


def same_json(cell, ours):
    if not cell.text.startswith(b"'"):
        return "a JSON diff is shown, not the document"
    # The oracle prints scalar strings without quotes and nothing for an empty text.
    if cell.text[1:-1] in quoted(ours.encode()):
        return True
    return "a JSON string is shown without its quotes" if ours.startswith('"') else False


def same_vector(cell, ours):
    wanted = [float(n) for n in re.findall(rb"[-+0-9.einfa]+", cell.text)]
    have = [float(n) for n in ours[1:-1].split(",") if n]
    return len(wanted) == len(have) and all(f"{w:.5e}" == f"{h:.5e}" for w, h in zip(wanted, have))


JUDGES = [("INT", same_integer), ("TINYINT", same_integer), ("SHORTINT", same_integer), ("MEDIUMINT", same_integer), ("LONGINT", same_integer),
          ("FLOAT", same_float), ("DOUBLE", same_double), ("DECIMAL", same_text), ("BIT", same_bit), ("YEAR", same_year), ("DATETIME", same_quoted),
          ("DATE", same_date), ("TIMESTAMP", same_timestamp), ("TIME", same_quoted), ("ENUM", same_enum), ("SET", same_set), ("JSON", same_json),
          ("VECTOR", same_vector), ("STRING", same_string), ("VARSTRING", same_string), ("TINYBLOB", same_string), ("BLOB", same_string),
          ("MEDIUMBLOB", same_string), ("LONGBLOB", same_string), ("GEOMETRY", same_string), ("XMLTYPE", same_string)]


def same(cell, ours):
    """True, False, or why that cannot be said."""
    if cell.null or ours is None:
        return cell.null and ours is None
    for prefix, judge in JUDGES:
        if re.match(rf"{prefix}\b", cell.type):
            try:
                return judge(cell, ours)
            except ValueError:
                return False
    return f"type {cell.type} is not known here"
