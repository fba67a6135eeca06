"""Runs the Python half of these tests, and says how many passed and failed."""

import logging
import os
import sys
import unittest

# What is asked is on this machine, whatever proxy there is to the rest of the world.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"
# Tests speak for themselves: a refusal that was wanted is no news.
logging.disable(logging.WARNING)


class Counting(unittest.TextTestResult):
    """Counts what passed too: a test with several faults failed once."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


folder = os.path.dirname(os.path.abspath(__file__))
tests = unittest.defaultTestLoader.discover(folder)
runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Counting)
result = runner.run(tests)
failed = len(result.failures) + len(result.errors)
print(f"# pass {result.passed}\n# fail {failed}")
sys.exit(0 if result.wasSuccessful() and result.passed else 1)
