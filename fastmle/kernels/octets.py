"""Bytes compared in whole vector registers: compilers widen what such loops count, and lose most of their lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .vectors import data_of

TILE = 4096  # bytes that are looked at together
WIDTH = 32  # bytes side by side: of 64 AVX-512 compares into masks, which must be turned back into bytes
SIDE_BY_SIDE = 4  # values counted in one reading
_BYTE, _LONG = ir.IntType(8), ir.IntType(64)
_VECTOR, _WIDE = ir.VectorType(_BYTE, WIDTH), ir.VectorType(ir.IntType(16), WIDTH)

assert TILE // WIDTH < 256  # what a byte can count


def _each(builder: Any, data: Any, work: Callable[[Any], None]) -> None:
    """Call `work` with each vector of a tile in turn."""
    with cgutils.for_range_slice(builder, _LONG(0), _LONG(TILE), _LONG(WIDTH), _LONG) as (at, _):
        place = builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer())
        work(builder.load(place, align=1))


def _reduced(builder: Any, name: str, vector: Any) -> Any:
    kind = vector.type
    full = f"llvm.vector.reduce.{name}.v{WIDTH}{kind.element}"
    function = builder.module.declare_intrinsic(full, (), ir.FunctionType(kind.element, [kind]))
    return builder.zext(builder.call(function, [vector]), _LONG)


@intrinsic
def extent(typingctx: Any, x: Any) -> Any:
    """The least and the greatest of TILE bytes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        low = cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, [255] * WIDTH))
        high = cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, [0] * WIDTH))

        def work(v: Any) -> None:
            for slot, order in ((low, "<"), (high, ">")):
                old = builder.load(slot)
                builder.store(builder.select(builder.icmp_unsigned(order, v, old), v, old), slot)

        _each(builder, data_of(context, builder, signature, args, 0), work)
        ends = [_reduced(builder, "umin", builder.load(low)), _reduced(builder, "umax", builder.load(high))]
        return context.make_tuple(builder, signature.return_type, ends)

    return types.UniTuple(types.int64, 2)(x), codegen


@intrinsic
def count_four(typingctx: Any, x: Any, k: Any) -> Any:
    """How many of TILE bytes are k, k + 1, k + 2, k + 3."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero, first = ir.Constant(_VECTOR, [0] * WIDTH), ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        one = builder.insert_element(zero, builder.trunc(args[1], _BYTE), ir.IntType(32)(0))
        lowest = builder.shuffle_vector(one, zero, first)
        sought = [builder.add(lowest, ir.Constant(_VECTOR, [j] * WIDTH)) for j in range(SIDE_BY_SIDE)]
        found = [cgutils.alloca_once_value(builder, zero) for _ in sought]

        def work(v: Any) -> None:
            for slot, value in zip(found, sought, strict=True):
                hit = builder.sext(builder.icmp_unsigned("==", v, value), _VECTOR)
                builder.store(builder.sub(builder.load(slot), hit), slot)

        _each(builder, data_of(context, builder, signature, args, 0), work)
        sums = [_reduced(builder, "add", builder.zext(builder.load(slot), _WIDE)) for slot in found]
        return context.make_tuple(builder, signature.return_type, sums)

    return types.UniTuple(types.int64, SIDE_BY_SIDE)(x, types.int64), codegen
