"""Runs one module of tests: run.py test_game. Exits with 77 where some were skipped, with their names."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
try:
    import helpers  # noqa: E402,F401
    import rival  # noqa: E402,F401
except ImportError as error:
    print(f"skipped: {error}; `make test` installs it, given a network")
    sys.exit(77)

result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromName(sys.argv[1]))
for test, reason in result.skipped:
    print(f"skipped: {test}: {reason}")
if not result.wasSuccessful():
    sys.exit(1)
sys.exit(77 if result.skipped or result.testsRun == 0 else 0)
