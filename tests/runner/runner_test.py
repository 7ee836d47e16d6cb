"""Nothing that went wrong is counted as passed."""

import contextlib
import io
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from runner import catch2, process
from runner.report import Report


class Counts(unittest.TestCase):
    def test_all_passed(self):
        self.assertEqual(catch2.counts("=====\nAll tests passed (446 assertions in 23 test cases)\n", 0), (23, 0))
        self.assertEqual(catch2.counts("All tests passed (1 assertion in 1 test case)\n", 0), (1, 0))

    def test_some_failed(self):
        output = "test cases:  23 |  21 passed | 2 failed\nassertions: 446 | 442 passed | 4 failed\n"
        self.assertEqual(catch2.counts(output, 2), (21, 2))
        self.assertEqual(catch2.counts("test cases: 1 | 1 failed\nassertions: 1 | 1 failed\n", 1), (0, 1))

    def test_a_bad_end_is_a_failure_whatever_was_printed(self):
        self.assertEqual(catch2.counts("All tests passed (3 assertions in 3 test cases)\n", 66), (3, 1))
        self.assertEqual(catch2.counts("", -11), (0, 1))

    def test_silence_is_a_failure(self):
        self.assertEqual(catch2.counts("", 0), (0, 1))
        self.assertEqual(catch2.counts("No tests ran\n", 0), (0, 1))


class Reports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.report = Report(folder.name)
        self.printed = io.StringIO()

    def test_the_end_of_the_output_shows_what_failed_long_before(self):
        log = self.report.log_file("early")
        log.write_text("the reason\n")
        with contextlib.redirect_stdout(self.printed):
            self.report.note("early", 0.1, 3, 1, log)
            self.report.note("late", 0.1, 5, 0)
            self.assertEqual(self.report.close(), 1)
        end = self.printed.getvalue().split("late", 1)[1]
        self.assertIn("FAILED: early", end)
        self.assertIn("the reason", end)
        self.assertTrue(end.endswith("\n8 passed, 1 failed\n"), end)

    def test_without_a_failure_the_end_is_the_count(self):
        with contextlib.redirect_stdout(self.printed):
            self.report.note("all", 0.1, 2, 0)
            self.assertEqual(self.report.close(), 0)
        self.assertTrue(self.printed.getvalue().endswith("\n2 passed, 0 failed\n"))
        self.assertNotIn("FAILED", self.printed.getvalue())


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = Path(folder.name) / "log"

    def test_status_and_output_are_kept(self):
        status, _ = process.run(["sh", "-c", "echo out; echo err >&2; exit 3"], self.log, "/", 10)
        self.assertEqual(status, 3)
        self.assertEqual(self.log.read_text(), "out\nerr\n")

    def test_a_time_limit_ends_the_child_and_its_children(self):
        status, took = process.run(["sh", "-c", "sleep 60 & echo $!; wait"], self.log, "/", 2)
        self.assertEqual(status, process.TIMED_OUT)
        self.assertLess(took, 10)
        self.assert_gone(int(self.log.read_text()))

    def test_what_a_child_leaves_behind_is_ended(self):
        status, _ = process.run(["sh", "-c", "sleep 60 & echo $!"], self.log, "/", 10)
        self.assertEqual(status, 0)
        self.assert_gone(int(self.log.read_text()))

    def test_a_runner_that_is_ended_takes_its_children_along(self):
        script = ("from runner import process; process.end_children_when_ended();"
                  f"child = process.start(['sleep', '60'], {str(self.log)!r}, '/');"
                  "print(child.pid, flush=True); process.finish(child, 60)")
        runner = subprocess.Popen([sys.executable, "-B", "-c", script], cwd=Path(__file__).parents[1],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(runner.stdout.close)
        child = int(runner.stdout.readline())
        runner.terminate()
        self.assertEqual(runner.wait(10), 128 + signal.SIGTERM)
        self.assert_gone(child)

    def assert_gone(self, pid):
        for _ in range(100):
            state = Path(f"/proc/{pid}/stat")
            if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
            time.sleep(0.05)
        self.fail(f"process {pid} still runs")


if __name__ == "__main__":
    unittest.main()
