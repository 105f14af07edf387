"""Rows in registers: laid side by side from columns or matrices, and their products added up lane by lane."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .ahead import FIRST, LINE, SECOND, prefetch
from .vectors import LANES, LOOSE, VECTOR, data_of, load_vector, row_of, splat, store_vector

FURTHER = 192  # rows further on, which the second cache fetches
SOME = 64  # rows at a time, which with what they are made of stay in the first-level cache
_LONG = ir.IntType(64)


def _pairs(panels: int) -> list[tuple[int, int]]:
    return [(p, q) for p in range(panels) for q in range(p, panels)]


def _place(builder: Any, base: Any, row: Any, panels: int) -> Any:
    """Where a row of a tile of rows begins."""
    return builder.gep(base, [builder.mul(row, _LONG(panels * LANES))])


@intrinsic(prefer_literal=True)
def load_rows(
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
def lay_rows(typingctx: Any, u: Any, t: Any, first: Any, panels: Any) -> Any:
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
def turn_columns(
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
def add_rows(
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
