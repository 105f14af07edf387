"""Sums of products on the device: Gram matrices and passes of generalized linear models, in one kernel.

A CUDA block takes a block of 4096 rows in tiles. First each thread fills one row of the tile's table in shared memory:
its columns are t = (1, u_1, .., u_k) and whatever else is to be summed. Then each thread takes a sum, or a share of
its rows, and multiplies the columns that `factors` names for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import cuda, types
from numba.extending import register_jitable

from ..fold import BLOCK, LARGEST
from ..glm import HEAD
from ..vecmath import log
from . import maths
from .fold import NULLS, THREADS, ZEROS, Kernel, unpack
from .parts import read

SHARED = 47104  # bytes of shared memory a CUDA block, with THREADS counts beside it
MOST_PARTIAL = 1024  # partial sums kept there; else they are kept in the result
GOOD, BAD, NULL, ZERO = range(4)  # what a filler says of a row
SCORE, CURVE = HEAD, HEAD + 1  # columns of the table behind t: those of the head, then these
GLM_EXTRA, GRAM_EXTRA = HEAD + 2, 3

assert maths


def tile_for(columns: int, slots: int) -> tuple[int, int, int]:
    """Rows of a tile, threads that share a sum, bytes of shared memory, for a table of these columns."""
    lanes = 1
    while 2 * lanes * slots <= THREADS:
        lanes *= 2
    partial = 8 * lanes * slots if lanes * slots <= MOST_PARTIAL else 0
    tile = THREADS
    while tile > 1 and 8 * columns * (tile + 1) + partial > SHARED:
        tile //= 2
    if 8 * columns * (tile + 1) + partial > SHARED:
        raise ValueError(f"{columns} columns are too many for the device")
    return tile, min(lanes, tile), 8 * columns * (tile + 1) + partial


def _make(fill: Callable[..., int]) -> Any:
    """The kernel around `fill(table, r, pitch, places, row, columns, constants, flags)` -> what the row is worth."""

    def products(places, columns, rows, constants, flags, factors, shape, sums, counts):  # type: ignore[no-untyped-def]
        memory = cuda.shared.array(0, types.float64)
        tally = cuda.shared.array(THREADS, types.int64)
        tid = cuda.threadIdx.x
        tile, lanes, width = shape[0], shape[1], shape[2]
        pitch = tile + 1
        slots = factors.shape[0]
        work = slots * lanes
        few = work <= MOST_PARTIAL
        base = columns * pitch
        for b in range(cuda.blockIdx.x, sums.shape[0], cuda.gridDim.x):
            packed = 0
            for q in range(tid, work, THREADS):
                if few:
                    memory[base + q] = 0.0
                else:
                    sums[b, q] = 0.0
            end = min((b + 1) * BLOCK, rows)
            for lo in range(b * BLOCK, end, tile):
                if tid < tile:
                    what = ZERO
                    if lo + tid < end:
                        what = fill(memory, tid, pitch, places, lo + tid, constants, flags)
                        if what == BAD:
                            packed += 1
                        elif what == NULL:
                            packed += NULLS
                        elif what == ZERO:
                            packed += ZEROS
                    if what != GOOD:
                        for j in range(columns):
                            memory[j * pitch + tid] = 0.0
                cuda.syncthreads()
                for q in range(tid, work, THREADS):
                    p = q // lanes
                    a0, a1, a2 = factors[p, 0] * pitch, factors[p, 1] * pitch, factors[p, 2] * pitch
                    s = 0.0
                    if width == 3:
                        for r in range(q % lanes, tile, lanes):
                            s += memory[a0 + r] * memory[a1 + r] * memory[a2 + r]
                    else:
                        a3, a4 = factors[p, 3] * pitch, factors[p, 4] * pitch
                        for r in range(q % lanes, tile, lanes):
                            one = memory[a0 + r] * memory[a1 + r] * memory[a2 + r]
                            s += one * (memory[a3 + r] * memory[a4 + r])
                    if few:
                        memory[base + q] += s
                    else:
                        sums[b, q] += s
                cuda.syncthreads()
            if few:
                for p in range(tid, slots, THREADS):
                    s = 0.0
                    for lane in range(lanes):
                        s += memory[base + p * lanes + lane]
                    sums[b, p] = s
            tally[tid] = packed
            cuda.syncthreads()
            if tid == 0:
                packed = 0
                for i in range(THREADS):
                    packed += tally[i]
                unpack(packed, counts, b)
            cuda.syncthreads()

    i8, f8 = types.int64, types.float64
    signature = types.void(
        i8[:, ::1], i8, i8, f8[:, ::1], i8[::1], types.int32[:, ::1], types.UniTuple(i8, 3), f8[:, ::1], i8[:, ::1]
    )
    return products, signature


@cache
def make_gram() -> Kernel:
    """Σ w t tᵀ and what `gram_factors` names; flags: (columns of data, weighted, drop); constants: (center, per)."""

    @register_jitable
    def fill(table, r, pitch, places, row, constants, flags):  # type: ignore[no-untyped-def]
        k, weighted, drop = flags[0], flags[1] != 0, flags[2] != 0
        w = 1.0
        if weighted:
            w = read(places[0, k] + row * places[1, k], places[2, k])
        finite, null = True, w != w
        table[r] = 1.0
        for j in range(k):
            x = read(places[0, j] + row * places[1, j], places[2, j])
            t = (x - constants[0, j]) * constants[1, j]
            finite = finite and abs(t) <= LARGEST
            null = null or t != t
            table[(j + 1) * pitch + r] = t
        at = (k + 1) * pitch + r
        table[at] = w
        table[at + pitch] = w * w
        if w == 0.0:
            return ZERO
        if null and drop:
            return NULL
        if not (finite and w > 0.0 and w <= LARGEST):
            return BAD
        table[at + 2 * pitch] = log(w)
        return GOOD

    function, signature = _make(fill)
    return Kernel(function, signature, THREADS, ())


def triangle(k: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(k)


def gram_factors(k: int, weighted: bool, outer: bool, precision: bool) -> np.ndarray:
    """Which columns of the table (t of `k` entries, w, w², log w) each sum multiplies; column 0 is 1."""
    i, j = triangle(k)
    w, ww, log_w = k, k + 1, k + 2
    first = np.stack([i, j, np.full(i.size, w if weighted else 0)], axis=1)
    groups = [first]
    if outer:
        a, b = triangle(i.size)
        groups[0] = np.pad(first, ((0, 0), (0, 2)))
        groups.append(np.stack([i[a], j[a], np.full(a.size, ww), i[b], j[b]], axis=1))
    if precision:
        groups.append(np.array([[log_w, 0, 0]]))
    return np.ascontiguousarray(np.concatenate(groups), np.int32)


@cache
def make_glm(row: Any, constants_of: Any, support: Any) -> Kernel:
    """As `glm` of kernels/glm.py. flags: (features, offset, trials, weights, drop, constants too, matrix, precision);
    constants: (center, per, β), each from the intercept on, and the shape q in a row of its own."""

    @register_jitable
    def fill(table, r, pitch, places, row_number, constants, flags):  # type: ignore[no-untyped-def]
        features = flags[0]
        at = features
        y = read(places[0, at] + row_number * places[1, at], places[2, at])
        m, w, offset, q = 1.0, 1.0, 0.0, constants[3, 0]
        if flags[1]:
            at += 1
            offset = read(places[0, at] + row_number * places[1, at], places[2, at])
        if flags[2]:
            at += 1
            m = read(places[0, at] + row_number * places[1, at], places[2, at])
        if flags[3]:
            at += 1
            w = read(places[0, at] + row_number * places[1, at], places[2, at])
        eta = constants[2, 0] + offset
        null = y != y or m != m or w != w or offset != offset
        finite = abs(offset) <= LARGEST
        table[r] = 1.0
        for j in range(features):
            x = read(places[0, j] + row_number * places[1, j], places[2, j])
            t = (x - constants[0, j + 1]) * constants[1, j + 1]
            finite = finite and abs(t) <= LARGEST
            null = null or t != t
            table[(j + 1) * pitch + r] = t
            eta += t * constants[2, j + 1]
        if w == 0.0:
            return ZERO
        if null and flags[4]:
            return NULL
        if null or not finite or not support(y, m) or not (w > 0.0 and w <= LARGEST):
            return BAD
        loss, score, curve, pearson, u, v = row(eta, y, m, q)
        if flags[6] == 1:
            curve = score * score
        elif flags[6] == 2:
            curve = score * score * w
        at = (features + 1) * pitch + r
        table[at] = loss * w
        table[at + pitch] = pearson * w
        table[at + 2 * pitch] = u * w
        table[at + 3 * pitch] = v * w
        table[at + 4 * pitch] = w
        if flags[5]:
            a, b, c, d = constants_of(y, m, q)
            table[at + 5 * pitch] = w * m
            table[at + 6 * pitch] = w * m * y
            table[at + 7 * pitch] = a * w
            table[at + 8 * pitch] = b * w
            table[at + 9 * pitch] = c if flags[7] else c * w
            table[at + 10 * pitch] = d * w
            table[at + 11 * pitch] = log(w) if flags[7] else 0.0
        else:
            for i in range(5, HEAD):
                table[at + i * pitch] = 0.0
        table[at + SCORE * pitch] = score * w
        table[at + CURVE * pitch] = curve * w
        return GOOD

    function, signature = _make(fill)
    return Kernel(function, signature, THREADS, (row, constants_of, support))


def glm_factors(k: int) -> np.ndarray:
    """The head's columns, then score times t, then curve times t tᵀ."""
    i, j = triangle(k)
    head = np.zeros((HEAD, 3), np.int32)
    head[:, 0] = k + np.arange(HEAD)
    score = np.zeros((k, 3), np.int32)
    score[:, 0], score[:, 1] = k + SCORE, np.arange(k)
    matrix = np.stack([np.full(i.size, k + CURVE), i, j], axis=1)
    return np.ascontiguousarray(np.concatenate([head, score, matrix]), np.int32)
