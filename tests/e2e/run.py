#!/usr/bin/python3
"""run.py MODULE [CLASS]: one end-to-end test; exit 0, 1, or 77 when it was skipped (the reason is printed).

env: SLUICE_BINARY (build/dev/src/app/sluice), SLUICE_TEST_LONG=1 (long sizes), SLUICE_E2E_ROOT (folder for the servers' data), SLUICE_E2E_LIMIT (seconds
after which the test gives up, stopping its servers)
"""
import importlib
import os
import pathlib
import signal
import sys
import unittest


def give_up(*_):
    signal.alarm(0)  # once: what follows is the clean-up
    raise TimeoutError("the whole test takes too long")


def main(module, name=None):
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    try:
        importlib.import_module("harness")
    except ModuleNotFoundError as error:
        print(f"SKIPPED: Python module {error.name} is missing (scripts/servers/install-packages test)")
        return 77
    signal.signal(signal.SIGALRM, give_up)
    signal.signal(signal.SIGTERM, give_up)
    signal.alarm(int(os.environ.get("SLUICE_E2E_LIMIT", "600")))
    tests = importlib.import_module(module)
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromName(name, tests) if name else loader.loadTestsFromModule(tests)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    if result.skipped and len(result.skipped) == result.testsRun:
        print(f"SKIPPED: {result.skipped[0][1]}")
        return 77
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
