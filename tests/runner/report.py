"""What ran, how long it took, what came out: printed as it happens, counted for the last line."""

import re
import threading
import time
from pathlib import Path

TAIL_LINES = 60
UNINTERESTING = re.compile(r"^\[\d+/\d+\] |^-- |^\d+\.\d+ s: ")  # what went well in a build or a test program


class Report:
    """Thread-safe."""

    def __init__(self, logs):
        self.logs = Path(logs)
        self.logs.mkdir(parents=True, exist_ok=True)
        self.passed = 0
        self.failed = 0
        self.started = time.monotonic()
        self._failures = []
        self._lock = threading.Lock()

    def log_file(self, name):
        return self.logs / (name.replace("/", "-").replace(" ", "-") + ".log")

    def say(self, text):
        with self._lock:
            print(text, flush=True)

    def note(self, what, took, passed, failed, log=None):
        """One finished piece of work. With failures, the end of its log is shown."""
        with self._lock:
            self.passed += passed
            self.failed += failed
            count = f"{passed} passed" if passed else ""
            if failed:
                count = f"{count}, {failed} FAILED" if passed else f"{failed} FAILED"
            print(f"{what:<58} {count:>22} {took:7.1f} s", flush=True)
            if not failed:
                return
            self._failures.append((what, log))
            if log:
                print_end_of(log)

    def close(self):
        """Prints the last line; the status of the whole run. What failed is shown again just before: of a long log
        often only the end is kept or looked at."""
        for what, log in self._failures:
            self.say(f"FAILED: {what}")
            if log:
                print_end_of(log)
        self.say(f"took {time.monotonic() - self.started:.0f} s; logs are in {self.logs}")
        self.say(f"{self.passed} passed, {self.failed} failed")
        return 0 if self.failed == 0 and self.passed > 0 else 1


def print_end_of(log):
    print(f"---- the end of {log}")
    print(tail(log))
    print("----", flush=True)


def tail(log):
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return "\n".join([line for line in lines if not UNINTERESTING.match(line)][-TAIL_LINES:])
