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
from .jit import compile_kernel


@cache
def compile_drift(drift: Any, names: tuple[str, ...], theta: tuple[str, ...]) -> Callable[..., int]:
    """`drifted(is_max, before, sums, at, rows, constants, most)`: the first of the places `at` where `drift` is over `most`,
    or -1.

    It is given the plain sums of the blocks (`sums`) up to there and of what was before, by their names and those of
    the constants; as `weight` the sum behind them, or if rows have no weights (`rows` is not empty) their number there.
    """
    fields, slots = ("weight", *names, *theta), len(names)
    running_sums: Any = namedtuple("running_sums", fields)

    def drifted(is_max, before, sums, at, rows, constants, most):  # type: ignore[no-untyped-def]
        running = np.empty((at.size, sums.shape[1]))
        run_inline(is_max, before, sums, at, running)
        for j in range(at.size):
            weight = rows[j] if rows.size else running[j, slots]
            if drift(running_sums(weight, *to_fixed_tuple(running[j, :slots], slots), *constants)) > most:
                return at[j]
        return -1

    vector, constants = types.float64[::1], types.UniTuple(types.float64, len(theta))
    signature = types.int64(
        types.boolean[::1], vector, types.float64[:, ::1], types.int64[::1], vector, constants, types.float64
    )
    name = f"drift_{drift.__module__}_{drift.__qualname__}_{'_'.join(fields)}"
    return compile_kernel(drifted, signature, name, (drift,), brief=True)
