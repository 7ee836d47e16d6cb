"""Tables as HTML text, and numbers for people."""

import html
import math


def cell(value):
    if isinstance(value, tuple):
        return f'<td class="{value[1]}">{html.escape(str(value[0]))}</td>'
    return f"<td>{html.escape(str(value))}</td>"


def table(head, rows):
    body = "".join("<tr>" + "".join(cell(value) for value in row) + "</tr>" for row in rows)
    return "<table><tr>" + "".join(f"<th>{html.escape(name)}</th>" for name in head) + f"</tr>{body}</table>"


def number(value):
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 3)}f}"
