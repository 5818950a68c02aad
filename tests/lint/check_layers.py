#!/usr/bin/env python3
"""Fails if a room includes a room that layers.txt does not allow, or a vendor header outside its rooms."""
import pathlib
import re
import sys

# Start of an include in <>, and the rooms it belongs to.  Public headers may name only those of PUBLIC.
VENDOR = {
    "mysql": {"mysql"}, "errmsg": {"mysql"}, "amqp": {"queue"}, "hiredis": {"redis"}, "yaml-cpp": {"config"}, "re2": {"config"},
    "nlohmann": {"decode", "event", "mapping", "position", "schema"}, "simdjson": {"event"}, "spdlog": {"base"}, "libdeflate": {"base"},
    "iconv": {"base"}, "xxhash": {"base"}, "zlib": {"binlog"}, "zstd": {"binlog", "queue"}, "openssl": {"mysql", "net"}, "CLI": {"app"},
    "systemd": {"ops"}, "prometheus": {"ops"}, "httplib": {"ops"}, "lua": {"script"}, "lauxlib": {"script"}, "lualib": {"script"},
}
PUBLIC = {"spdlog"}


def main(root):
    allow = {}
    for line in (root / "tests/lint/layers.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            room, deps = line.split(":")
            allow[room.strip()] = set(deps.split()) | {room.strip()}
    bad, seen = [], 0
    for path in sorted([*root.glob("src/*/**/*"), *root.glob("include/sluice/*/**/*")]):
        if path.suffix not in (".h", ".cc"):
            continue
        seen += 1
        rel = path.relative_to(root)
        public = rel.parts[0] == "include"
        room = rel.parts[2] if public else rel.parts[1]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if m := re.match(r'\s*#\s*include\s*["<]sluice/(\w+)/', line):
                if m[1] not in allow.get(room, ()):
                    bad.append(f"{rel}:{number}: {room} may not include {m[1]}")
            elif m := re.match(r"\s*#\s*include\s*<([\w-]+)", line):
                rooms = VENDOR.get(m[1])
                if rooms and room not in rooms:
                    bad.append(f"{rel}:{number}: <{m[1]}> belongs to {', '.join(sorted(rooms))}")
                elif rooms and public and m[1] not in PUBLIC:
                    bad.append(f"{rel}:{number}: a public header shows <{m[1]}>")
            elif m := re.match(r'\s*#\s*include\s*"(\w+)/', line):
                if m[1] != room and m[1] in allow:
                    bad.append(f"{rel}:{number}: includes the private header of {m[1]}")
    if not seen:
        bad.append("no source file found")
    print("\n".join(bad) or f"layers ok, {seen} files")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
