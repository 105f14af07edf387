"""Bytes in whole vector registers: their ends, and how often each of a few values occurs.

A value of d bits is one of 2^d products of d bits or their complements. Of 64 bytes, bit j of all makes one word (a
comparison's mask), so that a product of words and the number of bits it has set count 64 bytes at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .vectors import data_of, load_vector, splat

TILE = 4096  # bytes that are looked at together
WIDTH = 64  # bytes side by side, and bits of a word
WORDS = TILE // WIDTH
LANES = 8  # words side by side
TOGETHER = 8  # values counted in one reading, told apart by their three lowest bits
DEPTH, SHALLOW = 6, 4  # the most bits of a value, and those that fewer values need
_BYTE, _LONG = ir.IntType(8), ir.IntType(64)
_BYTES, _LANES = ir.VectorType(_BYTE, WIDTH), ir.VectorType(_LONG, LANES)


def _each(builder: Any, stop: int, step: int, work: Callable[[Any], None]) -> None:
    with cgutils.for_range_slice(builder, _LONG(0), _LONG(stop), _LONG(step), _LONG) as (at, _):
        work(at)


def _called(builder: Any, name: str, kind: Any, result: Any, vector: Any) -> Any:
    full = f"llvm.{name}.v{kind.count}{kind.element}"
    return builder.call(builder.module.declare_intrinsic(full, (), ir.FunctionType(result, [kind])), [vector])


@intrinsic
def extent(typingctx: Any, x: Any) -> Any:
    """The least and the greatest of TILE bytes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = data_of(context, builder, signature, args, 0)
        low = cgutils.alloca_once_value(builder, ir.Constant(_BYTES, [255] * WIDTH))
        high = cgutils.alloca_once_value(builder, ir.Constant(_BYTES, [0] * WIDTH))

        def work(at: Any) -> None:
            v = load_vector(builder, data, at, _BYTES, 1)
            for slot, order in ((low, "<"), (high, ">")):
                old = builder.load(slot)
                builder.store(builder.select(builder.icmp_unsigned(order, v, old), v, old), slot)

        _each(builder, TILE, WIDTH, work)
        ends = [
            builder.zext(_called(builder, f"vector.reduce.{name}", _BYTES, _BYTE, builder.load(slot)), _LONG)
            for name, slot in (("umin", low), ("umax", high))
        ]
        return context.make_tuple(builder, signature.return_type, ends)

    return types.UniTuple(types.int64, 2)(x), codegen


@intrinsic(prefer_literal=True)
def split(typingctx: Any, x: Any, bottom: Any, depth: Any, planes: Any) -> Any:
    """Write the lowest `depth` bits of TILE bytes, less `bottom`, to the rows of `planes` (DEPTH, WORDS)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = data_of(context, builder, signature, args, 0)
        out = data_of(context, builder, signature, args, 3)
        lowest = splat(builder, builder.trunc(args[1], _BYTE), _BYTES)
        nothing = ir.Constant(_BYTES, [0] * WIDTH)

        def work(at: Any) -> None:
            v = builder.sub(load_vector(builder, data, at, _BYTES, 1), lowest)
            word = builder.udiv(at, _LONG(WIDTH))
            for j in range(depth.literal_value):
                bit = builder.icmp_unsigned("!=", builder.and_(v, ir.Constant(_BYTES, [1 << j] * WIDTH)), nothing)
                builder.store(builder.bitcast(bit, _LONG), builder.gep(out, [builder.add(word, _LONG(j * WORDS))]))

        _each(builder, TILE, WIDTH, work)
        return context.get_dummy_value()

    return types.void(x, types.int64, depth, planes), codegen


@intrinsic(prefer_literal=True)
def count_eight(typingctx: Any, planes: Any, depth: Any, high: Any) -> Any:
    """How many of the values that were `split` are 8 high, 8 high + 1, ... 8 high + 7."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = data_of(context, builder, signature, args, 0)
        ones = ir.Constant(_LANES, [-1] * LANES)
        found = [cgutils.alloca_once_value(builder, ir.Constant(_LANES, [0] * LANES)) for _ in range(TOGETHER)]
        flips = []  # all bits, where a bit of `high` is 0
        for j in range(depth.literal_value - 3):
            bit = builder.and_(builder.lshr(args[2], _LONG(j)), _LONG(1))
            flips.append(splat(builder, builder.sub(bit, _LONG(1)), _LANES))

        def work(at: Any) -> None:
            places = [builder.add(at, _LONG(j * WORDS)) for j in range(depth.literal_value)]
            bits = [load_vector(builder, data, place, _LANES) for place in places]
            products = [ones]
            for bit, flip in zip(bits[3:], flips, strict=True):
                products = [builder.and_(p, builder.xor(bit, flip)) for p in products]
            for bit in bits[2::-1]:
                products = [builder.and_(p, b) for p in products for b in (builder.xor(bit, ones), bit)]
            for slot, product in zip(found, products, strict=True):
                number = _called(builder, "ctpop", _LANES, _LANES, product)
                builder.store(builder.add(builder.load(slot), number), slot)

        _each(builder, WORDS, LANES, work)
        sums = [_called(builder, "vector.reduce.add", _LANES, _LONG, builder.load(slot)) for slot in found]
        return context.make_tuple(builder, signature.return_type, sums)

    return types.UniTuple(types.int64, TOGETHER)(planes, depth, types.int64), codegen
