"""Histograms of floats in their own order: bins are ranges of the bit patterns, so that a few of them end at one value."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype

from .ahead import TILE, fetch
from .jit import compile_kernel
from .vecmath.machine import bits

BINS = 1 << 16
_MAGNITUDE = (1 << 63) - 1


def key_of(v: float) -> int:
    """A whole number that rises with v; −0.0 counts as 0.0."""
    b = int(np.float64(v + 0.0).view(np.int64))
    return b ^ (b >> 63 & _MAGNITUDE)


def value_of(key: int) -> float:
    """The inverse of `key_of`."""
    return float(np.int64(key ^ (key >> 63 & _MAGNITUDE)).view(np.float64))


@cache
def compile_select(dtype: str, weighted: bool) -> Callable[..., int]:
    """The kernel `select(x, w, low, shift, counts, sums, whole, left)` -> how many row numbers it wrote to `left`.

    Adds each row whose key lies in [low, low + BINS · 2^shift) to its bin: 1 to `counts`, its weight to `sums`; and the
    weight of all rows below, and of all rows, to `whole`; strictly in the order of rows. Rows that are not finite or
    have no positive weight are left to the caller.
    """

    def select(x, w, low, shift, counts, sums, whole, left):  # type: ignore[no-untyped-def]
        m = 0
        below = rows = 0
        for lo in range(0, x.size, TILE):
            fetch(x, lo + TILE, TILE)
            for i in range(lo, min(lo + TILE, x.size)):
                v = float(x[i]) + 0.0
                usable = abs(v) < np.inf
                if weighted:
                    usable &= (w[i] > 0.0) & (w[i] < np.inf)
                if not usable:
                    left[m] = i
                    m += 1
                    continue
                b = bits(v)
                key = b ^ (b >> 63 & _MAGNITUDE)
                under = key < low
                if weighted:
                    whole[0] += w[i] if under else 0.0
                    whole[1] += w[i]
                else:
                    below += under
                    rows += 1
                k = (np.uint64(key) - np.uint64(low)) >> np.uint64(shift)
                if k < BINS:
                    counts[k] += 1
                    if weighted:
                        sums[k] += w[i]
        if not weighted:
            whole[0] += below
            whole[1] += rows
        return m

    column = types.Array(from_dtype(np.dtype(dtype)), 1, "C", readonly=True)
    weights = types.Array(types.float64, 1, "C", readonly=True)
    numbers, real = types.int64[::1], types.float64[::1]
    signature = types.int64(column, weights, types.int64, types.int64, numbers, real, real, numbers)
    return compile_kernel(select, signature, f"select_{dtype}_{'weighted' if weighted else 'plain'}")
