"""Rows that Redis refuses and messages that cannot be read: none is lost without a letter, and replay brings Redis to what the source has."""
import json
import re

import pika
import yaml

import cases
from harness import long_run, wait_until
from harness.workload import Workload

KILLS = 20 if long_run() else 4
CHANGES = 3_000 if long_run() else 300
SEED = 20240611
EXIT_REFUSED, EXIT_REDIS = 8, 10
DEAD = "sluice.e2e.dead"


def letters(bench):
    """[(headers, body)] of the queue, which keeps them."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", bench.rabbit.port))
    found = []
    try:
        channel = connection.channel()
        while True:
            method, properties, body = channel.basic_get(DEAD)
            if method is None:
                break
            found.append((properties.headers, body))
    finally:
        connection.close()
    wait_until(lambda: bench.rabbit.messages(DEAD) == len(found), 10, "the letters back in their queue")
    return found


def insert(bench, names):
    values = ", ".join(f"('{name}', 1, NULL)" for name in names)
    bench.mysql.execute(f"INSERT INTO e2e.text_key VALUES {values}")


def dead(bench, *words, code=0):
    done = bench.daemon.command("dead", *words)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}\n{bench.daemon.tail()}"
    return done.stdout


def wait_for_state(bench, state):
    wait_until(lambda: f"state={state} " in bench.daemon.status(), 60, lambda: f"state {state}\n{bench.daemon.tail()}")


def restart_with(bench, **applier):
    config = yaml.safe_load(bench.daemon.config.read_text())
    config.setdefault("applier", {}).update(applier)
    bench.daemon.config.write_text(yaml.safe_dump(config))
    bench.daemon.start()


class DeadLetters:
    def test_dead_letters(self):
        with self.bench() as bench:
            self.a_refused_row_is_a_letter_and_replay_brings_it_home(bench)
            self.killed_again_and_again_every_refused_row_has_its_letter(bench)
            self.unreadable_messages_drop_and_the_other_policies(bench)

    def a_refused_row_is_a_letter_and_replay_brings_it_home(self, bench):
        client = bench.redis.client()
        taken = [f"taken {i}" for i in range(3)]
        for name in taken:
            client.set(f"e2e:text_key:{name}", "a string")
        load = Workload(bench.mysql, CHANGES, SEED)
        load.start()
        insert(bench, [taken[0], "free", *taken[1:]])
        load.finish(300)
        bench.wait_for_source()
        wait_for_state(bench, "DIVERGED")
        self.assertIn(" dead=3 ", bench.daemon.status())
        self.assertEqual(client.hget("e2e:text_key:free", "n"), b"1")
        for headers, body in letters(bench):
            self.assertEqual(headers["reason"], "WRONGTYPE")
            self.assertEqual(headers["table"], "e2e.text_key")
            self.assertIn(headers["key"], [f"e2e:text_key:{name}" for name in taken])
            self.assertRegex(headers["file"], r"\.\d{6}$")
            self.assertGreater(headers["pos"], 0)
            self.assertTrue(headers["gtid"] or bench.mysql.flavor == "mysql")
            self.assertRegex(headers["id"], r"^1(\.\d+){5}$")
            self.assertGreater(headers["time"], 0)
            line = json.loads(body)
            self.assertEqual(len(line["data"]), 1)
            self.assertIn("sqlType", line)
        # Looked at, they stay, in their order.
        listed = dead(bench, "list")
        self.assertIn("3 of 3 letters", listed)
        self.assertEqual(dead(bench, "list"), listed)
        self.assertIn("1 of 3 letters", dead(bench, "list", "--limit", "1"))
        self.assertIn("0 of 3 letters", dead(bench, "list", "--table", "e2e\\.other"))
        self.assertIn('"type":"INSERT"', dead(bench, "show", "--reason", "WRONGTYPE", "--limit", "1"))
        checked = bench.daemon.command("check")
        self.assertIn("holds 3 dead letters", checked.stdout)
        self.assertIn("dead letters", bench.daemon.command("position", "show").stdout)
        # The keys are still in the way: refused again, and kept.
        self.assertIn("0 rows replayed, 3 kept", dead(bench, "replay", code=EXIT_REFUSED))
        # One row changes meanwhile, one is deleted at the source.
        bench.mysql.execute("UPDATE e2e.text_key SET n = 77 WHERE code = 'taken 1'", "DELETE FROM e2e.text_key WHERE code = 'taken 2'")
        bench.wait_for_source()
        client.delete("e2e:text_key:taken 0", "e2e:text_key:taken 1")
        self.without_the_replicas_asked_for_letters_stay(bench)
        # A fourth letter came of the update.
        said = dead(bench, "replay")
        self.assertRegex(said, r"3 rows replayed, 0 kept")
        self.assertIn("deleted   e2e:text_key:taken 2", said)
        wait_for_state(bench, "IN_STEP")
        self.assertEqual(letters(bench), [])
        self.assert_in_step(bench)

    def without_the_replicas_asked_for_letters_stay(self, bench):
        config = bench.daemon.config.read_text()
        asked = yaml.safe_load(config)
        asked["redis"]["wait_replicas"] = 1
        bench.daemon.config.write_text(yaml.safe_dump(asked))
        done = bench.daemon.command("dead", "replay")
        bench.daemon.config.write_text(config)
        self.assertEqual(done.returncode, EXIT_REDIS, done.stdout + done.stderr)
        self.assertIn("their letters stay: 0 of 1 replicas", done.stderr)
        self.assertEqual(len(letters(bench)), 4)

    def killed_again_and_again_every_refused_row_has_its_letter(self, bench):
        client = bench.redis.client()
        refused, fine = set(), set()
        for at in range(KILLS):
            names = [f"round {at} {i}" for i in range(60)]
            for name in names[::3]:
                client.set(f"e2e:text_key:{name}", "a string")
            refused.update(names[::3])
            fine.update(set(names) - set(names[::3]))
            for i in range(0, len(names), 6):
                insert(bench, names[i:i + 6])
            # At some moment of it: sometimes between EXEC and confirm, sometimes before or behind both.
            wait_until(lambda: client.exists(f"e2e:text_key:{names[1 + 12 * (at % 4)]}"), 60, bench.daemon.tail)
            bench.daemon.kill()
            bench.daemon.start()
        bench.wait_for_source()
        found = {headers["key"] for headers, _ in letters(bench)}
        self.assertEqual({f"e2e:text_key:{name}" for name in refused} - found, set(), "refused rows without a letter")
        self.assertEqual(found - {f"e2e:text_key:{name}" for name in refused}, set(), "letters of rows that were not refused")
        self.assertTrue(all(client.type(f"e2e:text_key:{name}") == b"hash" for name in fine))
        for name in refused:
            client.delete(f"e2e:text_key:{name}")
        self.assertIn(" 0 kept", dead(bench, "replay"))
        wait_for_state(bench, "IN_STEP")
        self.assert_in_step(bench)

    def unreadable_messages_drop_and_the_other_policies(self, bench):
        client = bench.redis.client()
        queue = f"sluice.e2e.p{bench.partitions}.0"
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", bench.rabbit.port))
        channel = connection.channel()
        channel.basic_publish("", queue, b"not ours")
        connection.close()
        client.set("e2e:text_key:in the way", "a string")
        insert(bench, ["in the way", "beside it"])
        bench.wait_for_source()
        wait_until(lambda: bench.rabbit.messages(DEAD) == 2, 30, "two letters")
        unreadable = next((headers, body) for headers, body in letters(bench) if headers["reason"] == "unreadable")
        self.assertEqual(unreadable[1], b"not ours")
        self.assertIn(queue, unreadable[0]["error"])
        self.assertIn("would drop 1 of 2 letters", dead(bench, "drop", "--reason", "unreadable"))
        self.assertIn("dropped 1 of 2 letters", dead(bench, "drop", "--reason", "unreadable", "--yes"))
        self.assertEqual([headers["reason"] for headers, _ in letters(bench)], ["WRONGTYPE"])
        self.assertIn("dropped 1 of 1 letters", dead(bench, "drop", "--yes"))
        wait_for_state(bench, "IN_STEP")
        self.assertEqual(bench.daemon.stop(), 0)
        # ignore: counted, and nothing more.
        restart_with(bench, on_refused="ignore")
        client.set("e2e:text_key:taken 2", "a string")
        insert(bench, ["taken 2", "free 2"])
        bench.wait_for_source()
        wait_until(lambda: re.search(r" ignored=1 ", bench.daemon.status()), 30, bench.daemon.tail)
        self.assertEqual(bench.rabbit.messages(DEAD), 0)
        self.assertEqual(bench.daemon.stop(), 0)
        # stop: until the key is gone.
        client.set("e2e:text_key:taken 3", "a string")
        restart_with(bench, on_refused="stop")
        insert(bench, ["taken 3", "free 3"])
        self.assertEqual(bench.daemon.wait_for_end(60), EXIT_REFUSED, bench.daemon.tail())
        self.assertEqual(bench.daemon.start().wait_for_end(60), EXIT_REFUSED, "still there, still refused")
        client.delete("e2e:text_key:taken 3")
        bench.daemon.start()
        bench.wait_for_source()
        self.assertEqual(client.type("e2e:text_key:taken 3"), b"hash")
        self.assertEqual(bench.rabbit.messages(DEAD), 0)


class MariadbRabbit310(DeadLetters, cases.SourceTest):
    case = cases.CASES["MariadbFull"]


class MysqlRabbit43(DeadLetters, cases.SourceTest):
    case = cases.CASES["MysqlMinimal"]


del DeadLetters
