"""Counting the ones of a column of zeros and ones, a byte each."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

_WORD = ir.IntType(64)


@intrinsic
def _set_bits(typingctx: Any, word: Any) -> Any:
    """How many bits of a word are set: one instruction for eight words, where the processor has it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_WORD, [_WORD])
        return builder.call(builder.module.declare_intrinsic("llvm.ctpop", [_WORD], kind), args)

    return types.int64(types.uint64), codegen


@register_jitable
def count_ones(x: Any, counts: Any, rows: int) -> None:
    """For each `rows` rows of x how many ones there are, and whether all bytes are 0 or 1, to the first two columns."""
    for b in range(counts.shape[0]):
        part = x[b * rows : min((b + 1) * rows, x.size)]
        words = part[: part.size // 8 * 8].view(np.uint64)
        ones, seen = 0, np.uint64(0)
        for i in range(words.size):
            ones += _set_bits(words[i])
            seen |= words[i]
        for i in range(8 * words.size, part.size):
            ones += part[i]
            seen |= np.uint64(part[i])
        counts[b, 0] = ones
        counts[b, 1] = (seen & np.uint64(0xFEFEFEFEFEFEFEFE)) == 0
