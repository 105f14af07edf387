"""Sums of logarithms as logarithms of products: one logarithm serves FACTORS rows.

Products are carried in two parts, so that they lose nothing; but for kind "f", whose sums need not be that sharp. Kinds
"q" are scaled by a power of two, multiplied, and divided by the same power of their center within the one logarithm:
near the center neither loses digits. Products of two rows, or the last ones, tell whether one may have left float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic, register_jitable

from .ahead import TILE
from .vecmath import log, log_ratio
from .vecmath.logs import EXPONENT, log_of_normal, log_of_quotient, log_of_sum
from .vecmath.machine import FLAGS, LARGEST, ONE, bits, fma, from_bits

DOUBLINGS = 4
FACTORS = 2**DOUBLINGS
LANES = TILE // FACTORS
MOST = 2.0**120  # of a product of two: eight of these, or of their reciprocals, multiply without leaving float64
LEAST = 2.0**-60  # of one factor of kind "q"
LEAST_ROUGH = 2.0**-1000  # of a whole product of kind "f", of factors of 2^-120 and more
PRODUCTS = "lfq"  # the kinds whose logarithms are summed


class Logs(NamedTuple):
    """Which values of a row are logarithms to be summed, from the kinds of its values."""

    count: int
    first: int
    second: int
    slip_first: int
    slip_second: int
    slips: bool
    rough: bool
    about: bool  # about the center


def logs_of(kinds: str) -> Logs:
    """The places of the logarithms and their slips."""
    places = [k for k, kind in enumerate(kinds) if kind in PRODUCTS]
    slips = [k for k, kind in enumerate(kinds) if kind == "e"]
    if kinds.rstrip("e") + "e" * len(slips) != kinds or len(slips) not in (0, len(places)):
        raise ValueError("corrections stand last, one for each sum of logarithms, or there are none")
    if len(places) > 2 or ("q" in kinds and (len(places) > 1 or slips)):
        raise ValueError("at most two sums of logarithms a row, or one about a center")
    at, off = places or [0], slips or [0]
    return Logs(len(places), at[0], at[-1], off[0], off[-1], bool(slips), "f" in kinds, "q" in kinds)


def extreme(builder: Any, order: str, a: Any, b: Any, flags: tuple[str, ...] = ("nnan", "nsz")) -> Any:
    """The larger (">") or smaller of two numbers, in the form that LLVM vectorises as a reduction; not for NaN."""
    beyond = builder.fcmp_ordered(order, b, a, flags=flags)
    return builder.select(beyond, b, a, flags=flags)


def binary(make: Callable[[Any, Any, Any], Any]) -> Any:
    """An intrinsic of two floats."""

    @intrinsic
    def operation(typingctx: Any, a: Any, b: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return make(builder, *args)

        return types.float64(types.float64, types.float64), codegen

    return operation


REASSOCIATE = ("reassoc", "contract", "nsz", "arcp")
larger = binary(lambda builder, a, b: extreme(builder, ">", a, b))
smaller = binary(lambda builder, a, b: extreme(builder, "<", a, b))
plus = binary(lambda builder, a, b: builder.fadd(a, b, flags=REASSOCIATE))


@register_jitable(**FLAGS)
def gather(x, j):  # type: ignore[no-untyped-def]
    """Every LANES-th of the rows of a tile. All are loaded before any is used: the compiler then sees that its registers
    do not suffice for two turns of the loop side by side."""
    return (
        x[j], x[j + LANES], x[j + 2 * LANES], x[j + 3 * LANES],
        x[j + 4 * LANES], x[j + 5 * LANES], x[j + 6 * LANES], x[j + 7 * LANES],
        x[j + 8 * LANES], x[j + 9 * LANES], x[j + 10 * LANES], x[j + 11 * LANES],
        x[j + 12 * LANES], x[j + 13 * LANES], x[j + 14 * LANES], x[j + 15 * LANES],
    )  # fmt: skip


@register_jitable(**FLAGS)
def squared(high, low):  # type: ignore[no-untyped-def]
    h = high * high
    return h, fma(high, high, -h) + 2.0 * high * low


@register_jitable(**FLAGS)
def center(c):  # type: ignore[no-untyped-def]
    """The power of two by which c lies between 1 and 2, and that number to the power FACTORS in two parts."""
    unit = from_bits(2 * ONE - (bits(c) & EXPONENT))
    high, low = c * unit, 0.0
    for _ in range(DOUBLINGS):
        high, low = squared(high, low)
    return unit, high, low


def make_log(logs: Logs) -> Any:
    """log_of(y, slip, theta): the sharp logarithm of one row's value."""
    corrected, about = logs.slips, logs.about

    @register_jitable(error_model="numpy")
    def log_of(y, slip, th):  # type: ignore[no-untyped-def]
        if about:
            return log_ratio(y, th.c)
        return log(y) + (slip / y if y <= LARGEST else 0.0) if corrected else log(y)

    return log_of


def make_tile(row: Any, support: Any, logs: Logs, drop: bool, admit: Any, combine: Any) -> Any:
    """tile(x, theta, stand_in, about, s, log0, log1, sound, null, high, low) adds TILE rows; `high` and `low` are of the
    products that `in_range` judges."""
    first, second, slip0, slip1 = logs[1:5]
    two, corrected, rough, about = logs.count == 2, logs.slips, logs.rough, logs.about
    checked = support is not None and not about

    @register_jitable(**FLAGS)
    def factors(x, th, stand_in, at, s, sound, null):  # type: ignore[no-untyped-def]
        """Add a row to the sums but for the logarithms; and what they are of, with its slips."""
        if drop:
            xi, wi, _, odd, is_null, _ = admit(x, 1.0, th, stand_in)
            sound &= not odd
            null += is_null
        else:  # a block with an odd row is done again, so that nothing is masked here
            xi, wi = float(x), 1.0
            sound &= support(xi, th) if checked else True
        v = row(np.float64(xi), th)
        s = combine(s, v, wi)
        there = (not drop) or wi > 0.0
        y, z = v[first], v[second]
        if about:
            y = (y if there else th.c) * at[0]
        elif drop:
            y, z = y if there else 1.0, z if there else 1.0
        slips = (v[slip0] if there else 0.0, v[slip1] if there else 0.0) if corrected else (0.0, 0.0)
        return s, sound, null, y, z, slips[0], slips[1]

    @register_jitable(**FLAGS)
    def times(a, slip_a, b, slip_b, slips):  # type: ignore[no-untyped-def]
        """(a + slip_a)(b + slip_b) in two parts, or in one if that is sharp enough."""
        p = a * b
        if rough:
            return p, 0.0
        rest = fma(a, b, -p)
        return p, fma(a, slip_b, fma(b, slip_a, rest)) if slips else rest

    @register_jitable(**FLAGS)
    def pair(rows, k, th, stand_in, at, s, sound, null, high, low):  # type: ignore[no-untyped-def]
        """Add rows k and k + 1; the products of what the logarithms are of, in two parts."""
        s, sound, null, a, c, slip_a, slip_c = factors(rows[k], th, stand_in, at, s, sound, null)
        s, sound, null, b, d, slip_b, slip_d = factors(rows[k + 1], th, stand_in, at, s, sound, null)
        p, p_low = times(a, slip_a, b, slip_b, corrected)
        if about:
            low = smaller(smaller(low, a), b)
            high = larger(high, p)
        elif not rough:
            high, low = larger(high, p), smaller(low, p)
        q = q_low = 1.0
        if two:
            q, q_low = times(c, slip_c, d, slip_d, corrected)
            if not rough:
                high, low = larger(high, q), smaller(low, q)
        return s, sound, null, high, low, p, p_low, q, q_low

    def twice(half: Any, rows_of_half: int) -> Any:
        """The product of twice as many rows."""

        @register_jitable(**FLAGS)
        def product(rows, k, th, stand_in, at, s, sound, null, high, low):  # type: ignore[no-untyped-def]
            s, sound, null, high, low, a, a_low, c, c_low = half(rows, k, th, stand_in, at, s, sound, null, high, low)
            s, sound, null, high, low, b, b_low, d, d_low = half(
                rows, k + rows_of_half, th, stand_in, at, s, sound, null, high, low
            )
            p, p_low = times(a, a_low, b, b_low, True)
            q = q_low = 1.0
            if two:
                q, q_low = times(c, c_low, d, d_low, True)
            return s, sound, null, high, low, p, p_low, q, q_low

        return product

    whole = pair
    for doubling in range(1, DOUBLINGS):
        whole = twice(whole, 2**doubling)

    @register_jitable(**FLAGS)
    def log_of_product(p, p_low, at):  # type: ignore[no-untyped-def]
        if about:
            return log_of_quotient(p, p_low, at[1], at[2])
        return log_of_normal(p) if rough else log_of_sum(p, p_low)

    @register_jitable(**FLAGS)
    def tile(x, th, stand_in, at, s, log0, log1, sound, null, high, low):  # type: ignore[no-untyped-def]
        for j in range(LANES):
            rows = gather(x, j)
            s, sound, null, high, low, p, p_low, q, q_low = whole(rows, 0, th, stand_in, at, s, sound, null, high, low)
            if rough:
                high, low = larger(high, p), smaller(low, p)
                if two:
                    high, low = larger(high, q), smaller(low, q)
            log0 = plus(log0, log_of_product(p, p_low, at))
            if two:
                log1 = plus(log1, log_of_product(q, q_low, at))
        return s, log0, log1, sound, null, high, low

    return tile


def make_in_range(logs: Logs) -> Any:
    """in_range(high, low): whether no product has left the range in which logarithms of products hold."""
    most = LARGEST if logs.rough else MOST
    least = LEAST_ROUGH if logs.rough else LEAST if logs.about else 1.0 / MOST

    @register_jitable
    def in_range(high, low):  # type: ignore[no-untyped-def]
        return high <= most and low >= least

    return in_range
