"""What the server says of the tables in our databases, and where it differs from what we made of its binlog."""
import dataclasses
import re


@dataclasses.dataclass
class Column:
    name: str
    type: str
    nullable: bool
    charset: str
    generated: bool
    invisible: bool


@dataclasses.dataclass
class Table:
    columns: list
    primary: list
    unique: list  # of (name, columns, nullable, prefix), in order
    indexes: list  # names of all, in order
    charset: str
    versioned: bool  # hidden columns stand behind these
    sequence: bool
    create: str

    @property
    def names(self):
        return [c.name for c in self.columns]

    def constraints(self, kind):
        return [m.replace("``", "`") for m in re.findall(r"CONSTRAINT `((?:[^`]|``)+)` " + kind, self.create)]

    @property
    def partitioned(self):
        return "PARTITION BY" in self.create


class Reader:
    def __init__(self, connection, mariadb):
        self.connection, self.mariadb = connection, mariadb

    def ask(self, statement):
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def charsets(self, databases):
        return dict(self.ask(f"SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ({databases})"))

    def tables(self, databases):
        """{(database, table): Table}"""
        out = {}
        kinds = self.ask("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_COLLATION FROM information_schema.TABLES "
                         f"WHERE TABLE_SCHEMA IN ({databases}) AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')")
        for database, name, kind, collation in kinds:
            out[database, name] = Table([], [], [], [], (collation or "").split("_")[0], kind == "SYSTEM VERSIONED", kind == "SEQUENCE", "")
        columns = self.ask("SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, EXTRA FROM information_schema.COLUMNS "
                           f"WHERE TABLE_SCHEMA IN ({databases}) ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION")
        for database, table, name, column_type, nullable, charset, extra in columns:
            if (database, table) in out:
                generated = "VIRTUAL GENERATED" in extra or "STORED GENERATED" in extra or "PERSISTENT" in extra
                column_type = re.sub(r" /\*.*?\*/", "", column_type)
                out[database, table].columns.append(Column(name, column_type, nullable == "YES", charset or "", generated, "INVISIBLE" in extra))
        for (database, name), table in out.items():
            self.keys(f"`{database.replace('`', '``')}`.`{name.replace('`', '``')}`", table)
        return out

    def keys(self, full_name, table):
        table.create = self.ask(f"SHOW CREATE TABLE {full_name}")[0][1]
        if re.search(r"GENERATED ALWAYS AS ROW (START|END)", table.create):
            table.versioned = False  # its columns are there
        keys, unique = {}, set()
        for row in self.ask(f"SHOW INDEX FROM {full_name}"):
            name, column, part = row[2], row[4], row[7]
            keys.setdefault(name, []).append((column, part))
            if not row[1]:
                unique.add(name)
        table.indexes = list(keys)
        nullable = {c.name for c in table.columns if c.nullable}
        for name, parts in keys.items():
            names = [column for column, _ in parts]
            if name == "PRIMARY":
                table.primary = names
            elif name in unique and None not in names:
                table.unique.append((name, names, bool(nullable & set(names)), any(part for _, part in parts)))


def differences(ours, theirs):
    """Texts.  `ours`: as ddl_follow prints it, None when it has no such table."""
    if ours is None or theirs is None:
        return [] if ours is theirs else ["only we have the table" if theirs is None else "we do not have the table"]
    out = []
    columns = [Column(**c) for c in ours["columns"]]
    primary, unique = ours["primary"], [(k["name"], k["columns"], k["nullable"], k["prefix"]) for k in ours["unique"]]
    if theirs.versioned:
        if [c.name for c in columns[-2:]] != ["row_start", "row_end"]:
            out.append(f"the hidden columns are {[c.name for c in columns[-2:]]}")
        del columns[-2:]
        if any(key[-1:] != ["row_end"] for key in [*([primary] if primary else []), *(u[1] for u in unique)]):
            out.append(f"row_end is not in the keys {primary} {unique}")
        primary, unique = primary[:-1], [(n, c[:-1], null, prefix) for n, c, null, prefix in unique]
    for at in range(max(len(columns), len(theirs.columns))):
        pair = [list_[at] if at < len(list_) else None for list_ in (columns, theirs.columns)]
        if pair[0] != pair[1]:
            out.append(f"column {at}: we have {pair[0]}, the server {pair[1]}")
    if primary != theirs.primary:
        out.append(f"primary key: we have {primary}, the server {theirs.primary}")
    if unique != theirs.unique:
        out.append(f"unique keys: we have {unique}, the server {theirs.unique}")
    if sorted(ours["indexes"]) != sorted(theirs.indexes):
        out.append(f"indexes: we have {sorted(ours['indexes'])}, the server {sorted(theirs.indexes)}")
    if ours["charset"] != theirs.charset and not theirs.sequence:
        out.append(f"character set: we have {ours['charset']}, the server {theirs.charset}")
    return out
