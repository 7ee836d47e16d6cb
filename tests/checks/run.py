#!/usr/bin/env python3
"""Checks of the source text. Prints one line per check; status 1 when one finds something.

tests/checks/run.py [ROOT]
"""

import sys
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

import formatting
import includes
import plain_words

CHECKS = [
    ("the C++ files are formatted", formatting),
    ("includes keep to the rules", includes),
    ("the project speaks of itself", plain_words),
]


def failures_of(module):
    """What the unit tests of a tool find wrong with it."""
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    result = unittest.TestResult()
    suite.run(result)
    if result.testsRun == 0:
        return ["no test ran"]
    return [f"{test}: {trace.strip().splitlines()[-1]}" for test, trace in result.failures + result.errors]


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2])
    outcomes = [(title, check.findings(root)) for title, check in CHECKS]
    outcomes.append(("the checks find what they look for", failures_of("checks_test")))
    outcomes.append(("the runner counts what has run", failures_of("runner.runner_test")))
    for title, found in outcomes:
        print(f"{'FAIL' if found else 'ok  '} {title}")
        for line in found:
            print(f"     {line}")
    return 1 if any(found for _, found in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
