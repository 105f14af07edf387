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
from .vecmath import log

BLOCK = 4096  # rows; the unit of exact addition
BAD, NULL, ZERO = 0, 1, 2  # columns of the counts: outside the support, null, of weight zero
_REASSOCIATE = ("reassoc", "contract", "nsz", "arcp")


@register_jitable
def _finite(x: float, theta: Any) -> bool:
    return abs(x) < np.inf


@intrinsic(prefer_literal=True)
def _combine(typingctx: Any, state: Any, values: Any, w: Any, log_w: Any, use: Any, layout: Any) -> Any:
    """state + w * values, slot by slot; `layout` is the string made by `slot_layout`."""
    kinds, _, extras = layout.literal_value.partition("|")
    result = types.UniTuple(types.float64, state.count)

    def add(builder: Any, a: Any, b: Any) -> Any:
        return builder.fadd(a, b, flags=_REASSOCIATE)

    def larger(builder: Any, a: Any, b: Any, chosen: Any) -> Any:
        above = builder.fcmp_ordered(">", b, a, flags=("nnan", "nsz"))
        return builder.select(builder.and_(above, chosen), b, a, flags=("nnan", "nsz"))

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        old = cgutils.unpack_tuple(builder, args[0])
        row = [
            context.cast(builder, v, t, types.float64)
            for v, t in zip(cgutils.unpack_tuple(builder, args[1]), signature.args[1].types, strict=True)
        ]
        weight = args[2]

        def weigh(v: Any) -> Any:
            return builder.fmul(weight, v, flags=("contract",)) if "w" in extras or "d" in extras else v

        new = []
        for kind, a, v in zip(kinds, old[: len(kinds)], row, strict=True):
            new.append(larger(builder, a, v, args[4]) if kind == "m" else add(builder, a, weigh(v)))
        rest = iter(old[len(kinds) :])
        if "w" in extras:
            new.append(add(builder, next(rest), weight))
        if "p" in extras:
            new.append(add(builder, next(rest), args[3]))
        if "o" in extras:  # outer product of (1, values), under the squared weight
            full = [weight] + [weigh(v) for v in row]
            new += [
                add(builder, next(rest), builder.fmul(a, b)) for i, a in enumerate(full) for b in full[i:]
            ]
        return context.make_tuple(builder, result, new)

    return result(state, values, w, log_w, use, layout), codegen


def slot_layout(kinds: str, weight_kind: str | None) -> str:
    """The slots of a state as a string: kinds of the row's values ("s" sum, "m" max), then the frame's own.

    After the bar: "w" the sum of weights, "p" of their logarithms, "o" the outer products under the squared weight.
    """
    return kinds + "|" + {None: "", "frequency": "w", "precision": "wp", "sampling": "wo"}[weight_kind]


def slot_kinds(layout: str) -> str:
    """One letter a slot of the state that `layout` describes."""
    kinds, _, extras = layout.partition("|")
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
    if support is None:
        support = _finite
    if drop:
        layout += "d"  # a dropped row is a row of weight 0

    def fold(x, w, theta, sums, counts):  # type: ignore[no-untyped-def]
        th = theta_type(*theta)
        for b in range(sums.shape[0]):
            lo = b * BLOCK
            hi = min(lo + BLOCK, x.size)
            s = start
            bad = null = zero = 0
            for i in range(lo, hi):
                xi = float(x[i])
                wi = 1.0
                lw = 0.0
                use = True
                if weighted:
                    wi = w[i]
                    if drop:
                        is_null = (xi != xi) | (wi != wi)
                        null += is_null
                        is_zero = (wi == 0.0) & (not is_null)
                        ok = is_null | is_zero | (support(xi, th) & (wi > 0.0) & (wi < np.inf))
                        use = ok & (not is_null) & (not is_zero)
                    else:
                        is_zero = wi == 0.0
                        ok = is_zero | (support(xi, th) & (wi > 0.0) & (wi < np.inf))
                        use = ok & (not is_zero)
                    zero += is_zero
                    bad += not ok
                    wi = wi if use else 0.0
                    xi = xi if use else fill
                    if precision:
                        lw = log(wi if use else 1.0)
                elif checked:
                    if drop:
                        is_null = xi != xi
                        null += is_null
                        use = support(xi, th)
                        bad += not (use | is_null)
                        wi = 1.0 if use else 0.0
                    else:
                        use = support(xi, th)
                        bad += not use
                    xi = xi if use else fill
                s = _combine(s, row(xi, th), wi, lw, use, layout)
            for k in range(slots):
                sums[b, k] = s[k]
            counts[b, 0] = bad
            counts[b, 1] = null
            counts[b, 2] = zero

    fields = len(theta_type._fields)
    column = types.Array(from_dtype(np.dtype(dtype)), 1, "C", readonly=True)
    weights = types.Array(types.float64, 1, "C", readonly=True)
    signature = types.void(
        column, weights, types.UniTuple(types.float64, fields), types.float64[:, ::1], types.int64[:, ::1]
    )
    variant = f"{row.__module__}_{row.__qualname__}_{layout}_{dtype}_{'checked' if checked else 'plain'}{'_drop' if drop else ''}_{fill}"
    return compile_kernel(fold, signature, variant, (row, support))
