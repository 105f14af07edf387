"""The limits: how fast all cores together can read an array, and multiply and add."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..kernels.reading import LANES, compile_peak, compile_read
from ..pool import cores

Array = np.ndarray[Any, Any]
READERS = (("total", "float64"), ("streams", "float64"), ("total", "int64"), ("xor", "int64"))
TURNS = 200_000


def bandwidth(x: Array, rounds: int = 7) -> float:
    """Bytes a second: the best of several rounds of the fastest of several kernels that read `x` on all cores."""
    data = x.reshape(-1).view(np.uint8)
    data = data[: data.size // 8 * 8]
    best, threads = 0.0, cores()
    with ThreadPoolExecutor(threads) as pool:
        for how, dtype in READERS:
            kernel = compile_read(how, dtype)
            parts = np.array_split(data.view(dtype), threads)
            for part in parts:
                part.flags.writeable = False
            list(pool.map(kernel, parts))
            for _ in range(rounds):
                start = time.perf_counter()
                list(pool.map(kernel, parts))
                best = max(best, data.size / (time.perf_counter() - start))
    return best


def peak() -> float:
    """Multiply-adds a second, on all cores: the best of five rounds."""
    kernel, threads, best = compile_peak(), cores(), 0.0
    places = [np.full(LANES, 0.5) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(lambda a: kernel(a, TURNS), places))
            best = max(best, threads * LANES * TURNS / (time.perf_counter() - start))
    return best


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
