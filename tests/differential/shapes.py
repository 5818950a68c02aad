"""What tables may look like: generated and invisible columns, hidden ones, no key, partitions, odd names, hundreds of columns."""
import dataclasses

from catalogue import Column, Kind, Table, mixed, text_literal
from documents import JSON
from numeric import SIGNED_CODE
from texts import VARCHAR

GENERATED = "generated columns"
number = mixed([0, 1, -1], lambda r: str(r.randint(-1000000, 1000000)))


def word(rnd):
    return text_literal("".join(rnd.choices("abcäöü€ ", k=rnd.randint(0, 20))))


def kinds(name):
    integer = Kind(name, "as its type", SIGNED_CODE["INT"])
    return integer, dataclasses.replace(integer, sql_type=12)


def tables(flavor):
    integer, string = kinds(GENERATED)
    virtual_note = dataclasses.replace(integer, exceptions="a VIRTUAL one may be absent from an image")
    generated = Table("generated", [
        Column(integer, "INT", number), Column(virtual_note, "INT AS (c00 + 1) VIRTUAL", None, virtual=True),
        Column(string, "VARCHAR(40) AS (CONCAT('n is ', c00)) STORED", None), Column(string, "VARCHAR(30)", word),
        Column(string, "VARCHAR(40) AS (REVERSE(c03)) VIRTUAL", None, virtual=True)])
    integer, string = kinds("invisible columns")
    default = "DEFAULT 7 INVISIBLE" if flavor == "mysql" else "INVISIBLE DEFAULT 7"
    invisible = Table("invisible", [Column(integer, "INT", number), Column(integer, "INT " + default, number),
                                    Column(string, "VARCHAR(30) " + ("INVISIBLE" if flavor == "mysql" else "INVISIBLE DEFAULT 'x'"), word)])
    integer, string = kinds("any table shape")
    odd = ("select", "a`b", "größe", "a b", "quote'\"", "日本語", "x" * 64, ".")
    names = Table("odd `names` – ö", [Column(integer, "INT", number, name=name) for name in odd], rounds=2)
    keyless = Table("no_key", [Column(integer, "INT", number), Column(VARCHAR, "VARCHAR(30)", word)], key="KEY (id)")
    unique = Table("unique_key", [Column(integer, "INT", number), Column(VARCHAR, "VARCHAR(30)", word)], key="UNIQUE KEY (id)")
    parts = Table("parts", [Column(integer, "INT", number)], options="CHARACTER SET utf8mb4 PARTITION BY HASH (id) PARTITIONS 3")
    wide = Table("wide", [Column(integer, "INT", mixed(["NULL"], number, share=0.4)) for _ in range(300)], rounds=4)
    made = [generated, invisible, names, keyless, unique, parts, wide]
    if flavor == "mysql":
        made.append(Table("hidden", [Column(integer, "INT", number), Column(JSON, "JSON", lambda r: f"'{{\"m\": [{r.randint(0, 99)}, {r.randint(0, 99)}]}}'")],
                          more="KEY functional ((c00 + 1)), KEY multi_valued ((CAST(c01->'$.m' AS UNSIGNED ARRAY)))"))
    else:
        made.append(Table("aria", [Column(integer, "INT", number), Column(string, "VARCHAR(30)", word)], options="ENGINE=Aria CHARACTER SET utf8mb4"))
    return made
