#!/usr/bin/env python3
"""One self-contained HTML page from the JSON files of the benchmarks: tables, and plots as SVG inside.

report.py FOLDER OUT.html: FOLDER has placement.json, reference.json, verbs.json, packing.json, queueing.json, race.json;
those that are absent are named as such. No network, no library beyond Python's own.
"""

import html
import json
import os
import platform
import subprocess
import sys
import time

from plots import lines
from race import race
from tables import number, table

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0;font-variant-numeric:tabular-nums}
td,th{padding:.15em .7em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}
.bad{color:#b00020;font-weight:600}.good{color:#1b6e2e}.note{color:#666}
figure{margin:1em 0;display:inline-block}figcaption{font-size:13px;color:#666}
"""


def read(folder, name):
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def placement(data):
    rows = []
    for row in data["decisions"]:
        met = row.get("met")
        bar = "" if met is None else (number(row["bar_us"]), "good" if met else "bad")
        rows.append([f"{row['family']}, {row['asked']}", f"{row['hosts']:,}", row["members"], row["fits"], row["no"],
                     row["undecided"], number(row["p50_us"]), number(row["p99_us"]), number(row["p999_us"]), bar])
    text = table(["family, asked for", "hosts", "members", "fits", "no", "undecided", "p50 µs", "p99 µs", "p99.9 µs",
                  "bar"], rows)
    largest = max((row["hosts"] for row in data["decisions"]), default=0)
    series = {}
    for row in data["decisions"]:
        if row["hosts"] == largest and row["asked"] == "yes":
            series.setdefault(row["family"], []).append((row["members"], row["p99_us"]))
    return text + lines(f"p99 of a decision that fits, {largest:,} hosts", "members", "µs", series, log_x=True,
                        log_y=True)


def reference(data):
    rows = [[f"{row['family']}", f"{row['hosts']:,}", row["members"], f"{row['possible']} of {row['rounds']}",
             policy["policy"], number(policy["p50_us"]),
             (f"{policy['falseNo_pct']:.1f}", "bad" if policy["falseNo_pct"] else "good"),
             f"{policy['racksToMuster']:.2f}" if policy["racksToMuster"] else "–"]
            for row in data["rows"] for policy in row["policies"]]
    return table(["family", "hosts", "members", "possible", "policy", "p50 µs", "false no, %", "racks ÷ solver's"], rows)


def verbs(data):
    rows = [[row["what"], row["names"], number(row["server_p50_ms"]), number(row["server_p99_ms"]),
             number(row["client_p50_ms"]), number(row["client_p99_ms"])] for row in data["filter"]]
    return table(["call", "nodes", "server p50 ms", "server p99 ms", "client p50 ms", "client p99 ms"], rows)


def packing(data):
    rows = []
    for run in data["runs"]:
        at_end = run["allocation"]["130"]
        fgd = run["publishedFgd"]
        rows.append([run["workload"].removeprefix("openb_pod_list_"), run["policy"], run["seeds"], f"{at_end:.2f}",
                     f"{run['deviation']:.2f}", f"{fgd:.2f}" if fgd else "–",
                     (f"{at_end - fgd:+.2f}", "good" if at_end >= fgd else "bad") if fgd else "–",
                     number(run["microsPerPod"])])
    text = table(["workload", "policy", "seeds", "% at 130 %", "±", "FGD, published", "difference", "µs per pod"], rows)
    for workload in dict.fromkeys(run["workload"] for run in data["runs"]):
        series = {}
        for run in data["runs"]:
            if run["workload"] == workload:
                series[run["policy"]] = sorted((int(x), y) for x, y in run["allocation"].items())
        for run in data["published"]:
            if run["workload"] == workload:
                series[run["policy"][3:] + ", published"] = sorted((int(x), y) for x, y in run["allocation"].items())
        text += lines(workload.removeprefix("openb_pod_list_"), "demand arrived, % of capacity", "% allocated", series)
    return text


def queueing(data):
    runs = data["result"]["runs"]
    keys = [key for run in runs for key in run["figures"]]
    order = {key: max(list(run["figures"]).index(key) for run in runs if key in run["figures"]) for key in keys}
    rows = []
    for key in sorted(order, key=order.get):
        values = [run["figures"].get(key) for run in runs]
        rows.append([key] + ["–" if value is None else number(value) for value in values])
    text = table(["figure"] + [run["name"] for run in runs], rows)
    series = {}
    for run in runs:
        sizes = [(int(key.split("/")[1].split("-")[0]), value) for key, value in run["figures"].items()
                 if key.startswith("wait-p95/") and value]
        if len(sizes) > 1:
            series[run["name"]] = sizes
    if series:
        text += lines("wait p95 by size of the group", "members", "s", series, log_x=True, log_y=True)
    return text


SECTIONS = [("placement.json", "Placement latency", placement),
            ("reference.json", "One pod after another", reference),
            ("verbs.json", "Verb latency", verbs),
            ("packing.json", "Packing", packing),
            ("queueing.json", "Queueing in virtual time", queueing),
            ("race.json", "The race on a real control plane", race)]


def machine():
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    version = subprocess.run(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe", "--always",
                              "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (f"{model}, {os.cpu_count()} processors, load {load}; {platform.platform()}; "
            f"version {version or 'unknown'}; {time.strftime('%Y-%m-%d %H:%M')}")


def page(folder):
    text = f"<h1>Muster: benchmarks</h1><p class=note>{html.escape(machine())}. bench/README.md says what each figure means.</p>"
    for name, title, render in SECTIONS:
        data = read(folder, name)
        text += f"<h2>{html.escape(title)}</h2>"
        text += render(data) if data else f"<p class=note>{name} is not there: not run, or skipped.</p>"
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Muster: benchmarks</title><style>{STYLE}</style>{text}</html>'


def main():
    if len(sys.argv) != 3:
        sys.exit("report.py FOLDER OUT.html")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(page(sys.argv[1]))


if __name__ == "__main__":
    main()
