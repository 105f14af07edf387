"""Bins of a coordinate that are 1/4096 of their distance from 0 wide: the weight and the ends of what lies in each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import types

from .jit import compile_kernel
from .vecmath.machine import bits

_FAR = 2.0**32
_FINE = 52 - 12  # so many bits after the leading one tell bins of a binade apart
_COARSE = 52 - 4  # and so many from 2^32 on
_FIRST = (1023 - 9) << 12  # all below 2^-9 share a bin
_MIDDLE = ((1023 + 32) << 12) - _FIRST
_LATER = ((1023 + 32) << 4) - _MIDDLE
HALF = (2047 << 4) - _LATER + 1
BINS = 2 * HALF  # those of negative coordinates come second


@cache
def compile_digest(weighted: bool) -> Callable[..., None]:
    """The kernel `digest(z, x, w, totals, lows, highs, modes, leads)`: each row is added, in their order, to the bin of
    its coordinate z. A value with most of a bin's weight is its mode, found by voting (R. Boyer & J. Moore, 1981).

    Rows whose coordinate is NaN or whose weight is not positive are passed over.
    """

    def digest(z, x, w, totals, lows, highs, modes, leads):  # type: ignore[no-untyped-def]
        for i in range(z.size):
            a = abs(z[i])
            weight = w[i] if weighted else 1.0
            if not ((a <= np.inf) & (weight > 0.0)):
                continue
            k = max((bits(a) >> _FINE) - _FIRST, 0) if a < _FAR else (bits(a) >> _COARSE) - _LATER
            if z[i] < 0.0:
                k += HALF
            v = x[i]
            if totals[k] == 0.0:
                lows[k] = highs[k] = v
            else:
                lows[k] = min(lows[k], v)
                highs[k] = max(highs[k], v)
            totals[k] += weight
            if modes[k] == v:
                leads[k] += weight
            elif leads[k] > weight:
                leads[k] -= weight
            else:
                modes[k], leads[k] = v, weight - leads[k]

    given = types.Array(types.float64, 1, "C", readonly=True)
    kept = types.float64[::1]
    signature = types.void(given, given, given, kept, kept, kept, kept, kept)
    return compile_kernel(digest, signature, f"digest_{'weighted' if weighted else 'plain'}")
