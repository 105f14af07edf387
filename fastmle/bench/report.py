"""A saved run as one HTML file: bars beside their limit, a roofline, and how the time grows. Nothing is loaded from elsewhere."""

from __future__ import annotations

import statistics
from html import escape
from typing import Any

from .goals import standing
from .limits import stop
from .plot import Curve, plot
from .table import Engines, duration, fastest_peer, ratio, times

STYLE = """
:root{color-scheme:light dark;--bg:#fbfbfa;--ink:#1d2330;--soft:#5d6678;--line:#d9dde4;--ours:#1668c7;--ours2:#7fb0e6;
--peer:#b9772c;--numpy:#8a8f9c;--limit:#c03a4b;--fourth:#7a4fb5}
@media(prefers-color-scheme:dark){:root{--bg:#14171d;--ink:#e8ebf1;--soft:#a2abbc;--line:#333a47;--ours:#5aa5f5;
--ours2:#2f5f93;--peer:#dba055;--numpy:#7d8494;--limit:#f07484;--fourth:#b592ea}}
*{box-sizing:border-box}body{margin:0 auto;max-width:75rem;padding:1.2rem;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.7rem;margin:.2em 0}h2{margin:2em 0 .3em}p{max-width:46rem}
.soft{color:var(--soft)}.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem}
.card{border:1px solid var(--line);border-radius:8px;padding:.8rem .9rem;min-width:0}.card h3{margin:0;font-size:1rem}
.card p{margin:.1rem 0 .5rem;font-size:.83rem}.row{display:grid;grid-template-columns:8.2rem 1fr 4.8rem;gap:.5rem;
align-items:center;font-size:.83rem;margin:.2rem 0}.row span:last-child{text-align:right;white-space:nowrap}
.bar{height:.8rem;border-radius:3px;min-width:2px}.limit{background:repeating-linear-gradient(45deg,var(--limit) 0 3px,
transparent 3px 6px);outline:1px solid var(--limit)}svg{max-width:100%;min-width:38rem;height:auto;display:block}
svg text{fill:var(--ink);font:13px system-ui,sans-serif}.key i{display:inline-block;width:.8em;height:.8em;
border-radius:2px;margin:0 .35em 0 1em}table{border-collapse:collapse;font-size:.85rem}td,th{padding:.25rem .7rem;
border-bottom:1px solid var(--line);text-align:right}td:first-child,th:first-child{text-align:left}
.scroll{overflow-x:auto}td.why,th.why{text-align:left;min-width:20rem}.missed td:nth-child(4){color:var(--limit);font-weight:600}
.card p:last-child{margin:.5rem 0 0}
"""

def _colour(engine: str) -> str:
    if engine.startswith("fastmle"):
        return "--ours2" if "1 thread" in engine else "--ours"
    return "--numpy" if engine.startswith("numpy") else "--peer"


def _card(name: str, engines: Engines) -> str:
    ours = engines["fastmle"]
    by_bytes = "GB_per_second" in ours
    speeds = {e: i["GB_per_second"] if by_bytes else 1.0 / i["each"] for e, i in engines.items()}
    limits = {"memory is read at": ours.get("limit_GB_per_second"), "the cores manage": ours.get("compute_GB_per_second")}
    rows = [(e, s, f"background:var({_colour(e)})", "bar") for e, s in speeds.items()]
    rows += [(e, s, "", "bar limit") for e, s in limits.items() if s]
    top = max(row[1] for row in rows)
    bars = "".join(
        f'<div class=row><span>{escape(e)}</span><span><div class="{kind}" style="width:{100 * s / top:.2f}%;{style}"></div></span>'
        f"<span>{speed(s) if by_bytes else duration(1.0 / s)}</span></div>"
        for e, s, style, kind in rows
    )
    facts = [f"{ours['rows']:,} rows in {duration(ours['seconds'])}" if "rows" in ours else duration(ours["seconds"])]
    if ours.get("reads", 1) > 1:
        facts[0] += f", {ours['reads']} reads"
    for e in ("numpy", fastest_peer(engines)):
        if (r := ratio(engines, e)) is not None:
            facts.append(f"{e} takes {r:.2g} x as long" if r < 100 else f"{e} takes {r:,.0f} x as long")
    limit = f"<p class=soft>{escape(stop(ours))}</p>" if stop(ours) else ""
    return f"<div class=card><h3>{escape(name)}</h3><p class=soft>{escape('; '.join(facts))}</p>{bars}{limit}</div>"


def _goals(groups: dict[str, Engines]) -> str:
    rows = standing(groups)
    if not rows:
        return ""
    cells = "".join(
        f"<tr class={'met' if met else 'missed'}><td>{escape(goal.line)}</td><td>{escape(goal.says())}</td><td>{value}</td>"
        f"<td>{'yes' if met else 'no'}</td><td class=why>{escape(why)}</td></tr>"
        for goal, value, met, why in rows
    )
    return (
        f"<h2>Goals</h2><p>{sum(met for _, _, met, _ in rows)} of {len(rows)} are reached in this run. Where one is not, the last "
        'column names the limit that stops it. "x" is how many times as long as fastmle another takes per row.</p>'
        "<div class=scroll><table><tr><th>line</th><th>goal</th><th>measured</th><th>reached</th><th class=why>what stops it</th>"
        f"</tr>{cells}</table></div>"
    )


def _bandwidth(groups: dict[str, Engines]) -> str:
    """How much the bandwidth of reading moved while the lines were timed."""
    seen = [v for e in groups.values() for v in e["fastmle"].get("bandwidth_before_after", ())]
    if not seen:
        return ""
    noisy = sum(bool(e["fastmle"].get("disturbed")) for e in groups.values())
    return (
        f"<p>Before and after each line, all cores read its column: at least {min(seen):.3g}, in the median "
        f"{statistics.median(seen):.3g}, at best {max(seen):.3g} GB/s. The larger of the two is the line's limit; {noisy} lines, "
        "where they differ by over 20 %, are marked as disturbed. Columns that fit in a cache are read faster than memory.</p>"
    )


def speed(gigabytes: float) -> str:
    """Bytes a second, in three digits."""
    return f"{gigabytes:.3g} GB/s" if gigabytes >= 0.1 else f"{1e3 * gigabytes:.2g} MB/s"


def _roofline(groups: dict[str, Engines]) -> str:
    places = {
        name.removesuffix(" fit").replace(" fit,", ","): (i["compute_GB_per_second"], i.get("reads", 1) * i["GB_per_second"])
        for name, engines in groups.items()
        if "compute_GB_per_second" in (i := engines["fastmle"]) and "fit" in name
    }
    if not places:
        return ""
    limit = max(
        e["fastmle"]["limit_GB_per_second"] for e in groups.values() if "limit_GB_per_second" in e["fastmle"]
    )
    low, high = min([*(p[0] for p in places.values()), limit / 2]), max([*(p[0] for p in places.values()), limit * 2])
    roof = {"roof: memory, or the cores": [(low, low), (limit, limit), (high, limit)]}
    picture = plot("Roofline", "GB/s the cores manage with the data in their cache", "GB/s from memory", roof, places)
    return (
        "<h2>Roofline</h2><p>Each dot is the fit of a family. Across: how fast its kernel runs with the data in the cache, "
        "which is what the cores can do. Up: how fast it runs from memory, all its reads counted, also what a fit does besides. "
        "No kernel can be above the line. Dots on the flat part are as fast as memory can be read; dots on the slope are as fast "
        "as the cores compute.</p>" + picture
    )


def _growth(saved: dict[str, Any]) -> str:
    plots: dict[str, dict[str, Curve]] = {}
    for bench in saved["benchmarks"]:
        params = bench["params"] or {}
        if "at" in params:
            curve = plots.setdefault(bench["group"], {}).setdefault(params["engine"], [])
            curve.append((float(params["at"]), bench["stats"]["median"]))
    out = [
        plot(name, name.replace("time against ", ""), "time", curves, text=duration)
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
    when = f"{saved['datetime'][:16].replace('T', ' ')} UTC"
    rows = f", up to {machine['rows']:,} values in memory" if "rows" in machine else ""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>fastmle: benchmarks</title><style>{STYLE}</style><h1>How fast fastmle is, and how fast it could be</h1>"
        f"<p class=soft>{escape(brand)}, {machine['threads']} threads{limits}{rows}. "
        f"Measured {escape(when)}.</p>{_bandwidth(groups)}"
        "<p>Each card is one question asked of one column of numbers. Bars are speeds: bytes of data a second; longer is better. "
        "The hatched bars are limits: the speed at which all cores together read that very column, the best of seven rounds of "
        "several kernels, and the speed of fastmle's own kernel with the data in the cache.</p>"
        "<p>A time is the median of seven rounds after one that does not count, of three where these take over two seconds; "
        "a peer has its data in the form it likes best before the clock starts. Slow peers are timed on fewer rows; speeds are per "
        "row, so they compare. Answers are compared before they are timed, except where a peer computes only the sums that a fit "
        "rests on.</p><p class=key><i style='background:var(--ours)'></i>fastmle<i style='background:var(--ours2)'></i>"
        "on one thread<i style='background:var(--numpy)'></i>numpy<i style='background:var(--peer)'></i>peers"
        f"<i class=limit></i>limit</p><div class=grid>{cards}</div>{_goals(groups)}{_roofline(groups)}"
        f"{_growth(saved)}<h2>Versions</h2><p>Python {machine['python_version']}, {escape(versions)}.</p></html>"
    )
