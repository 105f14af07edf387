"""What may stop a line, measured: the bandwidth at which its own data are read, its arithmetic with the rows in the cache, and
what is done around the rows."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

from .. import api
from ..family import RowTerms, TableTerms
from ..kernels.fold import BLOCK
from ..pool import cores
from ..states import Options, new_state
from .machine import fastest, read
from .suite import Line
from .timing import ROUNDS

IN_CACHE = 64 * BLOCK  # rows: of the last cache, in calls that take longer than Python between them
TURNS = 20
AROUND = 7  # rounds
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


def around_rows(line: Line, x: Any) -> float | None:
    """Seconds of the line's answer about one block of rows, each time after all of x has been read, as it is in an answer
    about all of x: what is done around its rows. The median; None for families of several passes, of which few rows may
    take more."""
    if line.family is None or not (line.family.one_pass or line.theta is not None):
        return None
    answer, times = line.engines["fastmle"].prepare(x[:BLOCK]), []
    answer(x[:BLOCK])
    for _ in range(AROUND):
        read(x)
        start = time.perf_counter()
        answer(x[:BLOCK])
        times.append(time.perf_counter() - start)
    return statistics.median(times)


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
