"""Line plots as SVG text."""

import html
import math

WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 28, 40
COLOURS = ["#0b5fa5", "#d1495b", "#2e7d32", "#e08e00", "#6a3d9a", "#00838f", "#8d6e63", "#555555", "#c2185b"]


class Scale:
    """From values to pixels, linear or logarithmic."""

    def __init__(self, values, begin, end, log):
        self.log = log and min(values) > 0
        low, high = min(values), max(values)
        if self.log:
            low, high = math.log10(low), math.log10(high)
        if low == high:
            low, high = low - 0.5, high + 0.5
        self.low, self.high, self.begin, self.end = low, high, begin, end

    def __call__(self, value):
        at = math.log10(value) if self.log else value
        return self.begin + (at - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self):
        if self.log:
            return [10.0**e for e in range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        step = next(step * k for k in (1, 2, 5, 10) if (self.high - self.low) / (step * k) <= 6)
        first = math.ceil(self.low / step - 1e-9)
        return [step * k for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def label(value):
    return f"{value:,.6g}"


def axes(x, y, x_name, y_name):
    parts = [f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{html.escape(x_name)}</text>',
             f'<text x="6" y="{TOP - 8}">{html.escape(y_name)}</text>']
    for tick in y.ticks():
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 5}" y="{y(tick) + 4:.1f}" text-anchor="end">{label(tick)}</text>')
    for tick in x.ticks():
        parts.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{label(tick)}</text>')
    return "".join(parts)


def lines(title, x_name, y_name, series, log_x=False, log_y=False):
    """series: name → [(x, y), …]. A figure element; empty when there is nothing to draw."""
    points = [point for values in series.values() for point in values]
    if not points:
        return ""
    x = Scale([p[0] for p in points], LEFT, WIDTH - RIGHT, log_x)
    y = Scale([p[1] for p in points], HEIGHT - BOTTOM, TOP, log_y)
    drawn, legend = [], []
    for index, (name, values) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in values)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        legend.append(f'<span style="color:{colour}">■</span> {html.escape(name)}')
    return (f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'font-family="sans-serif" font-size="11">{axes(x, y, x_name, y_name)}{"".join(drawn)}</svg>'
            f'<figcaption><b>{html.escape(title)}</b><br>{" &nbsp; ".join(legend)}</figcaption></figure>')


def bars(title, x_name, steps):
    """steps: (name, from, to), …, one bar below the other. A figure element."""
    left, row = 110, 20
    x = Scale([end for step in steps for end in step[1:]], left, WIDTH - RIGHT, log=False)
    height = TOP + row * len(steps) + BOTTOM
    drawn = []
    for tick in x.ticks():
        drawn.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{height - BOTTOM}" stroke="#ddd"/>'
                     f'<text x="{x(tick):.1f}" y="{height - BOTTOM + 16}" text-anchor="middle">{label(tick)}</text>')
    for index, (name, begin, end) in enumerate(steps):
        y = TOP + row * index
        drawn.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{html.escape(name)}</text>'
                     f'<rect x="{x(begin):.1f}" y="{y + 3}" width="{max(2.0, x(end) - x(begin)):.1f}" height="{row - 6}" '
                     f'fill="{COLOURS[0]}"/>')
    drawn.append(f'<text x="{(left + WIDTH - RIGHT) / 2}" y="{height - 6}" text-anchor="middle">{html.escape(x_name)}</text>')
    return (f'<figure><svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" '
            f'font-size="11">{"".join(drawn)}</svg><figcaption><b>{html.escape(title)}</b></figcaption></figure>')
