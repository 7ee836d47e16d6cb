#!/usr/bin/env python3
"""Counts the instructions of fixed decisions with callgrind and compares them with the counts that are kept.

  bench/placement/compare.py PROGRAM            fails when a case needs more than 10 % more than instructions.json says
  bench/placement/compare.py PROGRAM --keep     writes what it counted to instructions.json

Counts are repeatable where times are not: the same binary needs the same instructions whatever else the machine does.
Only what happens inside measured_decision() of instructions.cc is counted. A line per case, "ok" or "FAIL", and status 1 when one failed.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

KEPT = Path(__file__).with_name("instructions.json")
LIMIT = 1.10


def count(program, case):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind"
        subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=*measured_decision*",
                        f"--callgrind-out-file={out}", program, case],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE).group(1))


def main():
    program = sys.argv[1]
    cases = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    counted = {case: count(program, case) for case in cases}
    if "--keep" in sys.argv[2:]:
        KEPT.write_text(json.dumps(counted, indent=2) + "\n")
    kept = json.loads(KEPT.read_text())
    failed = False
    for case, instructions in counted.items():
        ratio = instructions / kept[case] if case in kept else float("inf")
        slower = not 0 < ratio <= LIMIT
        failed = failed or slower
        print(f"{'FAIL' if slower else 'ok  '} {case}: {instructions:,} instructions, {ratio:.3f} of what is kept")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
