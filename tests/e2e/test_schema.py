"""ALTERs between random writes: each row arrives with the columns its table had when it was written, wherever the program began to read."""
import json
import random
import shutil

import pika
import yaml

from cases import CASES, SourceTest, for_each_source
from harness import compare, long_run, wait_until
from harness.bench import INSTANCE
from harness.workload import DATABASE, TABLES, Workload

SEED = 20240612
ROWS_EACH = 40 if long_run() else 4   # rows written after each statement
CHANGES = 5_000 if long_run() else 400
EXIT_STREAM = 7
TABLE = "orders"

CREATE = f"CREATE TABLE {DATABASE}.{TABLE} (id INT NOT NULL PRIMARY KEY, n BIGINT, name VARCHAR(20), amount DECIMAL(10,2)) CHARACTER SET latin1"


def alter(actions, table=TABLE):
    return [f"ALTER TABLE {DATABASE}.{table} {actions}"]


def ghost(actions):
    """As gh-ost and pt-online-schema-change do it: a copy is altered, filled, and takes the table's place."""
    return [f"CREATE TABLE {DATABASE}._{TABLE}_gho LIKE {DATABASE}.{TABLE}", *alter(actions, f"_{TABLE}_gho"),
            f"INSERT INTO {DATABASE}._{TABLE}_gho (id, n) SELECT id, n FROM {DATABASE}.{TABLE}",
            f"RENAME TABLE {DATABASE}.{TABLE} TO {DATABASE}._{TABLE}_del, {DATABASE}._{TABLE}_gho TO {DATABASE}.{TABLE}",
            f"DROP TABLE {DATABASE}._{TABLE}_del"]


# Each a list of statements; the rows that follow are written with the columns it left.
WHILE_RUNNING = [
    alter("ADD COLUMN c1 INT"),
    alter("ADD COLUMN c2 VARCHAR(30) CHARACTER SET utf8mb4 FIRST"),
    alter("ADD COLUMN c3 DATETIME(3) AFTER id"),
    alter("MODIFY c1 BIGINT UNSIGNED"),
    alter("RENAME COLUMN name TO title"),
    alter("CHANGE amount price DECIMAL(14,4) FIRST"),
    alter("MODIFY c2 VARCHAR(60) CHARACTER SET gbk AFTER c1"),
    alter("ADD c4 ENUM('x', 'y'), ADD c5 SET('a', 'b', 'c')"),
    alter("MODIFY c4 ENUM('y', 'it''s', 'x', 'z')"),
    alter("DROP COLUMN c3"),
]
WHILE_STOPPED = [
    alter("ADD i1 INT, ADD i2 INT"),
    alter("RENAME COLUMN i1 TO i2, RENAME COLUMN i2 TO i1"),  # nothing in the rows tells that
    alter("MODIFY i1 INT AFTER id"),
    alter("ADD UNIQUE KEY u (n, id), ADD INDEX (i1)"),
    alter("DROP KEY u"),
    alter("ADD COLUMN g INT AS (id + 1) STORED AFTER n"),
    alter("DROP COLUMN g"),
    alter("CONVERT TO CHARACTER SET utf8mb4"),
    alter("RENAME TO moved") + [f"RENAME TABLE {DATABASE}.moved TO {DATABASE}.{TABLE}"],
    ghost("ADD COLUMN swapped INT FIRST, DROP COLUMN c1"),
    [f"DROP TABLE {DATABASE}.{TABLE}", CREATE.replace("name VARCHAR(20)", "extra INT, name VARCHAR(20)")],
]
WHILE_RUNNING_AGAIN = [
    [f"ALTER DATABASE {DATABASE} CHARACTER SET latin1", f"CREATE TABLE {DATABASE}.fresh (id INT PRIMARY KEY, s VARCHAR(20), n INT)"],
    alter("ADD COLUMN doc JSON"),
    alter("ADD COLUMN b BLOB, ADD COLUMN t TEXT AFTER id"),
    alter("MODIFY t VARCHAR(40)"),
    alter("ENGINE=InnoDB"),
    alter("DROP COLUMN doc, ADD COLUMN flags BIT(9) AFTER t, CHANGE n count BIGINT, ADD KEY k (count), ALTER COLUMN extra SET DEFAULT 7"),
    alter("ADD COLUMN ts TIMESTAMP NULL, ADD COLUMN d DATE FIRST"),
    alter("DROP PRIMARY KEY, ADD PRIMARY KEY (id)"),
    alter("PARTITION BY HASH(id) PARTITIONS 2"),
    alter("REMOVE PARTITIONING"),
    alter("MODIFY extra SMALLINT UNSIGNED, MODIFY d DATE AFTER extra"),
    alter("CHANGE count n BIGINT"),
    ghost("ADD COLUMN last TINYINT, MODIFY n BIGINT FIRST"),
]


class Writer:
    """Writes rows of whatever columns a table has, and remembers what each must be in Redis."""

    def __init__(self, bench):
        self.bench, self.random = bench, random.Random(SEED)
        self.next_id = 1
        self.expected = {}  # Redis key: (hash, kinds)

    def run(self, statements):
        self.bench.mysql.execute(f"USE {DATABASE}", "SET sql_mode = ''", *statements)  # values that do not fit a new type are cut
        table = "fresh" if "fresh" in statements[-1] else TABLE
        self.write(table)

    def write(self, table):
        ids = list(range(self.next_id, self.next_id + ROWS_EACH))
        self.next_id += ROWS_EACH
        connection = self.bench.mysql.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
                               "AND extra NOT LIKE '%%GENERATED%%' ORDER BY ordinal_position", (DATABASE, table))
                columns = dict(cursor.fetchall())
                for row in ids:
                    self.insert(cursor, table, columns, row)
                picked = self.random.choice([c for c in columns if c != "id"])
                cursor.execute(f"UPDATE {DATABASE}.{table} SET `{picked}` = %s WHERE id = %s", (self.value(columns[picked]), ids[0]))
                cursor.execute(f"DELETE FROM {DATABASE}.{table} WHERE id = %s", (ids[1],))
        finally:
            connection.close()
        raw = self.bench.mysql.connect(raw=True)
        try:
            hashes, kinds = compare.hashes_of(raw, DATABASE, table, f"id BETWEEN {ids[0]} AND {ids[-1]}")
        finally:
            raw.close()
        assert len(hashes) == ROWS_EACH - 1
        self.expected |= {key: (hashes[key], kinds[key]) for key in hashes}

    def insert(self, cursor, table, columns, row):
        values = {name: row if name == "id" else self.value(kind) for name, kind in columns.items()}
        cursor.execute(f"INSERT INTO {DATABASE}.{table} ({', '.join(f'`{c}`' for c in values)}) VALUES ({', '.join(['%s'] * len(values))})",
                       tuple(values.values()))

    def value(self, column_type):
        r, kind = self.random, column_type.split("(")[0].split(" ")[0]
        if r.random() < 0.15:
            return None
        if kind in ("enum", "set"):
            labels = [label.replace("''", "'") for label in column_type[column_type.index("(") + 2:-2].split("','")]
            return r.choice(labels) if kind == "enum" else ",".join(x for x in labels if r.random() < 0.5)
        return {
            "tinyint": lambda: r.randint(-128, 127), "smallint": lambda: r.randint(0, 32767), "int": lambda: r.randint(-2**31, 2**31 - 1),
            "bigint": lambda: r.randint(0, 2**63 - 1), "decimal": lambda: f"{r.randint(-99999, 99999)}.{r.randint(0, 99):02}",
            "varchar": lambda: "".join(r.choice("abc :'\\xyz") for _ in range(r.randint(0, 20))), "text": lambda: "t" * r.randint(0, 300),
            "longtext": lambda: '{"k": %d}' % r.randint(0, 99), "json": lambda: '{"k": %d}' % r.randint(0, 99),
            "datetime": lambda: f"2024-05-{r.randint(1, 28):02} 01:02:03.{r.randint(0, 999):03}", "date": lambda: f"19{r.randint(10, 99)}-02-03",
            "timestamp": lambda: f"2024-05-06 07:08:{r.randint(0, 59):02}", "blob": lambda: r.randbytes(r.randint(0, 40)), "bit": lambda: r.getrandbits(9),
        }[kind]()

    def wrong(self):
        """What of all rows ever written is not in Redis as it was written, in words."""
        client, out = self.bench.redis.client(), []
        for key, (expected, kinds) in self.expected.items():
            found = client.hgetall(key)
            for name in expected.keys() | found.keys():
                want, have = expected.get(name), found.get(name)
                if want is None or have is None or not compare.same_value(kinds.get(name, ""), want, have):
                    out.append(f"{key!r} {name.decode()}: written {want!r}, in Redis {have!r}")
        return out


class Kept:
    """The saved position and Redis' data of one moment, to go back to."""

    def __init__(self, bench):
        self.bench = bench
        client = bench.redis.client()
        self.keys = {key: client.dump(key) for key in client.scan_iter(count=1000)}
        self.state = bench.daemon.state_folder / "state.json"
        self.copy = bench.root / "state.json.kept"
        shutil.copy(self.state, self.copy)

    def put_back(self):
        """The program is stopped."""
        shutil.copy(self.copy, self.state)
        client = self.bench.redis.client()
        client.flushall()
        for key, value in self.keys.items():
            client.restore(key, 0, value)
        # What is queued follows on what Redis does not hold any more.
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.bench.rabbit.port))
        channel = connection.channel()
        for n in range(self.bench.partitions):
            channel.queue_purge(f"sluice.{INSTANCE}.p{self.bench.partitions}.{n}")
        connection.close()


class Checks:
    def check(self, bench, writer):
        bench.wait_for_source()
        wrong = writer.wrong()
        if wrong:
            self.fail(f"{len(wrong)} values are not as they were written:\n" + "\n".join(wrong[:20]) + "\n" + bench.daemon.tail())
        # Nothing had to be read anew or taken as it is now: the statements were followed.
        for line in bench.daemon.log_lines("warning") + bench.daemon.log_lines("info"):
            for said in ("cannot be followed", "table read from the source", "columns differ", "assume_current"):
                self.assertNotIn(said, line)


class Schema(Checks):
    def test_each_row_has_the_columns_of_its_time(self):
        with self.bench(applier={"on_truncate": "ignore"}) as bench:
            load = Workload(bench.mysql, CHANGES, SEED)
            load.start()
            writer = Writer(bench)
            writer.run([CREATE])
            for number, statements in enumerate(WHILE_RUNNING):
                writer.run(statements)
                if number == len(WHILE_RUNNING) // 2:
                    bench.daemon.kill()
                    bench.daemon.start()
            load.finish(300)
            self.check(bench, writer)
            _, others = compare.differences(bench.mysql, bench.redis.client(), DATABASE, TABLES, limit=10**6)
            self.assertEqual([line for line in others if "a hash without a row" not in line], [])

            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            kept = Kept(bench)
            for statements in WHILE_STOPPED:
                writer.run(statements)
            bench.daemon.start()
            self.check(bench, writer)
            for statements in WHILE_RUNNING_AGAIN:
                writer.run(statements)
            self.check(bench, writer)

            # From an older place, through all statements again, which the history has already.
            bench.daemon.kill()
            history = (bench.daemon.state_folder / "schema.log").read_bytes()
            kept.put_back()
            bench.daemon.start()
            self.check(bench, writer)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
            self.assertEqual((bench.daemon.state_folder / "schema.log").read_bytes(), history, "nothing was written twice")
            shown = bench.daemon.command("schema", "show", f"{DATABASE}.{TABLE}")
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn("last tinyint", shown.stdout)

            # Without a history.
            (bench.daemon.state_folder / "schema.log").unlink()
            kept.put_back()
            bench.daemon.start()
            if bench.mysql.metadata == "FULL":
                bench.wait_for_source()
                self.assertEqual(writer.wrong(), [])
                self.assertEqual(bench.daemon.stop(), 0)
            else:
                self.assertEqual(bench.daemon.wait_for_end(60), EXIT_STREAM, bench.daemon.tail())
                self.assertIn("schema.unknown", bench.daemon.tail())
                self.assertIn(f"{DATABASE}.{TABLE}", bench.daemon.tail())
                self.assertIn("schema.assume_current: true", bench.daemon.tail())


class Commands(Checks):
    """Where nothing but the history names columns."""

    def stopped(self, bench, *words):
        """A command that must end well; its output."""
        done = bench.daemon.command(*words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def published(self, bench, count):
        """The next so many statements of the queue for DDL; they are taken out."""
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", bench.rabbit.port))
        channel, lines = connection.channel(), []

        def all_there():
            method, _, body = channel.basic_get(f"sluice.{INSTANCE}.ddl", auto_ack=True)
            if method is not None:
                lines.extend(json.loads(line) for line in body.decode().splitlines())
            return len(lines) >= count

        wait_until(all_there, 60, lambda: f"{count} statements, there are {lines}")
        connection.close()
        return lines

    def test_a_full_queue_for_ddl_is_said_and_rows_go_on(self):
        queue = f"sluice.{INSTANCE}.ddl"
        with self.bench(queue={"publish_ddl": True}) as bench:
            bench.rabbit.ctl("set_policy", "few", f"^{queue}$", '{"max-length":2,"overflow":"reject-publish"}', "--apply-to", "queues")
            wait_until(lambda: f"{queue}\tfew" in bench.rabbit.ctl("list_queues", "name", "policy"), 30, "the policy")
            alters = [f"ALTER TABLE e2e.text_key ADD COLUMN c{i} INT" for i in range(12)]
            for i, alter_it in enumerate(alters):
                bench.mysql.execute(alter_it, f"INSERT INTO e2e.text_key (code, n) VALUES ('k{i}', 1)")
                bench.wait_for_source()
            wait_until(lambda: "state=QUEUE_BLOCKED" in bench.daemon.status(), 30, bench.daemon.tail)
            self.assertTrue(bench.redis.client().exists("e2e:text_key:k11"))
            self.assertLess(bench.daemon.saved_position(), bench.mysql.position())
            check = bench.daemon.command("check")
            self.assertIn(f"warning queue {queue} holds", check.stdout)
            self.assertEqual([line["sql"] for line in self.published(bench, len(alters))], alters)
            wait_until(lambda: bench.daemon.saved_position() == bench.mysql.position(), 30, bench.daemon.tail)
            wait_until(lambda: "state=IN_STEP" in bench.daemon.status(), 30, bench.daemon.tail)
            self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())

    def test_commands_keep_the_history_right(self):
        with self.bench(applier={"on_truncate": "ignore"}, queue={"publish_ddl": True}) as bench:
            writer = Writer(bench)
            writer.run([CREATE])
            writer.run(alter("ADD i1 INT, ADD i2 INT"))
            self.check(bench, writer)
            ddl = self.published(bench, 2)
            self.assertEqual([(line["type"], line["table"], line["isDdl"]) for line in ddl], [("CREATE", TABLE, True), ("ALTER", TABLE, True)])
            self.assertEqual(ddl[1]["sql"], alter("ADD i1 INT, ADD i2 INT")[0])

            # What position set leaves out is read for its statements.
            self.assertEqual(bench.daemon.stop(), 0)
            known = dict(writer.expected)
            writer.run(alter("RENAME COLUMN i1 TO i2, RENAME COLUMN i2 TO i1"))
            writer.run(alter("DROP COLUMN name, ADD COLUMN note TEXT FIRST"))
            writer.expected = known  # left out
            self.stopped(bench, "position", "set", "--pos", ":".join(map(str, bench.mysql.position())))
            self.assertIn("note text", self.stopped(bench, "schema", "show", f"{DATABASE}.{TABLE}"))
            writer.write(TABLE)
            bench.daemon.start()
            self.check(bench, writer)

            # A changed filter: the tables are read anew.
            self.assertEqual(bench.daemon.stop(), 0)
            config = yaml.safe_load(bench.daemon.config.read_text())
            config["filter"]["include"].append("elsewhere\\..*")
            elsewhere = "CREATE TABLE elsewhere.t (id INT PRIMARY KEY, a INT, b INT)"
            bench.mysql.execute("CREATE DATABASE elsewhere", elsewhere)
            bench.daemon.config.write_text(yaml.safe_dump(config))
            self.stopped(bench, "position", "relayout")
            bench.mysql.execute("INSERT INTO elsewhere.t VALUES (1, 2, 3)")
            writer.write(TABLE)
            bench.daemon.start()
            self.check(bench, writer)
            self.assertEqual(bench.redis.client().hgetall("elsewhere:t:1"), {b"id": b"1", b"a": b"2", b"b": b"3"})

            # A table read again by hand, as of its last statement.
            self.assertEqual(bench.daemon.stop(), 0)
            writer.run(alter("ADD COLUMN later INT FIRST"))
            self.assertIn("a statement has changed it there", self.stopped(bench, "schema", "refresh", f"{DATABASE}.{TABLE}"))
            missing = bench.daemon.command("schema", "refresh", f"{DATABASE}.nothing")
            self.assertEqual(missing.returncode, EXIT_STREAM)
            self.assertIn("schema.missing", missing.stderr)
            self.assertEqual(bench.daemon.command("schema", "show", f"{DATABASE}.nothing").returncode, EXIT_STREAM)
            self.assertIn(f"{DATABASE}.{TABLE}  ", self.stopped(bench, "schema", "show"))
            bench.daemon.start()
            self.check(bench, writer)

            # A damaged history is told, with what to do.
            self.assertEqual(bench.daemon.stop(), 0)
            history = bench.daemon.state_folder / "schema.log"
            whole = history.read_bytes()
            history.write_bytes(whole[:200] + b"x" + whole[201:])
            self.assertEqual(bench.daemon.start().wait_for_end(30), EXIT_STREAM)
            self.assertIn(f"rm {history}", bench.daemon.tail())
            history.unlink()
            bench.daemon.start()
            writer.write(TABLE)
            self.check(bench, writer)
            self.assertEqual(bench.daemon.stop(), 0)
            self.assertIn("would remove the schema history", self.stopped(bench, "reset"))
            # Two were left out with their rows.
            self.assertEqual([line["sql"] for line in self.published(bench, 2)], [elsewhere, *alter("ADD COLUMN later INT FIRST")])


class SchemaBase(Schema, SourceTest):
    pass


for_each_source(SchemaBase, globals())
for name in ("MariadbMinimal", "MysqlMinimal"):
    globals()["Commands" + name] = type("Commands" + name, (Commands, SourceTest), {"case": CASES[name], "__module__": __name__})
del SchemaBase, SourceTest, name
