"""Anchors: the constants amid the data that sums are taken about, so that neither offsets nor scales cost digits."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from ..kernels.vecmath import cos, log_sum, sin
from .terms import Anchor, RowTerms, Sums, Vector, positive, row_function


def binary_scale(largest: float) -> float:
    """A power of two near `largest`, in steps of 2^256: 1 for ordinary data, so that squares stay in range."""
    if largest == 0.0 or not math.isfinite(largest):
        return 1.0
    step = round(math.frexp(largest)[1] / 256)
    return math.ldexp(1.0, 256 * max(-3, min(3, step)))


class Location(NamedTuple):
    """The anchor of moments: u = (x − c) · per, with `per` a power of two."""

    c: float = 0.0
    per: float = 1.0


def location_of(x: Vector) -> Location:
    """The mean of a block, and a scale in which its squares neither overflow nor vanish."""
    low, high = float(x.min()), float(x.max())
    scale = binary_scale(max(abs(low), abs(high)))
    c = low if low == high else float(np.mean(x / scale)) * scale
    if max(-low, high) > 2.0**1022:
        c = 0.0  # x − c might overflow
    return Location(c, 1.0 / scale)


def _rebase_moments(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    ratio = Fraction(new.per) / Fraction(old.per)
    delta = (Fraction(old.c) - Fraction(new.c)) * Fraction(new.per)
    return (s.u * ratio + s.weight * delta, s.uu * ratio**2 + 2 * delta * ratio * s.u + s.weight * delta**2)


def _moment_drift(s: Sums) -> Vector:
    mean = s.u / s.weight
    return np.asarray(np.abs(mean) / np.sqrt(np.maximum(s.uu / s.weight - mean * mean, 0.0)))


def _mean_location(s: Sums) -> Location:
    return Location(s.c + s.u / s.weight / s.per, s.per)


moment_anchor = Anchor(location_of, _rebase_moments, _moment_drift, _mean_location)
"""For terms whose slots are `u` and `uu` = u², u = (x − c) · per."""


class Scale(NamedTuple):
    """The anchor of powers: x·per, with `per` a power of two."""

    per: float = 1.0


def scale_anchor(**powers: int) -> Anchor:
    """For slots, by name, of these powers of x·per; power 0 is its logarithm."""

    def rebase(s: Sums, old: Scale, new: Scale) -> tuple[Any, ...]:
        ratio = Fraction(new.per) / Fraction(old.per)
        return tuple(
            getattr(s, name) * ratio**power + (0 if power else s.weight * Fraction(math.log(ratio)))
            for name, power in powers.items()
        )

    return Anchor(
        of_block=lambda x: Scale(1.0 / binary_scale(float(x.max()))),
        rebase=rebase,
        drift=lambda s: np.zeros(np.shape(s.weight)),
        of_sums=lambda s: Scale(s.per),
    )


class Center(NamedTuple):
    """The anchor of logarithms: a point amid positive data, and its reciprocal."""

    c: float = 1.0
    per: float = 1.0


def center_at(c: float) -> Center:
    c = min(max(c, 1e-300), 1e300)
    return Center(c, 1.0 / c)


class Logs(NamedTuple):
    """What positive data add about a center: kinds "sle"."""

    u: float  # (x − c)/c
    log: float  # x/c, whose logarithm is summed
    slip: float  # near the center, what the rounding of x/c took from 1 + u


@row_function
def add_logs(x: float, a: Center) -> Logs:
    u = (x - a.c) * a.per
    y = x * a.per
    return Logs(u, y, u - (y - 1.0) if abs(u) <= 0.5 else 0.0)


def center_mean(s: Sums) -> float:
    """The mean; NaN where the center lies so far above it that its digits are lost (subnormal values)."""
    ratio = 1.0 + s.u / s.weight
    return float(s.c * ratio) if ratio > 1e-8 else math.nan


def log_gap(s: Sums) -> Any:
    """The log of the mean minus the mean of the logs: 0 if and only if all values are equal."""
    return np.log1p(s.u / s.weight) - s.log / s.weight


def _rebase_logs(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    shift = (old.c - new.c) / new.c
    return s.u * (old.c / new.c) + s.weight * shift, s.log + s.weight * log_of_ratio(old.c, new.c)


def _log_drift(s: Sums) -> Vector:
    """For narrow data, √(2·gap) is about sd/mean; wide data do not care where their center is."""
    gap = log_gap(s)
    narrow = np.abs(np.log1p(s.u / s.weight)) / np.sqrt(np.maximum(2.0 * gap, 0.0))
    return np.where(gap < 1.0, narrow, 0.0)


def _center_of(x: Vector) -> Center:
    """The mean, or for wide data halfway (in logarithms) to the least, so that no x/c overflows or vanishes."""
    low, high = float(x.min()), float(x.max())
    if low == high:
        return center_at(low)
    log_low, log_mean = math.log(low), math.log(float(np.mean(x / high))) + math.log(high)
    return center_at(math.exp(log_mean if log_mean - log_low < 2.0 else 0.5 * (log_low + log_mean)))


log_anchor = Anchor(
    of_block=_center_of,
    rebase=_rebase_logs,
    drift=_log_drift,
    of_sums=lambda s: center_at(s.c * (1.0 + s.u / s.weight)),
)
"""For terms with the slots of `Logs`: shapes of 1e8 lose no digits."""

log_terms = RowTerms(
    Logs, add_logs, positive, "x > 0", fill=1.0, theta=Center, kinds="sle", anchor=log_anchor
)


class LogCenter(NamedTuple):
    """The anchor of moments of logarithms: a point amid positive data, its reciprocal and its logarithm."""

    c: float = 1.0
    per: float = 1.0
    log_c: float = 0.0


def log_center_at(c: float) -> LogCenter:
    return LogCenter(*center_at(c), math.log(center_at(c).c))


@row_function
def log_about(x: float, a: LogCenter) -> float:
    """log(x/c), accurate relative to itself however close x is to c, and for any x > 0."""
    u = (x - a.c) * a.per
    near = abs(u) <= 0.5
    y = 1.0 + u if near else x
    slip = u - (y - 1.0) if near else 0.0  # what rounding took from 1 + u
    total: float = log_sum(y, slip) - (0.0 if near else a.log_c)
    return total


def log_of_ratio(a: float, b: float) -> float:
    """log(a/b), also where a and b are close."""
    shift = (a - b) / b
    return math.log1p(shift) if abs(shift) < 0.5 else math.log(a) - math.log(b)


def _rebase_log_moments(s: Sums, old: Any, new: Any) -> tuple[Any, ...]:
    delta = Fraction(log_of_ratio(old.c, new.c))
    return s.u + s.weight * delta, s.uu + 2 * delta * s.u + s.weight * delta**2, s.log


log_moment_anchor = Anchor(
    of_block=lambda x: log_center_at(float(x.min() if x.min() == x.max() else np.exp(np.mean(np.log(x))))),
    rebase=_rebase_log_moments,
    drift=_moment_drift,
    of_sums=lambda s: log_center_at(s.c * math.exp(s.u / s.weight)),
)
"""For terms whose slots are `u` = log(x/c), `uu` = u² and `log`, a sum over the rows of log x."""


@row_function
def add_logs_of_inverse(x: float, a: Center) -> Logs:
    """What c/x adds, in place of x/c: u = c/x − 1, and still the logarithm of x/c."""
    d = (x - a.c) * a.per
    y = x * a.per
    return Logs((a.c - x) / x, y, d - (y - 1.0) if abs(d) <= 0.5 else 0.0)


def inverse_log_gap(s: Sums) -> Any:
    """The log of the mean of 1/x minus the mean of log 1/x: 0 if and only if all values are equal."""
    return np.log1p(s.u / s.weight) + s.log / s.weight


def _rebase_inverse_logs(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    shift = (new.c - old.c) / old.c
    return s.u * (new.c / old.c) + s.weight * shift, s.log + s.weight * log_of_ratio(old.c, new.c)


def _inverse_log_drift(s: Sums) -> Vector:
    gap = inverse_log_gap(s)
    narrow = np.abs(np.log1p(s.u / s.weight)) / np.sqrt(np.maximum(2.0 * gap, 0.0))
    return np.where(gap < 1.0, narrow, 0.0)


inverse_log_anchor = Anchor(
    of_block=lambda x: center_at(1.0 / _center_of(1.0 / np.clip(x, 1e-300, 1e300)).c),
    rebase=_rebase_inverse_logs,
    drift=_inverse_log_drift,
    of_sums=lambda s: center_at(s.c / (1.0 + s.u / s.weight)),
)
"""For terms with the slots of `Logs` taken by `add_logs_of_inverse`."""


def _rebase_harmonic(s: Sums, old: Any, new: Any) -> tuple[Any, ...]:
    r, t = old.c / new.c, (old.c - new.c) / new.c
    u, log_sum = _rebase_logs(s, old, new)
    h = s.h / r + s.weight * (new.c - old.c) / old.c
    near = s.v / r + s.u * t * (r + 1.0) / r + s.weight * t * t / r
    return u, near if abs(t) < 0.5 else u + h, h, log_sum


def _harmonic_drift(s: Sums) -> Vector:
    u = s.u / s.weight
    return np.asarray(np.abs(u) / np.sqrt(np.maximum(s.v / s.weight - u * u / (1.0 + u), 0.0)))


harmonic_anchor = Anchor(_center_of, _rebase_harmonic, _harmonic_drift, log_anchor.of_sums)
"""For terms whose slots are `u` = (x − c)/c, `v` = u + h, `h` = (c − x)/x and `log` of x/c."""


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


def unit_gaps(s: Sums) -> tuple[Any, Any]:
    """The log of the mean minus the mean of the logs, of x and of 1 − x."""
    mean = s.u / s.weight
    return np.log1p(mean / s.c) - s.log / s.weight, np.log1p(-mean / s.rest) - s.log_rest / s.weight


def _rebase_unit_logs(s: Sums, old: Any, new: Any) -> tuple[Any, ...]:
    up, down = (old.c - new.c) / new.c, (new.c - old.c) / new.rest
    log_up = math.log1p(up) if abs(up) < 0.5 else math.log(old.c) - math.log(new.c)
    log_down = math.log1p(down) if abs(down) < 0.5 else math.log(old.rest) - math.log(new.rest)
    shift = Fraction(old.c) - Fraction(new.c)
    return s.u + s.weight * shift, s.log + s.weight * log_up, s.log_rest + s.weight * log_down


def _unit_drift(s: Sums) -> Vector:
    gap, gap_rest = unit_gaps(s)
    mean = s.u / s.weight
    by, by_rest = np.log1p(mean / s.c), np.log1p(-mean / s.rest)
    narrow = np.where(gap < 1.0, np.abs(by) / np.sqrt(np.maximum(2.0 * gap, 0.0)), 0.0)
    narrow_rest = np.where(gap_rest < 1.0, np.abs(by_rest) / np.sqrt(np.maximum(2.0 * gap_rest, 0.0)), 0.0)
    return np.asarray(np.fmax(narrow, narrow_rest))


unit_anchor = Anchor(
    of_block=lambda x: middle_at(float(x.min() if x.min() == x.max() else np.mean(x))),
    rebase=_rebase_unit_logs,
    drift=_unit_drift,
    of_sums=lambda s: middle_at(s.c + s.u / s.weight),
)
"""For terms with the slots of `UnitLogs`: shapes of 1e8 lose no digits."""


class Direction(NamedTuple):
    """The anchor of angles."""

    c: float = 0.0
    per: float = 1.0


class Turns(NamedTuple):
    """What angles add about a direction."""

    sine: float  # of x − c
    versine: float  # 1 − cos(x − c) = 2 sin²((x − c)/2)


@row_function
def angle(x: float, a: Direction) -> bool:
    """The support of angles: where the sines have all their digits."""
    return abs(x) <= 1048576.0  # 2^20


@row_function
def add_turns(x: float, a: Direction) -> Turns:
    h = 0.5 * (x - a.c)
    s = sin(h)
    return Turns(2.0 * s * cos(h), 2.0 * s * s)


def turned(s: Sums, angle: float) -> tuple[Any, Any]:
    """Σ w sin(x − angle) and Σ w (1 − cos(x − angle))."""
    sine, versine = math.sin(angle - s.c), 2.0 * math.sin(0.5 * (angle - s.c)) ** 2
    cosine = 1.0 - versine
    return (
        s.sine * cosine - (s.weight - s.versine) * sine,
        s.weight * versine + s.versine * cosine - s.sine * sine,
    )


def _turn(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    at = Sums(s.weight, s.n, s.rows, sine=s.sine, versine=s.versine, c=old.c)
    return turned(at, new.c)


def _turn_drift(s: Sums) -> Vector:
    sine, versine = s.sine / s.weight, s.versine / s.weight
    return np.asarray(np.abs(sine) / np.sqrt(np.maximum(2.0 * versine - sine * sine, 0.0)))


def direction_of(s: Sums) -> float:
    """The mean direction, between −π and π."""
    return math.remainder(s.c + math.atan2(s.sine, s.weight - s.versine), 2.0 * math.pi)


turn_anchor = Anchor(
    of_block=lambda x: Direction(
        float(x[0] if x.min() == x.max() else np.arctan2(np.sin(x).sum(), np.cos(x).sum()))
    ),
    rebase=_turn,
    drift=_turn_drift,
    of_sums=lambda s: Direction(direction_of(s)),
)
"""For terms with the slots of `Turns`: nothing cancels where the angles lie close together."""
