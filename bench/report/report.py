#!/usr/bin/env python3
"""One self-contained HTML page from the JSON files of the benchmarks: tables, and plots as SVG inside.

report.py FOLDER OUT.html: FOLDER has placement.json, verbs.json, packing.json, queueing.json, race.json; those that are
absent are named as such. No network, no library beyond Python's own.
"""

import html
import json
import sys
from pathlib import Path

from packing import packing
from placement import placement
from queueing import queueing
from race import race
from verbs import verbs

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1200px;margin:2em auto;padding:0 1em;color:#222;background:#fff}
h2{margin-top:2em;border-bottom:2px solid #222}h3{margin-bottom:0}
.wide{overflow-x:auto;margin:1em 0}
table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums}
td,th{padding:.15em .5em;text-align:right;border-bottom:1px solid #ddd}
th{vertical-align:bottom;line-height:1.25}th[colspan]{text-align:center}
td{white-space:nowrap}td:first-child,th:first-child{text-align:left}tr:hover td{background:#f4f6f8}
.bad{color:#b00020;font-weight:600}.good{color:#1b6e2e}.note{color:#444;font-size:13.5px;max-width:75em}
figure{margin:1em 1.5em 1em 0;display:inline-block;vertical-align:top;max-width:100%}
figcaption{font-weight:600;font-size:14px}svg{max-width:100%;height:auto}
.legend{font-size:13px;max-width:520px}.legend span{margin-right:1.2em;white-space:nowrap}
.legend i{display:inline-block;width:.75em;height:.75em;margin-right:.35em}
"""

SECTIONS = [("placement", "Placement", placement), ("verbs", "Calls of kube-scheduler", verbs),
            ("packing", "Packing", packing), ("queueing", "Queueing in virtual time", queueing),
            ("race", "The race on a real control plane", race)]


def surroundings(data):
    """On what the part has run: every part's JSON has these keys, but those without randomness no seed."""
    parts = [data["date"], data["machine"], f"load before {data['loadBefore']}"]
    parts += [text if text.startswith(name) else f"{name} {text}" for name, text in data["versions"].items()]
    parts += [f"seed {data['seed']}"] if "seed" in data else []
    return f"<p class=note>{html.escape(' · '.join(parts))}</p>"


def section(folder, name, title, render):
    text = f"<h2 id={name}>{html.escape(title)}</h2>"
    file = Path(folder) / f"{name}.json"
    if not file.exists():
        return text + f"<p class=note>{file.name} is not there: not run, or skipped.</p>"
    data = json.loads(file.read_text(encoding="utf-8"))
    return text + surroundings(data) + render(data)


def page(folder):
    links = " · ".join(f'<a href="#{name}">{html.escape(title)}</a>' for name, title, _ in SECTIONS)
    text = "".join(section(folder, *what) for what in SECTIONS)
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>Muster: benchmarks</title><style>{STYLE}</style><h1>Muster: benchmarks</h1><p>{links}</p>"
            f"<p class=note>bench/README.md says what each figure means. Green: the bar is met, or ahead of what it is "
            f"compared with; red: missed, or behind.</p>{text}</html>\n")


def main():
    if len(sys.argv) != 3:
        sys.exit("report.py FOLDER OUT.html")
    Path(sys.argv[2]).write_text(page(sys.argv[1]), encoding="utf-8")


if __name__ == "__main__":
    main()
