"""How far means have left the anchor that sums are taken about, at each of several places of the stream."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable
from numba.np.unsafe.ndarray import to_fixed_tuple

from .fold import BLOCK
from .jit import compile_kernel


def _sum_up(is_max: Any, before: Any, sums: Any, at: Any, running: Any) -> None:
    start = 0
    for j in range(at.size):
        for k in range(sums.shape[1]):
            total = running[j - 1, k] if j else -np.inf if is_max[k] else 0.0
            for b in range(start, at[j]):
                total = max(total, sums[b, k]) if is_max[k] else total + sums[b, k]
            running[j, k] = total
        start = at[j]
    for j in range(at.size):
        for k in range(sums.shape[1]):
            running[j, k] = max(running[j, k], before[k]) if is_max[k] else running[j, k] + before[k]


sum_up = register_jitable(_sum_up)


@cache
def running_sums() -> Callable[..., None]:
    """`running_sums()(is_max, before, sums, at, running)`: the plain sums, or maxima, up to each place of `at`, and what was before."""
    matrix, vector = types.float64[:, ::1], types.float64[::1]
    signature = types.void(types.boolean[::1], vector, matrix, types.int64[::1], matrix)
    return compile_kernel(_sum_up, signature, "running_sums", brief=True)


@cache
def compile_drift(drift: Any, names: tuple[str, ...], theta: tuple[str, ...]) -> Callable[..., int]:
    """`drifted(is_max, before, sums, counts, at, rows, constants, most)`: the first of the places `at` where `drift` is over
    `most`, or -1.

    It is given the plain sums of the blocks (`sums`) up to there and of what was before, by their names and those of
    the constants; as `weight` the sum behind them, or if rows have no weights the number of those that count: `rows` (else NaN)
    before these blocks, and what `counts` leaves of them.
    """
    fields, slots = ("weight", *names, *theta), len(names)
    Running: Any = namedtuple("Running", fields)

    def drifted(is_max, before, sums, counts, at, rows, constants, most):  # type: ignore[no-untyped-def]
        running, lost, b = np.empty((at.size, sums.shape[1])), 0, 0
        sum_up(is_max, before, sums, at, running)
        for j in range(at.size):
            while b < min(at[j], counts.shape[0]):
                lost += counts[b, 0] + counts[b, 1] + counts[b, 2]
                b += 1
            weight = running[j, slots] if rows != rows else rows + (at[j] * BLOCK - lost)
            if drift(Running(weight, *to_fixed_tuple(running[j, :slots], slots), *constants)) > most:
                return at[j]
        return -1

    vector, constants = types.float64[::1], types.UniTuple(types.float64, len(theta))
    signature = types.int64(
        types.boolean[::1], vector, types.float64[:, ::1], types.int64[:, ::1], types.int64[::1], types.float64, constants,
        types.float64,
    )  # fmt: skip
    name = f"drift_{drift.__module__}_{drift.__qualname__}_{'_'.join(fields)}"
    return compile_kernel(drifted, signature, name, (drift,), brief=True)
