"""The section of placement: the time of a decision, and the same requests put to schedulers that place pod by pod."""

from plots import bars, lines
from tables import number, table


def placement(data):
    text = latency(data["decisions"])
    text += (f"<p class=note>The last cluster: built in {number(data['build_ms'])} ms, a pod event takes "
             f"{number(data['event_ns'])} ns, at most {data['max_rss_kib'] / 1024:.0f} MiB resident.</p>")
    return text + (references(data["references"]) if "references" in data else "")


def latency(decisions):
    largest = max(row["hosts"] for row in decisions)
    plots = ""
    for asked, title in (("yes", "fits"), ("no", "does not fit")):
        series = {}
        for row in decisions:
            if row["hosts"] == largest and row["asked"] == asked:
                series.setdefault(row["family"], []).append((row["members"], row["p99_us"]))
        plots += lines(f"p99 of the decision on a group that {title}, {largest:,} hosts", "members", "µs", series,
                       log_x=True, log_y=True)
    rows = []
    for row in decisions:
        bar = ""
        if "met" in row:
            bar = (f"{'✓' if row['met'] else '✗'} {number(row['bar_us'])}", "good" if row["met"] else "bad")
        rows.append([f"{row['family']}, {row['asked']}", f"{row['hosts']:,}", f"{row['members']:,}", row["fits"], row["no"],
                     row["undecided"], number(row["first_us"]), number(row["p50_us"]), number(row["p99_us"]),
                     number(row["p999_us"]), bar])
    return plots + table(["family, expected answer", "hosts", "members", "fits", "no", "undecided", "first µs", "p50 µs",
                          "p99 µs", "p99.9 µs", "bar for p99, µs"], rows)


def references(rows):
    names = [policy["policy"] for policy in rows[0]["policies"]]
    text = ("<h3>One pod after another</h3><p class=note>The same groups on the same states, each the first of its shape there, "
            "so that the solver has kept nothing of it. False no: of the decisions in which the solver has a placement, those "
            "that the policy refuses. Racks: used, divided by the solver's.</p>")
    head = ["family", "hosts", "members", "possible"] + ["p50 µs", "false no, %", "racks"] * len(names)
    lines_of_table = [[row["family"], f"{row['hosts']:,}", f"{row['members']:,}", f"{row['possible']} of {row['rounds']}"]
                      + [cell for policy in row["policies"] for cell in cells(policy)] for row in rows]
    return text + reference_plots(rows, names) + table(head, lines_of_table, [("", 4)] + [(name, 3) for name in names])


def reference_plots(rows, names):
    largest = max(row["hosts"] for row in rows)
    rows = [row for row in rows if row["hosts"] == largest]
    times = {name: [(row["members"], row["policies"][index]["p50_us"]) for row in rows if row["family"] == "identical"]
             for index, name in enumerate(names)}
    refused = [(f"{row['family']}, {row['members']:,}", [(0, policy["falseNo_pct"]) for policy in row["policies"]])
               for row in rows if any(policy["falseNo_pct"] for policy in row["policies"])]
    return (lines(f"p50 of a decision, identical members, {largest:,} hosts", "members", "µs", times, log_x=True, log_y=True)
            + bars(f"False no by family and members where there is any, {largest:,} hosts",
                   "% of the groups that have a placement", refused, names))


def cells(policy):
    racks = policy["racksToMuster"]
    return [number(policy["p50_us"]), (f"{policy['falseNo_pct']:.1f}", "bad" if policy["falseNo_pct"] else "good"),
            "–" if racks is None else f"{racks:.2f}"]
