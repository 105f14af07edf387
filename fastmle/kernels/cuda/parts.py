"""What device kernels are built from: columns read by address, and tuples of sums in registers or in shared memory.

Each part is plain Python, which the simulator runs, with an overload for the device.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from ..products import PRODUCTS
from ..slots import combined
from ..tiles import F32, F64, I32, I64

_C_TYPES = (ctypes.c_double, ctypes.c_float, ctypes.c_int64, ctypes.c_int32, ctypes.c_uint8)
_GLOBAL = 1  # the address space


def read(address: int, kind: int) -> float:
    """The number of one of the five dtypes at an address of the device."""
    return float(_C_TYPES[kind].from_address(int(address)).value)


def _reader(kind: Any, convert: Any) -> Any:
    @intrinsic
    def load(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return convert(builder, builder.load(builder.inttoptr(args[0], kind.as_pointer(_GLOBAL))))

        return types.float64(types.int64), codegen

    return load


_DOUBLE = ir.DoubleType()
_f64 = _reader(_DOUBLE, lambda b, v: v)
_f32 = _reader(ir.FloatType(), lambda b, v: b.fpext(v, _DOUBLE))
_i64 = _reader(ir.IntType(64), lambda b, v: b.sitofp(v, _DOUBLE))
_i32 = _reader(ir.IntType(32), lambda b, v: b.sitofp(v, _DOUBLE))
_u8 = _reader(ir.IntType(8), lambda b, v: b.uitofp(v, _DOUBLE))


@overload(read, target="cuda", strict=False)
def _read(address: Any, kind: Any) -> Any:
    def load(address: int, kind: int) -> float:
        if kind == F64:
            return _f64(address)
        if kind == F32:
            return _f32(address)
        if kind == I64:
            return _i64(address)
        if kind == I32:
            return _i32(address)
        return _u8(address)

    return load


@cache
def adder(layout: str) -> Callable[..., Any]:
    """`add(state, values, logs, w, log_w)`: the state with one row added; see `slot_layout` for the layout."""
    kinds, _, extras = layout.partition("|")

    def add(state: Any, values: Any, logs: Any, w: float, log_w: float) -> Any:
        given = iter(logs)
        row = [
            next(given) if k in PRODUCTS else float(v) for k, v in zip(kinds, values, strict=True) if k != "e"
        ]
        weigh = w if "w" in extras else 1.0
        new = []
        for kind, a, v in zip(kinds.replace("e", ""), state, row, strict=False):
            once = kind == "r" and "p" in extras
            new.append(max(a, v) if kind == "m" else a + (v if once else weigh * v))
        rest = iter(state[len(new) :])
        if "w" in extras:
            new.append(next(rest) + w)
        if "p" in extras:
            new.append(next(rest) + log_w)
        if "o" in extras:
            full = [w, *(w * v for v in row)]
            new += [next(rest) + a * b for i, a in enumerate(full) for b in full[i:]]
        return tuple(new)

    @intrinsic
    def emit(typingctx: Any, state: Any, values: Any, logs: Any, w: Any, log_w: Any) -> Any:
        result = types.UniTuple(types.float64, state.count)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            new = combined(context, builder, layout, signature.args[1].types, args, device=True)
            return context.make_tuple(builder, result, new)

        return result(state, values, logs, w, log_w), codegen

    @overload(add, target="cuda", strict=False)
    def _add(state: Any, values: Any, logs: Any, w: Any, log_w: Any) -> Any:
        return lambda state, values, logs, w, log_w: emit(state, values, logs, w, log_w)

    return add


def put(array: Any, at: int, step: int, values: Any) -> None:
    """array[at], array[at + step], ... = values: a tuple, without a detour by local memory."""
    for k, v in enumerate(values):
        array[at + k * step] = v


@cache
def taker(count: int) -> Callable[..., Any]:
    """`take(array, at, step)` -> (array[at], array[at + step], ...), `count` of them."""

    def take(array: Any, at: int, step: int) -> Any:
        return tuple(array[at + k * step] for k in range(count))

    @intrinsic
    def emit(typingctx: Any, array: Any, at: Any, step: Any) -> Any:
        result = types.UniTuple(types.float64, count)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            places = _places(context, builder, signature.args[0], args, count)
            return context.make_tuple(builder, result, [builder.load(p) for p in places])

        return result(array, types.int64, types.int64), codegen

    @overload(take, target="cuda", strict=False)
    def _take(array: Any, at: Any, step: Any) -> Any:
        return lambda array, at, step: emit(array, at, step)

    return take


@intrinsic
def _store(typingctx: Any, array: Any, at: Any, step: Any, values: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = _places(context, builder, signature.args[0], args, values.count)
        for place, v in zip(places, cgutils.unpack_tuple(builder, args[3]), strict=True):
            builder.store(v, place)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64, values), codegen


@overload(put, target="cuda", strict=False)
def _put(array: Any, at: Any, step: Any, values: Any) -> Any:
    return lambda array, at, step, values: _store(array, at, step, values)


def _places(context: Any, builder: Any, array_type: Any, args: Any, count: int) -> list[Any]:
    data = context.make_array(array_type)(context, builder, args[0]).data
    places, at = [], args[1]
    for _ in range(count):
        places.append(builder.gep(data, [at]))
        at = builder.add(at, args[2])
    return places
