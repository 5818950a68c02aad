"""Random DDL that mostly succeeds on the tables there are."""
import names
from alterations import Alterations
from columns import CHARSETS, COLLATIONS, ColumnWriter

DATABASES = ["ddl_a", "ddl_b", "ddl.c"]


class Session:
    """What a statement's meaning hangs on."""

    def __init__(self, rnd, sql_mode="", database=DATABASES[0]):
        self.sql_mode, self.database = sql_mode, database
        self.spelling = names.Spelling(rnd, sql_mode)

    @property
    def backslash(self):
        return self.spelling.backslash

    @property
    def prints_truly(self):
        """What the server writes into the binlog itself lacks the table's character set in ANSI mode, and doubles backslashes in labels where none escapes."""
        return self.backslash and "ANSI" not in self.sql_mode.split(",")


class Statements:
    MOST_TABLES, MOST_COLUMNS = 9, 14

    def __init__(self, rnd, mariadb, folds):
        """folds: lower_case_table_names is 1."""
        self.rnd, self.mariadb, self.folds = rnd, mariadb, folds
        self.writer = ColumnWriter(rnd, mariadb)
        self.alterations = Alterations(rnd, mariadb, self.writer)
        self.counter = 0

    def chance(self, probability):
        return self.rnd.random() < probability

    def fresh(self):
        self.counter += 1
        return f"n{self.counter}"

    # --- names

    def table(self, session, name):
        """As the session may write it."""
        if self.folds and self.chance(0.3):
            name = (self.rnd.choice([name[0], name[0].upper()]), name[1].upper() if len(name[1].upper()) == len(name[1]) else name[1])
        if name[0] == session.database and self.chance(0.7):
            return session.spelling.name(name[1])
        return f"{session.spelling.name(name[0])}{self.rnd.choice(['.', '.', '.', ' . '])}{session.spelling.name(name[1])}"

    def new_name(self, state):
        free = [(d, t) for d in DATABASES for t in names.TABLES if (d, t.lower() if self.folds else t) not in state]
        return self.rnd.choice(free or [(self.rnd.choice(DATABASES), self.fresh())])

    def known(self, state, want=lambda table: True):
        choices = [n for n, t in sorted(state.items()) if n[1] != "parent" and want(t)]
        return self.rnd.choice(choices) if choices else None

    # --- statements

    def next(self, session, state):
        """One statement, or a list of them that belong together."""
        tables = [n for n in state if n[1] != "parent"]
        if len(tables) < 3:
            return self.create(session, state)
        if len(tables) > self.MOST_TABLES and (made := self.drop(session, state)):
            return made
        kinds = {self.alter: 60, self.create: 12, self.index: 8, self.rename: 6, self.drop: 3, self.like: 3, self.select: 2, self.database: 3, self.truncate: 1,
                 self.migrate: 2, self.other: 3}
        if self.mariadb:
            kinds[self.sequence] = 1
        while True:
            made = self.rnd.choices(list(kinds), list(kinds.values()))[0](session, state)
            if made:
                return made

    def alter(self, session, state):
        name = self.known(state, lambda t: not t.sequence)
        if not name:
            return None
        new_name = self.new_name(state)
        return self.alterations.statement(session, state, name, self.table(session, name), lambda: (self.table(session, new_name)))

    def create(self, session, state):
        rnd = self.rnd
        name = self.new_name(state)
        head = "CREATE"
        exists = ""
        if self.mariadb and self.chance(0.15):
            head += " OR REPLACE"
            name = self.known(state) if self.chance(0.5) and self.known(state) else name
        elif self.chance(0.15):
            exists = " IF NOT EXISTS"
            name = self.known(state) if self.chance(0.5) and self.known(state) else name
        body, options = self.body(session)
        start = f"{head} TABLE{exists} {self.table(session, name)}"
        return f"{start} {body}{options}" if rnd.random() > 0.02 else f"{head} TEMPORARY TABLE {session.spelling.name(self.fresh())} {body}"

    def body(self, session):
        rnd, spelling = self.rnd, session.spelling
        columns = rnd.sample(names.COLUMNS, rnd.randint(1, 7))
        items = []
        partition = self.chance(0.12)
        if partition:
            columns = ["id", *[c for c in columns if c != "id"]]
            items.append(f"{spelling.name('id')} {rnd.choice(['INT', 'BIGINT'])} NOT NULL")
            items += [f"{spelling.name(c)} {self.writer.definition(spelling, plain=True)}" for c in columns[1:]]
            if self.chance(0.6):
                items.append(f"PRIMARY KEY ({spelling.name('id')})")
        else:
            items += [f"{spelling.name(c)} {self.writer.definition(spelling)}" for c in columns]
            ints = f"{self.fresh()}"
            if self.chance(0.3):
                items.insert(0, f"{ints} {rnd.choice(['INT', 'BIGINT UNSIGNED'])} {rnd.choice(['NOT NULL AUTO_INCREMENT PRIMARY KEY', 'NOT NULL PRIMARY KEY', 'AUTO_INCREMENT UNIQUE'])}")
            items += [self.alterations.key_text(spelling, [(c, "") for c in columns]) for _ in range(rnd.choice([0, 0, 1, 1, 2]))]
            if self.chance(0.1):
                items.append(self.alterations.foreign_key(spelling, rnd.choice(columns)))
            if self.chance(0.1):
                items.append(rnd.choice([f"CONSTRAINT {self.fresh()} CHECK (1 < 2)", "CHECK (1 < 2)"]))
        versioned = ""
        if self.mariadb and not partition and self.chance(0.12):
            versioned = " WITH SYSTEM VERSIONING"
            if self.chance(0.4):
                items += ["rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START", "re TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE", "PERIOD FOR SYSTEM_TIME(rs, re)"]
        elif self.mariadb and self.chance(0.05):
            items += ["ps DATE", "pe DATE", "PERIOD FOR app (ps, pe)"]
            if self.chance(0.5):
                items.append(f"UNIQUE ({spelling.name(columns[0])}, app WITHOUT OVERLAPS)")
        options = self.options(spelling) + versioned
        if partition:
            id_name = spelling.name("id")
            options += rnd.choice([f" PARTITION BY HASH ({id_name}) PARTITIONS 3", f" PARTITION BY KEY ({id_name}) PARTITIONS 2",
                                   f" PARTITION BY RANGE ({id_name}) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20) COMMENT = 'x, (')",
                                   f" /*!50100 PARTITION BY LIST ({id_name}) (PARTITION p0 VALUES IN (1, 2), PARTITION p1 VALUES IN (3)) */"])
        return "(" + ", ".join(items) + ")", options

    def options(self, spelling):
        rnd = self.rnd
        name = rnd.choice(CHARSETS)
        options = [o for o in ("ENGINE=InnoDB", "COMMENT " + spelling.string(rnd.choice(names.TEXTS)), "ROW_FORMAT=DYNAMIC", "AUTO_INCREMENT = 7", "STATS_PERSISTENT=0")
                   if self.chance(0.15)]
        if self.chance(0.4):
            options.append(rnd.choice([f"CHARSET={name}", f"DEFAULT CHARACTER SET {name}", f"CHARACTER SET = {name} COLLATE = {COLLATIONS[name]}", f"COLLATE {COLLATIONS[name]}",
                                       f"DEFAULT CHARSET={name}", *(["CHARSET DEFAULT"] if self.mariadb else [])]))
        rnd.shuffle(options)
        return "".join(rnd.choice([" ", ", " if o is not options[0] else " "]) + o for o in options)

    def like(self, session, state):
        like = self.known(state)
        if not like:
            return None
        name = self.new_name(state)
        return f"CREATE TABLE {self.table(session, name)} " + self.rnd.choice(["LIKE {}", "(LIKE {})"]).format(self.table(session, like))

    def select(self, session, state):
        source = self.known(state, lambda t: not t.sequence)
        if not source or not session.prints_truly:
            return None
        columns = self.rnd.choice(["", "", "(extra INT, note VARCHAR(9) CHARACTER SET latin1) "])
        what = self.rnd.choice(["*", "1 AS one, 'x' AS two, NOW() AS three", "COUNT(*) AS n"])
        return f"CREATE TABLE {self.table(session, self.new_name(state))} {columns}{self.rnd.choice(['AS ', ''])}SELECT {what} FROM {self.table(session, source)}"

    def index(self, session, state):
        rnd, spelling = self.rnd, session.spelling
        name = self.known(state, lambda t: not t.sequence)
        if not name:
            return None
        table = state[name]
        full = self.table(session, name)
        tail = rnd.choice(["", "", " ALGORITHM=INPLACE", " LOCK=DEFAULT", " ALGORITHM DEFAULT LOCK NONE", " COMMENT 'x, y'" if not self.mariadb else " WAIT 3"])
        if table.indexes and self.chance(0.4):
            index = rnd.choice(table.indexes)
            exists = rnd.choice(["", "IF EXISTS "]) if self.mariadb else ""
            tail = tail if "COMMENT" not in tail else ""
            return f"DROP INDEX {exists}{spelling.column(index) if index != 'PRIMARY' else '`PRIMARY`'} ON {full}{tail}"
        kind, exists, replace = rnd.choice(["UNIQUE", "UNIQUE", "", "FULLTEXT"]), "", ""
        index = self.fresh()
        if self.mariadb and self.chance(0.3):
            exists, replace = rnd.choice([("IF NOT EXISTS ", ""), ("", "OR REPLACE ")])
            index = rnd.choice([i for i in table.indexes if i != "PRIMARY"] or [index])
        using = rnd.choice(["", " USING BTREE"]) if kind != "FULLTEXT" else ""
        return f"CREATE {replace}{kind} INDEX {exists}{spelling.name(index)}{using} ON {full} {self.alterations.parts(spelling, table, kind == 'FULLTEXT')}{tail}"

    def rename(self, session, state):
        rnd = self.rnd
        first = self.known(state, lambda t: not t.sequence)
        second = self.known(state, lambda t: not t.sequence)
        if not first:
            return None
        free = self.new_name(state)
        word = rnd.choice(["TABLE", "TABLE", "TABLES"])
        if first != second and self.chance(0.5):
            free = (first[0], "_swap")
            steps = [(first, free), (second, first), (free, second)]
        else:
            steps = [(first, free)]
        return f"RENAME {word} " + ", ".join(f"{self.table(session, a)} TO {self.table(session, b)}" for a, b in steps)

    def drop(self, session, state):
        count = self.rnd.choice([1, 1, 2, 3])
        chosen = {self.known(state, lambda t: not t.sequence) for _ in range(count)}
        chosen.discard(None)
        exists = self.rnd.choice(["", "IF EXISTS "])
        listed = [self.table(session, n) for n in sorted(chosen)]
        if exists and self.chance(0.3):
            listed.append(session.spelling.name("never_there"))
        return f"DROP TABLE {exists}{', '.join(listed)}" if listed else None

    def truncate(self, session, state):
        name = self.known(state, lambda t: not t.sequence)
        what = self.rnd.choice(["TRUNCATE ", "TRUNCATE TABLE ", "OPTIMIZE TABLE "])
        return what + self.table(session, name) if name else None

    def migrate(self, session, state):
        """As gh-ost and pt-online-schema-change do."""
        name = self.known(state, lambda t: not t.sequence and not t.constraints("FOREIGN KEY"))
        if not name or (name[0], "_gho") in state:
            return None
        table, ghost, old = ("`" + n.replace("`", "``") + "`" for n in (name[1], "_gho", "_del"))
        database = "`" + name[0] + "`"
        column = self.rnd.choice([c for c in names.COLUMNS if c.lower() not in {n.lower() for n in state[name].names}])
        made = [f"create /* gh-ost */ table {database}.{ghost} like {database}.{table}",
                f"alter /* gh-ost */ table {database}.{ghost} add column `{column.replace('`', '``')}` {self.writer.definition(session.spelling, plain=True)}"]
        if self.chance(0.5):
            return [*made, f"rename /* gh-ost */ table {database}.{table} to {database}.{old}, {database}.{ghost} to {database}.{table}",
                    f"drop /* gh-ost */ table if exists {database}.{old}"]
        return [*made, f"DROP TABLE {database}.{table}", f"RENAME TABLE {database}.{ghost} TO {database}.{table}"]

    def database(self, session, state):
        rnd = self.rnd
        name = rnd.choice(CHARSETS)
        charset = rnd.choice([f"CHARACTER SET {name}", f"DEFAULT CHARACTER SET = {name}", f"COLLATE {COLLATIONS[name]}", f"CHARSET {name} COLLATE {COLLATIONS[name]}"])
        which = rnd.choice(DATABASES)
        if self.chance(0.15):
            word = rnd.choice(["DATABASE", "SCHEMA"])
            made = [f"DROP {word} IF EXISTS {session.spelling.name(which)}", f"CREATE {word} {session.spelling.name(which)} {rnd.choice(['', charset])}"]
            return [*made, f"USE `{session.database}`", f"CREATE TABLE `{which}`.parent (id INT PRIMARY KEY)"]
        return f"ALTER {rnd.choice(['DATABASE', 'SCHEMA'])} {rnd.choice([session.spelling.name(which) + ' ', ''])}{charset}"

    def sequence(self, session, state):
        known = self.known(state, lambda t: t.sequence)
        if known and self.chance(0.5):
            return self.rnd.choice([f"DROP SEQUENCE {self.table(session, known)}", f"ALTER SEQUENCE {self.table(session, known)} INCREMENT BY 2"])
        kind = self.rnd.choice(["", " AS INT", " AS BIGINT UNSIGNED", " AS SMALLINT"]) if self.mariadb >= (11, 5) else ""
        return f"CREATE SEQUENCE {self.table(session, self.new_name(state))} START WITH 3{kind} MAXVALUE 99"

    def other(self, session, state):
        """What has nothing to do with us."""
        name = self.fresh()
        return self.rnd.choice([
            f"CREATE VIEW `{session.database}`.v_{name} AS SELECT 1 AS a",
            f"CREATE PROCEDURE `{session.database}`.p_{name}() BEGIN DROP TABLE IF EXISTS t1; CREATE TABLE t1 (a INT); END",
            [f"CREATE USER u_{name}", f"GRANT SELECT ON *.* TO u_{name}", f"DROP USER u_{name}"],
            f"CREATE FUNCTION `{session.database}`.f_{name}() RETURNS INT DETERMINISTIC RETURN 1",
            f"ANALYZE TABLE `{session.database}`.parent",
            f"CREATE EVENT `{session.database}`.e_{name} ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 1 YEAR DO DROP TABLE t1",  # EVERY would run at once
            "FLUSH TABLES",
        ])
