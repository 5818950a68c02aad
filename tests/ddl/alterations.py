"""Random ALTER TABLE."""
import copy
import re

import names
from columns import CHARSETS, COLLATIONS

SHORT = ("char", "varchar", "int", "bigint", "smallint", "tinyint", "mediumint", "date", "decimal", "binary", "varbinary", "enum", "time", "year", "uuid", "inet")
LONG = ("text", "tinytext", "mediumtext", "longtext", "blob", "tinyblob", "mediumblob", "longblob")


class Alterations:
    def __init__(self, rnd, mariadb, writer):
        self.rnd, self.mariadb, self.writer = rnd, mariadb, writer
        self.counter = 0

    def chance(self, probability):
        return self.rnd.random() < probability

    def fresh(self, prefix):
        self.counter += 1
        return f"{prefix}{self.counter}"

    # --- parts

    def part(self, spelling, name, column_type):
        """A column of a key, or None."""
        base = column_type.partition("(")[0].lower()
        text = spelling.column(name)
        if base in LONG:
            text += f"({self.rnd.randint(1, 60)})"
        elif base in ("varchar", "char") and self.chance(0.25):
            text += f"({self.rnd.randint(1, 12)})"
        elif base and base not in SHORT:
            return None
        return text + self.rnd.choice(["", "", "", " DESC", " ASC"])

    def parts(self, spelling, table, fulltext=False):
        columns = [c for c in table.columns if not fulltext or c.type.startswith(("char", "varchar", "text"))] or table.columns
        chosen = self.rnd.sample(columns, min(len(columns), self.rnd.choice([1, 1, 1, 2, 3])))
        made = [self.part(spelling, c.name, c.type) if not fulltext else spelling.column(c.name) for c in chosen]
        made = [m for m in made if m] or [spelling.column(chosen[0].name)]
        if not self.mariadb and not fulltext and self.chance(0.06):
            made.append(f"(length({spelling.column(chosen[0].name)}))")
        return "(" + ", ".join(made) + ")"

    def key_text(self, spelling, columns, kinds=("UNIQUE", "UNIQUE KEY", "UNIQUE INDEX", "KEY", "INDEX", "PRIMARY KEY", "CONSTRAINT UNIQUE")):
        """A key in a list of columns.  `columns`: (name, type)."""
        rnd = self.rnd
        kind = rnd.choice(kinds)
        chosen = rnd.sample(columns, min(len(columns), rnd.choice([1, 1, 2])))
        parts = [self.part(spelling, name, type_) or spelling.column(name) for name, type_ in chosen]
        name = "" if kind in ("PRIMARY KEY", "CONSTRAINT UNIQUE") or self.chance(0.5) else " " + spelling.name(self.fresh("k"))
        if kind == "CONSTRAINT UNIQUE" and self.chance(0.5):
            kind = f"CONSTRAINT {spelling.name(self.fresh('q'))} UNIQUE"
        return f"{kind}{name} ({', '.join(parts)})" + rnd.choice(["", "", " USING BTREE", " COMMENT 'k, (x'" if not kind.startswith("PRIMARY") else ""])

    def foreign_key(self, spelling, column):
        rnd = self.rnd
        name = rnd.choice(["", f"CONSTRAINT {self.fresh('fk')} "])
        index = rnd.choice(["", "", f" {self.fresh('fi')}"])
        action = rnd.choice(["", " ON DELETE CASCADE", " ON UPDATE NO ACTION ON DELETE RESTRICT", " MATCH SIMPLE"])
        return f"{name}FOREIGN KEY{index} ({spelling.name(column)}) REFERENCES parent (id){action}"

    # --- actions

    def statement(self, session, state, name, full_name, new_name):
        rnd, spelling = self.rnd, session.spelling
        self.table, self.spelling = copy.deepcopy(state[name]), spelling
        self.left = list(self.table.columns)
        rnd.shuffle(self.left)
        self.taken = {c.name.lower() for c in self.table.columns}
        head = rnd.choice(["ALTER TABLE", "ALTER TABLE", "ALTER TABLE", *(["ALTER ONLINE TABLE", "ALTER IGNORE TABLE", "ALTER TABLE IF EXISTS"] if self.mariadb else [])])
        if self.chance(0.06):
            return f"{head} {full_name} {self.alone(state, name, session)}"
        actions = []
        count = rnd.choices([1, 2, 3, 4, 10], [50, 25, 12, 8, 5])[0]
        for _ in range(count):
            made = self.action()
            if made:
                actions.append(made)
        # MariaDB leaves a file of the old name behind when it copies a table with such a name.
        if self.chance(0.05) and (not self.mariadb or re.fullmatch(r"\w+", name[1], re.ASCII)):
            actions.append(f"RENAME {rnd.choice(['TO ', 'AS ', ''])}{new_name()}")
        if self.chance(0.1):
            actions.append(rnd.choice(["ALGORITHM=DEFAULT", "LOCK=DEFAULT", "ALGORITHM COPY", "LOCK = SHARED", "FORCE", "ENGINE=InnoDB"]))
        rnd.shuffle(actions)
        wait = rnd.choice([" WAIT 10", " NOWAIT"]) if self.mariadb and self.chance(0.05) else ""
        return f"{head} {full_name}{wait} " + rnd.choice([", ", ", ", ",", " ,\n  "]).join(actions) if actions else None

    def action(self):
        many = len(self.taken) > 14
        weights = {self.add_column: 4 if many else 22, self.drop_column: 30 if many else 10, self.change: 12, self.modify: 16, self.rename_column: 7, self.default: 4,
                   self.visibility: 3, self.add_key: 14, self.drop_key: 9, self.rename_key: 5, self.primary: 7, self.convert: 3, self.charset: 3, self.constraint: 3,
                   self.foreign: 3, self.option: 3, self.versioning: 2 if self.mariadb else 0}
        return self.rnd.choices(list(weights), list(weights.values()))[0]()

    def column(self):
        """One that no other action of this statement is about."""
        if not self.left:
            return None
        return self.left.pop()

    def new_column(self):
        free = [c for c in names.COLUMNS if c.lower() not in self.taken] or [self.fresh("c")]
        name = self.rnd.choice(free)
        self.taken.add(name.lower())
        return name

    def place(self):
        if self.chance(0.25):
            return " FIRST"
        if self.left and self.chance(0.4):
            return f" AFTER {self.spelling.column(self.rnd.choice(self.left).name)}"
        return ""

    def definition(self):
        return self.writer.definition(self.spelling, self.left)

    def if_(self, what):
        return f"{what} " if self.mariadb and self.chance(0.25) else ""

    def add_column(self):
        rnd = self.rnd
        exists = self.if_("IF NOT EXISTS")
        word = rnd.choice(["COLUMN ", "COLUMN ", ""])
        if self.chance(0.1):
            items = [f"{self.spelling.name(self.new_column())} {self.definition()}" for _ in range(rnd.randint(1, 3))]
            return f"ADD {word}{exists}({', '.join(items)})"
        name = self.new_column()
        if exists and self.chance(0.4) and self.left:
            name = rnd.choice(self.left).name
        return f"ADD {word}{exists}{self.spelling.name(name)} {self.definition()}{self.place()}"

    def drop_column(self):
        column = self.column()
        if not column:
            return None
        exists = self.if_("IF EXISTS")
        name = "never_there" if exists and self.chance(0.3) else column.name
        return f"DROP {self.rnd.choice(['COLUMN ', ''])}{exists}{self.spelling.column(name)}"

    def redefinition(self, column):
        """Often only a bit other than it is."""
        kind = column.type.partition("(")[0]
        if kind in ("varchar", "char", "varbinary") and self.chance(0.5):
            return f"{kind}({self.rnd.choice([3, 5, 8, 10, 30, 70, 200])})" + self.rnd.choice(["", " NOT NULL", " NULL"])
        if kind in ("int", "bigint", "smallint") and self.chance(0.4):
            return self.rnd.choice(["BIGINT", "INT", "INT UNSIGNED"]) + self.rnd.choice(["", " NOT NULL", " NULL", " NOT NULL AUTO_INCREMENT"])
        return self.definition()

    def change(self):
        column = self.column()
        if not column:
            return None
        name = column.name if self.chance(0.2) else self.new_column()
        return f"CHANGE {self.rnd.choice(['COLUMN ', ''])}{self.if_('IF EXISTS')}{self.spelling.column(column.name)} {self.spelling.name(name)} {self.redefinition(column)}{self.place()}"

    def modify(self):
        column = self.column()
        if not column:
            return None
        return f"MODIFY {self.rnd.choice(['COLUMN ', ''])}{self.if_('IF EXISTS')}{self.spelling.name(column.name)} {self.redefinition(column)}{self.place()}"

    def rename_column(self):
        column = self.column()
        return f"RENAME COLUMN {self.if_('IF EXISTS')}{self.spelling.column(column.name)} TO {self.spelling.name(self.new_column())}" if column else None

    def default(self):
        column = self.column()
        if not column:
            return None
        what = self.rnd.choice(["DROP DEFAULT", "SET DEFAULT 1", "SET DEFAULT '1'", "SET DEFAULT (1 + 1)"])
        return f"ALTER {self.rnd.choice(['COLUMN ', ''])}{self.spelling.column(column.name)} {what}"

    def visibility(self):
        column = self.column()
        if not column or self.mariadb:
            return None
        return f"ALTER COLUMN {self.spelling.column(column.name)} SET {self.rnd.choice(['VISIBLE', 'INVISIBLE'])}"

    def add_key(self):
        columns = [(c.name, c.type) for c in self.left]
        if not columns:
            return None
        text = self.key_text(self.spelling, columns, ("UNIQUE", "UNIQUE", "UNIQUE KEY", "KEY", "INDEX", "CONSTRAINT UNIQUE"))
        if self.mariadb and self.chance(0.2) and not text.startswith("CONSTRAINT"):
            word = text.partition(" (")[0].partition(" `")[0].partition(' "')[0]
            word = next(w for w in ("UNIQUE KEY", "UNIQUE INDEX", "UNIQUE", "KEY", "INDEX") if word.startswith(w))
            text = f"{word} IF NOT EXISTS{text[len(word):]}"
        return "ADD " + text

    def drop_key(self):
        indexes = [i for i in self.table.indexes if i != "PRIMARY"]
        if not indexes:
            return None
        word = self.rnd.choice(["KEY", "INDEX", "INDEX", "CONSTRAINT"])
        if word == "CONSTRAINT":
            indexes = [u[0] for u in self.table.unique]
        if not indexes:
            return None
        name = self.rnd.choice(indexes)
        self.table.indexes.remove(name)
        self.table.unique = [u for u in self.table.unique if u[0] != name]
        return f"DROP {word} {self.if_('IF EXISTS')}{self.spelling.column(name)}"

    def rename_key(self):
        indexes = [i for i in self.table.indexes if i != "PRIMARY"]
        if not indexes:
            return None
        name = self.rnd.choice(indexes)
        self.table.indexes.remove(name)
        self.table.unique = [u for u in self.table.unique if u[0] != name]
        return f"RENAME {self.rnd.choice(['KEY', 'INDEX'])} {self.spelling.column(name)} TO {self.spelling.name(self.fresh('r'))}"

    def primary(self):
        columns = [(c.name, c.type) for c in self.left]
        drop = "DROP PRIMARY KEY" if self.table.primary else None
        if drop and self.chance(0.4) or not columns:
            self.table.primary = []
            return drop
        add = "ADD " + self.key_text(self.spelling, columns, ("PRIMARY KEY", "CONSTRAINT pk PRIMARY KEY"))
        had, self.table.primary = self.table.primary, ["x"]
        return f"{drop}, {add}" if had and drop else add

    def convert(self):
        name = self.rnd.choice(CHARSETS)
        return self.rnd.choice([f"CONVERT TO CHARACTER SET {name}", f"CONVERT TO CHARACTER SET {name} COLLATE {COLLATIONS[name]}", f"CONVERT TO CHARSET {name}",
                                "CONVERT TO CHARACTER SET DEFAULT"])

    def charset(self):
        name = self.rnd.choice(CHARSETS)
        return self.rnd.choice([f"DEFAULT CHARSET={name}", f"CHARACTER SET {name}", f"COLLATE {COLLATIONS[name]}", f"DEFAULT CHARACTER SET = {name} COLLATE {COLLATIONS[name]}",
                                *(["CHARSET DEFAULT"] if self.mariadb else [])])

    def constraint(self):
        checks = self.table.constraints("CHECK")
        if checks and self.chance(0.5):
            return f"DROP {self.rnd.choice(['CONSTRAINT', 'CHECK'] if not self.mariadb else ['CONSTRAINT'])} {self.spelling.name(self.rnd.choice(checks))}"
        return self.rnd.choice([f"ADD CONSTRAINT {self.fresh('ck')} CHECK (1 <> 2)", "ADD CHECK ((1 + 1) > 1)"])

    def foreign(self):
        foreign = self.table.constraints("FOREIGN KEY")
        if foreign and self.chance(0.5):
            return f"DROP FOREIGN KEY {self.spelling.name(self.rnd.choice(foreign))}"
        column = self.new_column()
        return f"ADD COLUMN {self.spelling.name(column)} INT, ADD {self.foreign_key(self.spelling, column)}"

    def option(self):
        return self.rnd.choice(["ENGINE=InnoDB", f"COMMENT={self.spelling.string(self.rnd.choice(names.TEXTS))}", "AUTO_INCREMENT=100", "ROW_FORMAT=DYNAMIC", "STATS_PERSISTENT 1",
                                "FORCE", f"ORDER BY {self.spelling.column(self.table.columns[0].name)} DESC", "ENABLE KEYS", "MAX_ROWS=10 MIN_ROWS=1"])

    def versioning(self):
        if self.table.versioned or " WITH SYSTEM VERSIONING" in self.table.create:
            if "ROW START" in self.table.create and self.chance(0.7):
                return "DROP COLUMN rs, DROP COLUMN re" + self.rnd.choice(["", ", DROP SYSTEM VERSIONING", ", DROP SYSTEM VERSIONING, DROP PERIOD FOR SYSTEM_TIME"])
            return "DROP SYSTEM VERSIONING"
        if "PERIOD FOR `app`" in self.table.create:
            return "DROP PERIOD FOR app"
        if {"ps", "pe"} <= self.taken and self.chance(0.5):
            return "ADD PERIOD FOR app (ps, pe)"
        if self.chance(0.5):
            return ("ADD COLUMN rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START, ADD COLUMN re TIMESTAMP(6) GENERATED ALWAYS AS ROW END, ADD PERIOD FOR SYSTEM_TIME(rs, re), "
                    "ADD SYSTEM VERSIONING")
        return "ADD SYSTEM VERSIONING"

    def alone(self, state, name, session):
        """What stands alone: partitions."""
        rnd = self.rnd
        if not self.table.partitioned:
            numbers = [c.name for c in self.table.columns if c.type.startswith(("int", "bigint"))]
            if not numbers:
                return "REMOVE PARTITIONING"
            column = self.spelling.column(rnd.choice(numbers))
            return rnd.choice([f"PARTITION BY HASH ({column}) PARTITIONS 2", f"PARTITION BY RANGE ({column}) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))",
                               f"ENGINE=InnoDB PARTITION BY LIST ({column}) (PARTITION p0 VALUES IN (1), PARTITION p1 VALUES IN (2, 3))"])
        other = [n for n, t in state.items() if n[0] == name[0] and not t.partitioned and n != name]
        other = rnd.choice(other)[1] if other else "nothing"
        made = ["REMOVE PARTITIONING", "TRUNCATE PARTITION p0", "DROP PARTITION p1", "ADD PARTITION (PARTITION p7 VALUES LESS THAN (700))", "ADD PARTITION (PARTITION p8 VALUES IN (800))",
                "ADD PARTITION PARTITIONS 2", "COALESCE PARTITION 1", "REBUILD PARTITION ALL", "ANALYZE PARTITION p0", "CHECK PARTITION ALL", "TRUNCATE PARTITION ALL",
                "REORGANIZE PARTITION p1 INTO (PARTITION p1 VALUES LESS THAN (20))", "ALGORITHM=INPLACE, ADD PARTITION PARTITIONS 1"]
        exchange = f"EXCHANGE PARTITION p0 WITH TABLE {session.spelling.name(name[0])}.{session.spelling.name(other)}"
        made += [exchange, exchange + " WITHOUT VALIDATION"]
        if self.mariadb and self.mariadb >= (10, 7):
            made.append(f"CONVERT PARTITION p0 TO TABLE `{name[0]}`.`split_{self.counter}`")
            self.counter += 1
        return rnd.choice(made)
