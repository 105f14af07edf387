"""A saved run as a Markdown table, and two runs compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

Engines = dict[str, dict[str, Any]]
NOT_PEERS = ("fastmle", "numpy", "prange twin", "one dsyrk", "nothing")
DROP = 0.15  # of a ratio to numpy


def times(saved: dict[str, Any]) -> dict[str, Engines]:
    """group -> engine -> seconds a row (or a call) and what else was noted; without the scaling."""
    groups: dict[str, Engines] = {}
    for bench in saved["benchmarks"]:
        params = bench["params"] or {}
        if params.get("engine") is None or "at" in params:
            continue
        info = dict(bench["extra_info"])
        info["seconds"], info["rounds"] = bench["stats"]["median"], bench["stats"]["rounds"]
        info["each"] = info["seconds"] / info.get("rows", 1)
        groups.setdefault(bench["group"], {})[params["engine"]] = info
    return {name: engines for name, engines in groups.items() if "fastmle" in engines}


def joined(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Saved runs of one machine as one; the words about it are the first one's."""
    return runs[0] | {"benchmarks": [bench for run in runs for bench in run["benchmarks"]]}


def ratio(engines: Engines, other: str | None) -> float | None:
    """How many times as long as fastmle another engine takes per row."""
    if other is None or other not in engines:
        return None
    return float(engines[other]["each"] / engines["fastmle"]["each"])


def fastest_peer(engines: Engines) -> str | None:
    peers = [name for name in engines if not name.startswith(NOT_PEERS)]
    return min(peers, key=lambda name: engines[name]["each"], default=None)


def duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{1e3 * seconds:.3g} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.0f} µs"


def times_text(ratio: float) -> str:
    return f"{ratio:.2g} x" if ratio < 100 else f"{ratio:,.0f} x"


def _line(group: str, engines: Engines) -> str:
    ours, peer = engines["fastmle"], fastest_peer(engines)
    rows = f"{ours['rows']:,}" if "rows" in ours else ""
    speed = f"{ours['GB_per_second']:.1f} GB/s" if "GB_per_second" in ours else ""
    share = f"{100 * ours['share_of_limit']:.0f} %" if "share_of_limit" in ours else ""
    numpy, other = ratio(engines, "numpy"), ratio(engines, peer)
    reads = f", {ours['reads']} reads" if ours.get("reads", 1) > 1 else ""
    cells = [group + reads, rows, duration(ours["seconds"]), speed, share]
    cells += [times_text(numpy) if numpy else "", f"{times_text(other)} ({peer})" if other else ""]
    return "| " + " | ".join(cells) + " |"


def table(saved: dict[str, Any], only: Collection[str] | None = None) -> str:
    """The Markdown table, of these groups or of all, with the machine in words."""
    machine = saved["machine_info"]
    limits = [v for b in saved["benchmarks"] if (v := b["extra_info"].get("limit_GB_per_second"))]
    bandwidth = f", read bandwidth {min(limits):.0f} to {max(limits):.0f} GB/s" if limits else ""
    head = [
        "| | rows | time | speed | of the read bandwidth | numpy takes | fastest peer takes |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    words = (
        f"{machine['cpu'].get('brand_raw', machine['machine'])}, {machine['threads']} threads{bandwidth}, Python "
        f'{machine["python_version"]}, {saved["datetime"][:10]}; medians; "x" is how many times as long per row. The bandwidth was '
        "measured anew for each line, on its own array."
    )
    groups = times(saved)
    groups = {name: engines for name, engines in groups.items() if "function" not in engines["fastmle"]}
    shown = groups if only is None else {name: groups[name] for name in only if name in groups}
    if not shown:
        return words
    return "\n".join([*head, *(_line(*item) for item in shown.items()), "", words])


def dropped(new: dict[str, Any], old: dict[str, Any]) -> list[str]:
    """A sentence for each line whose ratio to numpy is over 15 % lower than in the old run."""
    before, lines = times(old), []
    for group, engines in times(new).items():
        now, then = (
            ratio(engines, "numpy"),
            ratio(before.get(group, {}), "numpy") if group in before else None,
        )
        if now is not None and then is not None and now < (1.0 - DROP) * then:
            lines.append(f"{group}: numpy takes {now:.2f} x as long, it was {then:.2f} x")
    return lines
