"""DATE, TIME, DATETIME, TIMESTAMP, YEAR, and the forms of them that MariaDB can still write with mysql56_temporal_format=OFF."""
from catalogue import Column, Kind, Table, mixed

DATES = ["'0000-00-00'", "'0001-01-01'", "'1000-01-01'", "'9999-12-31'", "'2021-00-00'", "'2021-02-00'", "'2021-00-15'", "'2021-02-31'", "'1970-01-01'",
         "'2024-02-29'", "'0000-01-01'"]


def fraction(rnd, most=6):
    digits = rnd.choice([0, most, most, rnd.randint(0, most)])
    return "." + "".join(rnd.choices("0123456789", k=digits)) if digits else ""


def date(rnd):
    return f"{rnd.randint(1, 9999):04}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}"


def clock(rnd, hours=23):
    return f"{rnd.randint(0, hours):02}:{rnd.randint(0, 59):02}:{rnd.randint(0, 59):02}"


def precise(name, n):
    return f"{name}({n})" if n is not None else name


FRACTIONS = (None, 1, 2, 3, 4, 5, 6)
TIME = Kind("TIME(0..6)", "`[-]HH:MM:SS` and n digits", 92)
DATETIME = Kind("DATETIME(0..6)", "`YYYY-MM-DD HH:MM:SS` and n digits, zero and partial dates as stored", 93)
TIMESTAMP = Kind("TIMESTAMP(0..6)", "as DATETIME, in the time zone of the run", 93, "the text of SELECT with `time_zone` set likewise")
time_value = mixed(["'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:00.000001'", "'-00:00:00.01'", "'-00:00:01.1'", "'-01:00:00'", "'00:00:00.999999'",
                    "'-00:00:00.999999'", "'-838:59:58.999999'", "'23:59:59.999999'", "'100:00:00.5'"],
                   lambda r: f"'{r.choice(['', '-'])}{clock(r, 838)}{fraction(r)}'")
datetime_value = mixed([d[:-1] + more for d in DATES for more in (" 00:00:00'", " 23:59:59.999999'")],
                       lambda r: f"'{date(r)} {clock(r)}{fraction(r)}'")
# From two days behind the beginning to two days before the end, so that no time zone matters.
timestamp_value = mixed(["'0000-00-00 00:00:00'", "'1970-01-03 00:00:01'", "'2038-01-17 03:14:07.999999'", "'2024-02-29 23:59:59.5'"],
                        lambda r: f"'{r.randint(1971, 2037)}-{r.randint(1, 12):02}-{r.randint(1, 28):02} {clock(r)}{fraction(r)}'")


def temporal_columns():
    columns = [Column(TIME, precise("TIME", n), time_value) for n in FRACTIONS]
    columns += [Column(DATETIME, precise("DATETIME", n), datetime_value) for n in FRACTIONS]
    return columns + [Column(TIMESTAMP, precise("TIMESTAMP", n) + " NULL", timestamp_value) for n in FRACTIONS]


def old_form(kind):
    return Kind(f"{kind.name} of the old form", kind.rendered, kind.sql_type, kind.compared, "MariaDB, `mysql56_temporal_format=OFF`; needs a schema")


def tables(flavor):
    day = Kind("DATE", "`YYYY-MM-DD`, zero and partial dates as stored", 91)
    year = Kind("YEAR", "four digits", 12)
    years = mixed(["0", "'0000'", "1901", "2155", "1970", "2000", "'00'", "69", "70", "99"], lambda r: str(r.randint(1901, 2155)))
    made = [Table("times", [Column(day, "DATE", mixed(DATES, lambda r: f"'{date(r)}'")), Column(year, "YEAR", years), Column(year, "YEAR(4)", years),
                            *temporal_columns()])]
    if flavor == "mariadb":
        old = temporal_columns()
        kinds = {kind.name: old_form(kind) for kind in (TIME, DATETIME, TIMESTAMP)}
        for column in old:
            column.kind = kinds[column.kind.name]
        made.append(Table("old_times", old, needs_schema=True))
    return made
