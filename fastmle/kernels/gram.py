"""The Gram matrix of columns, tile by tile: Σ w t tᵀ with t = (1, u_1, .., u_k), u = (x − c)·per.

A tile of rows is centred into a buffer that stays in the first-level cache, then all pairs of its columns are
multiplied: row by row where the columns are few, else panel by panel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from .fold import BLOCK
from .jit import compile_kernel
from .panels import SPARE, STEP, add_products, collect_products, lanes_of, load_columns, plan_ahead
from .row_registers import SOME
from .rowwise import (
    FEW,
    add_by_columns,
    add_by_rows,
    add_some,
    add_weighted,
    by_columns,
    by_rows,
    collect_rows,
    columns_as_rows,
)
from .tiles import TILE, zero_rows, zeros
from .vectors import LANES


def pairs(k: int) -> int:
    """Entries of the upper triangle of a k x k matrix."""
    return k * (k + 1) // 2


@register_jitable(error_model="numpy")
def sound(a: Any, count: int) -> bool:
    """Whether all are finite."""
    good = True
    for j in range(count):
        good &= abs(a[j]) < np.inf
    return good


@cache
def compile_gram(weighted: bool, outer: bool, drop: bool) -> Callable[..., None]:
    """The kernel `gram(addresses, strides, kinds, first, rows, w, center, per, sums, counts)` for columns by address.

    Fills sums (blocks, slots) with the upper triangle of Σ w t tᵀ, t = (1, u), and with `outer` also of
    Σ w² v vᵀ, v the upper triangle of t tᵀ; counts (blocks, 3) as the fold does.
    """

    def gram(addresses, strides, kinds, first, rows, w, center, per, sums, counts):  # type: ignore[no-untyped-def]
        k = addresses.size + 1
        slots = k * (k + 1) // 2
        few, panels = LANES // 2 <= k - 1 <= FEW and not outer, 1 if k - 1 <= LANES else 2
        by_row = by_rows(addresses, strides, kinds) if few and not weighted else 0
        apart = few and not weighted and by_columns(strides, kinds)
        places, steps = np.zeros(FEW, np.int64), np.zeros(FEW, np.int64)  # of columns apart, and of lanes that are scaled by 0
        u = zeros(SOME * FEW if few else 1)
        weights = np.zeros(SOME)
        centers, scales = np.zeros(k + FEW), np.zeros(k + FEW)
        centers[: k - 1], scales[: k - 1] = center, per
        t = zero_rows(k + max(SPARE, FEW))
        wt = zero_rows(k + SPARE) if weighted else t
        v = zero_rows(slots + SPARE) if outer else t
        acc = zeros(LANES * (3 * LANES + 2) if few else lanes_of(k))
        ahead, idle = np.zeros(2 * lanes_of(max(k, slots if outer else k)) // STEP, np.int64), t.ctypes.data
        ahead[:] = idle
        places[:], places[: min(k - 1, FEW)], steps[: min(k - 1, FEW)] = idle, addresses[:FEW], 8
        acc_outer = zeros(lanes_of(slots)) if outer else acc
        wanted = np.empty(TILE, np.bool_)
        for turn in range(2 * sums.shape[0]):  # each block once in haste, and again row by row if that did not do
            b, careful = turn // 2, turn % 2 == 1
            if (weighted and not careful) or (careful and not weighted and sound(sums[b], slots)):
                continue
            sums[b, :] = 0.0
            bad = null = zero = 0
            total = 0.0  # of the weights
            for lo in range(b * BLOCK, min((b + 1) * BLOCK, rows), TILE):
                m = min(TILE, rows - lo)
                if by_row > 0 and not careful and (by_row == panels * LANES or lo + m + FEW <= rows):
                    add_by_rows(acc, u, addresses, strides, first + lo, m, by_row, centers, scales, panels)
                    total += m
                    continue
                if apart and not careful and m == TILE:
                    add_by_columns(acc, u, places, steps, first + lo, m, centers, scales, panels)
                    total += m
                    continue
                if m < TILE:
                    t[:] = 0.0
                t[0, :m] = 1.0
                load_columns(t, addresses, strides, kinds, k - 1, first + lo, m, center, per)
                if careful:
                    for r in range(m):
                        finite = True
                        is_null = False
                        for j in range(1, k):
                            finite = finite and abs(t[j, r]) < np.inf
                            is_null = is_null or t[j, r] != t[j, r]
                        ok = finite
                        if weighted:
                            wr = w[lo + r]
                            is_null = is_null or wr != wr
                            ok = finite and wr > 0.0 and wr < np.inf
                        if weighted and w[lo + r] == 0.0:
                            zero += 1
                        elif is_null and drop:
                            null += 1
                        elif not ok:
                            bad += 1
                        wanted[r] = ok
                        total += (w[lo + r] if weighted else 1.0) if ok else 0.0
                        if not ok:
                            for j in range(k):
                                t[j, r] = 0.0
                if few:
                    total += 0.0 if careful else m
                    for at in range(0, m, SOME):
                        some = min(SOME, m - at)
                        columns_as_rows(u, t, at, panels)
                        if weighted:
                            for r in range(some):
                                weights[r] = w[lo + at + r] if wanted[at + r] else 0.0
                            add_weighted(acc, u, weights, some, panels)
                        else:
                            add_some(acc, u, some, idle, 0, panels)
                    continue
                if weighted:
                    for j in range(k):
                        for r in range(m):
                            wt[j, r] = t[j, r] * w[lo + r] if wanted[r] else 0.0
                        wt[j, m:] = 0.0
                plan_ahead(ahead, addresses, strides, first + lo + TILE, first + rows, idle)
                add_products(acc, wt, t, k, ahead)
                ahead[:] = idle
                if outer:
                    at = 0
                    for i in range(k):
                        for j in range(i, k):
                            for r in range(TILE):
                                v[at, r] = wt[i, r] * t[j, r]
                            at += 1
                    add_products(acc_outer, v, v, slots, ahead)
            if few:
                collect_rows(acc, panels, total, k, sums[b])
            else:
                collect_products(acc, k, sums[b])
            if outer:
                collect_products(acc_outer, slots, sums[b, slots:])
            counts[b, 0] = bad
            counts[b, 1] = null
            counts[b, 2] = zero

    vector = types.Array(types.float64, 1, "C", readonly=True)
    index = types.int64[::1]
    signature = types.void(
        index,
        index,
        index,
        types.int64,
        types.int64,
        vector,
        vector,
        vector,
        types.float64[:, ::1],
        types.int64[:, ::1],
    )
    flags = "".join(
        f"_{name}" for name, on in (("weighted", weighted), ("outer", outer), ("drop", drop)) if on
    )
    return compile_kernel(gram, signature, "gram" + flags)
