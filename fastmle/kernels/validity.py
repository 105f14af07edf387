"""Arrow's validity bitmaps: a copy of a column in which the rows without a bit are NaN."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types

from .jit import compile_kernel

NAN = int(np.array(np.nan).view(np.int64))


@cache
def compile_blank() -> Callable[[Any, Any, int, Any], None]:
    """The kernel `blank(x, packed, first, out)`: out is x, and NaN where a bit is 0; the bit of row 0 is number `first`."""

    def blank(x, packed, first, out):  # type: ignore[no-untyped-def]
        rows, blanked = x.view(np.int64), out.view(np.int64)
        head = min(-first & 7, x.size)  # rows before the first whole byte
        at = (first + head) >> 3
        words = packed[at : at + ((x.size - head) >> 6 << 3)].view(np.int64)
        for k in range(words.size):  # without a branch, in vector registers
            word = words[k]
            some = slice(head + 64 * k, head + 64 * k + 64)
            given, made = rows[some], blanked[some]
            for j in range(64):
                made[j] = NAN ^ ((given[j] ^ NAN) & ((word << np.int64(63 - j)) >> np.int64(63)))
        for i in range(head):
            blanked[i] = rows[i] if packed[(first + i) >> 3] >> ((first + i) & 7) & 1 else NAN
        for i in range(head + 64 * words.size, x.size):
            blanked[i] = rows[i] if packed[(first + i) >> 3] >> ((first + i) & 7) & 1 else NAN

    given = types.Array(types.float64, 1, "C", readonly=True)
    packed = types.Array(types.uint8, 1, "C", readonly=True)
    return compile_kernel(blank, types.void(given, packed, types.int64, types.float64[::1]), "blank")
