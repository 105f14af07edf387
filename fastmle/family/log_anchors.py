"""Centers amid positive data, about which logarithms and relative differences are summed."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .anchors import mean_of, moment_drift
from .terms import Anchor, RowTerms, Sums, Vector, positive, row_function


class Center(NamedTuple):
    """The anchor of logarithms: a point amid positive data, and its reciprocal."""

    c: float = 1.0
    per: float = 1.0


def center_at(c: float) -> Center:
    c = min(max(c, 1e-300), 1e300)
    return Center(c, 1.0 / c)


class Logs(NamedTuple):
    """What positive data add about a center: kinds "sq"."""

    u: float  # (x − c)/c
    log: float  # x, of which log(x/c) is summed


@row_function
def add_logs(x: float, a: Center) -> Logs:
    return Logs((x - a.c) * a.per, x)


TOO_CLOSE = "all values are equal, or closer to each other than 5e-8 of their size, where float64 cannot tell the shape"


def center_mean(s: Sums) -> float:
    """The mean; NaN where the center lies so far above it that its digits are lost (subnormal values)."""
    ratio = 1.0 + s.u / s.weight
    return float(s.c * ratio) if ratio > 1e-8 else math.nan


@row_function
def log_gap(s: Sums) -> float:
    """The log of the mean minus the mean of the logs: 0 if and only if all values are equal."""
    return float(np.log1p(s.u / s.weight) - s.log / s.weight)


def rebase_logs(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    shift = (old.c - new.c) / new.c
    return s.u * (old.c / new.c) + s.weight * shift, s.log + s.weight * log_of_ratio(old.c, new.c)


@row_function
def drift_by_gap(s: Sums, gap: float) -> float:
    """For narrow data, √(2·gap) is about sd/mean; wide data do not care where their center is."""
    return abs(np.log1p(s.u / s.weight)) / math.sqrt(max(2.0 * gap, 0.0)) if gap < 1.0 else 0.0


@row_function
def log_drift(s: Sums) -> float:
    return drift_by_gap(s, log_gap(s))


def center_of(x: Vector, w: Vector) -> Center:
    """The mean, or for wide data halfway (in logarithms) to the least, so that no x/c overflows or vanishes."""
    low, high = float(x.min()), float(x.max())
    if low == high:
        return center_at(low)
    log_low, log_mean = math.log(low), math.log(mean_of(x / high, w)) + math.log(high)
    return center_at(math.exp(log_mean if log_mean - log_low < 2.0 else 0.5 * (log_low + log_mean)))


log_anchor = Anchor(
    of_block=center_of,
    rebase=rebase_logs,
    drift=log_drift,
    of_sums=lambda s: center_at(s.c * (1.0 + s.u / s.weight)),
)
"""For terms with the slots of `Logs`: shapes of 1e8 lose no digits."""

log_terms = RowTerms(Logs, add_logs, positive, "x > 0", fill=1.0, theta=Center, kinds="sq", anchor=log_anchor)


class LogCenter(NamedTuple):
    """The anchor of moments of logarithms: a point amid positive data, its reciprocal and its logarithm."""

    c: float = 1.0
    per: float = 1.0
    log_c: float = 0.0


def log_center_at(c: float) -> LogCenter:
    return LogCenter(*center_at(c), math.log(center_at(c).c))


def log_of_ratio(a: float, b: float) -> float:
    """log(a/b), also where a and b are close."""
    shift = (a - b) / b
    return math.log1p(shift) if abs(shift) < 0.5 else math.log(a) - math.log(b)


def _rebase_log_moments(s: Sums, old: Any, new: Any) -> tuple[Any, ...]:
    delta = Fraction(log_of_ratio(old.c, new.c))
    return s.u + s.weight * delta, s.uu + 2 * delta * s.u + s.weight * delta**2, s.log


log_moment_anchor = Anchor(
    of_block=lambda x, w: log_center_at(float(x.min()) if x.min() == x.max() else math.exp(mean_of(np.log(x), w))),
    rebase=_rebase_log_moments,
    drift=moment_drift,
    of_sums=lambda s: log_center_at(s.c * math.exp(s.u / s.weight)),
)
"""For terms whose slots are `u` = log(x/c), `uu` = u² and `log`, a sum over the rows of log x."""


def log_shares(columns: list[Sums], theta: Vector) -> Vector:
    """log(p_j/c_j) with p = θ/Σθ, whose difference from the center c of column j is taken exactly."""
    total = sum(map(Fraction, theta.tolist()))
    off = [
        float(Fraction(a) / total / Fraction(x.c) - 1) for a, x in zip(theta.tolist(), columns, strict=True)
    ]
    return np.asarray(np.log1p(off))
