"""What stops a line: the bandwidth at which its own data are read, or its arithmetic with the rows in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import api
from ..family import RowTerms, TableTerms
from ..kernels.fold import BLOCK
from ..pool import cores
from ..states import Options, new_state
from .machine import fastest
from .suite import Line
from .timing import ROUNDS

IN_CACHE = 64 * BLOCK  # rows: of the last cache, in calls that take longer than Python between them
TURNS = 20
SURE = 1.05  # a line that reaches more of its limit than this shows that it is none
DISTURBED = 0.2  # bandwidth before and after that differ by more: someone else used the memory


def compute_limit(line: Line, x: Any) -> float | None:
    """Bytes a second of what the line adds, on all cores, if its rows are in the cache; None for too few rows or several columns."""
    family, terms = line.family, line.terms
    if family is None or len(x) < BLOCK or x.ndim > 1:
        return None
    if not isinstance(terms, (RowTerms, TableTerms)):
        return None
    x = np.ascontiguousarray(x[: IN_CACHE * (8 // x.itemsize)])
    x = x[: len(x) // BLOCK * BLOCK]
    if isinstance(terms, RowTerms):
        x = x.view(np.uint8 if x.dtype == bool else x.dtype)
    at = None
    if not family.one_pass:
        at = family.row_theta(api.fit(family, x).theta if line.theta is None else line.theta)
    columns = (x,)
    states: list[Any] = [new_state(terms, Options(), at) for _ in range(cores())]
    for state in states:
        state.add(columns)
    if not isinstance(terms, RowTerms) or x.dtype == np.uint8:  # a table, or bytes: all that the state does with the rows

        def add(core: int, _: int) -> None:
            for _ in range(TURNS):
                states[core].add(columns)

        return float(cores() * TURNS * x.nbytes / fastest(add, ROUNDS))
    kernel, blocks = states[0]._kernel(columns, np.empty(0)), len(x) // BLOCK
    slots = len(states[0].letters)
    places = [(np.empty((blocks, slots)), np.empty((blocks, 3), np.int64)) for _ in range(cores())]

    def job(core: int, _: int) -> None:
        for _ in range(TURNS):  # so that starting the threads does not count
            kernel(0, blocks, *places[core])

    return float(cores() * TURNS * x.nbytes / fastest(job, ROUNDS))


def bandwidth_facts(before: float, after: float) -> dict[str, Any]:
    """The limit of a line: the larger of the bandwidths right before and right after it, both kept."""
    best = max(before, after)
    return {
        "limit_GB_per_second": best / 1e9,
        "bandwidth_before_after": [before / 1e9, after / 1e9],
        "disturbed": min(before, after) < (1.0 - DISTURBED) * best,
    }


def peaks(groups: dict[str, Any]) -> dict[str, float]:
    """Values a second of each vector function that the run has, on all threads."""
    ours = [engines["fastmle"] for engines in groups.values()]
    return {info["function"]: info["values_per_second"] for info in ours if "function" in info}


def add_peaks(groups: dict[str, Any]) -> None:
    """Notes, beside each kernel, the speed at which the vector functions that it calls would run alone, once for each call."""
    known = peaks(groups)
    for engines in groups.values():
        info = engines["fastmle"]
        called = info.get("functions") or {}
        if called and all(name in known for name in called) and info.get("rows_per_second"):
            values = 1.0 / sum(times / known[name] for name, times in called.items())
            info["functions_GB_per_second"] = values * info["GB_per_second"] / info["rows_per_second"]


def functions_alone(info: dict[str, Any]) -> str:
    """The peak of the functions that a kernel calls, in words, where they are known."""
    if "functions_GB_per_second" not in info:
        return ""
    names = " and ".join(f"{name} {times} times" if times > 1 else name for name, times in info["functions"].items())
    peak = info["functions_GB_per_second"]
    return f"{names} alone, for each row, at {peak:.3g} GB/s"


def lower(info: dict[str, Any]) -> tuple[str, float] | None:
    """Which limit is the lower one, and its bytes a second / 1e9."""
    known = {"reading memory": info.get("limit_GB_per_second"), "arithmetic": info.get("compute_GB_per_second")}
    found = {name: limit for name, limit in known.items() if limit}
    return min(found.items(), key=lambda item: item[1]) if found else None


def stop(info: dict[str, Any]) -> str:
    """A sentence: the nearer limit of a line, the share of it that was reached, and what all its limits are."""
    found = lower(info)
    if found is None or "GB_per_second" not in info:
        return ""
    name, limit = found
    share = info.get("reads", 1) * info["GB_per_second"] / limit
    known = f"memory is read at {info.get('limit_GB_per_second', 0.0):.3g} GB/s"
    if info.get("compute_GB_per_second"):
        known += f", this kernel runs at {info['compute_GB_per_second']:.3g} GB/s if its rows are in the cache"
    alone = functions_alone(info)
    known += f"; {alone}" if alone else ""
    if share > SURE:
        return f"No limit is shown: the line ran faster than what was measured before and after it ({known})."
    noise = " Disturbed: the bandwidth before and after differs by over 20 %." if info.get("disturbed") else ""
    return f"Nearer limit: {name}, {100 * share:.0f} % of it reached ({known}).{noise}"
