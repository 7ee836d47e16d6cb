"""The section of packing: what is allocated at the end, and a plot for each list."""

from plots import lines
from tables import number, table

PREFIX = "openb_pod_list_"


def packing(data):
    rows = []
    for run in data["runs"]:
        end, fgd = run["allocation"]["130"], run["publishedFgd"]
        difference = "–" if fgd is None else f"{end - fgd:+.2f}"
        if fgd is not None and run["policy"] == "muster":
            difference = (difference, "good" if end >= fgd else "bad")
        rows.append([run["workload"].removeprefix(PREFIX), run["policy"], run["orders"], f"{end:.2f}", f"{run['deviation']:.2f}",
                     "–" if fgd is None else f"{fgd:.2f}", difference, number(run["microsPerPod"])])
    figures = table(["list", "policy", "orders of arrival", "allocated at 130 % demand, %", "±", "FGD, published", "difference",
                     "CPU µs per pod"], rows)
    plots = ""
    for workload in dict.fromkeys(run["workload"] for run in data["runs"]):
        series = {run["policy"]: curve(run) for run in data["runs"] if run["workload"] == workload}
        published = {f"{run['policy'][3:]}, published": curve(run) for run in data["published"]
                     if run["workload"] == workload}
        plots += lines(f"list {workload.removeprefix(PREFIX)}", "demand arrived, % of all GPUs", "GPUs allocated, %",
                       series | published, dashed=published)
    return plots + figures


def curve(run):
    return sorted((int(demand), allocated) for demand, allocated in run["allocation"].items())
