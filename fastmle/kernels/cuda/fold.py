"""The fold on the device: a CUDA block a block of 4096 rows, running sums in registers, a tree in shared memory.

The order of additions is fixed by the layout of threads alone, so that no schedule shows in the sums of a block.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from numba import cuda, types
from numba.extending import register_jitable

from ..fold import BLOCK, LARGEST, _finite
from ..products import logs_of, make_log
from ..slots import slot_kinds
from ..vecmath import log
from . import maths
from .parts import adder, put, read, taker

IN_REGISTERS = 8  # sums a thread keeps there; more of them stay in shared memory
SHARED = 40960  # bytes of shared memory that the sums of a CUDA block may take
THREADS = 128
NULLS, ZEROS = 1 << 20, 1 << 40  # units of the packed count of bad, null and weightless rows

assert maths  # registers what vecmath is on the device


class Kernel(NamedTuple):
    """A device kernel before it is compiled: the function, its signature, threads a CUDA block."""

    function: Any
    signature: Any
    threads: int
    made_of: tuple[Any, ...]  # the row functions


@register_jitable
def sum_tree(shared: Any, tally: Any, tid: int, threads: int, slots: int, maxima: int) -> None:
    """Add the columns of `shared` (slots, threads) and `tally` (threads) into their first entries."""
    half = threads // 2
    while half > 0:
        cuda.syncthreads()
        if tid < half:
            for k in range(slots):
                at = k * threads + tid
                a, b = shared[at], shared[at + half]
                if (maxima >> min(k, 62)) & 1:
                    shared[at] = b if b > a else a
                else:
                    shared[at] = a + b
            tally[tid] += tally[tid + half]
        half //= 2
    cuda.syncthreads()


@register_jitable
def unpack(packed: int, counts: Any, b: int) -> None:
    counts[b, 0] = packed & (NULLS - 1)
    counts[b, 1] = (packed >> 20) & (NULLS - 1)
    counts[b, 2] = packed >> 40


def threads_for(slots: int) -> int:
    threads = THREADS
    while slots * threads * 8 > SHARED and threads > 32:
        threads //= 2
    if slots * threads * 8 > SHARED:
        raise ValueError(f"{slots} sums a row are too many for the device")
    return threads


def constants_maker(theta_type: Any) -> Callable[..., Any]:
    """theta_type from a tuple that has one number more than it has fields."""
    fields = len(theta_type._fields)
    if fields == 0:
        return register_jitable(lambda theta: theta_type())  # type: ignore[no-any-return]
    return register_jitable(lambda theta: theta_type(*theta[:fields]))  # type: ignore[no-any-return]


@cache
def make_fold(row: Any, support: Any, theta_type: Any, layout: str, drop: bool) -> Kernel:
    """`fold(x, x_step, x_kind, w, w_step, w_kind, rows, theta, sums, counts)`: as the fold of kernels/fold.py, of columns
    by address, step in bytes and kind."""
    kinds, _, extras = layout.partition("|")
    weighted, precision = "w" in extras, "p" in extras
    letters = slot_kinds(layout)
    slots = len(letters)
    threads = threads_for(slots)
    start = tuple(float("-inf") if k == "m" else 0.0 for k in letters)
    maxima = sum(1 << k for k, letter in enumerate(letters) if letter == "m")
    logs = logs_of(kinds)
    count, first, second, slip0, slip1 = logs[:5]
    log_of = make_log(logs)
    in_shared = slots > IN_REGISTERS
    possible = support or _finite
    constants = constants_maker(theta_type)
    add, take = adder(layout), taker(slots)
    size = slots * threads

    @register_jitable
    def added(s: Any, v: Any, w: float, log_w: float, th: Any) -> Any:
        if count == 0:
            return add(s, v, (), w, log_w)
        return add(s, v, (log_of(v[first], v[slip0], th), log_of(v[second], v[slip1], th)), w, log_w)

    def fold(x, x_step, x_kind, w, w_step, w_kind, rows, theta, sums, counts):  # type: ignore[no-untyped-def]
        shared = cuda.shared.array(size, types.float64)
        tally = cuda.shared.array(threads, types.int64)
        tid = cuda.threadIdx.x
        th = constants(theta)
        for b in range(cuda.blockIdx.x, sums.shape[0], cuda.gridDim.x):
            s = start
            if in_shared:
                put(shared, tid, threads, s)
            packed = 0
            for r in range(b * BLOCK + tid, min((b + 1) * BLOCK, rows), threads):
                xi = read(x + r * x_step, x_kind)
                wi = read(w + r * w_step, w_kind) if weighted else 1.0
                use = possible(xi, th) and wi > 0.0 and wi <= LARGEST
                if use:
                    v = row(xi, th)
                    lw = log(wi) if precision else 0.0
                    if in_shared:
                        put(shared, tid, threads, added(take(shared, tid, threads), v, wi, lw, th))
                    else:
                        s = added(s, v, wi, lw, th)
                elif wi == 0.0:
                    packed += ZEROS
                elif drop and (xi != xi or wi != wi):
                    packed += NULLS
                else:
                    packed += 1
            if not in_shared:
                put(shared, tid, threads, s)
            tally[tid] = packed
            sum_tree(shared, tally, tid, threads, slots, maxima)
            for k in range(tid, slots, threads):
                sums[b, k] = shared[k * threads]
            if tid == 0:
                unpack(tally[0], counts, b)
            cuda.syncthreads()

    i8, f8 = types.int64, types.float64
    theta_tuple = types.UniTuple(f8, len(theta_type._fields) + 1)
    signature = types.void(i8, i8, i8, i8, i8, i8, i8, theta_tuple, f8[:, ::1], i8[:, ::1])
    return Kernel(fold, signature, threads, (row, support))
