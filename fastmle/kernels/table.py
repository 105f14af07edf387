"""Counting: the weight of each value of a column of small whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype

from .jit import compile_kernel


@cache
def compile_count(dtype: str, weighted: bool) -> Callable[..., int]:
    """The kernel `count(x, w, lowest, table, left)` -> how many row numbers it wrote to `left`.

    Counts whole numbers from `lowest` up to the end of `table` (2, size); all other rows are left to the caller.
    Unweighted: int64, even and odd rows apart, so that runs of one value do not wait for each other.
    Weighted: float64, Σw and Σw², strictly in the order of rows, so that no chunking shows.
    """

    def count(x, w, lowest, table, left):  # type: ignore[no-untyped-def]
        size = table.shape[1]
        m = 0
        for i in range(x.size):
            v = float(x[i])
            inside = (v >= lowest) & (v < size)
            k = np.uint64(v) if inside else np.uint64(0)
            if weighted:
                wi = w[i]
                if inside & (float(k) == v) & (wi > 0.0) & (wi < np.inf):
                    table[0, k] += wi
                    table[1, k] += wi * wi
                else:
                    left[m] = i
                    m += 1
            elif inside & (float(k) == v):
                table[i & 1, k] += 1
            else:
                left[m] = i
                m += 1
        return m

    column = types.Array(from_dtype(np.dtype(dtype)), 1, "C", readonly=True)
    weights = types.Array(types.float64, 1, "C", readonly=True)
    cell = types.float64 if weighted else types.int64
    signature = types.int64(column, weights, types.float64, cell[:, ::1], types.int64[::1])
    return compile_kernel(count, signature, f"count_{dtype}_{'weighted' if weighted else 'plain'}")
