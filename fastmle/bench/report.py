"""A saved run as one HTML file: bars beside their limit, a roofline, and how the time grows. Nothing is loaded from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from typing import Any

from .table import Engines, duration, fastest_peer, ratio, times

STYLE = """
:root{color-scheme:light dark;--bg:#fbfbfa;--ink:#1d2330;--soft:#5d6678;--line:#d9dde4;--ours:#1668c7;--ours2:#7fb0e6;
--peer:#b9772c;--numpy:#8a8f9c;--limit:#c03a4b}
@media(prefers-color-scheme:dark){:root{--bg:#14171d;--ink:#e8ebf1;--soft:#a2abbc;--line:#333a47;--ours:#5aa5f5;
--ours2:#2f5f93;--peer:#dba055;--numpy:#7d8494;--limit:#f07484}}
*{box-sizing:border-box}body{margin:0 auto;max-width:75rem;padding:1.2rem;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.7rem;margin:.2em 0}h2{margin:2em 0 .3em}p{max-width:46rem}
.soft{color:var(--soft)}.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem}
.card{border:1px solid var(--line);border-radius:8px;padding:.8rem .9rem;min-width:0}.card h3{margin:0;font-size:1rem}
.card p{margin:.1rem 0 .5rem;font-size:.83rem}.row{display:grid;grid-template-columns:8.2rem 1fr 4.6rem;gap:.5rem;
align-items:center;font-size:.83rem;margin:.2rem 0}.row span:last-child{text-align:right;white-space:nowrap}
.bar{height:.8rem;border-radius:3px;min-width:2px}.limit{background:repeating-linear-gradient(45deg,var(--limit) 0 3px,
transparent 3px 6px);outline:1px solid var(--limit)}svg{max-width:100%;height:auto;display:block}
svg text{fill:var(--ink);font:13px system-ui,sans-serif}.key i{display:inline-block;width:.8em;height:.8em;
border-radius:2px;margin:0 .35em 0 1em}table{border-collapse:collapse;font-size:.85rem}td,th{padding:.25rem .7rem;
border-bottom:1px solid var(--line);text-align:right}td:first-child,th:first-child{text-align:left}
.scroll{overflow-x:auto}
"""
COLOURS = ("--ours", "--peer", "--numpy", "--limit")


def _colour(engine: str) -> str:
    if engine.startswith("fastmle"):
        return "--ours2" if "1 thread" in engine else "--ours"
    return "--numpy" if engine.startswith("numpy") else "--peer"


def _card(name: str, engines: Engines) -> str:
    ours = engines["fastmle"]
    by_bytes = "GB_per_second" in ours
    speeds = {e: i["GB_per_second"] if by_bytes else ours["each"] / i["each"] for e, i in engines.items()}
    limit = ours.get("limit_GB_per_second")
    top = max([*speeds.values(), limit or 0.0])
    rows = [(e, s, f"background:var({_colour(e)})", "bar") for e, s in speeds.items()]
    if limit:
        rows.append(("memory can be read at", limit, "", "bar limit"))
    bars = "".join(
        f'<div class=row><span>{escape(e)}</span><span><div class="{kind}" style="width:{100 * s / top:.2f}%;{style}"></div></span>'
        f"<span>{f'{s:.3g} GB/s' if by_bytes else f'{s:.2g} x'}</span></div>"
        for e, s, style, kind in rows
    )
    facts = [
        f"{ours['rows']:,} rows in {duration(ours['seconds'])}"
        if "rows" in ours
        else duration(ours["seconds"])
    ]
    peer = fastest_peer(engines)
    facts += [f"{r:.3g} x {e}" for e in ("numpy", peer) if (r := ratio(engines, e)) is not None]
    return f"<div class=card><h3>{escape(name)}</h3><p class=soft>{escape('; '.join(facts))}</p>{bars}</div>"


def _plot(title: str, across: str, up: str, curves: dict[str, list[tuple[float, float]]], roof: str = "",
          dots: bool = False, text: Callable[[float], str] = "{:g}".format) -> str:  # fmt: skip
    """Log-log curves, or dots with a name each; `roof` is SVG drawn with {x:...} done by the caller's scale."""
    points = [p for curve in curves.values() for p in curve]
    if not points:
        return ""
    x0, x1 = (math.log10(f(p[0] for p in points)) for f in (min, max))
    y0, y1 = (math.log10(f(p[1] for p in points)) for f in (min, max))
    x0, x1, y0, y1 = x0 - 0.08, max(x1, x0 + 0.3) + 0.08, math.floor(y0 * 4) / 4 - 0.1, y1 + 0.15
    left, right, high, low = 78.0, 700.0, 24.0, 360.0

    def at(x: float, y: float) -> tuple[float, float]:
        return (left + (math.log10(x) - x0) / (x1 - x0) * (right - left),
                low - (math.log10(y) - y0) / (y1 - y0) * (low - high))  # fmt: skip

    out = [f'<svg viewBox="0 0 760 420" width=760 role=img aria-label="{escape(title)}">']
    marks = [m * 10.0**e for e in range(-12, 13) for m in (1, 2, 5)]

    def seen(a: float, b: float) -> list[float]:
        inside = [v for v in marks if a <= math.log10(v) <= b]
        return inside if len(inside) <= 7 else [v for v in inside if f"{v:e}"[0] == "1"]

    for v in seen(x0, x1):
        px = at(v, 10**y0)[0]
        out.append(f'<path d="M{px:.1f} {high}V{low}" stroke="var(--line)"/><text x="{px:.1f}" y="{low + 19}" '
                   f'text-anchor="middle">{v:,g}</text>')  # fmt: skip
    for v in seen(y0, y1):
        py = at(10**x0, v)[1]
        out.append(f'<path d="M{left} {py:.1f}H{right}" stroke="var(--line)"/><text x="{left - 8}" y="{py + 4:.1f}" '
                   f'text-anchor="end">{text(v)}</text>')  # fmt: skip
    out.append(f'<text x="{(left + right) / 2}" y="{low + 42}" text-anchor="middle">{escape(across)}</text>'
               f'<text x="{left}" y="14">{escape(up)}</text>')  # fmt: skip
    taken: list[float] = []
    for number, (name, curve) in enumerate(curves.items()):
        colour = f"var({COLOURS[number % 4]})"
        path = " ".join(f"{'L' if i else 'M'}{at(*p)[0]:.1f} {at(*p)[1]:.1f}" for i, p in enumerate(curve))
        if dots and name != roof:
            for p in curve:
                out.append(f'<circle cx="{at(*p)[0]:.1f}" cy="{at(*p)[1]:.1f}" r="4" fill="var(--ours)">'
                           f"<title>{escape(name)}: {p[0]:.3g}, {p[1]:.3g}</title></circle>")  # fmt: skip
            label = at(*curve[-1])
        else:
            out.append(
                f'<path d="{path}" fill="none" stroke="{"var(--limit)" if name == roof else colour}" stroke-width="2.5"/>'
            )
            label = at(*curve[-1])
        y = label[1] - 7
        while any(abs(y - t) < 13 for t in taken):
            y += 13
        taken.append(y)
        end = label[0] > 0.6 * right
        out.append(f'<text x="{label[0] + (-8 if end else 8):.1f}" y="{y:.1f}" text-anchor="{"end" if end else "start"}">'
                   f"{escape(name)}</text>")  # fmt: skip
    return "".join(out) + "</svg>"


def _roofline(groups: dict[str, Engines]) -> str:
    places = {
        name: [(i["compute_GB_per_second"], i["GB_per_second"])]
        for name, engines in groups.items()
        if "compute_GB_per_second" in (i := engines["fastmle"]) and name.endswith("fit")
    }
    if not places:
        return ""
    limit = max(
        e["fastmle"]["limit_GB_per_second"] for e in groups.values() if "limit_GB_per_second" in e["fastmle"]
    )
    xs = [p[0][0] for p in places.values()]
    low, high = min([*xs, limit / 2]), max([*xs, limit * 2])
    roof = "roof: memory, or the cores"
    curves = {roof: [(low, low), (limit, limit), (high, limit)]} | places
    plot = _plot(
        "Roofline",
        "GB/s the cores manage with the data in their cache",
        "GB/s from memory",
        curves,
        roof,
        True,
    )
    return (
        "<h2>Roofline</h2><p>Each dot is the fit of a family. Across: how fast its kernel runs with the data in the cache, "
        "which is what the cores can do. Up: how fast it runs from memory. No kernel can be above the line. Dots on the flat part "
        "are as fast as memory can be read; dots on the slope are as fast as the cores compute.</p>" + plot
    )


def _growth(saved: dict[str, Any]) -> str:
    plots: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for bench in saved["benchmarks"]:
        params = bench["params"] or {}
        if "at" in params:
            curve = plots.setdefault(bench["group"], {}).setdefault(params["engine"], [])
            curve.append((float(params["at"]), bench["stats"]["median"]))
    out = [
        _plot(name, name.replace("time against ", ""), "time", curves, text=duration)
        for name, curves in plots.items()
    ]
    return "<h2>How the time grows</h2>" + "".join(out) if out else ""


def report(saved: dict[str, Any]) -> str:
    """The page."""
    machine, groups = saved["machine_info"], times(saved)
    cards = "".join(_card(*item) for item in groups.items())
    versions = ", ".join(f"{k} {v}" for k, v in machine.get("versions", {}).items())
    peak = machine.get("multiply_adds_per_second")
    limits = f"; {peak / 1e9:.0f} billion multiply-adds a second at most" if peak else ""
    brand = machine["cpu"].get("brand_raw", machine["machine"])
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>fastmle: benchmarks</title><style>{STYLE}</style><h1>How fast fastmle is, and how fast it could be</h1>"
        f"<p class=soft>{escape(brand)}, {machine['threads']} threads{limits}. Python {machine['python_version']}; "
        f"{escape(versions)}. {escape(saved['datetime'])}.</p>"
        "<p>Each card is one question asked of one column of numbers. Bars are speeds: bytes read a second, medians; longer is "
        "better. The hatched bar is the limit, the speed at which this machine can read that very column at all, measured beside "
        "it. Slow peers are timed on fewer rows; speeds are per row, so they compare. A fit is checked against its peers before "
        "it is timed.</p><p class=key><i style='background:var(--ours)'></i>fastmle<i style='background:var(--ours2)'></i>"
        "on one thread<i style='background:var(--numpy)'></i>numpy<i style='background:var(--peer)'></i>peers"
        f"<i class=limit></i>limit</p><div class=grid>{cards}</div>{_roofline(groups)}{_growth(saved)}</html>"
    )
