"""Arrow's validity bitmaps: a copy of a column in which the rows without a bit are NaN."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types

from .jit import compile_kernel

# what is added to eight rows, by the byte of their bits: -0.0 changes no number, not even -0.0
_ADDED = np.where(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little"), -0.0, np.nan)
_ADDED.flags.writeable = False


@cache
def compile_blank() -> Callable[[Any, Any, int, Any], None]:
    """The kernel `blank(x, packed, first, out)`: out is x, and NaN where a bit is 0; the bit of row 0 is number `first`."""

    def blank(x, packed, first, out, added):  # type: ignore[no-untyped-def]
        head = min(-first & 7, x.size)  # rows before the first whole byte
        for i in range(head):
            at = first + i
            out[i] = x[i] + added[packed[at >> 3], at & 7]
        bytes_ = packed[(first + head) >> 3 :]
        whole = (x.size - head) >> 3
        rows, blanked = x[head:], out[head:]
        for k in range(whole):
            byte = bytes_[k]
            for j in range(8):
                blanked[8 * k + j] = rows[8 * k + j] + added[byte, j]
        for i in range(8 * whole, rows.size):
            blanked[i] = rows[i] + added[bytes_[whole], i & 7]

    given = types.Array(types.float64, 1, "C", readonly=True)
    packed = types.Array(types.uint8, 1, "C", readonly=True)
    table = types.Array(types.float64, 2, "C", readonly=True)
    kernel = compile_kernel(blank, types.void(given, packed, types.int64, types.float64[::1], table), "blank")
    return lambda x, packed, first, out: kernel(x, packed, first, out, _ADDED)
