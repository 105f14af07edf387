"""Checks each answer, times it, and notes it in pytest-benchmark's schema."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import partial
from typing import Any

import numpy as np

from .. import __version__, api
from ..family import RowTerms
from ..kernels.fold import BLOCK
from ..pool import cores
from ..states import Options, new_state
from . import data, peers
from .machine import bandwidth, fastest, peak, processor
from .suite import Line, lines

ROUNDS, PATIENCE = 7, 2.0  # most rounds, and seconds after which there are only three
IN_CACHE = 16 * BLOCK  # rows
TURNS = 20


def clock(call: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """Seconds of several rounds, after one that does not count."""
    call()
    times: list[float] = []
    gc.disable()
    try:
        while len(times) < rounds and (len(times) < 3 or sum(times) < PATIENCE):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    finally:
        gc.enable()
    return times


def record(group: str, engine: str, times: list[float], **info: Any) -> dict[str, Any]:
    """One benchmark, as pytest-benchmark saves it."""
    q1, median, q3 = (float(v) for v in np.quantile(times, [0.25, 0.5, 0.75]))
    stats = {
        "min": min(times), "max": max(times), "mean": statistics.fmean(times), "median": median, "q1": q1, "q3": q3,
        "iqr": q3 - q1, "stddev": statistics.pstdev(times), "rounds": len(times), "iterations": 1, "total": sum(times),
        "ops": 1.0 / statistics.fmean(times), "outliers": "0;0", "iqr_outliers": 0, "stddev_outliers": 0,
        "ld15iqr": min(times), "hd15iqr": max(times),
    }  # fmt: skip
    name = f"{group}[{engine}{'' if info.get('at') is None else '-' + str(info['at'])}]"
    params = {"engine": engine} | ({} if info.get("at") is None else {"at": info["at"]})
    return {"group": group, "name": name, "fullname": name, "params": params, "param": engine, "extra_info": info,
            "options": {}, "stats": stats}  # fmt: skip


def compute_limit(line: Line, x: Any) -> float | None:
    """Bytes a second of the line's kernel on all cores if its rows are in the cache; None if it has no row kernel."""
    family = line.family
    if family is None or not isinstance(family.terms, RowTerms):
        return None
    x = np.ascontiguousarray(x[:IN_CACHE]).view(np.uint8 if x.dtype == bool else x.dtype)
    theta = None if family.one_pass else family.row_theta(api.fit(family, x).theta)
    state: Any = new_state(family.terms, Options(), theta)
    state.add((x,))
    kernel, blocks = state._kernel((x,), np.empty(0)), x.size // BLOCK
    if not blocks:
        return None
    slots = len(state.letters)
    places = [(np.empty((blocks, slots)), np.empty((blocks, 3), np.int64)) for _ in range(cores())]

    def job(core: int, _: int) -> None:
        for _ in range(TURNS):  # so that starting the threads does not count
            kernel(0, blocks, *places[core])

    return float(cores() * TURNS * x.nbytes / fastest(job, ROUNDS))


def run_line(line: Line, rows: int) -> Iterator[dict[str, Any]]:
    """All engines of a line. Raises AssertionError where an engine's answer is not fastmle's."""
    x = line.data(rows)
    limit, inside = bandwidth(x), compute_limit(line, x)
    ours = line.engines["fastmle"].prepare(x)
    for name, engine in line.engines.items():
        some = x[: engine.most]
        answer = engine.prepare(some)
        if engine.same and name != "fastmle":
            found, expected = np.ravel(answer(some)), np.ravel(ours(some))
            np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=f"{line.name}, {name}")
        times = clock(partial(answer, some))
        median = statistics.median(times)
        info: dict[str, Any] = {
            "rows": len(some),
            "rows_per_second": len(some) / median,
            "sample": line.sample,
        }
        info |= {"GB_per_second": some.nbytes / median / 1e9, "limit_GB_per_second": limit / 1e9}
        info["share_of_limit"] = info["GB_per_second"] / info["limit_GB_per_second"]
        if inside is not None and name == "fastmle":
            info["compute_GB_per_second"] = inside / 1e9
        yield record(line.name, name, times, **info)


def scaling(rows: int) -> Iterator[dict[str, Any]]:
    """Time against rows, columns and threads."""
    x = data.make("gamma", rows)
    n = 1000
    while n <= rows:
        for family in ("gaussian", "gamma"):
            yield record("time against rows", family, clock(partial(api.fit, family, x[:n])), at=n)
        yield record("time against rows", "numpy: mean, var", clock(partial(moments, x[:n])), at=n)
        n *= 10
    for threads in range(1, cores() + 1):
        for family in ("gaussian", "gamma", "lognormal"):
            times = clock(partial(api.fit, family, x, threads=threads))
            yield record("time against threads", family, times, at=threads)
    few = max(1000, rows // 50)
    for k in (2, 4, 8, 16, 32):
        wide = np.random.default_rng(2).normal(size=(few, k))
        yield record("time against columns", f"mvn, {few:,} rows", clock(partial(api.fit, "mvn", wide)), at=k)
        yield record("time against columns", "one dsyrk", clock(partial(peers.gram, wide)), at=k)


def moments(x: Any) -> Any:
    return x.mean(), x.var()


def run(rows: int, only: tuple[str, ...], say: Callable[[str], None]) -> dict[str, Any]:
    """The whole suite as a saved run; `say` is told of each line."""
    done: list[dict[str, Any]] = []
    for line in lines(only):
        say(line.name)
        done += run_line(line, rows)
    say("scaling")
    done += scaling(rows)
    about = {
        "node": platform.node(), "processor": processor(), "machine": platform.machine(), "system": platform.system(),
        "python_version": platform.python_version(), "cpu": {"brand_raw": processor()}, "threads": cores(), "rows": rows,
        "versions": peers.versions(), "multiply_adds_per_second": peak(),
        "openblas": {k: v for k, v in os.environ.items() if k.startswith("OPENBLAS_")},
    }  # fmt: skip
    about["node"] = "machine"  # a report is for showing
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    commit = {"id": __version__, "time": now, "dirty": False, "branch": ""}
    return {
        "machine_info": about,
        "commit_info": commit,
        "benchmarks": done,
        "datetime": now,
        "version": "5.1.0",
    }
