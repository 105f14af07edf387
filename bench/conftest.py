"""Data, and the clock that checks an answer before it times it.

FASTMLE_BENCH_ROWS sets the size (default 50 million). Every benchmark is a group of engines given the same data.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastmle.bench.machine import bandwidth
from fastmle.pool import cores

ROWS = int(float(os.environ.get("FASTMLE_BENCH_ROWS", 50_000_000)))
ROUNDS = 7 if ROWS > 1_000_000 else 3
Array = np.ndarray[Any, Any]
Timed = Callable[..., None]


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    machine_info["threads"] = cores()
    machine_info["rows"] = ROWS
    machine_info["openblas"] = {k: v for k, v in os.environ.items() if k.startswith("OPENBLAS_")}


def made(draw: Callable[[np.random.Generator, int], Array], dtype: str = "float64") -> Array:
    """ROWS values, drawn a million at a time and repeated after eight: the kernels do not know."""
    rng = np.random.default_rng(1)
    distinct = draw(rng, min(ROWS, 8_000_000)).astype(dtype)
    return np.resize(distinct, ROWS)


@pytest.fixture(scope="session")
def normal() -> Array:
    return made(lambda rng, n: rng.normal(10.0, 3.0, n))


@pytest.fixture(scope="session")
def positive() -> Array:
    return made(lambda rng, n: rng.gamma(2.5, 4.0, n))


@pytest.fixture(scope="session")
def counts() -> Array:
    return made(lambda rng, n: rng.poisson(3.0, n), "int64")


@pytest.fixture(scope="session")
def bits() -> Array:
    return made(lambda rng, n: rng.random(n) < 0.3, "bool")


_limits: dict[int, float] = {}


def limit_of(x: Array) -> float:
    """The read bandwidth on this very array, measured once."""
    if id(x) not in _limits:
        _limits[id(x)] = bandwidth(x)
    return _limits[id(x)]


@pytest.fixture
def timed(benchmark: Any) -> Timed:
    """timed(call, x, expected): check call() against `expected`, then time it; x is what it reads."""

    def time_it(
        call: Callable[[], Any],
        x: Array,
        expected: Any = None,
        *,
        rtol: float = 1e-9,
        rounds: int = ROUNDS,
        rows: int | None = None,
    ) -> None:
        found = call()
        if expected is not None:
            np.testing.assert_allclose(found, expected, rtol=rtol)
        benchmark.pedantic(call, rounds=rounds, warmup_rounds=1)
        count = rows or len(x)
        info = benchmark.extra_info
        info["rows"] = count
        if not benchmark.stats:  # --benchmark-disable
            return
        median = benchmark.stats.stats.median
        info["rows_per_second"] = count / median
        info["GB_per_second"] = x.nbytes / median / 1e9
        info["limit_GB_per_second"] = limit_of(x) / 1e9
        info["share_of_limit"] = info["GB_per_second"] / info["limit_GB_per_second"]

    return time_it
