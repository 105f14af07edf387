"""The fold: what one row adds, over blocks of 4096 rows, with the running sums in registers.

Row functions return what a row adds (a tuple of floats); weights, nulls, rows outside the support and the addition
to the sums are the frame's. Row functions keep IEEE semantics (contraction aside).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable
from numba.np.numpy_support import from_dtype

from .ahead import TILE, fetch
from .jit import compile_kernel
from .products import center, logs_of, make_in_range, make_log, make_tile
from .slots import add_row, join, slot_kinds
from .vecmath import log
from .vecmath.machine import FLAGS, LARGEST

BLOCK = 4096  # rows; the unit of exact addition
BAD, NULL, ZERO = 0, 1, 2  # columns of the counts: outside the support, null, of weight zero


@register_jitable
def _finite(x: float, theta: Any) -> bool:
    return abs(x) <= LARGEST


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
    hopeful = (checked or quick is None) and not (products or weighted or drop)
    fixed = quick is None  # a loop of constant length is faster, but for long row functions
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
        return add_row(s, v, (0.0, 0.0), w, 0.0, layout)

    log_of, in_range = make_log(logs), make_in_range(logs)
    tile = make_tile(likely, where if checked else None, logs, drop, admit, combine) if products else None

    @register_jitable(**FLAGS)
    def stretch(x, th, s):  # type: ignore[no-untyped-def]
        """Add rows, and whether all were possible."""
        sound = True
        for i in range(TILE if fixed else x.size):
            xi = float(x[i])
            if checked:
                sound &= where(xi, th)
            s = add_row(s, likely(np.float64(xi), th), (), 1.0, 0.0, layout)
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
                    fetch(x, lo + TILE, TILE)
                    rows = x[lo : lo + TILE]
                    s, log0, log1, sound, null, high, low = tile(
                        rows, th, stand_in, around, s, log0, log1, sound, null, high, low
                    )
                    lo += TILE
                sound = sound and log0 + log1 - (log0 + log1) == 0.0
                if not (sound and in_range(high, low)):
                    s, null, log0, log1, lo = start, 0, 0.0, 0.0, b * BLOCK
            if hopeful:
                sound = True
                while lo + TILE <= end:
                    fetch(x, lo + TILE, TILE)
                    part, fine = stretch(x[lo : lo + TILE], th, start)
                    s, sound = join(s, part, letters), sound and fine
                    lo += TILE
                if not sound:
                    s, lo = start, b * BLOCK
            while lo < end:
                stop = min(lo + TILE, end)
                fetch(x, stop, TILE)
                if weighted:
                    fetch(w, stop, TILE)
                xs, part = x[lo:stop], start
                ws = w[lo:stop] if weighted else w
                for i in range(xs.size):
                    xi, wi, lw, is_bad, is_null, is_zero = admit(xs[i], ws[i] if weighted else 1.0, th, stand_in)
                    bad += is_bad
                    null += is_null
                    zero += is_zero
                    v = row(np.float64(xi), th)  # float(x) of a float32 is one in compiled code
                    if none:
                        part = add_row(part, v, (), wi, lw, layout)
                    else:
                        two_logs = log_of(v[first], v[slip0], th), log_of(v[second], v[slip1], th)
                        part = add_row(part, v, two_logs, wi, lw, layout)
                s, lo = join(s, part, letters), stop
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
