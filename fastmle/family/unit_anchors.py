"""Middles of numbers between 0 and 1, about which the logarithms of x and of 1 − x are summed."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .anchors import mean_of
from .terms import Anchor, Sums, row_function


class Middle(NamedTuple):
    """The anchor of numbers between 0 and 1: a point amid them, what it leaves to 1, and their reciprocals."""

    c: float = 0.5
    per: float = 2.0
    rest: float = 0.5
    per_rest: float = 2.0


def middle_at(c: float) -> Middle:
    c = min(max(c, 1e-300), 1.0 - 2.0**-53)
    return Middle(c, 1.0 / c, 1.0 - c, 1.0 / (1.0 - c))


class UnitLogs(NamedTuple):
    """What numbers between 0 and 1 add about a middle: kinds "sllee"."""

    u: float  # x − c
    log: float  # x/c, whose logarithm is summed
    log_rest: float  # (1 − x)/(1 − c), likewise
    slip: float
    slip_rest: float


@row_function
def add_unit_logs(x: float, a: Middle) -> UnitLogs:
    u, rest = x - a.c, 1.0 - x
    y, v = x * a.per, rest * a.per_rest
    by, by_rest = u * a.per, -u * a.per_rest
    slip = by - (y - 1.0) if abs(by) <= 0.5 else 0.0
    slip_rest = by_rest - (v - 1.0) if abs(by_rest) <= 0.5 else ((1.0 - rest) - x) * a.per_rest
    return UnitLogs(u, y, v, slip, slip_rest)


@row_function
def unit_gaps(s: Sums) -> tuple[float, float]:
    """The log of the mean minus the mean of the logs, of x and of 1 − x."""
    mean = s.u / s.weight
    return np.log1p(mean / s.c) - s.log / s.weight, np.log1p(-mean / s.rest) - s.log_rest / s.weight


def _rebase_unit_logs(s: Sums, old: Any, new: Any) -> tuple[Any, ...]:
    up, down = (old.c - new.c) / new.c, (new.c - old.c) / new.rest
    log_up = math.log1p(up) if abs(up) < 0.5 else math.log(old.c) - math.log(new.c)
    log_down = math.log1p(down) if abs(down) < 0.5 else math.log(old.rest) - math.log(new.rest)
    shift = Fraction(old.c) - Fraction(new.c)
    return s.u + s.weight * shift, s.log + s.weight * log_up, s.log_rest + s.weight * log_down


@row_function
def _unit_drift(s: Sums) -> float:
    gap, gap_rest = unit_gaps(s)
    mean = s.u / s.weight
    narrow = abs(np.log1p(mean / s.c)) / math.sqrt(max(2.0 * gap, 0.0)) if gap < 1.0 else 0.0
    narrow_rest = abs(np.log1p(-mean / s.rest)) / math.sqrt(max(2.0 * gap_rest, 0.0)) if gap_rest < 1.0 else 0.0
    return max(0.0, narrow, narrow_rest)


unit_anchor = Anchor(
    of_block=lambda x, w: middle_at(float(x.min()) if x.min() == x.max() else mean_of(x, w)),
    rebase=_rebase_unit_logs,
    drift=_unit_drift,
    of_sums=lambda s: middle_at(s.c + s.u / s.weight),
)
"""For terms with the slots of `UnitLogs`: shapes of 1e8 lose no digits."""
