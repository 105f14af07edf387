"""Fetching memory ahead: what a processor does not foresee, or not soon enough while it computes.

Rows of which much is computed fill the queue of waiting instructions, so that few of the next ones are asked for in
time: without this, some processors read them at half their bandwidth.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

TILE = 128  # rows that are fetched at a time; 16 registers of eight numbers
LINE = 64  # bytes
AHEAD = 4096  # bytes from the rows being added to those fetched into the second cache, which waits for more lines at once
FIRST, SECOND = 3, 2  # the cache that is fetched into
_BYTE, _NUMBER = ir.IntType(8).as_pointer(), ir.IntType(32)


def prefetch(builder: Any, address: Any, cache: int) -> None:
    """Fetch the line at an address, which need not be anybody's."""
    kind = ir.FunctionType(ir.VoidType(), [_BYTE, *[_NUMBER] * 3])
    function = builder.module.declare_intrinsic("llvm.prefetch", [_BYTE], kind)
    builder.call(function, [builder.inttoptr(address, _BYTE), _NUMBER(0), _NUMBER(cache), _NUMBER(1)])


@intrinsic(prefer_literal=True)
def fetch(typingctx: Any, x: Any, i: Any, rows: Any) -> Any:
    """Fetch rows of a C-ordered array that are soon read: `rows` from row i on, the next after those being added, into the
    first cache, and as many further on into the second. They may lie behind the array's end."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = signature.args[0]
        data = context.make_array(array)(context, builder, args[0]).data
        start = builder.ptrtoint(builder.gep(data, [args[1]]), args[1].type)
        size = context.get_abi_sizeof(context.get_data_type(array.dtype))
        tile = size * rows.literal_value
        for offset in range(0, tile, LINE):
            near = builder.add(start, start.type(offset))
            prefetch(builder, near, FIRST)
            prefetch(builder, builder.add(near, near.type(AHEAD - tile)), SECOND)
        return context.get_dummy_value()

    return types.void(x, types.intp, rows), codegen
