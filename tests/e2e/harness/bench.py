"""One source, one broker, one Redis, one program, in a folder that goes away."""
import concurrent.futures
import json
import os
import pathlib
import secrets
import shutil
import tempfile

import redis

from . import compare, servers, wire, workload
from .daemon import Daemon
from .proxy import Proxy
from .standby import Standby
from .waiting import wait_until

INSTANCE = "e2e"


def binary():
    """The program under test."""
    return os.environ.get("SLUICE_BINARY") or str(servers.REPO / "build/dev/src/app/sluice")


def long_run():
    return bool(os.environ.get("SLUICE_TEST_LONG"))


class Bench:
    """with Bench("mariadb", "FULL") as bench: servers run, the tables exist, the program is in step."""

    def __init__(self, flavor, metadata="FULL", rabbit="3.10", redis_kind="redis", partitions=8, version=None, server_options="",
                 standby=False, rabbit_options="", proxied=False, before_start=None, **more_config):
        """before_start: called with this when the servers run; returns more configuration.
        proxied: the program reaches its servers through self.proxies, {"source", "broker", "redis": Proxy}."""
        self.binary = binary()
        base = pathlib.Path(os.environ.get("SLUICE_E2E_ROOT") or servers.REPO / "build" / "e2e")
        base.mkdir(parents=True, exist_ok=True)
        self.root = pathlib.Path(tempfile.mkdtemp(prefix=f"{flavor}-{metadata.lower()}-", dir=base))
        self.mysql = servers.Mysql(self.root, flavor, metadata, version, more_options=server_options)
        self.standby = Standby(self.root, self.mysql, metadata, version, server_options) if standby else None
        self.rabbit = servers.RabbitCluster(self.root, rabbit.split()[1]) if rabbit.startswith("cluster") else servers.Rabbit(self.root, rabbit, rabbit_options)
        group, _, kind = redis_kind.rpartition(" ")
        self.redis = {"sentinels": servers.RedisSentinels, "cluster": servers.RedisCluster, "": servers.Redis}[group](self.root, kind)
        self.partitions, self.more_config = partitions, more_config
        self.daemon = None
        self.proxied, self.proxies = proxied, {}
        self.before_start = before_start
        self.epoch = 1  # that the source is in: grows with each change of the server

    def __enter__(self):
        try:
            with concurrent.futures.ThreadPoolExecutor() as pool:
                for started in [pool.submit(s.start) for s in (self.mysql, self.rabbit, self.redis)]:
                    started.result()
            if self.standby:
                self.standby.start()
            if self.proxied:
                for name, server, talk in (("source", self.mysql, wire.Mysql), ("broker", self.rabbit, wire.Amqp), ("redis", self.redis, wire.Resp)):
                    self.proxies[name] = Proxy(server.port, talk)
            password = secrets.token_hex(12)
            self.mysql.execute(f"CREATE USER sluice@'127.0.0.1' IDENTIFIED BY '{password}'",
                               "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO sluice@'127.0.0.1'", *workload.DDL, *workload.count_ddl())
            self.password = password
            if self.before_start:
                for section, values in self.before_start(self).items():
                    self.more_config.setdefault(section, {}).update(values)
            self.daemon = Daemon(self.binary, self.root / "sluice", self.config(password), self.root)
            self.daemon.start()
            wait_until(self.watermark, 60, lambda: f"a first watermark\n{self.daemon.tail()}")
            return self
        except BaseException:
            self.__exit__(None, None, None, keep=True)
            raise

    def __exit__(self, kind, value, trace, keep=False):
        if self.daemon:
            self.daemon.__exit__()
        for proxy in self.proxies.values():
            proxy.close()
        servers.stop_all(self.root)
        if kind is None and not keep:
            shutil.rmtree(self.root)
        else:
            print(f"the folder of the failed test: {self.root}")
            if self.daemon and self.daemon.log.exists():
                print(self.daemon.tail(60))

    def config(self, password):
        config = {
            "instance": INSTANCE, "state_dir": str(self.root / "state"),
            "source": {"host": "127.0.0.1", "port": self._port("source", self.mysql), "user": "sluice", "password": password, "reconnect_max": "1s"},
            "filter": {"include": [rf"{workload.DATABASE}\..*"]},
            "queue": {**self.brokers(), "partitions": self.partitions, "reconnect_max": "1s"},
            "redis": {**self.redis_servers(), "reconnect_max": "1s"},
            "log": {"status_interval": "1s"},
        }
        if self.standby:
            source = config["source"]
            source["hosts"] = [f"{source.pop('host')}:{source.pop('port')}", f"127.0.0.1:{self.standby.port}"]
            source["failover_after"] = "2s"
        for section, values in self.more_config.items():
            if isinstance(values, dict):
                config.setdefault(section, {}).update(values)
            else:
                config[section] = values
        return config

    def brokers(self):
        """The options that name them."""
        if isinstance(self.rabbit, servers.RabbitCluster):
            return {"hosts": [f"127.0.0.1:{port}" for port in self.rabbit.ports]}
        return {"host": "127.0.0.1", "port": self._port("broker", self.rabbit)}

    def redis_servers(self):
        """The options that name them."""
        if isinstance(self.redis, servers.RedisSentinels):
            return {"sentinels": [f"127.0.0.1:{port}" for port in self.redis.ports], "sentinel_master": self.redis.MASTER}
        if isinstance(self.redis, servers.RedisCluster):
            return {"cluster": [f"127.0.0.1:{port}" for port in self.redis.ports]}
        return {"host": "127.0.0.1", "port": self._port("redis", self.redis)}

    def _port(self, name, server):
        return self.proxies[name].port if self.proxied else server.port

    def second_daemon(self, instance):
        """Another instance on the same servers, not started yet (with ... starts and ends it)."""
        config = self.config(self.password) | {"instance": instance, "state_dir": str(self.root / f"state-{instance}")}
        return Daemon(self.binary, self.root / instance, config, self.root)

    def watermark(self):
        """(epoch, file number, pos) that Redis is complete up to; None while there is none."""
        self.daemon.check_alive()
        try:
            text = self.redis.client().get(f"sluice:{INSTANCE}:watermark")
        except (redis.RedisError, redis.exceptions.RedisClusterException):
            return None  # being killed, loading
        if text is None:
            return None
        tick = json.loads(text)["tick"]
        return int(tick["epoch"]), int(tick["file_number"]), int(tick["pos"])

    def wait_for_source(self, seconds=120):
        """Until Redis holds all that the source has now; the position."""
        file, pos = self.mysql.position()
        wanted = self.epoch, int(file.rpartition(".")[2]), pos
        wait_until(lambda: (self.watermark() or (0, 0, 0)) >= wanted, seconds,
                   lambda: f"watermark {self.watermark()} at {file}:{pos}\n{self.daemon.tail()}")
        return file, pos

    def differences(self):
        return compare.differences(self.mysql, self.redis.client(), workload.DATABASE, workload.TABLES)

    def queued(self):
        """Messages in the partition queues."""
        names = [f"sluice.{INSTANCE}.p{self.partitions}.{n}" for n in range(self.partitions)]
        return sum(self.rabbit.messages(name) or 0 for name in names)
