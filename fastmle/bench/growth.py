"""How the time grows: one picture a question, a curve an engine, named where it ends."""

from __future__ import annotations

from typing import Any

from .axes import WIDE, Axes, Labels, Point
from .table import duration

COLOURS = ("--ours", "--fourth", "--peer", "--numpy", "--limit", "--fifth", "--ours2")
Curve = list[Point]


def plot(title: str, across: str, up: str, curves: dict[str, Curve]) -> str:
    """The curves, times up and numbers across, each with its name at its right end."""
    axes = Axes(p for curve in curves.values() for p in curve)
    places = sorted({x for curve in curves.values() for x, _ in curve})
    out, labels = [axes.frame(across, up, duration, places)], Labels((), axes.low, WIDE)
    ends = sorted(curves, key=lambda name: -curves[name][-1][1])  # from above, so that labels keep the order of the curves
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(curves)}
    for name in ends:
        curve, colour = sorted(curves[name]), colours[name]
        out.append(f'<path d="{axes.path(curve)}" fill="none" stroke="var({colour})" stroke-width="2.2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="var({colour})"><title>{duration(p[1])}</title></circle>'
                for p in curve for x, y in (axes.at(p),)]  # fmt: skip
        out.append(labels.place(*axes.at(curve[-1]), name, colour))
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
