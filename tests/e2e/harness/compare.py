"""Is every MySQL row in Redis as the hash it must be, and nothing else?"""
import struct

# How a column's value is selected so that the server's text is what docs/format.md promises.
SELECT = {"bit": "{0}+0", "float": "{0}+0e0"}
# Compared by the value that is read back, not by text.
AS_NUMBER = {"float": lambda b: struct.pack("<f", float(b)), "double": float}


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def escaped(part):
    return part.replace(b"\\", b"\\\\").replace(b":", b"\\:")


def table_shape(connection, database, table):
    """[(column, data type)], [key columns]."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
                       "ORDER BY ordinal_position", (database, table))
        columns = [(name.decode(), kind.decode().lower()) for name, kind in cursor.fetchall()]
        cursor.execute("SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = %s AND table_name = %s "
                       "AND constraint_name = 'PRIMARY' ORDER BY ordinal_position", (database, table))
        keys = [name.decode() for (name,) in cursor.fetchall()]
    return columns, keys


def hashes_of(connection, database, table, where="TRUE"):
    """{Redis key: {field: bytes}} and {Redis key: {field: data type}} of a table's rows; the connection is a raw one."""
    columns, keys = table_shape(connection, database, table)
    picked = ", ".join(SELECT.get(kind, "{0}").format(quoted(name)) for name, kind in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {picked} FROM {quoted(database)}.{quoted(table)} WHERE {where}")
        rows = cursor.fetchall()
    hashes, kinds = {}, {}
    names = [name.encode() for name, _ in columns]
    for row in rows:
        values = dict(zip(names, row))
        key = b":".join([escaped(database.encode()), escaped(table.encode()), *(escaped(values[k.encode()]) for k in keys)])
        hashes[key] = {name: value for name, value in values.items() if value is not None}
        kinds[key] = {name.encode(): kind for name, kind in columns}
    return hashes, kinds


def expected_hashes(mysql, database, tables):
    """The same of what MySQL holds now."""
    hashes, kinds = {}, {}
    connection = mysql.connect(raw=True)
    try:
        for table in tables:
            more, their_kinds = hashes_of(connection, database, table)
            hashes |= more
            kinds |= their_kinds
    finally:
        connection.close()
    return hashes, kinds


def same_value(kind, expected, found):
    if kind in AS_NUMBER:
        try:
            return AS_NUMBER[kind](expected) == AS_NUMBER[kind](found)
        except ValueError:
            return False
    return expected == found


def differences(mysql, redis_client, database, tables, limit=20):
    """(rows compared, [what differs, in words])."""
    expected, kinds = expected_hashes(mysql, database, tables)
    found_keys = set(redis_client.scan_iter(match=f"{database}:*", count=1000))
    wrong = [f"a hash without a row: {key!r}" for key in sorted(found_keys - expected.keys())]
    keys = list(expected)
    for at in range(0, len(keys), 1000):
        batch = keys[at:at + 1000]
        pipeline = redis_client.pipeline(transaction=False)
        for key in batch:
            pipeline.hgetall(key)
        for key, found in zip(batch, pipeline.execute()):
            if not found:
                wrong.append(f"a row without a hash: {key!r}")
                continue
            for name in expected[key].keys() | found.keys():
                want, have = expected[key].get(name), found.get(name)
                if want is None or have is None or not same_value(kinds[key][name], want, have):
                    wrong.append(f"{key!r} {name.decode()}: MySQL {want!r}, Redis {have!r}")
    return len(expected), wrong[:limit] + ([f"... and {len(wrong) - limit} more"] if len(wrong) > limit else [])
