"""Checks each answer, times it, and notes it in pytest-benchmark's schema."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timezone
from functools import partial
from typing import Any

import numpy as np

from .. import __version__, api
from ..family import RowTerms
from ..pool import cores
from . import data
from .engines import by_duckdb, by_polars, gram, installed, versions
from .functions import called_by, functions
from .larger import larger
from .limits import around_rows, bandwidth_facts, compute_limit
from .machine import bandwidth, peak, processor
from .processes import parquet, start_up, updates
from .regressions import regressions
from .suite import Line, lines
from .timing import clock, record

BEFORE, AFTER = 4, 3  # rounds of the readers: the bandwidth of a line is the best of seven
PARTS = ("functions", "kernels", "regressions", "files", "start-up", "scaling")


def run_line(line: Line, rows: int) -> Iterator[dict[str, Any]]:
    """All engines of a line. Raises AssertionError where an engine's answer is not fastmle's."""
    x = line.data(rows)
    inside, facts = compute_limit(line, x), {}  # measured again after the line, as the bandwidth is
    around = around_rows(line, x)
    ours = line.engines["fastmle"].prepare(x)
    reads = api.fit(line.family, x).n_passes if line.family is not None and line.theta is None else 1
    for name, engine in line.engines.items():
        some = x[: engine.most]
        answer = engine.prepare(some)
        if engine.rtol is not None and name != "fastmle":
            expected = line.engines["fastmle"].numbers(ours(some))
            np.testing.assert_allclose(engine.numbers(answer(some)), expected, rtol=engine.rtol, err_msg=f"{line.name}, {name}")
        before = bandwidth(x, BEFORE) if name == "fastmle" else 0.0
        times = clock(partial(answer, some))
        if name == "fastmle":
            facts = bandwidth_facts(before, bandwidth(x, AFTER))
            inside = inside and max(inside, compute_limit(line, x) or 0.0)
        median = statistics.median(times)
        info: dict[str, Any] = {
            "rows": len(some),
            "rows_per_second": len(some) / median,
            "sample": line.sample,
        }
        info |= facts | {"GB_per_second": some.nbytes / median / 1e9, "reads": reads if name.startswith("fastmle") else 1}
        info["share_of_limit"] = info["reads"] * info["GB_per_second"] / info["limit_GB_per_second"]
        if inside is not None and name == "fastmle":
            info["compute_GB_per_second"] = inside / 1e9
            info["functions"] = functions_of(line)
        if around is not None and name == "fastmle":
            info["around_seconds"] = around
        yield record(line.name, name, times, **info)


def functions_of(line: Line) -> dict[str, int]:
    """The vector functions that a line calls for each row, and how often."""
    terms = line.terms
    if not isinstance(terms, RowTerms):
        return {}
    return called_by(terms.quick[0] if terms.quick else terms.row)  # the quick one serves ordinary rows


def moments(_: Any) -> Any:
    return lambda x: (x.mean(), x.var())


MOMENTS = {
    "numpy": moments,
    "polars": by_polars("mean", "std"),
    "duckdb": by_duckdb("avg(x), stddev_pop(x)"),
}


def scaling(rows: int) -> Iterator[dict[str, Any]]:
    """Time against rows, columns and threads."""
    x = data.make("gamma", rows)
    for n in sorted({rows, *(10**k for k in range(3, 10) if 10**k < rows)}):
        for family in ("gaussian", "gamma"):
            yield record("time against rows", f"fastmle, {family}", clock(partial(api.fit, family, x[:n])), at=n)
        for name, prepare in MOMENTS.items():
            if name == "numpy" or installed(name):
                yield record("time against rows", name, clock(partial(prepare(x[:n]), x[:n])), at=n)
    for threads in range(1, cores() + 1):
        for family in ("gaussian", "gamma", "lognormal"):
            times = clock(partial(api.fit, family, x, threads=threads))
            yield record("time against threads", family, times, at=threads)
    few = max(1000, rows // 50)
    for k in (2, 4, 8, 16, 32):
        wide = np.random.default_rng(2).normal(size=(few, k))
        y = wide.sum(axis=1)
        y += np.random.default_rng(3).normal(size=few)
        yield record("time against columns", "linear", clock(partial(api.fit, "linear", (wide, y))), at=k)
        yield record("time against columns", f"mvn, {few:,} rows", clock(partial(api.fit, "mvn", wide)), at=k)
        yield record("time against columns", "one dsyrk", clock(partial(gram, wide)), at=k)


def run(
    rows: int, only: tuple[str, ...], say: Callable[[str], None], parts: Collection[str] = PARTS, most: int = 0
) -> dict[str, Any]:
    """The suite, or these parts of it, as a saved run; `say` is told of each line. most: rows of the largest file."""
    done: list[dict[str, Any]] = []
    if "functions" in parts:
        say("vector functions")
        done += functions()
    for line in lines(only) if "kernels" in parts else ():
        say(line.name)
        done += run_line(line, rows)
    if "regressions" in parts:
        say("regressions")
        done += regressions(rows / 2_000_000)
    if "files" in parts and installed("polars"):
        say("files")
        done += parquet(rows)
    if "start-up" in parts:
        say("start-up")
        done += start_up()
        done += updates()
    if "scaling" in parts:
        say("scaling")
        done += scaling(rows)
        done += larger(most)
    about = {
        "node": platform.node(), "processor": processor(), "machine": platform.machine(), "system": platform.system(),
        "python_version": platform.python_version(), "cpu": {"brand_raw": processor()}, "threads": cores(), "rows": rows,
        "versions": versions(), "multiply_adds_per_second": peak(),
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
