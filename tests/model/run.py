#!/usr/bin/env python3
"""Checks group.pml with spin: the protocol keeps its properties, and each mutant breaks the one it is made for.

Prints a line «ok …» or «FAIL …» for each; the status is 0 when all are as expected. README.md says what they are.
"""

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MODEL = Path(__file__).resolve().parent / "group.pml"
MEMORY_MB = 450  # each of two at a time
SECONDS = 240

TWO_LEADERS = ["HANDOVERS=1", "CRASHES=0", "RESTARTS=0", "LOST_REPLIES=0"]
LATE_WRITES = ["RESTARTS=0"]
IN_TIME = ["NO_LATE_WRITES"]

# name, definitions, what the failed assertion has in it (None: no error)
CHECKS = [
    ("a crash, a lost reply, an early deadline; what the dead one has sent arrives whenever it likes",
     LATE_WRITES, None),
    ("two leaders for a moment: room is never promised twice", TWO_LEADERS, None),
    ("a crash, a lost reply, a scheduler that restarts, an early deadline", IN_TIME, None),
    ("a member without a gate; a crash, a lost reply, an early deadline", ["NO_GATE", *LATE_WRITES, "PLANS=2"], None),
    ("two leaders and no fence: no part of a group, no plan left behind",
     ["UNFENCED", "ROOM_UNCHECKED", "HANDOVERS=1", "CRASHES=0", "RESTARTS=0", "DEADLINES=0", "PLANS=2"], None),
    ("mutant EARLY_BIND: bound before the barrier", ["EARLY_BIND", *IN_TIME], "barrier_seen"),
    ("mutant FREE_ON_LOST_REPLY: room of an unknown binding is given away",
     ["FREE_ON_LOST_REPLY", *IN_TIME], "bound[3]"),
    ("mutant NO_UNWINDING: part of a group stays", ["NO_UNWINDING", *IN_TIME], "==3"),
    ("mutant NO_DEADLINE: a plan that nobody ends", ["NO_DEADLINE", *IN_TIME], "promised"),
    ("mutant FORGETFUL_PLANNER: plans without looking at the books", ["FORGETFUL_PLANNER", *IN_TIME], "promised"),
    ("mutant UNVERSIONED: a late binding takes what a withdrawal has freed", ["UNVERSIONED", *TWO_LEADERS],
     "bound[3]"),
    ("mutant FORGET_FOUND: room is given away before its nomination is withdrawn",
     ["FORGET_FOUND", *TWO_LEADERS], "bound[3]"),
    ("mutant FREE_TAKEN_UP: likewise when a plan that was taken up ends", ["FREE_TAKEN_UP", *LATE_WRITES],
     "bound[3]"),
]


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    return done.returncode, done.stdout + done.stderr


def check(definitions):
    """The failed assertion, "" when there is none; raises when it could not be checked to the end."""
    with tempfile.TemporaryDirectory() as folder:
        switches = ["-D" + definition for definition in definitions]
        for command in (["spin", *switches, "-a", str(MODEL)],
                        ["gcc", "-O0", "-w", "-DSAFETY", "-DCOLLAPSE", "-DNOREDUCE", f"-DMEMLIM={MEMORY_MB}",
                         "-o", "pan", "pan.c"]):
            status, output = run(command, folder)
            if status != 0:
                raise RuntimeError(output.strip()[-300:])
        _, output = run(["./pan", "-m200000"], folder)
        if match := re.search(r"pan:\d+: (.*)", output):
            return match[1]
        if "errors: 0" not in output or "out of memory" in output or "max search depth" in output:
            raise RuntimeError(output.strip()[-300:])
        return ""


def verdict(entry):
    name, definitions, expected = entry
    try:
        found = check(definitions)
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        return False, f"FAIL {name}: not checked: {error}"
    if expected is None:
        return not found, f"ok   {name}" if not found else f"FAIL {name}: {found}"
    fits = expected in found.replace(" ", "")
    return fits, f"ok   {name}" if fits else f"FAIL {name}: {found or 'no property fails'}"


def main():
    good = True
    with ThreadPoolExecutor(2) as pool:
        for fine, line in pool.map(verdict, CHECKS):
            print(line, flush=True)
            good = good and fine
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
