"""One pass of a multinomial logit model: softmax by tiles, Zᵀr of each class and ZᵀWZ of each pair of classes.

η_a = Zβ_a for each class but the base, whose η is 0; p = softmax(η); loss = −log p_y.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import types

from .fold import BLOCK
from .jit import compile_kernel
from .panels import (
    SPARE,
    STEP,
    add_linear,
    add_weighted_products,
    collect,
    collect_products,
    lanes_of,
    load_columns,
    plan_ahead,
)
from .tiles import TILE, load, zero_rows, zeros
from .vecmath import exp, log
from .vectors import LANES, TALL


@cache
def compile_multinomial() -> Callable[..., None]:
    """`multinomial(addresses, strides, kinds, features, weighted, first, rows, beta, center, per, values, flags, sums, counts)`.

    The columns are the features, the target, the weights. values: the target's value of each class, the base last;
    beta (classes − 1, features + 1); flags: (drop nulls, what the matrix holds, as in kernels/glm.py). The slots:
    loss, Σ w, Σ w of each class; the scores by class; for each pair a <= b of classes the triangle of a matrix.
    """

    def multinomial(addresses, strides, kinds, features, weighted, first, rows, beta, center, per, values, flags, sums, counts):  # type: ignore[no-untyped-def]
        k, classes = features + 1, values.size
        others = classes - 1
        pairs = others * (others + 1) // 2
        slots = k * (k + 1) // 2
        drop, matrix = flags[0] != 0, flags[1]
        t, panel = zero_rows(k + SPARE), zero_rows(TALL)
        acc, scores = np.zeros((pairs, lanes_of(k))), np.zeros((others, (k + SPARE) * LANES))
        spare = zeros((k + SPARE) * LANES)
        slopes = np.zeros((others, k + SPARE))
        for a in range(others):
            for j in range(k):
                slopes[a, j] = beta[a, j]
        ahead, idle = np.zeros(2 * lanes_of(k) // STEP, np.int64), t.ctypes.data
        y, w = zeros(TILE), np.ones(TILE)
        eta, p, s = zero_rows(others), zero_rows(others), zero_rows(others)
        top, total, own = zeros(TILE), zeros(TILE), zeros(TILE)
        curve, score, nothing = zeros(TILE), zeros(TILE), zeros(TILE)
        which, ok = np.zeros(TILE, np.int64), np.empty(TILE, np.bool_)
        for b in range(sums.shape[0]):
            sums[b, :] = 0.0
            bad = null = zero = 0
            for lo in range(b * BLOCK, min((b + 1) * BLOCK, rows), TILE):
                n = min(TILE, rows - lo)
                if n < TILE:
                    t[:] = 0.0
                    curve[:] = 0.0
                    score[:] = 0.0
                at = features
                load(y, addresses[at] + (first + lo) * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
                if weighted:
                    at += 1
                    load(w, addresses[at] + (first + lo) * strides[at], strides[at], kinds[at], n, 0.0, 1.0)
                load_columns(t, addresses, strides, kinds, features, first + lo, n, center, per)
                for r in range(n):
                    t[0, r] = 1.0
                    top[r] = 0.0
                    which[r] = -1
                    for c in range(classes):
                        which[r] = c if y[r] == values[c] else which[r]
                    ok[r] = which[r] >= 0 and w[r] > 0.0 and w[r] < np.inf
                for a in range(others):
                    for r in range(n):
                        eta[a, r] = slopes[a, 0]
                    add_linear(eta[a], t, slopes[a], features)
                    for r in range(n):
                        ok[r] &= abs(eta[a, r]) < np.inf
                for r in range(n):
                    if not ok[r]:
                        is_null = (y[r] != y[r]) | (w[r] != w[r])
                        for j in range(features):
                            is_null |= t[j + 1, r] != t[j + 1, r]
                        if w[r] == 0.0:
                            zero += 1
                        elif is_null and drop:
                            null += 1
                        else:
                            bad += 1
                        which[r], w[r] = others, 0.0
                        for j in range(k):
                            t[j, r] = 0.0
                        for a in range(others):
                            eta[a, r] = 0.0
                for a in range(others):
                    for r in range(n):
                        top[r] = max(top[r], eta[a, r])
                for r in range(n):
                    total[r] = exp(-top[r])
                    own[r] = 0.0
                for a in range(others):
                    for r in range(n):
                        p[a, r] = exp(eta[a, r] - top[r])
                        total[r] += p[a, r]
                        own[r] = eta[a, r] if which[r] == a else own[r]
                for r in range(n):
                    sums[b, 0] += w[r] * (top[r] + log(total[r]) - own[r])
                    sums[b, 1] += w[r]
                    sums[b, 2 + which[r]] += w[r]
                for a in range(others):
                    for r in range(n):
                        p[a, r] /= total[r]
                        s[a, r] = (1.0 if which[r] == a else 0.0) - p[a, r]
                pair = 0
                for a in range(others):
                    for c in range(a, others):
                        if matrix == 0:
                            for r in range(n):
                                curve[r] = w[r] * p[a, r] * ((1.0 if a == c else 0.0) - p[c, r])
                        else:
                            for r in range(n):
                                curve[r] = w[r] * s[a, r] * s[c, r] * (w[r] if matrix == 2 else 1.0)
                        if a == c:
                            if matrix == 0:  # without the cancellation of 1 − p near 1
                                for r in range(n):
                                    rest = exp(-top[r]) / total[r]
                                    for other in range(others):
                                        rest += p[other, r] if other != a else 0.0
                                    curve[r] = w[r] * p[a, r] * rest
                            for r in range(n):
                                score[r] = w[r] * s[a, r]
                            plan_ahead(ahead, addresses, strides, first + lo + TILE, first + rows, idle)
                            add_weighted_products(acc[pair], scores[a], panel, t, curve, score, k, ahead)
                        else:
                            ahead[:] = idle
                            add_weighted_products(acc[pair], spare, panel, t, curve, nothing, k, ahead)
                        pair += 1
                if not weighted:
                    w[:] = 1.0
            at = 2 + classes
            for a in range(others):
                for j in range(k):
                    sums[b, at + j] = collect(scores[a], j * LANES)
                at += k
            for pair in range(pairs):
                collect_products(acc[pair], k, sums[b, at:])
                at += slots
            counts[b, 0] = bad
            counts[b, 1] = null
            counts[b, 2] = zero

    vector = types.Array(types.float64, 1, "C", readonly=True)
    index = types.int64[::1]
    signature = types.void(
        index, index, index, types.int64, types.int64, types.int64, types.int64,
        types.Array(types.float64, 2, "C", readonly=True), vector, vector, vector, index,
        types.float64[:, ::1], types.int64[:, ::1],
    )  # fmt: skip
    return compile_kernel(multinomial, signature, "multinomial")
