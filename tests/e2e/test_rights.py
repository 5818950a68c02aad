"""A broker's user with no more rights than the documents ask for, and queues that somebody else has made."""
import pika

from cases import SourceTest

EXIT_POSITION = 5
INSTANCE = "sluice.e2e"


def user(bench, name, configure):
    """The options of a user with rights on the instance's names alone."""
    bench.rabbit.ctl("add_user", name, "secret")
    bench.rabbit.ctl("set_permissions", name, configure, r"^sluice\.", r"^sluice\.")
    return {"user": name, "password": "secret"}


def make_queues(bench):
    """What docs/operate.md asks for with queue.type existing."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", bench.rabbit.port))
    channel = connection.channel()
    channel.exchange_declare(INSTANCE, "direct", durable=True)
    single = {f"{INSTANCE}.p{bench.partitions}.{n}" for n in range(bench.partitions)} | {f"{INSTANCE}.control", f"{INSTANCE}.leader"}
    for name in single | {f"{INSTANCE}.dead"}:
        arguments = {"x-queue-type": "quorum", "x-single-active-consumer": name in single}
        if bench.rabbit.version == "4.3":
            arguments["x-delivery-limit"] = -1
        channel.queue_declare(name, durable=True, arguments=arguments)
        channel.queue_bind(name, INSTANCE, name)
    connection.close()


class Rights(SourceTest):
    def test_rights_on_its_own_names_are_enough(self):
        with self.bench(before_start=lambda bench: {"queue": user(bench, "own", r"^sluice\.")}) as bench:
            self.rows_arrive(bench, 1)
            self.assertEqual(bench.daemon.stop(), 0)
            done = bench.daemon.command("reset", "--yes")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_queues_of_somebody_else_need_no_right_to_declare(self):
        def made(bench):
            make_queues(bench)
            return {"queue": {"type": "existing", **user(bench, "guest-of-others", "^$")}}
        with self.bench(before_start=made) as bench:
            self.rows_arrive(bench, 1)
            self.assertEqual(bench.daemon.stop(), 0)
            for name in ("state.json", "state.json.bak"):
                (bench.daemon.state_folder / name).unlink()
            self.assertEqual(bench.daemon.start().wait_for_end(30), EXIT_POSITION, bench.daemon.tail())
            done = bench.daemon.command("reset", "--yes")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("which stay", done.stdout)
            bench.daemon.start()
            self.rows_arrive(bench, 2)

    def rows_arrive(self, bench, key):
        bench.wait_for_source()
        bench.mysql.execute(f"INSERT INTO e2e.text_key VALUES ('row {key}', {key}, NULL)")
        bench.wait_for_source()
        self.assertTrue(bench.redis.client().exists(f"e2e:text_key:row {key}"))


class Rabbit310(Rights):
    case = {"flavor": "mariadb", "metadata": "FULL", "rabbit": "3.10"}


class Rabbit43(Rights):
    case = {"flavor": "mysql", "metadata": "FULL", "rabbit": "4.3", "redis_kind": "redis8"}


del Rights, SourceTest
