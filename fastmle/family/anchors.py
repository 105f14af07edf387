"""Anchors: the constants amid the data that sums are taken about, so that neither offsets nor scales cost digits."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .terms import Anchor, Sums, Vector, row_function


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


def mean_of(x: Vector, w: Vector) -> float:
    """Of a block, by its weights if it has any: the more a row counts, the fewer digits it may lose."""
    return float(np.average(x, weights=w / w.max())) if w.size else float(np.add.reduce(x)) / x.size


def location_of(x: Vector, w: Vector) -> Location:
    """The mean of a block, and a scale in which its squares neither overflow nor vanish."""
    low, high = float(x.min()), float(x.max())
    scale = binary_scale(max(abs(low), abs(high)))
    c = low if low == high else mean_of(x if scale == 1.0 else x / scale, w) * scale
    if max(-low, high) > 2.0**1022:
        c = 0.0  # x − c might overflow
    return Location(c, 1.0 / scale)


def _rebase_moments(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    ratio = Fraction(new.per) / Fraction(old.per)
    delta = (Fraction(old.c) - Fraction(new.c)) * Fraction(new.per)
    return (s.u * ratio + s.weight * delta, s.uu * ratio**2 + 2 * delta * ratio * s.u + s.weight * delta**2)


@row_function
def moment_drift(s: Sums) -> float:
    mean = s.u / s.weight
    return float(abs(mean) / math.sqrt(max(s.uu / s.weight - mean * mean, 0.0)))


def _mean_location(s: Sums) -> Location:
    return Location(s.c + s.u / s.weight / s.per, s.per)


moment_anchor = Anchor(location_of, _rebase_moments, moment_drift, _mean_location)
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
        of_block=lambda x, w: Scale(1.0 / binary_scale(float(x.max()))),
        rebase=rebase,
        drift=None,
        of_sums=lambda s: Scale(s.per),
    )
