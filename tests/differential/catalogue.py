"""What is tried: kinds of values, columns declared of them, tables made of columns."""
import dataclasses
import random
import typing


def as_text(raw):
    return raw.decode("utf-8")


def as_latin1(raw):
    return raw.decode("latin-1")


def equal(expected, found):
    return expected == found


@dataclasses.dataclass(frozen=True)
class Kind:
    """A line of the report: a type of the server and how its values are judged."""
    name: str
    rendered: str  # how the program writes a value
    sql_type: typing.Any  # the code in FlatMessage lines: a number, or a function of the declaration
    compared: str = "the text of SELECT"
    exceptions: str = ""
    select: str = "{0}"  # the expression whose text is compared; {0} is the column
    expect: typing.Callable[[bytes], str] = as_text  # from what the server prints to what must be there
    same: typing.Callable[[str, str], bool] = equal
    # What must be there when neither the binlog nor a schema tells the type.
    without_schema: typing.Callable[[str], str] | None = None
    weight: typing.Callable[[str], int] = lambda expected: 1  # how many values one of them counts for


@dataclasses.dataclass
class Column:
    kind: Kind
    declaration: str
    value: typing.Callable[[random.Random], str] | None  # SQL of a value; None: the server makes it
    charset: str = ""
    virtual: bool = False  # not stored: images may lack it
    patch: typing.Callable[[random.Random, str], str] | None = None  # SQL that changes it in place, of its quoted name
    patch_full_only: bool = False  # its documents do not survive as text, so a diff without document cannot be judged
    name: str = ""
    column_type: str = ""  # as the server writes it


@dataclasses.dataclass
class Table:
    name: str
    columns: list[Column]
    key: str = "PRIMARY KEY (id)"
    options: str = ""
    more: str = ""  # further clauses of the column list
    rounds: int = 1  # it is in every so-manieth combination of settings (short run)
    needs_schema: bool = False  # without a schema its values cannot be read
    full_only: bool = False  # only with binlog_row_metadata=FULL; and no schema tells it all

    def __post_init__(self):
        for number, column in enumerate(self.columns):
            column.name = column.name or f"c{number:02}"

    @property
    def database(self):
        return "differ_schema" if self.needs_schema else "differ"

    @property
    def sql_name(self):
        return f"{quoted(self.database)}.{quoted(self.name)}"

    def create(self):
        columns = [f"{quoted(c.name)} {c.declaration}" for c in self.columns]
        parts = ["id INT UNSIGNED NOT NULL", *columns, "pad INT NOT NULL DEFAULT 0", *filter(None, [self.key, self.more])]
        return f"CREATE TABLE {self.sql_name} ({', '.join(parts)}) {self.options or 'CHARACTER SET utf8mb4'}"


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def bytes_literal(data):
    return f"x'{data.hex()}'"


def text_literal(text):
    """SQL of a string, whatever is in it."""
    return f"_utf8mb4 x'{text.encode('utf-8').hex()}'" if text else "''"


def mixed(edges, anything, share=0.4, null=0.07):
    """A value function: NULL now and then, one of the edges, or what anything(random) gives."""
    def value(rnd):
        dice = rnd.random()
        if dice < null:
            return "NULL"
        return str(rnd.choice(edges)) if dice < null + share else anything(rnd)
    return value
