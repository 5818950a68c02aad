"""Cuts what passes between a client and a server into the units of their protocol, and names each.

A Talk is one connection: to_server() and to_client() take the bytes as they come and give whole units, (name, bytes); what is not whole yet stays.  link: what
the connection is for, as soon as it can be told; owner: the client's pid where the protocol tells.
"""
import re
import struct

TO_SERVER, TO_CLIENT = "to_server", "to_client"


class Talk:
    def __init__(self):
        self.link, self.owner = "", None
        self._rest = {TO_SERVER: b"", TO_CLIENT: b""}

    def units(self, direction, data):
        data = self._rest[direction] + data
        at, found = 0, []
        while at < len(data):
            size = self.size(direction, data, at)
            if size is None or at + size > len(data):
                break
            unit = data[at:at + size]
            found.append((self.name(direction, unit), unit))
            at += size
        self._rest[direction] = data[at:]
        return found

    def rest(self, direction):
        """What is left of a unit that will never be whole."""
        left, self._rest[direction] = self._rest[direction], b""
        return left

    def size(self, direction, data, at):
        """Of the unit that begins there; None while it cannot be told."""
        raise NotImplementedError

    def name(self, direction, unit):
        raise NotImplementedError


class Amqp(Talk):
    """Frames of AMQP 0-9-1.  link: the role in the connection's name, as "publisher"."""
    METHODS = {
        (10, 10): "connection.start", (10, 11): "connection.start-ok", (10, 30): "connection.tune", (10, 31): "connection.tune-ok",
        (10, 40): "connection.open", (10, 41): "connection.open-ok", (10, 50): "connection.close", (10, 51): "connection.close-ok",
        (20, 10): "channel.open", (20, 11): "channel.open-ok", (20, 40): "channel.close", (20, 41): "channel.close-ok",
        (50, 10): "queue.declare", (50, 11): "queue.declare-ok", (50, 40): "queue.delete", (60, 10): "basic.qos", (60, 11): "basic.qos-ok", (60, 20): "basic.consume",
        (60, 21): "basic.consume-ok", (60, 40): "basic.publish", (60, 50): "basic.return", (60, 60): "basic.deliver", (60, 80): "basic.ack",
        (60, 90): "basic.reject", (60, 120): "basic.nack", (85, 10): "confirm.select", (85, 11): "confirm.select-ok",
    }
    CONNECTION_NAME = re.compile(rb"\x0fconnection_nameS....(?:sluice|sluice\.[^ ]+) ([a-z ]+) \(pid (\d+) ", re.DOTALL)

    def size(self, direction, data, at):
        if data[at:at + 1] == b"A":  # the protocol header: "AMQP" and a version
            return 8
        if len(data) - at < 7:
            return None
        return 8 + struct.unpack_from(">I", data, at + 3)[0]

    def name(self, direction, unit):
        if unit[:1] == b"A":
            return "protocol header"
        if unit[0] != 1:
            return {2: "header", 3: "body", 8: "heartbeat"}.get(unit[0], "frame")
        method = struct.unpack_from(">HH", unit, 7)
        if method == (10, 11) and (found := self.CONNECTION_NAME.search(unit)):
            self.link, self.owner = found[1].decode(), int(found[2])
        return self.METHODS.get(method, f"method {method[0]}.{method[1]}")


class Resp(Talk):
    """Redis' commands, named by their first word, and the reply to each.  link: "applier" of a connection that watches a record,
    "mirror" of one that watches the copy of the position."""

    def __init__(self):
        super().__init__()
        self.link = "other"
        self.asked = []

    def size(self, direction, data, at):
        end = self._end(data, at)
        return None if end is None else end - at

    def _end(self, data, at):
        line = data.find(b"\r\n", at)
        if line < 0:
            return None
        kind, end = data[at:at + 1], line + 2
        if kind == b"$":
            length = int(data[at + 1:line])
            return end if length < 0 else end + length + 2
        if kind == b"*":
            for _ in range(int(data[at + 1:line])):
                end = self._end(data, end) if end < len(data) else None
                if end is None:
                    return None
        return end

    def name(self, direction, unit):
        if direction == TO_CLIENT:
            return ("aborted " if unit == b"*-1\r\n" else "") + (self.asked.pop(0) if self.asked else "nothing") + " reply"
        words = unit.split(b"\r\n", 5)
        word = words[2].decode().upper()
        self.asked.append(word)
        if word == "WATCH":
            self.link = "mirror" if words[4].endswith(b":mirror") else "applier"
        return word


class Mysql(Talk):
    """Packets.  link: "dump" of a connection that has asked for the binlog, whose packets are named by the event they carry."""
    EVENTS = {2: "query", 4: "rotate", 15: "format", 16: "xid", 19: "table map", 27: "heartbeat", 33: "gtid", 162: "gtid",
              **dict.fromkeys((23, 24, 25, 30, 31, 32), "rows")}
    COMMANDS = {0x03: "query", 0x12: "binlog dump", 0x1e: "binlog dump", 0x15: "register replica"}

    def __init__(self):
        super().__init__()
        self.link = "session"

    def size(self, direction, data, at):
        return None if len(data) - at < 4 else 4 + int.from_bytes(data[at:at + 3], "little")

    def name(self, direction, unit):
        if direction == TO_SERVER:
            word = self.COMMANDS.get(unit[4], "command") if len(unit) > 4 and unit[3] == 0 else "packet"
            if word == "binlog dump":
                self.link = "dump"
            return word
        if self.link == "dump" and len(unit) > 9 and unit[4] == 0:
            return self.EVENTS.get(unit[9], "event")
        return "packet"
