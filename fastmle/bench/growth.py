"""How the time grows: one picture a question, a curve an engine, named where it ends."""

from __future__ import annotations

from html import escape
from typing import Any

from .axes import Axes, Point
from .table import duration

COLOURS = ("--ours", "--fourth", "--peer", "--numpy", "--limit", "--fifth", "--ours2")
Curve = list[Point]


def spread(places: list[float], gap: float = 15.0) -> list[float]:
    """Heights from above, moved as little as need be so that neighbours are `gap` apart."""
    out = sorted(places)
    for _ in range(200):
        for i in range(len(out) - 1):
            short = gap - (out[i + 1] - out[i])
            if short > 1e-6:
                out[i], out[i + 1] = out[i] - short / 2, out[i + 1] + short / 2
    return out


def plot(title: str, across: str, up: str, curves: dict[str, Curve]) -> str:
    """The curves, times up and numbers across, each with its name beside its right end."""
    axes = Axes(p for curve in curves.values() for p in curve)
    out = [axes.frame(across, up, duration, sorted({x for curve in curves.values() for x, _ in curve}))]
    ends: dict[float, list[tuple[float, str, str]]] = {}
    for number, (name, unsorted) in enumerate(curves.items()):
        curve, colour = sorted(unsorted), COLOURS[number % len(COLOURS)]
        out.append(f'<path d="{axes.path(curve)}" fill="none" stroke="var({colour})" stroke-width="2.2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="var({colour})"><title>{escape(name)}: {duration(p[1])}</title></circle>'
                for p in curve for x, y in (axes.at(p),)]  # fmt: skip
        x, y = axes.at(curve[-1])
        ends.setdefault(x, []).append((y, name, colour))
    for x, found in ends.items():
        for (_, name, colour), y in zip(sorted(found), spread([y for y, _, _ in found]), strict=True):
            out.append(f'<text x="{x + 9:.1f}" y="{y + 4:.1f}" style="fill:var({colour})">{escape(name)}</text>')
    return axes.picture(title, "".join(out))


def growth(saved: dict[str, Any]) -> str:
    """The section of the page, empty where the run has no such times."""
    plots: dict[str, dict[str, Curve]] = {}
    for bench in saved["benchmarks"]:
        params = bench["params"] or {}
        if "at" in params:
            curve = plots.setdefault(bench["group"], {}).setdefault(params["engine"], [])
            curve.append((float(params["at"]), bench["stats"]["median"]))
    out = [f"<h3>{name[0].upper()}{name[1:]}</h3>" + plot(name, name.replace("time against ", ""), "time of one fit", curves)
           for name, curves in plots.items()]  # fmt: skip
    return "<h2 id=growth>How the time grows</h2>" + "".join(out) if out else ""
