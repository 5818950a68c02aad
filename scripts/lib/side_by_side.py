#!/usr/bin/python3
"""Shows the rows of MySQL tables beside the Redis hashes they became, and fails unless the two are the same.

side_by_side.py MYSQL_COMMAND REDIS_COMMAND TABLE...    the commands are client command lines, a TABLE is database.table
"""
import shlex
import subprocess
import sys


def run(command, *arguments):
    return subprocess.run([*shlex.split(command), *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def rows(mysql, table):
    """Column names, key columns, and the rows as lists (None for NULL)."""
    database, name = table.split(".")
    where = f"table_schema = '{database}' AND table_name = '{name}'"
    columns = run(mysql, "-BN", "-e", f"SELECT column_name FROM information_schema.columns WHERE {where} ORDER BY ordinal_position").split()
    keys = run(mysql, "-BN", "-e", "SELECT column_name FROM information_schema.key_column_usage WHERE "
               f"{where} AND constraint_name = 'PRIMARY' ORDER BY ordinal_position").split()
    text = run(mysql, "-BN", "-e", f"SELECT * FROM {table} ORDER BY {', '.join(keys)}")
    return columns, keys, [[None if v == "NULL" else v for v in line.split("\t")] for line in text.splitlines()]


def escaped(value):
    return value.replace("\\", "\\\\").replace(":", "\\:")


def hash_of(redis, key):
    lines = run(redis, "HGETALL", key).splitlines()
    return dict(zip(lines[::2], lines[1::2]))


def shown(pairs):
    return "  ".join(f"{name}={'NULL' if value is None else value}" for name, value in pairs)


def main(mysql, redis, tables):
    same = True
    lines = []
    for table in tables:
        columns, keys, found = rows(mysql, table)
        expected = set()
        for row in found:
            values = dict(zip(columns, row))
            key = ":".join([*table.split("."), *(escaped(values[k]) for k in keys)])
            expected.add(key)
            fields = hash_of(redis, key)
            equal = fields == {name: value for name, value in values.items() if value is not None}
            same = same and equal
            ordered = [(name, fields[name]) for name in columns if name in fields]
            lines.append((f"{table}  {shown(zip(columns, row))}", f"{key}  {shown(ordered) or '(nothing)'}", "" if equal else "  DIFFERS"))
        for key in sorted(set(run(redis, "KEYS", table.replace(".", ":") + ":*").splitlines()) - expected):
            same = False
            lines.append((f"{table}  (no row)", key, "  DIFFERS"))
    if not lines:
        print("no rows")
        return 1
    width = max(len(left) for left, _, _ in lines)
    print(f"{'MySQL row':<{width}}  |  Redis hash")
    print("-" * width + "--+--" + "-" * max(len(right) for _, right, _ in lines))
    for left, right, mark in lines:
        print(f"{left:<{width}}  |  {right}{mark}")
    print(f"{len(lines)} rows, " + ("all the same on both sides (a NULL is a field that is not there)" if same else "NOT the same on both sides"))
    return 0 if same else 1


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
