"""The servers of scripts/servers, each in a folder of this test's own."""
import os
import pathlib
import subprocess

import pika
import pymysql
import redis
import redis.cluster

from .waiting import wait_until

REPO = pathlib.Path(__file__).resolve().parents[3]
SCRIPTS = REPO / "scripts" / "servers"
UNAVAILABLE = 75  # exit code: the mirror does not have it


class Unavailable(Exception):
    """This server cannot be had here."""


class Server:
    def __init__(self, root, script, name, **settings):
        self.script, self.name = SCRIPTS / script, name
        self.env = {**os.environ, "RUN_ROOT": str(root), **settings}
        self.port = None

    def _run(self, verb, *arguments, check=True):
        done = subprocess.run([self.script, verb, self.name, *arguments], env=self.env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=300)
        if done.returncode == UNAVAILABLE:
            raise Unavailable(done.stderr.strip().splitlines()[-1])
        if check and done.returncode:
            raise RuntimeError(f"{self.script.name} {verb} {self.name}: exit {done.returncode}\n{done.stderr}")
        return done.stdout.strip()

    def start(self):
        self.port = int(self._run("start"))
        return self

    def stop(self):
        self._run("stop")

    def kill(self):
        """SIGKILL, and gone when this returns."""
        self._run("kill")

    def pause(self):
        self._run("pause")

    def resume(self):
        self._run("resume")

    def kill_and_start(self):
        self.kill()
        self.start()


class Mysql(Server):
    """MariaDB ("mariadb", version 10.11 or 11.8) or MySQL 9.7 ("mysql"), every commit on disk before it is acknowledged."""

    def __init__(self, root, flavor, metadata, version=None, name=None, more_options="", **settings):
        script = {"mariadb": "mariadb.sh", "mariadb 11.8": "mariadb118.sh", "mysql": "mysql97.sh"}[f"{flavor} {version or ''}".strip()]
        options = f"--sync-binlog=1 --innodb-flush-log-at-trx-commit=1 --binlog-row-metadata={metadata} {more_options}"
        super().__init__(root, script, name or flavor, SERVER_OPTIONS=options, **settings)
        self.flavor, self.metadata = flavor, metadata
        self.socket = None

    def start(self):
        super().start()
        self.socket = self._run("socket")  # MySQL's root may come this way only
        return self

    def connect(self, raw=False, seconds=120, **more):
        """As root.  raw: every value as the bytes the server prints, no conversion."""
        if raw:
            more |= {"conv": {}, "use_unicode": False}
        connection = pymysql.connect(unix_socket=self.socket, user="root", password="", charset="utf8mb4", connect_timeout=10, read_timeout=seconds,
                                     write_timeout=seconds, autocommit=True, **more)
        with connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
        return connection

    def execute(self, *statements, seconds=120):
        """The last statement's rows; each statement may take so long."""
        connection = self.connect(seconds=seconds)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def position(self):
        """(file, pos): the end of the binlog now."""
        row = self.execute("SHOW MASTER STATUS" if self.flavor == "mariadb" else "SHOW BINARY LOG STATUS")[0]
        return row[0], int(row[1])


class Rabbit(Server):
    def __init__(self, root, version="3.10", options=""):
        """options: more lines for rabbitmq.conf."""
        self.version = version
        super().__init__(root, {"3.10": "rabbit.sh", "4.3": "rabbit43.sh"}[version], "rabbit", PLUGINS="", SERVER_OPTIONS=options)

    def ctl(self, *words):
        """rabbitmqctl's output."""
        return self._run("ctl", *words)

    def messages(self, queue):
        """Ready messages of a queue; None when there is no such queue."""
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.port))
        try:
            return connection.channel().queue_declare(queue, passive=True).method.message_count
        except pika.exceptions.ChannelClosedByBroker:
            return None
        finally:
            connection.close()


class Group:
    """Servers that one script starts together; each has a name there."""

    def __init__(self, root, script, **settings):
        self.script = SCRIPTS / script
        self.env = {**os.environ, "RUN_ROOT": str(root), **settings}
        self.ports = []

    def _run(self, *words):
        done = subprocess.run([self.script, *words], env=self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
        if done.returncode == UNAVAILABLE:
            raise Unavailable(done.stderr.strip().splitlines()[-1])
        if done.returncode:
            raise RuntimeError(f"{self.script.name} {words}: exit {done.returncode}\n{done.stderr}")
        return done.stdout.strip()

    def start(self):
        self.ports = [int(port) for port in self._run("start").split()]
        return self

    def kill(self, node):
        """SIGKILL, and gone when this returns."""
        self._run("kill", str(node))

    def up(self, node):
        self._run("up", str(node))

    def pause(self, node):
        self._run("pause", str(node))

    def resume(self, node):
        self._run("resume", str(node))


class RabbitCluster(Group):
    """Three nodes, numbered from 1, that form a cluster."""

    def __init__(self, root, version):
        super().__init__(root, "rabbit-cluster.sh", PLUGINS="", **({"V43": "1"} if version == "4.3" else {}))

    def ctl(self, *words):
        """rabbitmqctl's output, of the first node that runs."""
        return self._run("ctl", *words)

    def queues(self, *columns):
        """Tuples of list_queues, of those that answer."""
        lines = self.ctl("list_queues", "--online", "--no-table-headers", *columns).splitlines()
        return [tuple(line.split("\t")) for line in lines]

    def leaders(self):
        """How many queues each node leads, by its number."""
        leads = {1: 0, 2: 0, 3: 0}
        for _, leader in self.queues("name", "leader"):
            leads[int(leader.partition("@")[0][-1])] += 1
        return leads

    def members(self):
        """How many nodes have a running member, of the queue that has the fewest."""
        return min(online.count("@") for _, online in self.queues("name", "online"))

    def messages(self, queue):
        return {name: int(count) for name, count in self.queues("name", "messages_ready")}.get(queue)


class Redis(Server):
    """append-only file, fsynced before each reply: a kill loses nothing that was answered."""

    def __init__(self, root, kind="redis"):
        super().__init__(root, "redis.sh", "redis", SERVER_KIND=kind, SERVER_OPTIONS="appendfsync always")

    def client(self):
        return redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=30, socket_connect_timeout=10)

    def command_calls(self):
        """{"hset": calls, ...} since the server started."""
        stats = self.client().info("commandstats")
        return {name.removeprefix("cmdstat_"): value["calls"] for name, value in stats.items()}


class RedisSentinels(Group):
    """A master and two replicas ("sr1".."sr3") under three Sentinels ("se1".."se3"), whose ports are kept."""
    MASTER, NODES = "mymaster", ("sr1", "sr2", "sr3")

    def __init__(self, root, kind="redis"):
        # Longer than a busy machine lets a process wait.
        super().__init__(root, "redis-sentinel.sh", SERVER_KIND=kind, DOWN_MS="3000")

    def client(self):
        """Of the master, whichever it is when a connection is made."""
        sentinels = redis.Sentinel([("127.0.0.1", port) for port in self.ports], socket_timeout=5)
        return sentinels.master_for(self.MASTER, socket_timeout=30, socket_connect_timeout=5)

    def port_of(self, node):
        return int((pathlib.Path(self.env["RUN_ROOT"]) / node / "port").read_text())

    def master(self):
        """Its name, as the first Sentinel that answers has it; None while it is not known."""
        sentinels = redis.Sentinel([("127.0.0.1", port) for port in self.ports], socket_timeout=5)
        try:
            _, port = sentinels.discover_master(self.MASTER)
        except redis.RedisError:
            return None
        return next((node for node in self.NODES if self.port_of(node) == port), None)

    def replicas(self):
        """How many the master has that are in step with it."""
        try:
            info = self.client().info("replication")
        except redis.RedisError:
            return 0
        return sum(info.get(f"slave{n}", {}).get("state") == "online" for n in range(info.get("connected_slaves", 0)))


class RedisCluster(Group):
    """Three masters and three replicas, numbered from 1 in the order of their ports."""

    def __init__(self, root, kind="redis"):
        super().__init__(root, "redis-cluster.sh", SERVER_KIND=kind)

    def client(self):
        try:
            return redis.RedisCluster(startup_nodes=[redis.cluster.ClusterNode("127.0.0.1", port) for port in self.ports], socket_timeout=10,
                                      socket_connect_timeout=5)
        except redis.exceptions.RedisClusterException as error:  # which is no RedisError
            raise redis.ConnectionError(str(error)) from error

    def node(self, number):
        """To it alone."""
        return redis.Redis(host="127.0.0.1", port=self.ports[number - 1], socket_timeout=10, socket_connect_timeout=5)

    def view(self):
        """{number: its entry of CLUSTER NODES}, as the first node that answers has it, without those that have failed."""
        for number in range(1, len(self.ports) + 1):
            try:
                nodes = self.node(number).cluster("NODES")
            except redis.RedisError:
                continue
            alive = {int(address.rpartition(":")[2]): entry for address, entry in nodes.items() if "fail" not in entry["flags"]}
            return {self.ports.index(port) + 1: entry for port, entry in alive.items() if port in self.ports}
        return {}

    def masters(self):
        """{number: its slots as (first, last)}, of those that have any."""
        return {number: [(int(part[0]), int(part[-1])) for part in entry["slots"] if part[0].isdigit()] for number, entry in self.view().items()
                if "master" in entry["flags"] and entry["slots"]}

    def is_whole(self):
        """Each master has a replica in step with it, and all nodes call the cluster ok."""
        try:
            masters = self.masters()
            if len(masters) != 3 or any(self.node(n).cluster("INFO")["cluster_state"] != "ok" for n in range(1, len(self.ports) + 1)):
                return False
            for master in masters:
                info = self.node(master).info("replication")
                if not any(info.get(f"slave{n}", {}).get("state") == "online" for n in range(info.get("connected_slaves", 0))):
                    return False
        except redis.RedisError:
            return False
        return True

    def move_slot(self, slot, source, target):
        """As `redis-cli --cluster reshard` does it, a few keys at a time."""
        ids = {number: entry["node_id"] for number, entry in self.view().items()}
        here, there = self.node(source), self.node(target)
        there.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[source])
        here.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target])
        while keys := here.execute_command("CLUSTER GETKEYSINSLOT", slot, 5):
            here.execute_command("MIGRATE", "127.0.0.1", self.ports[target - 1], "", 0, 10_000, "KEYS", *keys)
        for number in (target, source, *(n for n in self.masters() if n not in (target, source))):  # as a reshard does
            self.node(number).execute_command("CLUSTER SETSLOT", slot, "NODE", ids[target])
        # Who has not heard of it before the next move of a slot, or before the target dies, may never: then the slot has no master.
        wait_until(lambda: self.owners(slot) == {ids[target]}, 60, lambda: f"slot {slot} to be node {target}'s for all, not {self.owners(slot)}")

    def owners(self, slot):
        """Their ids, as the nodes that answer have it, replicas too."""
        found = set()
        for number in self.view():
            nodes = self.node(number).cluster("NODES").values()
            found.add(next((entry["node_id"] for entry in nodes for part in entry["slots"] if int(part[0]) <= slot <= int(part[-1])), None))
        return found


def stop_all(root):
    done = subprocess.run([SCRIPTS / "stop-all.sh"], env={**os.environ, "RUN_ROOT": str(root), "KEEP": "1"}, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120)
    if done.returncode:
        raise RuntimeError(done.stderr)
