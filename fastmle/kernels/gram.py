"""The Gram matrix of columns, tile by tile: Σ w t tᵀ with t = (1, u_1, .., u_k), u = (x − c)·per.

A tile of rows is centred into a buffer that stays in the first-level cache, then all pairs of its columns are
multiplied, panel by panel.
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
from .tiles import TILE


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
        t = np.zeros((k + SPARE, TILE))
        wt = np.zeros((k + SPARE, TILE)) if weighted else t
        v = np.zeros((slots + SPARE, TILE)) if outer else t
        acc = np.zeros(lanes_of(k))
        ahead, idle = np.zeros(2 * lanes_of(max(k, slots if outer else k)) // STEP, np.int64), t.ctypes.data
        ahead[:] = idle
        acc_outer = np.zeros(lanes_of(slots)) if outer else acc
        wanted = np.empty(TILE, np.bool_)
        for turn in range(2 * sums.shape[0]):  # each block once in haste, and again row by row if that did not do
            b, careful = turn // 2, turn % 2 == 1
            if (weighted and not careful) or (careful and not weighted and sound(sums[b], slots)):
                continue
            sums[b, :] = 0.0
            bad = null = zero = 0
            for lo in range(b * BLOCK, min((b + 1) * BLOCK, rows), TILE):
                m = min(TILE, rows - lo)
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
                        if not ok:
                            for j in range(k):
                                t[j, r] = 0.0
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
