"""Tiles: a few hundred rows of any columns, by address, stride and dtype, as float64 in the first-level cache.

One kernel then serves any number of columns, of any of the five dtypes, with any strides: nothing is compiled twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

TILE = 256  # rows; a block is a whole number of tiles
KINDS = {np.dtype(t): i for i, t in enumerate(("f8", "f4", "i8", "i4", "u1"))}
F64, F32, I64, I32, U8 = range(5)


def addresses_of(columns: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Addresses, strides in bytes and kinds of columns, which the caller keeps alive."""
    return (
        np.array([c.__array_interface__["data"][0] for c in columns], np.int64),
        np.array([c.strides[0] for c in columns], np.int64),
        np.array([KINDS[c.dtype] for c in columns], np.int64),
    )


@register_jitable
def zeros(size: int) -> Any:
    """Zeros that begin with a line of the cache: registers that are stored and loaded across two lines take up to three times
    as long."""
    room = np.zeros(size + 7)
    first = -room.ctypes.data // 8 % 8
    return room[first : first + size]


@register_jitable
def zero_rows(count: int) -> Any:
    """The same as rows of a tile."""
    return zeros(count * TILE).reshape((count, TILE))


def _reader(kind: Any, convert: Any) -> Any:
    @intrinsic
    def read(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = builder.inttoptr(args[0], kind.as_pointer())
            return convert(builder, builder.load(pointer, align=1))

        return types.float64(types.intp), codegen

    return read


_DOUBLE = ir.DoubleType()
f64 = _reader(_DOUBLE, lambda b, v: v)
_f32 = _reader(ir.FloatType(), lambda b, v: b.fpext(v, _DOUBLE))
_i64 = _reader(ir.IntType(64), lambda b, v: b.sitofp(v, _DOUBLE))
_i32 = _reader(ir.IntType(32), lambda b, v: b.sitofp(v, _DOUBLE))
_u8 = _reader(ir.IntType(8), lambda b, v: b.uitofp(v, _DOUBLE))


@register_jitable(error_model="numpy", fastmath={"contract"})
def load(out: Any, address: int, stride: int, kind: int, rows: int, c: float, scale: float) -> None:
    """out[:rows] = (x − c) · scale, x the column from `address` on."""
    if kind == F64:
        if stride == 8:
            for r in range(rows):
                out[r] = (f64(address + r * 8) - c) * scale
        else:
            for r in range(rows):
                out[r] = (f64(address + r * stride) - c) * scale
    elif kind == F32:
        if stride == 4:
            for r in range(rows):
                out[r] = (_f32(address + r * 4) - c) * scale
        else:
            for r in range(rows):
                out[r] = (_f32(address + r * stride) - c) * scale
    elif kind == I64:
        for r in range(rows):
            out[r] = (_i64(address + r * stride) - c) * scale
    elif kind == I32:
        if stride == 4:
            for r in range(rows):
                out[r] = (_i32(address + r * 4) - c) * scale
        else:
            for r in range(rows):
                out[r] = (_i32(address + r * stride) - c) * scale
    else:
        for r in range(rows):
            out[r] = (_u8(address + r * stride) - c) * scale
