"""Products of a few columns, row by row: where a row fills one register or two.

A row times each of its own numbers is added to as many registers, whose lanes are columns: nothing is added up across lanes,
and rows of a matrix are taken as they lie.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from .ahead import FIRST, LINE, SECOND, prefetch
from .tiles import F64, f64
from .vectors import LANES, LOOSE, VECTOR, data_of, load_vector, row_of, splat, store_vector

FURTHER = 192  # rows further on, which the second cache fetches
FEW = 2 * LANES  # columns: two registers a row, of which the three pairs' products have room in registers
BESIDE = 2  # columns by themselves, beside a matrix by rows
SOME = 64  # rows at a time, which with what they are made of stay in the first-level cache
_LONG = ir.IntType(64)


def _pairs(panels: int) -> list[tuple[int, int]]:
    return [(p, q) for p in range(panels) for q in range(p, panels)]


def _place(builder: Any, base: Any, row: Any, panels: int) -> Any:
    """Where a row of a tile of rows begins."""
    return builder.gep(base, [builder.mul(row, _LONG(panels * LANES))])


@intrinsic(prefer_literal=True)
def _load_rows(
    typingctx: Any, u: Any, address: Any, stride: Any, rows: Any, features: Any, center: Any, per: Any, panels: Any
) -> Any:
    """u = (x − center) · per, x rows of some features side by side, each `stride` bytes behind the last; 0 in the lanes beyond.

    Those are read too: so much memory there must be behind the last row. The rows behind are fetched meanwhile.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, center, per = (data_of(context, builder, signature, args, k) for k in (0, 5, 6))
        number = panels.literal_value
        nothing, lanes = ir.Constant(VECTOR, [0.0] * LANES), ir.VectorType(_LONG, LANES)
        inside = [
            builder.icmp_signed("<", ir.Constant(lanes, list(range(p * LANES, (p + 1) * LANES))), splat(builder, args[4], lanes))
            for p in range(number)
        ]
        centers = [load_vector(builder, center, _LONG(p * LANES)) for p in range(number)]
        scales = [load_vector(builder, per, _LONG(p * LANES)) for p in range(number)]
        with cgutils.for_range(builder, args[3]) as loop:
            start = builder.add(args[1], builder.mul(loop.index, args[2]))
            row, place = builder.inttoptr(start, ir.DoubleType().as_pointer()), _place(builder, out, loop.index, number)
            for p in range(number):
                x = builder.select(inside[p], load_vector(builder, row, _LONG(p * LANES)), nothing)
                store_vector(builder, builder.fmul(builder.fsub(x, centers[p]), scales[p]), place, _LONG(p * LANES))
        return context.get_dummy_value()

    return types.void(u, types.intp, types.intp, types.intp, types.intp, center, per, panels), codegen


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """LANES vectors of LANES numbers, rows for columns: by halves, quarters, and so on."""
    width = LANES // 2
    while width:
        out: list[Any] = [None] * LANES
        low = [e if not e & width else e - width + LANES for e in range(LANES)]
        high = [e + width if not e & width else e + LANES for e in range(LANES)]
        for i in range(LANES):
            if not i & width:
                for at, order in ((i, low), (i + width, high)):
                    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), order)
                    out[at] = builder.shuffle_vector(rows[i], rows[i + width], mask)
        rows, width = out, width // 2
    return rows


@intrinsic(prefer_literal=True)
def _lay_rows(typingctx: Any, u: Any, t: Any, first: Any, panels: Any) -> Any:
    """u = SOME rows of the columns t[1:] of a tile, by rows."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, t = (data_of(context, builder, signature, args, k) for k in (0, 1))
        number = panels.literal_value
        with cgutils.for_range_slice(builder, _LONG(0), _LONG(SOME), _LONG(LANES), _LONG) as (r, _):
            at = builder.add(args[2], r)
            for p in range(number):
                columns = [load_vector(builder, row_of(builder, t, _LONG(1 + p * LANES + j)), at) for j in range(LANES)]
                for i, row in enumerate(_transposed(builder, columns)):
                    place = _place(builder, out, builder.add(r, _LONG(i)), number)
                    store_vector(builder, row, place, _LONG(p * LANES))
        return context.get_dummy_value()

    return types.void(u, t, types.intp, panels), codegen


@intrinsic(prefer_literal=True)
def _turn_columns(
    typingctx: Any, u: Any, addresses: Any, steps: Any, first: Any, center: Any, per: Any, panels: Any
) -> Any:
    """u = (x − center) · per by rows, x SOME numbers of each column, from `first` steps behind its address on. The numbers
    behind are fetched meanwhile."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, addresses, steps, center, per = (data_of(context, builder, signature, args, k) for k in (0, 1, 2, 4, 5))
        number = panels.literal_value
        with cgutils.for_range_slice(builder, _LONG(0), _LONG(SOME), _LONG(LANES), _LONG) as (r, _):
            at = builder.add(args[3], r)
            for p in range(number):
                columns = []
                for lane in (_LONG(p * LANES + j) for j in range(LANES)):
                    address, step, c, s = (builder.load(builder.gep(a, [lane])) for a in (addresses, steps, center, per))
                    place = builder.add(address, builder.mul(at, step))
                    for rows, cache in ((SOME, FIRST), (FURTHER, SECOND)):
                        prefetch(builder, builder.add(place, builder.mul(_LONG(rows), step)), cache)
                    x = builder.load(builder.inttoptr(place, VECTOR.as_pointer()), align=8)
                    columns.append(builder.fmul(builder.fsub(x, splat(builder, c)), splat(builder, s)))
                for i, row in enumerate(_transposed(builder, columns)):
                    place = _place(builder, out, builder.add(r, _LONG(i)), number)
                    store_vector(builder, row, place, _LONG(p * LANES))
        return context.get_dummy_value()

    return types.void(u, addresses, steps, types.intp, center, per, panels), codegen


@intrinsic(prefer_literal=True)
def _add_rows(
    typingctx: Any, acc: Any, u: Any, w: Any, rows: Any, address: Any, stride: Any, panels: Any, weighted: Any
) -> Any:
    """acc += Σ w u uᵀ over some rows, panel by panel; behind these, Σ w u. Meanwhile rows from an address on are fetched."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        acc, u, w = (data_of(context, builder, signature, args, k) for k in (0, 1, 2))
        number = panels.literal_value
        nothing = ir.Constant(VECTOR, [0.0] * LANES)
        pairs = _pairs(number)
        sums = [cgutils.alloca_once_value(builder, nothing) for _ in range(len(pairs) * LANES + number)]

        def add(slot: Any, x: Any) -> None:
            builder.store(builder.fadd(builder.load(slot), x, flags=LOOSE), slot)

        with cgutils.for_range(builder, args[3]) as loop:
            row = _place(builder, u, loop.index, number)
            soon = builder.add(args[4], builder.mul(loop.index, args[5]))
            for p in range(number):
                prefetch(builder, builder.add(soon, _LONG(LINE * p)), FIRST)
                prefetch(builder, builder.add(builder.add(soon, _LONG(LINE * p)), builder.mul(args[5], _LONG(FURTHER))), SECOND)
            wide = [load_vector(builder, row, _LONG(p * LANES)) for p in range(number)]
            if weighted.literal_value:
                weight = splat(builder, builder.load(builder.gep(w, [loop.index])))
                wide = [builder.fmul(x, weight) for x in wide]
            for p in range(number):
                for i in range(LANES):
                    x = splat(builder, builder.load(builder.gep(row, [_LONG(p * LANES + i)])))
                    for q in range(p, number):
                        add(sums[pairs.index((p, q)) * LANES + i], builder.fmul(x, wide[q], flags=LOOSE))
                add(sums[len(pairs) * LANES + p], wide[p])
        for k, slot in enumerate(sums):
            place = _LONG(k * LANES)
            store_vector(builder, builder.fadd(load_vector(builder, acc, place), builder.load(slot)), acc, place)
        return context.get_dummy_value()

    return types.void(acc, u, w, types.intp, types.intp, types.intp, panels, weighted), codegen


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
    """u = (x − center) · per; see `_load_rows`."""
    if panels == 1:
        _load_rows(u, address, stride, rows, features, center, per, 1)
    else:
        _load_rows(u, address, stride, rows, features, center, per, 2)


@register_jitable
def turned_columns(u: Any, addresses: Any, steps: Any, first: int, center: Any, per: Any, panels: int) -> None:
    """u = (x − center) · per; see `_turn_columns`."""
    if panels == 1:
        _turn_columns(u, addresses, steps, first, center, per, 1)
    else:
        _turn_columns(u, addresses, steps, first, center, per, 2)


@register_jitable
def columns_as_rows(u: Any, t: Any, first: int, panels: int) -> None:
    """u = the columns t[1:] of a tile, SOME rows from `first` on, by rows."""
    if panels == 1:
        _lay_rows(u, t, first, 1)
    else:
        _lay_rows(u, t, first, 2)


@register_jitable
def add_some(acc: Any, u: Any, rows: int, address: int, stride: int, panels: int) -> None:
    """Add Σ u uᵀ and Σ u over some rows; see `_add_rows`."""
    if panels == 1:
        _add_rows(acc, u, u, rows, address, stride, 1, 0)
    else:
        _add_rows(acc, u, u, rows, address, stride, 2, 0)


@register_jitable
def add_weighted(acc: Any, u: Any, w: Any, rows: int, panels: int) -> None:
    """Add Σ w u uᵀ and Σ w u over some rows."""
    if panels == 1:
        _add_rows(acc, u, w, rows, w.ctypes.data, 0, 1, 1)
    else:
        _add_rows(acc, u, w, rows, w.ctypes.data, 0, 2, 1)


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
