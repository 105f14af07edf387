"""Kernels that do as little as possible, for the limits of the machine: reading memory, and multiply-adds in registers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numba import types
from numba.extending import register_jitable

from .jit import compile_kernel

_FLAGS: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz", "arcp"}, "error_model": "numpy"}
LANES = 96  # numbers in registers, so that a multiply-add need not wait for the last one


@register_jitable(**_FLAGS)
def _total(x: Any) -> Any:
    total = x[0]
    for i in range(1, x.size):
        total += x[i]
    return total


@register_jitable(**_FLAGS)
def _streams(x: Any) -> Any:
    """Four places of the array at once."""
    quarter = x.size // 4
    a = b = c = d = x[0]
    for i in range(quarter):
        a += x[i]
        b += x[i + quarter]
        c += x[i + 2 * quarter]
        d += x[i + 3 * quarter]
    return a + b + c + d


@register_jitable(**_FLAGS)
def _xor(x: Any) -> Any:
    total = x[0]
    for i in range(1, x.size):
        total ^= x[i]
    return total


@register_jitable(fastmath={"contract"}, error_model="numpy")  # reassociated, two turns would become one
def _multiply_add(a: Any, turns: int) -> None:
    for _ in range(turns):
        for j in range(LANES):
            a[j] = a[j] * 0.999999 + 1e-6


@cache
def compile_read(how: str, dtype: str) -> Callable[[Any], Any]:
    """`read(x)`: all of x once; `how` is "total", "streams" or "xor", x int64 or float64."""
    body = {"total": _total, "streams": _streams, "xor": _xor}[how]

    def read(x):  # type: ignore[no-untyped-def]
        return body(x)

    number = getattr(types, dtype)
    column = types.Array(number, 1, "C", readonly=True)
    return compile_kernel(read, number(column), f"read_{how}_{dtype}", (body,))


@cache
def compile_peak() -> Callable[[Any, int], None]:
    """`peak(a, turns)`: `turns` multiply-adds on each of LANES numbers."""

    def peak(a, turns):  # type: ignore[no-untyped-def]
        _multiply_add(a, turns)

    return compile_kernel(peak, types.void(types.float64[::1], types.int64), "peak", (_multiply_add,))
