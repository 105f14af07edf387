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
FURTHER = 3  # times as many rows further on: the second cache waits for more lines at once than the first
FIRST, SECOND = 3, 2  # the cache that is fetched into
_BYTE, _NUMBER = ir.IntType(8).as_pointer(), ir.IntType(32)


def prefetch(builder: Any, address: Any, cache: int) -> None:
    """Fetch the line at an address, which need not be anybody's."""
    kind = ir.FunctionType(ir.VoidType(), [_BYTE, *[_NUMBER] * 3])
    function = builder.module.declare_intrinsic("llvm.prefetch", [_BYTE], kind)
    builder.call(function, [builder.inttoptr(address, _BYTE), _NUMBER(0), _NUMBER(cache), _NUMBER(1)])


@intrinsic(prefer_literal=True)
def fetch(typingctx: Any, x: Any, i: Any, rows: Any) -> Any:
    """Fetch rows of a C-ordered array that are soon read: `rows` from row i on into the first cache, and some further on
    into the second. They may lie behind the array's end."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = signature.args[0]
        data = context.make_array(array)(context, builder, args[0]).data
        start = builder.ptrtoint(builder.gep(data, [args[1]]), args[1].type)
        size = context.get_abi_sizeof(context.get_data_type(array.dtype))
        for offset in range(0, size * rows.literal_value, LINE):
            near = builder.add(start, start.type(offset))
            prefetch(builder, near, FIRST)
            prefetch(builder, builder.add(near, near.type(FURTHER * size * rows.literal_value)), SECOND)
        return context.get_dummy_value()

    return types.void(x, types.intp, rows), codegen
