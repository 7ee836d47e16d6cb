"""Tables as HTML text, and numbers for people."""

import html
import math


def cell(value, tag="td"):
    text, colour = value if isinstance(value, tuple) else (value, "")
    return f'<{tag}{f" class={colour}" if colour else ""}>{html.escape(str(text))}</{tag}>'


def table(head, rows, groups=()):
    """groups: (name, columns), …, a line above the head. A cell is text, or a pair of text and "good" or "bad"."""
    above = "".join(f"<th colspan={columns}>{html.escape(name)}</th>" for name, columns in groups)
    lines = [above] if groups else []
    lines.append("".join(cell(name, "th") for name in head))
    lines += ["".join(cell(value) for value in row) for row in rows]
    return "<div class=wide><table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table></div>"


def number(value):
    """Three significant digits, no more than three places; all digits before the point."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 3)}f}"
