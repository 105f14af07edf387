"""A log-log frame as SVG, and labels in it that keep clear of each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from html import escape

LEFT, RIGHT, HIGH = 84.0, 730.0, 34.0
WIDE, LETTER = 900, 7.6  # of the picture; of a letter of 13 pixels, on the safe side
Point = tuple[float, float]
Box = tuple[float, float, float, float]


def plain(value: float) -> str:
    """A number as one reads it: 1 million, 1e9 and so on in words."""
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:g} {word}"
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def seen(a: float, b: float) -> list[float]:
    """Where an axis from 10^a to 10^b has its marks: as many of each decade as leave no crowd, and at least three."""
    for mantissas in ((1, 2, 5), (1,)) if b - a > 1.2 else ((1, 1.5, 2, 3, 5, 7), (1, 2, 5)):
        inside = [m * 10.0**e for e in range(math.floor(a), math.ceil(b) + 1) for m in mantissas]
        inside = [v for v in inside if a <= math.log10(v) <= b]
        if len(inside) <= 8:
            break
    return inside


class Axes:
    """Two logarithmic axes around some points; `at` is where a point lies."""

    def __init__(self, points: Iterable[Point], height: float = 420.0) -> None:
        x, y = zip(*((math.log10(a), math.log10(b)) for a, b in points), strict=True)
        self.low = height - 60.0
        self.x0, self.x1 = min(x) - 0.05, max(max(x), min(x) + 0.3) + 0.05
        self.y0, self.y1 = min(y) - 0.12, max(max(y), min(y) + 0.3) + 0.12
        self.height = height

    def at(self, point: Point) -> Point:
        across = (math.log10(point[0]) - self.x0) / (self.x1 - self.x0)
        up = (math.log10(point[1]) - self.y0) / (self.y1 - self.y0)
        return LEFT + across * (RIGHT - LEFT), self.low - up * (self.low - HIGH)

    def path(self, points: Iterable[Point]) -> str:
        return " ".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(map(self.at, points)))

    def frame(self, across: str, up: str, number: Callable[[float], str], places: Iterable[float] = ()) -> str:
        """The grid with its numbers, and the words for both axes. `places`: marks across, where they are given."""
        out = []
        for v in places or seen(self.x0, self.x1):
            x = self.at((v, 10**self.y0))[0]
            out.append(f'<path d="M{x:.1f} {HIGH}V{self.low}" stroke="var(--line)"/><text x="{x:.1f}" y="{self.low + 19}" '
                       f'text-anchor="middle">{plain(v)}</text>')  # fmt: skip
        for v in seen(self.y0, self.y1):
            y = self.at((10**self.x0, v))[1]
            out.append(f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="var(--line)"/><text x="{LEFT - 8}" y="{y + 4:.1f}" '
                       f'text-anchor="end">{number(v)}</text>')  # fmt: skip
        out.append(f'<text class=axis x="{(LEFT + RIGHT) / 2}" y="{self.low + 44}" text-anchor="middle">{escape(across)}</text>'
                   f'<text class=axis x="8" y="16">{escape(up)}</text>')  # fmt: skip
        return "".join(out)

    def picture(self, title: str, body: str) -> str:
        return (f'<div class=scroll tabindex=0><svg viewBox="0 0 {WIDE} {self.height:g}" width={WIDE} role=img '
                f'aria-label="{escape(title)}">{body}</svg></div>')  # fmt: skip


class Labels:
    """Places each label at the first offer where it covers no other one, no dot and nothing outside."""

    def __init__(self, dots: Iterable[Point], low: float) -> None:
        self._taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in dots]
        self._low = low

    def place(self, x: float, y: float, name: str, colour: str = "--ink") -> str:
        """A label near a point, with a line to it where it had to go further away."""
        width = LETTER * len(name)
        found = (x + 8, y + 4)
        for a, b in _offers(x, y, width):
            box = (a, b - 11, a + width, b + 3)
            inside = a > LEFT and a + width < RIGHT and HIGH - 4 < b < self._low - 2
            if inside and not any(_overlap(box, other) for other in self._taken):
                self._taken.append(box)
                found = (a, b)
                break
        a, b = found
        near = a - 1 if a > x else a + width + 1
        far = abs(b - 4 - y) > 10 or abs(near - x) > 12
        line = f'<path d="M{x:.1f} {y:.1f}L{near:.1f} {b - 4:.1f}" stroke="var(--soft)" stroke-width=".7"/>'
        return f'{line if far else ""}<text x="{a:.1f}" y="{b:.1f}" style="fill:var({colour})">{escape(name)}</text>'


    def upright(self, x: float, name: str) -> str:
        """A label along an upright line, from its foot."""
        self._taken.append((x - 17, self._low - 10 - LETTER * len(name), x + 3, self._low))
        at = f"{x - 5:.1f} {self._low - 8:.1f}"
        return f'<text class=axis transform="translate({at}) rotate(-90)">{escape(name)}</text>'


def _offers(x: float, y: float, width: float) -> Iterator[Point]:
    """Left ends and base lines for a label: beside its point, then further and further above, below and away."""
    sides = (x + 8, x - 8 - width) if x < 0.85 * RIGHT else (x - 8 - width, x + 8)
    for step in range(45):
        for sign in (1, -1):
            for side in sides:
                away = 0.8 * step * (1 if side > x else -1)
                yield side + away, y + 4 + sign * 6 * step


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
