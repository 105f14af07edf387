"""One pass of a generalized linear model: η = Zβ by tiles, what each row adds, Zᵀr and ZᵀWZ.

Row functions are `row(eta, y, m, q) -> (loss, r, weight, pearson, u, v)`: loss = −ℓ up to what does not depend on η,
r = dℓ/dη, the expected −d²ℓ/dη², the Pearson term, and dℓ/dq and −d²ℓ/dq² of a shape q; and
`constants(y, m, q) -> (a, b, c, d)`: ℓ = a − loss, loss at the saturated fit = b, c and d what else the family sums.
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
from .panels import (
    SPARE,
    STEP,
    add_all_scores,
    add_linear,
    add_weighted_products,
    collect,
    collect_products,
    lanes_of,
    load_columns,
    load_tile,
    plan_ahead,
)
from .tiles import TILE, zero_rows, zeros
from .vectors import LANES, TALL

HEAD = 12  # slots before the score: loss, pearson, u, v, w, w m, w m y, a, b, c, d, Σ log w
LOGS = 11
# what the matrix holds: ZᵀWZ, Σ w r² z zᵀ, Σ w² r² z zᵀ; or there is none, and no Pearson sum: in half the time
INFORMATION, SQUARES, WEIGHTED_SQUARES, NOTHING = 0, 1, 2, 3


@register_jitable(fastmath={"reassoc", "contract", "nsz", "arcp"}, error_model="numpy")
def _sum(a: Any, rows: int) -> float:
    s = 0.0
    for r in range(rows):
        s += a[r]
    return s


@register_jitable(fastmath={"reassoc", "contract", "nsz", "arcp"}, error_model="numpy")
def _dot(a: Any, b: Any, rows: int) -> float:
    s = 0.0
    for r in range(rows):
        s += a[r] * b[r]
    return s


@cache
def compile_glm(name: str, row: Any, constants: Any, support: Any) -> Callable[..., None]:
    """`glm(addresses, strides, kinds, features, roles, first, rows, beta, center, per, q, flags, sums, counts)`.

    The columns are the features, then target, offset, trials, weights; `roles` (4) says which of these exist.
    flags: (drop nulls, sum the constants, what the matrix holds, precision weights: c without w, and Σ log w).
    β starts with the intercept, which may be held at 0.
    """

    def glm(  # type: ignore[no-untyped-def]
        addresses, strides, kinds, features, roles, first, rows, beta, center, per, q, flags, sums, counts
    ):
        k = features + 1
        drop, with_constants, matrix = flags[0] != 0, flags[1] != 0, flags[2]
        t, panel = zero_rows(k + SPARE), zero_rows(TALL)
        acc, scores = zeros(lanes_of(k)), zeros((k + SPARE) * LANES)
        slopes = np.zeros(k + SPARE)
        slopes[:k] = beta
        ahead, idle = np.zeros(2 * lanes_of(k) // STEP, np.int64), t.ctypes.data
        y, m, w, eta = zeros(TILE), np.ones(TILE), np.ones(TILE), zeros(TILE)
        loss, pearson, u, v = zeros(TILE), zeros(TILE), zeros(TILE), zeros(TILE)
        score, curve, extra = zeros(TILE), zeros(TILE), zeros(TILE)
        a, b_, c_, d_ = zeros(TILE), zeros(TILE), zeros(TILE), zeros(TILE)
        ok = np.empty(TILE, np.bool_)
        for b in range(sums.shape[0]):
            sums[b, :] = 0.0
            bad = null = zero = 0
            for lo in range(b * BLOCK, min((b + 1) * BLOCK, rows), TILE):
                n = min(TILE, rows - lo)
                if n < TILE:
                    t[:] = 0.0
                    score[:] = 0.0
                    curve[:] = 0.0
                at = features
                load_tile(y, addresses[at] + (first + lo) * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
                for r in range(n):
                    eta[r] = beta[0]
                    t[0, r] = 1.0
                if roles[1]:
                    at += 1
                    load_tile(extra, addresses[at] + (first + lo) * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
                    for r in range(n):
                        eta[r] += extra[r]
                if roles[2]:
                    at += 1
                    load_tile(m, addresses[at] + (first + lo) * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
                if roles[3]:
                    at += 1
                    load_tile(w, addresses[at] + (first + lo) * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
                load_columns(t, addresses, strides, kinds, features, first + lo, n, center, per)
                add_linear(eta, t, slopes, features)
                wrong = 0
                for r in range(n):
                    fine = support(y[r], m[r]) & (abs(eta[r]) < np.inf) & (w[r] > 0.0) & (w[r] < np.inf)
                    wrong += 0 if fine else 1
                if wrong:
                    for r in range(n):
                        is_null = (y[r] != y[r]) | (w[r] != w[r]) | (m[r] != m[r])
                        if roles[1]:
                            is_null |= extra[r] != extra[r]
                        finite = True
                        for j in range(features):
                            is_null |= t[j + 1, r] != t[j + 1, r]
                            finite &= abs(t[j + 1, r]) < np.inf
                        if roles[1]:
                            finite &= abs(extra[r]) < np.inf
                        ok[r] = not is_null and finite and support(y[r], m[r]) and w[r] > 0.0 and w[r] < np.inf
                        if w[r] == 0.0:
                            zero += 1
                        elif is_null and drop:
                            null += 1
                        elif not ok[r]:
                            bad += 1
                        if not ok[r]:  # any row that can be, of weight 0
                            y[r], m[r], w[r], eta[r] = 1.0, 1.0, 0.0, 0.0
                            for j in range(k):
                                t[j, r] = 0.0
                if matrix == NOTHING:
                    for r in range(n):
                        loss[r], score[r], _, _, u[r], v[r] = row(eta[r], y[r], m[r], q)
                else:
                    for r in range(n):
                        loss[r], score[r], curve[r], pearson[r], u[r], v[r] = row(eta[r], y[r], m[r], q)
                if wrong:
                    for r in range(n):
                        if not ok[r]:
                            loss[r] = score[r] = curve[r] = pearson[r] = u[r] = v[r] = 0.0
                if matrix == SQUARES:
                    for r in range(n):
                        curve[r] = score[r] * score[r]
                elif matrix == WEIGHTED_SQUARES:
                    for r in range(n):
                        curve[r] = score[r] * score[r] * w[r]
                if roles[3] or wrong:
                    for r in range(n):
                        loss[r] *= w[r]
                        score[r] *= w[r]
                        curve[r] *= w[r]
                        pearson[r] *= w[r]
                        u[r] *= w[r]
                        v[r] *= w[r]
                sums[b, 0] += _sum(loss, n)
                sums[b, 1] += _sum(pearson, n)
                sums[b, 2] += _sum(u, n)
                sums[b, 3] += _sum(v, n)
                sums[b, 4] += _sum(w, n)
                if with_constants:
                    for r in range(n):
                        a[r], b_[r], c_[r], d_[r] = constants(y[r], m[r], q)
                        extra[r] = w[r] * m[r]
                    sums[b, 5] += _sum(extra, n)
                    sums[b, 6] += _dot(extra, y, n)
                    sums[b, 7] += _dot(a, w, n)
                    sums[b, 8] += _dot(b_, w, n)
                    sums[b, 10] += _dot(d_, w, n)
                    if flags[3]:
                        for r in range(n):
                            if w[r] > 0.0:
                                sums[b, 9] += c_[r]
                                sums[b, 11] += np.log(w[r])
                    else:
                        sums[b, 9] += _dot(c_, w, n)
                if matrix == NOTHING:
                    add_all_scores(scores, t, score, k)
                else:
                    plan_ahead(ahead, addresses, strides, first + lo + TILE, first + rows, idle)
                    add_weighted_products(acc, scores, panel, t, curve, score, k, ahead)
                if wrong or n < TILE:
                    w[:] = 1.0
                    m[:] = 1.0
            for j in range(k):
                sums[b, HEAD + j] = collect(scores, j * LANES)
            if matrix != NOTHING:
                collect_products(acc, k, sums[b, HEAD + k :])
            counts[b, 0] = bad
            counts[b, 1] = null
            counts[b, 2] = zero

    vector = types.Array(types.float64, 1, "C", readonly=True)
    index = types.int64[::1]
    signature = types.void(
        index, index, index, types.int64, index, types.int64, types.int64, vector, vector, vector, types.float64, index,
        types.float64[:, ::1], types.int64[:, ::1],
    )  # fmt: skip
    return compile_kernel(glm, signature, f"glm_{name}", (row, constants, support))
