"""Rows of several columns that add up to one: looked at, and laid out column by column."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types

from .jit import compile_kernel
from .panels import SPARE, load_columns
from .tiles import TILE, zero_rows


@cache
def compile_simplex(support: Any) -> Callable[..., int]:
    """`simplex(addresses, strides, kinds, first, rows, slack, out, good)`: how many of these rows do not count.

    `good` tells the rows of which each value is in the `support` and the sum is 1 to within `slack`. The columns' values
    are written to the rows of `out` (columns, rows) as float64, unless it has none.
    """

    def simplex(addresses, strides, kinds, first, rows, slack, out, good):  # type: ignore[no-untyped-def]
        k = addresses.size
        tile, sums, fine = zero_rows(1 + k + SPARE), np.empty(TILE), np.empty(TILE, np.bool_)
        center, per = np.zeros(k), np.ones(k)
        bad = 0
        for lo in range(first, first + rows, TILE):
            n = min(TILE, first + rows - lo)
            load_columns(tile, addresses, strides, kinds, k, lo, n, center, per)
            sums[:] = 0.0
            fine[:] = True
            for j in range(k):
                x = tile[1 + j]
                for r in range(n):
                    sums[r] += x[r]
                    fine[r] &= support(x[r], ())
                if out.shape[0] > 0:
                    column = out[j, lo : lo + n]
                    for r in range(n):
                        column[r] = x[r]
            for r in range(n):
                fine[r] &= abs(sums[r] - 1.0) <= slack
                good[lo + r] = fine[r]
                bad += not fine[r]
        return bad

    whole = types.int64[::1]
    signature = types.int64(
        whole, whole, whole, types.int64, types.int64, types.float64, types.float64[:, ::1], types.boolean[::1]
    )
    return compile_kernel(simplex, signature, "simplex", (support,))
