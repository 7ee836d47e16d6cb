"""Plots as SVG text: lines, and bars one below the other."""

import html
import math

WIDTH, HEIGHT = 520, 300
LEFT, RIGHT, TOP, BOTTOM = 74, 24, 30, 42
COLOURS = ["#0b5fa5", "#d1495b", "#2e7d32", "#b86e00", "#6a3d9a", "#00838f", "#8d6e63", "#9a9a9a", "#c2185b",
           "#000000", "#7a7a00", "#3f51b5"]


class Scale:
    """From values to pixels, linear or logarithmic."""

    def __init__(self, values, begin, end, log):
        self.log = log and min(values) > 0
        low, high = min(values), max(values)
        if low == high:
            low, high = (low / 2, high * 2) if self.log else (low - 0.5, high + 0.5)
        self.low, self.high, self.begin, self.end = low, high, begin, end

    def __call__(self, value):
        position = math.log10 if self.log else float
        low, high = position(self.low), position(self.high)
        return self.begin + (position(value) - low) / (high - low) * (self.end - self.begin)

    def ticks(self):
        """Powers of ten; with twice and five times of them, or evenly spaced, where that would be fewer than three."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for factors in ((1,), (1, 2, 5)):
                ticks = [k * 10.0**e for e in decades for k in factors if self.low <= k * 10.0**e <= self.high]
                if len(ticks) >= 3:
                    return ticks
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        step = next(step * k for k in (1, 2, 5, 10) if (self.high - self.low) / (step * k) <= 6)
        first = math.ceil(self.low / step - 1e-9)
        return [step * k for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def text(x, y, value, anchor="middle"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(value)}</text>'


def label(value):
    return f"{value:,.0f}" if value == round(value) else f"{value:,.6g}"


def figure(title, width, height, drawn, legend=""):
    return (f'<figure><figcaption>{html.escape(title)}</figcaption><svg viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" font-size="12" fill="#222">{"".join(drawn)}</svg>'
            f'<div class=legend>{legend}</div></figure>')


def key(colour, name):
    return f'<span><i style="background:{colour}"></i>{html.escape(name)}</span>'


def lines(title, x_name, y_name, series, log_x=False, log_y=False, dashed=()):
    """series: name → [(x, y), …]; those named in dashed are drawn so. A figure element; empty when there is nothing."""
    points = [point for values in series.values() for point in values]
    if not points:
        return ""
    x = Scale([p[0] for p in points], LEFT, WIDTH - RIGHT, log_x)
    y = Scale([p[1] for p in points], HEIGHT - BOTTOM, TOP, log_y)
    drawn = [text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x_name), text(6, TOP - 14, y_name, "start")]
    for tick in y.ticks():
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>')
        drawn.append(text(LEFT - 6, y(tick) + 4, label(tick), "end"))
    drawn += [text(x(tick), HEIGHT - BOTTOM + 17, label(tick)) for tick in x.ticks()]
    legend = ""
    for index, (name, values) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        dash = ' stroke-dasharray="4 3"' if name in dashed else ""
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in values)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
        drawn += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="2.2" fill="{colour}"/>' for a, b in values]
        legend += key(colour, name)
    return figure(title, WIDTH, HEIGHT, drawn, legend)


def bars(title, x_name, groups, names=()):
    """groups: (label, [(from, to), …]), …, a bar for each pair, one below the other; names: of the bars of a group."""
    left, row, thick = 150, 8, 8 if names else 14
    x = Scale([0] + [end for _, pairs in groups for pair in pairs for end in pair], left, WIDTH - RIGHT, log=False)
    drawn, y = [], TOP
    for name, pairs in groups:
        drawn.append(text(left - 8, y + thick * len(pairs) / 2 + 4, name, "end"))
        for index, (begin, end) in enumerate(pairs):
            drawn.append(f'<rect x="{x(begin):.1f}" y="{y}" width="{max(2.0, x(end) - x(begin)):.1f}" height="{thick - 1}" '
                         f'fill="{COLOURS[index]}"/>')
            y += thick
        y += row
    height = y + BOTTOM
    grid = [f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{y}" stroke="#ddd"/>'
            + text(x(tick), y + 16, label(tick)) for tick in x.ticks()]
    drawn.append(text((left + WIDTH - RIGHT) / 2, height - 6, x_name))
    legend = "".join(key(COLOURS[index], name) for index, name in enumerate(names))
    return figure(title, WIDTH, height, grid + drawn, legend)
