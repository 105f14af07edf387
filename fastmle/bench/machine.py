"""The limits: how fast all cores together can read an array, and multiply and add."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.reading import LANES, compile_peak, compile_read
from ..pool import cores, run_slices

Array = np.ndarray[Any, Any]
READERS = (("total", "float64"), ("streams", "float64"), ("total", "int64"), ("xor", "int64"))
TURNS = 200_000
LEAST = 1 << 18  # numbers that a core reads at a time


def fastest(job: Callable[[int, int], None], rounds: int, count: int | None = None) -> float:
    """Seconds of the best of several rounds of `job` over range(count), one for each core if not said otherwise, on all
    cores; after one round that does not count."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        run_slices(job, count or cores(), cores(), LEAST if count else 1)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _reading(x: Array, how: str, dtype: str) -> tuple[Callable[[int, int], None], int]:
    """What reads a part of `x`, and how many parts there are."""
    data = x.reshape(-1).view(np.uint8)
    kernel, numbers = compile_read(how, dtype), data[: data.size // 8 * 8].view(dtype)
    numbers.flags.writeable = False
    return lambda a, b: kernel(numbers[a:b]), numbers.size


def bandwidth(x: Array, rounds: int = 7) -> float:
    """Bytes a second: the best of several rounds of the fastest of several kernels that read `x` on all cores."""
    best = 0.0
    for reader in READERS:
        job, count = _reading(x, *reader)
        best = max(best, 8 * count / fastest(job, rounds, count))
    return best


def read(x: Array) -> None:
    """Read `x` once, on all cores."""
    job, count = _reading(x, *READERS[0])
    run_slices(job, count, cores(), LEAST)


def peak() -> float:
    """Multiply-adds a second, on all cores: the best of five rounds."""
    kernel, threads = compile_peak(), cores()
    places = [np.full(LANES, 0.5) for _ in range(threads)]
    return threads * LANES * TURNS / fastest(lambda i, _: kernel(places[i], TURNS), 5)


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    import platform

    from llvmlite.binding import get_host_cpu_name

    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            name = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name} ({get_host_cpu_name()})"
