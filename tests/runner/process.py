"""Child processes with a log file and a time limit. Whatever a child starts ends with it."""

import atexit
import os
import signal
import subprocess
import time

TIMED_OUT = -1000

_running = set()


def start(command, log, cwd, env=None):
    with open(log, "wb") as output:
        child = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    _running.add(child)
    return child


def finish(child, limit):
    """The exit status, or TIMED_OUT after `limit` seconds, when the child and its children have been killed."""
    try:
        return child.wait(limit)
    except subprocess.TimeoutExpired:
        return TIMED_OUT
    finally:
        _end_group(child)


def run(command, log, cwd, limit, env=None):
    """(exit status, seconds)."""
    begun = time.monotonic()
    status = finish(start(command, log, cwd, env), limit)
    return status, time.monotonic() - begun


def _end_group(child):
    # The group's id is the child's as long as one of its members lives, the child being waited for or not.
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()
    _running.discard(child)


@atexit.register
def _end_all():
    for child in list(_running):
        _end_group(child)


def _end_all_and_self(number, _):
    """Ended from outside: nothing stays behind. No waiting, for another thread may be waiting already."""
    for child in list(_running):
        try:
            os.killpg(child.pid, signal.SIGTERM)  # not SIGKILL: make and ninja end their own children then
        except ProcessLookupError:
            pass
    os._exit(128 + number)


def end_children_when_ended():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end_all_and_self)
