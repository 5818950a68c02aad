"""Writes random rows and keeps what the server itself says of each of them after each change."""
import collections
import dataclasses

import pymysql

from catalogue import quoted

# Together in one statement; a statement is closed earlier when its text grows large.
ROWS, TEXT = 100, 2 << 20


@dataclasses.dataclass
class Version:
    """One row at one moment: what SELECT printed of each column, and the SQL it was written with."""
    printed: tuple
    written: tuple
    pad: bytes  # a column that is not judged


@dataclasses.dataclass
class Change:
    type: str
    before: Version | None
    after: Version | None

    def silent(self):
        """An UPDATE after which SELECT prints what it printed before: as a rule no server logs it."""
        return self.type == "UPDATE" and self.before.printed == self.after.printed and self.before.pad == self.after.pad


class Shadow:
    def __init__(self, server, rnd):
        self.server, self.rnd = server, rnd
        self.connection = server.connect(raw=True, seconds=600)
        self.next_id = 1
        self.refused = collections.Counter()  # rows the server would not take, by table and message
        self.setting = None

    def begin(self, setting):
        """A new set of changes, which the server logs as `setting` says."""
        self.setting = setting
        for statement in setting.statements():
            self.execute(statement)
        self.changes = collections.defaultdict(lambda: collections.defaultdict(list))  # table name -> id -> [Change]
        self.rows = {}  # (table name, id) -> Version

    def execute(self, statement):
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def literals(self, table):
        return [column.value(self.rnd) if column.value else None for column in table.columns]

    def select(self, table, ids):
        columns = ", ".join(c.kind.select.format(quoted(c.name)) for c in table.columns)
        rows = self.execute(f"SELECT id, pad, {columns} FROM {table.sql_name} WHERE id IN ({', '.join(map(str, ids))})")
        return {int(row[0]): row[1:] for row in rows}

    def note(self, table, ids, kind, written):
        """Takes in what became of these rows."""
        printed = self.select(table, ids)
        for row in ids:
            before = self.rows.get((table.name, row))
            if row not in printed:
                assert kind == "INSERT", f"{table.name} {row} is gone"
                continue
            sql = written.get(row) or [None] * len(table.columns)
            if before:
                sql = [new if new is not None else old for new, old in zip(sql, before.written)]
            self.rows[table.name, row] = after = Version(printed[row][1:], tuple(sql), printed[row][0])
            self.changes[table.name][row].append(Change(kind, before, after))

    def values_statement(self, table, columns, written, update=False):
        names = ", ".join(["id", *(quoted(table.columns[at].name) for at in columns)])
        rows = ", ".join(f"({row}, {', '.join(sql[at] for at in columns)})" if columns else f"({row})" for row, sql in written.items())
        statement = f"INSERT INTO {table.sql_name} ({names}) VALUES {rows}"
        if update:
            statement += " ON DUPLICATE KEY UPDATE " + ", ".join(f"{n} = VALUES({n})" for n in (quoted(table.columns[at].name) for at in columns))
        return statement

    def put(self, table, columns, written, update=False):
        """The rows that the server took."""
        try:
            self.execute(self.values_statement(table, columns, written, update))
            return dict(written)
        except pymysql.Error:
            taken = {}
            for row, sql in written.items():
                try:
                    self.execute(self.values_statement(table, columns, {row: sql}, update))
                    taken[row] = sql
                except pymysql.Error as error:
                    self.refused[table.name, str(error)[:120]] += 1
            return taken

    def work(self, table, count):
        """So many rows: inserted, changed in several ways, deleted."""
        writable = [at for at, column in enumerate(table.columns) if column.value]
        while count > 0:
            batch, size = {}, 0
            while len(batch) < min(count, ROWS) and size < TEXT:
                batch[self.next_id] = sql = self.literals(table)
                size += sum(len(s) for s in sql if s)
                self.next_id += 1
            count -= len(batch)
            taken = self.put(table, writable, batch)
            self.note(table, list(batch), "INSERT", taken)
            if taken:
                self.update(table, writable, list(taken))
                self.patch(table, list(taken))
                self.touch(table, list(taken))
                self.delete(table, list(taken))

    def update(self, table, writable, ids):
        """Some columns or all of them, each row its own values."""
        chosen = writable if self.rnd.random() < 0.5 else sorted(self.rnd.sample(writable, self.rnd.randint(1, len(writable))))
        if table.key.startswith("KEY"):  # nothing is a duplicate there
            taken = {}
            for row in ids:
                sql = self.literals(table)
                sql = [s if at in chosen else None for at, s in enumerate(sql)]
                self.execute(f"UPDATE {table.sql_name} SET {', '.join(f'{quoted(table.columns[at].name)} = {sql[at]}' for at in chosen)} WHERE id = {row}")
                taken[row] = sql
        else:
            written = {}
            for row in ids:
                sql = self.literals(table)
                written[row] = [s if at in chosen else None for at, s in enumerate(sql)]
            taken = self.put(table, chosen, written, update=True)
        self.note(table, list(taken), "UPDATE", taken)

    def patch(self, table, ids):
        """Documents, changed in place."""
        blind = self.setting.diffs and self.setting.image != "FULL"
        columns = [at for at, c in enumerate(table.columns) if c.patch and not (c.patch_full_only and blind)]
        if not columns:
            return
        for row in ids:
            sql = [None] * len(table.columns)
            for at in self.rnd.sample(columns, self.rnd.randint(1, len(columns))):
                sql[at] = table.columns[at].patch(self.rnd, quoted(table.columns[at].name))
            changes = ", ".join(f"{quoted(c.name)} = {s}" for c, s in zip(table.columns, sql) if s)
            try:
                self.execute(f"UPDATE {table.sql_name} SET {changes} WHERE id = {row}")
            except pymysql.Error as error:
                self.refused[table.name, str(error)[:120]] += 1
                continue
            self.note(table, [row], "UPDATE", {row: sql})

    def touch(self, table, ids):
        """No column that is judged changes."""
        some = self.rnd.sample(ids, (len(ids) + 1) // 2)
        self.execute(f"UPDATE {table.sql_name} SET pad = pad + 1 WHERE id IN ({', '.join(map(str, some))})")
        self.note(table, some, "UPDATE", {})

    def delete(self, table, ids):
        self.execute(f"DELETE FROM {table.sql_name} WHERE id IN ({', '.join(map(str, ids))})")
        for row in ids:
            self.changes[table.name][row].append(Change("DELETE", self.rows.pop((table.name, row)), None))
