"""The section of the race: a table of all arms, a plot of the time by size of gang, and one gang's life."""

import html

from plots import bars, lines
from tables import number, table


def name_of(work):
    text = f"{work['gangs']} × {work['members']}"
    if work["level"]:
        text += f", one {work['level']}"
    return text + (", as Jobs" if work["jobs"] else "") + (", too few nodes" if work["scarce"] else "")


def judged(row):
    """The median that arms are compared by: of Jobs from the submission, since a peer may hold a Job back."""
    return row["submittedToBoundP50Ms" if row["jobs"] else "createdToBoundP50Ms"]


def ratio(row):
    value = f"{row['ratioToMuster']:.2f}"
    return value if row["arm"] in ("muster", "muster-no-gate", "plain") else (value, "good" if row["ratioToMuster"] >= 1 else "bad")


def trouble(count):
    return (count, "bad") if count else count


def rows_of(data):
    rows = []
    for row in data["summary"]:
        cpu = row["cpuSeconds"]
        rows.append([f"{row['nodes']:,} nodes, {name_of(row)}", row["arm"], number(row["createdToBoundP50Ms"]),
                     number(row["createdToBoundP99Ms"]), number(row["submittedToBoundP50Ms"]), ratio(row),
                     f"{row['ratioToNative']:.2f}",
                     number(row["podsPerSecond"]), f"{row['writesPerPod']:.2f}", f"{row['wholeGangs']} of {row['gangs']}",
                     trouble(row["partialGangs"]), number(row["partialMs"]), trouble(row["misplacedGangs"]),
                     number(cpu.get("muster-extender", 0) + cpu.get("kueue", 0)), number(cpu["kube-scheduler"]),
                     number(cpu["kube-apiserver"] + cpu["etcd"])])
    return rows


def race(data):
    text = f"<p class=note>{data['rounds']} round{'s' if data['rounds'] > 1 else ''}.</p>"
    text += "".join(f"<p class=note>{html.escape(why)}</p>" for why in data["skipped"] or [])
    text += table(["work", "arm", "p50", "p99", "p50", "÷ muster", "÷ native", "pods/s", "writes per pod", "whole gangs",
                   "partial gangs", "longest partial, ms", "mis- placed", "Muster or Kueue", "kube-sche- duler", "API server, etcd"],
                  rows_of(data), [("", 2), ("created → bound, ms", 2), ("submitted → bound, ms", 1), ("", 8), ("processor time, s", 3)])
    for nodes in sorted({row["nodes"] for row in data["summary"]}):
        series = {}
        for row in data["summary"]:
            if row["nodes"] == nodes and row["gangs"] == 1 and row["level"] and not row["jobs"]:
                series.setdefault(row["arm"], []).append((row["members"], judged(row)))
        text += lines(f"one gang in one rack or block, {nodes:,} nodes", "members", "last created → all bound, ms",
                      {arm: sorted(points) for arm, points in series.items()}, log_x=True, log_y=True)
    for line in data["timelines"]:
        steps = [(step["name"], [(step["firstMs"], step["lastMs"])]) for step in line["steps"]]
        text += bars(f"one gang of {line['arm']}, {line['nodes']:,} nodes, {name_of(line)}: first to last member",
                     "ms from the last member's creation", steps)
    return text
