"""Counting: the weight of each value of a column of small whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype

from .jit import compile_kernel

TILE = 1024  # rows whose table places are computed at a time
WAYS = 4  # tables side by side: neighbouring rows of one value do not wait for each other's addition


@cache
def compile_count(dtype: str, weighted: bool) -> Callable[..., int]:
    """The kernel `count(x, w, lowest, table, left)` -> how many row numbers it wrote to `left`.

    Counts whole numbers from `lowest` up to the end of `table`; all other rows are left to the caller.
    Unweighted: `table` is int64 (4, size), to be added up. Weighted: float64 (2, size), Σw and Σw², strictly in the
    order of rows, so that no chunking shows.
    """

    def count_weighted(x, w, lowest, table, left):  # type: ignore[no-untyped-def]
        m = 0
        for i in range(x.size):
            v = float(x[i])
            wi = w[i]
            inside = (v >= lowest) & (v < table.shape[1]) & (wi > 0.0) & (wi < np.inf)
            k = np.uint64(v) if inside else np.uint64(0)
            if inside & (float(k) == v):
                table[0, k] += wi
                table[1, k] += wi * wi
            else:
                left[m] = i
                m += 1
        return m

    def count(x, w, lowest, table, left):  # type: ignore[no-untyped-def]
        place = np.empty(TILE, np.uint32)
        t0, t1, t2, t3 = table[0], table[1], table[2], table[3]
        size = float(table.shape[1])
        m = 0
        for lo in range(0, x.size, TILE):
            xs = x[lo : min(lo + TILE, x.size)]
            strange = 0
            for i in range(xs.size):
                v = float(xs[i])
                inside = (v >= lowest) & (v < size)
                k = np.int32(v if inside else 0.0)
                strange += not (inside & (float(k) == v))
                place[i] = np.uint32(k)
            if strange == 0 and xs.size == TILE:
                for i in range(0, TILE, WAYS):
                    t0[place[i]] += 1
                    t1[place[i + 1]] += 1
                    t2[place[i + 2]] += 1
                    t3[place[i + 3]] += 1
                continue
            for i in range(xs.size):
                v = float(xs[i])
                if (v >= lowest) & (v < size) and float(place[i]) == v:
                    t0[place[i]] += 1
                else:
                    left[m] = lo + i
                    m += 1
        return m

    column = types.Array(from_dtype(np.dtype(dtype)), 1, "C", readonly=True)
    weights = types.Array(types.float64, 1, "C", readonly=True)
    cell = types.float64 if weighted else types.int64
    signature = types.int64(column, weights, types.float64, cell[:, ::1], types.int64[::1])
    kernel = count_weighted if weighted else count
    return compile_kernel(kernel, signature, f"count_{dtype}_{'weighted' if weighted else 'plain'}")
