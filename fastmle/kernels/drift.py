"""How far means have left the anchor that sums are taken about, at each of several places of the stream."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.np.unsafe.ndarray import to_fixed_tuple

from .exact import run_inline
from .fold import BLOCK
from .jit import compile_kernel


@cache
def compile_drift(drift: Any, names: tuple[str, ...], theta: tuple[str, ...]) -> Callable[..., int]:
    """`drifted(is_max, before, sums, counts, at, rows, constants, most)`: the first of the places `at` where `drift` is over
    `most`, or -1.

    It is given the plain sums of the blocks (`sums`) up to there and of what was before, by their names and those of
    the constants; as `weight` the sum behind them, or if rows have no weights the number of those that count: `rows` (else NaN)
    before these blocks, and what `counts` leaves of them.
    """
    fields, slots = ("weight", *names, *theta), len(names)
    running_sums: Any = namedtuple("running_sums", fields)

    def drifted(is_max, before, sums, counts, at, rows, constants, most):  # type: ignore[no-untyped-def]
        running, lost, b = np.empty((at.size, sums.shape[1])), 0, 0
        run_inline(is_max, before, sums, at, running)
        for j in range(at.size):
            while b < min(at[j], counts.shape[0]):
                lost += counts[b, 0] + counts[b, 1] + counts[b, 2]
                b += 1
            weight = running[j, slots] if rows != rows else rows + (at[j] * BLOCK - lost)
            if drift(running_sums(weight, *to_fixed_tuple(running[j, :slots], slots), *constants)) > most:
                return at[j]
        return -1

    vector, constants = types.float64[::1], types.UniTuple(types.float64, len(theta))
    signature = types.int64(
        types.boolean[::1], vector, types.float64[:, ::1], types.int64[:, ::1], types.int64[::1], types.float64, constants,
        types.float64,
    )  # fmt: skip
    name = f"drift_{drift.__module__}_{drift.__qualname__}_{'_'.join(fields)}"
    return compile_kernel(drifted, signature, name, (drift,), brief=True)
