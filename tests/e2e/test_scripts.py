"""Redis holds what a script makes of the rows that MySQL holds; rows that it fails for are dead letters with its line, until it is mended."""
import decimal
import json
import pathlib
import random
import tempfile

from cases import SourceTest
from harness import long_run, wait_until

CHANGES = 10_000 if long_run() else 500
KILLS = 10 if long_run() else 1
SEED = 20261127
BAD = 7
DEAD = "sluice.e2e.dead"
DDL = "CREATE TABLE e2e.orders (id INT PRIMARY KEY, customer VARCHAR(20), status VARCHAR(10) NOT NULL, total DECIMAL(10,2), items INT NOT NULL, weight DOUBLE)"
SCRIPT = """\
local function is_there(row) return row ~= nil and row.status ~= 'test' end

local function same(a, b, column) return a and b and a[column] == b[column] end

function on_row(change, out)
  local id = change.row.id
  local was = is_there(change.old) and change.old or nil
  local is = change.type ~= 'delete' and is_there(change.row) and change.row or nil
  if is and is.status == 'bad' then error('no such status') end  -- line 9

  if was and was.customer and not same(was, is, 'customer') then out:set_remove('of:' .. was.customer, id) end
  if is and is.customer then out:set_add('of:' .. is.customer, id) end
  if was and was.customer then out:count('items:' .. was.customer, -was.items) end
  if is and is.customer then out:count('items:' .. is.customer, is.items) end
  if was and was.total and not (is and is.total) then out:zset_remove('rank', id) end
  if is and is.total then out:zset_add('rank', id, is.total) end
  if not is then
    if was then
      out:delete('order:' .. id)
      out:delete('card:' .. id)
    end
    return
  end
  out:hash('order:' .. id, {label = (is.customer or 'nobody'):upper() .. '/' .. is.status, total = is.total or 'none'})
  out:string('card:' .. id, json.encode({items = is.items, weight = is.weight, tags = {is.status, change.table}}))
end
"""
ERROR_LINE = "orders.lua:9: no such status"


class Changes:
    def __init__(self, seed):
        self.random, self.next_id, self.ids = random.Random(seed), 1, []

    def row(self):
        pick, number = self.random.choice, self.random.randrange
        return {"customer": pick(["ann", "bob", "x:y", "a b", "", None]), "status": pick(["new", "paid", "test"]),
                "total": pick([None, decimal.Decimal(number(-10**6, 10**6)) / 100]), "items": number(9), "weight": pick([None, 0.5, 1e100])}

    def one(self, cursor):
        kind = self.random.random()
        if kind < 0.4 or not self.ids:
            row = self.row()
            cursor.execute(f"INSERT INTO e2e.orders (id, {', '.join(row)}) VALUES (%s, {', '.join(['%s'] * len(row))})", (self.next_id, *row.values()))
            self.ids.append(self.next_id)
            self.next_id += 1
        elif kind < 0.8:
            row = self.row()
            names = self.random.sample(sorted(row), 2)
            cursor.execute(f"UPDATE e2e.orders SET {', '.join(f'{n} = %s' for n in names)} WHERE id = %s", (*(row[n] for n in names), self.random.choice(self.ids)))
        elif kind < 0.9:  # the key changes
            at = self.random.randrange(len(self.ids))
            cursor.execute("UPDATE e2e.orders SET id = %s, items = items + 1 WHERE id = %s", (self.next_id, self.ids[at]))
            self.ids[at] = self.next_id
            self.next_id += 1
        else:
            cursor.execute("DELETE FROM e2e.orders WHERE id = %s", (self.ids.pop(self.random.randrange(len(self.ids))),))


def expected(mysql, without):
    """All keys of Redis, by SELECT alone; sums that are 0 are left out."""
    keys, sums = {}, {}
    connection = mysql.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, customer, status, total, items, weight FROM e2e.orders WHERE status NOT IN ('test', %s)", (without,))
            for number, customer, status, total, items, weight in cursor.fetchall():
                member = str(number).encode()
                keys[f"order:{number}"] = {b"label": f"{'NOBODY' if customer is None else customer.upper()}/{status}".encode(),
                                           b"total": ("none" if total is None else str(total)).encode()}
                card = {"items": items, "tags": [status, "orders"]}
                keys[f"card:{number}"] = card if weight is None else {**card, "weight": weight}
                if customer is not None:
                    keys.setdefault(f"of:{customer}", set()).add(member)
                    sums[f"items:{customer}"] = sums.get(f"items:{customer}", 0) + items
                if total is not None:
                    keys.setdefault("rank", {})[member] = float(total)
    finally:
        connection.close()
    return {**keys, **{key: n for key, n in sums.items() if n}}


def found(client):
    keys = {}
    for raw in client.scan_iter(count=1000):
        key = raw.decode()
        if key.startswith("sluice:"):
            continue
        kind = client.type(raw)
        if kind == b"hash":
            keys[key] = client.hgetall(raw)
        elif kind == b"set":
            keys[key] = client.smembers(raw)
        elif kind == b"zset":
            keys[key] = dict(client.zrange(raw, 0, -1, withscores=True))
        elif key.startswith("card:"):
            keys[key] = json.loads(client.get(raw))
        elif int(client.get(raw)):
            keys[key] = int(client.get(raw))
    return keys


class Scripts(SourceTest):
    def test_redis_holds_what_a_script_makes_of_the_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder) / "orders.lua"
            script.write_text(SCRIPT)
            with self.bench(tables=[{"match": r"e2e\.orders", "script": str(script), "script_key_columns": ["id"]}]) as bench:
                bench.mysql.execute(DDL)
                self.change(bench)
                self.assert_holds(bench, "bad")
                self.fail_for_some(bench)
                self.mend(bench, script)

    def change(self, bench):
        changes = Changes(SEED)
        connection = bench.mysql.connect()
        try:
            with connection.cursor() as cursor:
                for at in range(CHANGES):
                    changes.one(cursor)
                    if at % (CHANGES // KILLS) == CHANGES // KILLS // 2:
                        bench.daemon.kill()
                        bench.daemon.start()
        finally:
            connection.close()

    def assert_holds(self, bench, without):
        bench.wait_for_source()
        wanted, there = expected(bench.mysql, without), found(bench.redis.client())
        self.assertEqual(set(there), set(wanted))
        for key, value in wanted.items():
            self.assertEqual(there[key], value, key)
        self.assertGreater(len(wanted), 100)

    def fail_for_some(self, bench):
        bench.mysql.execute("INSERT INTO e2e.orders VALUES " + ", ".join(f"({-n}, 'eve', '{'bad' if n <= BAD else 'new'}', 1.50, 0, NULL)" for n in range(1, 21)))
        self.assert_holds(bench, "bad")
        wait_until(lambda: bench.rabbit.messages(DEAD) == BAD, 30, "the letters")
        listed = bench.daemon.command("dead", "list", "--reason", "script").stdout
        self.assertEqual(listed.count("  e2e.orders  "), BAD, listed)
        shown = bench.daemon.command("dead", "show", "--reason", "script", "--limit", "1").stdout
        self.assertIn(ERROR_LINE, shown)
        self.assertTrue(any("reason=script" in line and ERROR_LINE in line for line in bench.daemon.log_lines("warn")), bench.daemon.tail())

    def mend(self, bench, script):
        # A script that is broken altogether ends the start, with its line.
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        script.write_text(SCRIPT.replace("-- line 9", "end"))
        checked = bench.daemon.command("check")
        self.assertIn("orders.lua:", checked.stdout + checked.stderr)
        self.assertEqual(checked.returncode, 3, checked.stdout + checked.stderr)
        script.write_text("".join(line for line in SCRIPT.splitlines(keepends=True) if "line 9" not in line))
        done = bench.daemon.command("position", "relayout")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        bench.daemon.start()
        bench.wait_for_source()
        done = bench.daemon.command("dead", "replay", "--reason", "script")
        self.assertIn(f"{BAD} rows replayed, 0 kept", done.stdout, done.stderr)
        self.assert_holds(bench, "")
        wait_until(lambda: bench.rabbit.messages(DEAD) == 0, 30, "no letters")


class Mariadb(Scripts):
    case = {"flavor": "mariadb"}


class Mysql(Scripts):
    case = {"flavor": "mysql", "rabbit": "4.3", "redis_kind": "redis8"}


del Scripts, SourceTest
