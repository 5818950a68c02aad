#!/usr/bin/env python3
"""Makes src/base/charset_tables.cc: what the servers themselves say of their character sets.

  make_charset_tables.py --mysql "COMMAND" --mariadb "COMMAND" > src/base/charset_tables.cc

Each COMMAND is a client that reads SQL on stdin and prints tab-separated rows without headings, for an account that may
create and drop the database `charset_probe`:  mysql -uroot -S /run/mysqld/mysqld.sock -NB --default-character-set=utf8mb4

Asked for: collation id -> character set; the 256 characters of every single-byte set; every two- and three-byte code of the
multi-byte sets, of which only what differs from the C library's iconv is written down.  Both servers must agree.
"""
import argparse
import ctypes
import shlex
import subprocess
import sys

# Character set -> (iconv name, prefixes of three-byte codes).
MULTI = {
    "big5": ("BIG5", [""]), "cp932": ("CP932", [""]), "eucjpms": ("EUC-JP-MS", ["", "8F"]), "euckr": ("UHC", [""]),
    "gb18030": ("GB18030", [""]), "gb2312": ("EUC-CN", [""]), "gbk": ("GBK", [""]), "sjis": ("SJIS", [""]),
    "ujis": ("EUC-JP", ["", "8F"]),
}
# By rule, not by table.
OTHER = {"ascii", "binary", "ucs2", "utf16", "utf16le", "utf32", "utf8mb3", "utf8mb4"}
GB18030_FOUR_BYTE_BMP = 39420  # 81308130..8431A439


class Server:
    def __init__(self, command):
        self.command = shlex.split(command)
        self.rows("CREATE DATABASE IF NOT EXISTS charset_probe; USE charset_probe; CREATE TABLE IF NOT EXISTS n (i INT PRIMARY KEY);"
                  "INSERT IGNORE INTO n WITH RECURSIVE r AS (SELECT 0 i UNION ALL SELECT i + 1 FROM r WHERE i < 255) SELECT i FROM r;")

    def rows(self, sql):
        run = subprocess.run(self.command, input=sql, capture_output=True, text=True, check=False)
        if run.returncode:
            sys.exit(run.stderr)
        return [line.split("\t") for line in run.stdout.splitlines()]

    def convert(self, codes, source, charset):
        """{bytes: character} for the codes that `charset` has; the server writes ? for those it has not."""
        out = {}
        sql = f"USE charset_probe; SELECT h, HEX(CONVERT(CAST(UNHEX(h) AS CHAR CHARACTER SET {charset}) USING utf8mb4)) FROM (SELECT {codes} AS h FROM {source}) t;"
        for code, text in self.rows(sql):
            if text in ("NULL", ""):
                continue
            char = bytes.fromhex(text).decode()
            if len(char) == 1 and (char != "?" or code == "3F"):
                out[bytes.fromhex(code)] = ord(char)
        return out

    def single(self, charset):
        # Every byte is well-formed in a single-byte set, so the introducer is taken as it is.
        sql = "".join(f"SELECT '{b:02X}', HEX(CONVERT(_{charset} X'{b:02X}' USING utf8mb4));" for b in range(256))
        table = [0xFFFD] * 256
        for code, text in self.rows(sql):
            char = ord(bytes.fromhex(text).decode())
            if char != 0x3F or code == "3F":
                table[int(code, 16)] = char
        return table

    def pairs(self, charset, prefix):
        return self.convert(f"CONCAT('{prefix}', LPAD(HEX(a.i * 256 + b.i), 4, '0'))", "n a, n b WHERE a.i >= 128", charset)

    def gb18030_four(self):
        index = "(a.i * 256 + b.i)"
        code = (f"CONCAT(LPAD(HEX(129 + {index} DIV 12600), 2, '0'), LPAD(HEX(48 + ({index} DIV 1260) % 10), 2, '0'),"
                f"LPAD(HEX(129 + ({index} DIV 10) % 126), 2, '0'), LPAD(HEX(48 + {index} % 10), 2, '0'))")
        return self.convert(code, f"n a, n b WHERE {index} < {GB18030_FOUR_BYTE_BMP}", "gb18030")


class Iconv:
    def __init__(self, name):
        self.libc = ctypes.CDLL(None)
        self.libc.iconv_open.restype = ctypes.c_void_p
        self.libc.iconv.argtypes = [ctypes.c_void_p] * 5
        self.libc.iconv.restype = ctypes.c_ssize_t
        self.cd = self.libc.iconv_open(b"UCS-4LE", name.encode())
        if self.cd == 2**64 - 1:
            sys.exit(f"iconv does not know {name}")

    def __call__(self, code):
        self.libc.iconv(self.cd, None, None, None, None)
        source, target = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(16)
        inp, outp = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_void_p(ctypes.addressof(target))
        left, room = ctypes.c_size_t(len(code)), ctypes.c_size_t(16)
        args = [ctypes.byref(x) for x in (inp, left, outp, room)]
        if self.libc.iconv(self.cd, *args) < 0 or left.value:
            return None
        self.libc.iconv(self.cd, None, None, *args[2:])
        return int.from_bytes(target.raw[:4], "little") if room.value == 12 else None


def same(name, a, b):
    if a != b:
        sys.exit(f"{name}: the servers disagree")
    return a


def overrides(server, expected, codes):
    """Runs of (first code, count, first character); character 0: the server has no such code."""
    runs = []
    for code in codes:
        ours, theirs = server.get(code), expected(code)
        if ours == theirs:
            continue
        number, char = int.from_bytes(code, "big"), ours or 0
        last = runs[-1] if runs else None
        if last and last[0] + last[1] == number and (char == last[2] + last[1] if char and last[2] else char == last[2]):
            last[1] += 1
        else:
            runs.append([number, 1, char])
    return runs


def wrap(items, width):
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > width:
            lines.append(line)
            line = "   "
        line += f" {item},"
    return "\n".join(lines + [line])


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--mysql", required=True)
    args.add_argument("--mariadb", required=True)
    options = args.parse_args()
    mysql, mariadb = Server(options.mysql), Server(options.mariadb)

    ids = {int(i): cs for i, cs in mysql.rows("SELECT id, character_set_name FROM information_schema.collations;")}
    for i, cs in mariadb.rows("SELECT id, character_set_name FROM information_schema.collation_character_set_applicability;"):
        # Above 2047 the id itself says it (UCA 14 collations of MariaDB): by rule in charset.cc.
        if int(i) < 2048 and ids.setdefault(int(i), cs) != cs:
            sys.exit(f"collation {i}: the servers disagree")
    singles = sorted(set(ids.values()) - OTHER - set(MULTI))

    out = ["// Made by scripts/make_charset_tables.py from the servers' own answers.  Do not edit.",
           '#include "base/charset_tables.h"', "", "namespace sluice::charset_tables {", "// clang-format off", ""]
    out.append("const std::array<SingleByte, kSingleByteSets> single_byte{{")
    for name in singles:
        table = same(name, mysql.single(name), mariadb.single(name))
        out.append(f'  {{"{name}", {{{{\n' + wrap([f"0x{c:04X}" for c in table], 132) + "\n  }}},")
    out += ["}};", ""]
    for name, (iconv_name, prefixes) in sorted(MULTI.items()):
        expected, runs = Iconv(iconv_name), []
        for prefix in prefixes:
            table = mysql.pairs(name, prefix)
            if name != "gb18030":
                same(name, table, mariadb.pairs(name, prefix))
            codes = [bytes.fromhex(prefix) + bytes([a, b]) for a in range(0x80, 0x100) for b in range(0x100)]
            runs += overrides(table, expected, codes)
        if name == "gb18030":
            table = mysql.gb18030_four()
            runs += overrides(table, expected, sorted(table))
        if runs:
            out.append(f"static constexpr Override k_{name}[] = {{")
            out.append(wrap([f"{{0x{c:X}, {n}, 0x{u:X}}}" for c, n, u in runs], 132))
            out += ["};", ""]
        MULTI[name] = (iconv_name, f"k_{name}" if runs else "{}")
    out.append("const std::array<MultiByte, kMultiByteSets> multi_byte{{")
    out += [f'  {{"{n}", "{i}", {o}}},' for n, (i, o) in sorted(MULTI.items())]
    out += ["}};", ""]
    runs = []
    for i, cs in sorted(ids.items()):
        if runs and runs[-1][2] == cs and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i, cs])
    out.append("static constexpr CollationRange k_collations[] = {")
    out.append(wrap([f'{{{a}, {b}, "{cs}"}}' for a, b, cs in runs], 132))
    out += ["};", "std::span<const CollationRange> collations() noexcept { return k_collations; }", "",
            "// clang-format on", "}  // namespace sluice::charset_tables"]
    print("\n".join(out))
    for server in (mysql, mariadb):
        server.rows("DROP DATABASE charset_probe;")


main()
