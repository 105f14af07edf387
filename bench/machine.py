"""The limit: how fast all cores together can read an array. Run it to see: `python bench/machine.py`."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

from fastmle.pool import cores

FAST = {"reassoc", "contract", "nsz", "arcp"}


@njit(nogil=True, cache=True, fastmath=FAST)
def read_sum(x):  # type: ignore[no-untyped-def]
    total = x[0]
    for i in range(1, x.size):
        total += x[i]
    return total


@njit(nogil=True, cache=True, fastmath=FAST)
def read_streams(x):  # type: ignore[no-untyped-def]
    """Four places of the array at once."""
    quarter = x.size // 4
    a = b = c = d = x[0]
    for i in range(quarter):
        a += x[i]
        b += x[i + quarter]
        c += x[i + 2 * quarter]
        d += x[i + 3 * quarter]
    for i in range(4 * quarter, x.size):
        a += x[i]
    return a + b + c + d


@njit(nogil=True, cache=True)
def read_xor(x):  # type: ignore[no-untyped-def]
    total = x[0]
    for i in range(1, x.size):
        total ^= x[i]
    return total


@njit(nogil=True, cache=True)
def read_max(x):  # type: ignore[no-untyped-def]
    top = x[0]
    for i in range(1, x.size):
        top = max(top, x[i])
    return top


def whole(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same bytes as 64-bit integers."""
    data = x.view(np.uint8).reshape(-1)
    return data[: data.size // 8 * 8].view(np.int64)


def bandwidth(x: np.ndarray[Any, Any], rounds: int = 7) -> float:
    """Bytes a second: the best of several rounds of the fastest of several read kernels, on all cores."""
    words = whole(x)
    threads = cores()
    jobs = [
        (read_sum, words.view(np.float64)),
        (read_streams, words.view(np.float64)),
        (read_sum, words),
        (read_xor, words),
        (read_max, words),
    ]
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for kernel, data in jobs:
            parts = np.array_split(data, threads)
            list(pool.map(kernel, parts))  # compiled, and the threads are there
            for _ in range(rounds):
                start = time.perf_counter()
                list(pool.map(kernel, parts))
                best = max(best, data.nbytes / (time.perf_counter() - start))
    return best


if __name__ == "__main__":
    print(f"{bandwidth(np.ones(50_000_000)) / 1e9:.1f} GB/s on {cores()} threads")
