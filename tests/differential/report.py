"""What was compared, as Markdown."""
import collections

FAMILIES = {"mysql": "MySQL", "mariadb": "MariaDB"}


HEAD = """# Types: how each is written, and how that was tried

Made by `tests/differential/run.py all --report docs/types.md`; do not edit. The rules are in [format.md](format.md).

Random values of each type, its boundaries and NULL are inserted, changed and deleted through SQL in a real server. After each statement the rows are
read back by SELECT (utf8mb4, the time zone of the run); the binlog is decoded by `sluice decode`, and every column of every before and after image must be
what SELECT printed at that moment. The oracle is the server, not a description of it. Each combination of these settings writes its own file:

| | |
|---|---|
| `binlog_row_metadata` | FULL (decoded without a schema), MINIMAL and MariaDB's NO_LOG (with `--schema`, from SHOW CREATE TABLE); FlatMessage lines with `--schema` always |
| `binlog_checksum` | CRC32, NONE |
| compression | off; on (`binlog_transaction_compression`; MariaDB `log_bin_compress`) |
| `binlog_row_image` | FULL, MINIMAL, NOBLOB: what may be absent is, what changed is there |
| `binlog_row_value_options` | MySQL: off, PARTIAL_JSON with JSON_SET, JSON_REPLACE, JSON_REMOVE, JSON_ARRAY_INSERT |

`--format rows` and `--format canal` are compared, the latter with `old`, `pkNames`, `mysqlType` and `sqlType`. The numbers are values written and compared; a value is
counted once, however many images and formats it was compared in. sqlType is the code in FlatMessage lines.

"""
TAIL = """## What the servers do not tell

- SHOW CREATE TABLE prints `?` for characters of ENUM and SET labels beyond the basic plane, and so does a schema file. With full metadata the labels are right.
- INET4, INET6 and UUID look like BINARY in the binlog: without a schema their bytes are written.
- Times of MariaDB's old form need a schema: the binlog does not say how many digits their fraction has.
- A byte sequence that the character set allows and Unicode has no character for is invalid text here (`--invalid-text`). SELECT prints `?`, MariaDB's tis620 U+FFFD.
  With `replace` the first byte becomes U+FFFD; a second byte that is ASCII stays.
- ENUM index 0 and a label `''` are both `""`; a change from one to the other is a change.
- `mysqlType` leaves out MariaDB's comments `/*M!100301 COMPRESSED*/` and `/* mariadb-5.3 */`: they say how a value is
  stored, and readers parse the text as a type.

## Declarations

"""


class Report:
    def __init__(self):
        self.kinds, self.declarations = {}, collections.defaultdict(dict)
        self.counts, self.versions, self.settings = {}, {}, {}

    def add(self, flavor, version, tables, counts, settings):
        self.versions[flavor], self.counts[flavor], self.settings[flavor] = version, counts, settings
        for table in tables:
            for column in table.columns:
                kind = column.kind
                self.kinds[kind.name] = kind if not (known := self.kinds.get(kind.name)) or kind.exceptions else known
                self.declarations[kind.name][shorten(column.declaration)] = None

    def document(self):
        """The whole page."""
        flavors = list(self.counts)
        lines = [HEAD + "| declared | written as | sqlType | compared with | exceptions | " + " | ".join(f"{FAMILIES[f]} {self.versions[f]}" for f in flavors) + " |",
                 "|---|---|---|---|---|" + "--:|" * len(flavors)]
        for name, kind in self.kinds.items():
            numbers = " | ".join(f"{self.counts[f].values[name]:,}" if self.counts[f].values[name] else "–" for f in flavors)
            lines.append(f"| {name} | {kind.rendered} | {self.code(name, kind)} | {kind.compared} | {kind.exceptions} | {numbers} |".replace("  ", " "))
        totals = " | ".join(f"{sum(self.counts[f].values.values()):,}" for f in flavors)
        lines += [f"| all | | | | | {totals} |", ""]
        for flavor in flavors:
            counts = self.counts[flavor]
            lines += [f"{FAMILIES[flavor]} {self.versions[flavor]}: {self.settings[flavor]} combinations of settings; {counts.cells:,} columns of images compared, {counts.absent:,} "
                      f"absent as the row image wants" + (f", {counts.diffs:,} expressions of JSON diffs evaluated" if counts.diffs else "") + ".", ""]
        sets = sorted(set().union(*(self.counts[f].charsets for f in flavors)))
        lines += ["| character set | " + " | ".join(f"{FAMILIES[f]}" for f in flavors) + " |", "|---|" + "--:|" * len(flavors)]
        lines += [f"| {name} | " + " | ".join(f"{self.counts[f].charsets[name]:,}" if self.counts[f].charsets[name] else "–" for f in flavors) + " |" for name in sets]
        return "\n".join(lines) + "\n\n" + TAIL + self.declared() + "\n"

    def code(self, name, kind):
        if kind.rendered == "as its type":
            return kind.rendered
        if not callable(kind.sql_type):
            return str(kind.sql_type)
        signed, unsigned = kind.sql_type(name), kind.sql_type(name + " UNSIGNED")
        return f"{signed}, unsigned {unsigned}" if signed != unsigned else str(signed)

    def declared(self):
        """Every declaration, by kind."""
        return "\n".join(f"- {name}: {', '.join(f'`{d}`' for d in declarations)}" for name, declarations in self.declarations.items())


def shorten(declaration):
    declaration = declaration.split(" CHARACTER SET ")[0] if declaration.startswith(("CHAR", "VARCHAR", "TINYTEXT", "TEXT", "ENUM", "SET", "LONGTEXT")) else declaration
    if declaration.startswith(("ENUM", "SET")):
        return f"{declaration.partition('(')[0]} of {declaration.count(chr(39) + ',' + chr(39)) + 1}"
    return declaration
