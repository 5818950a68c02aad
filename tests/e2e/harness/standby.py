"""A second server that replicates the first, to be made the primary."""
from . import servers
from .waiting import wait_until


class Standby(servers.Mysql):
    def __init__(self, root, primary, metadata, version=None, more_options=""):
        super().__init__(root, primary.flavor, metadata, version, name="standby", more_options=more_options, SERVER_ID="4242")
        self.gtids = "gtid-mode=OFF" not in more_options
        self.primary = primary

    def start(self):
        super().start()
        user, port, mysql = "standby", self.primary.port, self.flavor == "mysql"
        self.primary.execute(f"CREATE USER IF NOT EXISTS {user}@'127.0.0.1' IDENTIFIED BY '{user}'", f"GRANT REPLICATION SLAVE ON *.* TO {user}@'127.0.0.1'")
        if not self.gtids:
            file, pos = self.primary.position()
            self.execute(f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, SOURCE_USER = '{user}', SOURCE_PASSWORD = '{user}', "
                         f"SOURCE_LOG_FILE = '{file}', SOURCE_LOG_POS = {pos}, GET_SOURCE_PUBLIC_KEY = 1", "START REPLICA")
        elif mysql:
            self.execute(f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, SOURCE_USER = '{user}', SOURCE_PASSWORD = '{user}', "
                         "SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1", "START REPLICA")
        else:
            self.execute(f"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = '{user}', MASTER_PASSWORD = '{user}', "
                         "MASTER_USE_GTID = slave_pos", "START SLAVE")
        self.execute("SET GLOBAL read_only = ON")
        return self

    def executed(self):
        return self.execute("SELECT @@global.gtid_executed" if self.flavor == "mysql" else "SELECT @@global.gtid_binlog_pos")[0][0]

    def has(self, gtids):
        if self.flavor == "mysql":
            return bool(self.execute(f"SELECT GTID_SUBSET('{gtids}', @@global.gtid_executed)")[0][0])
        return self.executed() == gtids

    def wait_for_primary(self, seconds=120):
        """Until it has all that the primary has now; nobody writes there meanwhile."""
        if not self.gtids:
            file, pos = self.primary.position()
            done = self.execute(f"SELECT SOURCE_POS_WAIT('{file}', {pos}, {seconds})")[0][0]
            assert done is not None and done >= 0, f"{file}:{pos} on the standby: {done}"
            return
        gtids = self.primary.execute("SELECT @@global.gtid_executed" if self.flavor == "mysql" else "SELECT @@global.gtid_binlog_pos")[0][0]
        wait_until(lambda: self.has(gtids), seconds, lambda: f"{gtids} on the standby, which has {self.executed()}")

    def promote(self):
        if self.flavor == "mysql":
            self.execute("STOP REPLICA", "RESET REPLICA ALL", "SET GLOBAL read_only = OFF")
        else:
            self.execute("STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = OFF")
