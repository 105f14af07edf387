"""Counting: the weight of each value of a column of small whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import types
from numba.extending import register_jitable
from numba.np.numpy_support import from_dtype

from .ahead import TILE as SOME
from .ahead import fetch
from .jit import compile_kernel
from .octets import DEPTH, SHALLOW, TILE, TOGETHER, WORDS, count_eight, extent, split
from .vecmath.exps import at_least, at_most
from .vecmath.machine import FLAGS

STEP = 1024  # rows whose table places are computed at a time
FEW, FEWER = 1 << DEPTH, 1 << SHALLOW  # values within a tile that are counted by their bits: faster than to add in memory row by row
PATIENCE = 64  # steps in memory before bytes are tried again
WAYS = 4  # tables side by side: neighbouring rows of one value do not wait for each other's addition


@cache
def compile_count(dtype: str, weighted: bool) -> Callable[..., int]:
    """The kernel `count(x, w, lowest, table, left)` -> how many row numbers it wrote to `left`, -1 if they did not fit.

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
                if m == left.size:
                    return -1
                left[m] = i
                m += 1
        return m

    byte = np.dtype(dtype).itemsize == 1 and dtype != "int8"

    @register_jitable(**FLAGS)
    def narrow(x, lowest, limit, octets):  # type: ignore[no-untyped-def]
        """The values as bytes, and whether all are whole numbers from `lowest` up to `limit`."""
        fine = True
        for lo in range(0, TILE, SOME):
            fetch(x, lo + SOME, SOME)
            for i in range(lo, lo + SOME):
                v = float(x[i])
                k = np.int32(at_most(at_least(v, lowest), limit))
                fine &= float(k) == v
                octets[i] = np.uint8(k)
        return fine

    @register_jitable
    def few(octets, bottom, top, planes, counts):  # type: ignore[no-untyped-def]
        """Count the values by their bits, fewer of which are needed for fewer values."""
        fewer = top - bottom < FEWER
        if fewer:
            split(octets, bottom, SHALLOW, planes)
        else:
            split(octets, bottom, DEPTH, planes)
        for k in range(bottom, top + 1, TOGETHER):
            high = (k - bottom) // TOGETHER
            found = count_eight(planes, SHALLOW, high) if fewer else count_eight(planes, DEPTH, high)
            for j in range(min(TOGETHER, top + 1 - k)):
                counts[k + j] += found[j]

    def count(x, w, lowest, table, left):  # type: ignore[no-untyped-def]
        place, own, planes = np.empty(STEP, np.uint32), np.empty(TILE, np.uint8), np.empty((DEPTH, WORDS), np.int64)
        t0, t1, t2, t3 = table[0], table[1], table[2], table[3]
        size = float(table.shape[1])
        limit = min(size, 256.0) - 1.0
        m = lo = 0
        wait = 0  # steps until the next try to count bytes
        while lo < x.size:
            if wait == 0 and lo + TILE <= x.size:
                xs = x[lo : lo + TILE]
                octets = xs if byte else own
                if byte:
                    fetch(xs, TILE, TILE)
                if byte or narrow(xs, lowest, limit, own):
                    bottom, top = extent(octets)
                    if bottom >= lowest and top < size:
                        if top - bottom < FEW:
                            few(octets, bottom, top, planes, t0)
                        else:
                            for i in range(0, TILE, WAYS):
                                t0[octets[i]] += 1
                                t1[octets[i + 1]] += 1
                                t2[octets[i + 2]] += 1
                                t3[octets[i + 3]] += 1
                        lo += TILE
                        continue
                wait = PATIENCE
            xs = x[lo : min(lo + STEP, x.size)]
            strange = 0
            for i in range(xs.size):
                v = float(xs[i])
                inside = (v >= lowest) & (v < size)
                k = np.int32(v if inside else 0.0)
                strange += not (inside & (float(k) == v))
                place[i] = np.uint32(k)
            if strange == 0 and xs.size == STEP:
                for i in range(0, STEP, WAYS):
                    t0[place[i]] += 1
                    t1[place[i + 1]] += 1
                    t2[place[i + 2]] += 1
                    t3[place[i + 3]] += 1
            else:
                for i in range(xs.size):
                    v = float(xs[i])
                    if (v >= lowest) & (v < size) and float(place[i]) == v:
                        t0[place[i]] += 1
                    else:
                        if m == left.size:
                            return -1
                        left[m] = lo + i
                        m += 1
            lo += xs.size
            wait = max(wait - 1, 0)
        return m

    column = types.Array(from_dtype(np.dtype(dtype)), 1, "C", readonly=True)
    weights = types.Array(types.float64, 1, "C", readonly=True)
    cell = types.float64 if weighted else types.int64
    signature = types.int64(column, weights, types.float64, cell[:, ::1], types.int64[::1])
    kernel = count_weighted if weighted else count
    return compile_kernel(kernel, signature, f"count_{dtype}_{'weighted' if weighted else 'plain'}")
