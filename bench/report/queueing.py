"""The section of queueing: every figure of every run, and waits by the size of the group."""

from plots import lines
from tables import number, table

SHARES = ("allocation", "partly-used", "fragmentation")


def queueing(data):
    runs = data["runs"]
    rows = [[name(key)] + [shown(key, run["figures"].get(key)) for run in runs] for key in all_keys(runs)]
    text = table(["figure"] + [run["name"] for run in runs], rows)
    series = {}
    for run in runs:
        sizes = [(int(key.split("/")[1].split("-")[0]), value) for key, value in run["figures"].items()
                 if key.startswith("wait-p95/") and value]
        if len(sizes) > 1:
            series[run["name"]] = sizes
    return lines("p95 of the wait by size of the group, where any waits", "members, at least", "s", series, log_x=True,
                 log_y=True) + text


def all_keys(runs):
    """Runs on other clusters have other sizes: those of a later run behind what they follow there."""
    keys = []
    for run in runs:
        place = 0
        for key in run["figures"]:
            if key not in keys:
                keys.insert(place, key)
            place = keys.index(key) + 1
    return keys


def name(key):
    unit = " %" if key.startswith(SHARES) else " s" if key.startswith("wait") else ""
    return key + (f",{unit}" if unit else "")


def shown(key, value):
    return number(100 * value if value is not None and key.startswith(SHARES) else value)
