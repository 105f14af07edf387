"""Vector registers written out: how many there are, and the few loops over a tile for which compilers use too few.

All take addresses of rows of a C-ordered matrix of TILE columns, and work on whole tiles.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .ahead import SECOND, prefetch
from .tiles import TILE

_FEATURES = llvmlite.binding.get_host_cpu_features()
LANES, TALL = (8, 4) if _FEATURES.get("avx512f") else (4, 2)  # 32 registers of eight numbers, or 16 of four
ACROSS = 4  # columns side by side
AHEAD = TILE // LANES * 64  # bytes fetched from one address in one loop over a tile
LOOSE = ("contract", "reassoc", "nsz")
VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_FOUR = ir.VectorType(ir.DoubleType(), ACROSS)


def data_of(context: Any, builder: Any, signature: Any, args: Any, k: int) -> Any:
    """The data pointer of array argument k."""
    return context.make_array(signature.args[k])(context, builder, args[k]).data


def row_of(builder: Any, data: Any, row: Any) -> Any:
    return builder.gep(data, [builder.mul(row, row.type(TILE))])


def load_vector(builder: Any, base: Any, at: Any, kind: Any = VECTOR, align: int = 8) -> Any:
    return builder.load(builder.bitcast(builder.gep(base, [at]), kind.as_pointer()), align=align)


def store_vector(builder: Any, value: Any, base: Any, at: Any) -> None:
    builder.store(value, builder.bitcast(builder.gep(base, [at]), VECTOR.as_pointer()), align=8)


def add_product(builder: Any, slot: Any, x: Any, y: Any) -> None:
    """The running sum in `slot` + x y."""
    product = builder.fmul(x, y, flags=LOOSE)
    builder.store(builder.fadd(builder.load(slot), product, flags=LOOSE), slot)


def splat(builder: Any, x: Any, kind: Any = VECTOR) -> Any:
    """The number x in all places of a vector."""
    nothing = ir.Constant(kind, ir.Undefined)
    return builder.shuffle_vector(builder.insert_element(nothing, x, ir.IntType(32)(0)), nothing, _mask([0] * kind.count))


def _mask(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """LANES rows of four numbers as four columns of LANES."""
    if LANES == 8:
        rows = [builder.shuffle_vector(a, b, _mask(list(range(8)))) for a, b in zip(rows[:4], rows[4:], strict=True)]
    a, b, c, d = rows
    halves = range(0, LANES, 4)
    low = _mask([h + LANES * side + e for h in halves for e in (0, 2) for side in (0, 1)])
    high = _mask([h + LANES * side + e for h in halves for e in (1, 3) for side in (0, 1)])
    first = _mask([h + LANES * side + e for h in halves for side in (0, 1) for e in (0, 1)])
    last = _mask([h + LANES * side + e for h in halves for side in (0, 1) for e in (2, 3)])
    even = builder.shuffle_vector(a, b, low), builder.shuffle_vector(c, d, low)
    odd = builder.shuffle_vector(a, b, high), builder.shuffle_vector(c, d, high)
    return [builder.shuffle_vector(*pair, part) for part in (first, last) for pair in (even, odd)]


@intrinsic
def load_four(typingctx: Any, t: Any, j: Any, address: Any, stride: Any, center: Any, per: Any, at: Any) -> Any:
    """t[j:j + 4] = (x − center[at:]) · per[at:], x four numbers side by side in each of TILE rows from `address` on.

    The next tile is fetched meanwhile.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, center, per = (data_of(context, builder, signature, args, k) for k in (0, 4, 5))
        long = context.get_value_type(types.intp)
        columns = [row_of(builder, out, builder.add(args[1], long(d))) for d in range(ACROSS)]
        places = [builder.add(args[6], long(d)) for d in range(ACROSS)]
        centers = [splat(builder, builder.load(builder.gep(center, [p]))) for p in places]
        scales = [splat(builder, builder.load(builder.gep(per, [p]))) for p in places]
        tile = builder.mul(args[3], long(TILE))
        with cgutils.for_range_slice(builder, long(0), long(TILE), long(LANES), long) as (r, _):
            rows = []
            for lane in range(LANES):
                place = builder.add(args[2], builder.mul(builder.add(r, long(lane)), args[3]))
                prefetch(builder, builder.add(place, tile), SECOND)
                rows.append(builder.load(builder.inttoptr(place, _FOUR.as_pointer()), align=8))
            for x, c, s, column in zip(_transposed(builder, rows), centers, scales, columns, strict=True):
                store_vector(builder, builder.fmul(builder.fsub(x, c), s), column, r)
        return context.get_dummy_value()

    return types.void(t, types.intp, types.intp, types.intp, center, per, types.intp), codegen


@intrinsic
def load_column(typingctx: Any, out: Any, address: Any, center: Any, per: Any) -> Any:
    """out = (x − center) · per, x the TILE numbers one after the other from `address` on.

    The next tile is fetched meanwhile.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = data_of(context, builder, signature, args, 0)
        long = context.get_value_type(types.intp)
        x, c, s = builder.inttoptr(args[1], ir.DoubleType().as_pointer()), splat(builder, args[2]), splat(builder, args[3])
        with cgutils.for_range_slice(builder, long(0), long(TILE), long(LANES), long) as (r, _):
            prefetch(builder, builder.ptrtoint(builder.gep(x, [builder.add(r, long(TILE))]), long), SECOND)
            store_vector(builder, builder.fmul(builder.fsub(load_vector(builder, x, r), c), s), data, r)
        return context.get_dummy_value()

    return types.void(out, types.intp, types.float64, types.float64), codegen


@intrinsic
def add_four(typingctx: Any, eta: Any, t: Any, j: Any, beta: Any, at: Any) -> Any:
    """eta += beta[at:at + 4] · t[j:j + 4]."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        eta, t, beta = (data_of(context, builder, signature, args, k) for k in (0, 1, 3))
        long = context.get_value_type(types.intp)
        columns = [row_of(builder, t, builder.add(args[2], long(d))) for d in range(ACROSS)]
        factors = [splat(builder, builder.load(builder.gep(beta, [builder.add(args[4], long(d))]))) for d in range(ACROSS)]
        with cgutils.for_range_slice(builder, long(0), long(TILE), long(LANES), long) as (r, _):
            total = load_vector(builder, eta, r)
            for column, b in zip(columns, factors, strict=True):
                total = builder.fadd(total, builder.fmul(load_vector(builder, column, r), b, flags=("contract",)), flags=("contract",))
            store_vector(builder, total, eta, r)
        return context.get_dummy_value()

    return types.void(eta, t, types.intp, beta, types.intp), codegen


def slots_of(builder: Any, sums: Any, places: list[Any]) -> list[Any]:
    """Registers that begin with the vectors at these places of the sums."""
    slots = [cgutils.alloca_once(builder, VECTOR) for _ in places]
    for place, slot in zip(places, slots, strict=True):
        builder.store(load_vector(builder, sums, place), slot)
    return slots


@intrinsic
def weigh(typingctx: Any, panel: Any, t: Any, i: Any, curve: Any, score: Any, sums: Any, at: Any) -> Any:
    """panel = curve · t[i:i + TALL], and sums[at:], in LANES parts each, += Σ score · t[i:i + TALL]."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        panel, t, curve, score, sums = (data_of(context, builder, signature, args, k) for k in (0, 1, 3, 4, 5))
        long = context.get_value_type(types.intp)
        columns = [row_of(builder, t, builder.add(args[2], long(d))) for d in range(TALL)]
        outs = [row_of(builder, panel, long(d)) for d in range(TALL)]
        places = [builder.add(args[6], long(d * LANES)) for d in range(TALL)]
        slots = slots_of(builder, sums, places)
        with cgutils.for_range_slice(builder, long(0), long(TILE), long(LANES), long) as (r, _):
            c, s = load_vector(builder, curve, r), load_vector(builder, score, r)
            for column, out, slot in zip(columns, outs, slots, strict=True):
                x = load_vector(builder, column, r)
                add_product(builder, slot, x, s)
                store_vector(builder, builder.fmul(x, c), out, r)
        for place, slot in zip(places, slots, strict=True):
            store_vector(builder, builder.load(slot), sums, place)
        return context.get_dummy_value()

    return types.void(panel, t, types.intp, curve, score, sums, types.intp), codegen


@intrinsic
def add_scores(typingctx: Any, sums: Any, at: Any, t: Any, j: Any, score: Any) -> Any:
    """sums[at:], in LANES parts each, += Σ score · t[j:j + ACROSS]."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, t, score = (data_of(context, builder, signature, args, k) for k in (0, 2, 4))
        long = context.get_value_type(types.intp)
        columns = [row_of(builder, t, builder.add(args[3], long(d))) for d in range(ACROSS)]
        places = [builder.add(args[1], long(d * LANES)) for d in range(ACROSS)]
        slots = slots_of(builder, out, places)
        with cgutils.for_range_slice(builder, long(0), long(TILE), long(LANES), long) as (r, _):
            s = load_vector(builder, score, r)
            for column, slot in zip(columns, slots, strict=True):
                add_product(builder, slot, load_vector(builder, column, r), s)
        for place, slot in zip(places, slots, strict=True):
            store_vector(builder, builder.load(slot), out, place)
        return context.get_dummy_value()

    return types.void(sums, types.intp, t, types.intp, score), codegen


@intrinsic
def multiply(typingctx: Any, a: Any, i: Any, b: Any, j: Any, acc: Any, at: Any, next0: Any, next1: Any) -> Any:
    """acc[at:], in LANES parts each, += a[i:i + TALL] x b[j:j + ACROSS], row by row of a tile.

    Meanwhile AHEAD bytes from each of two addresses are fetched.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        left, right, out = (data_of(context, builder, signature, args, k) for k in (0, 2, 4))
        long = context.get_value_type(types.intp)
        rows_a = [row_of(builder, left, builder.add(args[1], long(d))) for d in range(TALL)]
        rows_b = [row_of(builder, right, builder.add(args[3], long(d))) for d in range(ACROSS)]
        places = [builder.add(args[5], long(LANES * s)) for s in range(TALL * ACROSS)]
        sums = [cgutils.alloca_once(builder, VECTOR) for _ in places]
        for place, slot in zip(places, sums, strict=True):
            builder.store(load_vector(builder, out, place), slot)
        with cgutils.for_range_slice(builder, long(0), long(TILE), long(LANES), long) as (r, _):
            for address in args[6:]:
                prefetch(builder, builder.add(address, builder.mul(r, long(64 // LANES))), SECOND)
            wide = [load_vector(builder, base, r) for base in rows_b]
            for d, base in enumerate(rows_a):
                x = load_vector(builder, base, r)
                for e, y in enumerate(wide):
                    add_product(builder, sums[d * ACROSS + e], x, y)
        for place, slot in zip(places, sums, strict=True):
            store_vector(builder, builder.load(slot), out, place)
        return context.get_dummy_value()

    return types.void(a, types.intp, b, types.intp, acc, types.intp, types.intp, types.intp), codegen
