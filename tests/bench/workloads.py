"""What the source does in a benchmark.  Deterministic; every row change is one row image pair in the binlog."""
import time

DATABASE = "bench"
HELPERS = "bench_helpers"  # not replicated
NUMBERS = 100_000
CITIES = ("Lisbon", "Zürich", "São Paulo", "Kraków", "Reykjavík", "東京", "Osaka", "Wellington", "Nairobi", "Montréal")
STATES = ("new", "paid", "packed", "shipped", "returned", "cancelled")
COLUMNS = """(id BIGINT NOT NULL PRIMARY KEY, qty INT NOT NULL, name VARCHAR(40) NOT NULL, price DECIMAL(10,2) NOT NULL,
    changed DATETIME NOT NULL, status VARCHAR(20) NOT NULL) CHARACTER SET utf8mb4"""
TABLES = ("bulk", "live", "paced", "probe")
# The same six fields, for a load generator that does not know our rows.
SAMPLE = ("id", "524288", "qty", "583", "name", "Reykjavík order 524288", "price", "58325.44", "changed", "2020-01-07 01:38:08", "status", "shipped")


def schema():
    yield f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4"
    yield f"CREATE DATABASE {HELPERS}"
    yield f"CREATE TABLE {HELPERS}.digit (d INT)"
    yield f"INSERT INTO {HELPERS}.digit VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)"
    yield f"CREATE TABLE {HELPERS}.numbers (n BIGINT NOT NULL PRIMARY KEY)"
    yield (f"INSERT INTO {HELPERS}.numbers SELECT 1 + a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d FROM {HELPERS}.digit a, "
           f"{HELPERS}.digit b, {HELPERS}.digit c, {HELPERS}.digit e, {HELPERS}.digit f")
    for table in TABLES:
        yield f"CREATE TABLE {DATABASE}.{table} {COLUMNS}"


def insert(table, base, count):
    """INSERT of the rows base+1 .. base+count, made by the server; count <= NUMBERS."""
    cities = ",".join(f"'{city}'" for city in CITIES)
    states = ",".join(f"'{state}'" for state in STATES)
    return (f"INSERT INTO {DATABASE}.{table} SELECT n+{base}, (n+{base})*7919%1000, CONCAT(ELT(1+n%10,{cities}),' order ',n+{base}), "
            f"(n+{base})*104729%10000000/100, TIMESTAMP '2020-01-01 00:00:00' + INTERVAL (n+{base})%100000000 SECOND, ELT(1+n%6,{states}) "
            f"FROM {HELPERS}.numbers WHERE n<={count}")


def update(table, after, up_to):
    return (f"UPDATE {DATABASE}.{table} SET qty=qty+1, changed=changed+INTERVAL 1 DAY, status='shipped-again' "
            f"WHERE id>{after} AND id<={up_to}")


def delete(table, after, up_to):
    return f"DELETE FROM {DATABASE}.{table} WHERE id>{after} AND id<={up_to}"


def bulk(rows):
    """Transactions of up to 100,000 rows: 5/8 inserted, 2/8 updated, 1/8 deleted."""
    inserted, updated, deleted = rows * 5 // 8, rows * 2 // 8, rows // 8
    for base in range(0, inserted, NUMBERS):
        yield insert("bulk", base, min(NUMBERS, inserted - base))
    for base in range(0, updated, NUMBERS):
        yield update("bulk", base, min(base + NUMBERS, updated))
    for base in range(0, deleted, NUMBERS):
        yield delete("bulk", base, min(base + NUMBERS, deleted))


LIVE_INSERTED, LIVE_UPDATED, LIVE_DELETED = 100, 40, 20


def write_live(connect, index, end, rows):
    """One writer: transactions of 160 row changes as fast as they go until the clock shows `end`; rows.value grows by what was committed."""
    connection = connect()
    connection.autocommit(False)
    base = index * 1_000_000_000
    with connection.cursor() as cursor:
        # Ranges of the writers touch: without this, one's gap locks stop another's inserts.
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        connection.commit()
        while time.monotonic() < end:
            cursor.execute(insert("live", base, LIVE_INSERTED))
            cursor.execute(update("live", base, base + LIVE_UPDATED))
            cursor.execute(delete("live", base, base + LIVE_DELETED))
            connection.commit()
            base += LIVE_INSERTED
            with rows.get_lock():
                rows.value += LIVE_INSERTED + LIVE_UPDATED + LIVE_DELETED
    connection.close()


def single_insert(table, number):
    return (f"INSERT INTO {DATABASE}.{table} VALUES ({number}, {number % 1000}, '{CITIES[number % 10]} order {number}', "
            f"{number * 104729 % 10000000 / 100:.2f}, '2026-01-{1 + number % 28:02} 10:20:{number % 60:02}', '{STATES[number % 6]}')")


def write_paced(connect, rate, seconds, done):
    """Single-row transactions at `rate` a second; done.value: how many."""
    connection = connect()
    with connection.cursor() as cursor:
        began = time.monotonic()
        number = 0
        while True:
            due = began + number / rate
            now = time.monotonic()
            if now - began >= seconds:
                break
            if now < due:
                time.sleep(due - now)
            number += 1
            cursor.execute(single_insert("paced", number))
            done.value = number
    connection.close()


def probe_rows(connect, redis_client, rate, seconds, patience=10.0):
    """[seconds from the return of a commit until its row's hash is there], by a client that writes and looks itself."""
    connection = connect()
    out = []
    with connection.cursor() as cursor:
        began = time.monotonic()
        number = 0
        while time.monotonic() - began < seconds:
            due = began + number / rate
            if (ahead := due - time.monotonic()) > 0:
                time.sleep(ahead)
            number += 1
            cursor.execute(single_insert("probe", number))
            committed = time.monotonic()
            key = f"{DATABASE}:probe:{number}"
            while redis_client.hget(key, "qty") is None:
                if time.monotonic() - committed > patience:
                    raise RuntimeError(f"{key} is not in Redis after {patience} s")
            out.append(time.monotonic() - committed)
    connection.close()
    return out
