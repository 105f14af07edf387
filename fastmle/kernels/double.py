"""The Gram matrix of columns in double-double: each entry of a block as a sum of two floats, good to about 30 digits.

Products are exact by fused multiply-add, sums carry what rounding took. For data so nearly collinear that the squares
in float64 keep no digit of the answer.
Source: T. J. Dekker, Numer. Math. 18 (1971); Y. Hida, X. Li & D. Bailey, ARITH 15 (2001).
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
from .tiles import TILE, load
from .vecmath.machine import fma

LANES = 8


@register_jitable(fastmath=False, error_model="numpy")
def _center(high: Any, low: Any, c: float, scale: float, rows: int) -> None:
    """(high, low) = (high − c) · scale, exactly; scale is a power of two."""
    for r in range(rows):
        x = high[r]
        d = x - c
        back = d - x
        low[r] = ((x - (d - back)) + (-c - back)) * scale
        high[r] = d * scale


@register_jitable(fastmath=False, error_model="numpy")
def _weigh(high: Any, low: Any, w: Any, out_high: Any, out_low: Any, rows: int) -> None:
    for r in range(rows):
        p = high[r] * w[r]
        out_low[r] = fma(high[r], w[r], -p) + low[r] * w[r]
        out_high[r] = p


@register_jitable(fastmath=False, error_model="numpy")
def _dot(ah: Any, al: Any, bh: Any, bl: Any, high: Any, low: Any) -> None:
    """high + low += Σ a b over a tile, lane by lane."""
    for at in range(0, TILE, LANES):
        for k in range(LANES):
            x, y = ah[at + k], bh[at + k]
            p = x * y
            slip = fma(x, y, -p) + fma(x, bl[at + k], al[at + k] * y)
            total = high[k] + p
            back = total - high[k]
            low[k] += ((high[k] - (total - back)) + (p - back)) + slip
            high[k] = total


@register_jitable(fastmath=False, error_model="numpy")
def _collect(high: Any, low: Any) -> Any:
    """The lanes as one number in two parts."""
    h, e = 0.0, 0.0
    for k in range(LANES):
        total = h + high[k]
        back = total - h
        e += ((h - (total - back)) + (high[k] - back)) + low[k]
        h = total
    total = h + e
    return total, e - (total - h)


@cache
def compile_double_gram(weighted: bool, drop: bool) -> Callable[..., None]:
    """`gram(addresses, strides, kinds, first, rows, w, center, per, high, low, counts)`: as `compile_gram`, in two parts."""

    def gram(addresses, strides, kinds, first, rows, w, center, per, high, low, counts):  # type: ignore[no-untyped-def]
        k = addresses.size + 1
        th, tl = np.zeros((k, TILE)), np.zeros((k, TILE))
        ah, al = (np.zeros((k, TILE)), np.zeros((k, TILE))) if weighted else (th, tl)
        lanes_high, lanes_low = np.zeros((k * (k + 1) // 2, LANES)), np.zeros((k * (k + 1) // 2, LANES))
        wt = np.zeros(TILE)
        for b in range(high.shape[0]):
            lanes_high[:] = 0.0
            lanes_low[:] = 0.0
            bad = null = zero = 0
            for lo in range(b * BLOCK, min((b + 1) * BLOCK, rows), TILE):
                m = min(TILE, rows - lo)
                th[0, :m] = 1.0
                for j in range(1, k):
                    load(th[j], addresses[j - 1] + (first + lo) * strides[j - 1], strides[j - 1], kinds[j - 1], m, 0.0, 1.0)
                    _center(th[j], tl[j], center[j - 1], per[j - 1], m)
                for r in range(m):
                    finite = True
                    is_null = False
                    for j in range(1, k):
                        finite = finite and abs(th[j, r]) < np.inf
                        is_null = is_null or th[j, r] != th[j, r]
                    ok = finite
                    if weighted:
                        wt[r] = w[lo + r]
                        is_null = is_null or wt[r] != wt[r]
                        ok = finite and wt[r] > 0.0 and wt[r] < np.inf
                    if weighted and wt[r] == 0.0:
                        zero += 1
                    elif is_null and drop:
                        null += 1
                    elif not ok:
                        bad += 1
                    if not ok:
                        wt[r] = 0.0
                        for j in range(k):
                            th[j, r] = 0.0
                            tl[j, r] = 0.0
                for r in range(m, TILE):
                    wt[r] = 0.0
                    for j in range(k):
                        th[j, r] = 0.0
                        tl[j, r] = 0.0
                if weighted:
                    for j in range(k):
                        _weigh(th[j], tl[j], wt, ah[j], al[j], TILE)
                at = 0
                for i in range(k):
                    for j in range(i, k):
                        _dot(ah[i], al[i], th[j], tl[j], lanes_high[at], lanes_low[at])
                        at += 1
            for at in range(k * (k + 1) // 2):
                high[b, at], low[b, at] = _collect(lanes_high[at], lanes_low[at])
            counts[b, 0] = bad
            counts[b, 1] = null
            counts[b, 2] = zero

    vector = types.Array(types.float64, 1, "C", readonly=True)
    index, out = types.int64[::1], types.Array(types.float64, 2, "A")
    signature = types.void(
        index, index, index, types.int64, types.int64, vector, vector, vector, out, out, types.int64[:, ::1]
    )
    flags = "".join(f"_{name}" for name, on in (("weighted", weighted), ("drop", drop)) if on)
    return compile_kernel(gram, signature, "double_gram" + flags)
