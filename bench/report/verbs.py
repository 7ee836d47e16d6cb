"""The section of filter over loopback."""

from plots import lines
from tables import number, table


def verbs(data):
    rows = [[row["what"], f"{row['names']:,}", number(row["server_cpu_p50_ms"]), number(row["server_p50_ms"]),
             number(row["server_p99_ms"]), number(row["client_p50_ms"]), number(row["client_p99_ms"])]
            for row in data["filter"]]
    text = table(["filter for", "nodes", "CPU p50 ms", "server p50 ms", "server p99 ms", "client p50 ms", "client p99 ms"],
                 rows)
    missed = [bar["what"] for bar in data["bars"] if not bar["held"]]
    held = f"<span class=bad>missed: {'; '.join(missed)}</span>" if missed else "<span class=good>all held</span>"
    binds = data["binds"]
    text += (f"<p class=note>{data['calls']} calls each, fewer beyond 5,000 nodes. {len(data['bars'])} bars: {held}. "
             f"{binds['count']} binds: all wait after {number(binds['settle_ms'])} ms, all are answered "
             f"{number(binds['release_ms'])} ms after their release.</p>")
    series = {}
    for row in data["filter"]:
        series.setdefault(row["what"], []).append((row["names"], row["server_p50_ms"]))
    several = {what: points for what, points in series.items() if len(points) > 1}
    return lines("filter: p50 in the server", "nodes in the call", "ms", several, log_x=True, log_y=True) + text
