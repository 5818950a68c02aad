#!/usr/bin/env python3
"""partial_json.py: the statements that mysql-9.7.partial-json.binlog is made of.

Random updates of JSON columns with binlog_row_value_options=PARTIAL_JSON: PARTIAL_UPDATE_ROWS events with the diffs in j and k, and the
whole new documents as the server prints them in j_t and k_t.  Then a table whose row images are MINIMAL.
"""
import json
import random

KEYS = ["a", "b", "cc", "ddd", "k e y", 'qu"ote', "back\\slash", "ä", "x.y", "[1]", "", "new\nline", "_id", "$d", "1a", "long" * 20]
SCALARS = [None, True, False, 0, -1, 70000, 2**40, 1.5, 1e100, "s", "it's", 'q"\\', "ü€😀\n", "x" * 3, "x" * 130]
TAILS = [".new", '."n e w"', "[99]", "[0]", ".a", '."ä"', "[last]"]


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


VALUES = ["1", "-5", "2.5e0", "null", "true", "'short'", quoted("x" * 130), "cast('[1,{\"z\":2}]' as json)", "cast('{}' as json)",
          "cast(1.50 as decimal(5,2))", "cast('2020-02-29' as date)", "x'00ff'", "timestamp'2020-01-01 00:00:00.5'", quoted('ö"\\')]


def document(depth):
    kind = random.random()
    if depth < 3 and kind < 0.35:
        return {random.choice(KEYS): document(depth + 1) for _ in range(random.randint(0, 5))}
    if depth < 3 and kind < 0.6:
        return [document(depth + 1) for _ in range(random.randint(0, 6))]
    return random.choice(SCALARS)


def container():
    while True:
        found = document(0)
        if isinstance(found, (dict, list)) and found:
            return found


def paths(value, path="$"):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            plain = key.isalnum() and key.isascii() and not key[0].isdigit()
            yield from paths(inner, path + "." + (key if plain else json.dumps(key, ensure_ascii=False)))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            last = i == len(value) - 1 and random.random() < 0.2
            yield from paths(inner, path + ("[last]" if last else f"[{i}]"))


def changed(expression, path):
    kind = random.random()
    if kind < 0.45:
        return f"json_replace({expression},{quoted('$.a' if path == '$' else path)},{random.choice(VALUES)})"
    if kind < 0.75:
        return f"json_set({expression},{quoted(path + random.choice(TAILS))},{random.choice(VALUES)})"
    return f"json_remove({expression},{quoted('$[0]' if path == '$' else path)})"


def main():
    random.seed(11)
    print("create database partial character set utf8mb4; use partial;")
    print("set names utf8mb4, sql_mode='', binlog_row_value_options=PARTIAL_JSON;")
    print("create table t (id int primary key, j json, n int, k json, "
          "j_t longtext character set utf8mb4 generated always as (cast(j as char)) stored, "
          "k_t longtext character set utf8mb4 generated always as (cast(k as char)) stored);")
    for row in range(1, 26):
        start = container()
        print(f"insert into t (id,j,n,k) values ({row},{quoted(json.dumps(start, ensure_ascii=False))},0,'[1,2,{{\"a\":3}}]');")
        for _ in range(5):
            expression = "j"
            for _ in range(random.randint(1, 3)):
                expression = changed(expression, random.choice(list(paths(start))))
            other = random.choice(["k", "k", "json_set(k,'$[2].b',1,'$[9]',2)", "json_remove(k,'$[0]')", "json_set(k,'$[0]',7)"])
            print(f"update t set n=n+1, j={expression}, k={other} where id={row};")
        if row % 5 == 0:
            print(f"update t set j=json_set(j,'$.q',1), k=json_set(k,'$[0]',n) where id > {row - 3};")
    print("""create table lean (id int primary key, j json, n int);
insert into lean values (1,'{"a":1,"b":[1,2]}',1);
set binlog_row_image=MINIMAL;
update lean set j=json_set(j,'$.a','x''y','$.b[1]',null), n=2 where id=1;
update lean set n=3 where id=1;
update lean set j=json_remove(json_set(j,'$.c',json_object('d',1)),'$.b[0]') where id=1;""")


main()
