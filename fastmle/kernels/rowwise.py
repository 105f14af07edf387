"""Products of a few columns, row by row: where a row fills one register or two.

A row times each of its own numbers is added to as many registers, whose lanes are columns: nothing is added up across lanes,
and rows of a matrix are taken as they lie.
"""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

from .row_registers import SOME, add_rows, lay_rows, load_rows, turn_columns
from .tiles import F64, f64
from .vectors import LANES

FEW = 2 * LANES  # columns: two registers a row, of which the three pairs' products have room in registers
BESIDE = 2  # columns by themselves, beside a matrix by rows


@register_jitable
def by_rows(addresses: Any, strides: Any, kinds: Any) -> int:
    """How many columns, from the first on, are those of a matrix by rows; 0 if there are more than BESIDE other ones."""
    side_by_side = 0
    for j in range(addresses.size):
        if side_by_side == j and strides[j] == strides[0] and addresses[j] == addresses[0] + 8 * j:
            side_by_side += 1
        if kinds[j] != F64:
            return 0
    enough = side_by_side > 1 and strides[0] >= 8 * side_by_side and addresses.size - side_by_side <= BESIDE
    return side_by_side if enough else 0


@register_jitable(error_model="numpy", fastmath={"contract"})
def put_beside(u: Any, j: int, address: int, stride: int, rows: int, c: float, scale: float, panels: int) -> None:
    """Column j of u = (x − c) · scale, x a column by itself."""
    for r in range(rows):
        u[r * panels * LANES + j] = (f64(address + r * stride) - c) * scale


@register_jitable
def rows_as_they_lie(
    u: Any, address: int, stride: int, rows: int, features: int, center: Any, per: Any, panels: int
) -> None:
    """u = (x − center) · per; see `load_rows`."""
    if panels == 1:
        load_rows(u, address, stride, rows, features, center, per, 1)
    else:
        load_rows(u, address, stride, rows, features, center, per, 2)


@register_jitable
def turned_columns(u: Any, addresses: Any, steps: Any, first: int, center: Any, per: Any, panels: int) -> None:
    """u = (x − center) · per; see `turn_columns`."""
    if panels == 1:
        turn_columns(u, addresses, steps, first, center, per, 1)
    else:
        turn_columns(u, addresses, steps, first, center, per, 2)


@register_jitable
def columns_as_rows(u: Any, t: Any, first: int, panels: int) -> None:
    """u = the columns t[1:] of a tile, SOME rows from `first` on, by rows."""
    if panels == 1:
        lay_rows(u, t, first, 1)
    else:
        lay_rows(u, t, first, 2)


@register_jitable
def add_some(acc: Any, u: Any, rows: int, address: int, stride: int, panels: int) -> None:
    """Add Σ u uᵀ and Σ u over some rows; see `add_rows`."""
    if panels == 1:
        add_rows(acc, u, u, rows, address, stride, 1, 0)
    else:
        add_rows(acc, u, u, rows, address, stride, 2, 0)


@register_jitable
def add_weighted(acc: Any, u: Any, w: Any, rows: int, panels: int) -> None:
    """Add Σ w u uᵀ and Σ w u over some rows."""
    if panels == 1:
        add_rows(acc, u, w, rows, w.ctypes.data, 0, 1, 1)
    else:
        add_rows(acc, u, w, rows, w.ctypes.data, 0, 2, 1)


@register_jitable
def add_by_rows(
    acc: Any, u: Any, addresses: Any, strides: Any, row: int, rows: int, side_by_side: int, center: Any, per: Any, panels: int
) -> None:
    """Add the products of a tile from `row` on, of which so many columns lie by rows."""
    for at in range(row, row + rows, SOME):
        place, some = addresses[0] + at * strides[0], min(SOME, row + rows - at)
        rows_as_they_lie(u, place, strides[0], some, side_by_side, center, per, panels)
        for j in range(side_by_side, addresses.size):
            put_beside(u, j, addresses[j] + at * strides[j], strides[j], some, center[j], per[j], panels)
        add_some(acc, u, some, place + SOME * strides[0], strides[0], panels)


@register_jitable
def add_by_columns(
    acc: Any, u: Any, addresses: Any, steps: Any, row: int, rows: int, center: Any, per: Any, panels: int
) -> None:
    """Add the products of a whole tile from `row` on, of columns apart."""
    for at in range(row, row + rows, SOME):
        turned_columns(u, addresses, steps, at, center, per, panels)
        add_some(acc, u, SOME, u.ctypes.data, 0, panels)


@register_jitable
def by_columns(strides: Any, kinds: Any) -> bool:
    """Whether all columns are float64, each by itself in memory."""
    good = True
    for j in range(strides.size):
        good &= kinds[j] == F64 and strides[j] == 8
    return good


@register_jitable
def collect_rows(acc: Any, panels: int, total: float, k: int, out: Any) -> None:
    """out = the upper triangle of Σ t tᵀ, t = (1, u), by rows; the accumulator starts again at 0."""
    out[0] = total
    sums = panels * (panels + 1) // 2 * LANES * LANES
    at = k
    for i in range(k - 1):
        out[1 + i] = acc[sums + i]
        for j in range(i, k - 1):
            pair = i // LANES + j // LANES  # (0, 0), (0, 1), (1, 1)
            out[at] = acc[(pair * LANES + i % LANES) * LANES + j % LANES]
            at += 1
    acc[:] = 0.0
