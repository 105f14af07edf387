"""Counting on the device: whole numbers into one table of integers, whose additions have no order to depend on."""

from __future__ import annotations

from functools import cache

from numba import cuda, types

from ..fold import BLOCK
from .fold import THREADS, Kernel
from .parts import read

NEAR = 1024  # first entries of the table, which each CUDA block counts in shared memory


@cache
def make_count() -> Kernel:
    """`count(x, x_step, x_kind, rows, lowest, table, sums, counts)`: adds to `table`; sums (blocks, 1) say how many rows of
    each block found no place in it, which the caller looks at."""

    def count(x, x_step, x_kind, rows, lowest, table, sums, counts):  # type: ignore[no-untyped-def]
        near = cuda.shared.array(NEAR, types.int32)
        left = cuda.shared.array(THREADS, types.int64)
        tid = cuda.threadIdx.x
        size = table.shape[0]
        for b in range(cuda.blockIdx.x, sums.shape[0], cuda.gridDim.x):
            for k in range(tid, NEAR, THREADS):
                near[k] = 0
            cuda.syncthreads()
            strange = 0
            for r in range(b * BLOCK + tid, min((b + 1) * BLOCK, rows), THREADS):
                v = read(x + r * x_step, x_kind)
                k = -1
                if v >= lowest and v < size:
                    k = int(v)
                if k < 0 or float(k) != v:
                    strange += 1
                elif k < NEAR:
                    cuda.atomic.add(near, k, 1)
                else:
                    cuda.atomic.add(table, k, 1)
            left[tid] = strange
            cuda.syncthreads()
            for k in range(tid, min(NEAR, size), THREADS):
                if near[k] > 0:
                    cuda.atomic.add(table, k, near[k])
            if tid == 0:
                total = 0
                for i in range(THREADS):
                    total += left[i]
                sums[b, 0] = float(total)
            cuda.syncthreads()

    i8, f8 = types.int64, types.float64
    signature = types.void(i8, i8, i8, i8, f8, i8[::1], f8[:, ::1], i8[:, ::1])
    return Kernel(count, signature, THREADS, ())
