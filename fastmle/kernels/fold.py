"""The fold: what one row adds, over blocks of 4096 rows, with the running sums in registers.

Row functions return what a row adds (a tuple of floats); weights, nulls, rows outside the support and the tuple
addition are the frame's. Reassociation is allowed on that addition alone, which is what lets LLVM vectorise it;
the row functions themselves keep IEEE semantics (contraction aside).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable
from numba.np.numpy_support import from_dtype

from .jit import compile_kernel
from .products import (
    PRODUCTS,
    REASSOCIATE,
    TILE,
    center,
    extreme,
    logs_of,
    make_in_range,
    make_log,
    make_tile,
)
from .vecmath import log
from .vecmath.machine import FLAGS, LARGEST

BLOCK = 4096  # rows; the unit of exact addition
BAD, NULL, ZERO = 0, 1, 2  # columns of the counts: outside the support, null, of weight zero


@register_jitable
def _finite(x: float, theta: Any) -> bool:
    return abs(x) <= LARGEST


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
    row = [next(given) if kind in PRODUCTS else v for kind, v in zip(kinds, row, strict=True) if kind != "e"]
    slots = kinds.replace("e", "")
    weight = args[3]

    def add(a: Any, b: Any) -> Any:
        return builder.fadd(a, b, flags=("contract",) if device else REASSOCIATE)

    def weigh(v: Any) -> Any:
        return builder.fmul(weight, v, flags=("contract",)) if "w" in extras or "d" in extras else v

    def once(v: Any) -> Any:
        none = builder.fcmp_ordered("==", weight, weight.type(0.0))
        return builder.select(none, weight.type(0.0), v)

    new = []
    for kind, a, v in zip(slots, old[: len(slots)], row, strict=True):
        if kind == "m":
            new.append(extreme(builder, ">", a, v, ()) if device else extreme(builder, ">", a, v))
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
    """state + w * values, slot by slot, with `logs` in the places of the kinds of PRODUCTS; `layout` is made by `slot_layout`."""
    result = types.UniTuple(types.float64, state.count)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        new = combined(context, builder, layout.literal_value, signature.args[1].types, args)
        return context.make_tuple(builder, result, new)

    return result(state, values, logs, w, log_w, layout), codegen


def slot_layout(kinds: str, weight_kind: str | None) -> str:
    """The slots of a state as a string: kinds of the row's values ("s" sum, "l" sum of logarithms, "f" one that need not
    be sharper than 1e-16 a row, "q" one about a center, "m" max, "r" sum that precision weights leave alone; "e" belongs
    to an "l"), then the frame's own.

    After the bar: "w" the sum of weights, "p" of their logarithms, "o" the outer products under the squared weight.
    """
    return kinds + "|" + {None: "", "frequency": "w", "precision": "wp", "sampling": "wo"}[weight_kind]


def slot_kinds(layout: str) -> str:
    """One letter a slot of the state that `layout` describes."""
    kinds, _, extras = layout.translate(str.maketrans("lfqr", "ssss")).replace("e", "").partition("|")
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
    quick: tuple[Any, Any] | None = None,
) -> Callable[..., None]:
    """The kernel `fold(x, w, theta, sums, counts)` of one variant; fills sums (blocks, slots), counts (blocks, 3).

    `checked`: test each row against `support` (a row that fails adds nothing and is counted). Unchecked kernels are
    for supports that are the whole line, where a bad row makes its block's sum non-finite. Blocks are first taken to be
    sound, by the `quick` row function if there is one and as long as rows are in its support, and if they are not done
    again row by row.
    """
    kinds, _, extras = layout.partition("|")
    weighted, precision = "w" in extras, "p" in extras
    letters = slot_kinds(layout)
    start = tuple(-np.inf if k == "m" else 0.0 for k in letters)
    slots = len(letters)
    logs = logs_of(kinds)
    first, second, slip0, slip1 = logs[1:5]
    none, two, about = logs.count == 0, logs.count == 2, logs.about
    products = logs.count > 0 and not weighted
    hopeful = checked and not (products or weighted or drop)
    likely, where = quick or (row, support)
    if support is None:
        support = _finite
    if drop:
        layout += "d"  # a dropped row is a row of weight 0

    extremes = "m" in kinds and (weighted or drop)

    @register_jitable
    def usable(x, w, th):  # type: ignore[no-untyped-def]
        return support(x, th) & (not weighted or ((w > 0.0) & (w <= LARGEST)))

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
    def combine(s, v, w):  # type: ignore[no-untyped-def]
        """All slots but the logarithms."""
        return _combine(s, v, (0.0, 0.0), w, 0.0, layout)

    log_of, in_range = make_log(logs), make_in_range(logs)
    tile = make_tile(likely, where if checked else None, logs, drop, admit, combine) if products else None

    @register_jitable(**FLAGS)
    def stretch(x, th, s):  # type: ignore[no-untyped-def]
        """Add rows, and whether all were possible."""
        sound = True
        for i in range(x.size):
            xi = float(x[i])
            sound &= where(xi, th)
            s = _combine(s, likely(xi, th), (), 1.0, 0.0, layout)
        return s, sound

    def fold(x, w, theta, sums, counts):  # type: ignore[no-untyped-def]
        th = theta_type(*theta)
        around = center(th.c) if about else (1.0, 1.0, 0.0)
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
                sound, high, low = True, 1.0, 1.0
                while lo + TILE <= end:
                    rows = x[lo : lo + TILE]
                    s, log0, log1, sound, null, high, low = tile(
                        rows, th, stand_in, around, s, log0, log1, sound, null, high, low
                    )
                    lo += TILE
                sound = sound and log0 + log1 - (log0 + log1) == 0.0
                if not (sound and in_range(high, low)):
                    s, null, log0, log1, lo = start, 0, 0.0, 0.0, b * BLOCK
            if hopeful:
                s, sound = stretch(x[lo:end], th, s)
                s, lo = (s, end) if sound else (start, lo)
            xs = x[lo:end]
            ws = w[lo:end] if weighted else w
            for i in range(xs.size):
                xi, wi, lw, is_bad, is_null, is_zero = admit(xs[i], ws[i] if weighted else 1.0, th, stand_in)
                bad += is_bad
                null += is_null
                zero += is_zero
                v = row(xi, th)
                if none:
                    s = _combine(s, v, (), wi, lw, layout)
                else:
                    two_logs = log_of(v[first], v[slip0], th), log_of(v[second], v[slip1], th)
                    s = _combine(s, v, two_logs, wi, lw, layout)
            for k in range(slots):
                sums[b, k] = s[k] if found or letters[k] != "m" else -np.inf
            if products:
                sums[b, first] += log0
                if two:
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
    return compile_kernel(fold, signature, name, (row, support, likely, where))
