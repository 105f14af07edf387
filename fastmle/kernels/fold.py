"""The fold: what one row adds, over blocks of 4096 rows, with the running sums in registers.

Row functions return what a row adds (a tuple of floats); weights, nulls, rows outside the support and the tuple
addition are the frame's. Reassociation is allowed on that addition alone, which is what lets LLVM vectorise it;
the row functions themselves keep IEEE semantics (contraction aside).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable
from numba.np.numpy_support import from_dtype

from .jit import compile_kernel
from .vecmath import log
from .vecmath.machine import fma

BLOCK = 4096  # rows; the unit of exact addition
LARGEST = sys.float_info.max  # x <= LARGEST and not x < inf, which LLVM turns into slower tests of bits
LANES = 512  # running products, for sums of logarithms: 8 rows of a block each
LARGEST_FACTOR = 2.0**60  # eight of these, or of their reciprocals, multiply without leaving float64
BAD, NULL, ZERO = 0, 1, 2  # columns of the counts: outside the support, null, of weight zero
_REASSOCIATE = ("reassoc", "contract", "nsz", "arcp")


@register_jitable
def _finite(x: float, theta: Any) -> bool:
    return abs(x) <= LARGEST


def _maximum(builder: Any, a: Any, b: Any) -> Any:
    """The larger of two numbers, in the form that LLVM vectorises as a reduction; never given a NaN."""
    above = builder.fcmp_ordered(">", b, a, flags=("nnan", "nsz"))
    return builder.select(above, b, a, flags=("nnan", "nsz"))


@intrinsic
def _larger(typingctx: Any, a: Any, b: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _maximum(builder, *args)

    return types.float64(types.float64, types.float64), codegen


@intrinsic(prefer_literal=True)
def _combine(typingctx: Any, state: Any, values: Any, logs: Any, w: Any, log_w: Any, layout: Any) -> Any:
    """state + w * values, slot by slot, with `logs` in the places of kind "l"; `layout` is made by `slot_layout`."""
    kinds, _, extras = layout.literal_value.partition("|")
    result = types.UniTuple(types.float64, state.count)

    def add(builder: Any, a: Any, b: Any) -> Any:
        return builder.fadd(a, b, flags=_REASSOCIATE)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        old = cgutils.unpack_tuple(builder, args[0])
        row = [
            context.cast(builder, v, t, types.float64)
            for v, t in zip(cgutils.unpack_tuple(builder, args[1]), signature.args[1].types, strict=True)
        ]
        given = iter(cgutils.unpack_tuple(builder, args[2]))
        row = [next(given) if kind == "l" else v for kind, v in zip(kinds, row, strict=True) if kind != "e"]
        slots = kinds.replace("e", "")
        weight = args[3]

        def weigh(v: Any) -> Any:
            return builder.fmul(weight, v, flags=("contract",)) if "w" in extras or "d" in extras else v

        def once(v: Any) -> Any:
            none = builder.fcmp_ordered("==", weight, weight.type(0.0))
            return builder.select(none, weight.type(0.0), v)

        new = []
        for kind, a, v in zip(slots, old[: len(slots)], row, strict=True):
            if kind == "m":
                new.append(_maximum(builder, a, v))
            else:
                new.append(add(builder, a, once(v) if kind == "r" and "p" in extras else weigh(v)))
        rest = iter(old[len(slots) :])
        if "w" in extras:
            new.append(add(builder, next(rest), weight))
        if "p" in extras:
            new.append(add(builder, next(rest), args[4]))
        if "o" in extras:  # outer product of (1, values), under the squared weight
            full = [weight] + [weigh(v) for v in row]
            new += [
                add(builder, next(rest), builder.fmul(a, b)) for i, a in enumerate(full) for b in full[i:]
            ]
        return context.make_tuple(builder, result, new)

    return result(state, values, logs, w, log_w, layout), codegen


def slot_layout(kinds: str, weight_kind: str | None) -> str:
    """The slots of a state as a string: kinds of the row's values ("s" sum, "l" sum of
    logarithms, "m" max, "r" sum that precision weights leave alone; "e" belongs to an "l"), then the frame's own.

    After the bar: "w" the sum of weights, "p" of their logarithms, "o" the outer products under the squared weight.
    """
    return kinds + "|" + {None: "", "frequency": "w", "precision": "wp", "sampling": "wo"}[weight_kind]


def slot_kinds(layout: str) -> str:
    """One letter a slot of the state that `layout` describes."""
    kinds, _, extras = layout.replace("l", "s").replace("r", "s").replace("e", "").partition("|")
    pairs = (len(kinds) + 1) * (len(kinds) + 2) // 2
    return kinds + "s" * (("w" in extras) + ("p" in extras) + pairs * ("o" in extras))


@register_jitable(fastmath=set(_REASSOCIATE), error_model="numpy")
def _log_of_products(products: Any, errors: Any) -> float:
    total = 0.0
    for j in range(LANES):
        total += log(products[j]) + errors[j] / products[j]
    return total


@register_jitable
def _count_ones(x: Any) -> Any:
    """How many ones there are, and whether all values are 0 or 1: eight bytes a word, at most 255 words a sum."""
    whole = x.size // 8 * 8
    words = x[:whole].view(np.uint64)
    ones, seen = 0, np.uint64(0)
    for lo in range(0, words.size, 255):
        part = words[lo : min(lo + 255, words.size)]
        bytewise = np.uint64(0)
        for i in range(part.size):
            bytewise += part[i]
            seen |= part[i]
        pairs = (bytewise & np.uint64(0x00FF00FF00FF00FF)) + (
            (bytewise >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
        )
        ones += int((pairs * np.uint64(0x0001000100010001)) >> np.uint64(48))
    for i in range(whole, x.size):
        ones += x[i]
        seen |= np.uint64(x[i])
    return ones, (seen & np.uint64(0xFEFEFEFEFEFEFEFE)) == 0


@cache
def compile_fold(
    row: Any,
    support: Any,
    theta_type: Any,
    fill: float,
    layout: str,
    dtype: str,
    checked: bool,
    drop: bool,
) -> Callable[..., None]:
    """The kernel `fold(x, w, theta, sums, counts)` of one variant; fills sums (blocks, slots), counts (blocks, 3).

    `checked`: test each row against `support` (a row that fails adds nothing and is counted). Unchecked kernels are
    for supports that are the whole line, where a bad row makes its block's sum non-finite.
    """
    kinds, _, extras = layout.partition("|")
    weighted, precision = "w" in extras, "p" in extras
    letters = slot_kinds(layout)
    start = tuple(-np.inf if k == "m" else 0.0 for k in letters)
    slots = len(letters)
    logs = kinds.count("l")
    first, second = (*(k for k, kind in enumerate(kinds) if kind == "l"), 0, 0)[:2]
    slips = [k for k, kind in enumerate(kinds) if kind == "e"]
    if kinds.rstrip("e") + "e" * len(slips) != kinds or len(slips) not in (0, logs):
        raise ValueError("corrections stand last, one for each sum of logarithms, or there are none")
    slip0, slip1 = (*slips, 0, 0)[:2]
    corrected = len(slips) > 0
    if logs > 2:
        raise ValueError("at most two sums of logarithms a row")
    products = logs > 0 and not weighted
    width = LANES if products else BLOCK
    if support is None:
        support = _finite
    if drop:
        layout += "d"  # a dropped row is a row of weight 0

    bits = dtype == "uint8" and not weighted and set(kinds) == {"s"}
    counted = layout.rstrip("d") + "d"
    extremes = "m" in kinds and (weighted or drop)

    @register_jitable
    def usable(x, w, th):  # type: ignore[no-untyped-def]
        return support(x, th) & (not weighted or ((w > 0.0) & (w <= LARGEST)))

    @register_jitable(error_model="numpy")
    def log_of(y, slip):  # type: ignore[no-untyped-def]
        return log(y) + slip / y if corrected else log(y)

    @register_jitable(fastmath=set(_REASSOCIATE), error_model="numpy")
    def logs_one_by_one(x, th):  # type: ignore[no-untyped-def]
        total0 = total1 = 0.0
        for i in range(x.size):
            if not checked or support(float(x[i]), th):
                v = row(float(x[i]), th)
                total0 += log_of(v[first], v[slip0])
                total1 += log_of(v[second], v[slip1])
        return total0, total1

    def fold(x, w, theta, sums, counts):  # type: ignore[no-untyped-def]
        th = theta_type(*theta)
        stand_in, found = fill, True  # what takes the place of a row that does not count
        if products:
            p0, p1 = np.empty(LANES), np.empty(LANES)  # products of mantissas
            e0, e1 = np.empty(LANES), np.empty(LANES)  # what rounding took from them
        for b in range(sums.shape[0]):
            s = start
            bad = null = zero = 0
            largest, minus_smallest = 1.0, -1.0  # of all factors
            if products:
                p0[:] = p1[:] = 1.0
                e0[:] = e1[:] = 0.0
            if extremes:  # a row of the same block, which leaves its maxima as they are
                found = False
                for i in range(b * BLOCK, min((b + 1) * BLOCK, x.size)):
                    found = usable(float(x[i]), w[i] if weighted else 1.0, th)
                    if found:
                        stand_in = float(x[i])
                        break
            first_of_rest = b * BLOCK
            if bits:  # a block of zeros and ones is two rows, with their counts as weights
                ones, only_bits = _count_ones(x[b * BLOCK : (b + 1) * BLOCK])
                if only_bits:
                    first_of_rest = (b + 1) * BLOCK
                    for value in range(2):
                        m = ones if value else min(BLOCK, x.size - b * BLOCK) - ones
                        ok = support(float(value), th)
                        bad += 0 if ok else m
                        v = row(float(value) if ok else fill, th)
                        s = _combine(s, v, (), float(m) if ok else 0.0, 0.0, counted)
            for lo in range(first_of_rest, min((b + 1) * BLOCK, x.size), width):
                xs = x[lo : min(lo + width, x.size)]
                ws = w[lo : min(lo + width, x.size)] if weighted else w
                for i in range(xs.size):
                    xi = float(xs[i])
                    wi = 1.0
                    lw = 0.0
                    use = True
                    if weighted:
                        wi = ws[i]
                        is_zero = wi == 0.0
                        ok = use = usable(xi, wi, th)
                        if drop:
                            is_null = (xi != xi) | (wi != wi)
                            null += is_null & (not is_zero)
                            ok = ok | is_null
                        zero += is_zero
                        bad += not (ok | is_zero)
                        wi = wi if use else 0.0
                        if precision:
                            lw = log(wi if use else 1.0)
                    elif checked:
                        use = support(xi, th)
                        if drop:
                            is_null = xi != xi
                            null += is_null
                            bad += not (use | is_null)
                            wi = 1.0 if use else 0.0
                        else:
                            bad += not use
                    if checked:
                        xi = xi if use else stand_in
                    v = row(xi, th)
                    if logs == 0:
                        s = _combine(s, v, (), wi, lw, layout)
                    elif not products:
                        s = _combine(
                            s, v, (log_of(v[first], v[slip0]), log_of(v[second], v[slip1])), wi, lw, layout
                        )
                    else:  # the log of a product, with what rounding took from the product
                        y = v[first] if use else 1.0
                        largest, minus_smallest = _larger(largest, y), _larger(minus_smallest, -y)
                        old = p0[i]
                        p0[i] = old * y
                        slip = v[slip0] if corrected & use else 0.0
                        e0[i] = fma(e0[i], y, fma(old, y, -(old * y)) + old * slip)
                        if logs == 2:
                            y = v[second] if use else 1.0
                            largest, minus_smallest = _larger(largest, y), _larger(minus_smallest, -y)
                            old = p1[i]
                            p1[i] = old * y
                            slip = v[slip1] if corrected & use else 0.0
                            e1[i] = fma(e1[i], y, fma(old, y, -(old * y)) + old * slip)
                        s = _combine(s, v, (0.0, 0.0), wi, lw, layout)
            for k in range(slots):
                sums[b, k] = s[k] if found or letters[k] != "m" else -np.inf
            if products:
                if largest < LARGEST_FACTOR and -minus_smallest > 1.0 / LARGEST_FACTOR:
                    sums[b, first] = _log_of_products(p0, e0)
                    if logs == 2:
                        sums[b, second] = _log_of_products(p1, e1)
                else:
                    total, other = logs_one_by_one(x[b * BLOCK : (b + 1) * BLOCK], th)
                    sums[b, first] = total
                    if logs == 2:
                        sums[b, second] = other
            counts[b, 0] = bad
            counts[b, 1] = null
            counts[b, 2] = zero

    fields = len(theta_type._fields)
    column = types.Array(from_dtype(np.dtype(dtype)), 1, "C", readonly=True)
    weights = types.Array(types.float64, 1, "C", readonly=True)
    signature = types.void(
        column, weights, types.UniTuple(types.float64, fields), types.float64[:, ::1], types.int64[:, ::1]
    )
    flags = f"{'checked' if checked else 'plain'}{'_drop' if drop else ''}_{fill}"
    name = f"{row.__module__}_{row.__qualname__}_{layout}_{dtype}_{flags}"
    return compile_kernel(fold, signature, name, (row, support))
