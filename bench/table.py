"""Write the table of README.md, between its markers, from a saved benchmark.

pytest -c setup.cfg --benchmark-json=bench.json && python bench/table.py bench.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

START, END = "<!-- measured: written by bench/table.py -->", "<!-- measured: end -->"
README = Path(__file__).parent.parent / "README.md"
NOT_PEERS = ("numpy", "prange twin", "one dsyrk", "nothing", "polars, streaming")


def times(saved: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """group -> engine -> seconds a row (or a call) and what else was noted."""
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for bench in saved["benchmarks"]:
        engine = (bench["params"] or {}).get("engine")
        if engine is None:
            continue
        info = dict(bench["extra_info"])
        info["seconds"] = bench["stats"]["median"]
        info["each"] = info["seconds"] / info.get("rows", 1)
        groups.setdefault(bench["group"], {})[engine] = info
    return groups


def ratio(engines: dict[str, dict[str, Any]], other: str | None) -> str:
    if other not in engines:
        return ""
    return f"{engines[other]['each'] / engines['fastmle']['each']:.2g} x"


def fastest_peer(engines: dict[str, dict[str, Any]]) -> str | None:
    peers = [name for name in engines if not name.startswith(("fastmle", *NOT_PEERS))]
    return min(peers, key=lambda name: engines[name]["each"], default=None)


def duration(seconds: float) -> str:
    return (
        f"{seconds:.2f} s"
        if seconds >= 1
        else f"{1e3 * seconds:.3g} ms"
        if seconds >= 1e-3
        else f"{1e6 * seconds:.0f} µs"
    )


def line(group: str, engines: dict[str, dict[str, Any]]) -> str:
    ours = engines["fastmle"]
    rows = f"{ours['rows']:,}" if "rows" in ours else ""
    speed = f"{ours['GB_per_second']:.1f} GB/s" if "GB_per_second" in ours else ""
    share = f"{100 * ours['share_of_limit']:.0f} %" if "share_of_limit" in ours else ""
    peer = fastest_peer(engines)
    against = f"{ratio(engines, peer)} ({peer})" if peer else ""
    return f"| {group} | {rows} | {duration(ours['seconds'])} | {speed} | {share} | {ratio(engines, 'numpy')} | {against} |"


def table(saved: dict[str, Any]) -> str:
    """The Markdown table, with the machine in words."""
    machine = saved["machine_info"]
    limits = [b["extra_info"].get("limit_GB_per_second", 0.0) for b in saved["benchmarks"]]
    head = [
        "| | rows | time | speed | of the read bandwidth | numpy takes | fastest peer takes |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    body = [line(group, engines) for group, engines in times(saved).items() if "fastmle" in engines]
    words = (
        f"{machine['cpu'].get('brand_raw', machine['machine'])}, {machine['threads']} threads, read bandwidth "
        f'{max(limits):.1f} GB/s, Python {machine["python_version"]}, medians; "x" is how many times as long per row.'
    )
    return "\n".join([*head, *body, "", words])


def main(path: str) -> None:
    text = README.read_text()
    if START not in text or END not in text:
        sys.exit(f"{README.name} has no lines {START!r} and {END!r}")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    new = f"{before}{START}\n{table(json.loads(Path(path).read_text()))}\n{END}{after}"
    README.write_text(new)


if __name__ == "__main__":
    main(sys.argv[1])
