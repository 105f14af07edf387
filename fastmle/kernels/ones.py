"""Counting the ones of a column of zeros and ones, a byte each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from .ahead import fetch
from .jit import compile_kernel
from .sharing import DONE, FOUND, NEXT, fetch_add, wait_for_all

TILE = 256  # words of eight bytes
STRETCH = 128 * TILE  # words between two looks at whether something else than 0 and 1 was among them
PIECE = 1 << 18  # bytes that a thread takes at a time
ONES, STRANGE = FOUND, FOUND + 1  # places on the board
OTHER = 0xFEFEFEFEFEFEFEFE  # the bits that a one does not have
_WORD = ir.IntType(64)


@intrinsic
def _set_bits(typingctx: Any, word: Any) -> Any:
    """How many bits of a word are set: one instruction for eight words, where the processor has it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_WORD, [_WORD])
        return builder.call(builder.module.declare_intrinsic("llvm.ctpop", [_WORD], kind), args)

    return types.int64(types.uint64), codegen


@register_jitable
def _ones(x: Any) -> int:
    """How many bytes of x are 1, or -1 if one is neither 0 nor 1; then the rest is not read."""
    total = 0
    words = x[: x.size // 8 * 8].view(np.uint64)
    for lo in range(0, words.size, STRETCH):
        seen = np.uint64(0)
        for at in range(lo, min(lo + STRETCH, words.size), TILE):
            fetch(words, at + TILE, TILE)
            part = words[at : min(at + TILE, words.size)]
            here, some = 0, np.uint64(0)
            for i in range(part.size):
                here += _set_bits(part[i])
                some |= part[i]
            total += here
            seen |= some
        if seen & np.uint64(OTHER):
            return -1
    for i in range(8 * words.size, x.size):
        if x[i] > 1:
            return -1
        total += x[i]
    return total


@cache
def compile_ones() -> Callable[[Any, Any, bool], bool]:
    """`ones(x, board, leads)`: together with the other threads at a board, count there the ONES among the bytes of x; and
    in STRANGE the pieces that hold something else than 0 and 1, behind the first of which the rest is not read.
    Whether all is done."""

    def ones(x, board, leads):  # type: ignore[no-untyped-def]
        lo = fetch_add(board, NEXT, PIECE)
        while lo < x.size:
            hi = min(lo + PIECE, x.size)
            number = _ones(x[lo:hi])
            if number < 0:
                fetch_add(board, STRANGE, 1)
                hi += max(0, x.size - fetch_add(board, NEXT, x.size))  # nobody needs the rest
            else:
                fetch_add(board, ONES, number)
            fetch_add(board, DONE, hi - lo)
            lo = fetch_add(board, NEXT, PIECE)
        return wait_for_all(board, x.size, leads)

    column = types.Array(types.uint8, 1, "C", readonly=True)
    return compile_kernel(ones, types.boolean(column, types.int64[::1], types.boolean), "ones")
