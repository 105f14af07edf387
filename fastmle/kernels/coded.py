"""What rows add to the columns of categoricals: sums by level instead of products with columns of zeros and ones.

A row of level c adds its weight times (1, u..), and its score, to row c of a table, and its weight to one place of a
table of pairs of levels. The columns, flags and row functions are those of kernels/glm.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types

from .jit import compile_kernel
from .panels import SPARE, add_linear, load_columns
from .tiles import TILE, load, zero_rows, zeros


@cache
def compile_coded(name: str, row: Any, support: Any) -> Callable[..., None]:
    """`coded(addresses, strides, kinds, features, roles, rows, beta, center, per, q, codes, levels, matrix, acc)`.

    The columns are features, target, offset (η of the levels included), trials, weights. codes (blocks, rows): the
    level's column in its block, or below 0; levels (blocks): how many columns each has. Adds to acc: for each block
    (levels, features + 2), then for each pair of blocks (levels, levels).
    """

    def coded(addresses, strides, kinds, features, roles, rows, beta, center, per, q, codes, levels, matrix, acc):  # type: ignore[no-untyped-def]
        k = features + 1
        t = zero_rows(k + SPARE)
        slopes = np.zeros(k + SPARE)
        slopes[:k] = beta
        y, m, w, eta, extra = zeros(TILE), np.ones(TILE), np.ones(TILE), zeros(TILE), zeros(TILE)
        score, curve = zeros(TILE), zeros(TILE)
        blocks = levels.size
        for lo in range(0, rows, TILE):
            n = min(TILE, rows - lo)
            if n < TILE:
                t[:] = 0.0
            load_columns(t, addresses, strides, kinds, features, lo, n, center, per)
            at = features
            load(y, addresses[at] + lo * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
            at += 1
            load(extra, addresses[at] + lo * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
            for r in range(n):
                eta[r] = beta[0] + extra[r]
                t[0, r] = 1.0
            if roles[2]:
                at += 1
                load(m, addresses[at] + lo * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
            if roles[3]:
                at += 1
                load(w, addresses[at] + lo * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
            add_linear(eta, t, slopes, features)
            for r in range(n):
                _, s, c, _, _, _ = row(eta[r], y[r], m[r], q)
                fine = support(y[r], m[r]) & (abs(eta[r]) < np.inf) & (w[r] > 0.0) & (w[r] < np.inf)
                if matrix:
                    c = s * s * w[r] if matrix == 2 else s * s
                score[r] = s * w[r] if fine else np.nan
                curve[r] = c * w[r]
            start = 0
            for b in range(blocks):
                for r in range(n):
                    code = codes[b, lo + r]
                    if code >= 0 and score[r] == score[r]:
                        to = start + code * (k + 1)
                        for j in range(k):
                            acc[to + j] += curve[r] * t[j, r]
                        acc[to + k] += score[r]
                start += levels[b] * (k + 1)
            for b in range(blocks):
                for d in range(b + 1, blocks):
                    for r in range(n):
                        if codes[b, lo + r] >= 0 and codes[d, lo + r] >= 0 and score[r] == score[r]:
                            acc[start + codes[b, lo + r] * levels[d] + codes[d, lo + r]] += curve[r]
                    start += levels[b] * levels[d]

    vector = types.Array(types.float64, 1, "C", readonly=True)
    index = types.int64[::1]
    signature = types.void(
        index, index, index, types.int64, index, types.int64, vector, vector, vector, types.float64,
        types.Array(types.int32, 2, "C", readonly=True), index, types.int64, types.float64[::1],
    )  # fmt: skip
    return compile_kernel(coded, signature, f"coded_{name}", (row, support))
