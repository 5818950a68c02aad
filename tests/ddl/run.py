#!/usr/bin/python3
"""run.py mysql|mariadb|mariadb118|all: random DDL on a real server; what Definitions makes of its binlog beside the server's information_schema, after each statement.

--seed N        repeats a run (it is printed; a random one by default)
--statements N  statements that succeed (120; 5000 with SLUICE_TEST_LONG)
--keep          keeps the server's data, with the binlog

exit: 0, 1, or 77 when it was skipped (the reason is printed)
env: SLUICE_DDL_FOLLOW (build/dev/tests/ddl/ddl_follow), SLUICE_TEST_LONG, SLUICE_TEST_SEED, SLUICE_E2E_ROOT (folder for the servers' data)
"""
import argparse
import collections
import dataclasses
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / "e2e")]
try:
    import pymysql

    from harness import Unavailable, long_run, servers
except ModuleNotFoundError as missing:
    print(f"SKIPPED: Python module {missing.name} is missing (scripts/servers/install-packages test)")
    sys.exit(77)

import names
import server_state
from statements import DATABASES, Session, Statements

SERVERS = {"mysql": "mysql97.sh", "mariadb": "mariadb.sh", "mariadb118": "mariadb118.sh"}
MODES = ["", "", "STRICT_TRANS_TABLES", "STRICT_TRANS_TABLES", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "REAL_AS_FLOAT", "ANSI"]
# CONVERT TO takes the bytes of labels for text of the new character set.  Where they are none, the servers print something, and we say so.
# What is made of such a table is lost with it.
EXPECTED_LOSS = re.compile(r"the bytes of label .* are |a label's bytes are none of |what CONVERT TO makes of text that was |whether the server made the keys anew is not known|there is no such table before|was renamed to it and is not known|the table it was a part of is not known")
CLIENTS = ["utf8mb4", "utf8mb4", "utf8mb4", "latin1", "gbk"]


@dataclasses.dataclass
class Step:
    """A statement that succeeded, and what the server said then."""
    end: int
    statement: str
    tables: dict
    charsets: dict


class Run:
    def __init__(self, kind, options, root):
        self.kind, self.options, self.root = kind, options, root
        self.rnd = random.Random(f"{options.seed} {kind}")
        self.folds = self.rnd.random() < 0.3
        self.server = servers.Server(root, SERVERS[kind], kind, SERVER_OPTIONS=f"--lower-case-table-names={int(self.folds)}")
        self.follow = os.environ.get("SLUICE_DDL_FOLLOW") or str(servers.REPO / "build/dev/tests/ddl/ddl_follow")
        self.steps, self.refused, self.wrong, self.lost = [], collections.Counter(), [], 0
        self.databases = ", ".join(f"'{d}'" for d in DATABASES)

    @property
    def is_mysql(self):
        return self.kind == "mysql"

    def connect(self, charset="utf8mb4"):
        return pymysql.connect(unix_socket=self.socket, user="root", password="", charset=charset, autocommit=True, connect_timeout=10, read_timeout=120, write_timeout=120)

    def start(self):
        self.server.start()
        self.socket = self.server._run("socket")
        self.reader_connection = self.connect()
        version = self.ask("SELECT VERSION()")[0][0].split("-")[0]
        self.version = version
        self.mariadb = None if self.is_mysql else tuple(int(n) for n in version.split(".")[:2])
        self.reader = server_state.Reader(self.reader_connection, self.mariadb)
        self.statements = Statements(self.rnd, self.mariadb, self.folds)
        self.used = {}  # database by connection
        self.sessions = {charset: self.connect(charset) for charset in set(CLIENTS)}
        for database in DATABASES:
            self.ask(f"CREATE DATABASE `{database}` CHARACTER SET {self.rnd.choice(['utf8mb4', 'latin1'])}")
            self.ask(f"CREATE TABLE `{database}`.parent (id INT PRIMARY KEY)")

    def ask(self, statement, connection=None):
        with (connection or self.reader_connection).cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def position(self):
        return self.ask("SHOW BINARY LOG STATUS" if self.is_mysql else "SHOW MASTER STATUS")[0]

    def new_session(self):
        rnd = self.rnd
        mode, charset = rnd.choice(MODES), rnd.choice(CLIENTS)
        connection = self.sessions[charset]
        session = Session(rnd, mode, rnd.choice(DATABASES))
        self.used[connection] = session.database
        self.ask("USE mysql", connection)
        self.ask(f"USE `{session.database}`", connection)
        settings = [f"sql_mode = '{mode}'", f"explicit_defaults_for_timestamp = {rnd.choice([1, 1, 0])}", f"collation_server = {rnd.choice(['utf8mb4_bin', 'latin1_bin', 'gbk_bin'])}"]
        if self.is_mysql:
            settings.append(f"sql_generate_invisible_primary_key = {rnd.choice([0, 0, 1]) if session.prints_truly else 0}")
        else:
            settings += [f"system_versioning_alter_history = KEEP, alter_algorithm = '{rnd.choice(['DEFAULT', 'COPY'])}'"]
            if self.mariadb >= (10, 8):
                settings.append(f"binlog_alter_two_phase = {rnd.choice([0, 1])}")
        for setting in settings:
            self.ask(f"SET SESSION {setting}", connection)
        return session, connection

    def work(self):
        """Statements until enough have succeeded."""
        tried = 0
        session, connection = self.new_session()
        state = self.reader.tables(self.databases)
        file = self.position()[0]
        while len(self.steps) < self.options.statements and tried < self.options.statements * 8:
            if self.rnd.random() < 0.05:
                session, connection = self.new_session()
            made = self.statements.next(session, state)
            for statement in made if isinstance(made, list) else [made]:
                tried += 1
                if not self.execute(statement if isinstance(made, list) else names.disguise(self.rnd, statement, session.backslash), connection):
                    break
                state = self.steps[-1].tables
        return file, tried

    def execute(self, statement, connection):
        try:
            self.ask(statement, connection)
        except UnicodeEncodeError:
            return False
        except pymysql.MySQLError as error:
            if error.args[0] in (2006, 2013):
                raise RuntimeError(f"the server is gone: {statement}") from error
            self.refused[f"{error.args[0]} {re.sub(chr(39) + '.*' + chr(39), '...', str(error.args[1]))[:70]}"] += 1
            if os.environ.get("DDL_SHOW_REFUSED"):
                print(f"refused: {error.args[1]}\n    {statement}")
            if re.search("RENAME", statement, re.IGNORECASE):
                # One that was to give an index of a foreign key another name counts as the user's own from there on, until the table is opened anew: the
                # server has changed its copy in memory, though it refused the statement.  A replica knows nothing of it, nor does the binlog.
                self.ask("FLUSH LOCAL TABLES", self.reader_connection)
            if not self.is_mysql and re.match("DROP (DATABASE|SCHEMA)", statement):
                # MariaDB could not do it to the end (a foreign key, a file that an ALTER left behind), and has forgotten the database's character set.
                for database in DATABASES:
                    if re.search(rf"\b{re.escape(database)}\b", statement):
                        self.execute(f"ALTER DATABASE `{database}` CHARACTER SET = utf8mb4", self.reader_connection)
            return False
        if re.search(r"(ALTER|CREATE)\s.*(DATABASE|SCHEMA)\s", statement, re.DOTALL | re.IGNORECASE):
            # A session goes on with the character set its database had when it came from another one; the binlog does not tell.
            for other, database in self.used.items():
                self.ask("USE mysql", other)
                self.ask(f"USE `{database}`", other)
        try:
            self.steps.append(Step(self.position()[1], statement, self.reader.tables(self.databases), self.reader.charsets(self.databases)))
        except pymysql.MySQLError as error:
            broken = re.match(r"Tablespace is missing for table (`[^`]*`\.`.*`)\.", str(error.args[1])) if error.args[0] == 1812 else None
            if broken and not statement.startswith("DROP TABLE "):
                # MySQL: an ALTER with RENAME that is refused because of a check's name has moved the table's file before.
                return self.execute(f"DROP TABLE {broken[1]}", self.reader_connection)
            raise RuntimeError(f"what the server cannot tell of its tables, {error}, after:\n" + "\n".join([*(s.statement for s in self.steps[-5:]), statement])) from error
        return True

    def lines(self, file, *beginning):
        path = self.root / self.kind / "data" / file
        with subprocess.Popen([self.follow, str(path), str(int(self.folds)), *beginning], stdout=subprocess.PIPE, text=True) as follower:
            lines = [json.loads(line) for line in follower.stdout]
        if follower.returncode:
            self.wrong.append(f"{self.follow} {path} {beginning}: exit {follower.returncode}")
        return lines

    def judge(self, file):
        """Each step beside what is read from the binlog up to its end."""
        lines = self.lines(file)
        self.compare(lines, self.steps, set())
        # The same from a place on, with what SHOW CREATE TABLE said there, which does not tell whether an index was made for a foreign key.
        number = self.rnd.randrange(len(self.steps))
        step = self.steps[number]
        tables = [{"database": d, "name": t, "create": table.create} for (d, t), table in step.tables.items()]
        path = self.root / "beginning.json"
        path.write_text(json.dumps({"end": step.end, "databases": step.charsets, "tables": tables}))
        later = self.lines(file, str(path), "mysql" if self.is_mysql else "mariadb")
        implied, untold = set(), set()
        for line in lines:
            if line["end"] <= step.end:
                self.follow_untold(untold, line)
                for name, table in line["tables"].items():
                    (implied.add if table and table["implied"] else implied.discard)(name)
        self.compare(later, self.steps[number:], implied, untold)
        return len(lines)

    @staticmethod
    def told_before(name, effects, before):
        renamed = [e.split(" ")[1] for e in effects.split("; ") if e.startswith("renamed ") and e.endswith(" " + name)]
        found = [before[n].create for n in [name, *renamed] if n in before]
        return "\n".join(found) or "nothing"

    @staticmethod
    def follow_bad(bad, effects):
        for effect in effects.split("; "):
            kind, _, names_ = effect.partition(" ")
            if kind in ("created", "dropped"):
                bad.discard(names_)
            elif kind == "renamed":
                # Names may have blanks: "renamed d.old d.new".
                for old in [b for b in bad if names_.startswith(b + " ") and names_[len(b) + 1:].startswith(tuple(d + "." for d in DATABASES))]:
                    bad.remove(old)
                    bad.add(names_[len(old) + 1:])

    @classmethod
    def follow_untold(cls, untold, line):
        """Tables that the binlog has as SHOW CREATE TABLE prints them, for an invisible primary key was added: the index that the server made for a
        foreign key looks like the user's own there.  It goes when another covers it; a replica keeps it, and so do we."""
        cls.follow_bad(untold, line["effects"])
        if re.match(r"CREATE TABLE .*[`\"]my_row_id[`\"].* FOREIGN KEY ", line["statement"], re.DOTALL):
            untold.update(e.removeprefix("created ") for e in line["effects"].split("; ") if e.startswith("created "))

    @staticmethod
    def is_untold(found, ours, theirs):
        return all(f.startswith("indexes: ") for f in found) and set(theirs.indexes) <= set(ours["indexes"])

    def copies(self, bad, statement, effects):
        """Tables made of one that is not judged: its labels go with it, with bytes that the server does not show."""
        names_ = [name.removeprefix(d + ".") for name in bad for d in DATABASES if name.startswith(d + ".")]
        _, *of = re.split(r"\b(?:FROM|LIKE)\b", statement.lower() if self.folds else statement, flags=re.IGNORECASE)
        if not of or not any(n.replace(quote, 2 * quote) in of[-1] for n in names_ for quote in "`\""):
            return set()
        made = {e.removeprefix("created ") for e in effects.split("; ") if e.startswith("created ")}
        self.lost += len(made)
        return made

    def compare(self, lines, steps, bad, untold=None):
        """bad: tables that are not judged until they are made anew; untold: see follow_untold."""
        untold = untold or set()
        ours, at, last, before, of_databases = {}, 0, None, {}, []
        for step in steps:
            while at < len(lines) and lines[at]["end"] <= step.end:
                last = lines[at]
                for name, table in last["tables"].items():
                    ours[name] = table
                    if table is None:
                        ours.pop(name)
                sources = set(bad)
                self.follow_untold(untold, last)
                self.follow_bad(bad, last["effects"])
                bad.update(self.copies(sources, step.statement, last["effects"]))
                if re.search(r"\b(DATABASE|SCHEMA)\b", last["statement"], re.IGNORECASE):
                    of_databases.append(last["statement"])
                at += 1
            theirs = {f"{d}.{t}": table for (d, t), table in step.tables.items()}
            for name in sorted((set(theirs) | {n for n in ours if n.split(".")[0] != "probe"}) - bad):
                found = server_state.differences(ours.get(name), theirs.get(name))
                if found and name in untold and self.is_untold(found, ours.get(name), theirs.get(name)):
                    continue
                if found:
                    bad.add(name)
                    why = last["lost"].get(name, "")
                    if EXPECTED_LOSS.search(why):
                        self.lost += 1
                        continue
                    self.wrong.append("\n    ".join([f"{name} after: {step.statement}", f"in the binlog: {last['statement']}", f"effects: {last['effects']} {why}", *found,
                                                      "before: " + self.told_before(name, last["effects"], before)]))
            before = theirs
            for database, charset in step.charsets.items():
                if last["databases"].get(database) != charset and database not in bad:
                    bad.add(database)
                    self.wrong.append("\n    ".join([f"database {database} after: {step.statement}", f"we have {last['databases'].get(database)}, the server {charset}", "before:", *of_databases[-6:]]))

    def all(self):
        started = time.monotonic()
        self.start()
        file, tried = self.work()
        read = self.judge(file)
        print(f"{self.kind} {self.version}{', lower_case_table_names=1' if self.folds else ''}: {len(self.steps)} statements succeeded of {tried}, {read} in the binlog, {len(self.wrong)} differences, {self.lost} tables knowingly lost, "
              f"{time.monotonic() - started:.0f} s")
        for message, count in self.refused.most_common(5):
            print(f"  refused {count} times: {message}")
        if len(self.steps) < self.options.statements:
            self.wrong.append("too few statements succeeded")
        for text in self.wrong[:40]:
            print("- " + text)
        if self.wrong:
            print(f"{len(self.wrong)} differences; seed {self.options.seed}")
        return not self.wrong


def give_up(*_):
    signal.alarm(0)  # once: what follows is the clean-up
    raise TimeoutError("it takes too long")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", choices=[*SERVERS, "all"])
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SLUICE_TEST_SEED") or secrets.randbelow(1 << 32)))
    parser.add_argument("--statements", type=int, default=5000 if long_run() else 120)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    signal.signal(signal.SIGTERM, give_up)
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(os.environ.get("SLUICE_E2E_LIMIT", "0")))
    base = pathlib.Path(os.environ.get("SLUICE_E2E_ROOT") or servers.REPO / "build" / "e2e")
    base.mkdir(parents=True, exist_ok=True)
    good, ran, skipped = True, 0, None
    for kind in SERVERS if options.server == "all" else (options.server,):
        root = pathlib.Path(tempfile.mkdtemp(prefix=f"ddl-{kind}-", dir=base))
        try:
            good = Run(kind, options, root).all() and good
            ran += 1
        except Unavailable as reason:
            skipped = str(reason)
        finally:
            servers.stop_all(root)
            if options.keep:
                print(f"kept: {root}")
            else:
                shutil.rmtree(root)
    if skipped:
        print(f"SKIPPED: {skipped}")
        return 77 if good and not ran else int(not good)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
