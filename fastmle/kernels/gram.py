"""The Gram matrix of columns, tile by tile: Σ w t tᵀ with t = (1, u_1, .., u_k), u = (x − c)·per.

A tile of rows is centred into a buffer that stays in the first-level cache, then all pairs of its columns are
multiplied, two by four at a time, so that each load serves several products.
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


def pairs(k: int) -> int:
    """Entries of the upper triangle of a k x k matrix."""
    return k * (k + 1) // 2


@register_jitable(fastmath={"reassoc", "contract", "nsz", "arcp"}, error_model="numpy")
def _two_by_four(a: Any, b: Any, i: int, j: int, rows: int) -> Any:
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = 0.0
    a0, a1 = a[i], a[i + 1]
    b0, b1, b2, b3 = b[j], b[j + 1], b[j + 2], b[j + 3]
    for r in range(rows):
        s00 += a0[r] * b0[r]
        s01 += a0[r] * b1[r]
        s02 += a0[r] * b2[r]
        s03 += a0[r] * b3[r]
        s10 += a1[r] * b0[r]
        s11 += a1[r] * b1[r]
        s12 += a1[r] * b2[r]
        s13 += a1[r] * b3[r]
    return (s00, s01, s02, s03), (s10, s11, s12, s13)


@register_jitable(error_model="numpy")
def sound(a: Any, count: int) -> bool:
    """Whether all are finite."""
    good = True
    for j in range(count):
        good &= abs(a[j]) < np.inf
    return good


@register_jitable(error_model="numpy")
def add_gram(a: Any, b: Any, k: int, rows: int, out: Any) -> None:
    """out += the upper triangle, by rows, of a[:k] b[:k]ᵀ; a and b have rows to spare (zeros) up to k + 4."""
    for i in range(0, k, 2):
        for j in range(i, k, 4):
            products = _two_by_four(a, b, i, j, rows)
            for di in range(2):
                row = i + di
                for dj in range(4):
                    column = j + dj
                    if row < k and row <= column < k:
                        at = row * k - row * (row - 1) // 2 + column - row
                        out[at] += products[di][dj]


@cache
def compile_gram(weighted: bool, outer: bool, drop: bool) -> Callable[..., None]:
    """The kernel `gram(addresses, strides, kinds, first, rows, w, center, per, sums, counts)` for columns by address.

    Fills sums (blocks, slots) with the upper triangle of Σ w t tᵀ, t = (1, u), and with `outer` also of
    Σ w² v vᵀ, v the upper triangle of t tᵀ; counts (blocks, 3) as the fold does.
    """

    def gram(addresses, strides, kinds, first, rows, w, center, per, sums, counts):  # type: ignore[no-untyped-def]
        k = addresses.size + 1
        slots = k * (k + 1) // 2
        t = np.zeros((k + 4, TILE))
        wt = np.zeros((k + 4, TILE)) if weighted else t
        v = np.zeros((slots + 4, TILE)) if outer else t
        wanted = np.empty(TILE, np.bool_)
        for turn in range(2 * sums.shape[0]):  # each block once in haste, and again row by row if that did not do
            b, careful = turn // 2, turn % 2 == 1
            if (weighted and not careful) or (careful and not weighted and sound(sums[b], slots)):
                continue
            sums[b, :] = 0.0
            bad = null = zero = 0
            for lo in range(b * BLOCK, min((b + 1) * BLOCK, rows), TILE):
                m = min(TILE, rows - lo)
                t[0, :m] = 1.0
                for j in range(1, k):
                    address = addresses[j - 1] + (first + lo) * strides[j - 1]
                    stride, c, scale = strides[j - 1], center[j - 1], per[j - 1]
                    load(t[j], address, stride, kinds[j - 1], m, c, scale)
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
                add_gram(wt, t, k, m, sums[b])
                if outer:
                    at = 0
                    for i in range(k):
                        for j in range(i, k):
                            for r in range(m):
                                v[at, r] = wt[i, r] * t[j, r]
                            at += 1
                    add_gram(v, v, slots, m, sums[b, slots:])
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
