"""A line of the suite as a card: its engines and limits as bars, and the limit that stops it in words."""

from __future__ import annotations

from html import escape

from .stops import stop
from .table import Engines, duration, fastest_peer, ratio

ENOUGH = 3  # rounds that need no word


def speed(gigabytes: float) -> str:
    """Bytes a second, in three digits."""
    return f"{gigabytes:.3g} GB/s" if gigabytes >= 0.1 else f"{1e3 * gigabytes:.2g} MB/s"


def _colour(engine: str) -> str:
    if engine.startswith("fastmle"):
        return "--ours2" if "1 thread" in engine else "--ours"
    return "--numpy" if engine.startswith("numpy") else "--peer"


def card(name: str, engines: Engines) -> str:
    ours = engines["fastmle"]
    by_bytes = "GB_per_second" in ours
    speeds = {e: i["GB_per_second"] if by_bytes else 1.0 / i["each"] for e, i in engines.items()}
    limits = {"memory is read at": ours.get("limit_GB_per_second"), "the cores manage": ours.get("compute_GB_per_second"),
              "its functions alone": ours.get("functions_GB_per_second")}  # fmt: skip
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
    few: dict[int, list[str]] = {}
    for e, i in engines.items():
        if i.get("rounds", ENOUGH) < ENOUGH:
            few.setdefault(i["rounds"], []).append(e)
    facts += [f"slow, so {n} round{'s' if n > 1 else ''} only: {', '.join(names)}" for n, names in few.items()]
    limit = f"<p class=soft>{escape(stop(ours))}</p>" if stop(ours) else ""
    return f"<div class=card><h3>{escape(name)}</h3><p class=soft>{escape('; '.join(facts))}</p>{bars}{limit}</div>"
