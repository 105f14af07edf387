"""Products of the columns of a tile, panel by panel: the innermost part of every Gram matrix.

A panel of columns times a panel of columns is kept in registers over the rows of a tile, so that each load serves
several products; the lanes of the vectors are added up only once a block.
"""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

from .tiles import F64, TILE, load
from .vectors import ACROSS, AHEAD, LANES, TALL, add_four, add_scores, load_column, load_four, multiply, weigh

SPARE = max(TALL, ACROSS)  # rows of zeros that a tile's columns must have to spare
STEP = TALL * ACROSS * LANES


@register_jitable
def lanes_of(k: int) -> int:
    """How long the accumulator of the triangle of k columns is."""
    count = 0
    for i in range(0, k, TALL):
        count += (k - i + ACROSS - 1) // ACROSS
    return count * STEP


@register_jitable
def plan_ahead(ahead: Any, addresses: Any, strides: Any, row: int, rows: int, idle: int) -> None:
    """Where the tile from `row` on lies, in parts of AHEAD bytes: narrow columns one by one, matrices by rows at once.

    `idle` is an address that may be fetched for nothing.
    """
    ahead[:] = idle
    if row >= rows:
        return
    at, covered = 0, 0
    for j in range(addresses.size):
        start, stride = addresses[j] + row * strides[j], strides[j]
        if start < covered or stride < 0 or stride > 8 * addresses.size + 64:
            continue  # fetched with the columns before it, or too sparse
        covered = start + stride if stride > 8 else 0
        for lo in range(0, min(TILE, rows - row) * stride, AHEAD):
            if at < ahead.size:
                ahead[at] = start + lo
                at += 1


@register_jitable
def load_tile(out: Any, address: int, stride: int, kind: int, rows: int, c: float, scale: float) -> None:
    """out[:rows] = (x − c) · scale, a tile of one column."""
    if kind == F64 and stride == 8 and rows == TILE:
        load_column(out, address, c, scale)
    else:
        load(out, address, stride, kind, rows, c, scale)


@register_jitable
def load_columns(t: Any, addresses: Any, strides: Any, kinds: Any, features: int, row: int, rows: int, center: Any, per: Any) -> None:
    """t[1 + j] = (x_j − center) · per for all features, the tile from `row` on; four at a time where they lie by rows."""
    j = 0
    while j < features:
        last = min(j + ACROSS, features) - 1
        first = max(last - ACROSS + 1, 0)  # some of them again, rather than one by one
        side_by_side = rows == TILE and last - first == ACROSS - 1
        for i in range(first, last + 1):
            away = addresses[i] - addresses[first]
            side_by_side &= kinds[i] == F64 and strides[i] == strides[first] and away == 8 * (i - first) and strides[i] > 8
        if side_by_side:
            load_four(t, first + 1, addresses[first] + row * strides[first], strides[first], center, per, first)
        else:
            for i in range(j, last + 1):
                load_tile(t[i + 1], addresses[i] + row * strides[i], strides[i], kinds[i], rows, center[i], per[i])
        j = last + 1


@register_jitable
def add_linear(eta: Any, t: Any, beta: Any, features: int) -> None:
    """eta += Σ beta[j] t[j], j = 1 .. features; t and beta have SPARE zeros beyond."""
    for j in range(1, features + 1, ACROSS):
        add_four(eta, t, j, beta, j)


@register_jitable
def add_products(acc: Any, a: Any, b: Any, k: int, ahead: Any) -> None:
    """Add the products a[i] b[j], j >= i, of one tile; a and b have SPARE rows beyond k."""
    at = block = 0
    for i in range(0, k, TALL):
        for j in range(i, k, ACROSS):
            multiply(a, i, b, j, acc, at, ahead[2 * block], ahead[2 * block + 1])
            at += STEP
            block += 1


@register_jitable
def add_weighted_products(acc: Any, sums: Any, panel: Any, t: Any, curve: Any, score: Any, k: int, ahead: Any) -> None:
    """Add the products curve t[i] t[j], j >= i, of one tile, and to `sums` those of t[i] and score; `panel` is scratch."""
    at = block = 0
    for i in range(0, k, TALL):
        weigh(panel, t, i, curve, score, sums, i * LANES)
        for j in range(i, k, ACROSS):
            multiply(panel, 0, t, j, acc, at, ahead[2 * block], ahead[2 * block + 1])
            at += STEP
            block += 1


@register_jitable
def add_all_scores(sums: Any, t: Any, score: Any, k: int) -> None:
    """Add to `sums` the products of t[i] and score, i < k, of one tile."""
    for j in range(0, k, ACROSS):
        add_scores(sums, j * LANES, t, j, score)


@register_jitable(fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def collect(acc: Any, at: int) -> float:
    """One sum of LANES parts, which start again at 0."""
    s = 0.0
    for lane in range(LANES):
        s += acc[at + lane]
        acc[at + lane] = 0.0
    return s


@register_jitable
def collect_products(acc: Any, k: int, out: Any) -> None:
    """out = the upper triangle, by rows, of what was added; the accumulator starts again at 0."""
    at = 0
    for i in range(0, k, TALL):
        for j in range(i, k, ACROSS):
            for di in range(TALL):
                row = i + di
                for dj in range(ACROSS):
                    column = j + dj
                    s = collect(acc, at)
                    if row < k and row <= column < k:
                        out[row * k - row * (row - 1) // 2 + column - row] = s
                    at += LANES
