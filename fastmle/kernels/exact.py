"""Exact addition of block sums: Shewchuk's expansions, so that no order of blocks, threads or merges shows.

A total is a row of `WIDTH` floats: slot 0 holds what is not finite (infinities and NaN, added as they come), slot 1
the number of components, the rest the components: non-overlapping floats whose exact sum is the total.
Source: J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic, Discrete Comput. Geom. 18 (1997), GROW-EXPANSION and
COMPRESS (its way down).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from .jit import compile_kernel

FIRST = 2
MOST = 40  # components of 53 bits cover the whole range of float64
UNSOUND = 3  # the place of a tally behind those of the counts
ROOM = MOST + 8  # components that need not be so dense; where they are more, they are made so
WIDTH = FIRST + ROOM
FEW = 8  # blocks that are added one by one


def empty_totals(kinds: str) -> np.ndarray:
    """One total a slot; kind "s" starts at 0, "m" (a maximum, kept in column 0) at -inf."""
    totals = np.zeros((len(kinds), WIDTH))
    if "m" in kinds:
        totals[[kind == "m" for kind in kinds], 0] = -math.inf
    return totals


@register_jitable
def _compress(totals: Any, k: int, used: int) -> int:
    """Write total k in the fewest components, each within half a unit in the last place of the next; return how many."""
    x, at = totals[k, FIRST + used - 1], used - 1
    for j in range(used - 2, -1, -1):
        y = totals[k, FIRST + j]
        high = x + y
        low = y - (high - x)
        if low != 0.0:
            totals[k, FIRST + at] = high
            at -= 1
            high = low
        x = high
    totals[k, FIRST + at] = x
    for j in range(used - at):
        totals[k, FIRST + j] = totals[k, FIRST + at + j]
    return used - at


@register_jitable
def _grow(totals: Any, k: int, used: int, x: float) -> int:
    """Add x to total k, which has so many components; return how many it has then. Slot 1 is left to the caller."""
    if not abs(x) < np.inf:
        totals[k, 0] += x
        return used
    if used == ROOM:
        used = _compress(totals, k, used)
    kept = 0
    for j in range(used):
        y = totals[k, FIRST + j]
        if abs(x) < abs(y):
            x, y = y, x
        high = x + y
        low = y - (high - x)
        if low != 0.0:
            totals[k, FIRST + kept] = low
            kept += 1
        x = high
    if not abs(x) < np.inf:  # the total itself has left the range of float64
        totals[k, 0] += x
        return 0
    totals[k, FIRST + kept] = x
    return kept + 1


@register_jitable
def _two_sum(x: float, y: float) -> tuple[float, float]:
    """x + y as the nearest float and what is left of it (D. E. Knuth, The Art of Computer Programming 2, 4.2.2)."""
    high = x + y
    y_in = high - x
    return high, (x - (high - y_in)) + (y - y_in)


@register_jitable
def _add_run(totals: Any, k: int, sums: Any) -> None:
    """Add column k of `sums` to total k.

    First about three floats, of which each takes what the one before it loses: without a branch, so that the processor works
    on several blocks at once. Where they cannot hold a sum, block by block.
    """
    used = int(totals[k, 1])
    first = second = third = 0.0
    fits = sums.shape[0] >= FEW
    if fits:
        for b in range(sums.shape[0]):
            first, left = _two_sum(first, sums[b, k])
            second, left = _two_sum(second, left)
            third, left = _two_sum(third, left)
            fits &= left == 0.0  # NaN where a sum is not finite
    if fits:
        used = _grow(totals, k, _grow(totals, k, _grow(totals, k, used, third), second), first)
    else:
        for b in range(sums.shape[0]):
            used = _grow(totals, k, used, sums[b, k])
    totals[k, 1] = used


def _add_blocks(totals: Any, is_max: Any, sums: Any) -> None:
    for k in range(totals.shape[0]):
        if is_max[k]:
            for b in range(sums.shape[0]):
                totals[k, 0] = max(totals[k, 0], sums[b, k])
        else:
            _add_run(totals, k, sums)


def _merge(totals: Any, is_max: Any, other: Any) -> None:
    for k in range(totals.shape[0]):
        if is_max[k]:
            totals[k, 0] = max(totals[k, 0], other[k, 0])
            continue
        totals[k, 0] += other[k, 0]
        used = int(totals[k, 1])
        for j in range(int(other[k, 1])):
            used = _grow(totals, k, used, other[k, FIRST + j])
        totals[k, 1] = used


_add_blocks_inline = register_jitable(_add_blocks)


def _add_if_sound(totals: Any, is_max: Any, sums: Any, counts: Any) -> bool:
    for k in range(totals.shape[0]):
        if not is_max[k] and not abs(sums[0, k]) < np.inf:
            return False
    for k in range(counts.shape[1]):
        if counts[0, k] != 0:
            return False
    _add_blocks_inline(totals, is_max, sums)
    return True


@cache
def add_if_sound() -> Callable[..., bool]:
    """`add_if_sound()(totals, is_max, sums, counts)`: add one block whose rows all count, else add nothing."""
    matrix = types.float64[:, ::1]
    signature = types.boolean(matrix, types.boolean[::1], matrix, types.int64[:, ::1])
    return compile_kernel(_add_if_sound, signature, "add_if_sound", brief=True)


@cache
def add_blocks() -> Callable[..., None]:
    """`add_blocks()(totals, is_max, sums)`: add each row of `sums` (blocks, slots) to `totals`, exactly."""
    matrix = types.float64[:, ::1]
    return compile_kernel(_add_blocks, types.void(matrix, types.boolean[::1], matrix), "add_blocks")


def _add_multiples(totals: Any, rows: Any, first: float, second: float) -> None:
    for k in range(totals.shape[0]):
        used = _grow(totals, k, int(totals[k, 1]), first * rows[0, k])
        totals[k, 1] = _grow(totals, k, used, second * rows[1, k])


@cache
def add_multiples() -> Callable[..., None]:
    """`add_multiples()(totals, rows, first, second)`: add the two `rows` so many times to sums, where products are exact."""
    matrix = types.float64[:, ::1]
    signature = types.void(matrix, types.Array(types.float64, 2, "C", readonly=True), types.float64, types.float64)
    return compile_kernel(_add_multiples, signature, "add_multiples", brief=True)


@cache
def merge_totals() -> Callable[..., None]:
    """`merge_totals()(totals, is_max, other)`: add another set of totals, exactly."""
    matrix = types.float64[:, ::1]
    return compile_kernel(_merge, types.void(matrix, types.boolean[::1], matrix), "merge_totals", brief=True)


def _add_slice(totals: Any, is_max: Any, sums: Any, counts: Any, tally: Any) -> None:
    _add_blocks_inline(totals, is_max, sums)
    for b in range(sums.shape[0]):
        sound = True
        for k in range(sums.shape[1]):
            sound &= is_max[k] or abs(sums[b, k]) < np.inf
        for k in range(3):
            tally[k] += counts[b, k]
        tally[UNSOUND] += not sound


@cache
def add_slice() -> Callable[..., None]:
    """`add_slice()(totals, is_max, sums, counts, tally)`: add rows to `totals`, and to a `tally` of four what the blocks
    count and how many of them have sums that are not finite."""
    matrix, whole = types.float64[:, ::1], types.int64[:, ::1]
    signature = types.void(matrix, types.boolean[::1], matrix, whole, types.int64[::1])
    return compile_kernel(_add_slice, signature, "add_slice")


def _read(totals: Any, is_max: Any, out: Any) -> None:
    for k in range(totals.shape[0]):
        if is_max[k] or totals[k, 0] != 0.0:
            out[k] = totals[k, 0]
            continue
        high = low = 0.0
        j = FIRST + int(totals[k, 1])
        while j > FIRST and low == 0.0:
            j -= 1
            x, y = high, totals[k, j]
            high = x + y
            low = y - (high - x)
        if j > FIRST and ((low < 0.0 and totals[k, j - 1] < 0.0) or (low > 0.0 and totals[k, j - 1] > 0.0)):
            twice = low + low  # half way between two floats: what is left decides
            x = high + twice
            if twice == x - high:
                high = x
        out[k] = high


@cache
def read_totals() -> Callable[..., None]:
    """`read_totals()(totals, is_max, out)`: every total correctly rounded, as `fsum` does one."""
    matrix, vector = types.float64[:, ::1], types.float64[::1]
    return compile_kernel(_read, types.void(matrix, types.boolean[::1], vector), "read_totals", brief=True)
