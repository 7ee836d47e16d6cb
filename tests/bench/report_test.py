#!/usr/bin/env python3
"""The benchmarks' programs at tiny sizes, and the page that is made of their JSON: a key that has another name in the
program than in bench/report is noticed here.

tests/bench/report_test.py PROGRAMS   a line "ok …" or "FAIL …" for each part, status 1 when one failed
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPORT = HERE.parents[1] / "bench/report/report.py"
RACE = HERE / "race.json"  # as bench/race writes it; its Go test holds on to the keys

TRACES = {
    "alibaba-gpu-v2023/openb_node_list_gpu_node.csv": "sn,cpu_milli,memory_mib,gpu,model\n"
                                                      "a,64000,262144,2,T4\nb,96000,393216,8,V100M16\n",
    "alibaba-gpu-v2023/openb_pod_list_default.csv": "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"
                                                    "p,4000,8192,1,500,\nq,8000,16384,1,1000,\nr,8000,16384,2,1000,T4\n",
    "fgd_reference_gpu_alloc.csv": "workload,policy,arrival_pct,mean_gpu_alloc_pct\n"
                                   "openb_pod_list_default,06-FGD,90,88\nopenb_pod_list_default,06-FGD,130,93.5\n",
    "gavel-philly/vc_1.csv": "id,state,time,gpus\n" + "".join(f"{i},p,{i},{2 + i % 2 * 2}\n" for i in range(12)),
    "alibaba-pai-v2020/philly_runtime.csv": "runtime\n60\n600\n",
    "alibaba-lingjun-2023/topo.csv": "host,ip,asw,psw\nh1,1,A1,P1\nh2,2,A1,P1\nh3,3,A2,P1\n",
}
# Part → its options, and what a reader finds in its section, the figures of one line of the table among it.
PARTS = {
    "placement": (["--hosts", "1000", "--rounds", "2", "--references", "1"],
                  ["p99 of the decision on a group that fits, 1,000 hosts", "identical, yes", "first-fit", "False no by family",
                   "seed 1"]),
    "verbs": (["--calls", "1"], ["foreign pod, 64 hosts promised", "100,000", "filter: p50 in the server", "8 bars", "500 binds"]),
    "packing": (["--orders", "2", "--seed", "7"], ["muster-no-mix", "93.50", "FGD, published</span>", "seed 7"]),
    "queueing": (["--large", "0", "--load", "5"], ["lingjun, 3", "nvl72, 1694", "allocation, %", "decisions-per-second"]),
}
# Parts that have no section → options, and keys of their figures.
LOAD_PARTS = {
    "load": (["--binds", "5", "--calls", "5", "--abusers", "6", "--seconds", "1"], ["blocked", "abuse"]),
    "list": (["--nodes", "200", "--seconds", "1"], ["list_cpu_s", "peak_mb_with_pods", "longest_queue"]),
}
PARTS_WITH_TRACES = ("packing", "queueing")
COMMON = ("benchmark", "machine", "loadBefore", "date", "versions")


def write_traces(folder):
    for name, text in TRACES.items():
        file = Path(folder) / "traces" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def run(programs, part, folder, json_file):
    options = {**PARTS, **LOAD_PARTS}[part][0] + (["--traces", f"{folder}/traces"] if part in PARTS_WITH_TRACES else [])
    return subprocess.run([f"{programs}/bench_{part}", *options, "--json", json_file], capture_output=True, text=True,
                          timeout=60, check=False)


def missing(text, words):
    return [f"no {word!r}" for word in words if word not in text]


def section_of(folder, part):
    """The part's section of the page. RuntimeError when the page cannot be made."""
    page = Path(folder) / "report.html"
    made = subprocess.run([sys.executable, "-B", REPORT, folder, page], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise RuntimeError(made.stderr.strip().splitlines()[-1])
    text = page.read_text(encoding="utf-8")
    return text[text.index(f"<h2 id={part}>"):].split("<h2", 2)[1]


def looks_wrong(section):
    return [f"{word} in the section" for word in ("None", "nan", "is not there") if word in section]


def findings_of_part(programs, part):
    with tempfile.TemporaryDirectory() as folder:
        write_traces(folder)
        file = Path(folder) / f"{part}.json"
        ran = run(programs, part, folder, file)
        if ran.returncode != 0:
            return [f"status {ran.returncode}: {ran.stderr.strip()}"]
        figures = json.loads(file.read_text())
        section = section_of(folder, part)
        return ([f"no key {key}" for key in COMMON if not figures.get(key)] + missing(section, ["<svg", *PARTS[part][1]])
                + looks_wrong(section))


def findings_of_load_part(programs, part):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{part}.json"
        ran = run(programs, part, folder, file)
        if ran.returncode > 1:
            return [f"status {ran.returncode}: {ran.stderr.strip()}"]
        figures = json.loads(file.read_text())
        bars = figures["bars"]
        held = sum(bar["measured"] < bar["below"] for bar in bars)
        return ([f"no key {key}" for key in (*COMMON, *LOAD_PARTS[part][1]) if key not in figures]
                + ([] if held == sum(bar["held"] for bar in bars) else ["a bar is held that was missed, or the other way"])
                + ([] if ran.returncode == (held < len(bars)) else [f"status {ran.returncode} with {held} bars held"])
                + missing(ran.stdout, [f"{held} of {len(bars)} bars held"]))


def findings_of_race(_):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "race.json").write_text(RACE.read_text())
        section = section_of(folder, "race")
        return missing(section, ["<svg", "1 × 64, one rack", "native", "kueue is skipped", "2.81", "0.36", "one gang of muster", "1 of 1", "2 rounds", "planned"]) + looks_wrong(section)


def findings_of_absent(_):
    with tempfile.TemporaryDirectory() as folder:
        return missing(section_of(folder, "packing"), ["packing.json is not there"])


def findings_of_unwritable(programs):
    ran = subprocess.run([f"{programs}/bench_placement", "--hosts", "1000", "--rounds", "1", "--references", "0", "--members",
                          "8", "--json", "/nowhere/x.json"], capture_output=True, text=True, timeout=60, check=False)
    return ([] if ran.returncode == 2 else [f"status {ran.returncode}"]) + missing(ran.stderr, ["/nowhere/x.json"])


def findings_of(test, programs):
    try:
        return test(programs)
    except RuntimeError as error:
        return [str(error)]


def main():
    if len(sys.argv) != 2:
        sys.exit("report_test.py PROGRAMS")
    tests = [(f"the page shows what bench_{part} writes", lambda programs, part=part: findings_of_part(programs, part))
             for part in PARTS]
    tests += [(f"bench_{part} writes its figures and whether its bars are held",
               lambda programs, part=part: findings_of_load_part(programs, part)) for part in LOAD_PARTS]
    tests += [("the page shows what the race writes", findings_of_race),
              ("the page says which part is not there", findings_of_absent),
              ("a benchmark says that its JSON cannot be written", findings_of_unwritable)]
    failed = False
    for title, test in tests:
        found = findings_of(test, sys.argv[1])
        failed = failed or bool(found)
        print(f"{'FAIL' if found else 'ok  '} {title}{': ' + '; '.join(found) if found else ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
