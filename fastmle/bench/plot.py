"""Log-log curves and named dots as SVG, whose labels keep clear of each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from html import escape

COLOURS = ("--ours", "--peer", "--numpy", "--fourth")
LEFT, RIGHT, HIGH, LOW = 78.0, 700.0, 24.0, 360.0
Curve = list[tuple[float, float]]
Box = tuple[float, float, float, float]
MARKS = [m * 10.0**e for e in range(-12, 13) for m in (1, 2, 5)]


def _seen(a: float, b: float) -> list[float]:
    """Where an axis from 10^a to 10^b has its marks."""
    inside = [v for v in MARKS if a <= math.log10(v) <= b]
    return inside if len(inside) <= 7 else [v for v in inside if f"{v:e}"[0] == "1"]


def _offers(x: float, y: float, width: float, dot: bool) -> Iterator[tuple[float, float]]:
    """Left ends and base lines for a label: beside its point, then further and further above and below."""
    sides = (x + 8, x - 8 - width) if x < 0.8 * RIGHT else (x - 8 - width, x + 8)
    for step in range(30):
        for sign in (1, -1):
            for side in sides:
                yield side, y + (4 if dot else -7) + sign * 7 * step


class _Labels:
    """Places each label at the first offer where it covers no other one, no dot and nothing outside."""

    def __init__(self, dots: list[tuple[float, float]]) -> None:
        self._taken: list[Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in dots]

    def place(self, x: float, y: float, name: str, dot: bool) -> str:
        width = 6.6 * len(name)
        found = (x + 8, y)
        for a, b in _offers(x, y, width, dot):
            box = (a, b - 11, a + width, b + 3)
            inside = a > LEFT and a + width < RIGHT + 58 and HIGH - 12 < b < LOW - 4
            if inside and not any(_overlap(box, other) for other in self._taken):
                self._taken.append(box)
                found = (a, b)
                break
        a, b = found
        near = a if a > x else a + width
        far = abs(b - 4 - y) > 12
        line = f'<path d="M{x:.1f} {y:.1f}L{near:.1f} {b - 4:.1f}" stroke="var(--soft)" stroke-width=".7"/>'
        return f'{line if dot and far else ""}<text x="{a:.1f}" y="{b:.1f}">{escape(name)}</text>'


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def plot(title: str, across: str, up: str, curves: dict[str, Curve], dots: dict[str, tuple[float, float]] | None = None,
         text: Callable[[float], str] = "{:,g}".format) -> str:  # fmt: skip
    """The curves, each with its name, and the dots, each with its own; `text` writes the numbers of the upright axis."""
    dots = dots or {}
    points = [p for curve in curves.values() for p in curve] + list(dots.values())
    if not points:
        return ""
    x0, x1 = (math.log10(f(p[0] for p in points)) for f in (min, max))
    y0, y1 = (math.log10(f(p[1] for p in points)) for f in (min, max))
    x0, x1, y0, y1 = x0 - 0.08, max(x1, x0 + 0.3) + 0.08, math.floor(y0 * 4) / 4 - 0.1, y1 + 0.15

    def at(p: tuple[float, float]) -> tuple[float, float]:
        return (LEFT + (math.log10(p[0]) - x0) / (x1 - x0) * (RIGHT - LEFT),
                LOW - (math.log10(p[1]) - y0) / (y1 - y0) * (LOW - HIGH))  # fmt: skip

    out = [f'<div class=scroll><svg viewBox="0 0 760 420" width=760 role=img aria-label="{escape(title)}">']
    for v in _seen(x0, x1):
        px = at((v, 10**y0))[0]
        out.append(f'<path d="M{px:.1f} {HIGH}V{LOW}" stroke="var(--line)"/><text x="{px:.1f}" y="{LOW + 19}" '
                   f'text-anchor="middle">{f"{v:,.0f}" if v >= 1 else f"{v:g}"}</text>')  # fmt: skip
    for v in _seen(y0, y1):
        py = at((10**x0, v))[1]
        out.append(f'<path d="M{LEFT} {py:.1f}H{RIGHT}" stroke="var(--line)"/><text x="{LEFT - 8}" y="{py + 4:.1f}" '
                   f'text-anchor="end">{text(v)}</text>')  # fmt: skip
    out.append(f'<text x="{(LEFT + RIGHT) / 2}" y="{LOW + 42}" text-anchor="middle">{escape(across)}</text>'
               f'<text x="{LEFT}" y="14">{escape(up)}</text>')  # fmt: skip
    labels = _Labels([at(p) for p in dots.values()])
    for number, (name, curve) in enumerate(curves.items()):
        colour = "--limit" if dots else COLOURS[number % len(COLOURS)]
        path = " ".join(f"{'L' if i else 'M'}{at(p)[0]:.1f} {at(p)[1]:.1f}" for i, p in enumerate(curve))
        out.append(f'<path d="{path}" fill="none" stroke="var({colour})" stroke-width="2.5"/>')
        out.append(labels.place(*at(curve[-1]), name, False))
    for name, p in dots.items():
        x, y = at(p)
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="var(--ours)">'
                   f"<title>{escape(name)}: {p[0]:.3g}, {p[1]:.3g}</title></circle>")  # fmt: skip
        out.append(labels.place(x, y, name, True))
    return "".join(out) + "</svg></div>"
