"""The kinds of source each test is run with."""
import contextlib
import unittest

from harness import Bench, Daemon, Unavailable

CASES = {
    "MariadbFull": {"flavor": "mariadb", "metadata": "FULL"},
    "MariadbMinimal": {"flavor": "mariadb", "metadata": "MINIMAL"},
    "Mariadb118Full": {"flavor": "mariadb", "version": "11.8", "metadata": "FULL"},
    "MysqlFull": {"flavor": "mysql", "metadata": "FULL", "rabbit": "4.3", "redis_kind": "redis8"},
    "MysqlMinimal": {"flavor": "mysql", "metadata": "MINIMAL", "rabbit": "4.3", "redis_kind": "redis8"},
}


class SourceTest(unittest.TestCase):
    """with self.bench() as bench: of the case this class was made for."""
    case = {}

    @contextlib.contextmanager
    def bench(self, **more):
        with contextlib.ExitStack() as stack:
            try:
                bench = stack.enter_context(Bench(**self.case, **more))
            except Unavailable as reason:
                self.skipTest(str(reason))
            yield bench

    @contextlib.contextmanager
    def host(self, bench, name, **changes):
        """One more process of the instance, not started yet."""
        with contextlib.ExitStack() as stack:
            host = Daemon(bench.binary, bench.root / name, bench.config(bench.password) | changes, bench.root)
            stack.callback(host.__exit__)
            yield host

    def assert_in_step(self, bench):
        """Redis holds what MySQL holds, no more, and nothing waits."""
        bench.wait_for_source()
        rows, wrong = bench.differences()
        if wrong:
            self.fail("MySQL and Redis differ:\n" + "\n".join(wrong))
        self.assertGreater(rows, 100)
        return rows

    def assert_each_change_once(self, bench, load, checker):
        """Redis was told each change that the source counted, once, and no reader ever saw it go backwards."""
        falls = checker.stop()
        self.assert_counted_once(bench, load)
        self.assertIn(" gaps=0 ", bench.daemon.status())
        self.assertEqual(falls[:20], [])

    def assert_counted_once(self, bench, load):
        """Now, that no change is under way."""
        def copies():
            return int(bench.redis.client().hget("sluice:e2e:mirror", "writes") or 0)

        before, calls = copies(), bench.redis.command_calls()
        while (now := copies()) != before:  # the position was saved meanwhile
            before, calls = now, bench.redis.command_calls()
        inserted, updated, deleted, moved = load.counts()
        self.assertEqual((calls.get("hset", 0) - before, calls.get("unlink", 0)), (inserted + updated + moved, deleted + moved), "every change once")

    def assert_ends_whole(self, bench, load, checker):
        """The load comes to its end, and all of it is in Redis, each change once; sluice stops as it should.  The number of rows."""
        load.finish(600)
        rows = self.assert_in_step(bench)
        self.assert_each_change_once(bench, load, checker)
        self.assertEqual(bench.daemon.stop(), 0, bench.daemon.tail())
        return rows


def for_each_source(base, into):
    for name, case in CASES.items():
        into[name] = type(name, (base,), {"case": case, "__module__": into["__name__"]})
