#!/usr/bin/env python3
"""Builds and runs every test of the project; `make test` calls it.

  tests/run.py                     everything
  tests/run.py checks release      only these parts, see --list
  tests/run.py --list

Three builds: release is what ships, and runs all tests; asan (with UBSan) runs the unit tests; tsan runs the tests
labelled concurrent. Then the real control plane runs the scenarios of tests/e2e against the release build.
A line per piece of work, logs in build/test-logs, the last line counts test cases, checks and scenarios. The status
is 0 when nothing failed and everything asked for has run.
"""

import argparse
import os
import platform
import re
import sys
import time
from pathlib import Path

from runner import catch2, process
from runner.report import Report

ROOT = Path(__file__).resolve().parent.parent
PARTS = ["checks", "model", "release", "instructions", "asan", "tsan", "e2e"]

TARGETS = {
    "release": ["muster-extender", "muster-demo", "unit_tests", "property_tests", "integration_tests",
                "self_contained_headers", "muster", "bench_verbs", "bench_placement", "bench_instructions",
                "bench_packing", "bench_queueing", "bench_load", "bench_list", "embedding_example"],
    "asan": ["unit_tests"],
    "tsan": ["concurrent_tests"],
}
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1",
}

BUILD_LIMIT = 40 * 60
SCENARIOS_LIMIT = 15 * 60
E2E_PROGRAM = ROOT / "build/e2e-bin/muster-e2e"


class Run:
    def __init__(self, parts, jobs):
        self.parts = parts
        self.jobs = jobs
        self.report = Report(ROOT / "build/test-logs")
        self.built = set()
        self.e2e_build = None

    def all(self):
        if "e2e" in self.parts:
            self.start_e2e_build()
        for name in TARGETS:
            if name in self.parts or (name == "release" and {"e2e", "instructions"} & set(self.parts)):
                self.build(name)
        for name in PARTS:
            if name in self.parts:
                getattr(self, name)()
        return self.report.close()

    # Builds

    def build(self, name):
        """Configures when needed and builds; nothing is counted when it works, a failure otherwise."""
        log = self.report.log_file(f"build {name}")
        script = (f"cmake --preset {name} -DMUSTER_WERROR=ON && "
                  f"cmake --build build/{name} --parallel {self.jobs} --target {' '.join(TARGETS[name])}")
        status, took = process.run(["sh", "-c", script], log, ROOT, BUILD_LIMIT)
        self.report.note(f"build {name}", took, 0, 0 if status == 0 else 1, log)
        if status == 0:
            self.built.add(name)

    def start_e2e_build(self):
        """In the background and with what the compiler of the other builds leaves: cold it takes minutes."""
        log = self.report.log_file("build e2e")
        script = 'GO=$(cmake/find_go.sh) && export GO && exec nice -n 10 tests/e2e/build.sh "$1"'
        E2E_PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        self.e2e_build = time.monotonic(), log, process.start(["sh", "-c", script, "sh", E2E_PROGRAM], log, ROOT)

    def finish_e2e_build(self):
        begun, log, child = self.e2e_build
        waited_from = time.monotonic()
        status = process.finish(child, BUILD_LIMIT)
        waited = time.monotonic() - waited_from
        self.report.note(f"build e2e (in the background; waited {waited:.0f} s for it)", time.monotonic() - begun, 0,
                         0 if status == 0 else 1, log)
        return status == 0

    # Parts

    def checks(self):
        self.lines("checks of the source text", [sys.executable, "-B", "tests/checks/run.py"])

    def model(self):
        self.lines("the protocol's model, by spin", ["tests/model/run.py"])

    def instructions(self):
        """The counts that are kept hold for the compiler of Debian 12 alone."""
        if "release" in self.built:
            self.lines("instructions of fixed decisions",
                       ["bench/placement/compare.py", "build/release/bench/bench_instructions"])

    def lines(self, title, command):
        """Runs a command that prints a line "ok …" or "FAIL …" for each thing it looks at."""
        log = self.report.log_file(title)
        status, took = process.run(command, log, ROOT, 300)
        lines = log.read_text().splitlines()
        passed = sum(line.startswith("ok ") for line in lines)
        failed = sum(line.startswith("FAIL") for line in lines)
        if (status != 0 and failed == 0) or passed + failed == 0:
            failed += 1
        self.report.note(title, took, passed, failed, log)

    def release(self):
        if "release" not in self.built:
            return
        self.report.note("check: headers are self-contained", 0, 1, 0)  # or the build would have failed
        found = self.programs("release")
        quick = [program for program in found if "integration" not in program.labels]
        catch2.run_all(quick, "release", self.report, self.jobs)
        # They measure times and count threads: one after the other.
        integration = [program for program in found if "integration" in program.labels]
        catch2.run_all(integration, "release", self.report, 1)
        self.lines("the benchmarks and their page",
                   [sys.executable, "-B", "tests/bench/report_test.py", "build/release/bench"])

    def asan(self):
        if "asan" not in self.built:
            return
        chosen = [program for program in self.programs("asan") if "unit" in program.labels]
        catch2.run_all(chosen, "asan", self.report, self.jobs, SANITIZER_OPTIONS, patience=4)

    def tsan(self):
        if "tsan" not in self.built:
            return
        chosen = [program for program in self.programs("tsan") if "concurrent" in program.labels]
        catch2.run_all(chosen, "tsan", self.report, 1, SANITIZER_OPTIONS, without_address_randomisation(), patience=4)

    def e2e(self):
        if not self.finish_e2e_build() or "release" not in self.built:
            self.report.note("e2e: nothing could be run", 0, 0, 1)
            return
        self.lines("the figures of bench/race",
                   ["sh", "-c", 'cd bench/race && exec "$(../../cmake/find_go.sh)" test .'])
        # The second finds what the first has left in the folder of the logs, as the tests of a used checkout do.
        self.scenarios("e2e: one scenario on a control plane of its own", "e2e first", ["--run", "^a:"])
        self.scenarios("e2e: scenarios on a real control plane", "e2e", [])

    def scenarios(self, title, name, arguments):
        log = self.report.log_file(name)
        command = [E2E_PROGRAM, "--root", ROOT, "--logs", self.report.logs / "e2e",
                   "--muster", ROOT / "build/release/src/cmd/muster-extender", *arguments]
        status, took = process.run(command, log, ROOT, SCENARIOS_LIMIT)
        output = log.read_text(errors="replace")
        scenarios = [line for line in output.splitlines() if re.match(r"(ok  |FAIL) ", line)]
        for line in scenarios:
            self.report.say(f"  {line}")
        passed = sum(line.startswith("ok ") for line in scenarios)
        failed = len(scenarios) - passed
        if failed == 0 and (status != 0 or passed == 0):
            failed = 1
        self.report.note(title, took, passed, failed, log)

    def programs(self, name):
        return catch2.programs(f"build/{name}", ROOT)


def without_address_randomisation():
    """ThreadSanitizer of g++ 12 needs its addresses free, which kernels that randomise 32 bits do not leave."""
    try:
        bits = int(Path("/proc/sys/vm/mmap_rnd_bits").read_text())
    except (OSError, ValueError):
        return ()
    return ("setarch", platform.machine(), "-R") if bits > 28 else ()


def main():
    parser = argparse.ArgumentParser(description="Builds and runs the tests.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all when none is given")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--list", action="store_true", help="list the parts and end")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(PARTS))
        return 0
    unknown = [part for part in arguments.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown part {unknown[0]}; there are {', '.join(PARTS)}")
    process.end_children_when_ended()
    return Run(arguments.parts or PARTS, max(1, arguments.jobs)).all()


if __name__ == "__main__":
    sys.exit(main())
