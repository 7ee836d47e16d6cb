"""The test programs that ctest knows, run one by one so that test cases are counted and not programs."""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from . import process

ALL_PASSED = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.MULTILINE)
SOME_FAILED = re.compile(r"^test cases:\s*(\d+)\s*\|(.*)$", re.MULTILINE)


@dataclass
class Program:
    name: str
    command: list
    labels: list
    limit: float
    directory: str


def programs(build, cwd):
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], cwd=cwd, check=True,
                             capture_output=True, text=True).stdout
    found = []
    for test in json.loads(listing)["tests"]:
        properties = {item["name"]: item["value"] for item in test.get("properties", [])}
        found.append(Program(test["name"], test.get("command", []), properties.get("LABELS", []),
                             properties.get("TIMEOUT", 300), properties.get("WORKING_DIRECTORY", str(cwd))))
    return found


def counts(output, status):
    """(passed, failed) test cases. A program that ends badly, or without saying what it did, has a failure."""
    if match := ALL_PASSED.search(output):
        passed, failed = int(match[1]), 0
    elif match := SOME_FAILED.search(output):
        parts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed)", match[2])}
        passed, failed = parts.get("passed", 0), parts.get("failed", 0)
    else:
        return 0, 1
    if passed + failed == 0 or (status != 0 and failed == 0):
        failed += 1
    return passed, failed


def run_all(chosen, title, report, jobs, env=None, prefix=(), patience=1.0):
    """Runs the programs, `jobs` at a time. `prefix` goes before each command, `patience` stretches time limits."""
    if not chosen:
        report.note(f"{title}: there is no test", 0, 0, 1)
        return
    def one(program):
        what = f"{title}: {program.name}"
        log = report.log_file(f"{title} {program.name}")
        if not program.command:
            report.note(f"{what} was not built", 0, 0, 1)
            return
        status, took = process.run([*prefix, *program.command], log, program.directory,
                                   program.limit * patience, env)
        passed, failed = counts(log.read_text(encoding="utf-8", errors="replace"), status)
        if status == process.TIMED_OUT:
            what += f" did not end within {program.limit * patience:.0f} s"
        elif status < 0:
            what += f" was ended by signal {-status}"
        report.note(what, took, passed, failed, log)
    with ThreadPoolExecutor(jobs) as pool:
        for outcome in [pool.submit(one, program) for program in chosen]:
            outcome.result()
