"""A clock, and a note of what it said in pytest-benchmark's schema."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

ROUNDS, PATIENCE = 7, 2.0  # most rounds, and seconds after which there are only three
MANY, BRIEF = 31, 0.25  # what takes milliseconds has so many rounds within these seconds


def clock(call: Callable[[], Any], rounds: int = ROUNDS, warm: bool = True, least: int = 3) -> list[float]:
    """Seconds of several rounds, at least `least`, after one that does not count, unless it is known to be warm; of more
    where they are short, so that a few that are disturbed do not move the median."""
    if warm:
        call()
    times: list[float] = []
    gc.disable()
    try:
        while len(times) < least or (sum(times) < PATIENCE and len(times) < (MANY if sum(times) < BRIEF else rounds)):
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
