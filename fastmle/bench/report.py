"""A saved run as one HTML file: bars beside their limits, a roofline, and how the time grows. Nothing is loaded from elsewhere."""

from __future__ import annotations

import statistics
from html import escape
from typing import Any

from .cards import card
from .growth import growth
from .limits import add_peaks
from .roofline import roofline
from .sections import functions_section, goals_section
from .style import STYLE
from .table import Engines, times

KEY = (("fastmle", "--ours"), ("on one thread", "--ours2"), ("numpy", "--numpy"), ("peers", "--peer"))
WORDS = (
    "<p>Each card is one question asked of one column of numbers. Bars are speeds: bytes of data a second; longer is better. "
    "The hatched bars are limits: the speed at which all cores together read that very column, the best of seven rounds of several "
    "kernels; the speed of fastmle's own kernel with the data in the cache; and, where it calls vector functions, their speed if "
    "nothing else were to be done.</p>"
    "<p>A time is the median of seven rounds after one that does not count, of three where these take over two seconds, of one "
    "or two for a peer so slow that its card says so; a peer has its data in the form it likes best before the clock starts. "
    "Slow peers are timed on fewer rows; speeds are per "
    "row, so they compare. Answers are compared before they are timed, except where a peer computes only the sums that a fit "
    "rests on.</p>"
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


def _cards(groups: dict[str, Engines]) -> str:
    shown = "".join(card(name, engines) for name, engines in groups.items() if "function" not in engines["fastmle"])
    key = "".join(f"<span><i style='background:var({colour})'></i>{name}</span>" for name, colour in KEY)
    key = f"<p class=key>{key}<span><i class=limit></i>limit</span></p>"
    return f"<h2 id=lines>Lines</h2>{WORDS}{_bandwidth(groups)}{key}<div class=grid>{shown}</div>" if shown else ""


def report(saved: dict[str, Any]) -> str:
    """The page."""
    machine, groups = saved["machine_info"], times(saved)
    add_peaks(groups)
    versions = ", ".join(f"{k} {v}" for k, v in machine.get("versions", {}).items())
    peak = machine.get("multiply_adds_per_second")
    limits = f"; {peak / 1e9:.0f} billion multiply-adds a second at most" if peak else ""
    brand = machine["cpu"].get("brand_raw", machine["machine"])
    when = f"{saved['datetime'][:16].replace('T', ' ')} UTC"
    rows = f", up to {machine['rows']:,} values in memory" if "rows" in machine else ""
    parts = {
        "Goals": goals_section(groups),
        "Roofline": roofline(groups, peak),
        "Vector functions": functions_section(groups),
        "How the time grows": growth(saved),
        "Lines": _cards(groups),
    }
    links = "".join(f"<a href='#{text.split('id=')[1].split('>')[0]}'>{name}</a>" for name, text in parts.items() if text)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>fastmle: benchmarks</title><style>{STYLE}</style><h1>How fast fastmle is, and how fast it could be</h1>"
        f"<p class=soft>{escape(brand)}, {machine['threads']} threads{limits}{rows}. Measured {escape(when)}.</p>"
        f"<nav>{links}</nav>{''.join(parts.values())}"
        f"<h2>Versions</h2><p>Python {machine['python_version']}, {escape(versions)}.</p></html>"
    )
