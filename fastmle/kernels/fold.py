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
from .vecmath.logs import log_of_normal, log_of_sum
from .vecmath.machine import FLAGS, fma

BLOCK = 4096  # rows; the unit of exact addition
LARGEST = sys.float_info.max  # x <= LARGEST and not x < inf, which LLVM turns into slower tests of bits
# Rows whose logarithms are summed as those of LANES products of eight factors. Read in eight places at once, tiles of 4 kB
# miss the cache twice as long as they compute: the processor does not foresee them. Half a page it does.
TILE = 256
LANES = TILE // 8
LARGEST_PAIR = 2.0**120  # four of these, or of their reciprocals, multiply without leaving float64
BAD, NULL, ZERO = 0, 1, 2  # columns of the counts: outside the support, null, of weight zero
_REASSOCIATE = ("reassoc", "contract", "nsz", "arcp")


@register_jitable
def _finite(x: float, theta: Any) -> bool:
    return abs(x) <= LARGEST


def _extreme(builder: Any, order: str, a: Any, b: Any, flags: tuple[str, ...] = ("nnan", "nsz")) -> Any:
    """The larger (">") or smaller of two numbers, in the form that LLVM vectorises as a reduction; not for NaN."""
    beyond = builder.fcmp_ordered(order, b, a, flags=flags)
    return builder.select(beyond, b, a, flags=flags)


def _binary(make: Callable[[Any, Any, Any], Any]) -> Any:
    @intrinsic
    def operation(typingctx: Any, a: Any, b: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return make(builder, *args)

        return types.float64(types.float64, types.float64), codegen

    return operation


_larger = _binary(lambda builder, a, b: _extreme(builder, ">", a, b))
_smaller = _binary(lambda builder, a, b: _extreme(builder, "<", a, b))
_plus = _binary(lambda builder, a, b: builder.fadd(a, b, flags=_REASSOCIATE))


def combined(
    context: Any, builder: Any, layout: str, value_types: Any, args: Any, device: bool = False
) -> list[Any]:
    """The slots of (state, values, logs, w, log_w) with the row added, as the compiler sees them; the compilers of
    devices know fewer flags."""
    kinds, _, extras = layout.partition("|")
    old = cgutils.unpack_tuple(builder, args[0])
    row = [
        context.cast(builder, v, t, types.float64)
        for v, t in zip(cgutils.unpack_tuple(builder, args[1]), value_types, strict=True)
    ]
    given = iter(cgutils.unpack_tuple(builder, args[2]))
    row = [next(given) if kind in "lf" else v for kind, v in zip(kinds, row, strict=True) if kind != "e"]
    slots = kinds.replace("e", "")
    weight = args[3]

    def add(a: Any, b: Any) -> Any:
        return builder.fadd(a, b, flags=("contract",) if device else _REASSOCIATE)

    def weigh(v: Any) -> Any:
        return builder.fmul(weight, v, flags=("contract",)) if "w" in extras or "d" in extras else v

    def once(v: Any) -> Any:
        none = builder.fcmp_ordered("==", weight, weight.type(0.0))
        return builder.select(none, weight.type(0.0), v)

    new = []
    for kind, a, v in zip(slots, old[: len(slots)], row, strict=True):
        if kind == "m":
            new.append(_extreme(builder, ">", a, v, ()) if device else _extreme(builder, ">", a, v))
        else:
            new.append(add(a, once(v) if kind == "r" and "p" in extras else weigh(v)))
    rest = iter(old[len(slots) :])
    if "w" in extras:
        new.append(add(next(rest), weight))
    if "p" in extras:
        new.append(add(next(rest), args[4]))
    if "o" in extras:  # outer product of (1, values), under the squared weight
        full = [weight] + [weigh(v) for v in row]
        new += [add(next(rest), builder.fmul(a, b)) for i, a in enumerate(full) for b in full[i:]]
    return new


@intrinsic(prefer_literal=True)
def _combine(typingctx: Any, state: Any, values: Any, logs: Any, w: Any, log_w: Any, layout: Any) -> Any:
    """state + w * values, slot by slot, with `logs` in the places of kinds "l" and "f"; `layout` is made by `slot_layout`."""
    result = types.UniTuple(types.float64, state.count)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        new = combined(context, builder, layout.literal_value, signature.args[1].types, args)
        return context.make_tuple(builder, result, new)

    return result(state, values, logs, w, log_w, layout), codegen


def slot_layout(kinds: str, weight_kind: str | None) -> str:
    """The slots of a state as a string: kinds of the row's values ("s" sum, "l" sum of
    logarithms, "f" one that need not be sharper than 1e-16 a row, "m" max, "r" sum that precision weights leave alone; "e"
    belongs to an "l"), then the frame's own.

    After the bar: "w" the sum of weights, "p" of their logarithms, "o" the outer products under the squared weight.
    """
    return kinds + "|" + {None: "", "frequency": "w", "precision": "wp", "sampling": "wo"}[weight_kind]


def slot_kinds(layout: str) -> str:
    """One letter a slot of the state that `layout` describes."""
    kinds, _, extras = layout.translate(str.maketrans("lfr", "sss")).replace("e", "").partition("|")
    pairs = (len(kinds) + 1) * (len(kinds) + 2) // 2
    return kinds + "s" * (("w" in extras) + ("p" in extras) + pairs * ("o" in extras))


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
    logs, rough = sum(kind in "lf" for kind in kinds), "f" in kinds
    first, second = (*(k for k, kind in enumerate(kinds) if kind in "lf"), 0, 0)[:2]
    slips = [k for k, kind in enumerate(kinds) if kind == "e"]
    if kinds.rstrip("e") + "e" * len(slips) != kinds or len(slips) not in (0, logs):
        raise ValueError("corrections stand last, one for each sum of logarithms, or there are none")
    slip0, slip1 = (*slips, 0, 0)[:2]
    corrected = len(slips) > 0
    if logs > 2:
        raise ValueError("at most two sums of logarithms a row")
    products = logs > 0 and not weighted
    if support is None:
        support = _finite
    if drop:
        layout += "d"  # a dropped row is a row of weight 0

    extremes = "m" in kinds and (weighted or drop)

    @register_jitable
    def usable(x, w, th):  # type: ignore[no-untyped-def]
        return support(x, th) & (not weighted or ((w > 0.0) & (w <= LARGEST)))

    @register_jitable(error_model="numpy")
    def log_of(y, slip):  # type: ignore[no-untyped-def]
        return log(y) + (slip / y if y <= LARGEST else 0.0) if corrected else log(y)

    @register_jitable(**FLAGS)
    def admit(x, w, th, stand_in):  # type: ignore[no-untyped-def]
        """What enters for a row: its value, weight and log weight; and whether it is bad, null, of weight zero."""
        xi, wi, lw = float(x), 1.0, 0.0
        use = True
        bad = null = zero = False
        if weighted:
            wi = w
            zero = wi == 0.0
            use = usable(xi, wi, th)
            ok = use
            if drop:
                is_null = (xi != xi) | (wi != wi)
                null = is_null & (not zero)
                ok = ok | is_null
            bad = not (ok | zero)
            wi = wi if use else 0.0
            if precision:
                lw = log(wi if use else 1.0)
        elif checked:
            use = support(xi, th)
            if drop:
                null = xi != xi
                bad = not (use | null)
                wi = 1.0 if use else 0.0
            else:
                bad = not use
        if checked:
            xi = xi if use else stand_in
        return xi, wi, lw, bad, null, zero

    @register_jitable(**FLAGS)
    def factors(x, th, stand_in, s, sound, null):  # type: ignore[no-untyped-def]
        """Add a row to the sums but for the logarithms; and what they are of, with its slips."""
        if drop:
            xi, wi, _, odd, is_null, _ = admit(x, 1.0, th, stand_in)
            sound &= not odd
            null += is_null
        else:  # a block with an odd row is done again, so that nothing is masked here
            xi, wi = float(x), 1.0
            sound &= support(xi, th) if checked else True
        v = row(xi, th)
        s = _combine(s, v, (0.0, 0.0), wi, 0.0, layout)
        there = (not drop) or wi > 0.0
        y, z = v[first] if there else 1.0, v[second] if there else 1.0
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
    def log_of_product(p, low):  # type: ignore[no-untyped-def]
        return log_of_normal(p) if rough else log_of_sum(p, low)

    @register_jitable(**FLAGS)
    def pair(x, y, th, stand_in, s, sound, null, high, low):  # type: ignore[no-untyped-def]
        """Add two rows; the products of what the logarithms are of, in two parts."""
        s, sound, null, a, c, slip_a, slip_c = factors(x, th, stand_in, s, sound, null)
        s, sound, null, b, d, slip_b, slip_d = factors(y, th, stand_in, s, sound, null)
        p, p_low = times(a, slip_a, b, slip_b, corrected)
        high, low = _larger(high, p), _smaller(low, p)
        q = q_low = 1.0
        if logs == 2:
            q, q_low = times(c, slip_c, d, slip_d, corrected)
            high, low = _larger(high, q), _smaller(low, q)
        return s, sound, null, high, low, p, p_low, q, q_low

    @register_jitable(**FLAGS)
    def four(x, j, th, stand_in, s, sound, null, high, low):  # type: ignore[no-untyped-def]
        s, sound, null, high, low, a, a_low, c, c_low = pair(
            x[j], x[j + LANES], th, stand_in, s, sound, null, high, low
        )
        s, sound, null, high, low, b, b_low, d, d_low = pair(
            x[j + 2 * LANES], x[j + 3 * LANES], th, stand_in, s, sound, null, high, low
        )
        p, p_low = times(a, a_low, b, b_low, True)
        q, q_low = times(c, c_low, d, d_low, True)
        return s, sound, null, high, low, p, p_low, q, q_low

    @register_jitable(**FLAGS)
    def tile(x, th, stand_in, s, log0, log1, sound, null, high, low):  # type: ignore[no-untyped-def]
        """Add TILE rows, eight factors a logarithm."""
        for j in range(LANES):
            s, sound, null, high, low, a, a_low, c, c_low = four(x, j, th, stand_in, s, sound, null, high, low)
            s, sound, null, high, low, b, b_low, d, d_low = four(
                x, j + 4 * LANES, th, stand_in, s, sound, null, high, low
            )
            p, p_low = times(a, a_low, b, b_low, True)
            log0 = _plus(log0, log_of_product(p, p_low))
            if logs == 2:
                q, q_low = times(c, c_low, d, d_low, True)
                log1 = _plus(log1, log_of_product(q, q_low))
        return s, log0, log1, sound, null, high, low

    def fold(x, w, theta, sums, counts):  # type: ignore[no-untyped-def]
        th = theta_type(*theta)
        stand_in, found = fill, True  # what takes the place of a row that does not count
        for b in range(sums.shape[0]):
            s = start
            bad = null = zero = 0
            log0 = log1 = 0.0
            lo, end = b * BLOCK, min((b + 1) * BLOCK, x.size)
            if extremes:  # a row of the same block, which leaves its maxima as they are
                found = False
                for i in range(lo, end):
                    found = usable(float(x[i]), w[i] if weighted else 1.0, th)
                    if found:
                        stand_in = float(x[i])
                        break
            if products:
                sound, high, low = True, 1.0, 1.0  # high, low: of all products of two factors
                while lo + TILE <= end:
                    rows = x[lo : lo + TILE]
                    s, log0, log1, sound, null, high, low = tile(
                        rows, th, stand_in, s, log0, log1, sound, null, high, low
                    )
                    lo += TILE
                sound = sound and log0 + log1 - (log0 + log1) == 0.0
                if not (sound and high < LARGEST_PAIR and low > 1.0 / LARGEST_PAIR):
                    s, null, log0, log1, lo = start, 0, 0.0, 0.0, b * BLOCK
            xs = x[lo:end]
            ws = w[lo:end] if weighted else w
            for i in range(xs.size):
                xi, wi, lw, is_bad, is_null, is_zero = admit(xs[i], ws[i] if weighted else 1.0, th, stand_in)
                bad += is_bad
                null += is_null
                zero += is_zero
                v = row(xi, th)
                if logs == 0:
                    s = _combine(s, v, (), wi, lw, layout)
                else:
                    two = log_of(v[first], v[slip0]), log_of(v[second], v[slip1])
                    s = _combine(s, v, two, wi, lw, layout)
            for k in range(slots):
                sums[b, k] = s[k] if found or letters[k] != "m" else -np.inf
            if products:
                sums[b, first] += log0
                if logs == 2:
                    sums[b, second] += log1
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
