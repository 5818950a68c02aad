"""A TCP proxy before a server, with a hand on what passes: it cuts connections, holds back one direction, refuses, stops in the middle of a frame."""
import collections
import contextlib
import socket
import struct
import threading
import time

from .wire import TO_CLIENT, TO_SERVER

CHUNK = 1 << 16


class Trap:
    """Springs once, at the unit `name` (any, when None) of a link that passes in `direction` after `skip` others of that kind: `share` of the unit's bytes
    go on, then `act(connection, trap)` is called, then the rest goes on, unless the connection is gone or held."""

    def __init__(self, link, direction, name=None, share=0.5, skip=0, owner=None, act=None):
        self.link, self.direction, self.name, self.share, self.skip, self.owner = link, direction, name, share, skip, owner
        self.act = act or (lambda connection, trap: connection.cut())
        self.sprung = threading.Event()
        self.unit = None  # the name of the one it sprang at

    def takes(self, connection, direction, name):
        if direction != self.direction or not connection.is_of(self.link, self.owner) or self.name not in (None, name):
            return False
        self.skip -= 1
        return self.skip < 0


class Proxy:
    """Listens on a port of its own until close().  `talk` is a class of harness.wire.  Links are named as there; None means all of them."""

    def __init__(self, upstream_port, talk):
        self.upstream_port, self.talk = upstream_port, talk
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.connections, self.holds, self.traps = [], [], []
        self.passed = collections.Counter()  # (link, direction, unit)
        self.refusing = False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, name=f"proxy-{self.port}", daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def links(self, link=None, owner=None):
        """The connections there are now."""
        with self.lock:
            return [c for c in self.connections if c.is_of(link, owner)]

    def cut(self, link=None, owner=None):
        """Resets them, both sides; how many."""
        found = self.links(link, owner)
        for connection in found:
            connection.cut()
        return len(found)

    def refuse(self, on=True):
        """Whether new connections are reset at once."""
        self.refusing = on

    def hold(self, direction, link=None, owner=None, connection=None):
        """Passes nothing on, of these connections and of those to come, until release(); of one connection, when it is given."""
        held = direction, link, owner, connection
        with self.changed:
            self.holds.append(held)
        return held

    def release(self, held=None):
        """One hold, or all."""
        with self.changed:
            self.holds = [h for h in self.holds if held is not None and h is not held]
            self.changed.notify_all()

    def arm(self, trap):
        with self.lock:
            self.traps.append(trap)
        return trap

    def disarm(self):
        """All holds, traps and refusals end."""
        with self.lock:
            self.traps.clear()
        self.refuse(False)
        self.release()

    def sprung_by(self, connection, direction, name):
        with self.lock:
            self.passed[connection.talk.link, direction, name] += 1
            for trap in self.traps:
                if trap.takes(connection, direction, name):
                    self.traps.remove(trap)
                    trap.unit = name
                    return trap
        return None

    def wait_while_held(self, connection, direction):
        with self.changed:
            self.changed.wait_for(lambda: connection.gone or not any(
                way == direction and connection.is_of(link, owner) and only in (None, connection) for way, link, owner, only in self.holds))

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream_port))
            except OSError:
                reset(client)
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, client, server)
            with self.lock:
                self.connections.append(connection)
            connection.start()


class Connection:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.talk = proxy.talk()
        self.since = time.monotonic()
        self.gone = False  # both sides are closed, or about to be
        self.left = False  # the client's side is closed, the server does not know it
        self._open = {TO_SERVER, TO_CLIENT}

    def is_of(self, link, owner=None):
        return link in (None, self.talk.link) and owner in (None, self.talk.owner)

    def start(self):
        for direction, source, target in ((TO_SERVER, self.client, self.server), (TO_CLIENT, self.server, self.client)):
            threading.Thread(target=self._pass, args=(direction, source, target), name=f"{direction}-{self.proxy.port}", daemon=True).start()

    def cut(self):
        with self.proxy.changed:
            self.gone = True
            if self in self.proxy.connections:
                self.proxy.connections.remove(self)
            self.proxy.changed.notify_all()
        reset(self.client)
        reset(self.server)

    def leave_server(self):
        """The client's side is reset; what it has sent and is held back goes to the server when it is released."""
        self.left = True
        reset(self.client)

    def _pass(self, direction, source, target):
        try:
            while data := self._read(source, direction):
                for name, unit in self.talk.units(direction, data):
                    self._forward(direction, target, name, unit)
            self.proxy.wait_while_held(self, direction)
            self._send(direction, target, self.talk.rest(direction))
            target.shutdown(socket.SHUT_WR)
        except OSError:
            if not self.left:
                self.cut()
        with self.proxy.lock:
            self._open.discard(direction)
            over = not self._open
        if over:
            self.cut()

    def _read(self, source, direction):
        try:
            return source.recv(CHUNK)
        except OSError:
            if self.left and direction == TO_SERVER:
                return b""
            raise

    def _forward(self, direction, target, name, unit):
        trap = self.proxy.sprung_by(self, direction, name)
        if trap:
            part = int(len(unit) * trap.share)
            self.proxy.wait_while_held(self, direction)
            self._send(direction, target, unit[:part])
            trap.act(self, trap)
            trap.sprung.set()
            unit = unit[part:]
        self.proxy.wait_while_held(self, direction)
        self._send(direction, target, unit)

    def _send(self, direction, target, data):
        if self.gone:
            raise OSError("cut")
        if self.left and direction == TO_CLIENT:
            return  # nobody there
        if data:
            target.sendall(data)


def reset(end):
    """Closes it with RST."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)  # wakes who reads from it
    end.close()
