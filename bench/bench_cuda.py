"""The GPU against the CPU, CuPy and the device's own bandwidth; skipped where there is no GPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastmle as fm
from fastmle.kernels.cuda import why_not

WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=f"no GPU: {WHY_NOT}")
ROWS = 50_000_000


def seconds(run: Callable[[], Any]) -> float:
    """The median of five runs after one to warm up."""
    run()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def copy_bandwidth(cuda: Any, x: Any) -> float:
    """Bytes a second that a copy on the device reads."""
    other = cuda.device_array_like(x)

    def copy() -> None:
        other.copy_to_device(x)
        cuda.synchronize()

    return float(x.nbytes / seconds(copy))


@pytest.mark.parametrize("family", ["gaussian", "gamma", "student_t", "weibull"])
def bench_device(family: str) -> None:
    from numba import cuda

    rng = np.random.default_rng(1)
    x = rng.standard_t(5.0, ROWS) if family in ("gaussian", "student_t") else rng.gamma(2.5, 4.0, ROWS)
    there = cuda.to_device(x)
    on_cpu, on_device = fm.fit(family, x), fm.fit(family, there, device="cuda")
    np.testing.assert_allclose(list(on_device.params.values()), list(on_cpu.params.values()), rtol=1e-8)
    gigabytes = x.nbytes / 1e9
    took = {
        "cpu": seconds(lambda: fm.fit(family, x)),
        "cuda, data on the device": seconds(lambda: fm.fit(family, there, device="cuda")),
        "cuda, data on the host": seconds(lambda: fm.fit(family, x, device="cuda")),
    }
    if family == "gaussian":
        cupy = pytest.importorskip("cupy")
        array = cupy.asarray(there)
        took["cupy mean and std"] = seconds(lambda: (float(array.mean()), float(array.std())))
    print(f"\n{family}, {ROWS:,} rows; a copy on the device reads {copy_bandwidth(cuda, there) / 1e9:.0f} GB/s")
    for name, time_taken in took.items():
        print(f"  {name:26} {time_taken:8.4f} s  {gigabytes / time_taken:8.1f} GB of data a second")
